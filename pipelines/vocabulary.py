"""The one door to rdflib: vocabularies of others become rows of the raw table `vocabulary`, and paths again.

Two kinds of file are read: SKOS (RDF/XML, Turtle, N-Triples) and CSVs with the columns of EUFCC-340K, whose
cells hold label paths (`$` between labels, `|` between levels). A vocabulary is one Parquet file named after
it; importing it again replaces the file. What labels mean is decided in SQL, when the lake is normalised.
"""

import csv
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lake import Lake, catalog
from lake.drafts import whole_file
from lake.errors import BadVocabulary, EmptyLake
from lake.tables import FACETS, RAW_VOCABULARY
from pipelines.load import stage_lock

log = logging.getLogger(__name__)

Row = dict[str, Any]
Paths = dict[str, set[tuple[str, ...]]]
"""Label paths by facet."""

FACET_OF_COLUMN = {
    "objectTypes.hierarchy": "object_type", "subjects.hierarchy": "subject",
    "materials.hierarchy": "material", "classifications.hierarchy": "discipline",
}
_COLUMN_OF_FACET = {
    **{facet: column for column, facet in FACET_OF_COLUMN.items()}, "topic": "subjects.hierarchy",
}
_RDF_FORMATS = {".rdf": "xml", ".xml": "xml", ".owl": "xml", ".ttl": "turtle", ".nt": "nt"}


@dataclass(frozen=True)
class ImportOptions:
    """How a file is read: the facet of a SKOS file's concepts, and another name than the file's own."""

    facet: str = "subject"
    name: str | None = None


def import_vocabulary(lake: Lake, path: Path, options: ImportOptions | None = None) -> dict[str, int]:
    """Read one file into the lake; how many rows there are of each facet.

    Raises BadVocabulary for a file that is neither SKOS nor label paths, or that holds no label.
    """
    options = options or ImportOptions()
    name = _slug(options.name or path.stem)
    found = _label_paths(path) if path.suffix.lower() == ".csv" else _concepts(path, options.facet)
    rows = sorted(found, key=lambda row: (row["facet"], row["concept_uri"] or "", row["path"] or []))
    if not rows:
        raise BadVocabulary(f"{path} holds no label; a SKOS concept has a skos:prefLabel")
    _write(lake, name, rows)
    counts = {facet: sum(row["facet"] == facet for row in rows) for facet in FACETS}
    log.info("imported vocabulary=%s labels=%d", name, len(rows))
    return {facet: n for facet, n in counts.items() if n}


def imported_paths(lake: Lake) -> Paths:
    """Every label path of the imported vocabularies; a concept under several parents has several.

    Raises EmptyLake where none was imported.
    """
    if not catalog.has_rows(lake, RAW_VOCABULARY):
        raise EmptyLake(f"no vocabulary was imported into {lake.root}; see `glamlake vocabulary --help`")
    with catalog.connect(lake) as con:
        rows = catalog.ask(con, "select * from raw_vocabulary").to_pylist()
    concepts = {row["concept_uri"]: row for row in rows if row["concept_uri"]}
    paths: Paths = {}
    for row in rows:
        ways = [row["path"]] if row["path"] else _ways(concepts, row["concept_uri"], ())
        paths.setdefault(row["facet"], set()).update(tuple(way) for way in ways)
    return paths


def write_paths(paths: Paths, file: Any) -> None:
    """Write label paths as a CSV that `import_vocabulary` reads: one path a row, in its facet's column."""
    writer = csv.DictWriter(file, list(FACET_OF_COLUMN), lineterminator="\n")
    writer.writeheader()
    for facet in FACETS:
        for path in sorted(paths.get(facet, ())):
            writer.writerow({_COLUMN_OF_FACET[facet]: " | ".join(path)})


def _label_paths(path: Path) -> Iterator[Row]:
    """Each path once; a path's own ancestors are no rows of their own unless the file names them."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = [name for name in reader.fieldnames or () if name in FACET_OF_COLUMN]
            given = {(FACET_OF_COLUMN[c], p) for row in reader for c in columns for p in _split(row[c] or "")}
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise BadVocabulary(f"cannot read {path} as UTF-8 CSV: {e}") from e
    if not columns:
        raise BadVocabulary(f"{path} has none of the columns {', '.join(FACET_OF_COLUMN)}")
    for facet, labels in sorted(given):
        yield _row(facet, labels[-1], [labels[-1]], path=list(labels))


def _split(cell: str) -> Iterator[tuple[str, ...]]:
    for text in cell.split("$"):
        labels = tuple(label for part in text.split("|") if (label := " ".join(part.split())))
        if labels:
            yield labels


def _concepts(path: Path, facet: str) -> Iterator[Row]:
    """Every concept of a SKOS file that has a name."""
    from rdflib import Graph, URIRef
    from rdflib.namespace import SKOS

    graph = _parsed(Graph(), path)
    broader: dict[str, set[str]] = {}
    for above, below in (*_pairs(graph, SKOS.narrower), *((o, s) for s, o in _pairs(graph, SKOS.broader))):
        broader.setdefault(below, set()).add(above)
    for concept in sorted(set(graph.subjects(SKOS.prefLabel))):
        names = list(graph.objects(concept, SKOS.prefLabel))
        terms = {str(name) for name in (*names, *graph.objects(concept, SKOS.altLabel))}
        if isinstance(concept, URIRef):
            parents = sorted(broader.get(str(concept), ()))
            yield _row(facet, _shown(names), terms, concept_uri=str(concept), broader_uris=parents)


def _parsed(graph: Any, path: Path) -> Any:
    from xml.sax import SAXException

    from rdflib.exceptions import ParserError
    from rdflib.plugins.parsers.notation3 import BadSyntax

    if path.suffix.lower() not in _RDF_FORMATS:
        raise BadVocabulary(f"{path} is none of {', '.join(_RDF_FORMATS)} (SKOS) or .csv (label paths)")
    try:
        return graph.parse(path.as_posix(), format=_RDF_FORMATS[path.suffix.lower()])
    except (OSError, ParserError, BadSyntax, SAXException, ValueError) as e:
        raise BadVocabulary(f"cannot read {path}: {' '.join(str(e).split())[:200]}") from e


def _pairs(graph: Any, predicate: Any) -> list[tuple[str, str]]:
    return [(str(s), str(o)) for s, o in graph.subject_objects(predicate)]


def _shown(names: Iterable[Any]) -> str:
    """The English name where there is one (plain before regional), else the first by language and name."""
    def rank(name: Any) -> tuple[int, str, str]:
        language = name.language or ""
        return (0 if language == "en" else 1 if language.startswith("en") else 2, language, str(name))

    return " ".join(str(min(names, key=rank)).split())


def _row(facet: str, label: str, terms: Iterable[str], **more: Any) -> Row:
    plain: Row = {"concept_uri": None, "broader_uris": None, "path": None}
    return plain | {"facet": facet, "label": label, "terms": sorted({*terms, label})} | more


def _write(lake: Lake, name: str, rows: list[Row]) -> None:
    path = lake.open().raw / RAW_VOCABULARY.name / f"{name}.parquet"
    said = {"vocabulary": name, "imported_at": datetime.now(UTC)}
    with stage_lock(lake, "vocabulary"), whole_file(path) as draft:
        table = pa.Table.from_pylist([said | row for row in rows], schema=RAW_VOCABULARY.schema)
        pq.write_table(table, draft, compression="zstd")
    catalog.refresh_catalog(lake)


def _ways(concepts: Mapping[str, Row], uri: str, below: tuple[str, ...]) -> Iterator[list[str]]:
    """Every way from the top down to a concept; one that stands above itself is not climbed twice."""
    above = [parent for parent in concepts[uri]["broader_uris"] or () if parent in concepts]
    above = [parent for parent in above if parent not in (*below, uri)]
    if not above:
        yield [concepts[uri]["label"]]
    for parent in above:
        for way in _ways(concepts, parent, (*below, uri)):
            yield [*way, concepts[uri]["label"]]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "vocabulary"
