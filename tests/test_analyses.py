"""Ready questions: each has a title and an answer, on any lake."""

import json
import re

import pytest
from click.testing import CliRunner

from lake import Lake, catalog
from lake.errors import UnknownThing
from pipelines.cli import cli
from pipelines.questions import question, question_titles
from tests.good_lake import good_lake

NAMES = list(question_titles())


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return good_lake(Lake(tmp_path_factory.mktemp("asked") / "lake").open(), "curate")


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake in which nothing but a harvest was done."""
    return good_lake(Lake(tmp_path_factory.mktemp("harvested") / "lake").open(), "harvest")


def rows(lake: Lake, name: str) -> list[dict[str, object]]:
    return catalog.rows(lake, question(name))


def test_there_are_fifteen_or_more_with_titles_of_their_own():
    titles = question_titles()
    assert len(titles) >= 15
    assert len(set(titles.values())) == len(titles)
    assert all(re.fullmatch(r"[A-Z][^:]+(: .+)?", title) for title in titles.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_an_answer_at_any_stage(asked, harvested, name):
    late, early = catalog.query(asked, question(name)), catalog.query(harvested, question(name))
    assert late.schema.names == early.schema.names
    assert len(set(late.schema.names)) == late.num_columns


def test_searches_are_told_by_what_no_other_found(asked):
    found = rows(asked, "searches_that_bring_what_no_other_does")
    assert {row["query"]: row["n_found_by_no_other"] for row in found} == {"ship": 2, "tram": 2}


def test_labels_that_go_together_are_weighed_against_chance(asked):
    assert rows(asked, "labels_that_go_together") == [
        {"label": "ship", "other_label": "tram", "n_together": 1, "times_chance": 0.56},
    ]


def test_what_is_missing_is_a_share_of_the_records(asked):
    [row] = rows(asked, "what_is_missing")
    assert (row["n_records"], row["title"], row["subjects"]) == (5, 1.0, 0.0)


def test_failures_are_counted_by_host(asked):
    [row] = rows(asked, "failures_by_host")
    assert (row["host"], row["http_status"], row["n_pictures"]) == ("pictures.invalid", 404, 1)


def test_growth_counts_an_object_on_the_day_it_was_first_seen(asked):
    [row] = rows(asked, "growth_per_harvest")
    assert (row["n_hits"], row["n_new_objects"]) == (7, 6)


def test_the_command_lists_the_questions_and_asks_them(asked):
    listed = CliRunner().invoke(cli, ["ask"]).output
    assert all(re.search(rf"^{name} ", listed, re.MULTILINE) for name in NAMES)
    words = ["--lake", str(asked.root), "ask", "rejections_by_rule", "--format", "json"]
    [row] = json.loads(CliRunner().invoke(cli, words).output)
    assert row["rule"] == "no_image"


def test_a_question_nobody_wrote_is_named():
    with pytest.raises(UnknownThing, match=r"'\.\./x'; `glamlake ask` lists them"):
        question("../x")
