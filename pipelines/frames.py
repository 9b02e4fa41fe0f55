"""Messages through a socket: eight bytes that say how long each is, then the message."""

import socket
import struct

_LENGTH = struct.Struct(">Q")


def write_frame(line: socket.socket, content: bytes) -> None:
    """Send one message."""
    head = _LENGTH.pack(len(content))
    sent = line.sendmsg([head, content]) - len(head)
    if sent < 0:
        line.sendall(head[sent:])
    line.sendall(memoryview(content)[max(sent, 0):])


def read_frame(line: socket.socket) -> bytes:
    """The next message; raises EOFError when there are no more."""
    return bytes(_exactly(line, _LENGTH.unpack(_exactly(line, _LENGTH.size))[0]))


def _exactly(line: socket.socket, n: int) -> bytearray:
    content = bytearray(n)
    rest = memoryview(content)
    while rest:
        got = line.recv_into(rest)
        if not got:
            raise EOFError
        rest = rest[got:]
    return content
