"""A real browser on a real server over a small lake: what the tests of the page's looks and hands share."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

from lake import Lake
from lake.projection import make_map
from lake.tables import RECORD_LABELS
from tests.colour_gallery import COLOURS, SHADES, ColourEncoder, add_samples, embed, gallery_rows
from tests.lakes import write_mart
from web.app import create_app

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REPORT = Path(__file__).parent.parent / "build" / "test-report" / "screenshots"
VIEWER = Path(__file__).parent.parent / ".venv-bench" / "mirador" / "mirador.min.js"    # `make test` gets it
SCRIPT = "<script>alert(1)</script>"

_QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run",
    "--disable-component-update", "--disable-dev-shm-usage",
]
_PATIENCE_MS = 120_000   # on a machine that has much else to do
_WARM = ("red", "yellow")
_VIEWER_PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>A viewer</title>
<link rel="icon" href="data:,"><div id="viewer"></div><script src="mirador.min.js"></script></html>"""


def browsed_lake(folder: Path, with_map: bool = True) -> Lake:
    """The gallery with labels in a tree, one title that is markup, and mostly a map."""
    lake = Lake(folder / "lake").open()
    rows = [row | _more(row["title"]) for row in gallery_rows()]
    rows[0] |= {"title": SCRIPT, "description": SCRIPT}
    add_samples(lake, rows)
    labels = [
        {"record_id": f"{row['archive']}:{i}", "label": row["label"], "source": "catalogue", "facet": "topic",
         "source_value": row["label"], "path": [row["above"], row["label"]], "confidence": 1.0}
        for i, row in enumerate(rows)
    ]
    write_mart(lake, RECORD_LABELS, labels)
    embed(lake, ColourEncoder())
    if with_map:
        make_map(lake)
    return lake


def _more(title: str) -> dict[str, Any]:
    colour = title.split()[0]
    return {
        "label": colour, "labels": [colour], "above": "warm" if colour in _WARM else "cold", "split": "train",
        "attribution": f"{title}. Northport City Museum.", "rights_uri": "http://rightsstatements.org/vocab/InC/1.0/",
    }


@contextmanager
def served(lake: Lake, root_path: str = "") -> Iterator[str]:
    """The page on a free port of this machine; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(lake, ColourEncoder())
    config = uvicorn.Config(app, log_level="error", log_config=None, root_path=root_path)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def viewer_site() -> Iterator[str]:
    """Another site on this machine, with Mirador on its only page; its address."""
    handler = partial(_Viewer, directory=str(VIEWER.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class _Viewer(SimpleHTTPRequestHandler):
    """The viewer's file, and a page that loads it."""

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(_VIEWER_PAGE)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium without a window."""
    assert CHROMIUM is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield browser
        browser.close()


class Visit:
    """One visitor: a page of its own, and what went wrong on it."""

    def __init__(self, browser: Browser, address: str, **context: Any) -> None:
        self.context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | context))
        self.context.set_default_timeout(_PATIENCE_MS)
        expect.set_options(timeout=_PATIENCE_MS)
        self.address = address
        self.page: Page = self.context.new_page()
        self.troubles: list[str] = []
        self.page.on("console", lambda said: self._note(said.type == "error", said.text))
        self.page.on("pageerror", lambda error: self._note(True, str(error)))
        self.page.on("dialog", self._refuse)

    def _note(self, is_trouble: bool, text: str) -> None:
        if is_trouble:
            self.troubles.append(text)

    def _refuse(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def go(self, path: str = "") -> Page:
        """Open a page of the site."""
        self.page.goto(self.address + path)
        return self.page

    def titles(self) -> list[str]:
        """The titles of the pictures shown, in their order; waits until the page is there whole."""
        self.page.wait_for_load_state()
        return self.page.locator(".card h2").all_inner_texts()

    def keep_screenshot(self, name: str) -> None:
        """Save what is seen now into the report."""
        REPORT.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=REPORT / f"{name}.png")


ALL_PICTURES = len(COLOURS) * SHADES
