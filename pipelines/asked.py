"""Which of the records' image URLs a fetch asks for, and in which order."""

from dataclasses import replace
from typing import Any

from lake import Lake, catalog, image_store
from pipelines.fetch_options import FetchOptions
from pipelines.rota import Asked


def unanswered(lake: Lake, options: FetchOptions) -> list[Asked]:
    """The URLs to ask for, in an order that depends on nothing but the URLs.

    Those without an outcome; those whose file is gone from the store; and of the others what the options
    want asked again.
    """
    rows = catalog.query(lake, _CANDIDATES_SQL, [
        options.shard.of, options.shard.number - 1, options.retry_failed, _private_hosts_allowed(options),
        list(options.retry_statuses), options.revisit, options.older_than,
    ])
    return [one for batch in rows.to_batches(1000) for row in batch.to_pylist() if (one := _asked(lake, row))]


def _asked(lake: Lake, row: dict[str, Any]) -> Asked | None:
    one = Asked(row["host"], row["image_url"], row["iiif_service_url"], answered_at=row["fetched_at"])
    if row["path"] is None or not image_store.holds(lake, row["path"], row["bytes"]):
        return one
    if row["is_retried"]:    # for whatever it is judged now: there is nothing to compare
        return replace(one, is_kept=True)
    if not row["is_revisited"]:
        return None
    known = {name: row[name] for name in ("etag", "last_modified", "asked_url", "source_sha256")}
    return replace(one, is_kept=True, is_here=True, **known)


def _private_hosts_allowed(options: FetchOptions) -> bool:
    return options.allow_private_hosts or bool(options.allowed_hosts)


_CANDIDATES_SQL = """
    with

    asked as (
        select image_url, min(iiif_service_url) as iiif_service_url
        from records
        where image_url is not null
            and ($1::bigint = 1 or ('0x' || left(md5(image_url), 15))::ubigint % $1::bigint = $2::bigint)
        group by image_url
    ),

    hosted as (
        select *, lower(regexp_extract(image_url, '^[a-zA-Z]+://([^/?#]+)', 1)) as host from asked
    ),

    answered as (
        select
            image_url, status, http_status, path, bytes, etag, last_modified, asked_url,
            source_sha256, fetched_at,
            now() at time zone 'UTC' as time_now,
            $7::interval is null
                or fetched_at not between time_now - $7::interval and time_now + $7::interval
                as is_old_enough,
        from images
    ),

    judged as (
        select
            hosted.*, answered.* exclude (image_url),
            answered.image_url is null as is_new,
            answered.status in ('ok', 'blank') and answered.path is not null as is_kept,
            is_old_enough and (
                list_contains($5::varchar[], answered.status)
                or ($3::boolean and (
                    answered.status in ('timeout', 'connection_error')
                    or answered.http_status in (408, 425, 429) or answered.http_status >= 500
                    or ($4::boolean and answered.status = 'blocked')
                ))
            ) as is_retried,
            is_kept and is_old_enough and $6::boolean as is_revisited,
        from hosted
        left join answered using (image_url)
    )

    select
        image_url, host, iiif_service_url, etag, last_modified, asked_url, source_sha256,
        is_revisited, is_retried, fetched_at,
        case when is_kept then path end as path,
        bytes,
    from judged
    where is_new or is_retried or is_kept
    order by row_number() over (partition by host order by md5(image_url), image_url), host
"""
