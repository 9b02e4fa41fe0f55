"""The archives that can be harvested: one module each, found by looking, listed nowhere."""

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lake.errors import UnknownArchive, UsageError
from pipelines.archives._archive import Archive


def archive_names() -> list[str]:
    """Names of every archive there is an adapter for, sorted."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if not module.name.startswith("_"))


def load_archive(name: str, settings: Sequence[str] = ()) -> Archive:
    """The adapter of one archive, with settings such as "collection=photos"; one that is a list may come
    several times. Raises UnknownArchive, and UsageError for what it does not have.
    """
    if name not in archive_names():
        raise UnknownArchive(f"no archive named {name!r}; there are: {', '.join(archive_names())}")
    archive: Archive = importlib.import_module(f"pipelines.archives.{name}").ARCHIVE
    return type(archive)(**_values(archive, settings)) if settings else archive


def _values(archive: Archive, settings: Sequence[str]) -> dict[str, Any]:
    usual = archive.settings()
    values: dict[str, Any] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in usual or not value:
            there = ", ".join(f"{name}=…" for name in usual) or "none"
            raise UsageError(f"{archive.name} has no setting {setting!r}; it has {there}")
        values[name] = (*values.get(name, ()), value) if isinstance(usual[name], tuple) else value
    return values
