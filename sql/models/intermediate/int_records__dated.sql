-- One row per object that gives any date: of the dates its archive states, the narrowest interval that could be read.
with

habits as (
    select archive, date_order, is_padded from {{ ref('date_habits') }}
),

given as (
    select
        records.record_id,
        records.position,
        records.date_text,
        {{ date_order('records.date_text', 'habits') }} as date_order,
        {{ is_padded('records.date_text', 'habits') }} as is_padded,
    from (
        select
            record_id,
            archive,
            unnest(date_texts) as date_text,
            generate_subscripts(date_texts, 1) as position,
        from {{ ref('int_records__cleaned') }}
    ) as records
    left join habits using (archive)
),

read_dates as (
    select
        given.record_id,
        given.date_text,
        given.position,
        parsed.* exclude (date_text, date_order, is_padded),
    from given
    inner join {{ ref('int_dates__parsed') }} as parsed using (date_text, date_order, is_padded)
),

-- an interval with an open end is wider than any other
narrowest as (
    select
        record_id,
        arg_min(
            {
                'date_text': date_text,
                'date_start': date_start,
                'date_end': date_end,
                'date_precision': date_precision,
                'date_rule': date_rule,
                'is_approximate': is_approximate,
            },
            (date_rule is null, coalesce(date_end - date_start, 99999999), date_start, position)
        ) as found,
        list(distinct date_text order by date_text) as date_texts,
    from read_dates
    group by record_id
)

select
    record_id,
    case when found.date_rule is null then array_to_string(date_texts, ' | ') else found.date_text end as date_raw,
    found.date_start as date_start,
    found.date_end as date_end,
    cast(year(found.date_start) as integer) as year,
    found.date_precision as date_precision,
    found.date_rule as date_rule,
    found.is_approximate as is_date_approximate,
from narrowest
