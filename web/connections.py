"""Connections spread evenly over processes that listen on one socket.

The operating system wakes all of them for whoever comes, and the first to wake would take all who wait.
Here each waits a moment for every connection that it has: who has fewest is there first.
"""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from typing import Any

if sys.platform == "win32":
    from asyncio import ProactorEventLoop as Loop
else:
    from uvloop import Loop

log = logging.getLogger(__name__)

MOMENT_S, LONGEST_S = 0.0005, 0.005
_OUT_OF_BREATH_S = 1.0    # no file descriptor left, say

Protocols = Callable[[], asyncio.BaseProtocol]


class EvenLoop(Loop):
    """An event loop of one of several processes; give uvicorn its name."""

    async def create_server(self, protocol_factory: Protocols, *args: Any, **how: Any) -> Any:
        """As usual, but for who listens on a socket that it was given, without TLS."""
        if how.get("sock") is None or how.get("ssl") is not None or sys.platform == "win32":
            return await super().create_server(protocol_factory, *args, **how)
        return Door(self, protocol_factory, how["sock"])


class Door:
    """Lets connections in, one after the other; as much of an `asyncio.Server` as uvicorn needs."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol_factory: Protocols, listening: socket.socket,
    ) -> None:
        self._loop, self._protocol_factory, self._listening = loop, protocol_factory, listening
        self._inside: list[asyncio.BaseTransport] = []
        self._coming: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        self._watch()

    def _watch(self) -> None:
        self._loop.add_reader(self._listening, self._wait)

    def _wait(self) -> None:
        """Somebody is at the door: let those go first who have fewer inside."""
        self._loop.remove_reader(self._listening)
        self._inside = [transport for transport in self._inside if not transport.is_closing()]
        seconds = min(MOMENT_S * (len(self._inside) + len(self._coming)), LONGEST_S)
        self._pause = self._loop.call_later(seconds, self._let_in)

    def _let_in(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):    # gone, or let in elsewhere
            self._watch()
        except OSError as e:
            log.error("cannot take a connection reason=%s", e)
            self._pause = self._loop.call_later(_OUT_OF_BREATH_S, self._watch)
        else:
            coming = self._loop.create_task(self._begin(connection))
            self._coming.add(coming)
            coming.add_done_callback(self._coming.discard)
            self._watch()

    async def _begin(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        transport, _ = await self._loop.connect_accepted_socket(self._protocol_factory, connection)
        self._inside.append(transport)

    def close(self) -> None:
        """Let nobody in any more; who is inside stays."""
        self._loop.remove_reader(self._listening)
        if self._pause is not None:
            self._pause.cancel()

    async def wait_closed(self) -> None:
        """Until who was at the door is inside."""
        await asyncio.gather(*self._coming, return_exceptions=True)
