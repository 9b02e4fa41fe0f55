"""Exports: frozen data sets, which must be whole, and must not hold what their rights forbid."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checks.expectations import CRITICAL, WARNING, Finding, Nothing, Scene, Suite
from lake import Lake
from lake.catalog import ask
from lake.checksums import sha256_of

_READ_BYTES = 2**30     # of each export's files so much is read again; larger ones are only looked for
_SAMPLES = "samples.parquet"
_EXPORTED = """
    with exported as (select * from read_parquet($1)), allowed as (select unnest($2) as class)
"""


def _not_yet(lake: Lake) -> str | None:
    return None if any(lake.exports.glob("[!.]*/")) else "no exports yet; run `glamlake export`"


def _folders(scene: Scene) -> list[Path]:
    return sorted(path for path in scene.lake.exports.glob("[!.]*") if path.is_dir())


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest; empty where there is none that can be read."""
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _not_whole(scene: Scene) -> Finding:
    """Exports without a manifest; files that are gone, and those of moderate size that were changed."""
    return Finding.of([fault for folder in _folders(scene) for fault in _faults(folder)])


def _faults(folder: Path) -> Iterator[str]:
    manifest = _manifest(folder)
    listed = manifest.get("files")
    if not isinstance(listed, dict):
        yield f"{folder.name}: no manifest that can be read"
        return
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    yield from (f"{folder.name}/{path} is not in the manifest" for path in sorted(there - _known(listed)))
    left = _READ_BYTES
    for path, sha256 in sorted(listed.items()):
        file = folder / path
        if not file.is_file():
            yield f"{folder.name}/{path} is missing"
        elif file.stat().st_size <= left:
            left -= file.stat().st_size
            if sha256_of(file) != sha256:
                yield f"{folder.name}/{path} was changed"


def _known(listed: dict[str, Any]) -> set[str]:
    return {*listed, "manifest.json"}


def _counted_wrong(scene: Scene) -> Finding:
    """Exports whose manifest counts other samples than they hold."""
    bad = []
    for folder in _folders(scene):
        counts = _manifest(folder).get("counts")
        said = counts.get("samples") if isinstance(counts, dict) else None
        if said is not None and (folder / _SAMPLES).is_file():
            path = str((folder / _SAMPLES).absolute())
            n = ask(scene.con, "select count(*) as n from read_parquet(?)", [path])["n"][0].as_py()
            bad += [f"{folder.name}: {said} said, {n} there"] if said != n else []
    return Finding.of(bad)


def _asked(scene: Scene, select: str) -> Finding:
    """What a select finds in each export: `exported` are its samples, `allowed` the rights it is for."""
    found = []
    for folder in _folders(scene):
        options = _manifest(folder).get("options")
        if (folder / _SAMPLES).is_file() and isinstance(options, dict) and options.get("rights"):
            rows = ask(scene.con, f"{_EXPORTED} {select}", [
                str((folder / _SAMPLES).absolute()), list(options["rights"]),
            ])
            found += [f"{folder.name}: {example}" for example in rows["example"].to_pylist()]
    return Finding.of(found)


def _not_allowed(scene: Scene) -> Finding:
    return _asked(scene, """
        select sample_id || ' ' || coalesce(rights_class, 'NULL') as example from exported
        where coalesce(rights_class, 'unknown') not in (select class from allowed) order by 1
    """)


def _no_longer_allowed(scene: Scene) -> Finding:
    return _asked(scene, """
        select exported.sample_id || ' is now ' || samples.rights_class as example
        from exported join samples using (sample_id)
        where exported.rights_class in (select class from allowed)
            and samples.rights_class not in (select class from allowed)
        union all
        select sample_id || ' is in the lake no more' as example
        from exported
        where sha256 not in (select sha256 from samples where sha256 is not null)
            and sha256 not in (select sha256 from duplicates where sha256 is not null)
        order by 1
    """)


def _leaking(scene: Scene) -> Finding:
    return _asked(scene, """
        select 'cluster ' || cluster_id as example from exported, (select count(*) from allowed)
        group by cluster_id having count(distinct split) > 1 order by 1
    """)


SUITE = Suite(
    table="exports",
    view="",
    not_yet=_not_yet,
    expectations=(
        Nothing(
            "every export is whole", "whoever has a copy compares it with the sums of its manifest", CRITICAL,
            _not_whole,
        ),
        Nothing(
            "an export holds as many samples as it says", "its card and its manifest would be wrong",
            CRITICAL, _counted_wrong,
        ),
        Nothing(
            "no export holds rights it was not made for",
            "unknown and restricted rights never leave by accident", CRITICAL, _not_allowed,
        ),
        Nothing(
            "what an export let out may still leave",
            "its rights were corrected or it was withdrawn: export anew and tell those who have it",
            WARNING, _no_longer_allowed,
        ),
        Nothing(
            "no cluster lies in two splits of an export",
            "a near-copy of a training picture in a test makes the test worthless", CRITICAL, _leaking,
        ),
    ),
)
