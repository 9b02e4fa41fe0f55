"""The demo's questions of a picture and a change: right answers are what the drawn scenes say."""

import csv
from dataclasses import replace
from pathlib import Path

from models.composed import read_queries
from pipelines.demo.collection import demo_collection
from pipelines.demo.compound import MOST, compound_queries, write_queries
from pipelines.demo.scenes_model import Scene
from pipelines.demo.scenes_plate import Light

SHIP = Scene("0", "ship", "steamship", 1, "at sea", Light("day", "clear"), 1, (64, 48))
SCENES = {
    "day": SHIP, "night": replace(SHIP, light=Light("night", "clear")),
    "snow": replace(SHIP, light=Light("night", "snow")),
    "train": replace(SHIP, subject="train", light=Light("night", "clear")),
    "map": replace(SHIP, subject="map", light=Light("night", "snow")),
}


def test_wanted_is_the_same_subject_with_the_change_made_and_only_where_it_changes_something():
    found = {(query.sample_id, query.words): query.wanted for query in compound_queries(SCENES)}
    assert found == {
        ("day", "at night"): ("night", "snow"), ("day", "in snow"): ("snow",),
        ("night", "in snow"): ("snow",),
    }


def test_the_questions_are_the_same_every_time_and_not_too_many():
    many = {f"{name}{i}": scene for i in range(110) for name, scene in SCENES.items()}
    drawn = compound_queries(many, seed=7)
    assert len(drawn) == MOST
    assert drawn == compound_queries(dict(reversed(many.items())), seed=7)
    assert drawn != compound_queries(many, seed=8)


def test_evaluate_reads_the_file(tmp_path: Path):
    path = tmp_path / "reports" / "queries.csv"
    write_queries(path, compound_queries(SCENES))
    with path.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 4
    read = read_queries(path, {name: i for i, name in enumerate(SCENES)})
    assert read.n_unknown == 0
    assert {(q.picture, q.words, q.wanted) for q in read.queries} == {
        (0, "at night", (1, 2)), (0, "in snow", (2,)), (1, "in snow", (2,)),
    }


def test_a_pictures_address_leads_to_its_scene():
    collection = demo_collection()
    address = str(collection.objects[0]["picture"])
    scene = collection.scene_at(f"http://demo.glamlake.invalid{address}")
    assert scene is not None
    assert scene == collection.scene_at(address)
    assert collection.scene_at("/pictures/no-such.jpg") is None
