"""What every test may ask for: a lake of its own. No test reaches the network."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from lake import Lake
from lake.collector import no_collection

# the page's tests in a browser are there where a browser is
_HAS_BROWSER = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
_HAS_VIEWER = (Path(__file__).parent.parent / ".venv-bench" / "mirador" / "mirador.min.js").exists()
collect_ignore = [] if _HAS_BROWSER else ["test_browser.py"]
collect_ignore += [] if _HAS_BROWSER and _HAS_VIEWER else ["test_browser_viewer.py"]

# what dbt knows of the project is kept beside pytest's own cache, not in that of whoever runs the tests
os.environ["GLAMLAKE_CACHE"] = str(Path(__file__).parent.parent / ".pytest_cache" / "glamlake")

# two workers on two cores: torch's threads on small things wait for each other more than they work
os.environ.setdefault("OMP_NUM_THREADS", "1")

# the same examples every time, however long a busy machine takes for one, and no memory of other runs
settings.register_profile("glamlake", settings.get_profile("ci"))
settings.load_profile("glamlake")

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere but this machine fails the test that makes it."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if host is not None and host not in _LOOPBACK:
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake in a folder of its own."""
    return Lake(tmp_path / "lake").open()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """The files of tests import all there is: a million objects that stay, not to be searched for garbage."""
    with no_collection():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `real` need the recorded answers."""
    if "GLAMLAKE_SAMPLES" not in os.environ:
        missing = pytest.mark.skip(reason="GLAMLAKE_SAMPLES names no folder of recorded answers")
        for item in items:
            if item.get_closest_marker("real"):
                item.add_marker(missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tables that tests measured, shown whatever their outcome."""
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, table in getattr(report, "user_properties", []):
            if name == "table" and report.when == "call":
                terminalreporter.write_line(f"\n{table}")
