"""The garbage collector stays off what a big import brings, and is otherwise as it was."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from lake.collector import MANY, no_collection


class Knot:
    """Something that only the collector can take away."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def nothing_frozen_stays() -> Iterator[None]:
    """What a test freezes is let go again."""
    frozen = gc.get_freeze_count()
    yield
    if not frozen:
        gc.unfreeze()


def test_nothing_is_collected_inside_and_everything_afterwards() -> None:
    knot = weakref.ref(Knot())
    with no_collection():
        assert not gc.isenabled()
        few = [[i] for i in range(2 * gc.get_threshold()[0])]
        assert knot() is not None
    assert gc.isenabled()
    gc.collect()
    assert knot() is None
    assert few


def test_much_that_came_is_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    with no_collection():
        much = [[i] for i in range(2 * MANY)]
    assert gc.get_freeze_count() >= before + 2 * MANY
    after = Knot()
    knot = weakref.ref(after)
    del after
    gc.collect()
    assert (knot(), len(much)) == (None, 2 * MANY)


def test_a_failure_inside_switches_it_on_again_and_what_was_off_stays_off() -> None:
    with pytest.raises(ImportError), no_collection():
        raise ImportError("no such library")
    assert gc.isenabled()
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
