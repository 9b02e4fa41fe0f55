"""Search: what is found, in which order, and what a filter may and may not say."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from lake import Lake, snapshot
from lake.errors import BadFilter, EmptyLake, UsageError
from lake.search import Reason, Searcher, SearchRequest, SearchResult, search
from lake.tables import DUPLICATES, SAMPLES
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


def compass_lake(lake: Lake, facts: dict[int, dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """Samples with vectors: sample i lies at 10 * i degrees."""
    made = picture_lake(lake, N, facts)
    store = VectorStore(lake)
    store.register(ModelInfo("compass", 2, "", "", None, ""))
    pairs = enumerate(made)
    store.add("compass", [VectorRow(s["sample_id"], s["sha256"], direction(10 * i)) for i, s in pairs])
    return made


@pytest.fixture
def samples(lake: Lake) -> list[dict[str, Any]]:
    """A lake that a test may change."""
    return compass_lake(lake)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """A lake that nobody changes, open."""
    lake = Lake(tmp_path_factory.mktemp("compass") / "lake").open()
    compass_lake(lake)
    return Searcher(lake)


def years(found: list[SearchResult]) -> list[int]:
    """Which samples were found: sample i is of the year 1900 + i."""
    return [result.year - 1900 for result in found if result.year is not None]


def ask(where_: Lake | Searcher, *texts: str, **request: Any) -> list[int]:
    searcher = where_ if isinstance(where_, Searcher) else Searcher(where_)
    return years(searcher.search(SearchRequest(texts=texts, **request), Compass()))


def first(searcher: Searcher, *texts: str, **request: Any) -> SearchResult:
    return searcher.search(SearchRequest(texts=texts, limit=1, **request), Compass())[0]


class TestFinding:
    def test_a_text_finds_the_nearest_first(self, shared: Searcher) -> None:
        assert ask(shared, "52", limit=3) == [5, 6, 4]

    def test_a_score_is_the_cosine(self, shared: Searcher) -> None:
        assert first(shared, "52").score == pytest.approx(np.cos(np.deg2rad(2)), abs=1e-6)

    def test_several_texts_meet_in_the_middle(self, shared: Searcher) -> None:
        assert ask(shared, "40", "60", limit=1) == [5]

    def test_several_pictures_meet_in_the_middle(self, shared: Searcher) -> None:
        like = next(r.sample_id for r in shared.search(SearchRequest(texts=("40",)), Compass()))
        assert ask(shared, images=("60", "80"), like=(like,), limit=1) == [6]

    def test_text_and_picture_count_half_each(self, shared: Searcher) -> None:
        assert ask(shared, "100", images=("130",), limit=1) in ([11], [12])

    def test_the_text_weight_moves_towards_the_text(self, shared: Searcher) -> None:
        assert ask(shared, "0", images=("90",), text_weight=0.9, limit=1)[0] < 4
        assert ask(shared, "0", images=("90",), text_weight=0.1, limit=1)[0] > 5

    def test_a_negative_text_pushes_away(self, shared: Searcher) -> None:
        assert ask(shared, "50", negative=("90",), limit=1) == [2]

    def test_a_negative_text_pushes_a_picture_away(self, shared: Searcher) -> None:
        assert ask(shared, images=("50",), negative=("90",), limit=1)[0] < 4

    def test_a_sample_finds_its_likes_and_not_itself(self, shared: Searcher) -> None:
        like = first(shared, "70").sample_id
        assert sorted(ask(shared, like=(like,), limit=2)) == [6, 8]

    def test_an_exact_search_finds_the_same(self, shared: Searcher) -> None:
        assert ask(shared, "52", exact=True, limit=N) == ask(shared, "52", limit=N)

    def test_a_template_goes_around_the_words(self, shared: Searcher) -> None:
        assert ask(shared, "5", templates=("{}0",), limit=1) == [5]

    def test_pages_follow_each_other(self, shared: Searcher) -> None:
        whole = ask(shared, "52", limit=N)
        assert [n for start in range(0, N, 5) for n in ask(shared, "52", limit=5, offset=start)] == whole
        assert len(set(whole)) == N

    def test_a_page_behind_the_last_is_empty(self, shared: Searcher) -> None:
        assert ask(shared, "52", limit=5, offset=N) == []

    def test_a_result_tells_what_its_records_say(self, shared: Searcher) -> None:
        found = first(shared, "52")
        assert (found.providers, found.countries) == (["P2"], ["Finland"])
        assert (found.landing_urls, found.title) == (["https://demo.invalid/5"], "Number 5")

    def test_a_result_by_likeness_alone_says_so(self, shared: Searcher) -> None:
        assert first(shared, "52").reasons == (Reason("visual", 1.0),)


class TestWhatIsNew:
    def test_a_sample_that_is_gone_is_not_found(self, lake: Lake, samples: list[dict[str, Any]]) -> None:
        searcher = Searcher(lake)
        assert ask(searcher, "52", limit=2) == [5, 6]
        write_mart(lake, SAMPLES, [s for s in samples if s["year"] != 1905])
        assert ask(searcher, "52", limit=2) == ask(lake, "52", limit=2) == [6, 4]

    def test_a_new_split_counts_at_once(self, lake: Lake, samples: list[dict[str, Any]]) -> None:
        searcher = Searcher(lake)
        assert ask(searcher, "0", where="split = 'train'") == []
        write_mart(lake, SAMPLES, [s | {"split": "train" if s["year"] == 1910 else "val"} for s in samples])
        assert ask(searcher, "0", where="split = 'train'") == [10]

    def test_a_new_title_is_shown_and_found_at_once(self, lake: Lake, samples: list[dict[str, Any]]) -> None:
        searcher = Searcher(lake)
        assert first(searcher, "52").title == "Number 5"
        write_mart(lake, SAMPLES, [s | {"title": f"Picture {s['year']}"} for s in samples])
        assert first(searcher, "52").title == "Picture 1905"
        assert first(searcher, "1905", hybrid=True, like=()).title == "Picture 1905"

    def test_a_new_vector_is_found_at_once(self, lake: Lake, samples: list[dict[str, Any]]) -> None:
        searcher = Searcher(lake)
        assert ask(searcher, "300", limit=1) == [0]
        moved = VectorRow(samples[2]["sample_id"], samples[2]["sha256"], direction(300))
        VectorStore(lake).add("compass", [moved])
        assert ask(searcher, "300", limit=1) == [2]

    def test_a_vector_of_no_sample_is_not_found(self, lake: Lake, samples: list[dict[str, Any]]) -> None:
        VectorStore(lake).add("compass", [VectorRow("stranger", "x", direction(52))])
        assert ask(lake, "52", limit=N + 1, offset=0)[:2] == [5, 6]
        assert ask(lake, "52", where="year is null") == []


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """Samples 4 to 6 are of one cluster; sample 5 has two more copies, sample 9 has one."""
    lake = Lake(tmp_path_factory.mktemp("clustered") / "lake").open()
    made = compass_lake(lake, {i: {"cluster_id": "c"} for i in (4, 5, 6)})
    copies = [made[i]["sample_id"] for i in (5, 5, 9)]
    write_mart(lake, DUPLICATES, [{"sample_id": copy, "sha256": "x"} for copy in copies])
    return Searcher(lake)


class TestNearDuplicates:
    def test_they_are_one_result_that_says_how_many(self, clustered: Searcher) -> None:
        assert ask(clustered, "52", limit=3) == [5, 7, 3]
        assert first(clustered, "52").n_near == 4
        assert first(clustered, "90").n_near == 1
        assert first(clustered, "100").n_near == 0

    def test_each_is_a_result_where_that_is_wanted(self, clustered: Searcher) -> None:
        assert ask(clustered, "52", limit=3, collapse=False) == [5, 6, 4]
        assert first(clustered, "52", collapse=False).n_near == 2

    def test_no_page_shows_one_of_them_again(self, clustered: Searcher) -> None:
        pages = [n for start in range(0, N, 4) for n in ask(clustered, "52", limit=4, offset=start)]
        assert sorted(pages) == [n for n in range(N) if n not in (4, 6)]

    def test_the_one_shown_passes_the_filter(self, clustered: Searcher) -> None:
        assert ask(clustered, "52", where="year >= 1906", limit=1) == [6]

    def test_diversity_prefers_the_unlike(self, clustered: Searcher) -> None:
        plain, varied = ask(clustered, "100", limit=4), ask(clustered, "100", limit=4, diversity=0.6)
        assert varied[0] == plain[0]
        assert max(varied) - min(varied) > max(plain) - min(plain)
        assert sorted(ask(clustered, "100", limit=N, diversity=0.6)) == sorted(ask(clustered, "100", limit=N))


TITLES = {
    0: ("veturit asemalla", "fi"), 1: ("Alte Schiffe im Hafen", "de"), 2: ("Trams in the snow", "en"),
    3: ("Sailing by night", "en"), 4: ("des bateaux à voiles", "fr"), 5: ("東京の地図", "ja"),
    6: ("parowozy", "pl"), 7: ("ships", None),
}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """Samples whose titles are in many languages, all but the first eight without any."""
    lake = Lake(tmp_path_factory.mktemp("catalogue") / "lake").open()
    titles = {i: {"title": title, "labels": []} for i, (title, _) in TITLES.items()}
    quiet: dict[str, Any] = {"title": None, "labels": [], "description": "quiet"}
    others = dict.fromkeys(range(8, N), quiet)
    compass_lake(lake, titles | others | {9: {"title": None, "labels": ["fire engine"]}})
    table = pq.read_table(lake.mart("samples"))
    languages = [TITLES.get(i, ("", "en"))[1] for i in range(N)]
    pq.write_table(table.append_column("language", pa.array(languages)), lake.mart("samples"))
    return Searcher(lake)


class TestHybrid:
    """Words that the catalogue knows, beside angles that the encoder knows."""

    def by_words(self, searcher: Searcher, words: str) -> dict[int, set[str]]:
        """Which samples the catalogue's text finds, and where it stands."""
        request = SearchRequest(texts=(words,), hybrid=True, limit=N)
        found = searcher.search(request, Anywhere())
        kinds = {r.year - 1900: {reason.kind for reason in r.reasons} - {"visual"} for r in found if r.year}
        return {i: kind for i, kind in kinds.items() if kind}

    @pytest.mark.parametrize(("words", "found"), [
        ("veturi", 0), ("Schiff", 1), ("HÄFEN", 1), ("tram", 2), ("sail", 3), ("bateau", 4), ("地図", 5),
        ("parowozy", 6), ("ships", 7),
    ])
    def test_a_word_finds_its_forms_in_the_title_s_language(
        self, catalogue: Searcher, words: str, found: int,
    ) -> None:
        assert self.by_words(catalogue, words).get(found) == {"title"}

    def test_a_label_and_a_description_are_text(self, catalogue: Searcher) -> None:
        assert self.by_words(catalogue, "engines") == {9: {"text"}}
        assert set(self.by_words(catalogue, "quiet")) == {8, *range(10, N)}

    def test_words_lift_what_the_pictures_alone_put_last(self, catalogue: Searcher) -> None:
        request = SearchRequest(texts=("tram",), limit=N)
        last = [r.year for r in catalogue.search(request, Anywhere(200))].index(1902)
        lifted = [r.year for r in catalogue.search(replace(request, hybrid=True), Anywhere(200))].index(1902)
        assert (last > 15, lifted) == (True, 0)

    def test_shares_of_reasons_sum_to_one(self, catalogue: Searcher) -> None:
        found = catalogue.search(SearchRequest(texts=("tram",), hybrid=True, limit=N), Anywhere())
        assert all(sum(reason.share for reason in r.reasons) == pytest.approx(1) for r in found)
        assert [r.score for r in found] == sorted((r.score for r in found), reverse=True)

    def test_a_filter_holds_for_words_too(self, catalogue: Searcher) -> None:
        for where in ("year > 1902", "title not ilike '%tram%'"):
            request = SearchRequest(texts=("tram",), hybrid=True, where=where, limit=N)
            assert 1902 not in {r.year for r in catalogue.search(request, Anywhere())}

    @pytest.mark.parametrize("words", ['" OR (', "", "the of and", "\0*~^", "a" * 1000, "🛩"])
    def test_words_that_say_nothing_leave_the_pictures(self, catalogue: Searcher, words: str) -> None:
        plain = years(catalogue.search(SearchRequest(texts=(words,), limit=4), Anywhere()))
        request = SearchRequest(texts=(words,), hybrid=True, limit=4)
        assert years(catalogue.search(request, Anywhere())) == plain


class Anywhere(Compass):
    """An encoder that understands no words: all are the same angle."""

    def __init__(self, degrees: float = 40) -> None:
        self.degrees = degrees

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([direction(self.degrees)] * len(texts))


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
    def test_a_filter_leaves_those_that_meet_it(
        self, shared: Searcher, where: str, expected: set[int],
    ) -> None:
        assert set(ask(shared, "52", where=where)) == expected

    @pytest.mark.parametrize("few", [0, 5_000])
    def test_wide_and_narrow_filters_keep_the_order(
        self, shared: Searcher, monkeypatch: pytest.MonkeyPatch, few: int,
    ) -> None:
        monkeypatch.setattr(snapshot, "FEW", few)
        searcher = Searcher(shared.lake)    # of its own: conditions are remembered
        everyone = ask(searcher, "200", limit=N)
        for odd, early in (("label = 'odd'", "year < 1902"), ("label ilike 'ODD'", "year + 1 < 1903")):
            assert ask(searcher, "200", where=odd, limit=3) == [n for n in everyone if n % 2][:3]
            assert ask(searcher, "200", where=early, limit=3) == [n for n in everyone if n < 2]
            assert ask(searcher, "200", where=early, hybrid=True, limit=3) == [n for n in everyone if n < 2]

    def test_an_unknown_column_names_the_columns_there_are(self, shared: Searcher) -> None:
        with pytest.raises(BadFilter, match=r"no column 'colour' to filter on; there are: .*year.*providers"):
            ask(shared, "52", where="colour = 'red'")

    @pytest.mark.parametrize("where", [
        "", "year =", "a b", "1=1) union select sample_id from samples where (1=1", "1=1) limit (1",
        "1=1) order by (year", "year = 1; drop view samples", "exists(from read_csv('/etc/passwd'))",
        "title in (select content from read_text('/etc/passwd'))", "read_text('/etc/passwd') is not null",
        "(from duckdb_settings() select count(*)) > 0", "exists(with x as (select 1) from x)", "count(*) > 1",
        "row_number() over () < 3", "sleep_ms(1) is null", "random() < 0.5", "getvariable('x') is null",
        "current_setting('home_directory') is null", "columns(*) = 1", "year = 'nineteen'", "year = ?",
        "unnest(labels) = 'odd'", "year = 1 /* or",
    ])
    def test_what_is_no_plain_condition_is_refused(self, shared: Searcher, where: str) -> None:
        with pytest.raises(BadFilter) as e:
            ask(shared, "52", where=where)
        assert "\n" not in str(e.value)


@pytest.mark.parametrize("request_", [
    SearchRequest(), SearchRequest(negative=("10",)), SearchRequest(texts=("1",), limit=0),
    SearchRequest(texts=("1",), offset=-1), SearchRequest(texts=("1",), text_weight=1.5),
    SearchRequest(like=("feedfeedfeedfeed",)), SearchRequest(like=("x') or ('1' = '1",)),
    SearchRequest(texts=("1",), diversity=1.5), SearchRequest(texts=("0", "180")),
])
def test_a_request_that_makes_no_sense_is_refused(shared: Searcher, request_: SearchRequest) -> None:
    with pytest.raises(UsageError):
        shared.search(request_, Compass())


def test_a_searcher_answers_many_threads_at_once(shared: Searcher) -> None:
    wheres = [None, "year < 1910", "title ilike '%number%'", "label = 'odd'"]
    asked = [(str(10 * (i % N)), wheres[i % 4]) for i in range(80)]
    alone = {(text, where): ask(shared, text, where=where, limit=5) for text, where in asked}
    searcher = Searcher(shared.lake)
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(lambda one: ask(searcher, one[0], where=one[1], limit=5), asked)
        assert list(together) == [alone[one] for one in asked]


def test_answers_are_kept_up_to_a_number_of_hits(shared: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_KEPT_HITS", 3 * N)
    searcher = Searcher(shared.lake)
    answers = {text: ask(searcher, text, limit=N) for text in map(str, range(0, 360, 30))}
    kept = searcher._seen["compass"].snapshot._answers.values()
    assert [len(hits) for hits in kept] == [N, N, N]
    assert {text: ask(searcher, text, limit=N) for text in answers} == answers


def test_search_alone_is_a_searcher_s_first_search(shared: Searcher) -> None:
    request = SearchRequest(texts=("52",), limit=4)
    assert search(shared.lake, request, Compass()) == shared.search(request, Compass())


def test_an_empty_lake_says_what_comes_first(lake: Lake) -> None:
    with pytest.raises(EmptyLake, match="harvest"):
        ask(lake, "52")


def test_a_lake_without_vectors_says_what_comes_first(lake: Lake) -> None:
    picture_lake(lake, 2)
    with pytest.raises(EmptyLake, match="embed"):
        ask(lake, "52")
