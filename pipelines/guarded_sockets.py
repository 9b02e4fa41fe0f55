"""Connections that reach public addresses only and end in time, whatever the other side does.

A name is resolved here, once, and the address connected to is the one that was checked: neither a redirect
nor a name that resolves differently the second time leads into a private network.
"""

import ipaddress
import math
import socket
import ssl
import threading
import time
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpcore

from lake.errors import FetchError

# a gateway connects to the IPv4 address that is the end of theirs
_EMBEDDING_IPV4 = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
# all of IPv6 that is handed out to the public: Python takes all for public that no list calls private, such
# as the old site-local addresses (fec0::/10), the gateways of RFC 8215, and networks laid over others (200::)
_HANDED_OUT = ipaddress.ip_network("2000::/3")

_READ_BYTES = 2**18      # most pictures come at once: each piece costs more than what it brings


class _Deadline(threading.local):
    """When the request that this thread is in must be over."""

    at = math.inf


_deadline = _Deadline()


@contextmanager
def ending_after(seconds: float) -> Iterator[float]:
    """Every read and write of this thread together may take so long, however many redirects there are.

    Gives the moment of the end, by the monotonic clock.
    """
    _deadline.at = time.monotonic() + seconds
    try:
        yield _deadline.at
    finally:
        _deadline.at = math.inf


def _time_left(timeout: float | None) -> float:
    left = _deadline.at - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("out of time")
    return min(left, math.inf if timeout is None else timeout)


class _TimedStream(httpcore.NetworkStream):
    """A connection that ends with the thread's deadline, even where the other side drips byte after byte."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max(max_bytes, _READ_BYTES), _time_left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _time_left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, _time_left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedSockets(httpcore.SyncBackend):
    """Resolves a name itself and connects only to the addresses it has checked."""

    def __init__(
        self, allow_private: bool, allowed_hosts: Container[str], connect_to: Mapping[str, tuple[str, int]],
    ) -> None:
        self._allow_private = allow_private
        self._allowed_hosts = allowed_hosts    # "host:port"
        self._connect_to = connect_to          # host name → where it is

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **kwargs: Any
    ) -> httpcore.NetworkStream:
        named = self._connect_to.get(host)
        places = [named] if named else [(address, port) for address in self._checked_addresses(host, port)]
        for place in places[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):      # the next one may answer
                return _TimedStream(super().connect_tcp(*place, _time_left(timeout), *args, **kwargs))
        return _TimedStream(super().connect_tcp(*places[-1], _time_left(timeout), *args, **kwargs))

    def _checked_addresses(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as e:
            raise httpcore.ConnectError(f"cannot resolve {host}: {e}") from e
        addresses = [str(entry[4][0]) for entry in found]
        if not (self._allow_private or f"{host}:{port}" in self._allowed_hosts):
            for address in addresses:
                if not _is_public(address):
                    raise FetchError("blocked", f"{host} is at {address}, which is no public address; "
                                     "--allow-private-hosts permits it")
        return list(dict.fromkeys(addresses))


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.split("%")[0])
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
    if any(ip in network for network in _EMBEDDING_IPV4):      # a gateway would connect to the IPv4 address
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    is_handed_out = inner.version == 4 or inner in _HANDED_OUT
    return bool(inner.is_global and is_handed_out and not inner.is_multicast)
