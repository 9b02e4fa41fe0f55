-- One row per record, label and where the label came from.
{{ config(meta={'key': ['record_id', 'label', 'source', 'source_value']}) }}

select
    record_id,
    label,
    source,
    source_value,
    facet,
    path,
    confidence,
from {{ ref('int_records__labelled') }}
