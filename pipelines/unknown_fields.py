"""Fields of an archive's items that nobody reads: each is named once."""

import logging

from pipelines.archives._archive import Archive, Page

log = logging.getLogger(__name__)


class UnknownFields:
    """Names once, in a warning, each field of the items that the adapter does not know."""

    def __init__(self, archive: Archive) -> None:
        self._archive, self._named = archive, set(archive.known_fields)

    def note(self, page: Page) -> None:
        """Look at a page's fields; an adapter that declares none is left alone."""
        if not self._archive.known_fields:
            return
        for field in sorted(page.fields - self._named):
            log.warning("%s sends a field that nobody reads: %r (kept in the hit)", self._archive.name, field)
        self._named |= page.fields
