"""`normalise` with a range of dates: records stay where their interval overlaps it."""

from datetime import date

import pytest

from lake import Lake, catalog
from pipelines.cli import cli
from pipelines.run import run_plan
from pipelines.transform import NormaliseOptions, normalise
from tests.hit_fixtures import load_hits

DATES = {
    "in": "1942-05-01", "decade": "1930s", "before": "before 1900", "after": "after 1950",
    "century": "20th century",
    "edge": "1945-12-31", "late": "1946", "none": None, "unread": "when grandmother was young",
}
WAR = NormaliseOptions(date(1939, 1, 1), date(1945, 12, 31))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("dates") / "lake")
    load_hits(lake, "demo", "ship", [
        {"id": name, "title": f"A ship, {name}", "made": made, "picture": f"/{name}.jpg"}
        for name, made in DATES.items()
    ])
    return lake


def names(lake: Lake, table: str, condition: str = "true") -> set[str]:
    found = catalog.rows(lake, f"select native_id from {table} where {condition}")
    return {str(row["native_id"]) for row in found}


def test_what_may_be_of_the_range_stays_and_the_undated_are_counted(lake):
    counts = normalise(lake, ["demo"], WAR)
    assert names(lake, "records") == {"in", "decade", "century", "edge", "none", "unread"}
    assert names(lake, "rejections", "rule = 'outside_dates'") == {"before", "after", "late"}
    assert (counts["records"], counts["rejections"], counts["undated, kept"]) == (6, 3, 2)


def test_the_undated_can_be_dropped_and_say_what_stood_there(lake):
    normalise(lake, ["demo"], NormaliseOptions(WAR.start_date, WAR.end_date, "drop"))
    undated = "select native_id, detail from rejections where rule = 'undated' order by native_id"
    found = catalog.rows(lake, undated)
    assert [tuple(row.values()) for row in found] == [
        ("none", "the archive gives no date"), ("unread", "when grandmother was young"),
    ]


def test_an_open_range_keeps_what_has_no_end(lake):
    normalise(lake, ["demo"], NormaliseOptions(start_date=date(1947, 1, 1), undated="drop"))
    assert names(lake, "records") == {"after", "century"}


def test_without_a_range_everything_is_back(lake):
    assert normalise(lake, ["demo"])["records"] == len(DATES)


def test_a_run_filters_by_the_dates_that_it_asks_for():
    words = ["sa_kuva", "--start-date", "1939", "--end-date", "1945", "--undated", "drop"]
    plan = run_plan({}, cli.commands["run"].make_context("run", words).params)
    assert plan.normalise == NormaliseOptions(WAR.start_date, WAR.end_date, "drop")
