"""What dbt knows of the project is kept for all lakes, and never needed."""

import os
from pathlib import Path

import pytest

from lake import Lake
from pipelines import dbt_plugin
from pipelines.transform import normalise
from tests.hit_fixtures import fixture_items, load_hits


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLAMLAKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def records_of(folder: Path) -> bytes:
    """The records mart of a new lake with the same hits."""
    lake = Lake(folder)
    load_hits(lake, "demo", "ship", fixture_items("demo"))
    normalise(lake, ["demo"])
    return lake.mart("records").read_bytes()


def test_the_project_is_parsed_once_for_all_lakes_and_again_when_that_was_lost(
    tmp_path: Path, cache: Path
) -> None:
    first = records_of(tmp_path / "first lake")
    (known,) = cache.iterdir()
    made, parsed = known.stat().st_mtime_ns, known.read_bytes()
    assert records_of(tmp_path / "it's another") == first
    assert [path.stat().st_mtime_ns for path in cache.iterdir()] == [made]
    assert str(tmp_path).encode() not in parsed
    os.truncate(known, len(parsed) // 2)
    assert records_of(tmp_path / "third") == first
    assert abs(known.stat().st_size - len(parsed)) < 100


def test_without_a_cache_everything_works(tmp_path: Path, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert records_of(tmp_path / "lake")


def test_who_wants_to_stop_is_not_told_that_the_project_failed(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt      # what Ctrl-C does to whatever runs just then

    load_hits(lake, "demo", "ship", fixture_items("demo"))
    monkeypatch.setattr(dbt_plugin.Plugin, "configure_connection", interrupted)
    with pytest.raises(KeyboardInterrupt):
        normalise(lake, ["demo"])
