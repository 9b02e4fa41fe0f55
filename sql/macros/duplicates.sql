{# What finding duplicates needs more than once or would hide the model's idea. #}

{# Masks of bits: of any two hashes at most `distance` bits apart at least one mask shows no difference. With distance + m blocks
   of bits m of them stay untouched, so every choice of m blocks is a mask; m is 2, beyond 4 bits 3, which keeps masks telling. Written with commas between. #}
{% macro hash_masks(distance) -%}
    {%- set chosen = 2 if distance <= 4 else 3 -%}
    {%- set n_blocks = distance + chosen -%}
    {%- set masks = [] -%}
    {%- for a in range(n_blocks) -%}
        {%- for b in range(a + 1, n_blocks) -%}
            {%- for c in (range(b + 1, n_blocks) if chosen == 3 else [b]) -%}
                {%- set mask = namespace(value=0) -%}
                {%- for block in [a, b, c] | unique -%}
                    {%- set first, last = 64 * block // n_blocks, 64 * (block + 1) // n_blocks -%}
                    {%- set mask.value = mask.value + 2 ** last - 2 ** first -%}
                {%- endfor -%}
                {%- do masks.append(mask.value) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- masks | join(',') -}}
{%- endmacro %}

{# The body of the recursive CTE `components(node, component) using key (node)`: the smallest node that can be reached from each.
   `links(a, b)` holds every link in both directions. Roots are hooked to smaller ones and ways are cut short, so that a chain
   of a thousand takes ten rounds and not a thousand. #}
{% macro connected_components() -%}
    select distinct a, a from links
    union
    (
        with

        known as (
            select * from recurring.components
        ),

        hooks as (
            select
                there.component as root,
                min(here.component) as component,
            from links
            inner join known as here on here.node = links.a
            inner join known as there on there.node = links.b
            where here.component < there.component
            group by there.component
        ),

        moved as (
            select
                known.node,
                least(
                    known.component, coalesce(hooks.component, known.component), coalesce(parents.component, known.component)
                ) as component,
                known.component as earlier,
            from known
            left join hooks on hooks.root = known.component
            left join known as parents on parents.node = known.component
        )

        select
            node,
            component,
        from moved
        where component < earlier and exists (select 1 from components)
    )
{%- endmacro %}
