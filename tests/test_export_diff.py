"""`glamlake export diff`: what one export has otherwise than another."""

import json

import pytest
from click.testing import CliRunner

from lake import Lake
from lake.errors import ExportError
from pipelines.cli import cli
from pipelines.exports import diff_exports, export
from tests.export_lakes import sample, stock
from tests.lakes import noise_jpeg


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, list[str]]:
    """A lake with exports `old` and `new`: one sample each stayed, changed, moved, went, came."""
    lake = Lake(tmp_path_factory.mktemp("grown") / "lake").open()
    rows = [sample(lake, noise_jpeg(i), title=f"Tram {i}") for i in range(5)]
    stock(lake, rows[:4])
    export(lake, "huggingface", "old")
    changed = rows[1] | {"title": None, "labels": ["ship", "tram"]}
    stock(lake, [rows[0], changed, rows[2] | {"split": "val"}, rows[4]])
    export(lake, "webdataset", "new")
    return lake, [row["sample_id"] for row in rows]


def test_each_sample_is_told_by_what_became_of_it(grown: tuple[Lake, list[str]]) -> None:
    lake, (_, changed, moved, gone, came) = grown
    found = diff_exports(lake, "old", "new").as_dict()
    assert (found["added"], found["removed"], found["n_same"]) == ([came], [gone], 1)
    assert found["moved"] == [{"sample_id": moved, "before": "train", "after": "val"}]
    assert found["changed"] == [{"sample_id": changed, "columns": ["labels", "title"]}]


def test_an_export_does_not_differ_from_itself_by_name_or_by_path(grown: tuple[Lake, list[str]]) -> None:
    lake, _ = grown
    found = diff_exports(lake, "old", str(lake.exports / "old"))
    assert (found.added, found.removed, found.moved, found.changed, found.n_same) == ([], [], [], [], 4)


def test_a_name_without_an_export_is_said(grown: tuple[Lake, list[str]]) -> None:
    with pytest.raises(ExportError, match=r"'older' is no export .* there are: new, old"):
        diff_exports(grown[0], "older", "new")


def test_the_command_tells_people_and_machines(grown: tuple[Lake, list[str]]) -> None:
    lake, (*_, came) = grown
    asked = ["--lake", str(lake.root), "export", "diff", "old", "new"]
    told = CliRunner().invoke(cli, asked).stdout.splitlines()
    assert told[1:3] == ["added    1", f"  {came}"]
    assert "moved    1; train → val: 1" in told
    assert "changed  1; labels: 1; title: 1" in told
    assert json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)["added"] == [came]


def test_the_commands_own_help_and_usage_are_those_of_diff() -> None:
    assert "AFTER" in CliRunner().invoke(cli, ["export", "diff", "--help"]).output
    refused = CliRunner().invoke(cli, ["export", "diff", "a", "b", "--label", "tram"])
    assert refused.exit_code == 2
