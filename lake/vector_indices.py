"""Which indices a table of vectors carries: scalar ones for filters, text ones per language.

The one for vectors lies beside the table (lake/near_index.py). It is made where comparing every vector takes
longer than a page should; below that an exact search is as quick and finds everything.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

log = logging.getLogger(__name__)

# Without an index LanceDB took 2 to 3 ms per 1,000 vectors of 512 numbers (two cores): from here on a search
# without would take 50 ms and more. Building takes 6 s of a processor per 100,000.
VECTOR_INDEX_FROM = 20_000
SCALAR_INDEX_FROM = 5_000   # rows; fewer are looked through in 2 ms
# Rows written after an index was built are looked through one by one; more than these are brought into it.
MOST_BEHIND = 2_000
# Batches and copied facts leave small files. Among 120,000 rows in 12 of them finding the nearest took
# 37 ms, in one 12 ms. More than these are merged.
MOST_SMALL_FILES = 6
SORTED = ("sample_id", "cluster_id", "year")
FEW_VALUES = ("rights_class", "split", "language", "label")
LISTS = ("labels", "archives", "providers", "countries")

# Languages whose words can be brought to their stems, by ISO 639-1 code, as LanceDB names them.
STEMMED = {
    "ar": "Arabic", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fi": "Finnish", "fr": "French", "hu": "Hungarian", "it": "Italian", "nl": "Dutch", "no": "Norwegian",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "ta": "Tamil", "tr": "Turkish",
}
OTHER = "other"                       # any other language: words as they are, Chinese and Japanese cut by ICU
TEXT_KINDS = ("title", "text")        # columns `title_fi`, `text_fi`: of one language each


@dataclass(frozen=True)
class Kept:
    """How many indices were built and how many rows were brought into those there are."""

    built: int
    folded_in: int


def text_column(kind: str, language: str | None) -> str:
    """The column for a text of that language: 'title_fi', 'text_other'."""
    return f"{kind}_{language if language in STEMMED else OTHER}"


def text_columns(names: list[str], kind: str) -> list[str]:
    """Those of a table's columns that hold texts of that kind."""
    return [name for name in names if name in {text_column(kind, language) for language in (*STEMMED, OTHER)}]


def is_text_column(name: str) -> bool:
    """Whether texts of one language stand there, to be searched for words."""
    return any(text_columns([name], kind) for kind in TEXT_KINDS)


def keep_indices(table: Any, keep_old: timedelta) -> Kept:
    """Build the indices a table wants and lacks, bring new rows into the others, merge small files, drop old
    versions."""
    n_rows = table.count_rows()
    have = {config.columns[0]: config.name for config in table.list_indices()}
    if earlier := have.pop("vector", None):    # LanceDB's own, ten times slower than what lies beside it now
        table.drop_index(earlier)
    lacking = [name for name in _wanted(table.schema.names, n_rows) if name not in have]
    behind = max((table.index_stats(name).num_unindexed_rows for name in have.values()), default=0)
    if behind > MOST_BEHIND or _n_small_files(table) > MOST_SMALL_FILES:
        table.optimize(cleanup_older_than=keep_old)
    for column in lacking:
        table.create_index(column, config=_config(column))
    kept = Kept(len(lacking), behind if behind > MOST_BEHIND else 0)
    if kept != Kept(0, 0):
        log.info("indexed rows=%d built=%d folded_in=%d", n_rows, kept.built, kept.folded_in)
    return kept


def _n_small_files(table: Any) -> int:
    return int(table.stats()["fragment_stats"]["num_small_fragments"])


def _wanted(columns: list[str], n_rows: int) -> list[str]:
    texts = [name for kind in TEXT_KINDS for name in text_columns(columns, kind)] if n_rows else []
    scalars = (*SORTED, *FEW_VALUES, *LISTS) if n_rows >= SCALAR_INDEX_FROM else ()
    return [*texts, *(name for name in scalars if name in columns)]


def _config(column: str) -> Any:
    from lancedb.index import FTS, Bitmap, BTree, LabelList

    if column in SORTED:
        return BTree()
    if column in FEW_VALUES:
        return Bitmap()
    if column in LISTS:
        return LabelList()
    language = column.rsplit("_", 1)[1]
    if language == OTHER:
        return FTS(base_tokenizer="icu", stem=False, remove_stop_words=False)
    return FTS(language=STEMMED[language])
