"""Duplicates beside imagededup's perceptual hash, and a million hashes made clusters.

Drawn pictures, each with nine copies: recall and precision of the pairs found. Then hashes by the million,
three in ten of them copies of others, through the SQL models.
`python -m tests.benchmarks.bench_dedupe [--quick]`; peers: see `make bench`.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from tests.benchmarks._table import ask_peer, peak_gb, show
from tests.picture_copies import COPIES, as_jpeg, compare, drawn_pictures, facts_of_file
from tests.sql_models import build_model

Pairs = set[tuple[str, str]]

PEER = """
import json, sys
from imagededup.methods import PHash
asked = json.load(sys.stdin)
method = PHash(verbose=False)
found = method.find_duplicates(image_dir=asked["folder"], max_distance_threshold=10, num_enc_workers=0)
print(json.dumps([[a, b] for a, near in found.items() for b in near]))
"""


def main(quick: bool) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        _beside_imagededup(Path(folder), 3 if quick else 12)
    _clusters(100_000 if quick else 1_000_000)


def _beside_imagededup(folder: Path, n_each: int) -> None:
    names = _write_copies(folder, n_each)
    truth = {_pair(a, b) for family in names for a, b in itertools.combinations(family, 2)}
    facts = {path.name: facts_of_file(path.read_bytes()) for path in sorted(folder.iterdir())}
    began = time.perf_counter()
    found = {"glamlake": {_pair(r["sha256_a"], r["sha256_b"]) for r in compare(facts) if r["is_same"]}}
    seconds = time.perf_counter() - began
    theirs = ask_peer(PEER, {"folder": str(folder)})
    if theirs is not None:
        found["imagededup"] = {_pair(a, b) for a, b in theirs}
    show(f"{len(facts)} files of {len(names)} drawn pictures; ours compared in {seconds:.1f} s",
         [_scores(tool, pairs, truth, names) for tool, pairs in found.items()])
    show("copies found, in %, by what became of them", [
        {"copy": copy} | {tool: 100 * sum(_pair(f[0], f[place]) in pairs for f in names) / len(names)
                          for tool, pairs in found.items()}
        for place, copy in enumerate(COPIES, 1)
    ])


def _write_copies(folder: Path, n_each: int) -> list[list[str]]:
    families = []
    for number, picture in enumerate(drawn_pictures(n_each).values()):
        files = [as_jpeg(picture, 90), *(make(picture) for make in COPIES.values())]
        names = [f"{number:03d}-{place}.jpg" for place in range(len(files))]
        for name, content in zip(names, files, strict=True):
            (folder / name).write_bytes(content)
        families.append(names)
    return families


def _pair(a: str, b: str) -> tuple[str, str]:
    return min(a, b), max(a, b)


def _scores(tool: str, pairs: Pairs, truth: Pairs, names: Sequence[Sequence[str]]) -> Mapping[str, object]:
    originals = {_pair(family[0], other) for family in names for other in family[1:]}
    return {
        "tool": tool, "recall of copies": len(pairs & originals) / len(originals),
        "recall of pairs": len(pairs & truth) / len(truth),
        "precision": len(pairs & truth) / max(len(pairs), 1), "wrong pairs": len(pairs - truth),
    }


def _clusters(n: int) -> None:
    with duckdb.connect() as con:
        con.execute("set threads = 2")
        con.execute(_MADE_UP.format(n=n))
        began, worked = time.perf_counter(), time.process_time()
        build_model(con, "int_images__compared")
        compared = time.perf_counter() - began
        con.execute("create view int_images__paired as select * from int_images__compared where is_same")
        build_model(con, "int_images__clustered")
        seconds = time.perf_counter() - began
        clusters = _count(con, "count(distinct cluster_id) from int_images__clustered")
        true = _count(con, "count(distinct family) from int_images__distinct")
    show(f"{n:,} hashes, eight orientations each", [{
        "clusters": clusters, "true clusters": true, "compared in s": compared, "seconds in all": seconds,
        "CPU seconds": time.process_time() - worked, "peak GB": peak_gb(),
    }])


def _count(con: duckdb.DuckDBPyConnection, what: str) -> int:
    return int(con.execute(f"select {what}").fetchall()[0][0])


# three in ten are copies: two other bits, or turned, or the same hash; one family has 1 % of all files
_MADE_UP = """
    create table int_images__distinct as
    with files as (
        select
            i,
            (case when i % 10 < 7 then i when i % 100 = 99 then 0 else hash(i) % ({n} // 10) * 10 end)::bigint
                as family,
            case when i % 10 = 8 then 1 + i // 10 % 8 else 1 end as orientation,
            case when i % 10 = 7
                then (1::ubigint << (i // 10 % 64)::integer) | (1::ubigint << (i // 640 % 64)::integer)
                else 0::ubigint
            end as noise
        from range({n}) as numbers(i)
    )
    select
        md5(i::varchar) as sha256,
        sha256 as pixel_sha256,
        family,
        xor(hash(family, orientation::bigint), noise)::ubigint as hash_bits,
        list_transform([1, 2, 3, 4, 5, 6, 7, 8], lambda turn: case
            when turn = 1 then hash_bits
            when i = family then hash(family, turn::bigint)
            else hash(i, turn)
        end)::ubigint[] as turned_bits,
        -- of a pattern that looks the same in all orientations
        list_transform(range(256), lambda place: hash(
            family,
            abs(15 - 2 * (place // 16)) + abs(15 - 2 * (place % 16)),
            abs(15 - 2 * (place // 16)) * abs(15 - 2 * (place % 16))
        ) % 256)::utinyint[] as thumbnail,
        6.0 as entropy, 100 as width, 100 as height, 1000 as bytes
    from files
"""


if __name__ == "__main__":
    main("--quick" in sys.argv)
