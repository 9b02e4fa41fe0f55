"""Images: what came back from each image URL.

The view takes the newest attempt at each URL, so its key cannot repeat.
"""

from checks.expectations import (
    CRITICAL,
    WARNING,
    Finding,
    Limit,
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
from lake.checksums import sha256_of
from lake.tables import IMAGE_STATUSES, IMAGES, RAW_IMAGES

LOOKED_AT = 20_000   # files; more take long on a network disk
HASHED = 2**30      # bytes: as many files, in an order that says nothing about them
_FACTS = ("sha256", "path", "format", "width", "height", "bytes", "phash", "rgb_mean", "rgb_std")
_LACKS_A_FACT = " or ".join(f"{fact} is null" for fact in _FACTS)

_SOME_FILES = """
    select path, min(bytes) as bytes, min(sha256) as sha256
    from images where status = 'ok' and path is not null group by path order by md5(path) limit $1
"""


def _not_yet(lake: Lake) -> str | None:
    return None if has_rows(lake, RAW_IMAGES) else "no images yet; run `glamlake fetch`"


def _lost_files(scene: Scene) -> Finding:
    files = ask(scene.con, _SOME_FILES, [LOOKED_AT]).to_pylist()
    return Finding.of([file["path"] for file in files if not _has_bytes(scene, file["path"], file["bytes"])])


def _has_bytes(scene: Scene, path: str, n_bytes: int | None) -> bool:
    file = scene.lake.root / path
    return file.is_file() and file.stat().st_size > 0 and n_bytes in (None, file.stat().st_size)


def _altered_files(scene: Scene) -> Finding:
    """Files whose bytes are others than were fetched; those that are gone are told elsewhere."""
    bad, left = [], HASHED
    for file in ask(scene.con, _SOME_FILES, [LOOKED_AT]).to_pylist():
        path = scene.lake.root / file["path"]
        if left <= 0:
            break
        if path.is_file():
            left -= path.stat().st_size
            bad += [file["path"]] if sha256_of(path) != file["sha256"] else []
    return Finding.of(bad)


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
            where status = 'ok' and ({_LACKS_A_FACT} or least(width, height, bytes) < 1)
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
            "a path that leads nowhere, or to half a file, breaks search, training and export", CRITICAL,
            _lost_files,
        ),
        Nothing(
            "files hold the bytes that were fetched (up to 1 GiB read)",
            "what was edited or damaged on the disk is no longer what the archive served", CRITICAL,
            _altered_files,
        ),
        Nothing(
            "the path of an image names its sha256", "the store is addressed by content", CRITICAL,
            "select path as example from images where status = 'ok' and not contains(path, sha256)",
        ),
        Nothing(
            "ok images were answered with success", "an error page may look like a picture", WARNING,
            """
            select image_url || ' ' || http_status as example from images
            where status = 'ok' and http_status not between 200 and 299
            """,
        ),
        Nothing(
            "ok images are not one flat colour", "nothing can be seen in them, and they match each other",
            WARNING,
            "select image_url as example from images where status = 'ok' and list_max(rgb_std) < 0.001",
        ),
        Nothing(
            "no picture stands behind too many addresses",
            "the same bytes everywhere are a placeholder, such as “image not available”",
            WARNING,
            """
            select sha256 || ': ' || count(*) || ' addresses' as example from images where status = 'ok'
            group by sha256 having count(*) > $1
            """,
            Limit("addresses_of_one_picture", 50, 1, 1e9),
        ),
        Nothing(
            "failed images say why", "so that people know whether to try again", WARNING,
            """
            select image_url as example from images
            where status <> 'ok' and error is null and http_status is null
            """,
        ),
        Nothing(
            "no host fails for too many of its images",
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
            ) where n >= 5 and failed > n * $1
            """,
            Limit("failed_share_of_a_host", 0.2),
        ),
    ),
)
