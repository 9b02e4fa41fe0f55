"""Hits to CSV files in pandas, row by row, as data sets of this kind are usually prepared.

The same job as `normalise`: texts cleaned, English chosen by its tag or by detection, captions without
boilerplate, dates as intervals, rights, labels with where they came from and whether the text speaks of them,
exclusions, the newest answer per object, and what was rejected and why. The rules are those of our seeds.
"""

import json
from typing import Any

import pandas as pd

from lake import Lake
from tests.benchmarks import usual_rules as rules

_PREFERRED = ("en", "de", "fi", "def")


def records_by_pandas(lake: Lake) -> int:
    """Read all hits, write `records.csv`, `record_labels.csv` and `rejections.csv`; how many records."""
    hits = pd.concat(pd.read_parquet(path) for path in sorted(lake.raw.glob("hits/*/*.parquet")))
    hits["archive"] = hits["hit_id"].apply(lambda name: name.rsplit("-", 1)[0])
    hits["item"] = hits["payload"].apply(_parsed)
    hits = hits.sort_values("fetched_at", ascending=False)
    gathered: dict[str, Any] = {"item": "first", "query": lambda asked: sorted(set(asked)), "hit_id": list}
    records = hits.groupby(["archive", "native_id"]).agg(gathered).reset_index()
    records = records.join(records.apply(_fields, axis=1, result_type="expand"))
    records["caption"] = records.apply(_caption, axis=1)
    records = records.join(records["dates"].apply(_dated))
    records = records.join(records["rights"].apply(_licensed))
    records["rule"] = records.apply(_rule, axis=1)
    records["labels_found"] = records.apply(_labels, axis=1)
    records["labels"] = records["labels_found"].apply(lambda found: sorted({row["label"] for row in found}))
    records["attribution"] = records.apply(_attribution, axis=1)
    return _write(lake, records)


def _write(lake: Lake, records: pd.DataFrame) -> int:
    kept, rejected = records[records["rule"] == ""], records[records["rule"] != ""]
    labels = kept[["archive", "native_id", "labels_found"]].explode("labels_found").dropna()
    labels = pd.concat([labels, labels["labels_found"].apply(pd.Series)], axis=1)
    kept.drop(columns=["item", "labels_found"]).to_csv(lake.root / "records.csv", index=False)
    labels.drop(columns="labels_found").to_csv(lake.root / "record_labels.csv", index=False)
    rejected = rejected[["native_id", "hit_id", "rule"]].explode("hit_id")
    rejected.to_csv(lake.root / "rejections.csv", index=False)
    return len(kept)


def _parsed(payload: str) -> dict[str, Any]:
    try:
        item = json.loads(payload)
    except ValueError:
        return {}
    return item if isinstance(item, dict) else {}


def _flat(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for inner in value for text in _flat(inner)]
    return [str(value)] if value not in (None, "") else []


def _cleaned(value: Any) -> list[str]:
    return list(dict.fromkeys(text for text in map(rules.clean, _flat(value)) if text))


def _chosen(tagged: Any, plain: Any) -> tuple[list[str], str, float]:
    """Texts in English where there are any, their language, and how sure that is."""
    for code in _PREFERRED[:-1]:
        if isinstance(tagged, dict) and tagged.get(code):
            return _cleaned(tagged[code]), code, 1.0
    texts = _cleaned(tagged.get("def") if isinstance(tagged, dict) else plain)
    if len(texts) < 2:
        return texts, "", 0.0
    answers = [(text, *rules.heard(text)) for text in texts]
    english = [answer for answer in answers if answer[1] == "en" and answer[2] >= 0.5]
    text, language, sureness = (english or answers)[0]
    return [text], language, sureness


def _fields(row: Any) -> dict[str, Any]:
    return _europeana(row["item"]) if row["archive"] == "europeana" else _finna(row["item"])


def _europeana(item: dict[str, Any]) -> dict[str, Any]:
    titles, language, sureness = _chosen(item.get("dcTitleLangAware"), item.get("title"))
    texts, _, _ = _chosen(item.get("dcDescriptionLangAware"), item.get("dcDescription"))
    if titles and not language:
        language, sureness = rules.heard(". ".join([titles[0], *texts]))
    return {
        "title": titles[0] if titles else "", "description": " ".join(texts), "language": language,
        "language_confidence": sureness,
        "titles": _cleaned([item.get("title"), item.get("dcTitleLangAware")]),
        "descriptions": _cleaned([item.get("dcDescription"), item.get("dcDescriptionLangAware")]),
        "dates": _cleaned([item.get("edmTimespanLabel"), item.get("year")]),
        "country": " ".join(_cleaned(item.get("country"))[:1]),
        "provider": " ".join(_cleaned(item.get("dataProvider"))[:1]),
        "creators": _cleaned(item.get("dcCreator")), "subjects": _cleaned(item.get("dcSubject")),
        "concepts": _cleaned(item.get("edmConcept")), "rights": _cleaned(item.get("rights")),
        "image_url": "".join(_flat(item.get("edmIsShownBy"))[:1]),
        "landing_url": str(item.get("guid", "")).split("?")[0],
        "object_types": _cleaned([item.get("dcType"), item.get("type")]),
    }


def _finna(item: dict[str, Any]) -> dict[str, Any]:
    rights, subjects = item.get("imageRights") or {}, _cleaned(item.get("subjects"))
    dated = [text for text in subjects if text.startswith("valmistusaika")]
    titles, texts = _cleaned(item.get("title")), _cleaned(item.get("summary"))
    return {
        "title": titles[0] if titles else "", "description": " ".join(texts), "language": "fi",
        "language_confidence": 1.0, "titles": titles, "descriptions": texts,
        "dates": [text.split(": ")[-1] for text in dated] + _cleaned(item.get("year")),
        "country": "Finland",
        "provider": " ".join(building["translated"] for building in item.get("buildings", [])[:1]),
        "creators": _cleaned([author.get("name") for author in item.get("nonPresenterAuthors", [])]),
        "subjects": [text for text in subjects if text not in dated], "concepts": [],
        "rights": _cleaned([rights.get("link"), rights.get("copyright")]),
        "image_url": "".join(_flat(item.get("images"))[:1]),
        "landing_url": f"https://www.finna.fi/Record/{item.get('id', '')}",
        "object_types": _cleaned([form.get("translated") for form in item.get("formats", [])]),
    }


def _caption(row: Any) -> str:
    title, text = rules.without_boilerplate(row["title"]), rules.without_boilerplate(row["description"])
    if rules.folded(title) in rules.folded(text):
        return text
    return f"{title}. {text}".strip(" .")


def _dated(texts: list[str]) -> Any:
    found = [(last - first, first, last) for first, last in filter(None, map(rules.interval, texts))]
    _, first, last = min(found, default=(None, None, None))
    return pd.Series({"date_start": first, "date_end": last, "year": first.year if first else None})


def _licensed(texts: list[str]) -> Any:
    return pd.Series(rules.rights_of(texts), index=["rights_uri", "rights_class"])


def _rule(row: Any) -> str:
    if not row["item"]:
        return "malformed_json"
    if not row["image_url"]:
        return "no_image"
    return rules.excluded(row["archive"], {
        "title": [row["title"], *row["titles"]], "description": row["descriptions"],
        "subject": row["subjects"], "provider": [row["provider"]], "creator": row["creators"],
        "object_type": row["object_types"],
    })


def _labels(row: Any) -> list[dict[str, Any]]:
    words = [("subject", text) for text in row["subjects"]]
    words += [("catalogue", text) for text in row["object_types"]]
    named = [(source, text, rules.LABELS.get(rules.folded(text)), 1.0) for source, text in words]
    named += [("concept", uri, rules.CONCEPTS.get(uri), 1.0) for uri in row["concepts"]]
    stated = {label for _, _, label, _ in named}
    text = rules.folded(" ".join([*row["titles"], *row["descriptions"], *row["subjects"]]))
    for query in row["query"]:
        label = rules.LABELS.get(rules.folded(query), query.lower())
        is_shown = label in stated or any(term.search(text) for term in rules.TERMS.get(label, ()))
        named.append(("query", query, label, 0.9 if is_shown else 0.4))
    return [
        {"label": label, "source": source, "source_value": value, "path": way, "confidence": sureness}
        for source, value, label, sureness in named if label for way in rules.ways_down(label)
    ]


def _attribution(row: Any) -> str:
    parts = ["; ".join(row["creators"]), row["title"], row["provider"], row["rights_uri"]]
    return ". ".join(part.rstrip(".") for part in parts if part)
