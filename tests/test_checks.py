"""The suites find what is planted, name it, and say nothing about a good lake."""

import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checks.expectations import CRITICAL, Suite, Values, always, as_agreed, known
from checks.page import render
from checks.profile import keep_profile, profile_of
from checks.report import judge_suites, run_checks
from checks.results import CheckReport
from checks.suites import SUITES, ledger
from checks.suites.drift import NOTHING_BEFORE
from checks.suites.vectors import wrong_lengths
from lake import Lake
from lake.catalog import connect
from lake.errors import BadThresholds, EmptyLake
from lake.ledger import ledger as ledger_of
from lake.tables import (
    CONTRACT_TABLES,
    DUPLICATES,
    LABELS,
    RAW_HARVESTS,
    RAW_IMAGES,
    RECORD_LABELS,
    RECORDS,
    SAMPLES,
)
from lake.vectors import VectorRow, VectorStore
from tests.good_lake import EXPORT, MODEL, Row, change_rows, good_lake, sha256
from tests.planted_faults import FAULTS, A, B, Told, change
from tests.planted_values import VALUES

PLANTED = (*FAULTS, *VALUES)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return good_lake(Lake(tmp_path_factory.mktemp("good") / "lake").open(), "export")


@pytest.fixture
def lake(good: Lake, tmp_path: Path) -> Lake:
    return copy_of(good, tmp_path)


def copy_of(lake: Lake, folder: Path) -> Lake:
    """A copy as old as the lake itself."""
    return Lake(Path(copytree(lake.root, folder / "lake")))


def judge(lake: Lake, *tables: str) -> CheckReport:
    """The report on some tables only: Great Expectations takes its time."""
    return judge_suites(lake, [suite for suite in SUITES if suite.table in tables])


def told(lake: Lake) -> Told:
    """Every expectation that is not ok, with its outcome; with nothing to drift from, none about drift."""
    rows = [row for row in judge_suites(lake).rows if row.detail != NOTHING_BEFORE]
    return {(row.table, row.expectation, row.outcome) for row in rows if row.outcome != "ok"}


def test_a_good_lake_meets_every_expectation(lake: Lake) -> None:
    report = judge_suites(lake)
    others = {(row.table, row.detail) for row in report.rows if row.outcome != "ok"}
    assert others == {("drift", NOTHING_BEFORE)}
    assert {row.table for row in report.rows} == {suite.table for suite in SUITES}
    assert report.failed_critical == ()


@pytest.fixture(scope="module")
def told_of_groups(good: Lake, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """What is told of a lake with every fault of a group, for each group."""
    return [told_of(good, [plant for plant, _ in group.values()], tmp_path_factory) for group in PLANTED]


def told_of(good: Lake, plants: list[Callable[[Lake], None]], folders: pytest.TempPathFactory) -> Told:
    broken = copy_of(good, folders.mktemp("broken"))
    for plant in plants:
        plant(broken)
    return told(broken)


@pytest.mark.parametrize(("group", "fault"), [(i, name) for i, group in enumerate(PLANTED) for name in group])
def test_a_planted_fault_is_named(told_of_groups: list[Told], group: int, fault: str) -> None:
    _, expected = PLANTED[group][fault]
    assert expected <= told_of_groups[group]


def test_nothing_else_is_told_of_planted_faults(told_of_groups: list[Told]) -> None:
    for group, found in zip(PLANTED, told_of_groups, strict=True):
        expected = [row for _, rows in group.values() for row in rows]
        assert len(expected) == len(set(expected))
        assert found == set(expected)


def test_a_lost_and_an_empty_file_are_found(lake: Lake) -> None:
    lost, empty = sorted(lake.images.rglob("*.jpg"))[:2]
    lost.unlink()
    empty.write_bytes(b"")
    on_disk, altered = judge(lake, "images").failed_critical
    assert (on_disk.observed, altered.observed) == ("2 found", "1 found")
    assert lost.name in on_disk.detail
    assert empty.name in on_disk.detail
    assert empty.name in altered.detail


def test_a_vector_of_zeros_is_found(lake: Lake) -> None:
    VectorStore(lake).add(MODEL.model_id, [VectorRow(B, sha256("b"), np.zeros(4, np.float32))])
    row, = judge(lake, "vectors").failed_critical
    assert row.expectation == "every vector has length 1"
    assert B in row.detail


def split_of(lake: Lake, n_val: int, n: int) -> tuple[str, ...]:
    """What is said of the share of val of a lake with n samples more."""
    change_rows(lake, SAMPLES, lambda rows: rows.extend(
        rows[0] | {"sample_id": f"{i:016x}", "split": "val" if i < n_val else "train"} for i in range(n)))
    rows = judge(lake, "samples").rows
    return tuple(row.outcome for row in rows if "about what was asked" in row.expectation)


@pytest.mark.parametrize(("n_val", "outcome"), [(36, "ok"), (80, "failed"), (0, "failed")])
def test_a_split_far_from_what_was_asked_for_is_told(lake: Lake, n_val: int, outcome: str) -> None:
    assert split_of(lake, n_val, 100) == (outcome,)


def test_a_split_is_judged_by_what_curate_was_asked_for(lake: Lake) -> None:
    lake.reports.mkdir(exist_ok=True)
    (lake.reports / "splits.json").write_text('{"val_split": 0.8}')
    assert split_of(lake, 80, 100) == ("ok",)


def test_a_copy_beyond_one_edge_and_an_orientation_beyond_eight_are_told(lake: Lake) -> None:
    lake.reports.mkdir(exist_ok=True)
    (lake.reports / "splits.json").write_text('{"near_distance": 4}')
    near = pq.read_table(lake.mart("duplicates")).to_pylist()[0] | {"relation": "near", "distance": 9}
    rows = [near | {"evidence": evidence, "orientation": turned} for evidence, turned in
            (("whole", 1), ("chain", 8), ("embedding", 9))]
    pq.write_table(pa.Table.from_pylist(rows), lake.mart("duplicates"))
    told = {row.expectation: row.observed for row in judge(lake, "duplicates").with_outcome("failed")}
    assert told["no copy is further from its sample than one edge may be"] == "1 found"
    assert told["orientations are 1 to 8"] == "1 found"


def test_records_that_drifted_far_since_the_last_run_are_told_by_thresholds(lake: Lake) -> None:
    with connect(lake) as con:
        keep_profile(lake, profile_of(con), "20260101")
    empty = {"title": None, "year": None, "date_start": None}
    change_rows(lake, RECORDS, lambda rows: [rows.pop(), *(row.update(empty) for row in rows)])
    failed = judge(lake, "drift").with_outcome("failed")
    assert [(row.severity, row.detail) for row in failed] == [
        ("warning", "demo records: 5 → 4"),
        ("warning", "demo date_start known: 100.0% → 0.0%, demo title known: 100.0% → 0.0%, "
                    "demo year known: 100.0% → 0.0%"),
    ]
    lake.checks.joinpath("thresholds.toml").write_text("[drift]\nlost_records = 0.5\nfill_effect = 3.2\n")
    assert judge(lake, "drift").with_outcome("failed") == ()


def test_lengths_near_1_are_right_and_a_nan_never_is() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0.6, 0.6], [np.nan, 1], [np.inf, 0]], np.float32)
    assert [i for i, _ in wrong_lengths(vectors)] == [2, 3, 4]


def test_a_sample_without_a_vector_is_only_a_warning(lake: Lake) -> None:
    change(SAMPLES, "sample_id", "e" * 16, sample_id=B)(lake)
    report = judge(lake, "samples", "vectors")
    assert [row.expectation for row in report.with_outcome("failed")] == [
        "every vector is of a sample there is", "every sample has a vector of the newest model",
    ]
    assert report.failed_critical == ()


def test_a_limit_set_by_the_user_is_only_a_warning(lake: Lake) -> None:
    change(RAW_HARVESTS, "status", "truncated", query="ship")(lake)
    change(RAW_HARVESTS, "cap", "limit 3", query="ship")(lake)
    report = judge(lake, "harvests")
    assert [row.expectation for row in report.with_outcome("failed")] == ["no slice was cut short by --limit"]
    assert report.failed_critical == ()


def test_a_host_that_mostly_fails_is_a_warning_that_names_it(lake: Lake) -> None:
    def fail(rows: list[Row]) -> None:
        rows += [rows[0] | {"image_url": f"https://down.invalid/{i}.jpg"} for i in range(6)]

    change_rows(lake, RAW_IMAGES, fail)
    row, = judge(lake, "images").with_outcome("failed")
    assert (row.severity, row.detail) == ("warning", "down.invalid: 6 of 6")


def test_fill_rates_tell_how_many_are_known(lake: Lake) -> None:
    change_rows(lake, RECORDS, lambda rows: [row.update(title=None) for row in rows[:3]])
    row, = judge(lake, "records").with_outcome("failed")
    assert (row.expectation, row.severity, row.observed) == (
        "title is known often enough", "warning", "2 of 5 known, 80% expected",
    )


def test_a_column_of_another_type_breaks_the_agreement(lake: Lake) -> None:
    path = lake.mart("labels")
    table = pq.ParquetFile(path).read()
    pq.write_table(table.set_column(4, "tier", pa.array([1, 1])), path)
    agreement = next(row for row in judge(lake, "labels").rows if row.outcome == "failed")
    assert agreement.expectation == "columns and types are those agreed on"
    assert agreement.detail == "tier is int64, not string"


def test_a_missing_column_is_an_error_of_what_needs_it_not_a_failed_datum(lake: Lake) -> None:
    path = lake.mart("duplicates")
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["relation"]), path)
    report = judge(lake, "duplicates", "ledger")
    broken, = report.with_outcome("failed")
    assert broken.detail == "relation is missing"
    assert {row.expectation for row in report.with_outcome("error")} == {
        "relation is never NULL", "relation is one of the known values",
        "the same bytes are called same_bytes", "what is the same has no distance", *ledger.REASONS,
    }
    assert "The ledger" not in render(report, "lake")


def test_an_exception_inside_an_expectation_is_an_error(lake: Lake) -> None:
    rule = "ExpectColumnValuesToBeBetween"
    broken = Values("formats are numbers", "", CRITICAL, "format", rule, {"min_value": 3})
    report = judge_suites(lake, [Suite("images", "images", (broken,), always)])
    row, = report.rows
    assert row.outcome == "error"
    assert row.detail
    assert report.failed_critical == (row,)


def test_tables_that_no_stage_has_made_are_skipped_with_the_stage_to_run(tmp_path: Path) -> None:
    harvested = good_lake(Lake(tmp_path / "young").open(), "harvest")
    report = judge_suites(harvested)
    assert {row.table for row in report.with_outcome("ok")} == {"hits", "harvests"}
    assert report.with_outcome("failed") == report.with_outcome("error") == ()
    notes = {row.table: row.detail for row in report.with_outcome("skipped")}
    assert notes["records"] == "no records yet; run `glamlake normalise`"
    assert notes["samples"] == "no samples yet; run `glamlake curate`"
    assert notes["images"] == "no images yet; run `glamlake fetch`"
    assert notes["vectors"] == "no vectors yet; run `glamlake embed`"


def test_empty_marts_break_nothing(lake: Lake) -> None:
    for table in (DUPLICATES, LABELS, SAMPLES, RECORD_LABELS):
        change_rows(lake, table, list.clear)
    assert {t for t, _, outcome in told(lake) if outcome == "error"} == set()


def test_an_empty_lake_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(EmptyLake, match="nothing harvested yet"):
        run_checks(Lake(tmp_path / "empty"))


def test_every_equation_of_the_ledger_is_an_expectation(good: Lake) -> None:
    assert {e.name for e in ledger_of(good).equations} == set(ledger.REASONS)


def test_every_expectation_has_a_reason_and_a_name_of_its_own() -> None:
    for suite in SUITES:
        assert all(e.reason for e in suite.expectations)
        assert len({e.name for e in suite.expectations}) == len(suite.expectations)


def test_what_people_rely_on_is_checked_in_every_table() -> None:
    agreed = as_agreed(RECORDS, "records").name
    tables = {suite.table for suite in SUITES if agreed in {e.name for e in suite.expectations}}
    assert tables == {"hits", "placeholders", *(table.name for table in CONTRACT_TABLES)}


def test_the_report_is_one_page_without_anything_from_elsewhere_and_data_docs_beside_it(lake: Lake) -> None:
    some = [suite for suite in SUITES if suite.table in ("ledger", "labels")]
    first = run_checks(lake, some)
    assert first.page is not None
    assert run_checks(lake, some).page == first.page == lake.reports / "data-quality" / "index.html"
    text = first.page.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)\b|https?://|url\(|@import", text)
    assert "The ledger balances" in text
    assert (lake.reports / "data-docs" / "index.html").is_file()
    assert sorted(path.name for path in lake.reports.iterdir()) == ["data-docs", "data-quality"]
    assert [path.name for path in first.page.parent.iterdir()] == ["index.html"]


def test_what_archives_wrote_cannot_become_markup_of_the_page(lake: Lake) -> None:
    evil = "<script>alert('x')</script>&amp;"
    change(RECORDS, "rights_class", evil, native_id="4")(lake)
    change(RAW_HARVESTS, "status", "failed", query="ship")(lake)
    change(RAW_HARVESTS, "error", evil, query="ship")(lake)
    page = render(judge(lake, "records"), evil)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;") >= 3


def test_failures_stand_first_and_the_summary_counts_them(lake: Lake) -> None:
    change(SAMPLES, "cluster_id", A, sample_id=B)(lake)
    page = render(judge(lake, "samples"), "lake")
    assert "1 critical expectation is not met." in page
    section = page[page.index('id="samples"'):]
    assert section.index("no cluster lies in two splits") < section.index("columns and types are")


def test_every_run_is_kept_and_none_is_changed(lake: Lake) -> None:
    some = [suite for suite in SUITES if suite.table == "labels"]
    first = run_checks(lake, some)
    kept = {path: path.read_bytes() for path in lake.check_runs.iterdir()}
    change(LABELS, "n_samples", 7, label="ship")(lake)
    second = run_checks(lake, some)
    assert {path: path.read_bytes() for path in kept} == kept
    rows = pq.ParquetDataset(lake.check_runs).read().to_pylist()
    failed = [(row["run_id"], row["n_found"]) for row in rows if row["outcome"] == "failed"]
    assert failed == [(second.run_id, 1)]
    assert {row["run_id"] for row in rows} == {first.run_id, second.run_id}


def test_thresholds_are_written_once_with_their_reasons_and_obeyed(lake: Lake) -> None:
    some = [suite for suite in SUITES if suite.table == "records"]
    run_checks(lake, some)
    file = lake.checks / "thresholds.toml"
    text = file.read_text("utf-8")
    assert "# title is known often enough: an object without a title is hard to find and to caption" in text
    assert "title_known = 0.8" in text
    file.write_text("[records]\ntitle_known = 0.5\nearliest_year = 1933  # the oldest is of 1931\n")
    change_rows(lake, RECORDS, lambda rows: [row.update(title=None) for row in rows[:2]])
    row, = run_checks(lake, some).with_outcome("failed")
    assert (row.expectation, row.n_found) == ("no date is earlier than one believes", 2)
    assert file.read_text("utf-8").startswith("[records]\ntitle_known = 0.5")


@pytest.mark.parametrize(("text", "said"), [
    ("[records\n", "is no TOML"),
    ("title_known = 0.8", "'title_known' stands in no table"),
    ("[records]\ntitel_known = 0.8", "no threshold is named 'records.titel_known'; there are: records.title"),
    ("[records]\ntitle_known = '80%'", "records.title_known is '80%', no number; the default is 0.8"),
    ("[records]\ntitle_known = true", "no number"),
    ("[records]\ntitle_known = 80", "records.title_known is 80; it must be from 0 to 1"),
    ("[records]\ntitle_known = nan", "must be from 0 to 1"),
    ("[records]\ntitle_known = {}", "no number"),
    ("records = 1", "stands in no table"),
    ("\x00", "is no TOML"),
])
def test_a_broken_file_of_thresholds_is_one_clear_line(lake: Lake, text: str, said: str) -> None:
    lake.checks.mkdir()
    (lake.checks / "thresholds.toml").write_text(text)
    with pytest.raises(BadThresholds) as failed:
        run_checks(lake)
    assert said in str(failed.value)
    assert "\n" not in str(failed.value)
    assert not lake.reports.exists()


def test_a_file_of_thresholds_that_is_no_text_is_one_clear_line(lake: Lake) -> None:
    lake.checks.mkdir()
    (lake.checks / "thresholds.toml").write_bytes(b"\xff\xfe[records]")
    with pytest.raises(BadThresholds, match="cannot read"):
        run_checks(lake)


def test_a_placeholder_that_many_records_share_is_told_by_a_threshold(lake: Lake) -> None:
    lake.checks.mkdir()
    (lake.checks / "thresholds.toml").write_text("[records]\nrecords_of_one_picture = 1\n")
    change(RECORDS, "image_url", "https://pictures.invalid/1.jpg", native_id="2")(lake)
    row, = judge(lake, "records").with_outcome("failed")
    assert row.detail == "https://pictures.invalid/1.jpg: 2 records"


def test_a_broken_store_of_vectors_is_an_error_and_the_rest_is_judged(lake: Lake) -> None:
    for file in lake.vectors.rglob("*.lance"):
        if file.is_file():
            file.write_bytes(b"torn")
    report = judge(lake, "vectors", "labels")
    assert {row.table for row in report.with_outcome("error")} == {"vectors"}
    assert {row.table for row in report.with_outcome("ok")} == {"labels"}


def test_an_export_without_its_manifest_or_with_a_strange_one_is_not_whole(lake: Lake) -> None:
    manifest = lake.exports / EXPORT / "manifest.json"
    for content in ("[]", '{"files": 3, "options": []}', "{", '{"files": {"no/such": "0"}, "options": {}}'):
        manifest.write_text(content)
        row, = judge(lake, "exports").failed_critical
        assert row.expectation == "every export is whole"
    manifest.unlink()
    assert judge(lake, "exports").failed_critical[0].detail == f"{EXPORT}: no manifest that can be read"


def test_a_report_is_plain_values_for_machines(lake: Lake) -> None:
    values = judge_suites(lake, [Suite("images", "images", (known("status", "why"),), always)]).as_dict()
    assert values["counts"] == {"failed": 0, "error": 0, "skipped": 0, "ok": 1}
    assert values["expectations"][0] == {
        "table": "images", "expectation": "status is never NULL", "reason": "why", "severity": "critical",
        "outcome": "ok", "observed": "", "detail": "", "n_found": 0,
    }
