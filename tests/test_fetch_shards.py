"""The work cut into shards: every URL in exactly one, fetched side by side or on machines of their own."""

import hashlib
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from lake import Lake
from lake.errors import LakeBusy, UsageError
from pipelines.asked import unanswered
from pipelines.fetch import FetchOptions
from pipelines.load import stage_lock
from pipelines.outcomes import Outcomes, settle
from pipelines.shard import Shard
from tests.commands import typed
from tests.lakes import noise_jpeg
from tests.picture_server import Page, PictureHost, picture_host, quick_fetch, records_of, rows_by_path

PICTURES = {f"/{i}.jpg": Page(noise_jpeg(i % 3, (200, 160)) + b"%d" % i) for i in range(12)}


@pytest.fixture
def host() -> Iterator[PictureHost]:
    with picture_host() as host:
        host.pages |= PICTURES
        yield host


EXPECTED = {path: ("ok", hashlib.sha256(page.body).hexdigest(), 1) for path, page in PICTURES.items()}


def what_came(lake: Lake, host: PictureHost) -> dict[str, tuple[object, ...]]:
    """The end state, by path: status, hash of the file that lies there, attempts."""
    rows = rows_by_path(lake, host).items()
    bytes_of = {path: (lake.root / str(row["path"])).read_bytes() for path, row in rows}
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in bytes_of.items()}
    return {path: (row["status"], hashes[path], row["attempts"]) for path, row in rows}


@pytest.mark.parametrize("n", [2, 3, 7])
def test_every_url_is_in_exactly_one_shard(lake, n):
    urls = [f"http://a.invalid/{i}" for i in range(300)]
    records_of(lake, urls)
    shards = [
        [one.url for one in unanswered(lake, FetchOptions(shard=Shard(i, n)))] for i in range(1, n + 1)
    ]
    assert sorted(url for shard in shards for url in shard) == sorted(urls)
    assert all(200 / n < len(shard) < 400 / n for shard in shards)


def test_shards_meet_where_a_url_may_be_in_both():
    shards = [Shard(i, n) for n in (1, 2, 3, 4, 6) for i in range(1, n + 1)]
    for a in shards:
        for b in shards:
            share = any(x % a.of == a.number - 1 and x % b.of == b.number - 1 for x in range(12))
            assert a.meets(b) == share, (a, b)
    assert [Shard.named(one.name) for one in shards] == shards
    assert Shard.named("fetch.door") is None


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "-1/2", "a/b", "1/2/3", ""])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="is no i/n"):
        Shard.parse(text)


@pytest.mark.parametrize("option", ["--shard", "--older-than"])
def test_a_variable_that_is_not_set_is_not_taken_for_all_there_is(lake, option):
    said = typed(lake.root, "fetch", option, "").exception
    assert isinstance(said, UsageError), said


def start(lake: Lake, host: PictureHost, shard: str) -> "subprocess.Popen[bytes]":
    """A fetch of one shard in a process of its own."""
    code = f"""
        from pathlib import Path
        from lake import Lake
        from pipelines.fetch import FetchOptions, Shard, fetch
        options = FetchOptions(workers=3, allowed_hosts=({host.url[7:]!r},), shard=Shard.parse({shard!r}))
        fetch(Lake(Path({str(lake.root)!r})), options)
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])


def test_two_shards_fetched_side_by_side_ask_for_everything_once(lake, host):
    records_of(lake, [host.url + path for path in PICTURES])
    both = [start(lake, host, shard) for shard in ("1/2", "2/2")]
    assert [process.wait(600) for process in both] == [0, 0]
    assert sorted(host.paths()) == sorted(PICTURES)
    assert what_came(lake, host) == EXPECTED


def test_lakes_of_two_machines_are_merged_by_copying(tmp_path, host):
    one, other = (Lake(tmp_path / name).open() for name in ("one", "other"))
    for number, lake in enumerate((one, other), 1):
        records_of(lake, [host.url + path for path in PICTURES])
        quick_fetch(lake, host, shard=Shard(number, 2))
    for folder in ("images", "raw/images"):
        shutil.copytree(other.root / folder, one.root / folder, dirs_exist_ok=True)
    assert what_came(one, host) == EXPECTED
    assert quick_fetch(one, host) == {}


def test_a_shard_is_refused_while_another_process_may_ask_for_its_urls(lake, host):
    records_of(lake, [host.url + path for path in PICTURES])
    for held, refused in [("fetch", Shard(1, 2)), ("fetch-1-of-2", Shard()), ("fetch-1-of-2", Shard(3, 4))]:
        with stage_lock(lake, held), pytest.raises(LakeBusy, match="asked for by both"):
            quick_fetch(lake, host, shard=refused)
    assert host.paths() == []


def test_what_a_killed_shard_left_is_kept_by_whoever_comes_next(lake, host):
    records_of(lake, [host.url + path for path in PICTURES])
    row = {"image_url": host.url + "/0.jpg", "status": "timeout", "fetched_at": datetime.now(UTC)}
    Outcomes(lake, Shard(2, 3)).add(row)
    with stage_lock(lake, "fetch-2-of-2"):
        quick_fetch(lake, host, shard=Shard(1, 2))
    assert "/0.jpg" not in host.paths()
    assert rows_by_path(lake, host)["/0.jpg"]["status"] == "timeout"


def test_what_a_running_shard_writes_is_left_to_it(lake):
    records_of(lake, ["http://a.invalid/1"])
    row = {"image_url": "http://a.invalid/1", "status": "timeout", "fetched_at": datetime.now(UTC)}
    Outcomes(lake, Shard(1, 2)).add(row)
    assert settle(lake, [Shard(1, 2)]) == 0
    assert settle(lake, [Shard(2, 2)]) == 1
    assert settle(lake) == 0
