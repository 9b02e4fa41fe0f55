-- One row per concept of an imported vocabulary, or per label path where the vocabulary is a list of paths.
select * from {{ raw_table(source('raw', 'vocabulary'), {
    'vocabulary': 'varchar', 'facet': 'varchar', 'concept_uri': 'varchar', 'label': 'varchar', 'terms': 'varchar[]',
    'broader_uris': 'varchar[]', 'path': 'varchar[]', 'imported_at': 'timestamptz',
}) }}
