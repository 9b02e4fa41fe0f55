"""curate: pictures of records become samples and duplicates, and no cluster straddles the split."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lake import Lake, catalog
from lake.errors import EmptyLake, UsageError
from lake.ledger import ledger
from lake.tables import DUPLICATES, LABELS, RAW_IMAGES, SAMPLES, Table
from pipelines.transform import CurateOptions, curate, normalise
from tests.commands import ROOT
from tests.hit_fixtures import ARCHIVES, load_hits
from tests.lakes import write_raw

MARTS = (SAMPLES, DUPLICATES, LABELS)
BASE = "http://demo.glamlake.invalid"
N_PLAIN = 40
BY, NC, INC = "CC BY 4.0", "CC BY-NC 4.0", "InC"


def _object(name: str, **fields: object) -> dict[str, object]:
    plain = {"id": name, "title": f"Picture {name}", "picture": f"/{name}.jpg", "licence": BY}
    return plain | {"holder": "Museum"} | fields


OBJECTS = (
    _object("a1", title="Old train", licence=BY, keywords=["train"], made="1931"),
    _object("a2", title="Train again", licence=INC, keywords=["bridge"]),    # same bytes as a1
    _object("a3", title="Smaller train", licence=NC, made="1932"),    # same pixels as a1
    _object("a4", title="Paler train", holder="Rare Museum"),    # near a3
    _object("b1", title="Ship", keywords=["bridge"], made="before 1940"),
    _object("b2", title="Other ship"),    # 8 bits apart from b1
    _object("c1", title="Blank"), _object("c2", title="Other blank"),    # same hash, no entropy
    _object("d1", title="Front"), _object("d2", title="Back"),       # same hash, other thumbnail
    _object("e1", title="Not fetched"), _object("e2", title="Broken"),
    *(_object(f"p{n:02d}", keywords=["house"] if n % 2 else ["castle", "house"]) for n in range(N_PLAIN)),
    *(_object(f"s{n}", keywords=["windmill"]) for n in range(3)),       # "no picture available"
)


SCENE = [float(tone) for tone in range(256)]
OTHER_SCENE = [float(tone * 37 % 256) for tone in range(256)]


def _image(name: str, **facts: object) -> dict[str, Any]:
    sha256 = str(facts.pop("sha256", f"{name}0".encode().hex().ljust(64, "0")))
    return {
        "image_url": f"{BASE}/{name}.jpg", "status": "ok", "http_status": 200, "bytes": 1000, "width": 100,
        "height": 80, "fetched_at": datetime(2026, 1, 3, tzinfo=UTC), "sha256": sha256, "entropy": 6.0,
        "pixel_hash": sha256[::-1], "phash": f"{hash_of(name):016x}", "rgb_mean": [0.5, 0.5, 0.5],
        "path": f"images/{sha256}.jpg", "thumbnail": SCENE,
    } | facts


def hash_of(name: str) -> int:
    """A 64-bit hash far from every other name's."""
    return int.from_bytes(bytes((ord(c) * 167 + i * 59) % 256 for i, c in enumerate((name * 8)[:8])), "big")


NEAR = hash_of("aaaa")
IMAGES: tuple[Mapping[str, Any], ...] = (
    _image("a1", sha256="a" * 64, pixel_hash="same", phash=f"{NEAR:016x}", bytes=900),
    _image("a2", sha256="a" * 64, pixel_hash="same", phash=f"{NEAR:016x}", bytes=900),
    _image("a3", sha256="b" * 64, pixel_hash="same", phash=f"{NEAR:016x}"),
    _image("a4", sha256="1" * 64, phash=f"{NEAR ^ 0b111:016x}", width=50, height=40),
    _image("b1", phash="00ff00ff00ff00ff"), _image("b2", phash="00ff00ff00ff03c0"),
    _image("c1", phash="8000000000000000", entropy=0.1), _image("c2", phash="8000000000000000", entropy=0.1),
    _image("d1", phash="1234567812345678"),
    _image("d2", phash="1234567812345678", thumbnail=OTHER_SCENE),
    _image("e2", status="corrupt", sha256=None, pixel_hash=None, path=None),
    _image("nobodys"),
    *(_image(f"p{n:02d}", phash=f"{(n * 0x9E3779B97F4A7C15) % 2**64:016x}") for n in range(N_PLAIN)),
    *(_image(f"s{n}", sha256="5" * 64, pixel_hash="sorry", entropy=2.0) for n in range(3)),
)


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Pictures with every kind of copy among forty plain ones, curated once."""
    lake = Lake(tmp_path_factory.mktemp("curate") / "lake")
    load_hits(lake, "demo", "steam train", OBJECTS)
    normalise(lake, ARCHIVES)
    earlier = _image("a1", status="timeout", fetched_at=datetime(2026, 1, 1, tzinfo=UTC))
    write_raw(lake, RAW_IMAGES, [earlier, *IMAGES])
    curate(lake, CurateOptions(), ARCHIVES)
    return lake


def _rows(lake: Lake, sql: str) -> list[dict[str, Any]]:
    return catalog.rows(lake, sql)


def _sample(lake: Lake, record: str) -> dict[str, Any]:
    (row,) = _rows(lake, f"select * from samples where list_contains(record_ids, 'demo:{record}')")
    return row


@pytest.mark.parametrize("table", MARTS, ids=lambda table: table.name)
def test_marts_have_the_columns_of_the_contract_in_its_types(curated: Lake, table: Table) -> None:
    written = pq.read_schema(curated.mart(table.name))
    assert {field.name: field.type for field in written if field.name in table.schema.names} == {
        field.name: field.type for field in table.schema
    }


def test_every_good_picture_of_a_record_is_a_sample_or_a_duplicate(curated: Lake) -> None:
    # nobody's picture belongs to no record, and three addresses have none
    n_ok = len([image for image in IMAGES if image["status"] == "ok"]) - 1 - 3
    places = _rows(curated, "select image_url from samples union all select image_url from duplicates")
    assert len(places) == n_ok
    assert len({row["image_url"] for row in places}) == n_ok


def test_a_placeholder_becomes_no_sample_and_is_on_record_with_its_reason(curated: Lake) -> None:
    told = _rows(curated, "select sha256, archive, evidence, n_urls from placeholders")
    assert told == [{"sha256": "5" * 64, "archive": "demo", "evidence": "plain", "n_urls": 3}]
    found = _rows(curated, "select * from images where is_placeholder")
    assert {(row["image_url"].removeprefix(BASE), row["status"]) for row in found} == {
        (f"/s{n}.jpg", "blank") for n in range(3)
    }
    assert all("a placeholder" in row["error"] for row in found)
    assert _rows(curated, "select label from labels where label = 'windmill' and n_samples > 0") == []
    assert [equation.name for equation in ledger(curated).equations if equation.holds is False] == []


def test_copies_are_named_with_their_evidence(curated: Lake) -> None:
    found = _rows(curated, "select * from duplicates order by image_url")
    told = ("relation", "evidence", "distance")
    assert {row["image_url"].removeprefix(BASE): tuple(row[name] for name in told) for row in found} == {
        "/a1.jpg": ("same_pixels", "pixels", 0), "/a2.jpg": ("same_pixels", "pixels", 0),
        "/a4.jpg": ("near", "whole", 3),
    }
    assert {row["sample_id"] for row in found} == {"1" * 16}


def test_a_sample_is_shown_by_its_largest_file_and_named_by_its_smallest_hash(curated: Lake) -> None:
    sample = _sample(curated, "a1")
    assert (sample["sample_id"], sample["sha256"]) == ("1" * 16, "b" * 64)


def test_blank_distant_and_unlike_pictures_stay_apart(curated: Lake) -> None:
    for one, other in (("b1", "b2"), ("c1", "c2"), ("d1", "d2")):
        assert _sample(curated, one)["sample_id"] != _sample(curated, other)["sample_id"]


def test_a_samples_texts_and_rights_are_merged_from_its_records(curated: Lake) -> None:
    sample = _sample(curated, "a1")
    assert sample["record_ids"] == [f"demo:a{n}" for n in (1, 2, 3, 4)]
    assert sample["labels"] == ["bridge", "train"]
    assert sample["label_records"][0] == "demo:a2"
    assert (sample["rights_class"], sample["year"]) == ("restricted", 1932)
    assert sample["attribution"] == "Train again. Museum. In Copyright (http://rightsstatements.org/vocab/InC/1.0/)"


def test_the_primary_label_is_the_rarest(curated: Lake) -> None:
    assert _sample(curated, "a1")["label"] == "bridge"
    assert _sample(curated, "p00")["label"] == "castle"


def test_labels_count_their_samples(curated: Lake) -> None:
    by_label = {row["label"]: row for row in _rows(curated, "select * from labels")}
    n_samples = len(_rows(curated, "select sample_id from samples"))
    assert by_label["train"]["n_samples"] == n_samples
    assert by_label["train"]["queries"] == ["steam train"]
    house = by_label["house"]
    assert house["n_samples"] == house["n_train"] + house["n_val"] == N_PLAIN
    assert by_label["castle"]["parents"] == ["building"]
    assert (by_label["train"]["tier"], by_label["bridge"]["tier"]) == ("head", "tail")


def test_the_split_is_the_same_for_ever(curated: Lake) -> None:
    found = _rows(curated, "select right(record_ids[1], 2) as name from samples where split = 'val'")
    assert " ".join(sorted(row["name"] for row in found)) == (
        "06 07 09 12 13 14 16 17 18 19 23 36 38 39 b2 c2"
    )


def test_the_split_is_audited(curated: Lake) -> None:
    found = json.loads((curated.reports / "splits.json").read_text(encoding="utf-8"))
    assert (found["n_pairs"], found["n_pairs_unlike"], found["n_pairs_on_two_sides"]) == (3, 1, 0)
    (house,) = [label for label in found["labels"] if label["label"] == "house"]
    assert (house["n_samples"], house["val_share"]) == (N_PLAIN, 0.35)


def test_curating_again_gives_the_same_bytes_and_leaves_records_alone(curated: Lake) -> None:
    before = {table.name: curated.mart(table.name).read_bytes() for table in MARTS}
    written_at = curated.mart("records").stat().st_mtime_ns
    curate(curated, CurateOptions(), ARCHIVES)
    assert {table.name: curated.mart(table.name).read_bytes() for table in MARTS} == before
    assert curated.mart("records").stat().st_mtime_ns == written_at


def _marts(lake: Lake) -> dict[str, bytes]:
    marts = {table.name: lake.mart(table.name).read_bytes() for table in MARTS}
    return marts | {"splits": (lake.reports / "splits.json").read_bytes()}


def test_portions_their_order_and_a_kill_leave_no_trace(curated: Lake, lake: Lake) -> None:
    for portion in (OBJECTS[20:], OBJECTS[:20][::-1]):
        load_hits(lake, "demo", "steam train", portion)
    normalise(lake, ARCHIVES)
    write_raw(lake, RAW_IMAGES, IMAGES[3:30][::-1])
    curate(lake, CurateOptions(), ARCHIVES)
    write_raw(lake, RAW_IMAGES, IMAGES[30:])
    write_raw(lake, RAW_IMAGES, IMAGES[:3])
    _curate_and_kill(lake)
    curate(lake, CurateOptions(), ARCHIVES)
    assert _marts(lake) == _marts(curated)


DIES_AMONG_ITS_DRAFTS = """
import os, signal, sys
from pathlib import Path
from lake import Lake
from pipelines.archives import archive_names
from pipelines.transform import CurateOptions, curate

lake = Lake(Path(sys.argv[1]))

def watch(event, details):
    if event in ("open", "os.rename") and any((lake.dbt / "marts").glob("kept-*.parquet")):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
curate(lake, CurateOptions(), archive_names())
"""


def _curate_and_kill(lake: Lake) -> None:
    """Curate in a process of its own that ends, without a word, once the first of its drafts is there."""
    done = subprocess.run([sys.executable, "-c", DIES_AMONG_ITS_DRAFTS, str(lake.root)], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert any((lake.dbt / "marts").glob("kept-*.parquet"))


def test_the_distance_is_an_option(curated: Lake, tmp_path: Path) -> None:
    lake = Lake(shutil.copytree(curated.root, tmp_path / "lake"))
    curate(lake, CurateOptions(near_distance=8), ARCHIVES)
    assert _sample(lake, "b2")["record_ids"] == ["demo:b1", "demo:b2"]
    assert json.loads((lake.reports / "splits.json").read_text(encoding="utf-8"))["near_distance"] == 8


def test_a_date_without_a_beginning_is_kept(curated: Lake) -> None:
    ship = _sample(curated, "b1")
    assert (ship["year"], ship["date_start"], ship["date_end"]) == (None, None, date(1940, 12, 31))


def test_providers_that_cannot_be_held_out_by_name_are_bad_usage(curated: Lake) -> None:
    before = curated.mart("samples").read_bytes()
    with pytest.raises(UsageError, match=r"^--ood-providers: .* nothing is left to train on; .* fewer$"):
        curate(curated, CurateOptions(ood_providers=("Museum",)), ARCHIVES)
    assert curated.mart("samples").read_bytes() == before


def test_shares_that_leave_a_tenth_are_allowed_however_they_add_up(curated: Lake) -> None:
    stranger = ("Nobody",)    # refused next, so that nothing is made
    with pytest.raises(UsageError, match="no record is held by 'Nobody'"):
        curate(curated, CurateOptions(val_split=0.34, test_split=0.56, ood_providers=stranger), ARCHIVES)
    with pytest.raises(UsageError, match="under a tenth"):
        curate(curated, CurateOptions(val_split=0.35, test_split=0.56), ARCHIVES)


def test_providers_are_held_out_whole_and_one_remains_to_train_on(curated: Lake, caplog: Any) -> None:
    before = curated.mart("samples").read_bytes()
    curate(curated, CurateOptions(ood_providers=5), ARCHIVES)
    assert "test_ood: asked for 5 providers, held out 1; any other " in caplog.text
    held_out = _rows(curated, "select record_ids from samples where split = 'test_ood'")
    curated.mart("samples").write_bytes(before)
    assert held_out == [{"record_ids": [f"demo:a{n}" for n in (1, 2, 3, 4)]}]


def test_a_lake_without_pictures_or_records_is_empty(lake: Lake) -> None:
    load_hits(lake, "demo", "train", OBJECTS[:1])
    with pytest.raises(EmptyLake, match="glamlake normalise"):
        curate(lake, CurateOptions(), ARCHIVES)


def test_when_no_picture_came_the_marts_are_empty_and_typed(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = Lake(tmp_path_factory.mktemp("nothing") / "lake")
    load_hits(lake, "demo", "train", [{"id": "none"}])
    assert normalise(lake, ARCHIVES) == {"records": 0, "rejections": 1, "record_labels": 0}
    with pytest.raises(EmptyLake, match="glamlake fetch"):
        curate(lake, CurateOptions(), ARCHIVES)
    write_raw(lake, RAW_IMAGES, [_image("e2", status="corrupt")])
    assert curate(lake, CurateOptions(), ARCHIVES) == {"samples": 0, "duplicates": 0, "labels": 0}
    assert pq.read_table(lake.mart("samples")).num_rows == 0
