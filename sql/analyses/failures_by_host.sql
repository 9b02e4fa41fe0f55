-- Failures by host: which servers did not give their pictures, and what they said instead
select
    lower(regexp_extract(image_url, '^[a-zA-Z]+://([^/?#]+)', 1)) as host,
    status,
    http_status,
    count(*) as n_pictures,
    max(attempts) as most_attempts,
    min(error) as example,
from images
where status <> 'ok'
group by all
order by n_pictures desc, host, status, http_status
