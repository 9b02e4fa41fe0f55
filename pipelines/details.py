"""Items that a search shows only in part, completed by what their archive says of each one."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace

from lake.errors import ArchiveError
from pipelines.archives._archive import Archive, Page, Request

log = logging.getLogger(__name__)

Ask = Callable[[Request], str]    # the text of an answer; raises an ArchiveError


def with_details(archive: Archive, page: Page, ask: Ask) -> Page:
    """The page with each item as `{"search": item, name: detail, …}`, every part verbatim.

    A page of an archive without details stays as it is. A detail that cannot be had is null, and said: one
    broken item must not keep a whole slice from ever being complete.
    """
    missing: list[str] = []
    items = [_completed(archive, item, ask, missing) for item in page.items]
    if missing:
        log.warning("%s: details of %d items are missing, first: %s", archive.title, len(missing), missing[0])
    return replace(page, items=items)


def _completed(archive: Archive, item: str, ask: Ask, missing: list[str]) -> str:
    wanted = archive.details(item)
    if not wanted:
        return item
    found = {name: _detail(archive, request, ask, missing) for name, request in wanted.items()}
    parts = {"search": item} | found
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in parts.items()) + "}"


def _detail(archive: Archive, request: Request, ask: Ask, missing: list[str]) -> str:
    try:
        return archive.read_detail(ask(request))
    except ArchiveError as e:
        missing.append(str(e))
        return "null"
