"""Freeze samples as data sets others can load, cite and check: one folder each below `<lake>/exports/`.

A format is a module of this package with what `Format` asks for; modules are found, there is no list. Those
whose names begin with an underscore serve all formats. Every export carries its samples (`samples.parquet`),
an attribution line per picture (`ATTRIBUTION`), a card (`README.md`) and its description for machines
(`croissant.json`). `manifest.json` is written last; the rename after it makes a draft an export.
"""

import importlib
import logging
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, cast

from lake import Lake
from lake.drafts import way_out
from lake.errors import BadExport, ExportError
from pipelines.exports._card import Release, describe_export
from pipelines.exports._croissant import Description
from pipelines.exports._diff import diff_exports
from pipelines.exports._draft import Draft, check_name, draft_folder, export_lock, remove_leftovers
from pipelines.exports._manifest import (
    Tally,
    content_version,
    fingerprint,
    manifest_text,
    read_manifest,
    verify_export,
)
from pipelines.exports._picture import Picture
from pipelines.exports._samples import write_samples
from pipelines.exports._selection import ExportOptions, Selection, select
from pipelines.progress import progress

__all__ = [
    "ExportOptions", "Format", "diff_exports", "export", "export_by_content", "format_names", "load_format",
    "verify_export",
]

log = logging.getLogger(__name__)


class Format(Protocol):
    """What a format module has.

    It may also have `settle(lake, options)`, which fills in what it must know, and `prepare(lake, pictures)`,
    which adds to each picture what it reads besides samples and records, so that it counts as input.

    FORMAT is its name, NOTES what a reader of the files must know, a sentence each.
    """

    FORMAT: str
    NOTES: tuple[str, ...]

    def write(self, lake: Lake, draft: Draft, pictures: Iterable[Picture], options: ExportOptions) -> None:
        """Write the format's own files; takes each picture once, in order. `samples.parquet` is there."""

    def describe(self, draft: Draft) -> Description:
        """What those files are, once they are written."""


def format_names() -> list[str]:
    """The formats that are there, sorted."""
    return sorted(_formats())


def load_format(name: str) -> Format:
    """The format of that name; raises BadExport with those there are."""
    formats = _formats()
    if name not in formats:
        raise BadExport(f"no export format named {name!r}; there are: {', '.join(sorted(formats))}")
    return formats[name]


def export(lake: Lake, format: str, name: str, options: ExportOptions | None = None) -> Path:
    """Freeze the samples asked for as `<lake>/exports/<name>` and return that folder.

    The same samples and options give the same bytes. A name that holds exactly this data set is left as it
    is; one that holds another is never overwritten. Raises ExportError (BadExport for what cannot be asked),
    BadFilter for the condition, EmptyLake before `curate`, LakeBusy while another process makes an export of
    the same name.
    """
    check_name(name)
    chosen_format, options = _settled(lake, format, options)
    target = lake.exports / name
    try:
        with select(lake, options) as selection, export_lock(lake, name):
            _freeze_once(chosen_format, selection, options, target)
    except OSError as e:
        raise ExportError(
            f"cannot write the export {name!r} into {lake.exports}: {e.strerror or e}; nothing is left under "
            f"that name: {way_out(e)}, then run the same command again"
        ) from e
    return target


def export_by_content(lake: Lake, format: str, options: ExportOptions | None = None) -> Path:
    """Freeze samples under a name that follows from them (`<format>-<12 hex>`); raises as `export` does."""
    chosen_format, options = _settled(lake, format, options)
    with select(lake, options) as selection:
        made_from = fingerprint(format, options, _pictures(chosen_format, selection))
    return export(lake, format, f"{format}-{made_from[:12]}", options)


def _freeze_once(format: Format, selection: Selection, options: ExportOptions, target: Path) -> None:
    if target.exists() or target.is_symlink():
        _require_identical(target, fingerprint(format.FORMAT, options, _pictures(format, selection)))
    else:
        remove_leftovers(selection.lake)
        _freeze(format, selection, options, target)


def _freeze(format: Format, selection: Selection, options: ExportOptions, target: Path) -> None:
    with draft_folder(selection.lake, target.name) as folder, Draft(folder) as draft:
        write_samples(selection, draft)
        tally = _write_content(format, selection, options, draft, target.name)
        version = content_version(format.FORMAT, options, draft)
        selection.require_unchanged()
        describe_export(selection.con, draft, format, Release(version, options, tally))
        manifest = manifest_text(selection.con, tally, draft, format.NOTES, version)
        draft.put("manifest.json", manifest.encode())
        folder.rename(target)
    log.info("exported name=%s format=%s samples=%d", target.name, format.FORMAT, tally.n_samples)


def _write_content(
    format: Format, selection: Selection, options: ExportOptions, draft: Draft, name: str
) -> Tally:
    with draft.open("ATTRIBUTION") as attribution:
        tally = Tally(format.FORMAT, options, attribution)
        watched = tally.watch(_pictures(format, selection))
        pictures = progress(watched, f"exporting {name}", len(selection.ids), "picture")
        format.write(selection.lake, draft, pictures, options)
    return tally


def _pictures(format: Format, selection: Selection) -> Iterable[Picture]:
    """The pictures of a selection, with what else the format reads of each."""
    prepare = getattr(format, "prepare", None)
    return prepare(selection.lake, selection.pictures()) if prepare else selection.pictures()


def _settled(lake: Lake, name: str, options: ExportOptions | None) -> tuple[Format, ExportOptions]:
    """The format, and the options with what it must know filled in: it is part of the version."""
    format, options = load_format(name), options or ExportOptions()
    settle = getattr(format, "settle", None)
    return format, settle(lake, options) if settle else options


def _require_identical(target: Path, made_from: str) -> None:
    manifest = read_manifest(target)
    if manifest.get("made_from") != made_from:
        raise ExportError(
            f"{target} holds another data set ({manifest.get('format')}, version {manifest.get('version')}), "
            f"and an export never changes: choose another name, or remove that folder first"
        )
    if damage := verify_export(target):
        raise ExportError(f"the export {target} is damaged: {damage[0]}; remove the folder and export again")
    log.info("already frozen name=%s version=%s", target.name, manifest["version"])


def _formats() -> dict[str, Format]:
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    formats = [cast(Format, importlib.import_module(f"{__name__}.{name}")) for name in names]
    return {format.FORMAT: format for format in formats}
