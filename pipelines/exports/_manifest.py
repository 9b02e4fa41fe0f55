"""What an export holds and what it was made from, with a checksum of every file."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

from lake.catalog import Connection, ask
from lake.checksums import sha256_of
from lake.errors import ExportError
from pipelines.exports._draft import Draft, HashedFile
from pipelines.exports._picture import Picture, one_line, plain_json
from pipelines.exports._selection import ExportOptions

_LIBRARIES = ("matplotlib", "pillow", "pyarrow")    # whose versions the bytes depend on
_COUNTED = ("splits", "labels", "rights", "archives")


class Tally:
    """Watches the pictures go by: counts them, fingerprints their rows, writes their attribution lines."""

    def __init__(self, format: str, options: ExportOptions, attribution: HashedFile) -> None:
        self.format = format
        self.options = options
        self.n_samples = 0
        self.counts: dict[str, Counter[str]] = {noun: Counter() for noun in _COUNTED}
        self._attribution = attribution
        self._hash = _hash_of(format, options)

    def watch(self, pictures: Iterable[Picture]) -> Iterator[Picture]:
        """The same pictures, each noted before it is handed on."""
        for picture in pictures:
            self._count(picture.sample)
            self._hash.update(_row_bytes(picture))
            self._attribution.write(attribution_line(picture).encode())
            yield picture

    @property
    def made_from(self) -> str:
        """The fingerprint of format, options and rows seen so far."""
        return self._hash.hexdigest()

    def _count(self, sample: dict[str, Any]) -> None:
        self.n_samples += 1
        self.counts["splits"][sample["split"]] += 1
        self.counts["rights"][sample["rights_class"]] += 1
        self.counts["labels"].update(sample["labels"] or [])
        self.counts["archives"].update(sample["archives"] or [])


def fingerprint(format: str, options: ExportOptions, pictures: Iterable[Picture]) -> str:
    """What `Tally.made_from` is after these pictures: two exports with the same one are the same data set."""
    sum_ = _hash_of(format, options)
    for picture in pictures:
        sum_.update(_row_bytes(picture))
    return sum_.hexdigest()


def attribution_line(picture: Picture) -> str:
    """Sample, whom to name, rights class and statements, pages at the archives: one line, tab-separated."""
    sample, records = picture.sample, picture.records
    providers = sorted({record["provider"] for record in records if record["provider"]})
    whom = sample["attribution"] or "; ".join(providers) or "holder not named by the archive"
    statements = sorted({record["rights_uri"] for record in records if record["rights_uri"]})
    pages = sorted({record["landing_url"] for record in records if record["landing_url"]})
    fields = [picture.sample_id, whom, " ".join([sample["rights_class"], *statements]), " ".join(pages)]
    return "\t".join(map(one_line, fields)) + "\n"


def content_version(format: str, options: ExportOptions, draft: Draft) -> str:
    """The version of what is in the draft: from format, options and files, not from the rest of the lake."""
    content = {"format": format, "options": options.as_dict(), "files": draft.files}
    return hashlib.sha256(plain_json(content).encode()).hexdigest()[:16]


def manifest_text(con: Connection, tally: Tally, draft: Draft, notes: tuple[str, ...], version: str) -> str:
    """The manifest as JSON."""
    counts = {name: dict(sorted(counter.items())) for name, counter in tally.counts.items()}
    manifest = {
        "format": tally.format,
        "options": tally.options.as_dict(),
        "files": draft.files,
        "version": version,
        "made_from": tally.made_from,
        "counts": {"samples": tally.n_samples, **counts},
        "shards": draft.shards,
        "notes": notes,
        "lake": _lake_state(con),
        "made_with": {name: library_version(name) for name in _LIBRARIES},
    }
    return json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a frozen data set; raises ExportError where the folder is none."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise ExportError(f"{folder} is no export: no readable manifest.json; take another name") from e
    if not isinstance(manifest, dict):
        raise ExportError(f"{folder} is no export: its manifest.json holds no object; take another name")
    return manifest


def verify_export(folder: Path) -> list[str]:
    """Each difference between a frozen data set and its manifest, in one sentence; none when it is whole."""
    listed: dict[str, str] = read_manifest(folder).get("files", {})
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    missing = [f"{path} is missing" for path in sorted(listed.keys() - there)]
    added = [f"{path} is not in the manifest" for path in sorted(there - listed.keys() - {"manifest.json"})]
    common = sorted(listed.keys() & there)
    changed = [f"{path} was changed" for path in common if sha256_of(folder / path) != listed[path]]
    return missing + added + changed


def _hash_of(format: str, options: ExportOptions) -> "hashlib._Hash":
    return hashlib.sha256(plain_json([format, options.as_dict()]).encode())


def _row_bytes(picture: Picture) -> bytes:
    # asking an archive again changes when its records were harvested, and nothing that an export holds
    records = [record | {"harvested_at": None} for record in picture.records]
    extra = "" if picture.extra is None else f",{plain_json(picture.extra)}"
    return f"\n[{picture.sample_json},{plain_json(records)}{extra}]".encode()


def _lake_state(con: Connection) -> dict[str, object]:
    state: dict[str, object] = ask(con, """
        select
            (select count(distinct hit_id) from raw_hits) as n_hits,
            (select count(*) from records) as n_records,
            (select count(*) from images) as n_images,
            (select count(*) from samples) as n_samples,
            (select strftime(max(fetched_at), '%Y-%m-%dT%H:%M:%SZ') from raw_hits) as newest_hit_at
    """).to_pylist()[0]
    return state
