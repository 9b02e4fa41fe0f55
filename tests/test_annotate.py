"""From heads to labels: predicted, reviewed by people, taken in; the catalogue's words stay as they were."""

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from lake import Lake, catalog
from lake.errors import BadReview, EmptyLake, LakeError, UnknownThing, UsageError
from lake.tables import LABELS, RECORD_LABELS
from lake.vectors import ModelInfo, VectorRow, VectorStore
from models.head_training import HeadOptions, comparison_rows, train_heads
from models.intervals import Resampling
from pipelines.annotate import AnnotateOptions, annotate, review
from pipelines.cli import cli
from pipelines.model_list import model_rows
from pipelines.review_sheet import write_sheet
from tests.lakes import little_room, write_mart
from tests.model_room import ModelRoom
from tests.picture_lakes import picture_lake

N = 40
KNOWN = ("train", "bridge")
LOW = AnnotateOptions(min_confidence=0.2)
HEADS = ("softmax", "hierarchical_node")
COMPARED: dict[str, Any] = {}    # what training the lake's heads said


class Words:
    """An encoder that knows a train from a bridge."""

    model_id = "words"

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        places = [0 if "train" in text else 1 if "bridge" in text else 2 for text in texts]
        return np.eye(4, dtype=np.float32)[places]


def what(i: int) -> str:
    """What picture i shows; every fifth is not catalogued."""
    return KNOWN[i % 2]


def silent(i: int) -> bool:
    return i % 5 == 4


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Forty pictures of trains and bridges, a fifth without a label; vectors that show which is which."""
    lake = Lake(tmp_path_factory.mktemp("annotate") / "lake").open()
    told = {"caption": "By the river"}
    samples = picture_lake(lake, N, {
        i: told | {"title": f"=Picture <b>{i}</b>", "split": "val" if i % 3 == 2 else "train",
                   "labels": [] if silent(i) else [what(i)]} for i in range(N)
    })
    write_mart(lake, LABELS, [{"label": label, "tier": "head"} for label in KNOWN])
    write_mart(lake, RECORD_LABELS, [
        {"record_id": f"demo:{i}", "label": what(i), "source": "subject", "source_value": what(i),
         "facet": "topic", "path": ["thing", what(i)], "confidence": 1.0} for i in range(N) if not silent(i)
    ])
    store = VectorStore(lake)
    store.register(ModelInfo("words", 4, "words", "", None, ""))
    rng = np.random.default_rng(0)
    rows = np.eye(4)[[KNOWN.index(what(i)) for i in range(N)]] + 0.2 * rng.normal(size=(N, 4))
    store.add("words", [
        VectorRow(s["sample_id"], s["sha256"], (row / np.linalg.norm(row)).astype(np.float32))
        for s, row in zip(samples, rows, strict=True)
    ])
    COMPARED.update(train_heads(lake, Words(), HeadOptions(kinds=HEADS, resampling=Resampling(20))))
    return lake


@pytest.fixture
def own(curated: Lake, tmp_path: Path) -> Lake:
    """The same lake, to be changed."""
    return Lake(Path(shutil.copytree(curated.root, tmp_path / "lake")))


def sheet_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "review.csv").read_text("utf-8-sig"), newline="")))


def reviewed(path: Path, rows: Sequence[Mapping[str, str]], decide: Any, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows({**row, "decision": decide(row)} for row in rows)
    return path


def test_heads_are_compared_in_one_table_with_intervals_and_calibration(curated):
    rows = {row["method"].removesuffix(" *"): row for row in comparison_rows(COMPARED)}
    assert {
        "chance", "frequency", "nearest_neighbours", "zero_shot", *HEADS, "softmax+zero_shot",
        "all_heads+zero_shot",
    } <= set(rows)
    assert rows["softmax"]["Acc@1"] == 1.0
    assert rows["chance"]["Acc@1"] == pytest.approx(0.5)
    assert rows["softmax"]["low"] <= rows["softmax"]["R-Precision"] <= rows["softmax"]["high"]
    assert rows["softmax"]["calibrated"] is not None


def test_what_the_catalogue_does_not_say_is_predicted_and_nothing_else(own):
    before = own.mart("record_labels").read_bytes()
    done = annotate(own, LOW)
    rows = catalog.rows(own, "select * from raw_annotations order by sample_id")
    assert done.n_annotations == len(rows) > 0
    catalogued = {(i, label) for row in catalog.rows(own, "select sample_id as i, labels from samples")
                  for i, label in ((row["i"], label) for label in row["labels"] or ())}
    assert not catalogued & {(row["sample_id"], row["label"]) for row in rows}
    blank = [row for row in rows if row["sample_id"] not in {i for i, _ in catalogued}]
    titles = {row["sample_id"]: int(str(row["title"]).split("b>")[1][:-2]) for row in catalog.rows(
        own, "select sample_id, title from samples")}
    surest = [row for row in blank if row["confidence"] > 0.5]
    assert len(surest) == sum(silent(i) for i in range(N))
    assert all(row["label"] == what(titles[row["sample_id"]]) for row in surest)
    assert own.mart("record_labels").read_bytes() == before


def test_an_annotation_says_where_it_comes_from(own):
    done = annotate(own, LOW)
    row = catalog.rows(own, "select * from raw_annotations")[0]
    assert (row["run_id"], row["model_id"]) == (done.run_id, "words")
    assert row["path"][-1] == row["label"]
    assert len(row["data_version"]) == 12


def test_a_second_run_adds_a_file_and_changes_none(own):
    annotate(own, LOW)
    [first] = (own.raw / "annotations").glob("*.parquet")
    content = first.read_bytes()
    annotate(own, LOW)
    assert len(list((own.raw / "annotations").glob("*.parquet"))) == 2
    assert first.read_bytes() == content


def test_the_sheet_can_be_opened_by_a_spreadsheet_and_by_a_browser_without_a_network(own):
    done = annotate(own, LOW)
    rows = sheet_of(done.folder)
    assert len(rows) == done.n_annotations
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    page = (done.folder / "review-001.html").read_text("utf-8")
    assert "http://" not in page.replace("http-equiv", "")
    assert "https://" not in page
    assert page.count('type="radio"') == 3 * done.n_annotations
    assert "<b>" not in page
    assert "data:image/jpeg;base64," in page


@pytest.mark.parametrize("title", ["=1+1", "\uff1d1+1", "'=1", '\u200b@SUM(A1)'])
def test_no_cell_of_the_sheet_is_run_by_a_spreadsheet(lake: Lake, tmp_path: Path, title: str) -> None:
    row = {"annotation_id": "a", "facet": "topic", "label": "tram", "path": ["tram"], "confidence": 0.9,
           "sample_id": "1", "split": "train", "run_id": "r"}
    about = {"title": title, "caption": None, "labels": [], "path": "images/1.jpg"}
    write_sheet(lake, tmp_path, [row], {"1": about}, most_pictures=0)
    [kept] = csv.DictReader(io.StringIO((tmp_path / "review.csv").read_text("utf-8-sig"), newline=""))
    assert kept["title"] == f"'{title}"


def test_a_review_is_taken_in_whatever_the_spreadsheet_made_of_it(own, tmp_path):
    rows = sheet_of(annotate(own, LOW).folder)
    decide = {rows[0]["annotation_id"]: "Accept", rows[1]["annotation_id"]: " NO "}
    path = reviewed(tmp_path / "r.csv", rows, lambda row: decide.get(row["annotation_id"], ""), ";")
    assert review(own, path, "A. L.") == {"accepted": 1, "refused": 1, "undecided": len(rows) - 2}
    found = catalog.rows(own, "select decision, reviewer from raw_annotation_reviews order by decision")
    assert found == [{"decision": kind, "reviewer": "A. L."} for kind in ("accepted", "refused")]


def test_what_was_decided_on_is_not_asked_again(own, tmp_path):
    first = annotate(own, LOW)
    review(own, reviewed(tmp_path / "r.csv", sheet_of(first.folder), lambda _: "refuse"))
    assert annotate(own, LOW).n_annotations == 0


@pytest.mark.parametrize(("change", "said"), [
    (lambda rows: [{**rows[0], "decision": "perhaps"}], "line 2: the decision 'perhaps' is neither"),
    (lambda rows: [{**rows[0], "annotation_id": "ffff", "decision": "accept"}], "'ffff' is not in this lake"),
    (lambda rows: [{**rows[0], "decision": "accept"}, {**rows[0], "decision": "refuse"}], "decided on twice"),
    (lambda rows: [{"decision": "accept"}], "has no column 'annotation_id'"),
])
def test_a_review_with_a_fault_is_one_clear_line_and_nothing_is_taken_in(own, tmp_path, change, said):
    rows = change(sheet_of(annotate(own, LOW).folder))
    path = reviewed(tmp_path / "r.csv", rows, lambda row: row["decision"])
    with pytest.raises(BadReview, match=said):
        review(own, path)
    assert not (own.raw / "annotation_reviews").exists()


@pytest.mark.parametrize(("content", "said"), [
    (None, "cannot read"), (b"\xff\xfea", "not UTF-8"), (b"", "no column"),
])
def test_a_review_that_is_no_csv_is_one_clear_line(curated, tmp_path, content, said):
    path = tmp_path / "r.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadReview, match=said):
        review(curated, path)


def room_of(lake: Lake, with_annotations: bool = True) -> ModelRoom:
    """The SQL models between a lake's reviews and its samples, on the lake's own samples."""
    room = ModelRoom(lake=str(lake.root), with_annotations=with_annotations)
    samples = f"from read_parquet('{lake.mart('samples')}')"
    for table, columns in {
        "int_images__clustered": "sample_id as cluster_id, sha256",
        "int_samples__split": "sample_id as cluster_id, split",
        "int_samples__records": "sample_id as cluster_id, unnest(record_ids) as record_id",
        "int_samples__labelled": "sample_id as cluster_id, unnest(labels) as label",
    }.items():
        room.con.execute(f"create table {table} as select {columns} {samples}")
    room.con.execute(f"create table record_labels as from read_parquet('{lake.mart('record_labels')}')")
    for model in ("base_annotations", "int_annotations__accepted", "int_samples__annotated"):
        room.build(model)
    return room.build("int_record_labels__united")


def test_accepted_labels_come_in_as_a_models_and_only_in_train(own, tmp_path):
    rows = sheet_of(annotate(own, LOW).folder)
    review(own, reviewed(tmp_path / "r.csv", rows, lambda row: "accept"))
    assert {row["split"] for row in rows} == {"train", "val"}
    wanted = {(row["sample_id"], row["label"]) for row in rows if row["split"] == "train"}
    room = room_of(own)
    taken = room.rows("select * from int_record_labels__united where source = 'model'")
    assert len(taken) == len(wanted)
    assert all(row["path"] == ["thing", row["label"]] for row in taken)
    assert {row["source_value"].split()[0] for row in taken} == {"words"}
    catalogued = room.rows("select count(*) as n from int_record_labels__united where source = 'subject'")
    assert catalogued == [{"n": sum(not silent(i) for i in range(N))}]
    fresh = room.rows("from int_samples__annotated anti join int_samples__labelled using (cluster_id, label)")
    assert {(row["cluster_id"], row["label"]) for row in fresh} == wanted


def test_without_being_asked_no_label_of_a_model_comes_in_and_earlier_ones_go(own, tmp_path):
    review(own, reviewed(tmp_path / "r.csv", sheet_of(annotate(own, LOW).folder), lambda row: "accept"))
    path = own.mart("record_labels")
    table = pq.read_table(path)
    earlier = [row | {"source": "model"} for row in table.to_pylist()[:3]]
    pq.write_table(pa.concat_tables([table, pa.Table.from_pylist(earlier, schema=table.schema)]), path)
    found = room_of(own, with_annotations=False).rows("select distinct source from int_record_labels__united")
    assert found == [{"source": "subject"}]


def test_the_newest_decision_on_a_label_counts(own, tmp_path):
    rows = sheet_of(annotate(own, LOW).folder)
    for decision in ("accept", "refuse"):
        review(own, reviewed(tmp_path / "r.csv", rows, lambda row, said=decision: said))
    assert room_of(own).rows("from int_annotations__accepted") == []


def test_a_lake_without_annotations_has_no_label_of_a_model(own):
    assert room_of(own).rows("from int_annotations__accepted") == []


@pytest.mark.parametrize(("options", "error", "said"), [
    (AnnotateOptions(facets=("colour",)), UnknownThing, "no head was trained for facet 'colour'; .* topic"),
    (AnnotateOptions(method="magic"), UnknownThing, "no method 'magic' for facet topic; there are: zero"),
    (AnnotateOptions(splits=("test_ood",)), EmptyLake, "no test_ood sample has a vector"),
    (AnnotateOptions(min_confidence=2), UsageError, "--min-confidence is between 0 and 1"),
])
def test_what_cannot_be_annotated_is_one_clear_line(curated, options, error, said):
    with pytest.raises(error, match=said):
        annotate(curated, options)


def test_without_heads_annotate_names_the_command_that_is_missing(own):
    shutil.rmtree(own.models)
    with pytest.raises(EmptyLake, match="run `glamlake heads` first"):
        annotate(own, LOW)


def test_without_training_vectors_heads_name_the_stage_that_is_missing(own):
    class Other(Words):
        model_id = "other"

    VectorStore(own).register(ModelInfo("other", 4, "words", "", None, ""))
    with pytest.raises(EmptyLake, match="glamlake embed"):
        train_heads(own, Other())


def test_a_facet_of_one_label_is_left_out_with_a_note_and_refused_when_named(own):
    path = own.mart("record_labels")
    rows = pq.read_table(path).to_pylist()
    rows += [row | {"facet": "material", "label": "paper", "path": ["paper"]} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)
    found = train_heads(own, Words(), HeadOptions(kinds=("softmax",), resampling=Resampling(0)))
    assert set(found["facets"]) == {"topic"}
    assert any("'material' has only 'paper'" in note for note in found["notes"])
    with pytest.raises(UsageError, match="only 'paper'"):
        train_heads(own, Words(), HeadOptions(facets=("material",), resampling=Resampling(0)))


def test_models_lists_encoders_and_heads_with_what_they_were_made_from(curated):
    rows = {row["model_id"]: row for row in model_rows(curated)}
    assert (rows["words"]["kind"], rows["words"]["n_vectors"]) == ("encoder", N)
    heads = rows["words/topic"]
    assert heads["metrics"].startswith("R-Precision 1.000")
    assert len(heads["weights"]) == len(heads["data_version"]) == 12


def test_the_command_line_annotates_reviews_and_lists(own, tmp_path):
    def told(*words: str) -> str:
        done = CliRunner().invoke(cli, ["--lake", str(own.root), *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "labels" in told("annotate", "--min-confidence", "0.2")
    [folder] = (own.reports / "annotations").iterdir()
    path = reviewed(tmp_path / "r.csv", sheet_of(folder), lambda _: "accept")
    assert "accepted" in told("annotate", "--review", str(path))
    assert [row["kind"] for row in json.loads(told("models", "--json"))] == ["encoder", "heads"]


@pytest.mark.parametrize("room", [0, 1500, 12_000], ids=["sheet", "pages", "rows"])
def test_no_room_leaves_neither_rows_nor_a_sheet_and_is_one_clear_line(own, room):
    annotate(own, LOW)
    before = everything_in(own)
    with little_room(room), pytest.raises(LakeError, match=r"write .*annotations.*make room") as caught:
        annotate(own, LOW)
    assert "\n" not in str(caught.value)
    assert everything_in(own) == before


def everything_in(lake: Lake) -> set[Path]:
    """Files and folders, without the lock that is kept for the next time."""
    return {path for path in lake.root.rglob("*") if path.suffix != ".lock"}
