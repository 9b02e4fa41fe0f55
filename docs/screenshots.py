"""Takes the pictures of the page that README and docs show, of the lake that `make demo` made.

    python -m docs.screenshots LAKE

Chromium must be installed, as for the tests of the page.
"""

import io
import socket
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.browsing import chromium
from tests.ports import quiet_port

TARGET = Path(__file__).parent / "images"
PATIENCE_S = 60
_COLOURS = 128    # of a palette: a third of the bytes, and nobody sees it


def main(lake: Path) -> None:
    """Write `search.png` and `map.png`."""
    subprocess.run([sys.executable, "-m", "pipelines", "--lake", str(lake), "map"], check=True)
    port = quiet_port()
    command = [sys.executable, "-m", "pipelines", "--lake", str(lake), "serve", "--port", str(port)]
    server = subprocess.Popen(command)
    try:
        _wait_for(port)
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1200, "height": 760})
            page.set_default_timeout(PATIENCE_S * 1000)
            page.goto(f"http://127.0.0.1:{port}/?q=a+steam+train+in+the+snow")
            page.wait_for_load_state("networkidle")
            _keep(page, "search")
            page.goto(f"http://127.0.0.1:{port}/map")
            page.wait_for_selector("#map[data-ready]")
            _keep(page, "map")
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit("the page did not come up")


def _keep(page: Page, name: str) -> None:
    TARGET.mkdir(exist_ok=True)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(_COLOURS).save(TARGET / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
