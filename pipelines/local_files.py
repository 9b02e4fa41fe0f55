"""Files that an archive is read from: on this machine as they are, on the web as a copy of them."""

import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipelines.http_client import PoliteClient


class LocalFiles:
    """Where each location lies on this machine; copies last as long as this object."""

    def __init__(self, client: PoliteClient) -> None:
        self._client = client
        self._copies: dict[str, str] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def place(self, location: str) -> str:
        """The path itself, or that of a copy where it is a web address; raises FetchError."""
        if not location.startswith(("http://", "https://")):
            return location
        if location not in self._copies:
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="glamlake-")
            name = Path(unquote(urlsplit(location).path)).name or "file"
            copy = Path(self._folder.name) / str(len(self._copies)) / name
            copy.parent.mkdir()
            copy.write_bytes(self._client.get(location).content)
            self._copies[location] = str(copy)
        return self._copies[location]
