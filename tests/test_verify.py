"""The store is hashed again: what is missing, altered or stray is found, told, and mended by a fetch."""

import json
import os
import shutil
from pathlib import Path

import pytest

from lake import Lake, image_store
from lake.errors import EmptyLake, LakeError
from lake.tables import RAW_HITS, RAW_IMAGES
from lake.verify import verify
from tests.commands import glamlake
from tests.lakes import NOON, noise_jpeg, write_raw

PICTURES = [noise_jpeg(i, (200, 160)) for i in range(5)]


def stored_lake(lake: Lake) -> list[str]:
    """A lake with PICTURES in it; gives their paths."""
    write_raw(lake, RAW_HITS, [{"hit_id": "0", "native_id": "0"}])
    stored = [image_store.put(lake, content, "jpg") for content in PICTURES]
    write_raw(lake, RAW_IMAGES, [
        {"image_url": f"http://a.invalid/{i}", "status": "ok", "fetched_at": NOON, "sha256": one.sha256,
         "path": one.path, "bytes": len(PICTURES[i])}
        for i, one in enumerate(stored)
    ])
    return [one.path for one in stored]


def damage(lake: Lake, paths: list[str]) -> dict[str, set[str]]:
    """One file gone, two changed (one keeps its size), one that nobody knows."""
    (lake.root / paths[0]).unlink()
    content = bytearray(PICTURES[1])
    content[500] ^= 1
    (lake.root / paths[1]).write_bytes(content)
    (lake.root / paths[2]).write_bytes(b"")
    (lake.images / "note.txt").write_text("mine")
    return {"missing": {paths[0]}, "altered": {paths[1], paths[2]}, "stray": {"images/note.txt"}}


def found(lake: Lake, mend: bool = False) -> dict[str, set[str]]:
    faults = verify(lake, mend).faults
    return {what: {f.path for f in faults if f.what == what} for what in sorted({f.what for f in faults})}


def test_a_sound_store_has_no_faults(lake):
    stored_lake(lake)
    verified = verify(lake)
    assert (verified.n_files, verified.faults) == (5, ())
    verified.raise_if_broken()


def test_every_fault_is_found_and_nothing_else(lake):
    assert damage(lake, stored_lake(lake)) == found(lake)


def test_who_waits_for_a_large_store_is_told_of_each_file(lake, monkeypatch):
    monkeypatch.setattr("lake.verify._FILES_AT_ONCE", 2)
    damage(lake, stored_lake(lake))
    told = []

    def watch(looked_at, n):
        for one in looked_at:
            told.append((one and one.what, n))
            yield one

    assert verify(lake, watch=watch).faults == verify(lake).faults
    assert sorted(map(str, told)) == [
        "('altered', 5)", "('altered', 5)", "('stray', 5)", "(None, 5)", "(None, 5)",
    ]


def test_a_link_is_no_picture(lake):
    paths = stored_lake(lake)
    outside = lake.root / "outside"
    outside.write_bytes(PICTURES[0])
    (lake.root / paths[0]).unlink()
    (lake.root / paths[0]).symlink_to(outside)
    assert found(lake) == {"altered": {paths[0]}}


@pytest.mark.parametrize("make", ["folder", "empty folder", "pipe"])
def test_what_lies_in_the_place_of_a_picture_is_set_aside_and_the_picture_comes_back(lake, make):
    path = lake.root / stored_lake(lake)[0]
    path.unlink()
    if make == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    if make == "folder":
        (path / "inner").write_bytes(b"x")
        with pytest.raises(LakeError, match=rf"in the way of .*{path.name} .*`glamlake verify --mend`"):
            image_store.put(lake, PICTURES[0], "jpg")
    assert found(lake, mend=True) == {"altered": {path.relative_to(lake.root).as_posix()}}
    image_store.put(lake, PICTURES[0], "jpg")
    assert found(lake) == {}


def test_a_file_in_the_place_of_a_folder_is_set_aside_and_the_picture_comes_back(lake):
    folder = (lake.root / stored_lake(lake)[0]).parent
    shutil.rmtree(folder)
    folder.write_bytes(b"x")
    with pytest.raises(LakeError, match=r"in the way of .*`glamlake verify --mend`"):
        image_store.put(lake, PICTURES[0], "jpg")
    verify(lake, mend=True)
    image_store.put(lake, PICTURES[0], "jpg")
    assert found(lake) == {}


def test_a_stray_file_of_any_name_is_told_on_one_line_of_plain_text(lake):
    stored_lake(lake)
    for name in (b"caf\xe9.jpg", b"a\nb\x1b[31mred.jpg"):
        Path(os.fsdecode(bytes(lake.images) + b"/" + name)).write_bytes(b"x")
    lines = verify(lake).text().splitlines()
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)


def test_drafts_and_journalled_pictures_are_no_strays(lake):
    stored_lake(lake)
    (lake.images / ".drafts").mkdir(exist_ok=True)
    (lake.images / ".drafts" / "1.part").write_bytes(b"x")
    fresh = image_store.put(lake, noise_jpeg(9, (200, 160)), "jpg")
    lake.outcomes.parent.mkdir()
    lake.outcomes.write_text(json.dumps({"path": fresh.path}) + '\n{"pa')
    assert found(lake) == {}


def test_mending_sets_aside_and_loses_nothing(lake):
    paths = stored_lake(lake)
    faults = damage(lake, paths)
    assert found(lake, mend=True) == faults
    assert found(lake) == {"missing": {paths[0], paths[1], paths[2]}}
    aside = {str(path.relative_to(lake.images / ".aside")) for path in (lake.images / ".aside").rglob("*.*")}
    assert aside == {"note.txt", *(path.removeprefix("images/") for path in paths[1:3])}


def test_the_line_says_what_to_do_next(lake):
    damage(lake, stored_lake(lake))
    with pytest.raises(LakeError, match="1 stray, 1 missing, 2 altered files; `glamlake verify --mend`"):
        verify(lake).raise_if_broken()
    with pytest.raises(LakeError, match="`glamlake fetch` brings again"):
        verify(lake, mend=True).raise_if_broken()


def test_the_command_ends_with_1_and_one_line_and_tells_scripts_everything(lake):
    paths = stored_lake(lake)
    assert glamlake(lake.root, "verify").returncode == 0
    (lake.root / paths[0]).unlink()
    done = glamlake(lake.root, "verify", "--json")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    told = json.loads(done.stdout)
    assert (told["files"], told["missing"], told["altered"], told["stray"]) == (4, 1, 0, 0)
    assert told["faults"] == [{"what": "missing", "path": paths[0], "detail": "of 1 URLs", "n_urls": 1}]


def test_a_lake_that_may_only_be_read_is_verified(lake):
    stored_lake(lake)
    lake.logs.symlink_to("/sys")      # where nobody, root neither, makes a file
    done = glamlake(lake.root, "verify")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "5 files hashed, 0 faults\n")


def test_an_empty_lake_has_nothing_to_verify(lake):
    with pytest.raises(EmptyLake, match="glamlake harvest"):
        verify(lake)
