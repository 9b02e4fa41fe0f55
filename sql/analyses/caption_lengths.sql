-- Caption lengths: in words, by archive; one word teaches a model little
with

counted as (
    select archive, len(string_split_regex(trim(caption), '\s+')) as n_words from records where caption is not null
)

select
    archive,
    count(*) as n_captions,
    count(*) filter (n_words = 1) as n_of_one_word,
    count(*) filter (n_words > 60) as n_longer_than_a_model_reads,
    min(n_words) as shortest,
    median(n_words) as median,
    max(n_words) as longest,
from counted
group by archive
order by archive
