"""Where glamlake keeps what it can make again: the user's cache folder, or the one `GLAMLAKE_CACHE` names."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The folder; it need not exist yet."""
    named = os.environ.get("GLAMLAKE_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("glamlake", appauthor=False)
