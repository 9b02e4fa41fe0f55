"""Harvests: what the archives announced, and whether it came.

The view takes the newest row of each slice, so its key cannot repeat.
"""

from checks.expectations import CRITICAL, WARNING, Nothing, Suite, always, as_agreed, known, one_of
from lake.catalog import NEWEST_SLICES
from lake.tables import HARVEST_STATUSES, HARVESTS

_SLICE = """
    archive || ' "' || query || '" ' || slice || ': ' || status || ', '
    || coalesce(received::varchar, '?') || ' of ' || coalesce(announced::varchar, '?')
"""

SUITE = Suite(
    table="harvests",
    view="harvests",
    not_yet=always,
    expectations=(
        as_agreed(HARVESTS, "harvests"),
        known("archive", "part of the key of a slice"),
        known("query", "part of the key of a slice"),
        known("slice", "part of the key of a slice"),
        known("status", "without it nobody knows whether the slice is whole"),
        one_of("status", HARVEST_STATUSES, "these four are what people's scripts know"),
        Nothing(
            "no slice was left unfinished",
            "what was announced and not given is missing from everything after; harvest again",
            CRITICAL,
            f"""
            select {_SLICE} as example from harvests
            where status <> 'complete' and not starts_with(coalesce(cap, ''), 'limit')
            """,
        ),
        Nothing(
            "no slice was cut short by --limit", "the rest can be had by harvesting without it", WARNING,
            f"""
            select {_SLICE} as example from harvests
            where status <> 'complete' and starts_with(coalesce(cap, ''), 'limit')
            """,
        ),
        Nothing(
            "a complete slice received what was announced",
            "a partial harvest is never filed as a complete one",
            CRITICAL,
            f"""
            select {_SLICE} as example from harvests
            where status = 'complete' and received is distinct from announced
            """,
        ),
        Nothing(
            "the hits that a slice received are in the lake",
            "a raw file was lost or a load went wrong",
            CRITICAL,
            f"""
            with newest as {NEWEST_SLICES},
            walks as (
                select distinct archive, run_id from raw_hits
            ),
            held as (    -- the walks of a cut slice's pieces are named after its own
                select newest.archive, newest.run_id, count(distinct hit_id) as n
                from newest
                join walks on walks.archive = newest.archive
                    and (walks.run_id = newest.run_id or starts_with(walks.run_id, newest.run_id || '.'))
                join raw_hits on raw_hits.archive = walks.archive and raw_hits.run_id = walks.run_id
                group by all
            )
            select {_SLICE} || ', ' || coalesce(held.n, 0) || ' in the lake' as example
            from newest left join held using (archive, run_id)
            where status <> 'running' and coalesce(held.n, 0) < received
            """,
        ),
        Nothing(
            "a slice has the pages it counted", "a page that was received is not in the lake", CRITICAL,
            f"""
            with newest as {NEWEST_SLICES},
            held as (
                select archive, run_id, count(distinct page) as n from raw_pages group by archive, run_id
            )
            select concat_ws(' ', archive, query || ':', coalesce(n, 0), 'pages of', pages) as example
            from newest left join held using (archive, run_id)
            where status = 'complete' and coalesce(n, 0) < pages
                -- a cut slice adds up what its pieces have
                and not exists (
                    from held as pieces
                    where pieces.archive = newest.archive
                        and starts_with(pieces.run_id, newest.run_id || '.')
                )
            """,
        ),
        Nothing(
            "every page has the items it was counted with",
            "items of a page were dropped between the archive and the lake",
            CRITICAL,
            """
            with held as (
                select archive, run_id, page, count(distinct position) as n from raw_hits group by all
            )
            select concat_ws(' ', archive, query || ': page', page, 'has', coalesce(held.n, 0), 'of', n_items)
                as example
            from raw_pages left join held using (archive, run_id, page) where coalesce(held.n, 0) < n_items
            """,
        ),
        Nothing(
            "no slice ended before it began", "a wrong clock makes an old answer the newest", WARNING,
            f"select {_SLICE} as example from harvests where finished_at < started_at",
        ),
        Nothing(
            "no page of a slice is missing", "a hole in the paging is a hole in the data", CRITICAL,
            """
            select
                concat_ws(' ', archive, query || ':', count(distinct page), 'pages of', max(page)) as example
            from raw_pages group by archive, query, run_id having count(distinct page) < max(page)
            """,
        ),
    ),
)
