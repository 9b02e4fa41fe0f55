"""The site for people: whole, offline, escaped, accessible; and the status it shows."""

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from lake import Lake
from lake.errors import LakeError
from lake.status import readable_size, status
from lake.tables import LABELS, RAW_HARVESTS, RAW_IMAGES, RECORDS, SAMPLES
from pipelines.report import cell_text, write_report
from tests.commands import glamlake
from tests.good_lake import change_rows, good_lake, row_of
from tests.lakes import NOON, write_raw

EVIL = "<script>alert('x')</script>&amp;\" onload=\"x"
QUALITY = {
    "expectations": [
        {"table": "records", "expectation": EVIL, "reason": EVIL, "severity": "critical", "outcome": "failed",
         "observed": "1 found", "detail": EVIL, "n_found": 1},
        {"table": "labels", "expectation": "fine", "reason": "", "severity": "warning", "outcome": "ok",
         "observed": "", "detail": "", "n_found": 0},
    ],
    "counts": {"ok": 1, "skipped": 0}, "failed_critical": 1,
    "drift": {"before": "20260101", "after": "20260102", "changes": [
        {"archive": "demo", "what": "lost providers", "before": "3", "after": "2", "effect": 0.4,
         "size": "large", "p_value": None, "detail": EVIL},
    ]},
}


class Page(HTMLParser):
    """What a page is made of: its tags with their attributes, and whether they are closed in order."""

    _VOID = ("meta", "img", "br", "link", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the newest tag, which must be this one."""
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def evil_lake(lake: Lake) -> Lake:
    good_lake(lake)
    change_rows(lake, LABELS, lambda rows: row_of(rows, label="ship").update(label=EVIL))
    change_rows(lake, SAMPLES, lambda rows: [row.update(title=EVIL, labels=[EVIL]) for row in rows])
    change_rows(lake, RAW_HARVESTS, lambda rows: rows[0].update(status="failed", error=EVIL, query=EVIL))
    change_rows(lake, RAW_IMAGES, lambda rows: row_of(rows, status="http_error").update(image_url=f"http://{EVIL}"))
    return lake


def test_the_site_is_whole_offline_escaped_and_accessible(evil_lake: Lake) -> None:
    (evil_lake.reports / "plots").mkdir(parents=True)
    (evil_lake.reports / "plots/left_over.svg").write_text("old")
    text = write_report(evil_lake, QUALITY).read_text("utf-8")
    page = Page(text)
    assert page.open == []
    assert not {"script", "iframe", "link", "object"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert not re.search(r"url\(|@import", text)
    pictures = page.all("img")
    assert len(pictures) >= 8
    for picture in pictures:
        assert picture["alt"]
        assert picture["src"]
        assert (evil_lake.reports / picture["src"]).stat().st_size > 1000
    for link in page.all("a"):
        target = link["href"] or ""
        assert target.startswith(("#", "data-", "plots/"))
        assert not target.startswith("plots/") or (evil_lake.reports / target).is_file()
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    inside = {link["href"] for link in page.all("a") if (link["href"] or "").startswith("#")}
    assert inside <= {f"#{i}" for i in ids}
    assert page.all("html")[0]["lang"] == "en"
    assert all("scope" in header for header in page.all("th"))
    assert text.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") >= 5
    assert "1 critical expectation is broken, no warnings." in text
    assert "What changed in the records since run 20260101" in text
    assert "The ledger balances." in text
    assert sorted(p.name for p in evil_lake.reports.iterdir()) == ["index.html", "plots"]
    assert not (evil_lake.reports / "plots/left_over.svg").exists()


def test_a_report_of_a_lake_that_was_only_harvested_says_what_is_missing(lake: Lake) -> None:
    text = write_report(good_lake(lake, "harvest")).read_text("utf-8")
    assert "There are no samples yet, so there are no rights to show." in text
    assert "The checks were not run for this report." in text
    assert "normalise: run `glamlake normalise`" in text.replace("&#96;", "`")


def test_the_command_writes_the_site_and_says_where(lake: Lake) -> None:
    good_lake(lake, "harvest")
    done = glamlake(lake.root, "report", "--skip-checks")
    assert (done.returncode, done.stdout.strip()) == (0, str(lake.reports / "index.html"))
    assert not lake.check_runs.exists()


@pytest.mark.parametrize(("value", "said"), [
    (None, "–"), (1931, "1931"), (12_345, "12,345"), (0.5, "0.50"), ("", ""), ("a", "a"),
])
def test_cells_read_as_people_write(value: object, said: str) -> None:
    assert cell_text(value) == said


# ── status ───────────────────────────────────────────────────────────────────────────────────────────────


def test_status_tells_how_complete_and_how_old_each_archive_is(lake: Lake) -> None:
    good_lake(lake)
    change_rows(lake, RAW_HARVESTS, lambda rows: row_of(rows, query="ship").update(
        status="truncated", announced=13, received=3))
    later = NOON.replace(tzinfo=UTC) + timedelta(days=40, hours=1)
    archive, = status(lake, later).archives
    assert (archive.archive, archive.n_slices, archive.n_complete) == ("demo", 2, 1)
    assert (archive.n_announced, archive.n_received, archive.completeness) == (17, 7, 7 / 17)
    counts = (archive.n_hits, archive.n_rejected, archive.n_records, archive.n_image_urls)
    assert counts == (7, 1, 5, 5)
    assert (archive.n_fetched, archive.n_failed, archive.n_samples, archive.age_days) == (4, 1, 3, 40)


def test_the_pieces_of_a_cut_slice_are_not_counted_beside_it(lake: Lake) -> None:
    good_lake(lake)
    piece = {"query": "tram", "status": "complete", "recorded_at": NOON, "announced": 2, "received": 2}
    write_raw(lake, RAW_HARVESTS, [
        piece | {"run_id": f"run-tram.{part}", "slice": f"all {part}"} for part in ("a", "b")
    ])
    archive, = status(lake).archives
    assert (archive.n_slices, archive.n_announced, archive.completeness) == (2, 7, 1)


def test_an_archive_that_announces_nothing_has_no_completeness(lake: Lake) -> None:
    good_lake(lake)
    change_rows(lake, RAW_HARVESTS, lambda rows: [row.update(announced=None) for row in rows])
    found = status(lake)
    assert found.archives[0].completeness is None
    assert " ? " in found.text()


def test_status_tells_failures_stages_models_and_weight(lake: Lake) -> None:
    good_lake(lake)
    found = status(lake)
    failure, = found.failures
    assert (failure.status, failure.http_status, failure.n) == ("http_error", 404, 1)
    assert [(stage.stage, stage.advice) for stage in found.stages] == [("normalise", ""), ("curate", "")]
    model, = found.models
    assert (model.model_id, model.n_samples, model.n_missing, model.coverage) == ("tiny-0123abcd", 3, 0, 1)
    weights = {use.place: use.n_files for use in found.disk}
    assert weights["images"] == 3
    assert weights["everything else"] == 0
    assert "completeness per archive" in found.text()


def test_a_stage_that_is_behind_says_what_to_run(lake: Lake) -> None:
    good_lake(lake, "fetch")
    change_rows(lake, RECORDS, lambda rows: None)
    found = {stage.stage: (stage.made_at is None, stage.advice) for stage in status(lake).stages}
    assert found == {"normalise": (False, ""), "curate": (True, "run `glamlake curate`")}


def test_status_as_json_keeps_the_ledger_at_its_top(lake: Lake) -> None:
    good_lake(lake, "normalise")
    values = json.loads(glamlake(lake.root, "status", "--json").stdout)
    assert set(values) == {
        "balanced", "counts", "equations", "open_slices", "archives", "failures", "stages", "disk", "models",
    }
    assert values["archives"][0]["newest_hit_at"] == "2026-01-02 12:00:00"
    assert values["failures"] == values["models"] == []


def test_torn_vectors_are_one_clear_line_of_status(lake: Lake) -> None:
    good_lake(lake)
    for file in lake.vectors.rglob("*.lance"):
        if file.is_file():
            file.write_bytes(b"torn")
    with pytest.raises(LakeError, match=r"vectors of tiny.* cannot be read .*; remove .* `glamlake embed`"):
        status(lake)


@pytest.mark.parametrize(("n", "said"), [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (1.5e9, "1.5 GB"),
    (2e15, "2,000.0 TB"),
])
def test_sizes_are_readable(n: float, said: str) -> None:
    assert readable_size(n) == said


def test_now_is_taken_from_the_clock_where_none_is_given(lake: Lake) -> None:
    before = days_since_noon()
    age = status(good_lake(lake, "harvest")).archives[0].age_days
    assert age is not None
    assert before <= age <= days_since_noon()


def days_since_noon() -> int:
    return max((datetime.now(UTC).replace(tzinfo=None) - NOON).days, 0)
