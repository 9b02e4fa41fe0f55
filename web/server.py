"""The web server around the page: on this machine only, unless told otherwise; in one process or several."""

import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from lake import Lake
from lake.errors import UsageError
from web.app import create_app
from web.encoder import EncoderLoader
from web.finder import RemotePictures
from web.headers import EVERY_SITE

log = logging.getLogger(__name__)

_PATIENCE_S = 20    # with a process that does not answer: it may be loading a model; or have just died
Prepare = Callable[[], object]


def serve(
    lake: Lake, host: str = "127.0.0.1", port: int = 8000, encoder_loader: EncoderLoader | None = None,
    remote: RemotePictures | None = None, allowed_origins: Sequence[str] = EVERY_SITE, workers: int = 1,
    prepare: Prepare | None = None, root_path: str = "",
) -> None:
    """Serve the page until interrupted; raises UsageError where the address cannot be listened on.

    `root_path` is what a proxy takes off the front of every path, such as "/pictures".
    Without a loader, the first search that needs it loads the model that the lake was embedded with last.
    `remote` and `allowed_origins` are as for `create_app`. Each of several `workers` is a process that starts
    anew (with `prepare`, say to log), so what is given here must be picklable; one that dies is replaced.
    """
    with tempfile.TemporaryDirectory(prefix="glamlake-uploads-") as uploads, listen(host, port) as listening:
        at_once = 2 if (os.cpu_count() or 1) > workers else 1    # more would only wait for a processor
        make = partial(
            create_app, lake, encoder_loader, remote, tuple(allowed_origins), Path(uploads), at_once,
        )
        config = uvicorn.Config(
            make if workers == 1 else partial(_in_worker, make, prepare), factory=True, workers=workers,
            loop="auto" if workers == 1 else "web.connections:EvenLoop",
            log_level="warning", log_config=None, server_header=False, timeout_graceful_shutdown=3,
            timeout_worker_healthcheck=_PATIENCE_S, root_path=root_path,
        )
        log.info("serving lake=%s at %s", lake.root, address(listening))
        signal.signal(signal.SIGTERM, signal.default_int_handler)    # which is how services are ended
        with suppress(KeyboardInterrupt):    # Ctrl-C is how it is meant to end
            if workers == 1:
                uvicorn.Server(config).run(sockets=[listening])
            else:
                Multiprocess(config, [listening]).run()


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


def _in_worker(make: Callable[[], FastAPI], prepare: Prepare | None) -> FastAPI:
    """The application in a process of its own, which ends when the one that started it does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare:
        prepare()
    return make()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
