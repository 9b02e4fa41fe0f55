"""A batch computed in parts: the same answers, in order, by one thread each; small work by one thread."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from models.streams import in_streams
from models.threads import WORK_OF_A_THREAD, threads_for
from models.tiny import tiny_encoder


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_parts_give_what_the_whole_gives_in_its_order() -> None:
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.GELU(), torch.nn.Linear(256, 8)).eval()
    batch = torch.randn(33, 64)
    with torch.inference_mode():
        whole = layers(batch)
    assert torch.allclose(torch.cat(in_streams(layers, batch)), whole, atol=1e-5)


def test_each_part_is_computed_by_one_thread_and_without_gradients() -> None:
    seen: list[tuple[int, int, bool]] = []

    def note(part: torch.Tensor) -> torch.Tensor:
        seen.append((len(part), torch.get_num_threads(), torch.is_inference_mode_enabled()))
        return part

    in_streams(note, torch.zeros(33, 1))
    assert sorted(seen) == [(16, 1, True), (17, 1, True)]


@pytest.mark.parametrize("n", [1, 16, 31])
def test_a_small_batch_stays_whole(n: int) -> None:
    assert [len(part) for part in in_streams(lambda part: part, torch.zeros(n, 1))] == [n]


def test_a_part_that_fails_leaves_torch_its_threads() -> None:
    def fail(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        in_streams(fail, torch.zeros(64, 1))
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("work", "n"), [
    (0, 1), (WORK_OF_A_THREAD, 1), (2 * WORK_OF_A_THREAD, 2), (9 * WORK_OF_A_THREAD, 2),
])
def test_work_gets_the_threads_it_deserves_and_no_more_than_there_are(work: int, n: int) -> None:
    with threads_for(work):
        assert torch.get_num_threads() == n
    assert torch.get_num_threads() == 2


def test_a_few_texts_of_a_small_model_are_embedded_by_one_thread_and_many_by_all() -> None:
    encoder = tiny_encoder(0)
    seen: list[tuple[int, int]] = []
    tokenizer = encoder.tokenizer

    def watched(texts: list[str]) -> Any:
        seen.append((len(texts), torch.get_num_threads()))
        return tokenizer(texts)

    encoder.tokenizer = watched
    for n in (1, 200):
        encoder.encode_texts(["a ship"] * n)
    assert (seen, torch.get_num_threads()) == ([(1, 1), (200, 2)], 2)
