"""Pictures judged in processes of their own: a hostile one can neither hang, kill nor swell the run.

A judge is a process of `judge_process`, reached by a socket. One that takes too long or dies is replaced, and
only its picture pays for it.
"""

import atexit
import dataclasses
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from lake.errors import GlamlakeError
from pipelines.frames import read_frame, write_frame
from pipelines.judgement import ImageFacts, Judgement, Limits

_MEMORY_BYTES = 1200 * 2**20
_COMMAND = [sys.executable, "-P", "-m", "pipelines.judge_process"]    # nothing from the folder one is in
BEGIN = "begin"          # what the clerk is told, with the line to the new judge
_KEEPING_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**27)}
"""For glibc: to give memory back after each picture and ask for it again costs a quarter of the time."""


@dataclasses.dataclass(frozen=True)
class Court:
    """What every judge of a pool is told."""

    limits: Limits = dataclasses.field(default_factory=Limits)
    max_side: int | None = None
    larger_than: int = 0                   # bytes that a picture needs to be made smaller
    seconds: float = 30.0                  # for one picture; then its judge is killed
    memory_bytes: int = _MEMORY_BYTES      # on top of what an idle judge needs; enforced on Linux


class JudgePool(AbstractContextManager["JudgePool"]):
    """Judges that threads may share: `judge` waits for a free one."""

    def __init__(self, court: Court, n: int | None = None) -> None:
        self._court = court
        self._all = [_Judge(court) for _ in range(n or _n_cpus())]
        self._idle: queue.LifoQueue[_Judge] = queue.LifoQueue()
        for one in self._all:
            self._idle.put(one)

    def judge(self, content: bytes, spent_s: float = 0.0) -> Judgement:
        """What `image_facts.judge` says, or `corrupt` with the reason when its process did not survive.

        What was spent on the picture already is taken off its time, down to a quarter of it.
        """
        free = self._idle.get()
        try:
            return free.judge(content, max(self._court.seconds - spent_s, self._court.seconds / 4))
        finally:
            self._idle.put(free)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for one in self._all:
            one.end()


class _Judge:
    """One process, started when it is first needed and again after it was lost."""

    def __init__(self, court: Court) -> None:
        self._court = court
        self._line: socket.socket | None = None
        self.pid = 0

    def judge(self, content: bytes, seconds: float) -> Judgement:
        """The verdict of this process, or of the next one: a process may also die for reasons of its own."""
        died, began = Judgement("corrupt"), time.monotonic()
        for _ in range(2):
            try:
                return self._heard(content, seconds - (time.monotonic() - began))
            except TimeoutError:
                self.end()
                return Judgement("corrupt", f"not decoded within {seconds:.3g} s")
            except (OSError, EOFError):
                died = Judgement("corrupt", f"the decoder died of it ({self.end()})")
        return died

    def _heard(self, content: bytes, seconds: float) -> Judgement:
        line = self._line or self._start()
        line.settimeout(max(seconds, 1e-6))
        write_frame(line, content)       # a judge reads all of it before it looks at any
        said, _, derivative = read_frame(line).partition(b"\n")
        return _judgement(orjson.loads(said), derivative)

    def end(self) -> str:
        """Stop the process at once; what became of it."""
        if self._line is None:
            return "it never began"
        self._line.close()
        self._line = None
        return CLERK.end_judge(self.pid)

    def _start(self) -> socket.socket:
        self._line, theirs = socket.socketpair()
        with theirs:
            CLERK.begin_judge(theirs)
        write_frame(self._line, json.dumps(dataclasses.asdict(self._court)).encode())
        self.pid = int(read_frame(self._line))
        return self._line


class Clerk:
    """Has judges begin and end: the process they are forked from, which loads once what all of them need.

    There is one for all pools of this process; it goes when it has nothing to do for a while, and comes back
    when it is needed.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._is_ready = False
        self._lock = threading.Lock()
        atexit.register(self.end)

    def start(self) -> None:
        """Start the process, if it does not run, without waiting until it is ready."""
        with self._lock:
            if self._line is None:
                self._start()

    def begin_judge(self, line: socket.socket) -> None:
        """A new judge at the other end of the line."""
        with self._lock:
            try:
                socket.send_fds(self._ready(), [BEGIN.encode()], [line.fileno()])
            except OSError:          # it had gone, or was killed
                self._close()
                socket.send_fds(self._ready(), [BEGIN.encode()], [line.fileno()])

    def end_judge(self, pid: int) -> str:
        """Kill a judge; what became of it. Only its parent knows that the number is still its own."""
        with self._lock:
            if self._line is None:
                return "it ended with its parent"
            try:
                self._line.sendall(str(pid).encode())
                return f"exit status {int(read_frame(self._line))}"
            except (OSError, EOFError):
                self._close()
                return "it ended with its parent"

    def end(self) -> None:
        """Stop the process, and with it every judge."""
        with self._lock:
            self._close()

    def _start(self) -> socket.socket:
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                _COMMAND, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        return self._line

    def _ready(self) -> socket.socket:
        line = self._line or self._start()
        if not self._is_ready:
            try:
                read_frame(line)
            except (OSError, EOFError) as e:
                self._close()
                tried = " ".join(_COMMAND)
                raise GlamlakeError(f"the process that decodes pictures does not start; try `{tried}`") from e
            self._is_ready = True
        return line

    def _close(self) -> None:
        if self._line is not None and self._process is not None:
            self._line.close()
            if not self._is_ready:
                self._process.kill()
            self._process.wait()
        self._line, self._process, self._is_ready = None, None, False


CLERK = Clerk()


def _judgement(answer: dict[str, Any], derivative: bytes) -> Judgement:
    facts = _facts(answer["facts"]) if answer["facts"] is not None else None
    size = tuple(answer["served_size"]) if answer["served_size"] else None
    return Judgement(answer["status"], answer["error"], facts, derivative or None, size)


def _facts(plain: dict[str, Any]) -> ImageFacts:
    fields: dict[str, Any] = {}
    for name, value in plain.items():
        fields[name] = tuple(value) if isinstance(value, list) else value
    return ImageFacts(**fields)


def _n_cpus() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _environment() -> dict[str, str]:
    """This process's environment, with glamlake importable from anywhere and arithmetic in one thread."""
    here = str(Path(__file__).parents[1])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
        **_KEEPING_MEMORY,
    }
