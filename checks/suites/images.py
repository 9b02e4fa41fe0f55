"""Images: what came back from each image URL.

The view takes the newest attempt at each URL, so its key cannot repeat.
"""

from pathlib import Path

from checks.expectations import (
    CRITICAL,
    WARNING,
    Finding,
    Nothing,
    Scene,
    Suite,
    as_agreed,
    known,
    matching,
    one_of,
)
from lake import Lake
from lake.catalog import ask, has_rows
from lake.tables import IMAGE_STATUSES, IMAGES, RAW_IMAGES

LOOKED_AT = 1_000   # files; more take long on a network disk
_FACTS = ("sha256", "path", "format", "width", "height", "bytes", "phash", "rgb_mean", "rgb_std")
_LACKS_A_FACT = " or ".join(f"{fact} is null" for fact in _FACTS)

_SOME_PATHS = """
    select path from images where status = 'ok' and path is not null
    group by path order by hash(path) limit $1
"""


def _not_yet(lake: Lake) -> str | None:
    return None if has_rows(lake, RAW_IMAGES) else "no images yet; run `glamlake fetch`"


def _lost_files(scene: Scene) -> Finding:
    paths = ask(scene.con, _SOME_PATHS, [LOOKED_AT])["path"].to_pylist()
    return Finding.of([path for path in paths if not _has_bytes(scene.lake.root / path)])


def _has_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


SUITE = Suite(
    table="images",
    view="images",
    not_yet=_not_yet,
    expectations=(
        as_agreed(IMAGES, "images"),
        known("image_url", "records refer to it"),
        known("status", "an image that has none is neither fetched nor pending"),
        one_of("status", IMAGE_STATUSES, "people count failures by it"),
        matching("sha256", r"^[0-9a-f]{64}$", "sha256 is 64 hex digits", "it is the name of the file"),
        matching("phash", r"^[0-9a-f]{16}$", "phash is 16 hex digits", "duplicates are found by it"),
        Nothing(
            "ok images have all their facts", "samples and duplicates are made from them", CRITICAL,
            f"""
            select image_url as example from images
            where status = 'ok' and ({_LACKS_A_FACT} or least(width, height) < 1)
            """,
        ),
        Nothing(
            "mean and deviation of colour lie between 0 and 1", "training normalises with them", CRITICAL,
            """
            select image_url as example from images
            where len(rgb_mean) <> 3 or list_min(rgb_mean) < 0 or list_max(rgb_mean) > 1
               or len(rgb_std) <> 3 or list_min(rgb_std) < 0 or list_max(rgb_std) > 1
            """,
        ),
        Nothing(
            f"files of ok images are on the disk (up to {LOOKED_AT:,} looked at)",
            "a path that leads nowhere breaks search, training and export", CRITICAL, _lost_files,
        ),
        Nothing(
            "failed images say why", "so that people know whether to try again", WARNING,
            """
            select image_url as example from images
            where status <> 'ok' and error is null and http_status is null
            """,
        ),
        Nothing(
            "no host fails for more than a fifth of its images",
            "the host is down, blocks us, or moved its pictures",
            WARNING,
            """
            select host || ': ' || failed || ' of ' || n as example
            from (
                select
                    regexp_extract(image_url, '^[a-z]+://([^/]+)', 1) as host,
                    count(*) as n,
                    count(*) filter (status <> 'ok') as failed
                from images group by host
            ) where n >= 5 and failed > n / 5
            """,
        ),
    ),
)
