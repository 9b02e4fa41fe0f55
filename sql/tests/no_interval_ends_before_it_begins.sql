-- Dates are intervals: in order, with both ends unless they say "before" or "after"; the year is that of the first day.
select record_id, date_start, date_end, year
from {{ ref('records') }}
where date_start > date_end
    or (date_start is null) <> (date_rule is null or date_precision = 'before')
    or (date_end is null) <> (date_rule is null or date_precision = 'after')
    or year is distinct from year(date_start)
