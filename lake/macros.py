"""SQL macros for whoever explores a lake: in `glamlake sql`, and in `catalog.duckdb` for any DuckDB client.

A macro that gives a table is asked as `from near('ffd8a1c900000000', 6)`; one that gives a value anywhere a
value may stand. A client that attached the catalog under a name says `use <name>` first.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Macro:
    """One macro: how it is called, what it gives, an example that runs on any lake."""

    name: str
    parameters: tuple[str, ...]
    comment: str
    example: str
    body: str
    gives_rows: bool = True

    @property
    def signature(self) -> str:
        """As it is called: `near(phash, bits)`."""
        return f"{self.name}({', '.join(self.parameters)})"

    @property
    def statements(self) -> tuple[str, str]:
        """What makes it, and its comment."""
        kind = "macro table" if self.gives_rows else "macro"
        comment = self.comment.replace("'", "''")
        return (
            f"create or replace macro {self.signature} as {'table ' if self.gives_rows else ''}{self.body}",
            f"comment on {kind} {self.name} is '{comment}'",
        )


MACROS = (
    Macro(
        "hash_distance", ("a", "b"), "Bits in which two perceptual hashes (16 hex digits) differ.",
        "select hash_distance('ffd8a1c900000000', 'ffd8a1c900000003')",
        "bit_count(xor(cast('0x' || a as ubigint), cast('0x' || b as ubigint)))", gives_rows=False,
    ),
    Macro(
        "decade_of", ("y",), "First year of the decade a year lies in.",
        "select decade_of(year), count(*) from records group by all", "y - y % 10", gives_rows=False,
    ),
    Macro(
        "fill_rate", ("x",), "Share of the rows in which a column has a value; an empty list is none.",
        "select fill_rate(title), fill_rate(creators) from records",
        "round(avg(case when coalesce(cast(x as varchar), '[]') in ('', '[]') then 0 else 1 end), 3)",
        gives_rows=False,
    ),
    Macro(
        "first_day_of", ("d",), "First day of 1939, 1939-11 or 1939-11-30.", "select first_day_of('1939-11')",
        "try_cast(d || case length(d) when 4 then '-01-01' when 7 then '-01' else '' end as date)",
        gives_rows=False,
    ),
    Macro(
        "last_day_of", ("d",), "Last day of 1939, 1939-11 or 1939-11-30.", "select last_day_of('1939-11')",
        "case length(d) when 4 then try_cast(d || '-12-31' as date)"
        " when 7 then last_day(try_cast(d || '-01' as date)) else try_cast(d as date) end",
        gives_rows=False,
    ),
    Macro(
        "near", ("phash", "bits"),
        "Pictures whose perceptual hash differs in at most so many bits, nearest first.",
        "select image_url, distance from near('ffd8a1c900000000', 6)",
        "select hash_distance(images.phash, phash) as distance, images.* from images"
        " where images.phash is not null and hash_distance(images.phash, phash) <= bits"
        " order by distance, images.image_url",
    ),
    Macro(
        "rights_open", (), "Samples that may be used for anything, with the credit line they ask for.",
        "select sample_id, attribution from rights_open()",
        "select * from samples where rights_class = 'open'",
    ),
    Macro(
        "overlapping", ("first", "last"),
        "Records whose date interval overlaps a range, given as 1939, 1939-11 or a day.",
        "select record_id, date_start, date_end from overlapping('1939-11', '1940')",
        # "before 1914" has no first day, "after 1918" no last
        "select * from records where coalesce(date_start, date_end) is not null"
        " and coalesce(date_start <= last_day_of(last), true)"
        " and coalesce(date_end >= first_day_of(first), true)",
    ),
    Macro(
        "undated", (), "Records without a date that could be read; date_raw holds what their archive says.",
        "select record_id, date_raw from undated()",
        "select * from records where coalesce(date_start, date_end) is null",
    ),
    Macro(
        "found_by", ("search",), "Records that a search found, as it was asked.",
        "select record_id, title from found_by('tram')",
        "select * from records where list_contains(queries, search)",
    ),
    Macro(
        "labelled", ("wanted",), "Records that carry a label or one that stands below it.",
        "select record_id, title from labelled('vehicle')",
        "select * from records where record_id in ("
        "select record_id from record_labels where label = wanted or list_contains(path, wanted))",
    ),
    Macro(
        "mentions", ("words",), "Records whose caption has these words, whatever their case and accents.",
        "select record_id, caption from mentions('harbour')",
        "select * from records where contains("
        "' ' || regexp_replace(lower(strip_accents(caption)), '[^\\p{L}\\p{N}]+', ' ', 'g') || ' ',"
        " ' ' || trim(regexp_replace(lower(strip_accents(words)), '[^\\p{L}\\p{N}]+', ' ', 'g')) || ' ')",
    ),
    Macro(
        "copies_of", ("sample",), "Every picture that is another copy of a sample, with the evidence.",
        "select image_url, relation, distance from copies_of('0123456789abcdef')",
        "select * from duplicates where sample_id = sample",
    ),
    Macro(
        "answers", (), "Hits as they stand now: the newest of each, its payload as JSON text.",
        "select hit_id, payload ->> '$.title' as title from answers() where json_valid(payload)",
        "select * from raw_hits qualify row_number() over ("
        "partition by hit_id order by raw_hits.fetched_at desc, payload) = 1",
    ),
)
