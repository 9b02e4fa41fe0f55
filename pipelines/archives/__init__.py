"""The archives that can be harvested: one module each, found by looking, listed nowhere."""

import importlib
import pkgutil
from pathlib import Path

from lake.errors import UnknownArchive
from pipelines.archives._archive import Archive


def archive_names() -> list[str]:
    """Names of every archive there is an adapter for, sorted."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if not module.name.startswith("_"))


def load_archive(name: str) -> Archive:
    """The adapter of one archive; raises UnknownArchive."""
    if name not in archive_names():
        raise UnknownArchive(f"no archive named {name!r}; there are: {', '.join(archive_names())}")
    archive: Archive = importlib.import_module(f"pipelines.archives.{name}").ARCHIVE
    return archive
