"""The plots of an export: the same questions, put to its own samples instead of the lake's."""

from pathlib import Path

from lake.catalog import Connection

_VIEWS = (
    """
    create or replace temp view samples as
    select * replace ({archives} as archives) from read_parquet('{samples}') where {condition}
    """,
    """
    create or replace temp view records as
    select * from memory.main.records
    where record_id in (select unnest(record_ids) from samples) and {of_record}
    """,
    # tiers as `curate` makes them unless told otherwise (sql/models/marts/labels.sql), of these samples alone
    """
    create or replace temp view labels as
    with

    counted as (
        select label, count(*) as n_samples, count(*) filter (split = 'train') as n_train
        from (select split, unnest(labels) as label from samples) group by label
    ),

    ranked as (
        select
            *, sum(n_train) over () as n_all,
            coalesce(sum(n_train) over (
                order by n_train desc, label rows between unbounded preceding and 1 preceding
            ), 0) as n_before,
            row_number() over (order by n_train desc, label) as place,
            count(*) filter (n_train > 0) over () as n_trained
        from counted
    )

    select
        label, n_samples, n_train,
        case
            when n_train = 0 then 'tail' when n_before < n_all * 0.8 then 'head'
            when place > n_trained * (1 - 0.2) then 'tail' else 'torso'
        end as tier
    from ranked
    """,
)


def show_only(con: Connection, samples: Path, archive: str | None = None) -> None:
    """Let samples, records and labels of a connection be those of an export, or of one archive in it."""
    of_record, condition, archives = "true", "true", "archives"
    if archive is not None:
        name = _quoted(archive)
        of_record, condition, archives = f"archive = {name}", f"list_contains(archives, {name})", f"[{name}]"
    for view in _VIEWS:
        con.execute(view.format(
            samples=str(samples.absolute()).replace("'", "''"), condition=condition, archives=archives,
            of_record=of_record,
        ))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
