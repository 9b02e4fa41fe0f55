"""csv exports with their plots, by archive or merged; and exports that know what they were made from."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from lake import Lake
from lake.catalog import ask, connect
from lake.errors import ExportError
from lake.tables import LABELS, RECORD_LABELS, REJECTIONS, SAMPLES
from pipelines.exports import ExportOptions, export, verify_export
from pipelines.plots._export import show_only
from tests.export_lakes import read_csv, record_of, sample, stock
from tests.lakes import noise_jpeg, write_mart

PLOTS = ("archives", "labels", "rights", "splits")      # the records here have no dates
OUTPUTS = sorted(f"{name}.{end}" for name in PLOTS for end in ("csv", "png"))
BOTH = ExportOptions(rights=("open",), by_archive=True)


def two_archives(lake: Lake) -> Lake:
    """Three pictures of a, two of b, one of which both hold; a seventh is not open."""
    held = [["a"], ["a"], ["a", "b"], ["b"], ["a"]]
    rows = [
        sample(lake, noise_jpeg(i), archives=archives, record_ids=[f"{name}:{i}" for name in archives],
               title=f"Picture {i} of {archives[-1]}", split="val" if i == 1 else "train",
               rights_class="unknown" if i == 4 else "open", year=1930 + i)
        for i, archives in enumerate(held)
    ]
    stock(lake, rows, [
        record_of(row) | {"record_id": f"{name}:{i}", "archive": name, "title": f"Picture {i} of {name}"}
        for i, row in enumerate(rows) for name in held[i]
    ])
    return lake


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = two_archives(Lake(tmp_path_factory.mktemp("both") / "lake").open())
    return export(lake, "csv", "history", BOTH)


def test_plots_of_the_exported_samples_lie_in_outputs_and_do_not_change_with_the_rest_of_the_lake(
    lake: Lake,
) -> None:
    first = export(two_archives(lake), "csv", "one")
    assert sorted(path.name for path in (first / "outputs").iterdir()) == OUTPUTS
    with (first / "outputs/rights.csv").open(newline="") as file:
        first_rows = list(csv.reader(file))[:2]
    assert first_rows == [["archive", "rights_class", "samples"], ["all samples", "open", "4"]]
    write_mart(lake, LABELS, [{"label": "tram", "n_samples": 99, "tier": "tail"}])
    write_mart(lake, REJECTIONS, [{"hit_id": "9", "rule": "no_image"}])
    second = export(lake, "csv", "two")
    for path in (first / "outputs").iterdir():
        assert path.read_bytes() == (second / "outputs" / path.name).read_bytes()
    versions = {json.loads((folder / "manifest.json").read_text())["version"] for folder in (first, second)}
    assert len(versions) == 1


def test_each_archive_has_its_folder_and_all_are_merged_in_one_named_by_their_number(both: Path) -> None:
    assert sorted(path.name for path in both.iterdir() if path.is_dir()) == ["A", "B", "HISTORY_X2"]
    for name, n_pictures in {"A": 3, "B": 2, "HISTORY_X2": 4}.items():
        assert len(read_csv(both / name / "metadata_multi_label.csv")) == n_pictures
        assert sorted(path.name for path in (both / name / "outputs").iterdir()) == OUTPUTS
        assert len(json.loads((both / name / "img_rgb_mean.json").read_text()) or [0, 0, 0]) == 3
        for path in read_csv(both / name / "metadata_single_label.csv")["img_path"]:
            assert (both / name / path).resolve().is_file()
            assert not Path(path).is_absolute()
    assert not (both / "HISTORY_X2/images").exists()
    assert verify_export(both) == []


def test_an_archives_folder_speaks_of_its_own_records_only(both: Path) -> None:
    raw = {name: read_csv(both / name / "metadata_multi_label_raw.csv") for name in ("A", "B", "HISTORY_X2")}
    assert set(raw["A"]["dataset"]) == {"a"}
    assert set(raw["B"]["dataset"]) == {"b"}
    assert len(raw["HISTORY_X2"]) == 5
    shared = read_csv(both / "A/metadata_multi_label.csv").set_index("doc_id").loc["a:2"]
    assert shared["dataset"] == "a"
    with (both / "B/outputs/archives.csv").open(newline="") as file:
        assert {row["archive"] for row in csv.DictReader(file)} == {"b"}
    assert len(pd.read_parquet(both / "samples.parquet")) == 4


def test_croissant_knows_the_pictures_of_every_archives_folder(both: Path) -> None:
    import mlcroissant as mlc

    data_set = mlc.Dataset(jsonld=both / "croissant.json")
    assert not data_set.metadata.ctx.issues.errors
    found = [row["jpg_pictures/sample_id"].decode() for row in data_set.records("jpg_pictures")]
    assert len(found) == 5
    assert set(found) == set(pd.read_parquet(both / "samples.parquet")["sample_id"])


def test_by_archive_is_another_data_set_and_the_option_changes_no_other_version(both: Path) -> None:
    lake = Lake(both.parent.parent)
    assert export(lake, "csv", "history", BOTH) == both
    with pytest.raises(ExportError, match="holds another data set"):
        export(lake, "csv", "history")
    assert json.loads((both / "manifest.json").read_text())["options"]["by_archive"]
    assert set(asdict(ExportOptions())) - set(ExportOptions().as_dict()) == {"by_archive"}


def label_row(path: list[str]) -> dict[str, object]:
    return {"record_id": "a:0", "label": path[-1], "source": "concept", "facet": "topic", "path": path}


def test_an_eufcc_export_is_another_where_only_the_path_of_a_label_changed(lake: Lake) -> None:
    write_mart(two_archives(lake), RECORD_LABELS, [label_row(["vehicle", "tram"])])
    folder = export(lake, "eufcc", "set")
    assert export(lake, "eufcc", "set") == folder
    write_mart(lake, RECORD_LABELS, [label_row(["rail", "tram"])])
    with pytest.raises(ExportError, match="holds another data set"):
        export(lake, "eufcc", "set")
    assert "rail | tram" in (export(lake, "eufcc", "new") / "train.csv").read_text()


def test_an_eufcc_export_stays_where_labels_of_other_records_changed(lake: Lake) -> None:
    write_mart(two_archives(lake), RECORD_LABELS, [label_row(["vehicle", "tram"])])
    folder = export(lake, "eufcc", "set")
    other = label_row(["rail", "tram"]) | {"record_id": "zzz:1"}
    write_mart(lake, RECORD_LABELS, [other, label_row(["vehicle", "tram"])])
    assert export(lake, "eufcc", "set") == folder


def test_tiers_of_an_export_are_those_that_curate_makes(lake: Lake) -> None:
    """Four fifths of all training labels are the head, the rarest fifth of the labels the tail."""
    n_of = {"aeroplane": 6, "bridge": 2, "camp": 1, "dog": 1, "engine": 0}
    write_mart(lake, SAMPLES, [
        {"sample_id": f"{label}{i}", "labels": [label], "split": "train" if n else "val"}
        for label, n in n_of.items() for i in range(max(n, 1))
    ])
    with connect(lake) as con:
        show_only(con, lake.mart("samples"))
        tiers = {row["label"]: row["tier"] for row in ask(con, "select label, tier from labels").to_pylist()}
    assert tiers == {
        "aeroplane": "head", "bridge": "head", "camp": "torso", "dog": "tail", "engine": "tail",
    }
