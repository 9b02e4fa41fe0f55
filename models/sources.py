"""Where examples come from: an export, or the lake itself, with or without one archive's pictures."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lake import Lake, catalog
from lake.errors import UsageError
from models.shards import Example, StoredPicture, read_manifest, read_split

ARCHIVE_SPLIT = "archive"


class Source(Protocol):
    """Examples by split, and what the data set is called."""

    def facts(self) -> dict[str, Any]:
        """`name`, `version` (equal versions mean equal data) and `counts`, for the model card."""

    def examples(self, split: str) -> Iterator[Example]:
        """The examples of one split in an order that is always the same; raises where there are none."""


@dataclass(frozen=True)
class ExportSource:
    """A webdataset export."""

    folder: Path

    def facts(self) -> dict[str, Any]:
        """As its manifest says."""
        manifest = read_manifest(self.folder)
        return {key: manifest.get(key) for key in ("name", "version", "counts")}

    def examples(self, split: str) -> Iterator[Example]:
        """As its shards hold them."""
        return read_split(self.folder, split)


@dataclass(frozen=True)
class LakeSource:
    """The lake's samples, pictures in their original size.

    `without` leaves out an archive: its pictures and whatever is nearly the same as one of them; the split
    ARCHIVE_SPLIT is then what that archive has in any split.
    """

    lake: Lake
    without: str | None = None

    def facts(self) -> dict[str, Any]:
        """Named after the lake's folder; the version is a hash of all rows that count."""
        found = self._rows(f"select split, sample_id, caption, labels from ({_CAPTIONED}) order by sample_id")
        digest = hashlib.sha256(json.dumps([self.without, found], ensure_ascii=False).encode())
        counts: dict[str, int] = {}
        for row in found:
            counts[str(row["split"])] = counts.get(str(row["split"]), 0) + 1
        version = digest.hexdigest()[:16]
        return {"name": self.lake.root.resolve().name, "version": version, "counts": {"splits": counts}}

    def examples(self, split: str) -> Iterator[Example]:
        """The samples of a split that have any text."""
        found = self._rows(f"select * from ({_CAPTIONED}) where split = ? order by sample_id", split)
        if not found:
            less = f" once {self.without} is left out" if self.without else ""
            lake = self.lake.root
            raise UsageError(f"no {split} samples with a text in {lake}{less}; see `glamlake curate`")
        for row in found:
            stored = StoredPicture(self.lake.root / str(row["path"]))
            yield Example(str(row["sample_id"]), stored, str(row["caption"]), tuple(row["labels"] or ()))

    def _rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        catalog.require_mart(self.lake, "samples", "curate")
        return catalog.rows(self.lake, sql, [self.without, *values])


# What a picture is trained with: its caption, else its title, else its labels, as exports have it.
_CAPTIONED = """
    with

    told as (
        select
            samples.* exclude (caption, split),
            split as split_as_curated,
            coalesce(
                nullif(trim(caption), ''), nullif(trim(title), ''), array_to_string(labels, ', ')
            ) as caption,
            parameter.without
        from samples
        cross join (select cast(? as varchar) as without) as parameter
    ),

    near as (
        select distinct cluster_id
        from told
        where list_contains(archives, without) and cluster_id is not null
    )

    select
        sample_id, path, caption, labels,
        case
            when list_contains(archives, without) then '{archive}'
            when cluster_id in (select cluster_id from near) then 'near the archive'
            else split_as_curated
        end as split
    from told
    where caption <> ''
""".replace("{archive}", ARCHIVE_SPLIT)
