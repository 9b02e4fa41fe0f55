"""Who may fetch into a lake at the same moment: processes whose shards have no URL in common."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from lake import Lake
from lake.errors import LakeBusy
from pipelines.load import stage_lock
from pipelines.shard import Shard

_DOOR = "fetch.door"
_DOOR_WAIT_S = 300.0


@contextmanager
def shard_lock(lake: Lake, shard: Shard, tidy_up: Callable[[list[Shard]], None]) -> Iterator[None]:
    """Hold the shard; raises LakeBusy while another process may ask for one of its URLs.

    Before any other process is let in, `tidy_up` is told which shards are being fetched beside this one.
    """
    with ExitStack() as held:
        with stage_lock(lake, _DOOR, _DOOR_WAIT_S):
            others = _being_fetched(lake)
            for other in others:
                if shard.meets(other):
                    raise LakeBusy(_busy(lake, shard, other))
            held.enter_context(stage_lock(lake, shard.name))
            tidy_up(others)
        yield


def _being_fetched(lake: Lake) -> list[Shard]:
    named = ((path.stem, Shard.named(path.stem)) for path in sorted(lake.locks.glob("fetch*.lock")))
    return [shard for name, shard in named if shard is not None and _is_held(lake, name)]


def _is_held(lake: Lake, name: str) -> bool:
    try:
        with stage_lock(lake, name):
            return False
    except LakeBusy:
        return True


def _busy(lake: Lake, shard: Shard, other: Shard) -> str:
    if shard == other:
        return f"another process is busy with {shard.name} in {lake.root}; wait for it to end"
    return (
        f"another process is busy with {other.name} in {lake.root}, and some URLs would be asked for by both;"
        " cut the work into the same number of shards everywhere, or wait for it to end"
    )
