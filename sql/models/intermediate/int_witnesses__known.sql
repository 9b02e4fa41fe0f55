-- One row per two pictures and way in which the last run heard the second witness about them.
{{ config(tags=['curate']) }}

select * from {{ kept_from_last_run('witnesses', {
    'sha256_a': 'varchar', 'sha256_b': 'varchar', 'part': 'utinyint', 'face_b': 'varchar', 'facts_key': 'ubigint',
    'correlation': 'double', 'field_difference': 'double', 'n_differences': 'utinyint', 'n_uncropped': 'utinyint',
}) }}
