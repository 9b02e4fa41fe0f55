-- Dates are intervals: both ends or none, in order, and the year is that of the first day.
select record_id, date_start, date_end, year
from {{ ref('records') }}
where date_start > date_end
    or (date_start is null) <> (date_end is null)
    or year is distinct from year(date_start)
