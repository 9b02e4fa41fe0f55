"""What a terminal shows of a stage on its way: rate, time left and failures, however narrow it is."""

import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Iterator

import pytest

from pipelines.progress import progress


class Terminal:
    """A terminal of this machine, so many columns wide; `said` gives what was written to it."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        self.file = os.fdopen(theirs, "w", encoding="utf-8")

    def be_wide(self, columns: int) -> None:
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def lines(self) -> list[str]:
        """The states of its last line, newest last."""
        self.file.write("\n.")
        self.file.flush()
        said = b""
        while not said.endswith(b"\n."):
            said += os.read(self._ours, 2**16)
        return [line for line in said.decode().replace("\n", "\r").split("\r") if line.strip(" .")]

    def close(self) -> None:
        self.file.close()
        os.close(self._ours)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    one = Terminal()
    yield one
    one.close()


def half_done(terminal: Terminal, *columns: int, term: str = "xterm") -> list[str]:
    """What is shown of 2000 pictures of 4000; with two widths the terminal changes on the way."""
    with pytest.MonkeyPatch.context() as patch:      # not a fixture: pytest has a stderr of its own in a test
        patch.setattr("sys.stderr", terminal.file)
        patch.setenv("TERM", term)
        terminal.be_wide(columns[0])
        with progress(4000, "fetching", unit="picture") as done:
            terminal.be_wide(columns[-1])
            done.update(2000, ok=1800, failed=200)
    return terminal.lines()


def test_a_bar_shows_rate_time_left_and_failures(terminal):
    last = half_done(terminal, 110)[-1]
    assert last.startswith("fetching:  50%|")
    assert re.search(r" 2000/4000 \[[\d:]+<[\d:]+, *[\d.]+picture/s, ok=1800, failed=200]$", last)


def test_a_narrow_terminal_shows_the_numbers_and_no_bar(terminal):
    last = half_done(terminal, 50)[-1]
    assert re.match(r"2000/4000 +[\d.]+/s [\d:]+, failed=200", last)
    assert len(last) < 50


def test_a_terminal_made_narrower_half_way_gets_shorter_lines(terminal):
    first, *rest = half_done(terminal, 120, 30)
    assert len(first) > 100
    assert {len(line.rstrip()) <= 30 for line in rest} == {True}


def test_a_terminal_that_cannot_go_back_in_its_line_gets_no_bar(terminal):
    assert half_done(terminal, 80, term="dumb") == []
