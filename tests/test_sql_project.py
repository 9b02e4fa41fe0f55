"""The dbt project as a whole: all its tests, on fixtures, examples and seeds; and the recorded answers."""

import os
from dataclasses import asdict
from typing import Any

import pytest

from lake import Lake, catalog
from lake.tables import RAW_IMAGES
from pipelines import transform
from pipelines.transform import CurateOptions, normalise
from tests.hit_fixtures import ARCHIVES, fixture_items, hit, load_hits
from tests.lakes import write_raw
from tests.recorded_answers import RECORDED, recorded_items

SAMPLES = os.environ.get("GLAMLAKE_SAMPLES")


def test_every_model_test_and_unit_test_of_the_project_passes(lake: Lake) -> None:
    for archive in ARCHIVES:
        load_hits(lake, archive, "ship", fixture_items(archive))
    (lake.dbt / "marts").mkdir(parents=True)
    picture = {"image_url": "http://demo.glamlake.invalid/pictures/np-9001.jpg", "status": "ok"}
    write_raw(lake, RAW_IMAGES, [picture | {"sha256": "a" * 64, "path": "images/a.jpg"}])
    variables = {"archives": list(ARCHIVES)} | asdict(CurateOptions())
    transform._run_dbt(lake, "everything", variables)
    made = {path.stem for path in (lake.dbt / "marts").iterdir()}
    assert {name for name in made if not name.startswith("kept-")} == {
        "records", "rejections", "record_labels", "samples", "duplicates", "labels", "placeholders", "splits",
    }


Recorded = tuple[Lake, dict[str, list[Any]]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The recorded answers normalised, and their items by archive."""
    if not SAMPLES:
        pytest.skip("GLAMLAKE_SAMPLES names no folder of recorded answers")
    lake, items = Lake(tmp_path_factory.mktemp("recorded") / "lake"), {}
    for archive in RECORDED:
        items[archive] = recorded_items(archive)
        load_hits(lake, archive, "ship", items[archive])
    normalise(lake, ARCHIVES)
    return lake, items


@pytest.mark.real
@pytest.mark.parametrize("archive", RECORDED)
def test_every_recorded_item_is_a_record_or_rejected(recorded: Recorded, archive: str) -> None:
    lake, items = recorded
    kept = catalog.rows(lake, f"select native_id from records where archive = '{archive}'")
    rejected = catalog.rows(lake, f"select native_id, rule from rejections where archive = '{archive}'")
    given = {str(hit(archive, "ship", item)["native_id"]) for item in items[archive]}
    assert {row["rule"] for row in rejected} <= {"no_image", "not_an_item"}
    assert sorted(str(row["native_id"]) for row in kept + rejected) == sorted(given)


@pytest.mark.real
def test_recorded_europeana_items_keep_what_they_say(recorded: Recorded) -> None:
    lake, items = recorded
    by_id = _by_id(lake, "europeana")
    for item in items["europeana"]:
        record = by_id[item["id"]]
        assert record["title"]
        assert record["provider"] == " ".join(item["dataProvider"][0].split())
        assert record["image_url"] == item["edmIsShownBy"][0]
        assert record["rights_uri"].split("://")[1].rstrip("/") in item["rights"][0]
        assert record["landing_url"] == item["guid"].split("?")[0]
        assert record["country"] == item["country"][0]
        assert bool(record["description"]) == any(text.strip() for text in item.get("dcDescription", []))
        assert bool(record["creators"]) == bool(_given_names(item))
        assert record["year"] is not None or "year" not in item


@pytest.mark.real
def test_recorded_finna_records_keep_what_they_say(recorded: Recorded) -> None:
    lake, items = recorded
    by_id = _by_id(lake, "sa_kuva")
    for item in items["sa_kuva"]:
        if not item.get("images"):
            continue
        record = by_id[item["id"]]
        assert record["title"] == item["title"]
        assert record["image_url"] == "https://api.finna.fi" + item["images"][0]
        assert record["provider"] == item["buildings"][0]["translated"]
        assert len(record["creators"]) == len({author["name"] for author in item["nonPresenterAuthors"]})
        assert (record["rights_class"] == "open") == ("imageRights" in item)
        subjects = [text for texts in item["subjects"] for text in texts]
        assert (record["year"] is not None) == any("valmistusaika" in text for text in subjects)


def _by_id(lake: Lake, archive: str) -> dict[str, Any]:
    found = catalog.rows(lake, f"select * from records where archive = '{archive}'")
    return {str(row["native_id"]): row for row in found}


def _given_names(item: dict[str, Any]) -> list[str]:
    """Creators but for those that only say that nobody knows."""
    nobody = ("okänd", "unknown", "anonymous")
    return [name for name in item.get("dcCreator", []) if name.lower() not in nobody]
