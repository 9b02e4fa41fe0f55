"""What DuckDB answers to the suites: only what an expectation needs leaves the database."""

from collections.abc import Sequence

import pandas as pd

from checks.expectations import SHOWN_EXAMPLES, Finding, Nothing, Scene, Values
from lake.catalog import ask


def find(e: Nothing, scene: Scene, table: str) -> Finding:
    """How many offenders there are, and some of them; raises BadSql where the question cannot be asked."""
    if not isinstance(e.offenders, str):
        return e.offenders(scene)
    limits: list[object] = [] if e.limit is None else [scene.thresholds[f"{table}.{e.limit.name}"]]
    row = ask(scene.con, f"""
        with offenders as ({e.offenders})
        select
            (select count(*) from offenders) as n,
            (select list(example) from (
                select distinct example::varchar as example from offenders
                order by example limit {SHOWN_EXAMPLES}
            )) as examples
    """, limits).to_pylist()[0]
    return Finding(row["n"], tuple(str(example) for example in row["examples"] or ()))


def frame_of(view: str, expectations: Sequence[Values], scene: Scene) -> pd.DataFrame:
    """The columns asked about; a 1 for each value where nobody asks which it is."""
    read = {e.column for e in expectations if not e.is_about_null}
    columns = [
        column if column in read else f"case when {column} is not null then 1 end as {column}"
        for column in dict.fromkeys(e.column for e in expectations)
    ]
    found: pd.DataFrame = ask(scene.con, f"select {', '.join(columns) or 'null'} from {view}").to_pandas()
    return found
