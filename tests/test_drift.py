"""Drift between two runs: sizes of effect, archive by archive, and nothing where nothing changed."""

import json
from collections import Counter

import pyarrow as pa
import pytest

from checks.drift import Drift, cohens_h, compare, drift, share_moved
from checks.profile import PROFILE_SCHEMA, keep_profile, profile_of
from checks.report import run_checks
from checks.suites import SUITES
from lake import Lake
from lake.catalog import connect
from lake.errors import UnknownThing
from lake.tables import RECORDS
from tests.commands import glamlake
from tests.good_lake import change_rows, good_lake

FEW = [suite for suite in SUITES if suite.table == "rejections"]


def profile(archive: str, n: int, **aspects: dict[str, int]) -> pa.Table:
    """A profile of one archive."""
    rows = [{"archive": archive, "aspect": "records", "key": "", "n": n}]
    rows += [
        {"archive": archive, "aspect": aspect, "key": key, "n": count}
        for aspect, counts in aspects.items() for key, count in counts.items()
    ]
    return pa.Table.from_pylist(rows, PROFILE_SCHEMA)


def found(then: pa.Table, now: pa.Table) -> dict[str, tuple[str, str, str]]:
    """What changed, with before, after and size."""
    return {c.what: (c.before, c.after, c.size) for c in compare("a", "b", then, now).changes}


def test_a_profile_counts_records_values_years_labels_and_providers(lake: Lake) -> None:
    good_lake(lake)
    change_rows(lake, RECORDS, lambda rows: rows[0].update(title=None, creators=[], provider=None))
    with connect(lake) as con:
        rows = {(r["archive"], r["aspect"], r["key"]): r["n"] for r in profile_of(con).to_pylist()}
    assert rows["demo", "records", ""] == 5
    assert rows["demo", "filled", "title"] == rows["demo", "filled", "creators"] == 4
    assert rows["demo", "filled", "subjects"] == 0
    assert rows["demo", "year", "1931"] == 1
    assert rows["demo", "label", "tram"] == 3
    assert rows["demo", "provider", "Northport City Museum"] == 4


def keep(lake: Lake, run_id: str) -> None:
    """Keep a profile as a run of the checks does."""
    with connect(lake) as con:
        keep_profile(lake, profile_of(con), run_id)


def test_runs_with_the_same_records_do_not_drift_and_changed_ones_are_told(lake: Lake) -> None:
    good_lake(lake)
    for run_id in ("20260101", "20260102"):
        keep(lake, run_id)
    assert drift(lake) is None
    change_rows(lake, RECORDS, lambda rows: [row.update(title=None) for row in rows[:4]])
    report = run_checks(lake, FEW)
    assert report.drift is not None
    assert (report.drift.before, report.drift.after) == ("20260102", report.run_id)
    change, = report.drift.changes
    assert (change.archive, change.what) == ("demo", "title known")
    assert (change.before, change.after) == ("100.0%", "20.0%")
    assert (change.size, round(change.effect, 2)) == ("large", -2.21)
    assert change.p_value == pytest.approx(0.0098, abs=1e-4)
    assert "title known" in (report.page.read_text("utf-8") if report.page else "")
    assert drift(lake, "20260101", "20260102") == Drift("20260101", "20260102", ())
    assert json.loads(glamlake(lake.root, "drift", "--json").stdout)["changes"][0]["effect"] < -2


def test_a_run_that_is_not_there_or_not_one_is_named(lake: Lake) -> None:
    good_lake(lake)
    for run_id in ("20260101", "20260102"):
        keep(lake, run_id)
    with pytest.raises(UnknownThing, match="no run of the checks begins with '1999'"):
        drift(lake, "1999")
    with pytest.raises(UnknownThing, match="2 runs of the checks begins with '20'"):
        drift(lake, "20")
    done = glamlake(lake.root, "drift")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == (
        "glamlake: no two runs of the checks had different records; `glamlake check` makes one"
    )


def test_a_large_collection_with_a_tiny_change_is_significant_and_negligible() -> None:
    then = profile("a", 1_000_000, filled={"title": 900_000})
    change, = compare("x", "y", then, profile("a", 1_000_000, filled={"title": 902_000})).changes
    assert change.p_value is not None
    assert change.p_value < 0.001
    assert change.size == "negligible"


def test_new_and_lost_providers_are_named_with_their_share() -> None:
    then = profile("a", 10, provider={"Museum": 6, "Gone": 4})
    now = profile("a", 10, provider={"Museum": 9, "New": 1})
    changes = {c.what: c for c in compare("x", "y", then, now).changes}
    assert (changes["lost providers"].effect, changes["lost providers"].detail) == (0.4, "Gone (4)")
    assert (changes["new providers"].effect, changes["new providers"].detail) == (0.1, "New (1)")
    assert changes["lost providers"].size == "large"


def test_years_and_labels_that_moved_are_told_by_the_share_that_moved() -> None:
    then = profile("a", 10, year={"1940": 10}, label={"ship": 5, "tram": 5})
    now = profile("a", 20, year={"1940": 10, "1941": 10}, label={"ship": 10, "tram": 10})
    assert found(then, now) == {
        "records": ("10", "20", "large"), "years": ("1 there", "2 there", "large"),
    }


def test_archives_that_came_or_went_are_told() -> None:
    assert found(profile("a", 3), profile("b", 4)) == {
        "lost archive": ("3", "0", "large"), "new archive": ("0", "4", "large"),
    }
    assert found(profile("a", 3), PROFILE_SCHEMA.empty_table()) == {"lost archive": ("3", "0", "large")}


@pytest.mark.parametrize(("before", "after", "h"), [
    (0, 1, 3.1416), (0.5, 0.5, 0), (0.01, 0.02, 0.0835), (0.5, 0.51, 0.02),
])
def test_cohens_h_is_that_of_the_textbook(before: float, after: float, h: float) -> None:
    assert cohens_h(before, after) == pytest.approx(h, abs=1e-4)
    assert cohens_h(after, before) == pytest.approx(-h, abs=1e-4)


def test_the_share_moved_is_none_for_equal_and_all_for_disjoint_distributions() -> None:
    assert share_moved(Counter(a=1, b=1), Counter(a=50, b=50)) == 0
    assert share_moved(Counter(a=1), Counter(b=7)) == 1
    assert share_moved(Counter(a=3, b=1), Counter(a=1, b=1)) == 0.25
