-- Labels by source: from searches, from the catalogue's own words, from concepts
select
    facet,
    source,
    count(distinct label) as n_labels,
    count(distinct record_id) as n_records,
    round(avg(confidence), 3) as mean_confidence,
from record_labels
group by facet, source
order by facet, source
