"""Bytes lie under their hash, whole or not at all."""

import errno
import hashlib
from pathlib import Path

import pytest

from lake import Lake, image_store
from lake.errors import LakeError

CONTENT = b"bytes of a picture"


def files(lake: Lake) -> list[str]:
    """Every file below `images`, relative to the lake."""
    return sorted(str(path.relative_to(lake.root)) for path in lake.images.rglob("*") if path.is_file())


def test_bytes_lie_under_two_levels_of_their_hash(lake):
    stored = image_store.put(lake, CONTENT, "jpg")
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert stored == image_store.StoredImage(sha256, f"images/{sha256[:2]}/{sha256[2:4]}/{sha256}.jpg")
    assert (lake.root / stored.path).read_bytes() == CONTENT == image_store.read(lake, stored.path)


def test_putting_the_same_bytes_twice_changes_nothing(lake):
    first = image_store.put(lake, CONTENT, "jpg")
    written = (lake.root / first.path).stat().st_mtime_ns
    assert image_store.put(lake, CONTENT, "jpg") == first
    assert (lake.root / first.path).stat().st_mtime_ns == written
    assert files(lake) == [first.path]


def test_a_name_without_its_bytes_is_filled_again(lake):
    stored = image_store.put(lake, CONTENT, "jpg")
    (lake.root / stored.path).write_bytes(b"")     # what a power cut leaves
    image_store.put(lake, CONTENT, "jpg")
    assert image_store.verify(lake, stored.path)


def test_verify_tells_changed_bytes(lake):
    stored = image_store.put(lake, CONTENT, "png")
    assert image_store.verify(lake, stored.path)
    (lake.root / stored.path).write_bytes(CONTENT.upper())
    assert not image_store.verify(lake, stored.path)


def test_a_picture_that_is_gone_is_one_clear_line(lake):
    with pytest.raises(LakeError, match=r"cannot read images/aa/bb/aabb\.jpg .* fetch it again"):
        image_store.read(lake, "images/aa/bb/aabb.jpg")


def test_a_full_disk_leaves_nothing_half_written(lake, monkeypatch):
    def write_half(self: Path, content: bytes) -> int:
        with self.open("wb") as f:
            f.write(content[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(LakeError, match=r"no room left for pictures in .*; make room, then run again"):
        image_store.put(lake, CONTENT, "jpg")
    assert files(lake) == []


def test_what_a_killed_writer_left_is_swept_away(lake):
    stored = image_store.put(lake, CONTENT, "jpg")
    (lake.images / ".drafts" / "0123.part").write_bytes(CONTENT[:5])
    assert image_store.sweep(lake) == 1
    assert files(lake) == [stored.path]
