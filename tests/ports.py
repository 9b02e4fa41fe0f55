"""A port for a server that cannot be told to take any free one and to say which."""

import os
import socket
from itertools import count


def quiet_port() -> int:
    """A free port that the system gives to nobody who asks for any, nor to another process of the tests."""
    for place in count(os.getpid()):
        port = 10_000 + place % 20_000    # below those that Linux hands out
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable")
