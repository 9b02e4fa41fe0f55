"""The plan of a harvest: what to ask which archive, all of it checked before the first byte."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lake import Lake
from lake.errors import ServiceUnavailable, UsageError
from pipelines import transform
from pipelines.archives import load_archive
from pipelines.archives._archive import Archive
from pipelines.harvest import HarvestOptions, HarvestReport, harvest
from pipelines.http_client import user_agent
from pipelines.queries import distinct_queries, parse_date_range, read_query_file
from pipelines.slices import dry_run

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Ask:
    """One archive, set up, and what to ask it; the key stays in memory."""

    archive: Archive
    options: HarvestOptions
    key: str | None


def harvest_plan(
    environment: Mapping[str, str], archives: Sequence[str], queries: Sequence[str] = (),
    query_file: Path | None = None, start_date: str | None = None, end_date: str | None = None,
    limit: int | None = None, base_url: str | None = None, refresh: bool = False,
    settings: Sequence[str] = (),
) -> list[Ask]:
    """What to ask each archive, all of it checked; without searches, the vocabulary in its languages.

    `settings` are the archive's own ("collection=photos").
    Raises UnknownArchive, MissingKey, BadDate, BadQueryFile, UsageError.
    """
    start, end = parse_date_range(start_date, end_date)
    given = [*distinct_queries(queries), *(read_query_file(query_file) if query_file else [])]
    names = list(dict.fromkeys(archives))
    if settings and len(names) > 1:
        raise UsageError("--set is for one archive; give each archive a command of its own")
    adapters = [load_archive(name, settings) for name in names]
    reads_files = all(archive.reads_files for archive in adapters)
    if base_url is not None and not reads_files and not _is_web_address(base_url):
        raise UsageError(f"--base-url {base_url!r} is no http or https address")
    contact = environment.get("GLAMLAKE_CONTACT") or None
    user_agent(contact)    # raises for one that cannot be sent
    at = _instant(environment.get("SOURCE_DATE_EPOCH"))
    options = HarvestOptions((), start, end, limit, base_url, refresh, contact, at)
    return [_ask(archive, environment, options, given) for archive in adapters]


def harvest_all(lake: Lake, asks: Sequence[Ask]) -> list[HarvestReport]:
    """Harvest one archive after the other."""
    return [harvest(lake, ask.archive, ask.options, ask.key) for ask in asks]


def dry_run_all(asks: Sequence[Ask]) -> list[dict[str, Any]]:
    """Every slice that a harvest would ask for, and how much the service says there is of it."""
    return [row for ask in asks for row in dry_run(ask.archive, ask.options, ask.key)]


def raise_on_failed(reports: Sequence[HarvestReport]) -> None:
    """Raises ServiceUnavailable when a search failed; what came is in the lake."""
    failed = [(report.archive, result) for report in reports for result in report.with_status("failed")]
    if failed:
        archive, first = failed[0]
        raise ServiceUnavailable(
            f"{len(failed)} searches failed, first {archive} {first.query!r}: {first.error}; "
            "run the same command again to go on"
        )


def _instant(epoch: str | None) -> datetime | None:
    """The instant that reproducible builds name in seconds (reproducible-builds.org); raises UsageError."""
    if not epoch:
        return None
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as e:
        raise UsageError(f"SOURCE_DATE_EPOCH={epoch} is no number of seconds since 1970") from e


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _ask(
    archive: Archive, environment: Mapping[str, str], options: HarvestOptions, given: Sequence[str]
) -> Ask:
    key = environment.get(archive.key_variable or "") or None
    archive.require_key(key, options.base_url)
    if archive.reads_files and not options.base_url:
        raise UsageError(f"{archive.name} reads files; name the file or folder with --base-url")
    vocabulary = (query for language in archive.languages for query in transform.vocabulary(language))
    queries = given or archive.queries or vocabulary
    return Ask(archive, replace(options, queries=tuple(queries)), key)
