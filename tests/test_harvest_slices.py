"""More hits than a service lets anybody reach: slices are cut into pieces, and the pieces add up."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from checks.expectations import Nothing
from checks.suites import harvests
from lake import Lake, catalog
from pipelines.archives import load_archive
from pipelines.archives._archive import Archive, Page, Query, Request, page_of, require_count
from pipelines.archives._slices import parts, pieces_by_dates, pieces_by_values
from pipelines.archives._verbatim import split_items
from pipelines.archives.sa_kuva import SaKuva
from pipelines.harvest import HarvestOptions, HarvestReport, harvest
from pipelines.http_client import Manners
from pipelines.load import archive_loader
from pipelines.replay import EuropeanaService, Fault, FinnaService, ReplayServer
from pipelines.replay.answers import Answer, Params, json_answer, param
from tests.test_harvest import IN_SA_KUVA

QUICK = Manners(attempts=4, backoff_s=0.01, allow_private_hosts=True, patience=12)
COUNTRIES = ("Latvia", "Malta", "Norway")


def europeana_items(n: int) -> list[dict[str, Any]]:
    """A third without a year, a fifth of one year: both too many for one slice."""
    return [
        {"id": f"/7/item_{i}", "type": "IMAGE", "country": [COUNTRIES[i % 3]],
         "dataProvider": [f"Museum {i % 4} of Everything"],
         **({} if i % 3 == 1 else {"year": ["1916" if i % 5 == 0 else str(1850 + i % 90)]})}
        for i in range(n)
    ]


class WindowArchive(Archive):
    """A service with a window: nothing beyond the first `cap` hits of a query can be reached."""

    name, title, holds, docs_url, base_url = "window", "Window", "x", "x", "http://window.invalid"
    paging, rights_field = "page number", "none"
    page_size, cap = 500, 10_000

    def request(self, query: Query, token: str, page_size: int, key: str | None) -> Request:
        first, last = query.years("", "")
        dates = [("from", first), ("to", last)] if query.start or query.end else []
        undated = [("undated", "1")] if query.filters else []
        return Request("/search", [("page", token), ("size", str(page_size)), *dates, *undated])

    def read(self, text: str, token: str, page_size: int) -> Page:
        envelope, items = split_items(text, "items", self.name)
        announced = require_count(envelope, "total", self.name)
        return page_of(items, announced, self.next_page(token, page_size, announced, len(items)))

    def split(self, query: Query, first: Page) -> list[Query]:
        return pieces_by_dates(query, (1900, 1939), self.pieces_wanted(first.announced))


class SmallWindow(WindowArchive):
    """The same, a twentieth of it."""

    page_size, cap = 25, 500


class WindowService:
    """Plays `n` items: every third has no year, every fourth of the others has a range of ten years."""

    def __init__(self, n: int, heeds_dates: bool = True) -> None:
        self._items = [(i, *self._years(i)) for i in range(n)]
        self._heeds_dates = heeds_dates

    def matches(self, path: str) -> bool:
        return path == "/search"

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        page, size = int(param(params, "page") or 1), int(param(params, "size") or 1)
        if page * size > 20 * size:
            return json_answer(400, {"error": "beyond the window"})
        found = [i for i, *years in self._items if not self._heeds_dates or self._passes(params, *years)]
        items = [{"id": i, "text": "x" * 20} for i in found[(page - 1) * size:page * size]]
        return json_answer(200, {"total": len(found), "items": items})

    def _years(self, i: int) -> tuple[int | None, int | None]:
        first = 1895 + i % 60
        return (None, None) if i % 3 == 0 else (first, first + 10 * (i % 4 == 0))

    def _passes(self, params: Params, first: int | None, last: int | None) -> bool:
        if param(params, "undated"):
            return first is None
        start, end = param(params, "from"), param(params, "to")
        if start is None and end is None:
            return True
        return first is not None and last is not None and (
            not start or last >= int(start)) and (not end or first <= int(end))


def ask(lake: Lake, archive: Archive, server: ReplayServer, **more: Any) -> HarvestReport:
    options = HarvestOptions(["harbour"], base_url=server.url, **more)
    return harvest(lake, archive, options, "key", QUICK)


def rows(lake: Lake, condition: str = "true") -> list[dict[str, Any]]:
    return catalog.rows(lake, f"select * from harvests where {condition} order by slice")


def whole(lake: Lake) -> tuple[Any, ...]:
    [row] = rows(lake, "slice = 'all'")
    return row["status"], row["announced"], row["received"], row["cap"]


def n_hits(lake: Lake) -> int:
    return int(str(catalog.rows(lake, "select count(distinct hit_id) as n from raw_hits")[0]["n"]))


def ids_of(lake: Lake) -> set[str]:
    return {str(row["native_id"]) for row in catalog.rows(lake, "select distinct native_id from raw_hits")}


def europeana(n: int = 8412) -> ReplayServer:
    return ReplayServer([EuropeanaService(europeana_items(n), match_all=True)])


def window(n: int = 23_000, **options: Any) -> ReplayServer:
    return ReplayServer([WindowService(n, **options)])


def test_8412_items_behind_a_cap_of_1000_all_arrive_once(lake):
    with europeana() as server:
        report = ask(lake, load_archive("europeana", ["by=start"]), server)
    assert ids_of(lake) == {item["id"] for item in europeana_items(8412)}
    assert whole(lake) == ("complete", 8412, 8412, "1000")
    assert {row["status"] for row in rows(lake)} == {"complete"}
    assert {row["slice"] for row in rows(lake, "announced <= 1000")} >= {
        "1916-01-01/1916-12-31 country=Latvia", "undated country=Malta dataProvider=Museum 0 of Everything",
    }
    assert report.summary() | {"announced": 0} == {
        "archive": "europeana", "asked": 1, "complete": 1, "truncated": 0, "failed": 0, "skipped": 0,
        "announced": 0, "received": 8412,
    }


def test_23000_items_behind_a_window_of_10000_all_arrive_once_though_pieces_overlap(lake):
    with window() as server:
        ask(lake, WindowArchive(), server)
    assert ids_of(lake) == {str(i) for i in range(23_000)}
    assert whole(lake) == ("complete", 23_000, 23_000, "10000")
    pieces = rows(lake, "slice <> 'all'")
    assert sum(row["received"] for row in pieces) > 23_000, "ranges of years are found by several pieces"
    assert {row["status"] for row in pieces} == {"complete"}


def test_sa_kuva_is_cut_by_years_and_the_undated_have_a_piece(lake):
    years = ({"year": str(1939 + i % 7)} if i % 4 else {} for i in range(500))
    records = [{"id": f"sa-kuva.{i}", **IN_SA_KUVA, **year} for i, year in enumerate(years)]
    archive = type("Small", (SaKuva,), {"cap": 200})()
    with ReplayServer([FinnaService(records, match_all=True, ceiling=200)]) as server:
        ask(lake, archive, server)
    assert n_hits(lake) == 500
    assert whole(lake) == ("complete", 500, 500, "200")
    assert [row["received"] for row in rows(lake, "slice = 'undated'")] == [125]


def test_a_cut_harvest_that_is_complete_asks_for_nothing_again(lake):
    with window(600) as server:
        ask(lake, SmallWindow(), server)
        asked = len(server.requests)
        assert ask(lake, SmallWindow(), server).skipped == 1
        assert len(server.requests) == asked


def test_a_slice_that_can_be_cut_no_further_stays_truncated_and_names_the_cap(lake):
    of_one_museum = {"type": "IMAGE", "country": ["Malta"], "dataProvider": ["A"]}
    items = [{"id": f"/7/{i}", **of_one_museum} for i in range(1200)]
    with ReplayServer([EuropeanaService(items, match_all=True)]) as server:
        ask(lake, load_archive("europeana", ["by=start"]), server)
    assert whole(lake) == ("truncated", 1200, 1000, "1000")
    [last] = rows(lake, "slice = 'undated country=Malta dataProvider=A'")
    assert (last["status"], last["cap"]) == ("truncated", "1000")
    assert last["error"] == "1200 announced, 1000 received"


def test_a_service_that_does_not_heed_the_dates_is_not_cut_for_ever(lake):
    with window(1150, heeds_dates=False) as server:
        ask(lake, SmallWindow(), server)
        assert len(server.requests) < 150
    assert whole(lake)[0] == "truncated"
    assert n_hits(lake) == 500


def test_a_limit_below_the_cap_needs_no_cutting_and_one_above_ends_the_pieces(lake):
    with window(1150) as server:
        ask(lake, SmallWindow(), server, limit=40)
        assert (len(rows(lake)), whole(lake)) == (1, ("truncated", 1150, 40, "limit 40"))
        ask(lake, SmallWindow(), server, limit=555)
    assert whole(lake)[0] == "truncated"
    assert 555 <= whole(lake)[2] < 600


@pytest.mark.parametrize("fault", [
    Fault("http_429", times=3, after=8, retry_after="0"), Fault("html", after=8, times=2),
])
def test_a_passing_fault_in_a_piece_loses_and_doubles_nothing(lake, fault):
    with window(550) as server:
        server.add_fault(fault)
        ask(lake, SmallWindow(), server)
    assert whole(lake) == ("complete", 550, 550, "500")


@pytest.mark.parametrize("fault", [
    Fault("hole", after=6), Fault("repeat_page", after=6), Fault("lie_count", offset=7, factor=1),
    Fault("http_500", after=8, times=4), Fault("truncated_json", after=8, times=3),
])
def test_a_piece_that_is_not_whole_leaves_the_whole_open_until_it_is_asked_again(lake, fault):
    with window(550) as server:
        server.add_fault(fault)
        ask(lake, SmallWindow(), server)
        assert whole(lake)[0] == "truncated"
        assert rows(lake, "status = 'complete' and announced <> received") == []
        asked = len(server.requests)
        ask(lake, SmallWindow(), server)
        assert len(server.requests) - asked < 15, "only what is missing is asked again"
    assert whole(lake) == ("complete", 550, 550, "500")
    assert n_hits(lake) == 550


def test_items_that_come_and_go_between_two_pieces_are_found_the_next_time(lake):
    held = [WindowService(550)]
    with ReplayServer(held) as server:
        ask(lake, SmallWindow(), server)
        held[:] = [WindowService(575)]
        ask(lake, SmallWindow(), server, refresh=True)
    assert whole(lake) == ("complete", 575, 575, "500")


def test_a_dead_service_gets_few_requests_however_many_pieces_there_are(lake):
    with window(1150) as server:
        server.add_fault(Fault("http_500", after=5, times=9999))
        report = ask(lake, SmallWindow(), server)
        assert len(server.requests) <= 5 + 3 * QUICK.attempts
    assert len(report.with_status("failed")) == 3
    assert whole(lake)[0] == "truncated"


_HARVEST = """
import sys
from pathlib import Path
from lake import Lake
from pipelines.harvest import HarvestOptions, harvest
from tests.test_harvest_slices import SmallWindow
harvest(Lake(Path(sys.argv[1])), SmallWindow(), HarvestOptions(["harbour"], base_url=sys.argv[2]))
"""


def test_a_harvest_killed_among_its_pieces_asks_only_for_the_missing_pages(tmp_path):
    lake = Lake(tmp_path / "lake")
    with window(600) as server:
        command = [sys.executable, "-c", _HARVEST, str(lake.root), server.url]
        process = subprocess.Popen(command)
        while len(list(lake.raw.glob("pages/*/*.parquet"))) < 2:
            assert process.poll() is None
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with archive_loader(lake, SmallWindow.name):
            pass    # what the killed run had handed over is loaded now
        loaded = int(str(catalog.rows(lake, "select count(*) as n from raw_pages")[0]["n"]))
        asked = len(server.requests)
        assert subprocess.run(command, check=False).returncode == 0
        again = server.requests[asked:]
        n_pages = int(str(catalog.rows(lake, "select count(*) as n from raw_pages")[0]["n"]))
    assert loaded > 0
    assert len(again) == n_pages - loaded + 1, "the missing pages, and the count of the whole"
    assert whole(lake) == ("complete", 600, 600, "500")


def test_pieces_by_dates_leave_no_day_out():
    query = Query("x")
    pieces = pieces_by_dates(query, (1900, 1909), n=4)
    assert [piece.slice for piece in pieces] == [
        "../1899-12-31", "1900-01-01/1901-12-31", "1902-01-01/1903-12-31", "1904-01-01/1905-12-31",
        "1906-01-01/1907-12-31", "1908-01-01/1909-12-31", "1910-01-01/..", "undated",
    ]
    year = query.between(date(1916, 1, 1), date(1916, 12, 31))
    months = pieces_by_dates(year, (1900, 1909), n=4, months=True)
    assert (months[1].slice, len(months)) == ("1916-02-01/1916-02-29", 12)
    assert pieces_by_dates(year, (1900, 1909), n=4) == []
    assert pieces_by_dates(pieces[0], (1900, 1909), n=4) == []
    assert pieces_by_dates(pieces[-1], (1900, 1909), n=4) == []
    assert pieces_by_dates(months[1], (1900, 1909), n=4, months=True) == []


def test_pieces_by_values_have_a_rest_that_is_cut_by_what_else_it_shows():
    pieces = pieces_by_values(Query("x"), "country", ["Malta", "Latvia", "Malta"])
    assert [piece.slice for piece in pieces] == [
        "country=Latvia", "country=Malta", "not country=Latvia not country=Malta",
    ]
    assert pieces_by_values(pieces[0], "country", ["Latvia", "Norway"]) == []
    assert pieces_by_values(pieces[-1], "country", ["Latvia"]) == []
    assert parts(pieces[-1].filters[0]) == (True, "country", "Latvia")


def test_the_checks_find_every_hit_of_a_slice_that_was_cut(lake):
    with window(600) as server:
        ask(lake, SmallWindow(), server)
    expected_none = [e.offenders for e in harvests.SUITE.expectations if isinstance(e, Nothing)]
    questions = [sql for sql in expected_none if isinstance(sql, str)]
    assert len(questions) > 3
    assert [row for sql in questions for row in catalog.rows(lake, sql)] == []
