{# Concept URIs that their own vocabularies write in several ways. #}
{% macro concept_functions() %}

-- What is left for comparing: no scheme, www or ending; a page for people is the concept that it shows, and the addresses
-- that Europeana and the Library of Congress used earlier are those of today.
create or replace macro concept_key(uri) as
    replace(replace(replace(replace(replace(
        regexp_replace(trim(uri), '^(?i:https?://(?:www\.)?)|(?i:\.(?:html|rdf|json))$|[/#]+$', '', 'g'),
        'vocab.getty.edu/page/', 'vocab.getty.edu/'),
        'wikidata.org/wiki/', 'wikidata.org/entity/'),
        'data.europeana.eu/concept/base/', 'data.europeana.eu/concept/'),
        'data.europeana.eu/concept/loc/', 'id.loc.gov/authorities/subjects/'),
        'id.loc.gov/authorities/names/sh', 'id.loc.gov/authorities/subjects/sh');

{% endmacro %}
