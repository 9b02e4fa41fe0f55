"""Manners towards the archives' hosts, and what is at home in dlt."""

import logging
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
import pytest

from lake import Lake, catalog
from lake.errors import UnexpectedAnswer, UsageError
from pipelines.archives.sa_kuva import SaKuva
from pipelines.dlt_sources import archive_source
from pipelines.harvest import HarvestOptions, HarvestReport, harvest
from pipelines.http_client import Manners, user_agent
from pipelines.plan import dry_run_all, harvest_all, harvest_plan
from pipelines.replay import Fault, FinnaService, ReplayServer
from pipelines.replay.answers import Answer, Params
from tests.commands import glamlake
from tests.test_harvest import finna, finna_records
from tests.test_harvest_slices import SmallWindow, WindowService

QUICK = Manners(attempts=5, backoff_s=0.001, allow_private_hosts=True, patience=12)


class Robots:
    """Serves robots.txt."""

    def __init__(self, text: str = "", status: int = 200) -> None:
        self._answer = Answer(status, "text/plain", text.encode())

    def matches(self, path: str) -> bool:
        return path == "/robots.txt"

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        return self._answer


class MostlyFailing(FinnaService):
    """Answers every fifth request, for ever."""

    def __init__(self, n: int) -> None:
        super().__init__(finna_records(n))
        self._asked = 0

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        self._asked += 1
        good = self._asked % 5 == 0
        return super().answer(path, params, headers) if good else Answer(503, "text/plain", b"")


class Site(SaKuva):
    """An archive whose host is asked for its robots.txt first."""

    obeys_robots = True


def ask(lake: Lake, server: ReplayServer, archive: Any = "sa_kuva", **more: Any) -> HarvestReport:
    options = HarvestOptions(["lentokone"], base_url=server.url, **more)
    return harvest(lake, archive, options, None, QUICK)


def verdict(lake: Lake) -> tuple[str, str]:
    [row] = catalog.rows(lake, "select status, error from harvests")
    return str(row["status"]), str(row["error"])


def site(robots: Robots, n: int = 230) -> ReplayServer:
    return ReplayServer([robots, FinnaService(finna_records(n))])


def test_hosts_are_told_whom_to_write_to(lake):
    with finna(3) as server:
        harvest(lake, "sa_kuva", HarvestOptions(["x"], base_url=server.url, contact="mailto:me@example.org"))
        agents = {request.headers["user-agent"] for request in server.requests}
    assert agents == {"glamlake/0.1 (picture research; respects Retry-After; mailto:me@example.org)"}


def test_the_contact_comes_from_the_environment_and_must_fit_into_a_header():
    [asked] = harvest_plan({"GLAMLAKE_CONTACT": "https://example.org/"}, ["sa_kuva"], ["x"])
    assert asked.options.contact == "https://example.org/"
    for wrong in ("a\nHost: b", "jürgen@example.org", "x) (y"):
        with pytest.raises(UsageError, match="GLAMLAKE_CONTACT"):
            harvest_plan({"GLAMLAKE_CONTACT": wrong}, ["sa_kuva"], ["x"])
    assert user_agent(None).startswith("glamlake/")


@pytest.mark.parametrize("rules", [
    "User-agent: *\nDisallow: /v1/", "User-agent: glamlake\nDisallow: /*search", "User-agent: *\nDisallow: /",
])
def test_what_robots_txt_disallows_is_not_asked(lake, rules):
    with site(Robots(rules)) as server:
        ask(lake, server, Site())
        assert {request.path for request in server.requests} == {"/robots.txt"}
    reason = f"SA-kuva (Finna): its robots.txt asks us not to read {server.url}/v1/search"
    assert verdict(lake) == ("failed", reason)


@pytest.mark.parametrize("robots", [
    Robots("User-agent: *\nDisallow: /private/"), Robots("gone", 404), Robots(""),
    Robots("User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow:"),
])
def test_robots_txt_is_asked_for_once_and_what_it_allows_is_read(lake, robots):
    with site(robots) as server:
        ask(lake, server, Site())
        assert [request.path for request in server.requests].count("/robots.txt") == 1
    assert verdict(lake)[0] == "complete"


def test_a_site_whose_robots_txt_cannot_be_had_is_not_read(lake):
    with site(Robots("", 503)) as server:
        ask(lake, server, Site())
        assert {request.path for request in server.requests} == {"/robots.txt"}
    assert verdict(lake)[0] == "failed"


def test_a_crawl_delay_is_kept(lake, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr("pipelines.http_client.time.sleep", pauses.append)
    with site(Robots("User-agent: *\nCrawl-delay: 7")) as server:
        ask(lake, server, Site())
    assert len([pause for pause in pauses if pause > 5]) >= 2


def test_an_api_is_not_asked_for_robots_txt(lake):
    with site(Robots("User-agent: *\nDisallow: /")) as server:
        ask(lake, server)
    assert verdict(lake)[0] == "complete"


def test_a_host_that_fails_more_often_than_not_is_left_alone(lake):
    with ReplayServer([MostlyFailing(5000)]) as server:
        ask(lake, server)
        assert len(server.requests) < 25
    status, error = verdict(lake)
    assert status == "failed"
    assert "keeps failing and is left alone" in error


def test_a_web_page_with_status_200_is_asked_for_again_and_named(lake):
    with finna(3) as server:
        server.add_fault(Fault("html", times=99))
        ask(lake, server)
        assert len(server.requests) == 3
    assert verdict(lake)[0] == "failed"
    assert "sent a web page instead of JSON" in verdict(lake)[1]


def test_an_unknown_field_is_named_once_a_run_and_kept(lake, caplog):
    records = [record | {"surprise": 1, f"odd_{i % 2}": 2} for i, record in enumerate(finna_records(230))]
    archive = type("AllFields", (SaKuva,), {"request": lambda self, *a: _all_fields(SaKuva().request(*a))})()
    with ReplayServer([FinnaService(records)]) as server, caplog.at_level(logging.WARNING):
        ask(lake, server, archive)
    warned = [message for message in caplog.messages if "nobody reads" in message]
    assert sorted(message.split("'")[1] for message in warned) == ["odd_0", "odd_1", "surprise"]
    assert verdict(lake)[0] == "complete"


def _all_fields(request: Any) -> Any:
    request.params.extend(("field[]", name) for name in ("surprise", "odd_0", "odd_1"))
    return request


def test_a_dry_run_shows_slices_and_counts_and_makes_no_lake(tmp_path):
    with finna(230) as server:
        done = glamlake(tmp_path / "lake", "harvest", "sa_kuva", "--query", "lentokone", "--dry-run",
                        "--base-url", server.url)
        assert len(server.requests) == 1
    assert done.returncode == 0
    assert "lentokone" in done.stdout
    assert "230" in done.stdout
    assert not (tmp_path / "lake").exists()


def test_a_dry_run_shows_the_pieces_of_what_is_over_the_cap(monkeypatch):
    monkeypatch.setattr("pipelines.plan.load_archive", lambda name, settings: SmallWindow())
    with ReplayServer([WindowService(1150)]) as server:
        rows = dry_run_all(harvest_plan({}, ["window"], ["harbour"], base_url=server.url))
        assert len(server.requests) == len(rows)
    assert rows[0] == {"archive": "window", "query": "harbour", "slice": "all", "announced": 1150, "cap": 500,
                       "plan": f"over the cap, {len(rows) - 1} pieces"}
    assert {row["plan"] for row in rows[1:]} == {"fits"}
    assert sum(row["announced"] for row in rows[1:]) >= 1150


def test_an_archive_is_a_dlt_source_for_any_destination(tmp_path):
    pipeline = dlt.pipeline("notebook", pipelines_dir=str(tmp_path / "dlt"), dataset_name="raw",
                            destination=dlt.destinations.duckdb(str(tmp_path / "pictures.duckdb")))
    with ReplayServer([WindowService(600)]) as server:
        for _ in range(2):
            source = archive_source(SmallWindow(), ["harbour"], base_url=server.url)
            pipeline.run(source).raise_on_failed_jobs()
        asked = len(server.requests)
    assert sorted(source.resources) == ["hits", "pages"]
    with pipeline.sql_client() as sql:
        counts = "select count(*), count(distinct hit_id), min(payload) from hits"
        assert sql.execute_sql(counts) == [(600, 600, '{"id": 0, "text": "xxxxxxxxxxxxxxxxxxxx"}')]
        assert sql.execute_sql("select count(*) + 2 from pages") == [(asked,)]


def test_a_dlt_source_that_ends_short_fails_the_run():
    with finna(230) as server:
        server.add_fault(Fault("hole", after=1))
        answers = archive_source("sa_kuva", ["lentokone"], base_url=server.url)
        with pytest.raises(Exception, match="230 announced, 100 received") as e:
            list(answers)
    assert isinstance(e.value.__cause__, UnexpectedAnswer)


def test_dlt_commands_work_in_the_lakes_folder(lake):
    with finna(3) as server:
        ask(lake, server)
    dlt_command = [str(Path(sys.executable).with_name("dlt")), "pipeline", "--pipelines-dir", ".dlt"]
    for words in (["-l"], ["glamlake_sa_kuva", "info"], ["glamlake_sa_kuva", "load-package"]):
        command = [*dlt_command, *words]
        done = subprocess.run(command, cwd=lake.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "glamlake_sa_kuva" in done.stdout


def test_an_archive_can_be_narrowed_to_something_else_by_its_settings(lake):
    held = [record | {"buildings": [{"value": "0/Museum/"}]} for record in finna_records(3)]
    with ReplayServer([FinnaService(held + finna_records(2))]) as server:
        asked = harvest_plan({}, ["sa_kuva"], ["lentokone"], base_url=server.url,
                             settings=['filters=building:"0/Museum/"', 'filters=format:"0/Image/"'])
        (result,) = harvest_all(lake, asked)[0].slices
        sent = [value for name, value in server.requests[0].params if name == "filter[]"]
    assert sent == ['building:"0/Museum/"', 'format:"0/Image/"']
    assert result.slice == 'filters=building:"0/Museum/",format:"0/Image/"'
    assert result.received == 3


@pytest.mark.parametrize(("archive", "setting", "said"), [
    ("sa_kuva", "colour=red", "has no setting 'colour=red'; it has filters="),
    ("sa_kuva", "filters", "has no setting 'filters'"),
    ("wwii", "filters=x", "it has none"),
    ("europeana", "by=page", "by=page is none of cursor, start"),
    ("smu", "metadata=pdf", "metadata=pdf is none of services, page, none"),
])
def test_a_setting_an_archive_does_not_have_is_named_before_anything_is_asked(archive, setting, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        harvest_plan({"EUROPEANA_API_KEY": "k"}, [archive], ["x"], settings=[setting])


def test_settings_are_for_one_archive():
    with pytest.raises(UsageError, match="one archive"):
        harvest_plan({}, ["sa_kuva", "wwii"], ["x"], settings=["filters=x"])


def test_an_instant_can_be_given_so_that_two_harvests_are_equal():
    (ask,) = harvest_plan({"SOURCE_DATE_EPOCH": "86400"}, ["sa_kuva"], ["x"])
    assert ask.options.clock() == datetime(1970, 1, 2, tzinfo=UTC)
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH=soon"):
        harvest_plan({"SOURCE_DATE_EPOCH": "soon"}, ["sa_kuva"], ["x"])
