-- One row per face whose hashes the last run compared with all others'.
{{ config(tags=['curate']) }}

select * from {{ kept_from_last_run('faces', {'sha256': 'varchar', 'face': 'varchar', 'facts_key': 'ubigint'}) }}
