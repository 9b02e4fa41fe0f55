"""embed: every sample gets its vector once, whatever happens in between."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from lake import Lake
from lake.errors import EmptyLake, LakeBusy
from lake.tables import RAW_HITS, SAMPLES
from lake.vectors import VectorStore
from models.encoder import EncoderSpec, load_encoder
from models.pictures import open_picture
from pipelines.embed import EmbedReport, embed
from tests.encoders import tiny_checkpoint
from tests.lakes import noise_jpeg, write_mart, write_raw
from tests.picture_lakes import picture_lake, stored_picture

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> EncoderSpec:
    return EncoderSpec(checkpoint=tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny"))


def counts(report: EmbedReport) -> tuple[int, int, int]:
    return report.embedded, report.failed, report.already


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, from the repository's root."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=REPOSITORY, env=one_thread, capture_output=True, text=True, timeout=120, check=False,
    )


def test_each_sample_gets_the_vector_of_its_picture(lake: Lake, spec: EncoderSpec) -> None:
    samples = picture_lake(lake, 7)
    report = embed(lake, spec, batch_size=3)
    held, vectors = VectorStore(lake).vectors(report.model_id, [s["sample_id"] for s in samples])
    expected = load_encoder(spec).encode_images([open_picture(lake.root / s["path"]) for s in samples])
    assert counts(report) == (7, 0, 0)
    assert held == [s["sample_id"] for s in samples]
    assert np.allclose(vectors, expected, atol=1e-6)


def test_only_new_samples_are_embedded(lake: Lake, spec: EncoderSpec) -> None:
    picture_lake(lake, 4)
    embed(lake, spec)
    picture_lake(lake, 6)
    assert counts(embed(lake, spec)) == (2, 0, 4)


def test_a_sample_with_another_picture_is_embedded_anew(lake: Lake, spec: EncoderSpec) -> None:
    samples = picture_lake(lake, 3)
    before = embed(lake, spec)
    better = stored_picture(lake, noise_jpeg(99)) | {"sample_id": samples[1]["sample_id"]}
    write_mart(lake, SAMPLES, [samples[0], samples[1] | better, samples[2]])
    assert counts(embed(lake, spec)) == (1, 0, 2)
    assert VectorStore(lake).count(before.model_id) == 3


def test_a_bad_picture_is_counted_logged_and_passed_over(
    lake: Lake, spec: EncoderSpec, caplog: pytest.LogCaptureFixture,
) -> None:
    samples = picture_lake(lake, 5)
    (lake.root / samples[1]["path"]).write_bytes(b"no picture")
    (lake.root / samples[3]["path"]).unlink()
    assert counts(embed(lake, spec, batch_size=2)) == (3, 2, 0)
    assert all(samples[i]["sample_id"] in caplog.text for i in (1, 3))
    assert counts(embed(lake, spec)) == (0, 2, 3)


def test_nothing_missing_is_found_out_without_torch(lake: Lake, spec: EncoderSpec) -> None:
    picture_lake(lake, 2)
    embed(lake, spec)
    again = """
import sys
from pathlib import Path
from lake import Lake
from models.encoder import EncoderSpec
from pipelines.embed import embed
report = embed(Lake(Path(sys.argv[1])), EncoderSpec(checkpoint=Path(sys.argv[2])))
print(report.already, "torch" in sys.modules)
"""
    done = python(again, lake.root, spec.checkpoint)
    assert done.stdout.split() == ["2", "False"], done.stderr


def test_embedding_again_makes_the_model_the_newest(lake: Lake, spec: EncoderSpec, tmp_path: Path) -> None:
    picture_lake(lake, 2)
    first = embed(lake, spec)
    embed(lake, EncoderSpec(checkpoint=tiny_checkpoint(tmp_path / "other", seed=1)))
    embed(lake, spec)
    assert VectorStore(lake).models()[0].model_id == first.model_id


def test_a_checkpoint_inside_the_lake_is_kept_as_a_relative_path(lake: Lake) -> None:
    picture_lake(lake, 1)
    embed(lake, EncoderSpec(checkpoint=tiny_checkpoint(lake.models / "tiny")))
    assert VectorStore(lake).models()[0].checkpoint == "models/tiny"


def test_killed_half_way_and_run_again_it_is_as_if_never_killed(lake: Lake, tmp_path: Path) -> None:
    undisturbed = Lake(tmp_path / "undisturbed").open()
    spec = EncoderSpec(checkpoint=tiny_checkpoint(tmp_path / "tiny"))
    ids = [s["sample_id"] for s in picture_lake(lake, 11)]
    picture_lake(undisturbed, 11)
    killed = python(DIES_IN_ITS_THIRD_BATCH, lake.root, spec.checkpoint)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again, whole = embed(lake, spec, batch_size=3), embed(undisturbed, spec, batch_size=3)
    assert counts(again) == (5, 0, 6)
    assert VectorStore(lake).count(again.model_id) == 11
    held, vectors = VectorStore(lake).vectors(again.model_id, ids)
    expected = VectorStore(undisturbed).vectors(whole.model_id, ids)[1]
    assert held == ids
    assert np.array_equal(vectors, expected)


DIES_IN_ITS_THIRD_BATCH = """
import os, signal, sys
from pathlib import Path
from lake import Lake
from lake.vectors import VectorStore
from models.encoder import EncoderSpec
from pipelines.embed import embed

add, commits = VectorStore.add, []

def dying(self, model_id, rows):
    if len(commits) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    add(self, model_id, rows)
    commits.append(rows)

VectorStore.add = dying
embed(Lake(Path(sys.argv[1])), EncoderSpec(checkpoint=Path(sys.argv[2])), batch_size=3)
"""


def test_two_at_once_are_refused(lake: Lake, spec: EncoderSpec) -> None:
    picture_lake(lake, 1)
    lake.locks.mkdir()
    with FileLock(lake.locks / "embed.lock"), pytest.raises(LakeBusy, match="another process embeds"):
        embed(lake, spec)


def test_a_lake_without_samples_says_what_comes_first(lake: Lake, spec: EncoderSpec) -> None:
    with pytest.raises(EmptyLake, match="harvest"):
        embed(lake, spec)
    write_raw(lake, RAW_HITS, [{"hit_id": "0" * 16}])
    with pytest.raises(EmptyLake, match="curate"):
        embed(lake, spec)
    write_mart(lake, SAMPLES, [])
    with pytest.raises(EmptyLake, match="no samples"):
        embed(lake, spec)
