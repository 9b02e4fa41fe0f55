"""How much is enough: the numbers of the suites that people may change, in a file of the lake.

The file is written with every default and its reason when the checks first run. What it does not name has its
default, so that a newer glamlake may bring more. A file that cannot be read is an error, never a default.
"""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from checks.expectations import Limit, Suite
from lake import Lake
from lake.drafts import whole_file
from lake.errors import BadThresholds

_HEAD = """\
# How much is enough for `glamlake check`: change a number, then run it again.
# A line that is missing means its default; delete the file to have all defaults back.
"""


def thresholds_file(lake: Lake) -> Path:
    """Where the numbers of a lake are."""
    return lake.checks / "thresholds.toml"


def read_thresholds(lake: Lake, suites: Iterable[Suite]) -> Mapping[str, float]:
    """The numbers by `<table>.<name>`: the file's, else the defaults.

    Raises BadThresholds where the file is no TOML, names what is not there, or gives what is out of bounds.
    """
    limits = _limits(suites)
    path = thresholds_file(lake)
    defaults = {key: limit.default for key, limit in limits.items()}
    return defaults | (_read(path, limits) if path.exists() else {})


def write_thresholds(lake: Lake, suites: Iterable[Suite]) -> Path:
    """Write the file with all defaults unless there is one; atomically."""
    path = thresholds_file(lake)
    if not path.exists():
        with whole_file(path) as draft:
            draft.write_text(thresholds_text(suites), encoding="utf-8")
    return path


def thresholds_text(suites: Iterable[Suite]) -> str:
    """The file with all defaults: a comment for each number, from the expectation that goes by it."""
    lines = [_HEAD]
    for suite in suites:
        entries = [(e, limit) for e in suite.expectations if (limit := e.limit) is not None]
        if entries:
            lines.append(f"[{suite.table}]")
        for e, limit in entries:
            lines += [f"# {e.name}: {e.reason}", f"# from {limit.low:g} to {limit.high:g}"]
            lines += [f"{limit.name} = {limit.default:g}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _limits(suites: Iterable[Suite]) -> dict[str, Limit]:
    return {
        f"{suite.table}.{e.limit.name}": e.limit
        for suite in suites for e in suite.expectations if e.limit is not None
    }


def _read(path: Path, limits: Mapping[str, Limit]) -> dict[str, float]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise BadThresholds(f"cannot read {path}: {e}; mend it, or delete it to have the defaults") from e
    except tomllib.TOMLDecodeError as e:
        raise BadThresholds(f"{path} is no TOML: {e}; mend it, or delete it to have the defaults") from e
    found: dict[str, float] = {}
    for table, entries in tables.items():
        if not isinstance(entries, dict):
            raise BadThresholds(f"{path}: {table!r} stands in no table; give it one, such as [records]")
        for name, value in entries.items():
            found[f"{table}.{name}"] = _checked(path, f"{table}.{name}", value, limits)
    return found


def _checked(path: Path, key: str, value: object, limits: Mapping[str, Limit]) -> float:
    if key not in limits:
        near = get_close_matches(key, limits, 3) or sorted(limits)[:3]
        raise BadThresholds(f"{path}: no threshold is named {key!r}; there are: {', '.join(near)}")
    limit = limits[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadThresholds(f"{path}: {key} is {value!r}, no number; the default is {limit.default:g}")
    if not limit.low <= value <= limit.high:    # a NaN is not within anything
        raise BadThresholds(f"{path}: {key} is {value:g}; it must be from {limit.low:g} to {limit.high:g}")
    return float(value)
