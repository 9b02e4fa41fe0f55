"""Loads that are killed where dlt is most easily hurt."""

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize("n_before", [0, 1], ids=["the_first_load", "a_later_load"])
def test_a_load_killed_at_any_delicate_moment_is_finished_by_the_next_run(tmp_path, n_before):
    command = [sys.executable, "-m", "tests.killed_loads", str(tmp_path), str(n_before)]
    kills = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    moments = {path.split("/")[-2] for _, path, *_ in kills if "/" in path}
    assert {"extracted", "new", "normalized", "archive=window"} <= moments
    whole = [n_before + 1, 5 * (n_before + 1), 5 * (n_before + 1)]
    assert [kill for kill in kills if kill[2:] != whole] == []


def test_a_first_load_killed_again_while_it_is_resumed_is_whole_in_the_end(tmp_path):
    moments = ["36,98", "84,27", "88,22", "35,94,25", "36,24,46", "51,12"]
    command = [sys.executable, "-m", "tests.killed_loads", str(tmp_path), "0", *moments]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert [kill for kill in found if kill[1:] != [1, 5, 5]] == []
