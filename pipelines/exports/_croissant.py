"""Croissant 1.0: what an export holds, as JSON-LD that data set search engines and loaders read.

The format's rules: https://docs.mlcommons.org/croissant/docs/croissant-spec.html (read 2026-01)
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pipelines.exports._draft import Draft
from pipelines.exports._samples import SAMPLES_FILE, samples_schema

Node = dict[str, Any]

_TERMS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet",
    "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
    "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
    "transform",
)
_CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"}, "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, **{term: f"cr:{term}" for term in _TERMS},
}
_MEDIA_TYPES = {
    "parquet": "application/x-parquet", "tar": "application/x-tar", "csv": "text/csv",
    "json": "application/json", "npy": "application/octet-stream",
}


@dataclass(frozen=True)
class Description:
    """What a format adds to the description of an export: files, record sets, and its own part of the card.

    `files` are the paths that get an entry of their own; `configs` is what `datasets` loads, if it can.
    """

    files: tuple[str, ...] = ()
    file_sets: tuple[Node, ...] = ()
    record_sets: tuple[Node, ...] = ()
    configs: Sequence[Mapping[str, object]] = field(default=())


def croissant_text(draft: Draft, facts: Mapping[str, object], described: Description) -> str:
    """The JSON-LD of an export; `facts` are name, version, licence and the like, in schema.org's words."""
    samples = record_set("samples", "One row per sample.", [
        column_field("samples", {"fileObject": {"@id": SAMPLES_FILE}}, column.name, column.type)
        for column in samples_schema(draft) if data_type(column.type)
    ])
    document = {
        "@context": dict(sorted(_CONTEXT.items())),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        **facts,
        "distribution": [
            *(file_object(path, draft.files[path]) for path in (SAMPLES_FILE, *described.files)),
            *described.file_sets,
        ],
        "recordSet": [samples, *described.record_sets],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def file_object(path: str, sha256: str) -> Node:
    """One file of the export, named by its path."""
    media_type = _MEDIA_TYPES.get(path.rsplit(".", 1)[-1], "text/plain")
    return {
        "@type": "cr:FileObject", "@id": path, "name": path, "contentUrl": path, "sha256": sha256,
        "encodingFormat": media_type,
    }


def file_set(name: str, includes: str, media_type: str, inside: Sequence[str] = ()) -> Node:
    """Files by a pattern, in the export's folder or inside archives of it."""
    within = {"containedIn": [{"@id": path} for path in inside]} if inside else {}
    return {
        "@type": "cr:FileSet", "@id": name, "name": name, "encodingFormat": media_type, "includes": includes,
        **within,
    }


def record_set(name: str, description: str, fields: list[Node]) -> Node:
    """Rows of one kind."""
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "description": description, "field": fields}


def column_field(record_set: str, source: Node, column: str, kind: pa.DataType) -> Node:
    """A field that is a column of a table."""
    is_list = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)
    return _field(record_set, column, data_type(kind), {**source, "extract": {"column": column}}) | (
        {"repeated": True} if is_list else {}
    )


def picture_fields(record_set: str, file_set: str) -> list[Node]:
    """Id and pixels of pictures that are files named by their sample."""
    source = {"fileSet": {"@id": file_set}}
    id_source = {
        **source, "extract": {"fileProperty": "filename"}, "transform": {"regex": r"^([^.]+)"},
    }
    of_sample = {"references": {"field": {"@id": "samples/sample_id"}}}
    pixels = {**source, "extract": {"fileProperty": "content"}}
    return [
        _field(record_set, "sample_id", "sc:Text", id_source) | of_sample,
        _field(record_set, "image", "sc:ImageObject", pixels),
    ]


def picture_media_type(extension: str) -> str:
    """The media type of the lake's picture files; readers of Croissant know `image/jpeg` and `image/png`."""
    return f"image/{ {'jpg': 'jpeg', 'tif': 'tiff', 'jp2': 'jp2'}.get(extension, extension) }"


def image_column(record_set: str, file_set: str, column: str) -> Node:
    """Pixels that lie in a table, as a struct with the encoded bytes."""
    source = {"fileSet": {"@id": file_set}, "extract": {"column": column}, "transform": {"jsonPath": "bytes"}}
    return _field(record_set, column, "sc:ImageObject", source)


def data_type(kind: pa.DataType) -> str:
    """The schema.org type of a column's values; empty for what has none."""
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return data_type(kind.value_type)
    tests = {
        "sc:Text": pa.types.is_string, "sc:Boolean": pa.types.is_boolean, "sc:Integer": pa.types.is_integer,
        "sc:Float": pa.types.is_floating, "sc:Date": pa.types.is_temporal,
    }
    return next((name for name, is_it in tests.items() if is_it(kind)), "")


def _field(record_set: str, name: str, data_type: str, source: Node) -> Node:
    return {
        "@type": "cr:Field", "@id": f"{record_set}/{name}", "name": name, "dataType": data_type,
        "source": source,
    }
