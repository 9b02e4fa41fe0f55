"""Frozen data sets: what goes in, what comes back out, and what a killed or failed run leaves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from filelock import FileLock

from lake import Lake, image_store
from lake.errors import BadExport, BadFilter, EmptyLake, ExportError, LakeBusy
from lake.tables import RAW_HITS, RECORDS
from pipelines.cli import cli
from pipelines.exports import ExportOptions, export, export_by_content, format_names, verify_export
from pipelines.exports._selection import select
from tests.export_lakes import CC0, content, manifest, members, sample, stock, ten_samples
from tests.lakes import NOON, little_room, noise_jpeg, write_mart, write_raw

ROOT = Path(__file__).parent.parent


@pytest.fixture
def stocked(lake: Lake) -> Lake:
    """A lake of one's own, to break."""
    return ten_samples(lake)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The same lake for every test that only adds exports under names of its own."""
    return ten_samples(Lake(tmp_path_factory.mktemp("shared") / "lake").open())


# ── what goes in ─────────────────────────────────────────────────────────────────────────────────────────


def test_only_open_pictures_leave_unless_others_are_allowed(shared: Lake) -> None:
    assert manifest(export(shared, "webdataset", "open"))["counts"]["rights"] == {"open": 7}
    options = ExportOptions(rights=("open", "unknown"))
    counts = manifest(export(shared, "webdataset", "more", options))["counts"]
    assert counts["rights"] == {"open": 7, "unknown": 2}


def test_a_condition_cannot_let_unknown_rights_out(shared: Lake) -> None:
    folder = export(shared, "webdataset", "sly", ExportOptions(where="true) or (true"))
    assert manifest(folder)["counts"]["rights"] == {"open": 7}
    with pytest.raises(ExportError, match="0 open, 0 noncommercial, 0 restricted, 2 unknown"):
        export(shared, "csv", "x", ExportOptions(where="rights_class = 'unknown'"))


@pytest.mark.parametrize(("options", "n_samples"), [
    (ExportOptions(splits=("val",)), 2),
    (ExportOptions(splits=("test_id", "test_ood")), 2),
    (ExportOptions(labels=("ship",)), 4),
    (ExportOptions(archives=("demo",), where="year between 1901 and 1903"), 3),
    (ExportOptions(where="list_contains(labels, 'tram') and split = 'train'"), 2),
    (ExportOptions(limit=5), 5),
])
def test_filters_narrow_what_goes_in(shared: Lake, options: ExportOptions, n_samples: int) -> None:
    assert manifest(export_by_content(shared, "webdataset", options))["counts"]["samples"] == n_samples


def test_nothing_left_says_what_there_is_and_how_to_allow_it(shared: Lake) -> None:
    with pytest.raises(ExportError, match=r"1 noncommercial, 0 restricted, .*--rights noncommercial"):
        export(shared, "csv", "x", ExportOptions(where="year = 1907"))
    with pytest.raises(ExportError, match="no sample passes"):
        export(shared, "csv", "x", ExportOptions(where="year = 1666"))
    assert not (shared.exports / "x").exists()


@pytest.mark.parametrize(("options", "words"), [
    (ExportOptions(labels=("trum",)), "no sample has label 'trum'; others have: tram"),
    (ExportOptions(archives=("nara",)), "no sample has archive 'nara'; others have: demo"),
    (ExportOptions(splits=("dev",)), "no split named 'dev'; there are: train, val"),
    (ExportOptions(rights=("free",)), "no rights named 'free'; there are: open"),
    (ExportOptions(rights=()), "no rights are allowed"),
    (ExportOptions(limit=0), "--limit 0"),
    (ExportOptions(shard_size=-1), "--shard-size -1"),
])
def test_values_that_do_not_exist_are_named(shared: Lake, options: ExportOptions, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        export(shared, "webdataset", "x", options)


def test_an_unknown_column_in_a_condition_is_named(shared: Lake) -> None:
    with pytest.raises(BadFilter, match="colour"):
        export(shared, "webdataset", "x", ExportOptions(where="colour = 'red'"))


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a\\b", "a b", "-x", "x" * 101, "a\n"])
def test_a_name_is_one_plain_folder_name(shared: Lake, name: str) -> None:
    with pytest.raises(ExportError, match="cannot name an export"):
        export(shared, "csv", name)


@pytest.mark.parametrize("words", [
    ["zip", "x"], ["csv", "a/b"], ["csv", "x", "--split", "dev"], ["csv", "x", "--label", "trum"],
    ["diff", "x", "y"],
])
def test_what_cannot_be_asked_is_bad_usage(shared: Lake, words: list[str]) -> None:
    with pytest.raises(BadExport) as refused:
        CliRunner().invoke(cli, ["--lake", str(shared.root), "export", *words], catch_exceptions=False)
    assert refused.value.exit_status == 2


def test_an_unknown_format_is_told_the_known_ones(shared: Lake) -> None:
    assert {"csv", "webdataset"} <= set(format_names())
    with pytest.raises(ExportError, match=r"no export format named 'zip'; there are: csv, .*webdataset"):
        export(shared, "zip", "x")


def test_a_lake_without_samples_names_the_stage_that_makes_them(lake: Lake) -> None:
    with pytest.raises(EmptyLake, match="harvest"):
        export(lake, "csv", "x")
    write_raw(lake, RAW_HITS, [{"hit_id": "0" * 16, "fetched_at": NOON}])
    with pytest.raises(EmptyLake, match="curate"):
        export(lake, "csv", "x")


# ── frozen, versioned, atomic ────────────────────────────────────────────────────────────────────────────


def test_the_same_samples_give_the_same_bytes(shared: Lake) -> None:
    # of csv and huggingface: the test about a killed export; of the others: those who read them back
    first, second = (export(shared, "webdataset", f"same_{number}") for number in "12")
    assert content(first) == content(second)
    assert verify_export(first) == []


def test_the_version_follows_the_content_and_not_the_rest_of_the_lake(stocked: Lake) -> None:
    options = ExportOptions(splits=("train",))
    first = manifest(export(stocked, "webdataset", "first", options))
    write_raw(stocked, RAW_HITS, [{"hit_id": "1" * 16, "fetched_at": NOON}])
    second = manifest(export(stocked, "webdataset", "second", options))
    other = manifest(export(stocked, "webdataset", "third", ExportOptions(splits=("val",))))
    assert first["version"] == second["version"] != other["version"]
    assert (first["lake"]["n_hits"], second["lake"]["n_hits"]) == (1, 2)


def test_an_identical_export_is_left_as_it_is(shared: Lake, caplog: pytest.LogCaptureFixture) -> None:
    folder = export(shared, "webdataset", "kept")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    caplog.set_level("INFO")
    assert export(shared, "webdataset", "kept") == folder
    assert "already frozen" in caplog.text
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_asking_the_archives_again_makes_no_other_data_set(stocked: Lake) -> None:
    folder = export(stocked, "webdataset", "set")
    records = pq.read_table(stocked.mart("records")).to_pylist()
    write_mart(stocked, RECORDS, [record | {"harvested_at": NOON} for record in records])
    assert export(stocked, "webdataset", "set") == folder


def test_another_data_set_never_overwrites_one(shared: Lake) -> None:
    before = content(export(shared, "webdataset", "first_come"))
    with pytest.raises(ExportError, match=r"holds another data set .webdataset, version .* another name"):
        export(shared, "webdataset", "first_come", ExportOptions(limit=2))
    with pytest.raises(ExportError, match="another data set"):
        export(shared, "csv", "first_come")
    assert content(shared.exports / "first_come") == before


def test_a_folder_that_is_no_export_is_left_alone(shared: Lake) -> None:
    (shared.exports / "mine").mkdir(parents=True)
    with pytest.raises(ExportError, match="no export"):
        export(shared, "csv", "mine")


def test_a_changed_file_in_a_frozen_export_is_found(stocked: Lake) -> None:
    folder = export(stocked, "webdataset", "set")
    with (folder / "train/00000.tar").open("ab") as tar:
        tar.write(b"x")
    assert verify_export(folder) == ["train/00000.tar was changed"]
    with pytest.raises(ExportError, match=r"damaged: train/00000\.tar was changed"):
        export(stocked, "webdataset", "set")


def test_a_name_from_the_content_is_the_same_each_time(shared: Lake) -> None:
    folder = export_by_content(shared, "webdataset")
    assert folder.name.startswith("webdataset-")
    assert export_by_content(shared, "webdataset") == folder
    assert export_by_content(shared, "webdataset", ExportOptions(limit=3)) != folder


def test_an_export_outlives_its_lake(stocked: Lake) -> None:
    folder = export(stocked, "csv", "set")
    before = content(folder)
    for sha256 in [sum_ for path, sum_ in manifest(folder)["files"].items() if path.startswith("images/")]:
        (stocked.root / image_store.relative_path(sha256, "jpg")).write_bytes(b"overwritten in place")
    assert content(folder) == before


def test_samples_that_change_during_an_export_are_noticed(stocked: Lake) -> None:
    with select(stocked, ExportOptions()) as selection:
        selection.require_unchanged()
        ten_samples(stocked)
        with pytest.raises(ExportError, match="changed during the export; run it again"):
            selection.require_unchanged()


def test_two_processes_do_not_make_one_export(stocked: Lake) -> None:
    stocked.locks.mkdir()
    with FileLock(stocked.locks / "export-set.lock"), pytest.raises(LakeBusy, match="another process"):
        export(stocked, "csv", "set")


def test_no_room_is_one_clear_error_and_leaves_nothing(stocked: Lake) -> None:
    message = r"cannot write the export 'set' .*make room"
    with little_room(6000), pytest.raises(ExportError, match=message) as caught:
        export(stocked, "webdataset", "set")
    assert "\n" not in str(caught.value)
    assert list(stocked.exports.iterdir()) == []
    export(stocked, "webdataset", "set")


@pytest.mark.parametrize("harm", ["gone", "changed", "undecodable"])
def test_a_picture_that_cannot_go_in_stops_the_export_and_is_named(lake: Lake, harm: str) -> None:
    bad = sample(lake, b"\x89PNG no picture" if harm == "undecodable" else noise_jpeg(1), "png")
    stock(lake, [sample(lake, noise_jpeg(0)), bad])
    path = lake.root / bad["path"]
    if harm == "gone":
        path.unlink()
    if harm == "changed":
        path.write_bytes(noise_jpeg(2))
    with pytest.raises(ExportError, match=f"{bad['sample_id']}.* --where"):
        export(lake, "webdataset", "set")
    assert list(lake.exports.iterdir()) == []


EXPORT = "import sys; from lake import Lake; from pathlib import Path; from pipelines.exports import *; " \
    "export(Lake(Path(sys.argv[1])), sys.argv[2], 'set', ExportOptions(shard_size=2))"


@pytest.mark.parametrize("format", ["webdataset", "csv", "huggingface"])
def test_a_killed_export_leaves_no_such_name_and_the_next_run_makes_it(stocked: Lake, format: str) -> None:
    undisturbed = content(export(stocked, format, "undisturbed", ExportOptions(shard_size=2)))
    with sixth_picture_stuck(stocked) as pipe:
        process = subprocess.Popen([sys.executable, "-c", EXPORT, str(stocked.root), format], cwd=ROOT)
        wait_for_reader(process, pipe)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (stocked.exports / "set").exists()
    assert any((stocked.exports / ".set.draft").rglob("*"))
    export(stocked, "webdataset", "another", ExportOptions(limit=1))
    assert sorted(path.name for path in stocked.exports.iterdir()) == ["another", "undisturbed"]
    assert content(export(stocked, format, "set", ExportOptions(shard_size=2))) == undisturbed


@contextmanager
def sixth_picture_stuck(lake: Lake) -> Iterator[Path]:
    """Make one picture's file a pipe, so that whoever reads it waits there."""
    rows = pd.read_parquet(lake.mart("samples")).query("rights_class == 'open'")
    path = lake.root / rows.sort_values(["split", "sample_id"]).iloc[5]["path"]
    original = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    yield path
    path.unlink()
    path.write_bytes(original)


def wait_for_reader(process: "subprocess.Popen[bytes]", pipe: Path) -> None:
    """Returns when the process has come to the pipe."""
    while process.poll() is None:
        try:
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            time.sleep(0.01)
            continue
        return
    raise AssertionError(f"the export ended with status {process.returncode} before it came to the pipe")


def test_the_manifest_counts_and_every_picture_has_an_attribution_line(shared: Lake) -> None:
    folder = export(shared, "webdataset", "counted", ExportOptions(shard_size=2))
    found = manifest(folder)
    assert found["counts"] == {
        "samples": 7, "splits": {"test_id": 1, "test_ood": 1, "train": 3, "val": 2},
        "labels": {"ship": 4, "tram": 5}, "rights": {"open": 7}, "archives": {"demo": 7},
    }
    assert found["shards"] == {
        "test_id/00000.tar": 1, "test_ood/00000.tar": 1, "train/00000.tar": 2, "train/00001.tar": 1,
        "val/00000.tar": 2,
    }
    assert found["options"]["rights"] == ["open"]
    lines = (folder / "ATTRIBUTION").read_text().splitlines()
    assert {line.split("\t")[0] for line in lines} == {name.split("/")[1][:16] for name in members(folder)}
    assert lines[0].split("\t")[1:3] == ["Northport City Museum", f"open {CC0}"]


