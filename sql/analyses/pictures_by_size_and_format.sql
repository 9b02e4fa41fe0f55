-- Pictures by format and size: what kind of files came, and how large
select
    format,
    count(*) as n_pictures,
    median(least(width, height)) as median_short_side,
    count(*) filter (least(width, height) < 224) as n_smaller_than_a_model_sees,
    round(sum(bytes) / 1e6, 1) as megabytes,
from images
where status = 'ok'
group by format
order by n_pictures desc, format
