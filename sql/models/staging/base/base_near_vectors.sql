-- One row per two pictures whose embeddings a run of `curate --near-by-embedding` found near, and model.
{{ config(tags=['curate']) }}

select * from {{ raw_table(source('raw', 'near_vectors'), {
    'sha256_a': 'varchar', 'sha256_b': 'varchar', 'model_id': 'varchar', 'cosine': 'double',
}) }}
