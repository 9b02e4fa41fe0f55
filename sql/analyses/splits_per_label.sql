-- Splits per label: training and validation samples of each, the most uneven first
select
    label,
    tier,
    n_samples,
    n_train,
    n_val,
    round(n_val / nullif(n_train + n_val, 0), 3) as share_val,
from labels
order by abs(share_val - (select avg(cast(split = 'val' as integer)) from samples)) desc nulls last, n_samples desc, label
