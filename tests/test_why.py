"""why and rules: the story of one thing, from whatever end it is asked."""

import json

import pytest
from click.testing import CliRunner

from lake import Lake
from lake.errors import UnknownThing
from lake.tables import DUPLICATES, RAW_HITS, RECORDS, REJECTIONS
from lake.why import victims, why
from pipelines.cli import cli
from tests.good_lake import change_rows, good_lake, hit_id, row_of, sha256
from tests.lakes import NOON, write_mart, write_raw

SAMPLE = "a" * 16


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = good_lake(Lake(tmp_path_factory.mktemp("told") / "lake").open(), "curate")
    copy = "https://pictures.invalid/2.jpg"
    change_rows(lake, DUPLICATES, lambda rows: rows[0].update(image_url=copy))
    undated = {"date_start": None, "date_end": None, "date_raw": "of old"}
    change_rows(lake, RECORDS, lambda rows: row_of(rows, native_id="3").update(undated))
    return lake


@pytest.mark.parametrize(("thing", "kind", "records"), [
    (hit_id("ship", "5"), "hit", ["demo:5"]),
    ("demo:1", "record", ["demo:1"]),
    ("https://pictures.invalid/3.jpg", "image", ["demo:3"]),
    (sha256("a"), "image", ["demo:1", "demo:2"]),
    (SAMPLE, "sample", ["demo:1", "demo:2"]),
    (" demo:1 ", "record", ["demo:1"]),
])
def test_a_thing_is_told_from_whatever_end_it_is_asked(told, thing, kind, records):
    story = why(told, thing)
    assert story.kind == kind
    assert [record["record_id"] for record in story.records] == records
    assert {hit["record_id"] for hit in story.hits} == set(records)
    assert all(set(sample["record_ids"]) & set(records) for sample in story.samples)
    assert story.samples


def test_a_record_is_told_with_searches_labels_picture_and_split(told):
    text = why(told, "demo:1").text()
    for said in (
        "the search 'ship' of demo, slice all", "page 1, place 0, 2026-01-02 12:00 UTC",
        "1931-01-01 to 1931-12-31, from '1931'", "open (https://creativecommons.org/licenses/by/4.0/)",
        "ship: query 'ship', confidence 0.90", "ok, asked once", "96 x 80", f"stands for  sample {SAMPLE}",
        "shown by    demo:1, demo:2", "ship, the rarest of ship, tram", "split       train",
    ):
        assert said in text


def test_a_rejected_hit_names_the_rule_and_what_it_saw(told):
    story = why(told, hit_id("tram", "6"))
    assert (story.records, story.samples) == ((), ())
    assert "rejected    by the rule no_image: the item names no picture" in story.text()
    assert why(told, "demo:6").hits == story.hits


def test_a_picture_that_never_came_says_so(told):
    assert "http_error: 404 Not Found, asked once" in why(told, "demo:4").text()


def test_a_copy_names_its_sample_and_the_evidence(told):
    assert f"copy        of sample {SAMPLE}: same_bytes, 0 bits apart" in why(told, "demo:2").text()


def test_a_date_that_no_rule_reads_is_quoted(told):
    assert "no rule reads 'of old'" in why(told, "demo:3").text()


def test_stages_that_have_yet_to_run_are_named(lake):
    good_lake(lake, "harvest")
    story = why(lake, hit_id("ship", "1"))
    assert story.waiting == ("normalise", "curate")
    assert "became      nothing yet" in story.text()


def test_an_answer_received_twice_is_one_hit(lake):
    good_lake(lake, "harvest")
    again = {"hit_id": hit_id("ship", "1"), "native_id": "1", "query": "ship", "page": 7, "fetched_at": NOON}
    write_raw(lake, RAW_HITS, [again])
    story = why(lake, hit_id("ship", "1"))
    assert "received    2 times" in story.text()
    assert sum(hit["hit_id"] == again["hit_id"] for hit in story.hits) == 1


def test_what_the_lake_does_not_know_is_named(told):
    with pytest.raises(UnknownThing, match="no hit, record, image or sample 'nothing'"):
        why(told, "nothing")


def test_the_command_answers_as_json(told):
    answer = CliRunner().invoke(cli, ["--lake", str(told.root), "why", SAMPLE, "--json"])
    assert json.loads(answer.output)["samples"][0]["split"] == "train"


def _rejected(lake: Lake) -> Lake:
    good_lake(lake, "harvest")
    rules = ("no_image", "unwanted_creator")
    write_mart(lake, REJECTIONS, [
        {"hit_id": f"{n:016x}", "archive": "demo", "rule": rules[n % 2], "detail": str(n)} for n in range(60)
    ])
    return lake


def test_rules_show_so_many_random_victims_of_each(lake):
    found = victims(_rejected(lake), 7, seed=1)
    assert [row["rule"] for row in found] == ["no_image"] * 7 + ["unwanted_creator"] * 7
    assert {row["n_rejected"] for row in found} == {30}
    assert victims(lake, 7, seed=1) == found
    assert [row["hit_id"] for row in victims(lake, 7, seed=2)] != [row["hit_id"] for row in found]


def test_one_rule_can_be_asked_for(lake):
    assert {row["rule"] for row in victims(_rejected(lake), 3, rule="no_image")} == {"no_image"}
