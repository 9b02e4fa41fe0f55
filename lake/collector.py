"""Python's garbage collector, kept off what big libraries define."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 50_000      # containers


@contextmanager
def no_collection() -> Iterator[None]:
    """Import big libraries or load a model in here: what comes stays, and is not searched for garbage.

    Neither while it comes, nor later: torch alone defines a third of a million objects, and to go through
    them takes a third of a second each time. What goes for want of a reference goes as ever.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > MANY:     # that have come and not gone
            gc.freeze()
        gc.enable()


def spare_what_lasts() -> None:
    """Spare all that is held now; a server says so after it made something large that stays.

    Python would look through it every few hundred answers, and for a tenth of a second nobody gets one.
    """
    gc.collect()
    gc.freeze()
