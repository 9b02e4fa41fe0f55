"""Search: what is found, in which order, and what a filter may and may not say."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lake import Lake
from lake import search as searching
from lake.errors import BadFilter, EmptyLake, UsageError
from lake.search import SearchRequest, SearchResult, search
from lake.tables import SAMPLES
from lake.vectors import ModelInfo, VectorRow, VectorStore
from tests.lakes import write_mart
from tests.picture_lakes import picture_lake

N = 24


class Compass:
    """An encoder whose texts are angles in degrees; pictures are angles too."""

    model_id = "compass"

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([direction(float(text)) for text in texts])

    def encode_images(self, images: Sequence[Any]) -> NDArray[np.float32]:
        return np.stack([direction(float(angle)) for angle in images])


def direction(degrees: float) -> NDArray[np.float32]:
    angle = np.deg2rad(degrees)
    return np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)


@pytest.fixture
def samples(lake: Lake) -> list[dict[str, Any]]:
    """Sample i lies at 10 * i degrees."""
    made = picture_lake(lake, N)
    store = VectorStore(lake)
    store.register(ModelInfo("compass", 2, "", "", None, ""))
    pairs = enumerate(made)
    store.add("compass", [VectorRow(s["sample_id"], s["sha256"], direction(10 * i)) for i, s in pairs])
    return made


def years(found: list[SearchResult]) -> list[int]:
    """Which samples were found: sample i is of the year 1900 + i."""
    return [result.year - 1900 for result in found if result.year is not None]


def ask(lake: Lake, *texts: str, **request: Any) -> list[int]:
    return years(search(lake, SearchRequest(texts=texts, **request), Compass()))


@pytest.mark.usefixtures("samples")
class TestFinding:
    def test_a_text_finds_the_nearest_first(self, lake: Lake) -> None:
        assert ask(lake, "52", limit=3) == [5, 6, 4]

    def test_a_score_is_the_cosine(self, lake: Lake) -> None:
        found = search(lake, SearchRequest(texts=("52",), limit=1), Compass())
        assert found[0].score == pytest.approx(np.cos(np.deg2rad(2)), abs=1e-6)

    def test_several_texts_meet_in_the_middle(self, lake: Lake) -> None:
        assert ask(lake, "40", "60", limit=1) == [5]

    def test_text_and_picture_count_half_each(self, lake: Lake) -> None:
        assert ask(lake, "40", images=("60",), limit=1) == [5]

    def test_the_text_weight_moves_towards_the_text(self, lake: Lake) -> None:
        assert ask(lake, "0", images=("90",), text_weight=0.9, limit=1) == [1]

    def test_a_negative_text_pushes_away(self, lake: Lake) -> None:
        assert ask(lake, "50", negative=("90",), limit=1) == [2]

    def test_a_sample_finds_its_likes_and_not_itself(self, lake: Lake, samples: list[dict[str, Any]]) -> None:
        assert sorted(ask(lake, like=(samples[7]["sample_id"],), limit=2)) == [6, 8]

    def test_pages_follow_each_other(self, lake: Lake) -> None:
        whole = ask(lake, "52", limit=N)
        assert [n for start in range(0, N, 5) for n in ask(lake, "52", limit=5, offset=start)] == whole
        assert len(set(whole)) == N

    def test_a_result_tells_what_its_records_say(self, lake: Lake) -> None:
        found = search(lake, SearchRequest(texts=("52",), limit=1), Compass())[0]
        assert (found.providers, found.countries) == (["P2"], ["Finland"])
        assert (found.landing_urls, found.title) == (["https://demo.invalid/5"], "Number 5")

    def test_a_sample_that_is_gone_is_not_found(self, lake: Lake, samples: list[dict[str, Any]]) -> None:
        write_mart(lake, SAMPLES, [s for s in samples if s["year"] != 1905])
        assert ask(lake, "52", limit=2) == [6, 4]

    def test_a_new_split_counts_at_once(self, lake: Lake, samples: list[dict[str, Any]]) -> None:
        write_mart(lake, SAMPLES, [s | {"split": "train" if s["year"] == 1910 else "val"} for s in samples])
        assert ask(lake, "0", where="split = 'train'") == [10]


@pytest.mark.usefixtures("samples")
class TestFilters:
    @pytest.mark.parametrize(("where", "expected"), [
        ("year between 1903 and 1905", {3, 4, 5}),
        ("'odd' in labels and year < 1904", {1, 3}),
        ("'P1' = any(providers) and year <= 1904", {1, 4}),
        ("list_contains(archives, 'demo') and title ilike 'NUMBER 2'", {2}),
        ("samples.year = 1902 -- a comment", {2}),
        ("year = 1902 or (label = 'even' and year // 10 = 190 and year % 10 < 2)", {0, 2}),
        ("list_filter(labels, lambda l: l = 'odd') <> [] and year in (1900, 1901)", {1}),
        ("year = 1901) or (year = 1902", {1, 2}),
        ("year is null", set()),
    ])
    def test_a_filter_leaves_those_that_meet_it(self, lake: Lake, where: str, expected: set[int]) -> None:
        assert set(ask(lake, "52", where=where)) == expected

    @pytest.mark.parametrize("few", [0, 5_000])
    def test_wide_and_narrow_filters_keep_the_order(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch, few: int,
    ) -> None:
        monkeypatch.setattr(searching, "FEW", few)
        everyone = ask(lake, "200", limit=N)
        assert ask(lake, "200", where="label = 'odd'", limit=3) == [n for n in everyone if n % 2][:3]
        assert ask(lake, "200", where="year < 1902", limit=3) == [n for n in everyone if n < 2]

    def test_an_unknown_column_names_the_columns_there_are(self, lake: Lake) -> None:
        with pytest.raises(BadFilter, match=r"no column 'colour' to filter on; there are: .*year.*providers"):
            ask(lake, "52", where="colour = 'red'")

    @pytest.mark.parametrize("where", [
        "", "year =", "a b", "1=1) union select sample_id from samples where (1=1", "1=1) limit (1",
        "1=1) order by (year", "year = 1; drop view samples", "exists(from read_csv('/etc/passwd'))",
        "title in (select content from read_text('/etc/passwd'))", "read_text('/etc/passwd') is not null",
        "(from duckdb_settings() select count(*)) > 0", "exists(with x as (select 1) from x)", "count(*) > 1",
        "row_number() over () < 3", "sleep_ms(1) is null", "random() < 0.5", "getvariable('x') is null",
        "current_setting('home_directory') is null", "columns(*) = 1", "year = 'nineteen'", "year = ?",
        "unnest(labels) = 'odd'",
    ])
    def test_what_is_no_plain_condition_is_refused(self, lake: Lake, where: str) -> None:
        with pytest.raises(BadFilter):
            ask(lake, "52", where=where)


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("request_", [
    SearchRequest(), SearchRequest(negative=("10",)), SearchRequest(texts=("1",), limit=0),
    SearchRequest(texts=("1",), offset=-1), SearchRequest(texts=("1",), text_weight=1.5),
    SearchRequest(like=("feedfeedfeedfeed",)),
])
def test_a_request_that_makes_no_sense_is_refused(lake: Lake, request_: SearchRequest) -> None:
    with pytest.raises(UsageError):
        search(lake, request_, Compass())


def test_an_empty_lake_says_what_comes_first(lake: Lake) -> None:
    with pytest.raises(EmptyLake, match="harvest"):
        ask(lake, "52")


def test_a_lake_without_vectors_says_what_comes_first(lake: Lake) -> None:
    picture_lake(lake, 2)
    with pytest.raises(EmptyLake, match="embed"):
        ask(lake, "52")
