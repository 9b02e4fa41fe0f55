-- One row per record, label, where the label came from, and way down to the label in its hierarchy.
{{ config(meta={'key': ['record_id', 'label', 'source', 'source_value', 'facet', 'path']}) }}

select
    record_id,
    label,
    source,
    source_value,
    facet,
    path,
    confidence,
from {{ ref('int_records__labelled') }}
