"""Every image URL ends with one status and its reason; a run may be killed at any moment and goes on."""

import hashlib
import io
import logging
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from lake import Lake, catalog
from lake.errors import EmptyLake, LakeBusy, LakeError
from lake.tables import RAW_HITS, RECORDS
from pipelines.fetch import Asked, FetchOptions, Rota, fetch
from pipelines.http_client import Manners, PoliteClient
from pipelines.load import stage_lock
from pipelines.outcomes import Outcomes
from pipelines.replay import Answer, Fault, ReplayServer
from tests.lakes import noise_jpeg, write_mart, write_raw

GOOD = [noise_jpeg(seed, (120, 96)) for seed in range(6)]
BLANK = io.BytesIO()
Image.new("RGB", (900, 900), (230, 220, 190)).save(BLANK, "JPEG")
PICTURES = {
    "/ok.jpg": Answer(200, "image/jpeg", GOOD[0]),
    "/page.jpg": Answer(200, "image/jpeg", b"<!DOCTYPE html><html><body>No such picture</body></html>"),
    "/half.jpg": Answer(200, "image/jpeg", GOOD[1][:len(GOOD[1]) // 2]),
    "/blank.jpg": Answer(200, "image/jpeg", BLANK.getvalue()),
    "/tiny.jpg": Answer(200, "image/jpeg", noise_jpeg(1, (32, 32), quality=100)),
    "/large.jpg": Answer(200, "image/jpeg", noise_jpeg(1, (200, 160)) + b"\0" * 60_000),
    "/moved.jpg": Answer(302, "text/plain", b"", (("Location", "/ok.jpg"),)),
    "/inside.jpg": Answer(302, "text/plain", b"", (("Location", "http://127.0.0.1:9/secret"),)),
    **{f"/many/{i}.jpg": Answer(200, "image/jpeg", GOOD[i % 6] + b"%d" % i) for i in range(60)},
}


class Pictures:
    """Serves PICTURES by their path."""

    def picture(self, path: str, params: object) -> Answer | None:
        return PICTURES.get(path)


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer([], Pictures()) as server:
        yield server


def records_of(lake: Lake, urls: list[str]) -> None:
    """A lake that was harvested and normalised, with these image URLs."""
    write_raw(lake, RAW_HITS, [{"hit_id": "0", "native_id": "0"}])
    write_mart(lake, RECORDS, [{"record_id": f"demo:{i}", "image_url": url} for i, url in enumerate(urls)])


def quick_fetch(lake: Lake, server: ReplayServer, **options: object) -> dict[str, int]:
    """Fetch with little patience."""
    allowed = frozenset({f"127.0.0.1:{server.port}"})
    manners = Manners(allowed_hosts=allowed, attempts=2, backoff_s=0.01)
    with PoliteClient(manners) as client:
        return fetch(lake, FetchOptions(**options), client)     # type: ignore[arg-type]


def outcomes(lake: Lake) -> dict[str, dict[str, object]]:
    """The rows of `images` by the path of their URL on the server, or the URL."""
    rows = catalog.rows(lake, "from images")
    return {re.sub(r"http://127[.0-9:]+/", "", str(row["image_url"])): row for row in rows}


NO_HTTP_URLS = ["ftp://example.org/a.jpg", "http://[bad/a.jpg", "file:///etc/passwd", "picture.jpg"]


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake after one fetch of one URL of every kind."""
    lake = Lake(tmp_path_factory.mktemp("fetched")).open()
    faults = [Fault("http_500", "/broken.jpg", times=9), Fault("truncate", "/many/3.jpg", times=9)]
    with ReplayServer([], Pictures(), [*faults, Fault("drop_connection", "/many/4.jpg", times=9)]) as server:
        paths = [path for path in PICTURES if "many" not in path]
        paths += ["/gone.jpg", "/broken.jpg", "/many/3.jpg", "/many/4.jpg"]
        urls = [server.url + path for path in paths]
        records_of(lake, [*urls, *urls, *NO_HTTP_URLS])
        counts = quick_fetch(lake, server, max_bytes=50_000)
    assert sum(counts.values()) == len(urls) + len(NO_HTTP_URLS)
    return lake


def test_every_url_ends_with_one_status(fetched):
    rows = {path: (row["status"], row["http_status"]) for path, row in outcomes(fetched).items()}
    assert rows == {
        "ok.jpg": ("ok", 200), "moved.jpg": ("ok", 200),
        "blank.jpg": ("blank", 200), "tiny.jpg": ("too_small", 200),
        "page.jpg": ("not_an_image", 200), "half.jpg": ("corrupt", 200), "large.jpg": ("too_large", None),
        "inside.jpg": ("blocked", None), "gone.jpg": ("http_error", 404), "broken.jpg": ("http_error", 500),
        "many/3.jpg": ("connection_error", None), "many/4.jpg": ("connection_error", None),
        **dict.fromkeys(NO_HTTP_URLS, ("blocked", None)),
    }


def test_every_failure_has_its_reason(fetched):
    reasons = {path: str(row["error"]) for path, row in outcomes(fetched).items() if row["error"]}
    assert set(outcomes(fetched)) - set(reasons) == {"ok.jpg", "moved.jpg"}
    assert "an HTML page" in reasons["page.jpg"]
    assert "truncated" in reasons["half.jpg"]
    assert "127.0.0.1, which is no public address" in reasons["inside.jpg"]
    assert "32 × 32" in reasons["tiny.jpg"]


def test_a_picture_is_kept_as_served_with_its_facts(fetched):
    row = outcomes(fetched)["ok.jpg"]
    sha256, size = hashlib.sha256(GOOD[0]).hexdigest(), len(GOOD[0])
    assert (fetched.root / str(row["path"])).read_bytes() == GOOD[0]
    assert (row["sha256"], row["bytes"]) == (row["source_sha256"], row["source_bytes"]) == (sha256, size)
    assert (row["format"], row["mode"], row["width"], row["height"]) == ("JPEG", "RGB", 120, 96)
    assert (row["content_type"], row["attempts"], len(str(row["phash"]))) == ("image/jpeg", 1, 16)


def test_a_blank_is_kept_to_be_looked_at_and_the_rest_is_not(fetched):
    rows = outcomes(fetched)
    assert (fetched.root / str(rows["blank.jpg"]["path"])).read_bytes() == BLANK.getvalue()
    assert [rows[path]["path"] for path in ("tiny.jpg", "page.jpg", "half.jpg")] == [None] * 3
    assert rows["tiny.jpg"]["width"] == 32


def test_max_side_keeps_a_smaller_copy_and_the_hash_of_its_source(lake, server):
    records_of(lake, [server.url + "/ok.jpg"])
    quick_fetch(lake, server, max_side=100)
    row = outcomes(lake)["ok.jpg"]
    content = (lake.root / str(row["path"])).read_bytes()
    assert (row["width"], row["height"]) == Image.open(io.BytesIO(content)).size == (100, 80)
    assert (row["sha256"], row["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (row["source_sha256"], row["source_bytes"]) == (hashlib.sha256(GOOD[0]).hexdigest(), len(GOOD[0]))


def test_a_second_fetch_asks_for_nothing_and_says_so(lake, server, caplog):
    records_of(lake, [server.url + path for path in ("/ok.jpg", "/gone.jpg", "/half.jpg")] * 2)
    with caplog.at_level(logging.INFO, logger="pipelines.fetch"):
        assert quick_fetch(lake, server) == {"ok": 1, "http_error": 1, "corrupt": 1}
        assert quick_fetch(lake, server) == {}
    assert len(server.requests) == 3
    said = [record.getMessage() for record in caplog.records if record.name == "pipelines.fetch"]
    assert said == ["fetched asked=3 ok=1 http_error=1 corrupt=1", "fetched asked=0"]


def test_retry_failed_asks_again_only_what_may_come_right(lake, server):
    for path in ("/many/1.jpg", "/many/2.jpg", "/many/3.jpg"):
        kind = {"1": "http_500", "2": "http_429", "3": "drop_connection"}[path[6]]
        server.add_fault(Fault(kind, path, times=2))
    records_of(lake, [server.url + path for path in (
        "/ok.jpg", "/gone.jpg", "/half.jpg", "/many/1.jpg", "/many/2.jpg", "/many/3.jpg", "/inside.jpg",
    )])
    quick_fetch(lake, server)
    asked = len(server.requests)
    assert quick_fetch(lake, server, retry_failed=True) == {"ok": 3}
    again = {request.path for request in server.requests[asked:]}
    assert again == {"/many/1.jpg", "/many/2.jpg", "/many/3.jpg"}
    assert outcomes(lake)["many/1.jpg"]["attempts"] == 2


def test_blocked_is_asked_again_where_private_hosts_are_allowed_now(lake, server):
    records_of(lake, [server.url + "/ok.jpg"])
    assert fetch(lake) == {"blocked": 1}
    assert "no public address" in str(outcomes(lake)["ok.jpg"]["error"])
    assert fetch(lake, FetchOptions(retry_failed=True)) == {}
    assert fetch(lake, FetchOptions(retry_failed=True, allow_private_hosts=True)) == {"ok": 1}


def test_without_records_the_stage_before_is_named(lake):
    with pytest.raises(EmptyLake, match="nothing harvested"):
        fetch(lake)
    write_raw(lake, RAW_HITS, [{"hit_id": "0", "native_id": "0"}])
    with pytest.raises(EmptyLake, match="glamlake normalise"):
        fetch(lake)
    write_mart(lake, RECORDS, [])
    with pytest.raises(EmptyLake, match="became a record"):
        fetch(lake)


def test_a_second_fetch_at_the_same_time_is_refused(lake, server):
    records_of(lake, [server.url + "/ok.jpg"])
    with stage_lock(lake, "fetch"), pytest.raises(LakeBusy, match="fetch"):
        quick_fetch(lake, server)


def test_an_unwritable_store_ends_the_stage_and_what_was_kept_counts(lake, server):
    records_of(lake, [server.url + f"/many/{i}.jpg" for i in range(8)])
    lake.images.write_bytes(b"in the way")
    with pytest.raises(LakeError, match="run again"):
        quick_fetch(lake, server)
    lake.images.unlink()
    assert quick_fetch(lake, server) == {"ok": 8}


def test_a_fetch_killed_half_way_goes_on_and_ends_like_an_undisturbed_one(tmp_path, server):
    killed, undisturbed = Lake(tmp_path / "killed").open(), Lake(tmp_path / "undisturbed").open()
    urls = [server.url + path for path in [*PICTURES, "/gone.jpg"]]
    for lake in (killed, undisturbed):
        records_of(lake, urls)
    workers = 3
    kill_after(killed, server, requests=25, workers=workers)
    settled = quick_fetch(killed, server)
    assert 0 < sum(settled.values()) < len(urls)
    asked = [request.path for request in server.requests]
    assert len(asked) - len(set(asked)) <= workers + 2      # what was in flight; /moved.jpg leads to /ok.jpg
    quick_fetch(undisturbed, server)
    assert what_came_of(killed) == what_came_of(undisturbed)
    assert len(catalog.rows(killed, "from raw_images")) == len(urls)


def test_what_came_of_a_picture_is_kept_before_its_worker_asks_for_the_next(lake, server, monkeypatch):
    urls = [server.url + f"/many/{i}.jpg" for i in range(12)]
    records_of(lake, urls)
    ahead = []

    def load_slowly(self: Outcomes) -> None:
        time.sleep(0.05)
        n_asked = len(server.requests)    # first: the journal may only grow meanwhile
        journal = lake.outcomes.read_bytes().count(b"\n") if lake.outcomes.exists() else 0
        ahead.append(n_asked - journal)

    monkeypatch.setattr(Outcomes, "load_if_due", load_slowly)
    assert quick_fetch(lake, server, workers=2) == {"ok": len(urls)}
    assert max(ahead) <= 2


def test_pictures_that_come_while_others_are_loaded_are_loaded_too(lake, server, monkeypatch):
    records_of(lake, [server.url + f"/many/{i}.jpg" for i in range(12)])
    monkeypatch.setattr(Outcomes, "load_if_due", lambda self: self.load())
    assert quick_fetch(lake, server, workers=4) == {"ok": 12}
    assert catalog.rows(lake, "select count(*) as n from raw_images") == [{"n": 12}]
    assert not list(lake.outcomes.parent.glob("*.jsonl"))


def test_a_fetch_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path, server):
    killed, undisturbed = Lake(tmp_path / "killed").open(), Lake(tmp_path / "undisturbed").open()
    urls = [server.url + path for path in [*list(PICTURES)[:9], "/gone.jpg"]]
    for lake in (killed, undisturbed):
        records_of(lake, urls)
    host = f"127.0.0.1:{server.port}"
    command = [sys.executable, "-m", "tests.killed_stages", str(killed.root), "fetch", "4", "5", host]
    assert int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout) >= 3
    quick_fetch(undisturbed, server)
    assert what_came_of(killed) == what_came_of(undisturbed)
    assert len(catalog.rows(killed, "from raw_images")) == len(urls)
    assert {path.name for path in killed.images.rglob("*") if path.is_file()} == {
        path.name for path in undisturbed.images.rglob("*") if path.is_file()
    }


def kill_after(lake: Lake, server: ReplayServer, requests: int, workers: int) -> None:
    """Start a fetch in a process of its own; kill -9 it when the server has answered so many requests."""
    server.add_fault(Fault("stall", times=workers, after=requests, stall_s=600))
    code = f"""
        from pathlib import Path
        from lake import Lake
        from pipelines.fetch import FetchOptions, fetch
        options = FetchOptions(workers={workers}, allowed_hosts=("127.0.0.1:{server.port}",))
        fetch(Lake(Path({str(lake.root)!r})), options)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)]) as process:
        while len(server.requests) < requests + workers:    # now each of them waits for an answer
            assert process.poll() is None, "the fetch ended before it could be killed"
            time.sleep(0.005)
        process.kill()


def what_came_of(lake: Lake) -> set[tuple[object, ...]]:
    """The end state of a fetch."""
    rows = catalog.rows(lake, "select image_url, status, sha256, path, error from images")
    return {tuple(row.values()) for row in rows}


def test_the_rota_goes_from_host_to_host():
    asked = [Asked(host, f"{host}/{i}") for host in "ab" for i in range(3)]
    rota = Rota(asked, workers=6)
    assert [one.url for one in iter(rota.take, None)] == ["a/0", "b/0", "a/1", "b/1", "a/2", "b/2"]


def test_a_slow_host_holds_no_more_than_its_share_of_the_workers():
    asked = [Asked(host, f"{host}/{i}") for host in ("slow", "quick", "other") for i in range(100)]
    rota = Rota(asked, workers=6)
    busy = [rota.take() for _ in range(6)]
    for _ in range(50):                   # slow never answers, the others do at once
        done = next(one for one in busy if one is not None and one.host != "slow")
        busy.remove(done)
        rota.answered(done)
        busy.append(rota.take())
    assert [one.host for one in busy if one].count("slow") == 2
