-- What is missing: for each archive, the share of records that have each thing
select
    archive,
    count(*) as n_records,
    fill_rate(title) as title,
    fill_rate(description) as description,
    fill_rate(date_start) as date,
    fill_rate(creators) as creators,
    fill_rate(subjects) as subjects,
    fill_rate(concept_uris) as concepts,
    fill_rate(provider) as provider,
    fill_rate(rights_uri) as rights_uri,
    fill_rate(language) as language,
from records
group by archive
order by archive
