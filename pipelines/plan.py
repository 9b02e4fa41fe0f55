"""The plan of a harvest: what to ask which archive, all of it checked before the first byte."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from lake import Lake
from lake.errors import ServiceUnavailable, UsageError
from pipelines import transform
from pipelines.archives import load_archive
from pipelines.harvest import HarvestOptions, HarvestReport, harvest
from pipelines.queries import distinct_queries, parse_date_range, read_query_file

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Ask:
    """One archive and what to ask it; the key stays in memory."""

    archive: str
    options: HarvestOptions
    key: str | None


def harvest_plan(
    environment: Mapping[str, str], archives: Sequence[str], queries: Sequence[str] = (),
    query_file: Path | None = None, start_date: str | None = None, end_date: str | None = None,
    limit: int | None = None, base_url: str | None = None, refresh: bool = False,
) -> list[Ask]:
    """What to ask each archive, all of it checked; without searches, the vocabulary in its languages.

    Raises UnknownArchive, MissingKey, BadDate, BadQueryFile, UsageError.
    """
    start, end = parse_date_range(start_date, end_date)
    given = [*distinct_queries(queries), *(read_query_file(query_file) if query_file else [])]
    if base_url is not None and not _is_web_address(base_url):
        raise UsageError(f"--base-url {base_url!r} is no http or https address")
    options = HarvestOptions((), start, end, limit, base_url, refresh)
    return [_ask(name, environment, options, given) for name in dict.fromkeys(archives)]


def harvest_all(lake: Lake, asks: Sequence[Ask]) -> list[HarvestReport]:
    """Harvest one archive after the other."""
    return [harvest(lake, ask.archive, ask.options, ask.key) for ask in asks]


def raise_on_failed(reports: Sequence[HarvestReport]) -> None:
    """Raises ServiceUnavailable when a search failed; what came is in the lake."""
    failed = [(report.archive, result) for report in reports for result in report.with_status("failed")]
    if failed:
        archive, first = failed[0]
        raise ServiceUnavailable(
            f"{len(failed)} searches failed, first {archive} {first.query!r}: {first.error}; "
            "run the same command again to go on"
        )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _ask(name: str, environment: Mapping[str, str], options: HarvestOptions, given: Sequence[str]) -> Ask:
    archive = load_archive(name)
    key = environment.get(archive.key_variable or "") or None
    archive.require_key(key, options.base_url)
    queries = given or [query for language in archive.languages for query in transform.vocabulary(language)]
    return Ask(name, replace(options, queries=tuple(queries)), key)
