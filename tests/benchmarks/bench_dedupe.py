"""Duplicates beside imagededup's perceptual hash, and a million hashes made clusters, then a thousand more.

Drawn pictures, each with thirteen copies, among others that have none and look alike, as archives' pictures
do: recall and precision of the pairs found. With GLAMLAKE_IMAGES naming a folder that holds `photos`,
photographs are used instead of drawings, without those that `photos_near_duplicates.csv` beside it knows to
be there twice. Then hashes by the million, three in ten of them copies of others,
through the SQL models; a thousand are added to what the first run kept.
`python -m tests.benchmarks.bench_dedupe [--quick]`; peers: see `make bench`.
"""

import csv
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
from PIL import Image

from tests.benchmarks._table import ask_peer, measured, peak_gb, show
from tests.benchmarks.lookalikes import lookalikes
from tests.picture_copies import COPIES, as_jpeg, build_compared, compare, drawn_pictures, facts_of_file
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
    n_alone = _write_strangers(folder, n_each)
    truth = {_pair(a, b) for family in names for a, b in itertools.combinations(family, 2)}
    facts = {path.name: facts_of_file(path.read_bytes()) for path in sorted(folder.iterdir())}
    began = time.perf_counter()
    found = {"glamlake": {_pair(r["sha256_a"], r["sha256_b"]) for r in compare(facts) if r["is_same"]}}
    seconds = time.perf_counter() - began
    theirs = ask_peer(PEER, {"folder": str(folder)})
    if theirs is not None:
        found["imagededup"] = {_pair(a, b) for a, b in theirs}
    scores = {tool: _scores(pairs, truth, names) for tool, pairs in found.items()}
    title = f"{len(facts)} files: {len(names)} pictures with copies, {n_alone} without; {seconds:.1f} s"
    show(title, [{"tool": tool} | dict(score) for tool, score in scores.items()])
    copies = [
        {"copy": copy} | {tool: 100 * sum(_pair(f[0], f[place]) in pairs for f in names) / len(names)
                          for tool, pairs in found.items()}
        for place, copy in enumerate(COPIES, 1)
    ]
    show("copies found, in %, by what became of them", copies)
    for what in ("recall of copies", "recall of pairs", "precision"):
        peer = scores["imagededup"][what] if "imagededup" in scores else None
        ours = scores["glamlake"][what]
        measured("dedupe", what, ours, peer=peer, peer_name="imagededup", ratio_at_least=1)
    if theirs is not None:
        n_less = sum(float(row["glamlake"]) < float(row["imagededup"]) for row in copies)
        measured("dedupe", "kinds of copies found less often than by imagededup", n_less, at_most=0)


def _write_copies(folder: Path, n_each: int) -> list[list[str]]:
    families = []
    for number, picture in enumerate(_pictures(n_each)):
        files = [as_jpeg(picture, 90), *(make(picture) for make in COPIES.values())]
        names = [f"{number:03d}-{place}.jpg" for place in range(len(files))]
        for name, content in zip(names, files, strict=True):
            (folder / name).write_bytes(content)
        families.append(names)
    return families


def _write_strangers(folder: Path, n_each: int) -> int:
    """Pictures without a copy; how many."""
    strangers = lookalikes(2 * n_each)
    for number, picture in enumerate(strangers):
        (folder / f"alone-{number:03d}.jpg").write_bytes(as_jpeg(picture, 90))
    return len(strangers)


def _pair(a: str, b: str) -> tuple[str, str]:
    return min(a, b), max(a, b)


def _pictures(n_each: int) -> list[Image.Image]:
    if not (images := os.environ.get("GLAMLAKE_IMAGES")):
        return list(drawn_pictures(n_each).values())
    with Path(images, "photos_near_duplicates.csv").open(encoding="utf-8", newline="") as file:
        twice = {row["file_b"] for row in csv.DictReader(file) if row["relation"] != "different"}
    paths = [path for path in sorted(Path(images, "photos").iterdir()) if path.name not in twice]
    return [Image.open(path).convert("RGB") for path in paths[::len(paths) // (8 * n_each)]]


def _scores(pairs: Pairs, truth: Pairs, names: Sequence[Sequence[str]]) -> Mapping[str, float]:
    originals = {_pair(family[0], other) for family in names for other in family[1:]}
    return {
        "recall of copies": len(pairs & originals) / len(originals),
        "recall of pairs": len(pairs & truth) / len(truth),
        "precision": len(pairs & truth) / max(len(pairs), 1), "wrong pairs": len(pairs - truth),
    }


def _clusters(n: int) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        # as sql/profiles.yml has it
        con.execute(f"set threads = 2; set memory_limit = '4GB'; set temp_directory = '{folder}'")
        con.execute("set preserve_insertion_order = false")
        con.execute(f"create table files as {_MADE_UP.format(n=n)}")
        grown = "create or replace view int_images__distinct as select * from files"
        con.execute(f"{grown} where number % {n // 1000} <> 7")
        first = _clusters_again(con)
        con.execute(grown)
        second = _clusters_again(con)
        true = _count(con, "count(distinct family) from files")
    show(f"{n:,} hashes with eight orientations and fourteen crops each, but for 1,000; then these too; "
         f"{true} true clusters, peak {peak_gb():.1f} GB", [first, second])
    measured("dedupe", f"seconds for {n:,} hashes", first["seconds"], at_most=120)
    measured("dedupe", f"peak GB of {n:,} hashes, making them up included", peak_gb(), at_most=6)
    measured("dedupe", "seconds for 1,000 more", second["seconds"], peer=first["seconds"],
             peer_name="all anew", ratio_at_most=0.5)


def _clusters_again(con: duckdb.DuckDBPyConnection) -> Mapping[str, float]:
    began, worked = time.perf_counter(), time.process_time()
    build_compared(con)
    compared = time.perf_counter() - began
    con.execute("create or replace view int_images__paired as from int_images__compared where is_same")
    build_model(con, "int_images__clustered")
    return {
        "clusters": _count(con, "count(distinct cluster_id) from int_images__clustered"),
        "compared in s": compared, "seconds": time.perf_counter() - began,
        "CPU seconds": time.process_time() - worked,
    }


def _count(con: duckdb.DuckDBPyConnection, what: str) -> int:
    return int(con.execute(f"select {what}").fetchall()[0][0])


# three in ten are copies: two other bits, or turned, or cropped, or the same hash; one family has 1 % of all
# files; one in five has a border; a quarter of the crops is near the whole
_MADE_UP = """
    with files as (
        select
            i as number,
            (case
                when i % 10 < 7 then i
                when i % 100 = 99 then 0
                else hash(i) % ({n} // 10) * 10
            end)::bigint as family,
            case
                when i % 10 = 8 then 1 + i // 10 % 8
                when i % 30 = 9 then 17 + i // 30 % 14
                else 1
            end as part,
            case when i % 10 = 7
                then (1::ubigint << (i // 10 % 64)::integer) | (1::ubigint << (i // 640 % 64)::integer)
                else 0::ubigint
            end as noise
        from range({n}) as numbers(i)
    )
    select
        number,
        md5(number::varchar) as sha256,
        sha256 as pixel_hash,
        family,
        xor(hash(family, part::bigint), noise)::ubigint as hash_bits,
        list_transform(range(1, 9), lambda turn: case
            when turn = 1 then hash_bits
            when number = family then hash(family, turn::bigint)
            else hash(number, turn)
        end)::ubigint[] as turned_bits,
        case when number % 5 = 0
            then list_transform(range(101, 109), lambda turn: hash(number, turn))::ubigint[]
        end as inside_bits,
        list_transform(range(17, 31), lambda crop: case
            when part = 1 and noise = 0 then hash(family, crop::bigint)
            when crop % 4 = 0 then xor(hash_bits, 7 << crop)
            else hash(number, crop)
        end)::ubigint[] as crop_bits,
        list_transform(range(30), lambda half: hash(family, 1000 + half % 2) >> 8)::ubigint[]
            as difference_bits,
        -- of a pattern that looks the same in all orientations
        list_transform(range(256), lambda place: hash(
            family,
            abs(15 - 2 * (place // 16)) + abs(15 - 2 * (place % 16)),
            abs(15 - 2 * (place // 16)) * abs(15 - 2 * (place % 16))
        ) % 256)::utinyint[] as thumbnail,
        case when inside_bits is not null then thumbnail end as inside_thumbnail,
        6.0 as entropy, 100 as width, 100 as height, 1000 as bytes
    from files
"""


if __name__ == "__main__":
    main("--quick" in sys.argv)
