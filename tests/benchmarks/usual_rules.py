"""The rules of the usual pandas job: our own seeds as lists and dictionaries, and functions of one text."""

import csv
import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import ftfy

from pipelines.languages import detector

SEEDS = Path(__file__).parents[2] / "sql" / "seeds"
_MARKUP = re.compile(r"<[^<>]+>")
_SPACE = re.compile(r"\s+")
_SIGNS = re.compile(r"[^\w]+|_")
_SENTENCE_END = re.compile(r"(?<=[.;|!?]) +(?=[A-Z0-9\[(©])")
_CC = re.compile(r"creativecommons\.org/(licenses/[a-z-]+|publicdomain/[a-z]+)(?:/(\d\.\d))?", re.IGNORECASE)
_CC_LABEL = re.compile(r"\bCC[ -]?(BY(?:-(?:NC|ND|SA))*|0)(?: (\d\.\d))?", re.IGNORECASE)
_RS = re.compile(r"rightsstatements\.org/(?:vocab|page)/([A-Za-z-]+)")


def _rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def clean(value: Any) -> str:
    """One text without entities, markup, wrong encodings and odd spaces."""
    text = html.unescape(html.unescape(str(value)))
    text = _MARKUP.sub(" ", text) if "<" in text else text
    return _SPACE.sub(" ", unicodedata.normalize("NFC", ftfy.fix_text(text))).strip()


def folded(text: str) -> str:
    """Lower case without accents and signs, for comparing."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return _SIGNS.sub(" ", "".join(c for c in plain if not unicodedata.combining(c))).strip()


def heard(text: str) -> tuple[str, float]:
    """The language a text sounds like, and how sure that is; '' where nobody can tell (by our detector)."""
    if len(text) < 12:
        return "", 0.0
    best = detector().compute_language_confidence_values(text[:200])[0]
    return best.language.iso_code_639_1.name.lower(), best.value


_BOILERPLATE = [
    re.compile(row["pattern"], re.IGNORECASE) for row in _rows("boilerplate") if row["place"] == "sentence"
]


def without_boilerplate(text: str) -> str:
    """The sentences that say something of the picture."""
    sentences = _SENTENCE_END.split(text)
    return " ".join(
        text for text in sentences if not any(rule.fullmatch(text.rstrip(" .")) for rule in _BOILERPLATE)
    )


LABELS = {folded(row["query"]): row["label"] for row in _rows("vocabulary")}
TERMS: dict[str, list[re.Pattern[str]]] = defaultdict(list)
for _term, _label in LABELS.items():
    TERMS[_label].append(re.compile(rf"\b{re.escape(_term)}" + (r"\b" if len(_term) < 5 else "")))
CONCEPTS = {row["uri"]: row["label"] for row in _rows("concept_labels")}
_PARENTS: dict[str, list[str]] = defaultdict(list)
for _row in _rows("label_parents"):
    _PARENTS[_row["label"]].append(_row["parent"])


def ways_down(label: str) -> Iterator[list[str]]:
    """The ways from the top of the hierarchy to a label."""
    if not _PARENTS[label]:
        yield [label]
    for parent in _PARENTS[label]:
        for way in ways_down(parent):
            yield [*way, label]


_EXCLUSIONS = [
    (row["archive"], row["field"], re.compile(rf"\b{re.escape(folded(row['value']))}\b"), row["value"])
    for row in _rows("exclusions")
]


def excluded(archive: str, texts: dict[str, Iterable[str]]) -> str:
    """The first rule that keeps an object out, '' for none."""
    for of, field, pattern, value in _EXCLUSIONS:
        if of in ("*", archive) and any(pattern.search(folded(text)) for text in texts.get(field, ())):
            return f"excluded_{field}: {value}"
    return ""


_STATEMENTS = {row["code"].lower(): row for row in _rows("rights_statements")}
_PHRASES = [(row["match"], row["phrase"], row["code"].lower()) for row in _rows("rights_phrases")]
_STRICTEST = ("open", "noncommercial", "unknown", "restricted")


def rights_of(texts: Iterable[str]) -> tuple[str, str]:
    """URI and class of the strictest of the statements that are known."""
    found = [statement for statement in map(_statement, texts) if statement[0]]
    return max(found, key=lambda statement: _STRICTEST.index(statement[1]), default=("", "unknown"))


def _statement(text: str) -> tuple[str, str]:
    if match := _CC.search(text) or _CC_LABEL.search(text):
        code, version = match[1].lower(), match[2]
        code = code if "/" in code else "publicdomain/zero" if code == "0" else f"licenses/{code}"
    elif match := _RS.search(text):
        code, version = match[1].lower(), ""
    else:
        code, version = _phrase(f" {folded(text)} "), ""
    row = _STATEMENTS.get(code)
    if row is None:
        return "", "unknown"
    is_versioned = row["is_versioned"] == "true" and version
    return row["uri_prefix"] + (f"{version}/" if is_versioned else ""), row["rights_class"]


def _phrase(text: str) -> str:
    for match, phrase, code in _PHRASES:
        words = f" {phrase} "
        is_whole, is_start = match == "whole", match == "start"
        if text == words if is_whole else text.startswith(words) if is_start else words in text:
            return code
    return ""


_MONTHS = {
    row["word"]: int(row["replacement"][1:]) for row in _rows("date_words")
    if re.fullmatch(r"m\d\d", row["replacement"])
}
_DAYS = [
    re.compile(r"(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)(?:[T ].*)?"),
    re.compile(r"(?P<d>\d\d?)\. ?(?P<m>\d\d?)\. ?(?P<y>\d{4})"),
    re.compile(r"(?P<d>\d\d?)/(?P<m>\d\d?)/(?P<y>\d{4})"),
    re.compile(r"(?P<y>\d{4})[/:](?P<m>\d\d?)[/:](?P<d>\d\d?)(?: .*)?"),
    re.compile(r"(?P<y>1\d{3}|20\d\d)(?P<m>\d\d)(?P<d>\d\d)"),
    re.compile(r"(?P<d>\d\d?)\.? (?P<w>[^\W\d]+)\.? (?P<y>\d{4})"),
    re.compile(r"(?P<w>[^\W\d]+)\.? (?P<d>\d\d?),? (?P<y>\d{4})"),
    re.compile(r"(?P<w>[^\W\d]+)\.? (?P<y>\d{4})"),
    re.compile(r"(?P<m>\d\d?)[./](?P<y>\d{4})"),
    re.compile(r"(?P<y>\d{4})-(?P<m>\d\d)"),
]
_YEARS = [
    (re.compile(r"(\d{4}) ?(?:-|–|/|to|and|bis|et) ?(\d{4})"), 0),
    (re.compile(r"(?:between|zwischen|entre|mellan) (\d{4}) (?:and|und|et|y|och) (\d{4})"), 0),
    (re.compile(r"(\d{3})0(?:s|'s|-luku|-luvulla|-talet|er)?"), 9),
    (re.compile(r"(\d{3})[-xu?]"), 9),
    (re.compile(r"(\d\d)(?:--|xx|00s)"), 99),
]
_DOUBT = re.compile(r"[\[\]()?~]|\bca?\.|\bcirca\b|\babout\b|\bnoin\b|\bum\b|^[a-zäö]+: ")
_YEAR = re.compile(r"\b(1[0-9]{3}|20[0-2][0-9])\b")


def interval(text: str) -> tuple[date, date] | None:
    """First and last day of a date, by the first pattern that fits; the first year in it where none does."""
    text = _DOUBT.sub("", text.lower()).strip(" .,")
    if re.fullmatch(r"\d{4}", text):
        return _whole(int(text), int(text))
    for pattern in _DAYS:
        if (match := pattern.fullmatch(text)) and (found := _day(match.groupdict())):
            return found
    for years, more in _YEARS:
        if match := years.fullmatch(text):
            first = int(match[1].ljust(4, "0"))
            return _whole(first, first + more if more else int(match[2]))
    named: list[str] = _YEAR.findall(text)
    return _whole(int(named[0]), int(named[-1])) if named else None


def _whole(first: int, last: int) -> tuple[date, date] | None:
    return (date(first, 1, 1), date(last, 12, 31)) if 1 <= first <= last <= 2100 else None


def _day(parts: dict[str, str | None]) -> tuple[date, date] | None:
    word = unicodedata.normalize("NFKD", parts.get("w") or "").encode("ascii", "ignore").decode()
    month = _MONTHS.get(word) if parts.get("w") else int(parts.get("m") or 0)
    try:
        first = date(int(parts["y"] or 0), month or 0, int(parts.get("d") or 1))
    except ValueError:
        return None
    return first, first if parts.get("d") else date(first.year + first.month // 12, first.month % 12 + 1, 1)
