"""An export's card (`README.md`) and its Croissant description, filled from the lake and its samples."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from lake.catalog import Connection, ask
from pipelines.archives import archive_names, load_archive
from pipelines.exports._croissant import Description, croissant_text
from pipelines.exports._draft import Draft
from pipelines.exports._manifest import Tally
from pipelines.exports._picture import one_line
from pipelines.exports._samples import SAMPLES_FILE
from pipelines.exports._selection import ExportOptions

Row = dict[str, Any]

_HUB_LICENCES = {
    "publicdomain/zero/1.0": "cc0-1.0", "licenses/by/2.0": "cc-by-2.0", "licenses/by/3.0": "cc-by-3.0",
    "licenses/by/4.0": "cc-by-4.0", "licenses/by-sa/3.0": "cc-by-sa-3.0",
    "licenses/by-sa/4.0": "cc-by-sa-4.0",
}
_LIMITS = (
    "Labels come from searches and catalogues, not from people looking at these pictures: a label that is "
    "missing is unknown, not absent.",
    "Archives hold what was kept, by whom and for whom; no share of anything here is a share of the past.",
    "Titles and descriptions are the archives' own, some with the words of their time.",
    "Rights are as the archives state them; whoever publishes a picture checks its page first.",
)


_MARKS = re.compile(r"[\\`*\[\]<>|]")


class _Markdown(str):
    """A text that is Markdown already."""


class _Described(Protocol):
    FORMAT: str
    NOTES: tuple[str, ...]

    def describe(self, draft: Draft) -> Description:
        """See Format."""


@dataclass(frozen=True)
class Release:
    """What is being released; the folder's name is no part of it, so that a copy by another name is one."""

    version: str
    options: ExportOptions
    tally: Tally

    @property
    def title(self) -> str:
        """A name that says which data set this is."""
        return f"glamlake-{self.tally.format}-{self.version}"


@dataclass(frozen=True)
class _Facts:
    """What the lake knows about the samples of an export."""

    archives: list[Row]
    searches: list[Row]
    licences: list[Row]
    label_sources: list[Row]
    unfinished: list[Row]
    rejected: list[Row]
    not_fetched: list[Row]


def describe_export(con: Connection, draft: Draft, format: _Described, release: Release) -> None:
    """Write `README.md` and `croissant.json`."""
    described = format.describe(draft)
    facts = _facts(con, str((draft.folder / SAMPLES_FILE).absolute()))
    draft.put("README.md", _card_text(format, release, facts, described).encode())
    described_as = _schema_org(format, release, facts)
    draft.put("croissant.json", croissant_text(draft, described_as, described).encode())


def _facts(con: Connection, samples: str) -> _Facts:
    return _Facts(**{
        name: ask(con, f"{_EXPORTED}\n{select}", [samples]).to_pylist() for name, select in _QUESTIONS.items()
    })


def _card_text(format: _Described, release: Release, facts: _Facts, described: Description) -> str:
    sections: dict[str, Callable[[], Iterator[str]]] = {
        "How to read it": lambda: _bullets(note.replace("<", r"\<") for note in format.NOTES),
        "Sources": lambda: _sources(facts),
        "Searches": lambda: _searches(facts),
        "Rules": lambda: _rules(release.options, facts),
        "Splits": lambda: _table(("split", "samples"), release.tally.counts["splits"].items()),
        "Labels": lambda: _labels(release),
        "Rights": lambda: _licences(release, facts),
        "Known gaps": lambda: _gaps(facts),
        "How to cite": lambda: _citations(facts),
    }
    lines = [*_front_matter(release, facts, described), f"# {release.title}", ""]
    lines += [_summary(format, release), ""]
    for title, body in sections.items():
        lines += [f"## {title}", "", *body(), ""]
    return "\n".join(lines).rstrip() + "\n"


def _front_matter(release: Release, facts: _Facts, described: Description) -> list[str]:
    """What the Hugging Face hub and `datasets` read; JSON is YAML as well."""
    fields: Row = {
        "pretty_name": release.title, "license": _hub_licence(facts), "tags": ["cultural-heritage", "glam"],
        "size_categories": [_size_category(release.tally.n_samples)],
    }
    if described.configs:
        fields["configs"] = list(described.configs)
    return ["---", *(f"{name}: {json.dumps(value)}" for name, value in fields.items()), "---", ""]


def _summary(format: _Described, release: Release) -> str:
    return (
        f"{release.tally.n_samples} pictures with their metadata, as {format.FORMAT}, version "
        f"`{release.version}`. The same samples and options give the same version; `manifest.json` holds the "
        f"sha256 of every file, `ATTRIBUTION` says whom to name for each picture."
    )


def _sources(facts: _Facts) -> Iterator[str]:
    rows = [
        (_title(row["archive"]), row["n_records"], row["n_providers"], _dates(row)) for row in facts.archives
    ]
    yield from _table(("archive", "records", "institutions", "harvested"), rows)


def _searches(facts: _Facts) -> Iterator[str]:
    for row in facts.archives:
        of_archive = [search for search in facts.searches if search["archive"] == row["archive"]]
        found = [f"{_inline(search['query'])} ({search['n']})" for search in of_archive]
        yield f"- {_title(row['archive'])}: {', '.join(found) or 'none noted'}"


def _rules(options: ExportOptions, facts: _Facts) -> Iterator[str]:
    chosen = {name: value for name, value in asdict(options).items() if value not in ((), None)}
    yield "Options of this export: " + "; ".join(f"{name} = {_plain(v)}" for name, v in chosen.items()) + "."
    yield ""
    yield "One sample stands for all copies of a picture; near-duplicates never lie in two splits."
    yield ""
    yield "Where the labels of these records come from:"
    yield ""
    yield from _table(("source", "labels", "mean confidence"), (
        (row["source"], row["n"], "" if row["confidence"] is None else f"{row['confidence']:.2f}")
        for row in facts.label_sources
    ))


def _labels(release: Release) -> Iterator[str]:
    counts = release.tally.counts["labels"]
    yield from _table(("label", "samples"), sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _licences(release: Release, facts: _Facts) -> Iterator[str]:
    yield from _table(("rights class", "samples"), sorted(release.tally.counts["rights"].items()))
    yield ""
    yield from _table(("rights statement", "records"), (
        (row["rights_uri"] or "none given", row["n"]) for row in facts.licences
    ))


def _gaps(facts: _Facts) -> Iterator[str]:
    yield from _bullets(_LIMITS)
    for row in facts.unfinished:
        came = f"{row['received']} of {row['announced']} hits came"
        search = _inline(f"{row['query']!r} ({row['slice']})")
        yield f"- {_title(row['archive'])}: the search {search} is {row['status']}: {came}."
    for row in facts.rejected:
        yield f"- {_title(row['archive'])}: {row['n']} hits were left out by the rule `{row['rule']}`."
    for row in facts.not_fetched:
        yield f"- {_title(row['archive'])}: {row['n']} pictures are missing: {row['status']}."


def _citations(facts: _Facts) -> Iterator[str]:
    yield from _bullets(_citation(row) for row in facts.archives)
    yield "- For a single picture, name its holder: `ATTRIBUTION` has the line."


def _citation(row: Row) -> str:
    pages = f", {load_archive(row['archive']).docs_url}" if row["archive"] in archive_names() else ""
    return f"{_title(row['archive'])}{pages}. Records harvested {_dates(row)}."


def _schema_org(format: _Described, release: Release, facts: _Facts) -> dict[str, object]:
    newest = max((row["last"] for row in facts.archives if row["last"]), default=None)
    known = {"datePublished": newest.isoformat()} if newest else {}
    return {
        "name": release.title,
        "description": " ".join([_summary(format, release), *format.NOTES]),
        "version": f"1.0.0+{release.version}",
        "license": [row["rights_uri"] for row in facts.licences if row["rights_uri"]],
        "citeAs": " ".join(_citation(row) for row in facts.archives),
        "creator": [{"@type": "sc:Organization", "name": _title(row["archive"])} for row in facts.archives],
        "keywords": sorted(release.tally.counts["labels"]),
        "isLiveDataset": False,
        **known,
    }


def _title(archive: str) -> _Markdown:
    is_known = archive in archive_names()
    return _Markdown(f"{load_archive(archive).title} (`{archive}`)" if is_known else f"`{archive}`")


def _dates(row: Row) -> str:
    if row["first"] is None:
        return "on an unknown day"
    return str(row["first"]) if row["first"] == row["last"] else f"{row['first']} to {row['last']}"


def _hub_licence(facts: _Facts) -> str:
    """One name of the hub's list where one licence covers all, else `other`: the card's table says which."""
    uris = {str(row["rights_uri"]).split("creativecommons.org/")[-1].rstrip("/") for row in facts.licences}
    return _HUB_LICENCES.get(uris.pop(), "other") if len(uris) == 1 else "other"


def _size_category(n: int) -> str:
    steps = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    return next((name for limit, name in steps if n < limit), "1M<n<10M")


def _table(header: Sequence[str], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _bullets(sentences: Any) -> Iterator[str]:
    yield from (f"- {sentence}" for sentence in sentences)


def _plain(value: object) -> str:
    return _inline(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))


def _inline(text: str) -> str:
    """A text of the lake as Markdown that shows it and does nothing else."""
    return _MARKS.sub(r"\\\g<0>", one_line(text))


def _cell(value: object) -> str:
    return value if isinstance(value, _Markdown) else _inline(str(value))


_EXPORTED = """
    with

    exported as (
        select records.*
        from (select distinct unnest(record_ids) as record_id from read_parquet(?)) as members
        inner join records using (record_id)
    ),

    sources as (select distinct archive from exported)
"""
_QUESTIONS = {
    "archives": """
        select
            archive, count(*) as n_records, count(distinct provider) as n_providers,
            cast(min(harvested_at) as date) as first, cast(max(harvested_at) as date) as last
        from exported group by archive order by archive
    """,
    "searches": """
        select archive, query, count(*) as n
        from (select archive, unnest(queries) as query from exported)
        group by archive, query order by archive, n desc, query
    """,
    "licences": """
        select rights_uri, count(*) as n from exported group by rights_uri order by n desc, rights_uri
    """,
    "label_sources": """
        select source, count(*) as n, avg(confidence) as confidence
        from record_labels semi join exported using (record_id) group by source order by n desc, source
    """,
    "unfinished": """
        select archive, query, slice, status, announced, received
        from harvests semi join sources using (archive)
        where status <> 'complete' order by archive, query, slice
    """,
    "rejected": """
        select archive, rule, count(*) as n
        from rejections semi join sources using (archive) group by all order by archive, n desc, rule
    """,
    "not_fetched": """
        select records.archive, images.status, count(distinct images.image_url) as n
        from records semi join sources using (archive) inner join images using (image_url)
        where images.status <> 'ok' group by all order by archive, n desc, status
    """,
}
