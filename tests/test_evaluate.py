"""Evaluation of what lies in a lake: captions, labels with their hierarchy, composed queries, bad input."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lake import Lake
from lake.errors import EmptyLake, EncoderError, LakeError, UnknownThing, UsageError
from lake.tables import LABELS, RECORD_LABELS
from lake.vectors import ModelInfo, VectorRow, VectorStore
from models.collection import data_version
from models.composed import read_queries
from models.evaluate import EvaluateOptions, evaluate
from models.intervals import Resampling
from models.label_truth import read_facets
from pipelines.evaluation_report import evaluation_text, save_evaluation
from tests.lakes import little_room, write_mart
from tests.picture_lakes import picture_lake

QUICK = Resampling(50)
CAPTIONS = EvaluateOptions(tasks=("captions",), resampling=QUICK)
EVERYTHING = EvaluateOptions(templates=("{}",), resampling=QUICK)
_WORDS = ("ship", "sailing ship", "train", "winter", "watercraft")


class Numbers:
    """An encoder that knows 'number 3' for the third axis, takes 'number 4' for it too, and knows words."""

    model_id = "numbers"

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([axis(self._place(text)) for text in texts])

    def _place(self, text: str) -> int:
        if text in _WORDS:
            return _WORDS.index(text)
        return 3 if text == "number 4" else int(text.split()[1])


def axis(i: int) -> NDArray[np.float32]:
    row = np.zeros(8, dtype=np.float32)
    row[i] = 1
    return row


def embedded(lake: Lake, samples: Sequence[dict[str, Any]], vectors: Sequence[NDArray[np.float32]]) -> Lake:
    store = VectorStore(lake)
    store.register(ModelInfo("numbers", 8, "", "", None, ""))
    store.add("numbers", [
        VectorRow(s["sample_id"], s["sha256"], vector / np.linalg.norm(vector))
        for s, vector in zip(samples, vectors, strict=True)
    ])
    return lake


@pytest.fixture
def numbers(lake: Lake) -> Lake:
    """Seven pictures, number i on axis i; the last two are both called 'number 5' and lie on axis 5."""
    samples = picture_lake(lake, 7, {5: {"split": "train"}, 6: {"caption": " number 5 "}})
    write_mart(lake, LABELS, [{"label": "odd", "tier": "head"}, {"label": "even", "tier": "tail"}])
    return embedded(lake, samples, [axis(i) for i in (0, 1, 2, 3, 4, 5, 5)])


def test_evaluation_counts_what_is_found(numbers):
    found = evaluate(numbers, Numbers(), ["val", "train"], CAPTIONS)
    assert (found["n_pictures"], found["n_captions"], found["n_without_vector"]) == (7, 6, 0)
    assert found["text_to_image"]["R@1"] == pytest.approx(5 / 6)
    by_picture = [1, 1, 1, 1 / 2, 1 / 6, 1, 1]   # 3 cannot tell 'number 3' from 4; to 4 all are the same
    assert found["image_to_text"]["R@1"] == pytest.approx(sum(by_picture) / 7)
    assert found["text_to_image"]["chance"]["R@1"] == pytest.approx((5 * 1 / 7 + 2 / 7) / 6)


def test_every_number_has_an_interval_around_it(numbers):
    found = evaluate(numbers, Numbers(), ["val", "train"], CAPTIONS)["text_to_image"]
    assert {"mAP@10", "Recall@20", "Precision@3", "MRR@5", "R-Precision", "rank"} <= set(found["intervals"])
    for name, (low, high) in found["intervals"].items():
        assert low <= found[name] + 1e-9, name
        assert high >= found[name] - 1e-9, name


def test_slices_choose_queries_and_search_all_answers(numbers):
    found = evaluate(numbers, Numbers(), ["val", "train"], CAPTIONS)["image_to_text"]["slices"]
    assert set(found["tier"]) == {"head", "tail"}
    assert found["tier"]["head"]["n_queries"] == 3
    assert found["tier"]["head"]["R@1"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert found["tier"]["head"]["chance"]["R@1"] == pytest.approx(1 / 6)
    assert found["decade"]["1900s"]["n_queries"] == 7
    assert found["archive"]["demo"]["R@1"] == pytest.approx(sum([1, 1, 1, 1 / 2, 1 / 6, 1, 1]) / 7)


def test_only_the_splits_asked_for_are_evaluated(numbers):
    assert evaluate(numbers, Numbers(), options=CAPTIONS)["n_pictures"] == 6


def test_labels_have_their_own_numbers(numbers):
    by_label = {
        row["label"]: row for row in evaluate(numbers, Numbers(), ["val", "train"], CAPTIONS)["labels"]
    }
    assert by_label["odd"]["n_pictures"] == 3
    assert by_label["odd"]["R@1"] == 1.0
    assert by_label["even"]["R@1"] == pytest.approx(3 / 4)   # 'number 4' is taken for 3


def test_pictures_without_a_vector_are_counted(numbers):
    picture_lake(numbers, 9)
    assert evaluate(numbers, Numbers(), options=CAPTIONS)["n_without_vector"] == 2


def test_the_same_data_has_the_same_version_and_other_data_another(numbers):
    once = evaluate(numbers, Numbers(), options=CAPTIONS)["data_version"]
    assert once == evaluate(numbers, Numbers(), options=CAPTIONS)["data_version"]
    picture_lake(numbers, 7, {2: {"caption": "another"}})
    assert once != data_version(numbers)


@pytest.mark.parametrize(("splits", "said"), [
    (["test_ood"], "no test_ood samples are there; give another --split"),
    (["vall"], "no split is named 'vall'; there are: train, val"),
])
def test_a_split_without_samples_says_what_to_do(numbers, splits, said):
    with pytest.raises((EmptyLake, UsageError), match=said):
        evaluate(numbers, Numbers(), splits)


def test_a_split_without_vectors_names_the_stage_that_is_missing(numbers):
    samples = picture_lake(numbers, 9, {i: {"split": "test_id"} for i in (7, 8)})
    assert len(samples) == 9
    with pytest.raises(EmptyLake, match="glamlake embed"):
        evaluate(numbers, Numbers(), ["test_id"])


def test_an_encoder_that_gives_no_numbers_is_not_ranked(numbers):
    class Broken(Numbers):
        def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.full((len(texts), 8), np.nan, np.float32)

    with pytest.raises(EncoderError, match="no numbers"):
        evaluate(numbers, Broken(), options=CAPTIONS)


# Eight pictures: 0 to 3 are trained on. What each shows, as (labels; the sure ones) and its vector.
_SHOWN: list[tuple[dict[str, float], list[float]]] = [
    ({"ship": 1.0}, [1, 0, 0, 0]), ({"sailing ship": 1.0}, [0, 1, 0, 0]), ({"train": 1.0}, [0, 0, 1, 0]),
    ({"winter": 1.0, "train": 1.0}, [0, 0, 1, 1]),
    ({"ship": 1.0, "winter": 1.0}, [1, 0, 0, 2]), ({"train": 1.0, "winter": 0.9}, [0, 0, 1, 2]),
    ({"ship": 1.0, "train": 0.4}, [0.6, 0, 1, 0]), ({"sailing ship": 1.0}, [1, 0.9, 0, 0]),
]
_WAYS = {
    "ship": ["vehicle", "watercraft", "ship"], "train": ["vehicle", "train"], "winter": ["winter"],
    "sailing ship": ["vehicle", "watercraft", "ship", "sailing ship"],
}


@pytest.fixture
def harbour(lake: Lake) -> Lake:
    return in_harbour(lake)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The evaluation of the harbour's val split."""
    lake = in_harbour(Lake(tmp_path_factory.mktemp("harbour") / "lake").open())
    return evaluate(lake, Numbers(), ["val"], EVERYTHING)


@pytest.fixture(scope="module")
def topics(seen: dict[str, Any]) -> dict[str, Any]:
    return seen["label_prediction"]["topic"]


def in_harbour(lake: Lake) -> Lake:
    """Pictures with labels in a hierarchy, of which 'ship' is itself a label and stands above another."""
    facts = {
        i: {"labels": sorted(labels), "split": "train" if i < 4 else "val"}
        for i, (labels, _) in enumerate(_SHOWN)
    }
    samples = picture_lake(lake, 8, facts)
    write_mart(lake, RECORD_LABELS, [
        labelled(i, label, sure) for i, (labels, _) in enumerate(_SHOWN) for label, sure in labels.items()
    ])
    write_mart(lake, LABELS, [
        {"label": "train", "tier": "head"}, {"label": "ship", "tier": "torso"},
        {"label": "winter", "tier": "tail"}, {"label": "sailing ship", "tier": "tail"},
    ])
    return embedded(lake, samples, [np.array([*v, 0, 0, 0, 0], np.float32) for _, v in _SHOWN])


def labelled(i: int, label: str, confidence: float, source: str = "query") -> dict[str, Any]:
    return {"record_id": f"demo:{i}", "label": label, "source": source, "source_value": label,
            "facet": "topic", "path": _WAYS[label], "confidence": confidence}


def test_labels_are_predicted_by_every_method_with_chance_beside(topics):
    found = topics["image_to_label"]
    assert set(found) == {"zero_shot", "frequency", "linear_probe", "nearest_neighbours", "chance"}
    # a ship that a search called a train looks like one: neither right nor wrong, so 'ship' is first
    assert found["zero_shot"]["R@1"] == pytest.approx((1 + 1 + 1 + 0) / 4)
    # of 4 labels 2 are right for two pictures, 1 of 3 for the third, 1 of 4 for the last
    assert found["chance"]["R@1"] == pytest.approx((1 / 2 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_a_label_above_a_true_one_is_partly_right_by_its_share_of_the_way(topics):
    found = topics["image_to_label"]["zero_shot"]
    assert found["credit"]["credit@1"] == pytest.approx((1 + 1 + 1 + 3 / 4) / 4)   # 'ship' of a sailing ship


def test_levels_ask_for_what_stands_above(topics):
    levels = topics["image_to_label"]["zero_shot"]["level"]
    assert levels["1"]["R@1"] == 1.0      # every one is seen to be a vehicle
    assert levels["4"]["n_queries"] == 1  # only the sailing ship has a fourth level
    assert levels["2"]["n_queries"] == 4


def test_a_tier_leaves_out_the_right_labels_of_other_tiers(topics):
    tiers = topics["image_to_label"]["zero_shot"]["tier"]
    assert {tier: part["n_queries"] for tier, part in tiers.items()} == {"head": 1, "torso": 2, "tail": 3}
    # both pictures of winter are seen to be; the sailing ship is taken for a ship
    assert tiers["tail"]["R@1"] == pytest.approx(2 / 3)


def test_a_label_finds_all_its_pictures(topics):
    found = topics["label_to_image"]
    assert found["zero_shot"]["n_queries"] == 4
    assert found["zero_shot"]["Recall@3"] == pytest.approx(1.0)
    assert set(found) == {"zero_shot", "linear_probe", "nearest_neighbours", "chance"}


def test_what_a_model_said_is_never_what_a_model_is_measured_by(harbour):
    samples = picture_lake(harbour, 8)
    said = [labelled(0, "train", 0.7, "model"), labelled(1, "train", 0.7, "subject")]
    write_mart(harbour, RECORD_LABELS, said)
    facet = read_facets(harbour, [s["sample_id"] for s in samples])["topic"]
    assert facet.exact.toarray()[:2].tolist() == [[0.0], [1.0]]
    assert facet.learned.toarray()[:2].tolist() == [[1.0], [1.0]]


def test_with_one_label_to_learn_zero_shot_and_chance_stay_and_a_note_says_why(harbour):
    write_mart(harbour, RECORD_LABELS, [labelled(i, "ship", 1.0) for i in range(8)])
    found = evaluate(harbour, Numbers(), ["val"], EVERYTHING)
    assert set(found["label_prediction"]["topic"]["image_to_label"]) == {"zero_shot", "frequency", "chance"}
    assert any("only 'ship'" in note for note in found["notes"])


def test_composed_queries_are_made_of_pictures_that_differ_in_one_label(seen):
    found = seen["composed"]
    assert found["source"] == "pairs of labels"
    # winter with a ship, and winter with a train, each asks for the other
    assert found["methods"]["picture_and_text"]["n_queries"] == 2
    assert found["methods"]["text_only"]["R@1"] == 0.0     # others show more of a train and of a ship
    assert found["methods"]["picture_and_text"]["R@1"] == pytest.approx(1.0)
    assert found["methods"]["chance"]["R@1"] == pytest.approx(1 / 3)      # the picture itself is no answer


def composed_file(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    if path.suffix == ".json":
        path.write_text(json.dumps(rows), "utf-8")
    else:
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        path.write_text("\n".join(lines), "utf-8-sig")
    return path


@pytest.mark.parametrize("name", ["queries.csv", "queries.json"])
def test_composed_queries_are_read_in_the_form_of_eufcc_cir(harbour, tmp_path, name):
    rows = [
        {"id1": one, "query": words, "id2": other} for one, words, other in (
            ("demo:4", "train", "demo:5"), ("demo:4", "train", "demo:6"), ("demo:4", "train", "elsewhere:1"),
            ("other", "winter", "demo:5"),
        )
    ]
    options = EvaluateOptions(("composed",), queries=composed_file(tmp_path / name, rows), resampling=QUICK)
    found = evaluate(harbour, Numbers(), ["val"], options)["composed"]
    assert found["n_unknown"] == 1
    assert found["methods"]["text_only"]["n_queries"] == 1
    assert found["methods"]["text_only"]["Recall@3"] == pytest.approx(1.0)


@pytest.mark.parametrize(("name", "text", "said"), [
    ("q.csv", "id1,query\na,b\n", "has no column 'id2'"),
    ("q.csv", "id1,query,id2\na,,c\n", "query 1 of .* lacks one of id1, query, id2"),
    ("q.csv", "id1,query,id2\nnowhere,train,nowhere2\n", "none of the 1 queries"),
    ("q.json", "{", "cannot read composed queries"),
    ("q.json", '{"id1": 1}', "is no list"),
    ("q.json", '["a"]', "query 1 of"),
    ("missing.csv", None, "cannot read composed queries"),
])
def test_a_file_of_queries_that_is_none_is_one_clear_line(tmp_path, name, text, said):
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=said):
        read_queries(tmp_path / name, {"a": 0, "c": 1})


@pytest.mark.parametrize(("options", "error", "said"), [
    (EvaluateOptions(facets=("colour",)), UnknownThing, "no facet named 'colour'; there are: topic"),
    (EvaluateOptions(facets=("material",)), EmptyLake, "no record has a label in facet 'material'"),
    (EvaluateOptions(templates=("a photo",)), UsageError, "has to hold {} once"),
])
def test_facets_and_templates_that_are_none_are_one_clear_line(harbour, options, error, said):
    with pytest.raises(error, match=said):
        evaluate(harbour, Numbers(), ["train"], replace(options, tasks=("labels",)))


def test_the_report_has_every_number_as_json_and_as_rows_with_plots_and_sheets(harbour, seen):
    folder = save_evaluation(harbour, seen)
    assert json.loads((folder / "metrics.json").read_text("utf-8"))["data_version"] == seen["data_version"]
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = {
            (row["task"], row["method"], row["slice"], row["value"], row["metric"]): row
            for row in csv.DictReader(file)
        }
    row = rows["image_to_label", "zero_shot", "tier", "tail", "R@1"]
    assert float(row["mean"]) == pytest.approx(2 / 3)
    assert float(row["low"]) <= float(row["mean"]) <= float(row["high"])
    assert float(rows["composed", "text_only", "", "", "R@1"]["chance"]) == pytest.approx(1 / 3)
    for name in ("captions.png", "labels-topic.png", "slices.png", "misses.png"):
        with Image.open(folder / name) as picture:
            assert picture.width > 300


@pytest.mark.parametrize("room", [0, 30_000], ids=["numbers", "plots"])
def test_no_room_leaves_the_older_report_and_is_one_clear_line(harbour, seen, room):
    folder = save_evaluation(harbour, seen | {"seed": "old"})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with little_room(room), pytest.raises(LakeError, match=r"cannot write .*evaluation.*make room") as caught:
        save_evaluation(harbour, seen)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_the_tables_for_people_name_methods_chance_and_notes(seen):
    text = evaluation_text(seen | {"notes": ["something to know"]})
    wanted = ("text to image", "linear_probe", "picture_and_text", "note: something")
    assert all(words in text for words in wanted)
    assert text.count("chance") == 5
