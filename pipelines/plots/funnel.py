"""From hits to samples: how many there are at each step, and what became of the rest."""

from typing import NamedTuple

from lake.catalog import Connection, ask
from pipelines.plots._plot import Plot, nothing
from pipelines.plots._style import (
    BLUE,
    GREY,
    bars_figure,
    count,
    end_bars,
    house_style,
    name_bars,
    share,
    title,
)

NAME = "funnel"
_REASONS_SHOWN = 3
_SQL = """
    with

    urls as (
        select distinct image_url from records where image_url is not null
    ),

    fetched as (
        select images.status, images.sha256 from urls join images using (image_url)
    )

    select * from (values
        (1, 'hits', (select count(distinct hit_id) from raw_hits)),
        (2, 'hits kept', (select count(distinct hit_id) from raw_hits)
            - (select count(distinct hit_id) from rejections)),
        (3, 'records', (select count(*) from records)),
        (4, 'image addresses', (select count(*) from urls)),
        (5, 'pictures fetched', (select count(*) from fetched where status = 'ok')),
        (6, 'samples', (select count(*) from samples)),
        (7, 'samples to train on', (select count(*) from samples where split = 'train'))
    ) as steps(place, step, n) order by place
"""
_REASONS = {
    "hits kept": """
        select rule as reason, count(distinct hit_id) as n from rejections group by rule
    """,
    "image addresses": """
        select 'records without a picture' as reason, count(*) as n from records where image_url is null
    """,
    "pictures fetched": """
        select coalesce(images.status, 'not yet fetched') as reason, count(*) as n
        from (select distinct image_url from records where image_url is not null)
        left join images using (image_url)
        where images.status is distinct from 'ok' group by all
    """,
    "samples": """
        select
            case relation
                when 'near' then 'near copies' when 'same_bytes' then 'same bytes'
                when 'same_pixels' then 'same pixels' else relation
            end as reason,
            count(*) as n
        from duplicates group by relation
    """,
    "samples to train on": """
        select split as reason, count(*) as n from samples where split <> 'train' group by split
    """,
}


class Step(NamedTuple):
    """One step: how many came so far, and the largest reasons why others did not."""

    step: str
    n: int
    reasons: tuple[tuple[str, int], ...] = ()


def plot(con: Connection) -> Plot:
    """The plot of the whole lake."""
    return draw([
        Step(row["step"], row["n"], _reasons(con, row["step"])) for row in ask(con, _SQL).to_pylist()
    ])


def _reasons(con: Connection, step: str) -> tuple[tuple[str, int], ...]:
    if step not in _REASONS:
        return ()
    found = ask(con, f"select * from ({_REASONS[step]}) where n > 0 order by n desc, reason").to_pylist()
    return tuple((row["reason"] or "no reason given", row["n"]) for row in found)


@house_style()
def draw(steps: list[Step]) -> Plot:
    """A bar for each step; behind it the number, its share of the hits, and why the others fell out."""
    if not steps or not steps[0].n:
        return nothing(NAME, "Nothing was harvested yet, so nothing can have become of it.")
    hits = steps[0].n
    samples = next((step.n for step in steps if step.step == "samples"), 0)
    finding = _finding(hits, samples, steps)
    made, (axes,) = bars_figure(len(steps))
    title(made, finding)
    largest = max(step.n for step in steps)
    axes.barh(range(len(steps)), [largest] * len(steps), 0.72, color=GREY, alpha=0.18)
    axes.barh(range(len(steps)), [step.n for step in steps], 0.72, color=BLUE)
    name_bars(axes, [step.step for step in steps])
    end_bars(axes, [largest] * len(steps), [_behind(step) for step in steps])
    axes.set_xlabel("how many")
    axes.grid(visible=False)
    rows = [row for step in steps for row in _rows(step)]
    alt = f"Bars from hits to samples: {', '.join(f'{s.step} {s.n:,}' for s in steps)}. {finding}"
    note = "Several hits may be one record (found by several searches), several records one picture."
    return Plot(NAME, finding, alt, made, ("step", "what", "n"), rows, note)


def _finding(hits: int, samples: int, steps: list[Step]) -> str:
    if not samples:
        return f"{count(hits, 'hit')} came in; no sample was made of them yet."
    lost = [(reason, n, step.step) for step in steps[:-1] for reason, n in step.reasons]
    finding = f"{count(hits, 'hit')} became {count(samples, 'sample')} ({share(samples, hits)})"
    if not lost:
        return f"{finding}; nothing fell out on the way."
    reason, n, _ = max(lost, key=lambda found: (found[1], found[0]))
    return f"{finding}; the largest single loss is “{reason}” ({n:,})."


def _behind(step: Step) -> str:
    shown = [f"{reason} {n:,}" for reason, n in step.reasons[:_REASONS_SHOWN]]
    if len(step.reasons) > _REASONS_SHOWN:
        shown.append(f"{len(step.reasons) - _REASONS_SHOWN} more")
    return f"{step.n:,}" + (f"   − {', '.join(shown)}" if shown else "")


def _rows(step: Step) -> list[tuple[str, str, int]]:
    lost = [(step.step, f"fell out: {reason}", n) for reason, n in step.reasons]
    return [(step.step, "there", step.n), *lost]
