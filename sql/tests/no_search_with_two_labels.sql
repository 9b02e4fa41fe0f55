-- A search or term means one label, whatever its language.
{{ config(tags=['static']) }}

select
    term,
    list(distinct label) as labels,
from {{ ref('int_vocabulary__folded') }}
group by term
having count(distinct label) > 1
