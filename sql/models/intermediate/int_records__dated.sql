-- One row per object that gives any date: of the dates its archive states, the narrowest interval that could be read.
with

given as (
    select
        record_id,
        date_texts,
        unnest(date_texts) as date_text,
    from {{ ref('int_records__cleaned') }}
),

read_dates as (
    select
        given.record_id,
        given.date_texts,
        parsed.*,
    from given
    inner join {{ ref('int_dates__parsed') }} as parsed using (date_text)
),

narrowest as (
    select * from read_dates
    qualify row_number() over (
        partition by record_id
        order by date_start is null, date_end - date_start, date_start, list_position(date_texts, date_text)
    ) = 1
)

select
    record_id,
    case when date_start is null then array_to_string(list_distinct_ordered(date_texts), ' | ') else date_text end as date_raw,
    date_start,
    date_end,
    cast(year(date_start) as integer) as year,
    date_precision,
    is_approximate as is_date_approximate,
from narrowest
