"""Each archive as a dlt source, to run into any dlt destination, without a lake.

    import dlt
    from pipelines.dlt_sources import archive_source

    pipeline = dlt.pipeline("pictures", destination="duckdb", dataset_name="raw")
    pipeline.run(archive_source("sa_kuva", queries=["lentokone"]))

Two resources: `hits`, one item of the archive's answer a row, verbatim in `payload`, and `pages`. A slice
over the service's cap is cut as a harvest cuts it. What a lake adds is not here: pages are not resumed, and
a slice that ends short is an error instead of a row of `harvests`.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from lake.errors import ServiceUnavailable, UnexpectedAnswer
from pipelines.archives import load_archive
from pipelines.archives._archive import Archive
from pipelines.hit_buffer import new_hits, page_row
from pipelines.http_client import PoliteClient
from pipelines.load import Answered, source_of
from pipelines.options import HarvestOptions
from pipelines.service import Service, manners_towards
from pipelines.slices import Announced, announced_slices


def archive_source(
    name: str | Archive, queries: Sequence[str], start: date | None = None, end: date | None = None,
    limit: int | None = None, base_url: str | None = None, key: str | None = None,
    contact: str | None = None,
) -> Any:
    """A dlt source named as the archive; `key` is its API key, `limit` the most hits of a query.

    Raises UnknownArchive or MissingKey at once; while it runs, ServiceRefused, ServiceUnavailable or
    UnexpectedAnswer, which end the dlt run.
    """
    archive = name if isinstance(name, Archive) else load_archive(name)
    archive.require_key(key, base_url)
    options = HarvestOptions(queries, start, end, limit, base_url, contact=contact)
    return source_of(archive.name, lambda: _answers(archive, options, key))


def _answers(archive: Archive, options: HarvestOptions, key: str | None) -> Iterator[Answered]:
    with PoliteClient(manners_towards(archive, options.base_url, options.contact)) as client:
        service = Service(archive, client, key)
        for found in announced_slices(archive, service, options):
            if found.error:
                raise ServiceUnavailable(found.error)
            if not found.pieces:
                yield from _pages(archive, service, found)


def _pages(archive: Archive, service: Service, found: Announced) -> Iterator[Answered]:
    """The rows of one slice, page by page; raises UnexpectedAnswer where it ends short."""
    walk, page = found.walk, found.first
    while page is not None:
        walk.page, walk.announced = walk.page + 1, page.announced
        hits = new_hits(archive.name, walk, page)
        yield Answered(page_row(walk, page), hits)
        is_enough = walk.limit is not None and len(walk.seen) >= walk.limit
        walk.token = None if is_enough or not hits or page.next_token == walk.token else page.next_token
        page = service.page(walk) if walk.token else None
    if len(walk.seen) != walk.announced and not (walk.limit and len(walk.seen) >= walk.limit):
        raise UnexpectedAnswer(
            f"{archive.title}, {walk.query.text!r} ({walk.query.slice}): {walk.announced} announced, "
            f"{len(walk.seen)} received"
        )
