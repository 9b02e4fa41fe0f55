"""Measurements beside other people's tools: on request only (`make bench`, `make bench QUICK=1`).

A benchmark is a file `bench_<name>.py` here that runs as `python -m tests.benchmarks.bench_<name> [--quick]`.
It prints what it likes, and says each number that somebody promised with `measured` of `_table.py`:

    measured("fetch", "pictures a second", ours=212, peer=96, peer_name="img2dataset", ratio_at_least=1.5)
    measured("dedupe", "seconds for 1,000,000 hashes", ours=31.0, at_most=120)
    measured("embed", "cosine to the float32 vectors", ours=0.9999, at_least=0.999)

`ratio` is ours / peer; where seconds are measured a smaller one is better (`ratio_at_most=1`). `peer=None` is
a peer that is not installed: the line says so and counts as neither met nor missed. `--quick` shows that it
runs, on inputs too small to judge by.

`python -m tests.benchmarks [--quick] [NAME…]` runs all (or those named), each in a process of its own, and
prints one table at the end. One that fails has a line that says so and keeps no other from running.

Peers are named in `peers/<name>.txt`, a pip requirements file; `make bench` installs each into the
environment `.venv-bench/<name>`, and `ask_peer(script, given, peers="<name>")` runs a script there. They need
not fit beside each other, nor beside us.
"""
