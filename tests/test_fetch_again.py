"""What is here is asked for on a condition, what failed when it may come right, what is lost always."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from lake import Lake, image_store
from lake.errors import LakeError, UsageError
from lake.tables import RAW_IMAGES
from lake.verify import verify
from pipelines.fetch import FetchOptions, fetch
from pipelines.fetch_options import parse_age
from pipelines.outcomes import Outcomes
from tests.commands import typed
from tests.lakes import little_room, noise_jpeg, write_raw
from tests.picture_server import (
    Heard,
    Page,
    PictureHost,
    blank_jpeg,
    picture_host,
    quick_fetch,
    records_of,
    rows_by_path,
)

OLD, NEW = noise_jpeg(1, (200, 160)), noise_jpeg(2, (200, 160))
SINCE = "Thu, 01 Jan 2026 00:00:00 GMT"


def tagged(body: bytes, etag: str = '"v1"', status: int = 200) -> Page:
    return Page(body, status, {"ETag": etag})


FIRST = {
    "/tag": tagged(OLD), "/date": Page(OLD, headers={"Last-Modified": SINCE}), "/plain": Page(OLD),
    "/blank": tagged(blank_jpeg()), "/new": tagged(OLD),
    **dict.fromkeys(("/gone", "/busy", "/page", "/cut", "/icon"), tagged(OLD)),
    "/odd-tag": tagged(OLD, '"a\u00e9"'), "/long-tag": tagged(OLD, "x" * 5000),
}
LATER = {
    "/new": tagged(NEW, '"v2"'), "/gone": Page(b"gone", 404), "/busy": Page(b"", 503),
    "/page": Page(b"<!DOCTYPE html><html>Sorry</html>"), "/cut": Page(OLD[:900]),
    "/icon": Page(noise_jpeg(1, (20, 20))),
}
UNCHANGED = ["/tag", "/date", "/plain", "/blank", "/odd-tag", "/long-tag"]
STAYED = ["/gone", "/busy", "/page", "/cut", "/icon"]

Rows = dict[str, dict[str, object]]


@dataclass(frozen=True)
class Revisit:
    """A lake before and after a revisit, what came of it, and what the host heard."""

    lake: Lake
    before: Rows
    after: Rows
    counts: dict[str, int]
    heard: dict[str, Heard]


@pytest.fixture(scope="module")
def revisit(tmp_path_factory: pytest.TempPathFactory) -> Revisit:
    lake = Lake(tmp_path_factory.mktemp("revisited")).open()
    with picture_host() as host:
        host.pages |= FIRST
        records_of(lake, [host.url + path for path in FIRST])
        quick_fetch(lake, host)
        before = rows_by_path(lake, host)
        host.heard.clear()
        host.pages |= LATER
        counts = quick_fetch(lake, host, revisit=True)
        return Revisit(lake, before, rows_by_path(lake, host), counts, {one.path: one for one in host.heard})


@pytest.fixture
def host() -> Iterator[PictureHost]:
    with picture_host() as host:
        yield host


def test_a_revisit_says_how_many_changed(revisit):
    assert revisit.counts == {"ok": 1, "unchanged": len(UNCHANGED), "stayed": len(STAYED)}


def test_what_is_here_is_asked_for_on_a_condition(revisit):
    assert revisit.heard["/tag"].headers["if-none-match"] == '"v1"'
    assert revisit.heard["/date"].headers["if-modified-since"] == SINCE


@pytest.mark.parametrize("path", ["/odd-tag", "/long-tag"])
def test_a_tag_that_no_header_should_carry_is_not_sent_back(revisit, path):
    assert not {"if-none-match", "if-modified-since"} & set(revisit.heard[path].headers)


@pytest.mark.parametrize("path", UNCHANGED)
def test_what_has_not_changed_keeps_its_bytes_and_all_its_facts(revisit, path):
    before, after = revisit.before[path], revisit.after[path]
    changed = {name for name in before if before[name] != after[name]}
    assert {"fetched_at", "attempts"} <= changed
    assert changed <= {"fetched_at", "attempts", "http_status", "_dlt_id", "_dlt_load_id"}
    assert after["attempts"] == 2
    assert after["http_status"] == (304 if path in ("/tag", "/date", "/blank") else 200)


def test_what_has_changed_is_taken(revisit):
    row = revisit.after["/new"]
    assert (row["status"], row["etag"]) == ("ok", '"v2"')
    assert image_store.read(revisit.lake, str(row["path"])) == NEW


@pytest.mark.parametrize("path", STAYED)
def test_nothing_worse_displaces_a_picture_that_is_here(revisit, path):
    assert revisit.after[path] == revisit.before[path]
    assert image_store.read(revisit.lake, str(revisit.after[path]["path"])) == OLD


def test_a_picture_whose_file_is_lost_is_fetched_again_without_being_told(lake, host):
    host.pages |= {"/a": tagged(OLD), "/b": tagged(NEW), "/c": tagged(noise_jpeg(3, (200, 160)))}
    records_of(lake, [host.url + path for path in host.pages])
    quick_fetch(lake, host)
    paths = {path: lake.root / str(row["path"]) for path, row in rows_by_path(lake, host).items()}
    paths["/a"].unlink()
    paths["/b"].write_bytes(b"")      # what a power cut leaves
    host.heard.clear()
    assert quick_fetch(lake, host) == {"ok": 2}
    assert (paths["/a"].read_bytes(), paths["/b"].read_bytes()) == (OLD, NEW)
    assert {one.path: "if-none-match" in one.headers for one in host.heard} == {"/a": False, "/b": False}


def test_what_failed_is_asked_again_by_its_status_and_age(lake, host):
    host.pages |= {"/busy": Page(b"", 503), "/icon": Page(noise_jpeg(1, (20, 20))), "/odd": Page(b"", 304)}
    records_of(lake, [host.url + path for path in ("/busy", "/icon", "/gone", "/odd")])
    assert quick_fetch(lake, host) == {"http_error": 3, "too_small": 1}     # nobody asked for that 304
    assert quick_fetch(lake, host, retry_failed=True, older_than=timedelta(hours=1)) == {}
    host.heard.clear()
    assert quick_fetch(lake, host, retry_failed=True, older_than=timedelta(0)) == {"http_error": 1}
    assert set(host.paths()) == {"/busy"}
    host.heard.clear()
    assert quick_fetch(lake, host, retry_statuses=("too_small",), min_side=16, min_bytes=1) == {"ok": 1}
    assert host.paths() == ["/icon"]


def test_a_damaged_line_of_the_journal_costs_its_own_picture_only(lake, host):
    host.pages |= {"/a": tagged(OLD)}
    records_of(lake, [host.url + path for path in ("/a", "/gone")])
    gone = {"image_url": host.url + "/gone", "status": "http_error", "http_status": 404}
    line = orjson.dumps(gone | {"fetched_at": datetime.now(UTC)})
    lake.outcomes.parent.mkdir()
    lake.outcomes.write_bytes(line[:60] + line + b"\n" + bytes(9) + b"\n[]\n" + line + b"\n" + line[:60])
    assert verify(lake).n_files == 0
    assert quick_fetch(lake, host) == {"ok": 1}
    assert rows_by_path(lake, host)["/gone"]["http_status"] == 404


def test_half_a_line_that_found_no_room_does_not_spoil_the_next(lake):
    records_of(lake, ["http://a.invalid/"])
    with Outcomes(lake) as outcomes:
        row = {"status": "http_error", "fetched_at": datetime.now(UTC)}
        with little_room(500), pytest.raises(LakeError, match="make room"):
            outcomes.add(row | {"image_url": "http://a.invalid/" + "a" * 9000})
        outcomes.add(row | {"image_url": "http://a.invalid/"})
        assert lake.outcomes.read_bytes().startswith(b'{"status":"http_error"')
        assert len(lake.outcomes.read_bytes().splitlines()) == 1
        assert len(lake.outcomes.read_bytes()) < 200


def test_what_came_counts_where_the_clock_was_set_back_since(lake, host):
    host.pages |= {"/a": tagged(OLD)}
    records_of(lake, [host.url + "/a"])
    ahead = datetime.now(UTC) + timedelta(days=400)
    failed = {"image_url": host.url + "/a", "status": "timeout", "fetched_at": ahead}
    write_raw(lake, RAW_IMAGES, [failed])
    assert quick_fetch(lake, host) == {}
    assert quick_fetch(lake, host, retry_failed=True, older_than=timedelta(days=500)) == {}
    assert quick_fetch(lake, host, retry_failed=True, older_than=timedelta(days=1)) == {"ok": 1}
    assert rows_by_path(lake, host)["/a"]["status"] == "ok"


def test_of_what_is_asked_for_anew_nothing_is_lost_to_a_host_that_is_down(lake, host):
    there = {"/ok": tagged(OLD), "/blank": tagged(blank_jpeg())}
    host.pages |= there
    records_of(lake, [host.url + path for path in there])
    quick_fetch(lake, host)
    before = rows_by_path(lake, host)
    host.pages |= dict.fromkeys(there, Page(b"gone", 404))
    assert quick_fetch(lake, host, retry_statuses=("ok", "blank")) == {"stayed": 2}
    assert rows_by_path(lake, host) == before
    host.pages |= there
    assert quick_fetch(lake, host, retry_statuses=("ok",), min_side=500) == {"too_small": 1}


def test_a_host_that_wants_a_long_rest_is_soon_left_alone(lake, host):
    busy = [f"/{i}" for i in range(20)]
    host.pages |= dict.fromkeys(busy, Page(b"", 429, {"Retry-After": "3600"}))
    records_of(lake, [host.url + path for path in busy])
    options = FetchOptions(workers=1, allowed_hosts=(host.url[7:],))
    assert fetch(lake, options) == {"http_error": 10, "connection_error": 10}
    assert len(host.heard) == 10


def test_one_url_that_wants_a_long_rest_keeps_no_other_from_coming(lake, host):
    host.pages |= {f"/{i}": Page(noise_jpeg(i, (200, 160))) for i in range(20)}
    host.pages |= {f"/{i}": Page(b"", 429, {"Retry-After": "3600"}) for i in (3, 8, 13)}
    records_of(lake, [f"{host.url}/{i}" for i in range(20)])
    assert quick_fetch(lake, host) == {"ok": 17, "http_error": 3}


def test_where_all_is_here_the_command_says_so(lake, host):
    host.pages["/a"] = Page(OLD)
    records_of(lake, [f"{host.url}/a"])
    assert quick_fetch(lake, host) == {"ok": 1}
    said = typed(lake.root, "fetch")
    assert (said.exit_code, said.stdout.split(";")[0]) == (0, "Every URL asked for has its outcome")
    assert len(host.heard) == 1


def test_ages_are_read():
    assert parse_age("90m") == timedelta(minutes=90)
    assert parse_age(" 7D ") == timedelta(days=7)
    for text in ("7", "-1d", "1y", "", "1.5h"):
        with pytest.raises(UsageError, match="is no age"):
            parse_age(text)


@pytest.mark.parametrize(("options", "said"), [
    ({"larger_than_mb": 1.0}, "give both"), ({"retry_statuses": ("lost",)}, "no status lost; there are: ok"),
    *(({"insecure_hosts": ("a.example", host)}, "is no host") for host in ("", "*", "::1", "https://a.example")),
])
def test_options_that_make_no_sense_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        FetchOptions(**options)
