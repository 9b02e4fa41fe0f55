-- One row per pair of near hashes that the last run found.
{{ config(tags=['curate']) }}

select * from {{ kept_from_last_run('hashes', {'asked_bits': 'ubigint', 'held_bits': 'ubigint', 'distance': 'utinyint'}) }}
