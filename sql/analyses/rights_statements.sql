-- Rights statements: which URIs there are, their class, and who uses them
select
    coalesce(rights_uri, 'no URI') as rights_uri,
    rights_class,
    count(*) as n_records,
    list_sort(list(distinct archive)) as archives,
from records
group by rights_uri, rights_class
order by n_records desc, rights_uri, rights_class
