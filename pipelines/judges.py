"""Pictures judged in processes of their own: a hostile one can neither hang, kill nor swell the run.

A judge is `python -m pipelines.judges`: framed requests on its stdin, JSON and bytes on its stdout.
One that takes too long or dies is replaced, and only its picture pays for it.
"""

import contextlib
import dataclasses
import json
import os
import queue
import selectors
import signal
import struct
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from lake.errors import GlamlakeError
from pipelines.image_facts import ImageFacts, Judgement, Limits, judge, warm_up

_MEMORY_BYTES = 1200 * 2**20
_LENGTH = struct.Struct(">Q")
_READY = b"ready"
_PIPE_BYTES = 2**20      # most pictures pass at once; a hint, which not every system takes
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
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: selectors.BaseSelector | None = None      # says when there is something to read

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
                exit_status = self.end()
            died = Judgement("corrupt", f"the decoder died of it (exit status {exit_status})")
        return died

    def _heard(self, content: bytes, seconds: float) -> Judgement:
        process = self._process or self._start()
        _write(_pipe(process.stdin), content)       # a judge reads all of it before it looks at any
        assert self._answers is not None
        if not self._answers.select(seconds):
            raise TimeoutError
        answer = json.loads(_read(_pipe(process.stdout)))
        return _judgement(answer, _read(_pipe(process.stdout)))

    def end(self) -> int | None:
        """Stop the process at once; what it had to say for itself."""
        if self._process is None:
            return None
        ended, self._process = self._process, None
        if self._answers is not None:
            self._answers.close()
        ended.kill()
        ended.communicate()
        return ended.returncode

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "pipelines.judges", json.dumps(dataclasses.asdict(self._court))]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=_environment(), pipesize=_PIPE_BYTES,
        )
        self._process = process
        self._answers = selectors.DefaultSelector()
        self._answers.register(_pipe(process.stdout), selectors.EVENT_READ)
        try:
            _read(_pipe(process.stdout))
        except EOFError as e:
            tried = " ".join(command[:3])
            raise GlamlakeError(f"the process that decodes pictures does not start; try `{tried}`") from e
        return process


def serve(court: Court, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Judge pictures until there are no more requests."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)     # Ctrl-C is for the parent, which ends its judges
    warm_up()
    _limit_memory(court.memory_bytes)
    _write(answers, _READY)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            verdict = judge(_read(requests), court.limits, court.max_side, court.larger_than)
            facts = vars(verdict.facts) if verdict.facts else None
            said = vars(verdict) | {"derivative": None, "facts": facts}
            _write(answers, json.dumps(said).encode())
            _write(answers, verdict.derivative or b"")


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


def _limit_memory(more_bytes: int) -> None:
    if sys.platform != "linux":
        return
    import resource

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more_bytes, now + more_bytes))


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None    # both pipes were asked for
    return stream


def _write(stream: IO[bytes], content: bytes) -> None:
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    length = _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], n: int) -> bytes:
    content = stream.read(n)
    if len(content) < n:
        raise EOFError
    return content


if __name__ == "__main__":
    told = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    serve(
        Court(**told | {"limits": Limits(**told.get("limits", {}))}), sys.stdin.buffer, sys.stdout.buffer,
    )
