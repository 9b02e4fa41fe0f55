"""Reading the marts while a stage may be putting others in their place.

A stage moves each mart with a rename, one after the other. Who reads meanwhile may see the samples of before
with the records of now, or the end of one file with the beginning of another.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import pyarrow as pa

from lake.errors import BadSql, GlamlakeError, LakeBusy, LakeError
from lake.layout import Lake

MARTS = ("samples", "records", "record_labels", "duplicates")
_MOST_TRIES = 10     # a stage moves its files within milliseconds, and is then done
_TORN = (GlamlakeError, LookupError, ValueError, pa.ArrowException)    # what half a file may end in

Made = TypeVar("Made")


def state_of_marts(lake: Lake, names: Sequence[str] = MARTS) -> str:
    """Another text when any of these marts was made anew."""
    told = []
    for name in names:
        with suppress(FileNotFoundError):
            stat = lake.mart(name).stat()
            told.append(f"{name}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}")
    return " ".join(told)


def read_settled(lake: Lake, read: Callable[[], Made]) -> Made:
    """What `read` gives, all of it of one state of the marts: read again where they changed meanwhile.

    Raises LakeError where they cannot be read, LakeBusy where they change again and again, and what `read`
    raises.
    """
    for _ in range(_MOST_TRIES):
        before = state_of_marts(lake)
        try:
            made = read()
        except _TORN as e:
            if state_of_marts(lake) != before:
                continue
            if isinstance(e, BadSql):    # nobody asked for that in SQL
                raise LakeError(f"a file of {lake.marts} cannot be read ({e}); run its stage again") from e
            raise
        if state_of_marts(lake) == before:
            return made
    raise LakeBusy(f"{lake.marts} is being made anew; ask again in a moment")
