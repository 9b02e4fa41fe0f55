"""EUFCC-340K: rows of CSV files on this machine become hits, each with the characters of its cells."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from lake import Lake, catalog
from lake.errors import UnexpectedAnswer, UsageError
from pipelines.archives import load_archive
from pipelines.archives._archive import Page, Query
from pipelines.harvest import HarvestOptions, HarvestReport, harvest
from pipelines.http_client import Manners
from pipelines.plan import harvest_plan
from pipelines.replay import Answer, ReplayServer
from pipelines.replay.answers import Params
from pipelines.transform import normalise
from tests.hit_fixtures import FIXTURES

FILES = FIXTURES / "hits" / "eufcc"
HEADER = "idInSource,objectTypes.hierarchy,#portraitMedia.original"
QUICK = Manners(attempts=2, backoff_s=0.01, allow_private_hosts=True)


def written(folder: Path, name: str, *rows: str) -> Path:
    (folder / name).write_bytes("\n".join([HEADER, *rows, ""]).encode())
    return folder / name


def ask(lake: Lake, place: object, query: str = "*", **more: Any) -> HarvestReport:
    options = HarvestOptions((query,), base_url=str(place), **more)
    return harvest(lake, "eufcc", options, manners=QUICK)


def hits(lake: Lake) -> list[dict[str, Any]]:
    rows = catalog.rows(lake, "select distinct native_id, payload from raw_hits order by native_id")
    return [json.loads(row["payload"]) for row in rows]


def statuses(lake: Lake) -> list[tuple[Any, ...]]:
    rows = catalog.rows(lake, "select query, status, announced, received, pages from harvests order by query")
    return [tuple(row.values()) for row in rows]


def test_every_row_of_every_file_of_a_folder_is_a_hit_with_its_file(lake):
    ask(lake, FILES)
    assert statuses(lake) == [("*", "complete", 6, 6, 2)]
    assert {hit["idInSource"]: (hit["csv_file"], hit["csv_row"]) for hit in hits(lake)} == {
        "tool_000101": ("test_id_part1.csv", 1), "print_000102": ("test_id_part1.csv", 2),
        "ceramic_000103": ("test_id_part1.csv", 3), "art_000104": ("test_id_part1.csv", 4),
        "art_000105": ("test_id_part1.csv", 5), "costume_000106": ("train.csv", 1),
    }


def test_cells_are_kept_with_their_quotes_line_ends_and_spaces(lake):
    ask(lake, FILES / "test_id_part1.csv")
    by_id = {hit["idInSource"]: hit for hit in hits(lake)}
    assert by_id["print_000102"]["repository.keeper"] == 'Galèria "Nord", Sant Cugat'
    assert by_id["ceramic_000103"]["objectTypes.hierarchy"] == "ceràmica\r\n| plat"
    assert by_id["art_000105"]["objectTypes.hierarchy"] == " obra d'art | | retrat $$ "


def test_pages_that_end_anywhere_give_the_same_rows(tmp_path):
    quoted = [f'id{n},"a\nb ""{n}"" ü",https://x.example/{n}' for n in range(23)]
    written(tmp_path, "val.csv", *quoted[:12], "", *quoted[12:])
    written(tmp_path, "test_ood.csv", "zz,ü,https://x.example/z")
    archive = load_archive("eufcc")
    whole = pages_of(archive, tmp_path, 100)
    for page_size in (1, 5, 23):
        assert [i for p in pages_of(archive, tmp_path, page_size) for i in p.items] == \
            [i for p in whole for i in p.items]
    assert [len(page.items) for page in whole] == [1, 23]
    assert {page.announced for page in whole} == {24}


def pages_of(archive: Any, place: Path, page_size: int) -> list[Page]:
    pages, token = [], archive.first_token
    while token is not None:
        pages.append(archive.read_local(Query("*"), str(place), token, page_size))
        token = pages[-1].next_token
    return pages


def test_a_killed_harvest_goes_on_at_its_row(lake, tmp_path, monkeypatch):
    place = written(tmp_path, "train.csv", *(f"id{n},a | b,https://x.example/{n}" for n in range(2500)))
    archive = load_archive("eufcc")
    read_local, asked = archive.read_local, []

    def dies_at_the_third(query: Query, location: str, token: str, page_size: int) -> Page:
        asked.append(token)
        if len(asked) == 3:
            raise UnexpectedAnswer("the disk was pulled out")
        return read_local(query, location, token, page_size)

    monkeypatch.setattr(archive, "read_local", dies_at_the_third)
    monkeypatch.setattr("pipelines.service.tenacity.stop_after_attempt", lambda n: lambda state: True)
    assert ask(lake, place).slices[0].status == "failed"
    assert ask(lake, place).slices[0].status == "complete"
    assert asked[3] == asked[2] != "start"
    assert len(hits(lake)) == 2500


def test_words_choose_rows_and_the_count_is_of_those(lake):
    ask(lake, FILES, "natural RIU")
    assert statuses(lake) == [("natural RIU", "complete", 1, 1, 2)]
    assert hits(lake)[0]["idInSource"] == "print_000102"


def test_an_identifier_given_twice_is_one_hit_and_rows_without_one_are_all_hits(lake, tmp_path):
    ask(lake, written(tmp_path, "val.csv", "a,x,u", "a,y,u", ",x,u", ",x,u"))
    assert statuses(lake) == [("*", "complete", 3, 3, 1)]


def test_cells_beyond_the_header_are_kept_and_missing_ones_have_no_key(lake, tmp_path):
    ask(lake, written(tmp_path, "val.csv", "a,x,u,more", "b"))
    first, second = hits(lake)
    assert first["column 4"] == "more"
    assert set(second) == {"idInSource", "csv_file", "csv_row"}


@pytest.mark.parametrize(("content", "reason"), [
    (b'idInSource,x\na,"never closed\nb,c\n', "is no whole CSV after its row 0"), (b"", "is empty"),
])
def test_a_torn_file_fails_and_is_named(lake, tmp_path, content, reason):
    (tmp_path / "train.csv").write_bytes(content)
    [result] = ask(lake, tmp_path).slices
    assert result.status == "failed"
    assert f"train.csv {reason}" in str(result.error)


def test_a_folder_without_csv_files_fails_and_says_what_to_name(lake, tmp_path):
    [result] = ask(lake, tmp_path).slices
    assert result.status == "failed"
    assert "--base-url" in str(result.error)


def test_without_a_file_the_plan_asks_for_one_and_with_one_it_asks_for_all_rows():
    with pytest.raises(UsageError, match="reads files"):
        harvest_plan({}, ["eufcc"])
    [asked] = harvest_plan({}, ["eufcc"], base_url="some/folder")
    assert tuple(asked.options.queries) == ("*",)


class OneFile:
    """Serves one file, as a web server does."""

    def matches(self, path: str) -> bool:
        return path == "/data/test_ood.csv"

    def answer(self, path: str, params: Params, headers: object) -> Answer:
        return Answer(200, "text/csv", f"{HEADER}\nweb,à,https://x.example/1\n".encode())


def test_a_file_on_the_web_is_fetched_once_and_keeps_its_name(lake):
    with ReplayServer([OneFile()]) as server:
        ask(lake, f"{server.url}/data/test_ood.csv")
        assert len(server.requests) == 1
    assert [hit["csv_file"] for hit in hits(lake)] == ["test_ood.csv"]


@pytest.mark.real
def test_the_published_rows_become_hits_verbatim_and_fill_their_columns(lake):
    place = Path(os.environ["GLAMLAKE_SAMPLES"]) / "eufcc"
    [file] = place.glob("*.csv")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = {row["idInSource"]: row for row in csv.DictReader(lines)}
    ask(lake, place)
    extra = {"csv_file", "csv_row"}
    assert {hit["idInSource"]: {k: v for k, v in hit.items() if k not in extra} for hit in hits(lake)} == rows
    normalise(lake, ["eufcc"])
    records = catalog.rows(lake, "select * from records")
    assert len(records) == len(rows)
    for record in records:
        row = rows[record["native_id"]]
        labels = [cell for name, cell in row.items() if name.endswith(".hierarchy")]
        deepest = {path.split("|")[-1].strip() for cell in labels for path in cell.split("$")} - {""}
        assert set(record["subjects"]) == deepest
        assert record["provider"] == " ".join(row["repository.keeper"].split())
        assert record["image_url"] == row["#portraitMedia.original"]
