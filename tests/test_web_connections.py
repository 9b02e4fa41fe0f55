"""Processes that listen on one socket share who comes; each is a door here, all in one event loop."""

import asyncio
import resource
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from web import connections
from web.connections import EvenLoop

Asked = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Greeter(asyncio.Protocol):
    """Says the name of its door, and leaves when it is told anything."""

    def __init__(self, name: bytes) -> None:
        self.name = name

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.name)

    def data_received(self, data: bytes) -> None:
        self.transport.close()


class House:
    """Doors on one socket, and visitors; to be used inside of an event loop."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.doors: list[Any] = []
        self.visitors: list[Asked] = []

    async def open_door(self, name: bytes) -> None:
        loop, own = asyncio.get_running_loop(), self.listening.dup()
        self.doors.append(await loop.create_server(lambda: Greeter(name), sock=own, ssl=None, backlog=64))

    async def visit(self, n: int) -> list[bytes]:
        """So many come at once; who let each of them in."""
        address = self.listening.getsockname()
        come = await asyncio.gather(*(asyncio.open_connection(*address) for _ in range(n)))
        self.visitors += come
        return [await asyncio.wait_for(reader.readexactly(1), 30) for reader, _ in come]

    async def require_even(self, n: int) -> None:
        met = await self.visit(n)
        assert abs(met.count(b"a") - met.count(b"b")) <= 2

    async def close(self) -> None:
        for door in self.doors:
            door.close()
            await door.wait_closed()
        for _, writer in self.visitors:
            writer.close()
        self.listening.close()


@pytest.fixture
def run() -> Iterator[Callable[[Coroutine[Any, Any, None]], None]]:
    loop = EvenLoop()
    yield loop.run_until_complete
    loop.close()


def test_who_comes_at_once_is_shared_evenly(run: Any) -> None:
    async def come() -> None:
        house = House()
        for name in (b"a", b"b"):
            await house.open_door(name)
        await house.require_even(20)
        await house.close()

    run(come())


def test_a_process_that_came_later_takes_the_next(run: Any) -> None:
    async def come() -> None:
        house = House()
        await house.open_door(b"a")
        assert await house.visit(8) == [b"a"] * 8
        await house.open_door(b"b")
        assert (await house.visit(8)).count(b"b") >= 6
        await house.close()

    run(come())


def test_who_has_left_counts_no_more(run: Any) -> None:
    async def come() -> None:
        house = House()
        await house.open_door(b"a")
        await house.visit(8)
        for reader, writer in house.visitors:
            writer.write(b"bye")
            assert await reader.read() == b""
        await house.open_door(b"b")
        await house.require_even(8)
        await house.close()

    run(come())


def test_a_closed_door_lets_nobody_in_and_throws_nobody_out(run: Any) -> None:
    async def come() -> None:
        house = House()
        await house.open_door(b"a")
        await house.visit(1)
        house.doors[0].close()
        await house.doors[0].wait_closed()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(house.visit(1), 0.2)
        reader, writer = house.visitors[0]
        writer.write(b"bye")
        assert await reader.read() == b""
        await house.close()

    run(come())


def test_without_a_file_descriptor_left_visitors_wait(
    run: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(connections, "_OUT_OF_BREATH_S", 0.01)

    async def come() -> None:
        house = House()
        await house.open_door(b"a")
        visitor = socket.create_connection(house.listening.getsockname())
        visitor.setblocking(False)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, most[1]))
        try:
            await asyncio.sleep(0.1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, most)
        assert "cannot take a connection" in caplog.text
        greeting = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(visitor, 1), 30)
        assert greeting == b"a"
        visitor.close()
        await house.close()

    run(come())
