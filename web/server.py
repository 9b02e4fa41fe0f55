"""The web server around the page: on this machine only, unless told otherwise."""

import logging
import socket
from collections.abc import Sequence
from contextlib import suppress

import uvicorn

from lake import Lake
from lake.errors import UsageError
from web.app import create_app
from web.encoder import EncoderLoader
from web.finder import RemotePictures
from web.headers import EVERY_SITE

log = logging.getLogger(__name__)


def serve(
    lake: Lake, host: str = "127.0.0.1", port: int = 8000, encoder_loader: EncoderLoader | None = None,
    remote: RemotePictures | None = None, allowed_origins: Sequence[str] = EVERY_SITE,
) -> None:
    """Serve the page until interrupted; raises UsageError where the address cannot be listened on.

    Without a loader, the first search that needs it loads the model that the lake was embedded with last.
    `remote` and `allowed_origins` are as for `create_app`.
    """
    config = uvicorn.Config(
        create_app(lake, encoder_loader, remote, allowed_origins), log_level="warning", log_config=None,
        server_header=False, timeout_graceful_shutdown=3,
    )
    with listen(host, port) as listening:
        log.info("serving lake=%s at %s", lake.root, address(listening))
        with suppress(KeyboardInterrupt):    # Ctrl-C is how it is meant to end
            uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises UsageError where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as e:
        reason = e.strerror or str(e)
        raise UsageError(f"cannot listen on {host}:{port} ({reason}); try another --host or --port") from e


def address(listening: socket.socket) -> str:
    """What to type into a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
