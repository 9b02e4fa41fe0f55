-- One row per object of any archive that has hits in this lake, in the columns every staging model has.
{% for archive in archives() %}{% do ref('stg_' ~ archive ~ '__records') %}{% endfor %}
{% for archive in archives_with_hits() %}
select
    archive,
    native_id,
    queries,
    n_hits,
    harvested_at,
    title,
    description,
    language,
    titles,
    descriptions,
    date_texts,
    country,
    provider,
    creators,
    subjects,
    concept_uris,
    rights_texts,
    landing_url,
    provider_url,
    image_url,
    iiif_service_url,
    collections,
    object_types,
    label_paths,
    source_split,
from {{ ref('stg_' ~ archive ~ '__records') }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
