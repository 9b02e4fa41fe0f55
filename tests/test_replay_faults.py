"""The replay server itself over real HTTP: what it records, how it ends, and each way to misbehave."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.replay import Answer, DemoService, EuropeanaService, Fault, FinnaService, ReplayServer, Service

SEARCH, FINNA, OBJECTS = "/record/v2/search.json", "/v1/search", "/v1/objects"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=60) as client:
        yield client


class Photographs:
    """One picture, found by its path and its query."""

    def picture(self, path: str, params: list[tuple[str, str]]) -> Answer | None:
        return Answer(200, "image/jpeg", b"\xff\xd8 photograph" * 100) if ("id", "7") in params else None


# --- the server --------------------------------------------------------------------------------


def test_pictures_are_served_and_unknown_paths_are_404_in_json(client: httpx.Client) -> None:
    with ReplayServer([DemoService([])], Photographs()) as server:
        picture = client.get(f"{server.url}/Cover/Show", params={"id": "7"})
        head = client.head(f"{server.url}/Cover/Show", params={"id": "7"})
        missing = client.get(f"{server.url}/Cover/Show", params={"id": "8"})
    assert (picture.headers["content-type"], len(picture.content)) == ("image/jpeg", 1300)
    assert (head.headers["content-length"], head.content) == ("1300", b"")
    assert (missing.status_code, missing.json()) == (404, {"error": "nothing at /Cover/Show"})


def test_requests_are_recorded_in_order_with_params_and_headers(client: httpx.Client) -> None:
    with ReplayServer([DemoService([])]) as server:
        client.get(server.url + OBJECTS, params=[("q", "ä & b"), ("q", "")], headers={"X-Api-Key": "k"})
        client.head(server.url + "/pictures/np%20001.jpg")
    first, second = server.requests
    assert (first.method, first.path, first.params) == ("GET", OBJECTS, [("q", "ä & b"), ("q", "")])
    assert first.headers["x-api-key"] == "k"
    assert (second.method, second.path) == ("HEAD", "/pictures/np 001.jpg")


def test_many_clients_at_once_are_all_answered_and_each_fault_strikes_as_often_as_told() -> None:
    objects = [{"id": f"NP-{n}"} for n in range(200)]
    with (
        ReplayServer([DemoService(objects)], faults=[Fault("http_500", times=7, after=20)]) as server,
        httpx.Client(trust_env=False, timeout=60, limits=httpx.Limits(max_connections=64)) as client,
        ThreadPoolExecutor(32) as pool,
    ):
        urls = [f"{server.url}{OBJECTS}?page={n % 4 + 1}" for n in range(300)]
        statuses = [answer.status_code for answer in pool.map(client.get, urls)]
    assert (statuses.count(200), statuses.count(500)) == (293, 7)
    assert len(server.requests) == 300


def test_closing_wakes_a_stalled_request_and_leaves_nothing_listening() -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        httpx.Client(trust_env=False, timeout=600) as client,
        ReplayServer([DemoService([])], faults=[Fault("stall", stall_s=600)]) as server,
    ):
        stalled = pool.submit(client.get, server.url + OBJECTS)
        while not server.requests:
            time.sleep(0.01)
        server.close()
        assert isinstance(stalled.exception(timeout=60), httpx.RemoteProtocolError)
        with pytest.raises(httpx.ConnectError):
            client.get(server.url + OBJECTS)


def test_a_server_never_started_can_be_closed() -> None:
    server = ReplayServer([])
    assert server.port > 0
    server.close()


# --- faults ------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    """Three services of 30 things each, and pictures."""
    services: list[Service] = [
        EuropeanaService([{"id": f"/1/{n}"} for n in range(30)]),
        FinnaService([{"id": f"sa-kuva.{n}"} for n in range(30)]),
        DemoService([{"id": f"NP-{n}", "total": 5} for n in range(30)]),
    ]
    with ReplayServer(services, Photographs()) as server:
        yield server


def page(client: httpx.Client, server: ReplayServer, number: int) -> dict[str, Any]:
    answer = client.get(server.url + OBJECTS, params={"page": number, "per_page": 10})
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("wait", ["2", "Wed, 21 Oct 2026 07:28:00 GMT", None])
def test_429_comes_with_the_retry_after_it_was_given(
    client: httpx.Client, server: ReplayServer, wait: str | None
) -> None:
    server.add_fault(Fault("http_429", FINNA, retry_after=wait))
    refused, after = client.get(server.url + FINNA), client.get(server.url + FINNA)
    assert (refused.status_code, refused.headers.get("retry-after")) == (429, wait)
    assert after.status_code == 200


def test_a_fault_skips_other_paths_and_its_first_requests_then_strikes_and_ends(
    client: httpx.Client, server: ReplayServer
) -> None:
    server.add_fault(Fault("http_503", FINNA, times=2, after=1))
    assert client.get(server.url + OBJECTS).status_code == 200
    statuses = [client.get(server.url + FINNA).status_code for _ in range(5)]
    assert statuses == [200, 503, 503, 200, 200]


def test_of_two_faults_the_first_strikes_and_the_second_waits_its_turn(
    client: httpx.Client, server: ReplayServer
) -> None:
    server.add_fault(Fault("http_500"))
    server.add_fault(Fault("http_429"))
    assert [client.get(server.url + OBJECTS).status_code for _ in range(3)] == [500, 429, 200]


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault of kind 'explode'"):
        Fault("explode")  # type: ignore[arg-type]


def test_a_truncated_answer_announces_more_bytes_than_it_sends(
    client: httpx.Client, server: ReplayServer
) -> None:
    server.add_fault(Fault("truncate", "/Cover"))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"{server.url}/Cover/Show?id=7")
    assert client.get(f"{server.url}/Cover/Show?id=7").status_code == 200


def test_truncated_json_is_whole_for_http_and_broken_for_json(
    client: httpx.Client, server: ReplayServer
) -> None:
    server.add_fault(Fault("truncated_json"))
    answer = client.get(server.url + OBJECTS)
    assert len(answer.content) == int(answer.headers["content-length"])
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_stall_sends_half_then_keeps_an_impatient_client_waiting(
    client: httpx.Client, server: ReplayServer
) -> None:
    server.add_fault(Fault("stall", OBJECTS, stall_s=600))
    with client.stream("GET", server.url + OBJECTS) as answer:
        received = bytearray()
        answer.request.extensions["timeout"]["read"] = 0.3
        with pytest.raises(httpx.ReadTimeout):
            received.extend(chunk for part in answer.iter_raw() for chunk in part)
        assert answer.status_code == 200


def test_a_short_stall_ends_with_the_whole_answer(client: httpx.Client, server: ReplayServer) -> None:
    server.add_fault(Fault("stall", OBJECTS, stall_s=0.05))
    assert page(client, server, 1) == page(client, server, 1)


def test_a_dropped_connection_says_nothing(client: httpx.Client, server: ReplayServer) -> None:
    server.add_fault(Fault("drop_connection"))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(server.url + OBJECTS)


def test_html_comes_with_status_200(client: httpx.Client, server: ReplayServer) -> None:
    server.add_fault(Fault("html"))
    answer = client.get(server.url + OBJECTS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html;charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(("path", "key"), [
    (SEARCH, "totalResults"), (FINNA, "resultCount"), (OBJECTS, "total"),
])
def test_a_lie_changes_the_announced_count_and_nothing_else(
    client: httpx.Client, server: ReplayServer, path: str, key: str
) -> None:
    honest = client.get(server.url + path, params={"query": "*"}).json()
    server.add_fault(Fault("lie_count", path, factor=1.5, offset=-3))
    lie = client.get(server.url + path, params={"query": "*"}).json()
    assert lie == honest | {key: 42}


def test_a_count_can_change_half_way(client: httpx.Client, server: ReplayServer) -> None:
    server.add_fault(Fault("lie_count", OBJECTS, times=99, after=2, factor=1, offset=-5))
    assert [page(client, server, n)["total"] for n in (1, 2, 3)] == [30, 30, 25]


def test_a_hole_is_an_empty_page_between_full_ones(client: httpx.Client, server: ReplayServer) -> None:
    server.add_fault(Fault("hole", OBJECTS, after=1))
    assert [len(page(client, server, n)["objects"]) for n in (1, 2, 3)] == [10, 0, 10]


def test_a_hole_keeps_europeana_s_cursor_and_drops_finna_s_records(
    client: httpx.Client, server: ReplayServer
) -> None:
    server.add_fault(Fault("hole", SEARCH))
    server.add_fault(Fault("hole", FINNA))
    europeana = client.get(server.url + SEARCH, params={"query": "*", "cursor": "*"}).json()
    assert (europeana["items"], europeana["itemsCount"], europeana["totalResults"]) == ([], 0, 30)
    assert europeana["nextCursor"]
    assert client.get(server.url + FINNA).json() == {"resultCount": 30, "status": "OK"}


def test_a_repeated_page_is_the_one_before_and_waits_for_a_second_page(
    client: httpx.Client, server: ReplayServer
) -> None:
    server.add_fault(Fault("repeat_page", OBJECTS))
    first, again, second = page(client, server, 1), page(client, server, 2), page(client, server, 2)
    assert again == first
    assert second["page"] == 2


# --- python -m pipelines.replay ----------------------------------------------------------------


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A folder of recordings with two of Finna and one of Europeana."""
    for name, answer in {
        "europeana/search_maps.json": {"success": True, "totalResults": 7, "items": [{"id": "/1/map"}]},
        "europeana/record_1.json": {"object": {}},
        "finna/search_books.json": {"resultCount": 3, "records": [{"id": "book"}], "status": "OK"},
        "finna/search_war.json": {"resultCount": 90, "records": [{"id": "war"}], "status": "OK"},
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(answer))
    return tmp_path


@contextmanager
def replay(*args: str) -> Iterator[subprocess.Popen[str]]:
    """Hears Ctrl-C also where the tests do not, as in a shell's background; ends with the test."""
    command = [sys.executable, "-m", "pipelines.replay", *args]
    hears = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hears
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_command_plays_a_folder_of_recordings_until_it_is_told_to_end(
    client: httpx.Client, samples: Path
) -> None:
    with replay("--samples", str(samples)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert client.get(url + FINNA).json()["records"] == [{"id": "war"}]
        assert client.get(f"{url}/finna/search_books{FINNA}").json()["records"] == [{"id": "book"}]
        assert client.get(url + SEARCH).json()["items"] == [{"id": "/1/map"}]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0


def test_the_command_stops_by_itself(samples: Path) -> None:
    with replay("--samples", str(samples), "--max-seconds", "0.01") as process:
        assert process.wait(timeout=120) == 0


def test_the_command_says_what_a_folder_without_recordings_lacks(tmp_path: Path) -> None:
    with replay("--samples", str(tmp_path)) as process:
        _, talk = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "*search_*.json in a folder europeana, finna" in " ".join(talk.split())
