"""A lake that is made anew, or taken away, while it is read."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from lake import Lake
from lake.catalog import ask, connect
from lake.errors import LakeBusy, LakeError
from lake.projection import make_map
from lake.settled import read_settled
from lake.shelf import open_shelf
from tests.colour_gallery import ColourEncoder, open_gallery
from web.app import create_app


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = open_gallery(tmp_path_factory.mktemp("whole"))
    make_map(lake)
    return lake


@pytest.fixture
def gallery(whole: Lake, tmp_path: Path) -> Lake:
    shutil.copytree(whole.root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


def visitor_of(lake: Lake) -> TestClient:
    return TestClient(create_app(lake, ColourEncoder()), raise_server_exceptions=False)


def rewrite(lake: Lake, table: str, change: Callable[[Any], Any]) -> None:
    """As a stage does it: a draft, then a rename."""
    draft = lake.marts / ".draft"
    pq.write_table(change(pq.read_table(lake.mart(table))), draft)
    draft.replace(lake.mart(table))


def tear(path: Path) -> None:
    """Leave half of a file."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:len(content) // 2])


def ids_in(lake: Lake) -> list[str]:
    with connect(lake) as con:
        found: list[str] = ask(con, "select sample_id from samples")["sample_id"].to_pylist()
    return found


def test_what_changed_while_it_was_read_is_read_again(gallery: Lake) -> None:
    seen: list[int] = []

    def read() -> list[str]:
        found = ids_in(gallery)
        seen.append(len(found))
        if len(seen) == 1:
            rewrite(gallery, "samples", lambda table: table.slice(0, 20))
            raise IndexError("of an old file in a new one")
        return found

    assert (len(read_settled(gallery, read)), seen) == (20, [36, 20])


def test_marts_that_never_stay_as_they_are_are_said_to_be_busy(gallery: Lake) -> None:
    with pytest.raises(LakeBusy, match="made anew"):
        read_settled(gallery, lambda: rewrite(gallery, "samples", lambda table: table))


def test_an_error_of_marts_that_stay_as_they_are_is_told(gallery: Lake) -> None:
    with pytest.raises(LakeError, match="run its stage again"), connect(gallery) as con:
        read_settled(gallery, lambda: ask(con, "select nothing_of_that_name from samples"))


def test_samples_swapped_between_two_readings_of_them_are_not_mixed(
    gallery: Lake, monkeypatch: pytest.MonkeyPatch,
) -> None:
    swapped: list[str] = []

    def swap_first(con: Any, sql: str, key: str) -> Any:
        if not swapped:
            swapped.append("samples")
            rewrite(gallery, "samples", lambda table: table.slice(0, 20))
        return open_shelf(con, sql, key)

    monkeypatch.setattr("web.collection.open_shelf", swap_first)
    visitor = visitor_of(gallery)
    assert visitor.get("/api/facets").json()["n_samples"] == 20
    assert visitor.get(f"/api/samples/{30:016x}").status_code == 404


def test_records_made_anew_are_shown_without_a_restart(gallery: Lake) -> None:
    visitor = visitor_of(gallery)
    assert "Northport" in visitor.get(f"/samples/{3:016x}").text
    rewrite(gallery, "records", lambda table: table.set_column(
        table.schema.get_field_index("provider"), "provider", [["Southport"] * len(table)]))
    assert "Southport" in visitor.get(f"/samples/{3:016x}").text
    assert visitor.get("/api/facets").json()["providers"] == [{"name": "Southport", "n": 36}]


def test_a_sample_that_left_while_its_page_was_open_is_said_to_be_gone(gallery: Lake) -> None:
    visitor, address = visitor_of(gallery), f"/samples/{30:016x}"
    assert visitor.get(address).status_code == 200
    rewrite(gallery, "samples", lambda table: table.slice(0, 20))
    for path in (address, f"/api{address}", f"/iiif{address}/manifest.json", f"/pictures/{30:016x}"):
        assert visitor.get(path).status_code == 404
    assert visitor.get("/api/search", params={"like": f"{30:016x}"}).status_code < 500


_ADDRESSES = ("/", f"/?like={3:016x}", f"/samples/{3:016x}", "/map", "/api/map", "/api/health",
              "/api/search?q=red&hybrid=1", "/iiif/search/manifest.json?q=red", "/none")


@pytest.mark.parametrize("gone", ["marts/samples.parquet", "vectors/colours.lance/data", "."])
def test_what_is_taken_away_while_it_is_served_is_no_fault_of_the_server(gallery: Lake, gone: str) -> None:
    visitor = visitor_of(gallery)
    visitor.get("/?q=red")
    path = gallery.root / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    answers = [visitor.get(address) for address in _ADDRESSES]
    assert [answer.url.path for answer in answers if answer.status_code == 500] == []
    assert not [answer.text for answer in answers if str(gallery.root) in answer.text]


@pytest.mark.parametrize("torn", ["marts/records.parquet", "vectors/colours.json",
                                  "vectors/colours.map.parquet"])
def test_half_a_file_is_told_on_the_page_that_needs_it(gallery: Lake, torn: str) -> None:
    tear(gallery.root / torn)
    answers = [visitor_of(gallery).get(address) for address in _ADDRESSES]
    assert {answer.status_code for answer in answers} <= {200, 404, 503}
    assert any("again" in answer.text for answer in answers if answer.status_code == 503)
