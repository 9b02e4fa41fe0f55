"""embed: every sample gets its vector once, whatever happens in between."""

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from numpy.typing import NDArray

from lake import Lake
from lake.errors import EmptyLake, EncoderError, LakeBusy, UsageError
from lake.search import Searcher
from lake.tables import RAW_HITS, SAMPLES
from lake.vectors import VectorStore
from models.checkpoint import write_checkpoint
from models.clip import Encoder
from models.encoder import EncoderSpec, load_encoder, open_encoder
from models.pictures import open_picture
from models.tiny import tiny_encoder
from pipelines.embed import EmbedOptions, EmbedReport, embed
from pipelines.shard import Shard
from tests.encoders import tiny_checkpoint
from tests.lakes import noise_jpeg, write_mart, write_raw
from tests.picture_lakes import picture_lake, stored_picture

Matrix = NDArray[np.float32]
REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> EncoderSpec:
    return EncoderSpec(checkpoint=tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny"))


def counts(report: EmbedReport) -> tuple[int, int, int]:
    return report.embedded, report.failed, report.already


def cosines(some: Matrix, others: Matrix) -> Matrix:
    """Row by row."""
    return (some * others).sum(axis=1) / np.linalg.norm(some, axis=1) / np.linalg.norm(others, axis=1)


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, from the repository's root."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=REPOSITORY, env=one_thread, capture_output=True, text=True, timeout=600, check=False,
    )


def test_each_sample_gets_the_vector_of_its_picture(lake: Lake, spec: EncoderSpec) -> None:
    samples = picture_lake(lake, 7)
    report = embed(lake, spec, EmbedOptions(batch_size=3))
    held, vectors = VectorStore(lake).vectors(report.model_id, [s["sample_id"] for s in samples])
    expected = load_encoder(spec).encode_images([open_picture(lake.root / s["path"]) for s in samples])
    assert counts(report) == (7, 0, 0)
    assert held == [s["sample_id"] for s in samples]
    assert cosines(vectors, expected).min() >= 0.999


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
    assert counts(embed(lake, spec, EmbedOptions(batch_size=2))) == (3, 2, 0)
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


def test_embedding_again_drops_what_the_first_time_left(
    lake: Lake, spec: EncoderSpec, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No new picture need come first: a collection that is complete would keep it for ever."""
    picture_lake(lake, 5)
    versions = lake.vectors / f"{embed(lake, spec).model_id}.lance" / "_versions"
    there = len(list(versions.glob("*.manifest")))
    monkeypatch.setattr("lake.vectors.KEEP_OLD_VERSIONS", timedelta(milliseconds=1))
    embed(lake, spec)
    assert (there > 1, len(list(versions.glob("*.manifest")))) == (True, 1)


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
    again, whole = (embed(one, spec, EmbedOptions(batch_size=3)) for one in (lake, undisturbed))
    assert counts(again) == (5, 0, 6)
    assert VectorStore(lake).count(again.model_id) == 11
    held, vectors = VectorStore(lake).vectors(again.model_id, ids)
    expected = VectorStore(undisturbed).vectors(whole.model_id, ids)[1]
    assert held == ids
    assert cosines(vectors, expected).min() >= 0.9999


DIES_IN_ITS_THIRD_BATCH = """
import os, signal, sys
from pathlib import Path
from lake import Lake
from lake.vectors import VectorStore
from models.encoder import EncoderSpec
from pipelines import embed

add, commits = VectorStore.add, []

def dying(self, model_id, rows):
    if len(commits) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    add(self, model_id, rows)
    commits.append(rows)

VectorStore.add = dying
embed.COMMIT_EVERY_S = 0
spec = EncoderSpec(checkpoint=Path(sys.argv[2]))
embed.embed(Lake(Path(sys.argv[1])), spec, embed.EmbedOptions(batch_size=3))
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


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_the_precision_changes_no_meaning(lake: Lake, spec: EncoderSpec, precision: str) -> None:
    samples = picture_lake(lake, 4)
    report = embed(lake, spec, EmbedOptions(precision=precision))
    vectors = VectorStore(lake).vectors(report.model_id, [s["sample_id"] for s in samples])[1]
    expected = load_encoder(spec).encode_images([open_picture(lake.root / s["path"]) for s in samples])
    assert cosines(vectors, expected).min() >= (0.9999 if precision == "float32" else 0.999)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_vectors_may_be_kept_in_half_the_room(lake: Lake, spec: EncoderSpec) -> None:
    samples = picture_lake(lake, 3)
    report = embed(lake, spec, EmbedOptions(dtype="float16"))
    assert VectorStore(lake).models()[0].dtype == "float16"
    vectors = VectorStore(lake).vectors(report.model_id, [s["sample_id"] for s in samples])[1]
    assert np.array_equal(vectors, vectors.astype(np.float16))


def test_vectors_that_are_there_keep_their_type(lake: Lake, spec: EncoderSpec) -> None:
    picture_lake(lake, 1)
    embed(lake, spec, EmbedOptions(dtype="float16"))
    picture_lake(lake, 2)
    with pytest.raises(UsageError, match="kept as float16"):
        embed(lake, spec, EmbedOptions(dtype="float32"))
    assert counts(embed(lake, spec)) == (1, 0, 1)
    with pytest.raises(UsageError, match="kept as float16"):    # where nothing is missing too
        embed(lake, spec, EmbedOptions(dtype="float32"))
    assert counts(embed(lake, spec, EmbedOptions(dtype="float16"))) == (0, 0, 2)
    assert VectorStore(lake).models()[0].dtype == "float16"


def test_each_sample_is_in_one_shard_whatever_else_there_is() -> None:
    ids = [f"{i:016x}" for i in range(500)]
    for of in (1, 2, 3, 7):
        holders = [[n for n in range(1, of + 1) if Shard(n, of).holds(sample_id)] for sample_id in ids]
        assert all(len(holding) == 1 for holding in holders)
        assert {holding[0] for holding in holders} == set(range(1, of + 1))
    assert [Shard(1, 4).holds(sample_id) for sample_id in ids[:8]] == [False] * 5 + [True] + [False] * 2


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1.5/2", "²/3"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        Shard.parse(text)


def test_shards_at_once_make_what_one_process_makes(
    lake: Lake, spec: EncoderSpec, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipelines.embed.COMMIT_EVERY_S", 0)
    monkeypatch.setattr("pipelines.embed.COMPACT_EVERY_N_COMMITS", 2)
    ids = [s["sample_id"] for s in picture_lake(lake, 24)]
    every = [EmbedOptions(batch_size=2, shard=Shard(n, 3)) for n in (1, 2, 3)]
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda options: embed(lake, spec, options), every))
    assert sum(report.embedded for report in reports) == 24
    assert counts(embed(lake, spec)) == (0, 0, 24)
    assert VectorStore(lake).vectors(reports[0].model_id, ids)[0] == ids


def test_what_was_made_before_an_error_is_kept(
    lake: Lake, spec: EncoderSpec, monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture_lake(lake, 6)
    encode, batches = Encoder.encode_pixels, []

    def failing(self: Encoder, pixels: object) -> Matrix:
        batches.append(pixels)
        if len(batches) == 3:
            raise EncoderError("the card has gone")
        return encode(self, pixels)

    monkeypatch.setattr(Encoder, "encode_pixels", failing)
    with pytest.raises(EncoderError, match="the card has gone"):
        embed(lake, spec, EmbedOptions(batch_size=2))
    assert counts(embed(lake, spec)) == (2, 0, 4)


def test_a_model_that_gives_no_numbers_is_told(lake: Lake, tmp_path: Path) -> None:
    picture_lake(lake, 2)
    broken = tiny_encoder(0)
    with torch.no_grad():
        next(broken.model.visual.parameters()).fill_(torch.nan)
    write_checkpoint(tmp_path / "broken", broken.model, broken.config, {})
    with pytest.raises(EncoderError, match="NaN"):
        embed(lake, EncoderSpec(checkpoint=tmp_path / "broken"))
    assert VectorStore(lake).count(VectorStore(lake).models()[0].model_id) == 0


def test_a_device_that_is_not_there_is_told_before_any_work(lake: Lake, spec: EncoderSpec) -> None:
    picture_lake(lake, 1)
    with pytest.raises(EncoderError, match=r"'abacus'; there are: .*cpu"):
        embed(lake, spec, EmbedOptions(device="abacus"))
    assert VectorStore(lake).models() == []


def test_who_searches_while_another_model_embeds_goes_on_with_the_vectors_that_are_whole(
    lake: Lake, spec: EncoderSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture_lake(lake, 3)
    first = embed(lake, spec).model_id
    second = EncoderSpec(checkpoint=tiny_checkpoint(tmp_path / "other", seed=1))
    newest: list[str] = []

    def stopped(*_: object) -> NDArray[np.float32]:
        newest.append(VectorStore(lake).models()[0].model_id)
        raise EncoderError("stopped half-way")

    with monkeypatch.context() as patched:
        patched.setattr(Encoder, "encode_pixels", stopped)
        with pytest.raises(EncoderError, match="half-way"):
            embed(lake, second)
    assert (newest, VectorStore(lake).models()[0].model_id) == ([first], first)
    other = embed(lake, second).model_id
    assert VectorStore(lake).models()[0].model_id == other != first


def test_a_model_without_a_single_vector_is_told_and_hides_no_other(lake: Lake, spec: EncoderSpec) -> None:
    for row in picture_lake(lake, 2):
        (lake.root / row["path"]).unlink()
    report = embed(lake, spec)
    assert counts(report) == (0, 2, 0)
    with pytest.raises(EmptyLake, match=r"no vector of .* yet"):
        Searcher(lake).snapshot(report.model_id)


def test_weights_that_are_gone_since_are_told_with_the_way_out(lake: Lake, tmp_path: Path) -> None:
    picture_lake(lake, 1)
    checkpoint = tiny_checkpoint(tmp_path / "tiny")
    embed(lake, EncoderSpec(checkpoint=checkpoint))
    shutil.rmtree(checkpoint)
    with pytest.raises(EncoderError, match=r"bring them back, or run `glamlake embed`"):
        open_encoder(lake)
