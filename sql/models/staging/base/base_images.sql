-- One row per image URL: the newest attempt at it.
{{ config(tags=['curate']) }}

with

raw_images as (
    select * from {{ raw_table(source('raw', 'images'), {
        'image_url': 'varchar', 'status': 'varchar', 'fetched_at': 'timestamptz', 'bytes': 'bigint', 'sha256': 'varchar',
        'pixel_hash': 'varchar', 'width': 'integer', 'height': 'integer', 'phash': 'varchar',
        'phash_orientations': 'varchar[]', 'thumbnail': 'double[]', 'phash_inside': 'varchar[]', 'thumbnail_inside': 'double[]',
        'phash_crops': 'varchar[]', 'dhash': 'varchar', 'dhash_crops': 'varchar[]', 'entropy': 'double', 'rgb_mean': 'double[]', 'rgb_std': 'double[]', 'path': 'varchar',
    }) }}
),

newest_images as (
    select * from raw_images
    qualify row_number() over (partition by image_url order by fetched_at desc, status, sha256, path) = 1
)

select * from newest_images
