"""Turns: never more at once than may be, in the order they came; who loads a model keeps nobody waiting."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lake import Lake
from tests.colour_gallery import ColourEncoder, open_gallery
from web.asked import Asked
from web.encoder import LakeEncoder, SharedEncoder
from web.finder import Finder
from web.turns import Turns

PATIENCE_S = 200


def test_no_more_are_in_than_may_be_at_once() -> None:
    turns, lock, inside, most = Turns(2), threading.Lock(), 0, 0
    both = threading.Barrier(2)

    def work(number: int) -> None:
        nonlocal inside, most
        with turns:
            with lock:
                inside += 1
                most = max(most, inside)
            if number < 2:
                both.wait(PATIENCE_S)    # two are in together
            with lock:
                inside -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(40)))
    assert (most, inside) == (2, 0)


def test_who_came_first_goes_in_first() -> None:
    turns, order = Turns(1), list[int]()

    def work(number: int) -> None:
        with turns:
            order.append(number)

    with turns:
        threads = []
        for number in range(8):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            wait_for_waiting(turns, number + 1)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert order == list(range(8))


def test_who_fails_gives_the_turn_back() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="broken"), turns:
        raise ValueError("broken")
    with turns:
        pass


class LoadingEncoder(LakeEncoder):
    """The lake's encoder, whose weights take as long to load as the test wants."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake)
        self.asked, self.let_go = threading.Event(), threading.Event()
        self._slow = SharedEncoder(ColourEncoder.model_id, self._loaded)

    def current(self) -> SharedEncoder:
        return self._slow

    def _loaded(self) -> ColourEncoder:
        self.asked.set()
        assert self.let_go.wait(PATIENCE_S)
        return ColourEncoder()


def test_while_the_model_loads_others_leaf_through_the_collection(tmp_path: Path) -> None:
    lake = open_gallery(tmp_path)
    encoder = LoadingEncoder(lake)
    finder = Finder(lake, encoder, at_once=1)
    with ThreadPoolExecutor(9) as pool:
        searches = [pool.submit(finder.find, Asked(words="red")) for _ in range(8)]
        try:
            assert encoder.asked.wait(PATIENCE_S)
            leafed = pool.submit(finder.find, Asked()).result(PATIENCE_S)
            assert not any(search.done() for search in searches)
        finally:
            encoder.let_go.set()
        assert len(leafed.results) == 30
        assert all(search.result(PATIENCE_S).results for search in searches)


def wait_for_waiting(turns: Turns, n: int) -> None:
    """Until so many stand in the queue."""
    until = time.monotonic() + PATIENCE_S
    while len(turns._waiting) < n:
        assert time.monotonic() < until
        time.sleep(0.001)
