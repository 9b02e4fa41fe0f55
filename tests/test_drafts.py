"""What is said where something cannot be written: what really lacks, and what was there stays."""

import errno
import importlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from safetensors import SafetensorError

from lake import Lake, catalog
from lake.drafts import cannot_write, in_place_of, whole_file
from lake.errors import LakeError
from lake.tables import RAW_IMAGES
from models.head_files import write_annotator
from models.state import write_tensors
from pipelines.load import append_images
from pipelines.outcomes import Outcomes
from tests.lakes import little_room
from tests.test_heads import annotator

ROW = {
    "image_url": "https://example.org/" + "a" * 9000, "status": "http_error", "fetched_at": datetime.now(UTC),
}


def write_nothing_new(folder: Path) -> None:
    with in_place_of(folder) as draft:
        (draft / "much").write_bytes(b"x" * 9000)


WRITERS: dict[str, tuple[Callable[[Lake], Path], Callable[[Lake], object]]] = {
    "training state": (
        lambda lake: lake.models, lambda lake: write_tensors(lake.models / "s", {"a": torch.zeros(3000)}),
    ),
    "heads": (lambda lake: lake.models, lambda lake: write_annotator(lake.models / "topic", annotator(), {})),
    "outcomes": (lambda lake: lake.outcomes.parent, lambda lake: Outcomes(lake).add(ROW)),
    "pictures' rows": (
        lambda lake: lake.raw / RAW_IMAGES.name,
        lambda lake: append_images(lake, pa.Table.from_pylist([ROW], schema=RAW_IMAGES.schema)),
    ),
    "a folder": (lambda lake: lake.reports, lambda lake: write_nothing_new(lake.reports / "checks")),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_room_is_asked_for_where_it_lacks_and_nowhere_else(lake: Lake, writer: str) -> None:
    place, write = WRITERS[writer]
    with little_room(500), pytest.raises(LakeError, match=r"^cannot write .*; make room, then run again$"):
        write(lake)
    _put_a_file_at(place(lake))
    with pytest.raises(LakeError, match=r"^cannot write .*; mend that, then run again$"):
        write(lake)


def test_a_catalog_without_room_is_one_line_and_comes_with_the_next_stage(lake: Lake) -> None:
    append_images(lake, pa.Table.from_pylist([ROW], schema=RAW_IMAGES.schema))
    lake.catalog_mark.unlink()
    before = lake.catalog.read_bytes()
    with little_room(5000), pytest.raises(LakeError, match=r"^cannot write .*; make room, then run again$"):
        catalog.refresh_catalog(lake)
    assert lake.catalog.read_bytes() == before
    assert not list(lake.root.glob(".catalog-*/*"))
    catalog.refresh_catalog(lake)
    assert lake.catalog_mark.exists()


def _put_a_file_at(place: Path) -> None:
    """In a folder's stead: a hindrance for root, too, whom no missing permission stops."""
    if place.exists():
        place.rename(place.with_name(f"{place.name}-away"))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("mine")


@pytest.mark.parametrize(("e", "first"), [
    (OSError(errno.ENOSPC, "No space left on device"), "make room"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "make room"),
    (SafetensorError("I/O error: No space left on device (os error 28)"), "make room"),
    (RuntimeError("lance: [Errno 28] No space left on device: 'x'"), "make room"),
    (PermissionError(errno.EACCES, "Permission denied"), "mend that"),
    (OSError(errno.EROFS, "Read-only file system"), "mend that"),
    (SafetensorError("I/O error: Read-only file system (os error 30) at path \"/os error 28\""), "mend that"),
    (OSError("28 of 30 went wrong"), "mend that"),
])
def test_the_way_out_follows_from_the_systems_number(e: Exception, first: str) -> None:
    assert f"; {first}, then run again" in str(cannot_write("the file", e))


def test_an_import_with_little_room_leaves_no_half_of_a_compiled_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "of_many_words.py").write_text(f"words = {'word ' * 2000!r}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    with little_room(500):
        importlib.import_module("of_many_words")
    assert sys.modules.pop("of_many_words").words.startswith("word")
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_file_is_whole_or_as_before_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "told.json"
    with whole_file(path) as draft:
        draft.write_text("first")
        assert not path.exists()
    with pytest.raises(UnicodeEncodeError), whole_file(path) as draft:
        draft.write_text("half, then what no file takes \ud800", "utf-8")
    assert [(one.name, one.read_text()) for one in path.parent.iterdir()] == [("told.json", "first")]


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".png")
    with whole_file(path) as draft:
        draft.write_text("whole")
    assert path.read_text() == "whole"


def test_two_who_write_one_file_at_once_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "told.json"
    with whole_file(path) as earlier:
        earlier.write_text("earlier")
        with whole_file(path) as later:
            later.write_text("later")
        assert path.read_text() == "later"
    assert path.read_text() == "earlier"
