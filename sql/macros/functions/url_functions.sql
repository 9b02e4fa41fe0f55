{# Addresses as archives write them, made absolute. #}
{% macro url_functions() %}

create or replace macro is_web_url(value) as
    regexp_full_match(value, '(?i)https?://[^\s/?#]+\S*');

-- An absolute address from one that may be protocol-relative, site-relative or relative; other schemes stay as they are.
create or replace macro resolve_url(value, base_url) as
    list_transform(
        [nullif(replace(replace(trim(value), '&amp;', '&'), ' ', '%20'), '')],
        lambda url: case
            when regexp_matches(url, '^[A-Za-z][A-Za-z0-9+.-]*:') then url
            when starts_with(url, '//') then 'https:' || url
            when starts_with(url, '/') then regexp_extract(base_url, '^[a-z]+://[^/?#]+') || url
            when regexp_matches(url, '^[^/\s]+\.[^/\s]+/') then 'https://' || url
            else rtrim(regexp_extract(base_url, '^[^?#]+'), '/') || '/' || url
        end
    )[1];

-- The address behind Europeana's counting redirect, which also holds a key.
create or replace macro unwrap_redirect(value) as
    case
        when regexp_matches(value, '^https?://[^/]*europeana\.eu/.*redirect\?.*shownAt=')
            then url_decode(replace(regexp_extract(value, 'shownAt=([^&]+)', 1), '+', ' '))
        else value
    end;

create or replace macro without_query(value) as
    nullif(regexp_replace(value, '[?#].*$', ''), '');

{% endmacro %}
