"""Plots say their finding, keep every number, take any text, and give the same bytes every time."""

import csv
import io
import logging
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache

import matplotlib
import pytest
from matplotlib.figure import Figure
from PIL import Image

from lake import Lake
from lake.catalog import connect
from lake.tables import SAMPLES
from pipelines.plots import (
    Plot,
    archives,
    failures,
    files_of,
    funnel,
    labels,
    plots_of_lake,
    rights,
    splits,
    trend,
    years,
)
from pipelines.plots._style import MISSING_LETTER, drawable, share
from tests.good_lake import change_rows, good_lake

ODD = [
    "$x^2_{3}$ & <b>", "Трамвай", "Ähtäri, “Höyry”\nkuva", "東京の路面電車", "سفينة", "\\frac{1}", "x" * 300,
    "=1+1",
]


def label_counts(n: int) -> list[labels.LabelCount]:
    tiers = ["head"] * 2 + ["torso"] * 3 + ["tail"] * n
    return [labels.LabelCount(f"{ODD[i % 8]} {i}", max(1, n * 20 // (i + 1)), tiers[i]) for i in range(n)]


def split_shares(n: int) -> list[splits.Shares]:
    return [splits.Shares(f"{ODD[i % 8]} {i}", 65 + i % 3, 35, i % 2, 0) for i in range(n)]


DRAWN: dict[str, Callable[[], Plot]] = {
    "labels": lambda: labels.draw(label_counts(12)),
    "years": lambda: years.draw([years.Interval(1939, 1945, 7), years.Interval(1940, 1940, 2)]),
    "archives": lambda: archives.draw([archives.Cell(ODD[i % 8], ODD[i // 8], i + 1) for i in range(64)]),
    "splits": lambda: splits.draw(split_shares(8)),
    "rights": lambda: rights.draw([rights.Held("", "open", 3), rights.Held("東京", "open", 3)]),
    "funnel": lambda: funnel.draw([funnel.Step("hits", 9, (("$a$", 3),)), funnel.Step("samples", 6)]),
    "failures": lambda: failures.draw([
        failures.Outcome("a.invalid", "ok", 3), failures.Outcome("a.invalid", "timeout", 2),
        failures.Outcome("<b>", "no such status", 1),
    ]),
    "trend": lambda: trend.draw([trend.Run(str(i), "2026-01-01 12:00", i % 2, 0, 1, 150) for i in range(3)]),
}
EMPTY = {
    "labels": labels.draw, "years": years.draw, "archives": archives.draw, "splits": splits.draw,
    "rights": rights.draw, "funnel": funnel.draw, "failures": failures.draw, "trend": trend.draw,
}
each_plot = pytest.mark.parametrize("name", DRAWN)


@cache
def drawn(name: str) -> tuple[Plot, dict[str, bytes]]:
    """A plot and its files, drawn once."""
    plot = DRAWN[name]()
    return plot, dict(files_of(plot))


@each_plot
def test_a_plot_gives_the_same_bytes_whatever_the_machines_settings(
    name: str, recwarn: pytest.WarningsRecorder,
) -> None:
    first = drawn(name)[1]
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "none", "text.usetex": False}):
        assert dict(files_of(DRAWN[name]())) == first
    assert set(first) == {f"{name}.png", f"{name}.svg", f"{name}.csv"}
    assert [str(warning.message) for warning in recwarn if "Glyph" in str(warning.message)] == []


@each_plot
def test_a_plot_has_words_for_those_who_cannot_see_it_and_every_number_in_a_table(name: str) -> None:
    plot, files = drawn(name)
    assert plot.title.endswith(".")
    assert plot.title in plot.alt
    assert len(plot.alt) > len(plot.title) + 10
    rows = list(csv.reader(io.StringIO(files[f"{name}.csv"].decode())))
    assert rows[0] == list(plot.columns)
    assert len(rows) == len(plot.rows) + 1 > 1
    ET.fromstring(files[f"{name}.svg"])
    with Image.open(io.BytesIO(files[f"{name}.png"])) as png:
        assert png.width == 1350


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_draw_is_a_sentence(name: str) -> None:
    plot = EMPTY[name]([])
    assert plot.drawing is None
    assert plot.title.endswith(".")
    assert list(files_of(plot)) == []


def test_letters_that_the_font_lacks_are_boxes_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        plot = labels.draw([labels.LabelCount("東京", 3, "head"), labels.LabelCount("Трамвай é", 2, "tail")])
    assert "One name has letters that this font lacks (□)" in plot.note
    assert "this font lacks" in caplog.text
    assert drawable("東京 Трамвай\n é\x00") == f"{MISSING_LETTER * 2} Трамвай é{MISSING_LETTER}"
    assert plot.rows[0][0] == "東京"


def test_ten_thousand_labels_are_one_picture_that_is_not_larger_than_a_page() -> None:
    plot = labels.draw(label_counts(10_000))
    assert isinstance(plot.drawing, Figure)
    assert plot.drawing.get_size_inches()[1] < 10
    assert len(plot.rows) == 10_000
    shares = splits.draw(split_shares(10_000))
    assert isinstance(shares.drawing, Figure)
    assert len(dict(files_of(shares))["splits.svg"]) < 500_000


@pytest.mark.parametrize(("counts", "said"), [
    ([5], "Every label is “a0”: 5 samples and no other class."),
    ([1], "Every label is “a0”: 1 sample and no other class."),
    ([50, 20, 9], "1 label of 3 makes up 63% of all labels given; 1 of 3 have fewer than ten samples."),
    ([20, 20, 20], "2 labels of 3 make up 67% of all labels given; none has fewer than ten samples."),
])
def test_the_title_says_how_long_the_tail_is(counts: list[int], said: str) -> None:
    assert labels.draw([labels.LabelCount(f"a{i}", n, "head") for i, n in enumerate(counts)]).title == said


def test_zipfs_line_is_fitted_to_what_follows_zipfs_law() -> None:
    plot = labels.draw([labels.LabelCount(str(i), 100_000 // (i + 1), "head") for i in range(100)])
    assert "counts fall about as 1 / rank^1.00" in plot.note


def test_an_interval_counts_in_equal_parts_in_its_years_and_sums_stay_whole() -> None:
    masses = years.spread([
        years.Interval(1939, 1945, 7), years.Interval(1940, 1940, 2), years.Interval(1944, 1945, 1),
        years.Interval(None, None, 5), years.Interval(-44, -44, 1),
    ])
    found = {m.year: (m.exact, round(m.spread, 9)) for m in masses}
    assert found[1940] == (2, 1)
    assert found[1945] == (0, 1.5)
    assert found[-44] == (1, 0)
    assert len(found) == 8
    assert sum(m.exact + m.spread for m in masses) == pytest.approx(11)


def test_wild_dates_do_not_squeeze_the_others_and_are_told() -> None:
    plot = years.draw([years.Interval(y, y, 100) for y in range(1900, 1950)] + [years.Interval(3, 3, 1)])
    assert isinstance(plot.drawing, Figure)
    low, _ = plot.drawing.axes[0].get_xlim()
    assert low > 1890
    assert "Not drawn: about 1 from outside 1900–1949 (3 to 1949)." in plot.note
    assert plot.rows[0] == (3, 1, 0.0)


def test_a_record_whose_date_ends_nowhere_is_of_its_first_year(lake: Lake) -> None:
    assert years.draw([years.Interval(1931, 1931, 1)]).title.startswith("100% of 1 dated record are exact")
    undated = years.draw([years.Interval(None, None, 4)])
    assert undated.title == "None of 4 records has a date, so there are no years to show."


def test_a_label_that_only_one_archive_has_is_told() -> None:
    cells = [archives.Cell("a", "ship", 5), archives.Cell("b", "ship", 1), archives.Cell("a", "tram", 2)]
    finding = archives.draw(cells).title
    assert finding == "a gives 88% of all labels; 1 label of 2 comes from a single archive."


def test_the_label_furthest_from_the_share_is_named_and_those_without_training_counted() -> None:
    counts = {"ship": (65, 35), "tram": (50, 50), "x": (0, 2)}
    shares = [splits.Shares(label, train, val, 0, 0) for label, (train, val) in counts.items()]
    assert splits.draw(shares).title == (
        "43% of what labels give to train and val is for validation; of labels with 20 samples or more, "
        "“ship” is furthest off: 8 points; 1 label cannot be learnt, without a training sample."
    )


def test_the_largest_loss_on_the_way_is_named() -> None:
    losses = (("no_image", 30),), (("near copies", 10),)
    steps = [
        funnel.Step("hits", 100), funnel.Step("hits kept", 70, losses[0]),
        funnel.Step("samples", 60, losses[1]),
    ]
    finding = "100 hits became 60 samples (60%); the largest single loss is “no_image” (30)."
    assert funnel.draw(steps).title == finding


def test_every_picture_that_came_is_a_sentence() -> None:
    assert failures.draw([failures.Outcome("a", "ok", 3)]).title == "Every one of 3 pictures came."


@pytest.mark.parametrize(("part", "whole", "said"), [
    (0, 0, "0%"), (0, 5, "0%"), (5, 5, "100%"), (1, 1000, "under 1%"), (999, 1000, "over 99%"), (1, 3, "33%"),
])
def test_a_share_is_never_none_or_all_for_what_is_not(part: int, whole: int, said: str) -> None:
    assert share(part, whole) == said


def test_every_plot_of_a_good_lake_is_drawn_or_says_why_not(lake: Lake) -> None:
    good_lake(lake)
    with connect(lake) as con:
        found = {plot.name: plot for plot in plots_of_lake(con, lake)}
    assert list(found) == [
        "funnel", "labels", "archives", "years", "splits", "rights", "failures", "sheet_head", "sheet_torso",
        "sheet_tail", "sheet_duplicates", "trend",
    ]
    lost = "the largest single loss is “same bytes” (1)."
    assert found["funnel"].title == f"7 hits became 3 samples (43%); {lost}"
    assert found["rights"].rows[0] == ("all samples", "open", 3)
    assert isinstance(found["sheet_head"].drawing, Image.Image)
    assert found["sheet_torso"].title == "No label of the torso has a sample, so there is no picture to show."
    assert found["trend"].drawing is None


def test_every_plot_of_a_lake_that_was_only_harvested_is_drawn_or_says_why_not(lake: Lake) -> None:
    good_lake(lake, "harvest")
    with connect(lake) as con:
        found = list(plots_of_lake(con, lake))
    assert [plot.name for plot in found if plot.drawing is not None] == ["funnel"]
    assert all(plot.title for plot in found)


def test_samples_without_labels_rights_or_archives_break_no_plot(lake: Lake) -> None:
    good_lake(lake)
    empty = {"labels": [], "label": None, "rights_class": None}
    change_rows(lake, SAMPLES, lambda rows: [row.update(empty) for row in rows])
    change_rows(lake, SAMPLES, lambda rows: rows[0].update(labels=None, archives=None, split=None))
    with connect(lake) as con:
        found = {plot.name: plot for plot in plots_of_lake(con, lake)}
    assert found["rights"].title.startswith("0% of 3 samples are open")
    assert found["splits"].drawing is None
