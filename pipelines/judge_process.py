"""The clerk's process and its judges: `python -m pipelines.judge_process`, with a socket as its stdin.

The clerk loads everything that looking at pictures needs, then forks a judge for each line that it is sent.
It kills a judge when it is told its number, and all of them when nobody is left to tell it anything.
"""

import contextlib
import dataclasses
import gc
import json
import os
import signal
import socket
import sys
from pathlib import Path

import orjson

from pipelines.frames import read_frame, write_frame
from pipelines.image_facts import judge, warm_up
from pipelines.judgement import Limits

_IDLE_S = 60.0
_MESSAGE_BYTES = 64


def serve(orders: socket.socket) -> None:
    """Fork judges and end them, until there are no more orders or none for a while and no judge is left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)     # Ctrl-C is for the parent, which ends its judges
    warm_up()
    gc.freeze()
    write_frame(orders, b"ready")
    judges: set[int] = set()
    orders.settimeout(_IDLE_S)
    while True:
        try:
            message, lines, _, _ = socket.recv_fds(orders, _MESSAGE_BYTES, 1)
        except TimeoutError:
            if judges:
                continue
            return
        if not message:
            break
        if lines:
            judges.add(_begin(orders, lines[0]))
        else:
            pid = int(message)
            write_frame(orders, str(_end(pid) if pid in judges else 0).encode())
            judges.discard(pid)
    for pid in judges:
        _end(pid)


def _begin(orders: socket.socket, line: int) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            orders.close()
            _judge_all(socket.socket(fileno=line))
        finally:
            os._exit(1)
    os.close(line)
    return pid


def _end(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)     # it is our child: until we have waited for it, the number is its own
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _judge_all(line: socket.socket) -> None:
    """Judge pictures until there are no more requests; the first one says how."""
    court = json.loads(read_frame(line))
    limits = Limits(**court["limits"])
    _limit_memory(court["memory_bytes"])
    write_frame(line, str(os.getpid()).encode())
    with contextlib.suppress(EOFError, OSError):
        while True:
            verdict = judge(read_frame(line), limits, court["max_side"], court["larger_than"])
            derivative = verdict.derivative or b""
            said = orjson.dumps(dataclasses.replace(verdict, derivative=None))
            write_frame(line, said + b"\n" + derivative)


def _limit_memory(more_bytes: int) -> None:
    if sys.platform != "linux":
        return
    import resource

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more_bytes, now + more_bytes))


if __name__ == "__main__":
    serve(socket.socket(fileno=0))
