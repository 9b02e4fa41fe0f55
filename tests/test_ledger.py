"""The ledger counts what is there, tells what is waiting from what is lost, and cannot be fooled by sums."""

import json
import os
import time
from pathlib import Path

import pytest

from lake import Lake
from lake.errors import EmptyLake, LakeError
from lake.ledger import Ledger, ledger
from lake.tables import DUPLICATES, RAW_HARVESTS, RAW_HITS, RAW_IMAGES, RECORDS, REJECTIONS, SAMPLES, Table
from tests.good_lake import change_rows, good_lake, hit_id, row_of, sha256
from tests.lakes import NOON, write_raw

HITS = "hits = hits in records + rejections"
SEARCHES = "searches of records = hits in records"
URLS = "image URLs of records = images with a status + not yet fetched"
PICTURES = "ok images of records = samples + duplicates"
SPLITS = "samples = train + val + test_id + test_ood"
STAGES = ("harvest", "normalise", "fetch", "curate", "embed")


@pytest.fixture
def good(lake: Lake) -> Lake:
    return good_lake(lake)


def holds(found: Ledger) -> dict[str, bool | None]:
    return {equation.name: equation.holds for equation in found.equations}


def detail(found: Ledger, name: str) -> str:
    return next(equation.detail for equation in found.equations if equation.name == name)


def broken(lake: Lake) -> dict[str, str]:
    """The equations that do not hold, with what they say."""
    return {e.name: e.detail for e in ledger(lake).equations if e.holds is False}


def make_newer(lake: Lake, *parts: str) -> None:
    """Date files of the lake after everything in it."""
    now = time.time_ns() + 10**9
    for part in parts:
        for path in lake.root.glob(part):
            os.utime(path, ns=(now, now))


def test_every_noun_is_counted_with_its_kinds(good: Lake) -> None:
    counts = ledger(good).as_dict()["counts"]
    assert counts == {
        "hits": {"total": 7, "parts": {"in records": 6, "rejected": 1}},
        "rejections": {"total": 1, "parts": {"no_image": 1}},
        "records": {"total": 5, "parts": {"with an image URL": 5}},
        "images": {"total": 5, "parts": {"ok": 4, "http_error": 1}},
        "samples": {"total": 3, "parts": {"train": 2, "val": 1}},
        "duplicates": {"total": 1, "parts": {"same_bytes": 1}},
        "vectors": {"total": 3, "parts": {"tiny-0123abcd": 3}},
        "exports": {"total": 0, "parts": {}},
    }


@pytest.mark.parametrize(("stage", "settled"), [
    ("harvest", set()), ("normalise", {HITS, SEARCHES, URLS}), ("fetch", {HITS, SEARCHES, URLS}),
    ("curate", {HITS, SEARCHES, URLS, PICTURES, SPLITS}),
])
def test_an_equation_waits_for_its_stage(lake: Lake, stage: str, settled: set[str]) -> None:
    found = ledger(good_lake(lake, stage))
    assert {name for name, state in holds(found).items() if state} == settled
    assert {name for name, state in holds(found).items() if state is False} == set()
    assert found.balanced


def test_the_stage_to_run_is_named(lake: Lake) -> None:
    assert detail(ledger(good_lake(lake, "harvest")), HITS) == "7 waiting: run `glamlake normalise`"


def test_an_empty_lake_has_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(EmptyLake, match="nothing harvested yet"):
        ledger(Lake(tmp_path / "empty"))


def test_a_hit_asked_twice_is_one_hit(good: Lake) -> None:
    change_rows(good, RAW_HITS, lambda rows: rows.append(rows[0]))
    assert ledger(good).count("hits") == 7
    assert broken(good) == {}


def test_a_lost_hit_is_not_made_up_for_by_one_counted_twice(good: Lake) -> None:
    change_rows(good, REJECTIONS, lambda rows: rows[0].update(hit_id=hit_id("tram", "1")))
    assert broken(good) == {HITS: "1 in neither, 1 in both"}


def test_a_lost_hit_is_not_made_up_for_by_a_rejection_of_nothing(good: Lake) -> None:
    change_rows(good, REJECTIONS, lambda rows: rows[0].update(hit_id="0123456789abcdef"))
    assert broken(good) == {HITS: "1 in neither, 1 rejected but no hit"}


def test_a_hit_rejected_twice_breaks_the_balance(good: Lake) -> None:
    change_rows(good, REJECTIONS, lambda rows: rows.append(rows[0] | {"rule": "again"}))
    assert broken(good) == {HITS: "1 rejected twice"}


def test_a_lost_record_loses_its_hits(good: Lake) -> None:
    change_rows(good, RECORDS, lambda rows: rows.remove(row_of(rows, native_id="1")))
    assert broken(good)[HITS] == "2 in neither"


def test_a_record_that_no_hit_explains_is_found(good: Lake) -> None:
    change_rows(good, RECORDS, lambda rows: rows.append(rows[0] | {"record_id": "demo:99"}))
    assert broken(good) == {SEARCHES: "2 without a hit"}


def test_a_record_that_no_search_found_is_found(good: Lake) -> None:
    change_rows(good, RECORDS, lambda rows: rows.append(rows[0] | {"record_id": "demo:99", "queries": []}))
    assert broken(good) == {SEARCHES: "1 records without a search"}


def test_hits_without_an_id_must_be_rejected(good: Lake) -> None:
    nameless = {"hit_id": "f" * 16, "query": "tram", "payload": "{}", "fetched_at": NOON}
    change_rows(good, RAW_HITS, lambda rows: rows.append(rows[0] | nameless | {"native_id": None}))
    assert broken(good) == {HITS: "1 in neither"}
    change_rows(good, REJECTIONS, lambda rows: rows.append(rows[0] | {"hit_id": "f" * 16}))
    assert broken(good) == {}


def test_hits_harvested_since_are_waiting_not_lost(good: Lake) -> None:
    write_raw(good, RAW_HITS, [{"hit_id": "f" * 16, "native_id": "9", "query": "ship", "fetched_at": NOON}])
    make_newer(good, "raw/hits/*/000001.parquet")
    found = ledger(good)
    assert holds(found)[HITS] is None
    assert detail(found, HITS) == "1 waiting: run `glamlake normalise`"
    assert found.balanced


def test_waiting_excuses_no_hit_that_is_in_both(good: Lake) -> None:
    change_rows(good, REJECTIONS, lambda rows: rows[0].update(hit_id=hit_id("tram", "1")))
    make_newer(good, "raw/hits/*/*.parquet")
    assert broken(good) == {HITS: "1 in neither, 1 in both"}


def test_images_not_yet_fetched_are_counted_and_no_imbalance(lake: Lake) -> None:
    found = ledger(good_lake(lake, "normalise"))
    assert (found.count("images"), found.count("images", "not yet fetched")) == (0, 5)
    assert holds(found)[URLS] is True


def test_an_image_of_no_known_status_breaks_the_balance(good: Lake) -> None:
    change_rows(good, RAW_IMAGES, lambda rows: rows[0].update(status=None))
    assert broken(good) == {URLS: "1 of no known status"}
    assert ledger(good).count("images", "no status") == 1


def test_an_image_row_that_a_sample_was_made_from_cannot_get_lost(good: Lake) -> None:
    change_rows(good, RAW_IMAGES, lambda rows: rows.remove(row_of(rows, sha256=sha256("b"))))
    assert broken(good) == {PICTURES: "1 without an ok image of a record"}


@pytest.mark.parametrize(("table", "sha"), [(SAMPLES, sha256("c")), (DUPLICATES, sha256("a"))])
def test_an_ok_image_that_became_nothing_breaks_the_balance(good: Lake, table: Table, sha: str) -> None:
    change_rows(good, table, lambda rows: rows.remove(row_of(rows, sha256=sha)))
    assert broken(good) == {PICTURES: "1 in neither"}


def test_a_lost_picture_is_not_made_up_for_by_another_filed_twice(good: Lake) -> None:
    change_rows(good, DUPLICATES, lambda rows: rows[0].update(sha256=sha256("c")))
    assert broken(good) == {PICTURES: "1 in neither, 1 without an ok image of a record"}


@pytest.mark.parametrize("made_since", ["raw/images/*.parquet", "marts/records.parquet"])
def test_pictures_wait_for_curate_when_it_has_not_seen_the_newest(good: Lake, made_since: str) -> None:
    change_rows(good, DUPLICATES, list.clear)
    make_newer(good, made_since)
    assert detail(ledger(good), PICTURES) == "1 waiting: run `glamlake curate`"
    assert broken(good) == {}


def test_an_image_no_record_asks_for_any_more_is_no_imbalance(good: Lake) -> None:
    change_rows(good, RAW_IMAGES, lambda rows: rows.append(rows[1] | {"image_url": "https://old.invalid/1.jpg"}))
    assert broken(good) == {}


def test_a_sample_without_a_known_split_breaks_the_balance(good: Lake) -> None:
    change_rows(good, SAMPLES, lambda rows: rows[0].update(split=None))
    assert broken(good) == {SPLITS: "1 of no known split"}


def test_slices_that_are_not_complete_are_listed_with_the_reason(good: Lake) -> None:
    fault = {"status": "failed", "received": 2, "announced": 1003, "error": "the service says 500"}
    change_rows(good, RAW_HARVESTS, lambda rows: row_of(rows, query="ship").update(fault))
    found = ledger(good)
    assert [(s.query, s.status) for s in found.open_slices] == [("ship", "failed")]
    assert "  demo 'ship' all: failed, 2 of 1,003 · the service says 500" in found.text().splitlines()


def test_vectors_are_counted_for_the_samples_as_they_are_now(good: Lake) -> None:
    change_rows(good, SAMPLES, lambda rows: rows[0].update(sample_id="e" * 16))
    assert ledger(good).count("vectors", "tiny-0123abcd") == 2


def test_finished_exports_are_counted_by_their_manifest(good: Lake) -> None:
    for name in ("v1", "half"):
        (good.exports / name).mkdir(parents=True)
    (good.exports / "v1" / "manifest.json").write_text("{}")
    assert (ledger(good).count("exports"), ledger(good).count("exports", "v1")) == (1, 1)


def test_the_text_tells_what_holds_and_what_is_broken(good: Lake) -> None:
    assert "holds                7 = 7          hits = hits in records + rejections" in ledger(good).text()
    change_rows(good, REJECTIONS, list.clear)
    text = ledger(good).text()
    assert "BROKEN               7 ≠ 6          hits = hits in records + rejections (1 in neither)" in text
    assert not ledger(good).balanced


@pytest.mark.parametrize("stage", STAGES)
def test_the_ledger_of_any_stage_is_json(lake: Lake, stage: str) -> None:
    values = json.loads(json.dumps(ledger(good_lake(lake, stage)).as_dict()))
    assert values["balanced"] is True
    assert len(values["equations"]) == 5


def test_a_torn_file_is_one_clear_line(good: Lake) -> None:
    good.mart("samples").write_bytes(b"PAR1")
    with pytest.raises(LakeError, match=r"samples\.parquet"):
        ledger(good)
