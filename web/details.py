"""All that is known of one picture, in the words of its page and as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from web.card import Row, safe_link
from web.collection import Whole

_SOURCE_WORDS = {
    "query": "found by the search", "subject": "the catalogue's subject", "concept": "the concept",
    "catalogue": "the catalogue", "model": "a model",
}


@dataclass(frozen=True)
class Fact:
    """A term and its values; an address among them is a link."""

    term: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class LabelSaid:
    """A label, where it came from and how sure that is."""

    label: str
    path: tuple[str, ...]
    sources: tuple[str, ...]
    is_kept: bool


@dataclass(frozen=True)
class Said:
    """What a picture's page shows below it."""

    about: tuple[Fact, ...]
    labels: tuple[LabelSaid, ...]
    records: tuple[tuple[str, str | None, tuple[Fact, ...]], ...]
    file: tuple[Fact, ...]


def said_of(whole: Whole) -> Said:
    """Everything in words; what is not known is left out."""
    return Said(_about(whole), _labels(whole), tuple(map(_record, whole.records)), _file(whole))


def whole_as_json(whole: Whole) -> dict[str, Any]:
    """Everything as data."""
    return whole.card.as_json() | {
        "sample": _plain(whole.sample), "records": _plain(whole.records),
        "record_labels": _plain(whole.labels), "image": _plain(whole.image),
        "duplicates": _plain(whole.duplicates),
        "manifest_url": f"../iiif/samples/{whole.card.sample_id}/manifest.json",
    }


def _about(whole: Whole) -> tuple[Fact, ...]:
    sample = whole.sample
    return _facts(
        ("Description", [sample["description"]]), ("Date", [whole.card.date, _interval(sample)]),
        ("Made by", sample.get("creators")), ("Holder", whole.card.providers),
        ("Country", sample.get("countries")), ("Subjects", sample.get("subjects")),
        ("Concepts", sample.get("concept_uris")), ("Language", [sample.get("language")]),
    )


def _labels(whole: Whole) -> tuple[LabelSaid, ...]:
    kept = set(whole.card.labels)
    by_label: dict[str, list[Row]] = {}
    for row in whole.labels:
        by_label.setdefault(row["label"], []).append(row)
    return tuple(
        LabelSaid(label, tuple(rows[0]["path"] or ()), tuple(dict.fromkeys(map(_source, rows))),
                  label in kept)
        for label, rows in sorted(by_label.items(), key=lambda pair: (pair[0] not in kept, pair[0]))
    )


def _source(row: Row) -> str:
    by = _SOURCE_WORDS.get(row["source"], row["source"])
    value = f" “{row['source_value']}”" if row["source_value"] else ""
    sure = "" if row["confidence"] is None else f", confidence {row['confidence']:.2f}"
    return f"{by}{value}{sure}"


def _record(row: Row) -> tuple[str, str | None, tuple[Fact, ...]]:
    facts = _facts(
        ("Title", row.get("titles") or [row["title"]]), ("Held by", [row["provider"]]),
        ("Archive's number", [row["native_id"]]), ("Date as written", [row["date_raw"]]),
        ("Rights as stated", [row.get("rights_raw") or row["rights_uri"]]),
        ("Found by the searches", row["queries"]), ("Collections", row.get("collections")),
        ("Picture's address", [row["image_url"]]), ("Harvested", [_instant(row["harvested_at"])]),
    )
    return row["record_id"], safe_link(row["landing_url"]), facts


def _file(whole: Whole) -> tuple[Fact, ...]:
    image, card = whole.image or {}, whole.card
    size = f"{image['width']} × {image['height']} pixels" if image.get("width") else None
    copies = [f"{row['relation'].replace('_', ' ')}: {row['sha256'][:16]}…" for row in whole.duplicates
              if row["sha256"] != card.sha256]
    return _facts(
        ("Picture", [size, image.get("format"), image.get("mode")]),
        ("Size", [f"{image['bytes']:,} bytes" if image.get("bytes") else None]),
        ("Fetched", [_instant(image.get("fetched_at"))]), ("From", [image.get("image_url")]),
        ("SHA-256", [card.sha256]), ("Perceptual hash", [image.get("phash")]),
        ("Copies of it", copies), ("Side of the split", [card.split]), ("Sample", [card.sample_id]),
    )


def _facts(*pairs: tuple[str, Sequence[str | None] | None]) -> tuple[Fact, ...]:
    facts = (Fact(term, tuple(dict.fromkeys(str(v) for v in values or () if v))) for term, values in pairs)
    return tuple(fact for fact in facts if fact.values)


def _interval(sample: Row) -> str | None:
    start, end = sample.get("date_start"), sample.get("date_end")
    if start is None and end is None:
        return None
    return f"{start or 'any day'} to {end or 'any day'}" if start != end else str(start)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%d %H:%M UTC")


def _plain(value: Any) -> Any:
    """The value as JSON knows it: instants and days as text."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, (date, datetime)) else value
