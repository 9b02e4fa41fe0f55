-- One row per hash that a picture asks for and hash that a picture is found by with at most `near_distance` bits between them: all such
-- pairs, for any two of them agree under one of the masks. What an earlier run compared is not compared again.
{{ config(materialized='table', tags=['curate'], post_hook="{{ keep_for_next_run('hashes') }}") }}

with

asked as (
    select
        node,
        bits,
        part in (1, 9) as is_upright,
        is_new,
    from {{ ref('int_images__parts') }}
),

asked_anew as materialized (
    select * from asked where is_new
),

asked_before as materialized (
    select * from asked where not is_new
),

held as materialized (
    select
        node,
        hash_bits,
        is_new,
    from {{ ref('int_images__faces') }}
    where place = 1
),

held_anew as materialized (
    select * from held where is_new
),

compared as (
    select
        asked_bits,
        held_bits,
        distance,
    from {{ ref('int_hashes__known') }}
    where held_bits in (select hash_bits from held)
    {%- for mask in hash_masks(var('near_distance')).strip().split(',') %}
    {%- for asked, held in [('asked_anew', 'held'), ('asked_before', 'held_anew')] %}
    union
    select
        asked.bits,
        held.hash_bits,
        bit_count(xor(asked.bits, held.hash_bits))::utinyint,
    from {{ asked }} as asked
    inner join {{ held }} as held
        on (asked.bits & {{ mask }}::ubigint) = (held.hash_bits & {{ mask }}::ubigint)
        and bit_count(xor(asked.bits, held.hash_bits)) <= {{ var('near_distance') }}
        and asked.node <> held.node
        and (not asked.is_upright or asked.bits < held.hash_bits)
    {%- endfor %}
    {%- endfor %}
)

select * from compared
