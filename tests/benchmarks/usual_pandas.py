"""Hits to a CSV of records in pandas, row by row, as data sets of this kind are usually prepared."""

import html
import json
import re
import unicodedata
from typing import Any

import ftfy
import pandas as pd

from lake import Lake

_MARKUP = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")
_YEAR = re.compile(r"\b(1[0-9]{3}|20[0-2][0-9])\b")
_CC = re.compile(r"creativecommons\.org/(licenses/[a-z-]+|publicdomain/[a-z]+)/(\d\.\d)", re.IGNORECASE)
_RS = re.compile(r"rightsstatements\.org/(?:vocab|page)/([A-Za-z-]+)")
_DAY_FORMATS = ("%d.%m.%Y", "%Y-%m-%d", "%d/%m/%Y", "%Y")


def records_by_pandas(lake: Lake) -> int:
    """Read all hits, make one row per object and write `records.csv`; how many rows."""
    hits = pd.concat(pd.read_parquet(path) for path in sorted(lake.raw.glob("hits/*/*.parquet")))
    items = hits["payload"].apply(json.loads)
    hits["title"] = items.apply(lambda item: _clean(_first(item.get("title"))))
    hits["description"] = items.apply(
        lambda item: _clean(_joined(item.get("dcDescription") or item.get("summary")))
    )
    hits["subjects"] = items.apply(
        lambda item: [_clean(text) for text in _flat(item.get("dcSubject") or item.get("subjects"))]
    )
    hits["creator"] = items.apply(lambda item: _clean(_joined(item.get("dcCreator"))))
    hits["date"] = items.apply(_date)
    hits["rights"] = items.apply(_rights)
    hits["image_url"] = items.apply(lambda item: _first(item.get("edmIsShownBy") or item.get("images")))
    hits["caption"] = hits.apply(_caption, axis=1)
    columns = ["title", "description", "subjects", "creator", "date", "rights", "image_url", "caption"]
    kept = dict.fromkeys(columns, "first") | {"query": lambda queries: sorted(set(queries))}
    records = hits.sort_values("fetched_at", ascending=False).groupby("native_id").agg(kept).reset_index()
    records.to_csv(lake.root / "records.csv", index=False)
    return len(records)


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value or "")


def _joined(value: Any) -> str:
    return " ".join(_flat(value))


def _flat(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for inner in value for text in _flat(inner)]
    return [str(value)] if value else []


def _clean(text: str) -> str:
    text = _MARKUP.sub(" ", html.unescape(html.unescape(text)))
    return _SPACE.sub(" ", unicodedata.normalize("NFC", ftfy.fix_text(text))).strip()


def _date(item: dict[str, Any]) -> Any:
    stated = [str(label.get("def")) for label in item.get("edmTimespanLabel", [])] or _flat(item.get("year"))
    for text in stated:
        for form in _DAY_FORMATS:
            parsed = pd.to_datetime(text, format=form, errors="coerce")
            if not pd.isna(parsed):
                return parsed
    years = _YEAR.findall(" ".join(stated))
    return pd.Timestamp(int(years[0]), 1, 1) if years else pd.NaT


def _rights(item: dict[str, Any]) -> str:
    text = _joined(item.get("rights")) or _first((item.get("imageRights") or {}).get("link"))
    if found := _CC.search(text):
        return f"https://creativecommons.org/{found[1].lower()}/{found[2]}/"
    if found := _RS.search(text):
        return f"http://rightsstatements.org/vocab/{found[1]}/1.0/"
    return ""


def _caption(row: Any) -> str:
    if row["title"].lower() in row["description"].lower():
        return str(row["description"])
    return f"{row['title']}. {row['description']}"
