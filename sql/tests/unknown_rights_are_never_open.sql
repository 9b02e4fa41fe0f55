-- A record is open only by a statement that the seed knows as open.
select
    records.record_id,
    records.rights_uri,
    records.rights_raw,
from {{ ref('records') }} as records
where records.rights_class = 'open' and not exists (
    select 1 from {{ ref('rights_statements') }} as statements
    where statements.rights_class = 'open'
        and (records.rights_uri is null or starts_with(records.rights_uri, statements.uri_prefix))
)
