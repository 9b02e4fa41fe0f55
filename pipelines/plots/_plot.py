"""What a plot is: a finding in words, a figure (or a sheet of pictures), and the numbers behind it."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from lake.drafts import whole_file
from pipelines.plots._style import house_style

Cell = str | int | float | None


@dataclass(frozen=True)
class Plot:
    """A plot: `name` is that of its files, `title` says what it shows, `alt` says it to those who cannot see.

    `drawing` is None where there is nothing to draw; the title then says why. `rows` are the numbers drawn,
    all of them. `note` says how to read it.
    """

    name: str
    title: str
    alt: str
    drawing: Figure | Image.Image | None
    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[Cell]] = ()
    note: str = ""


def nothing(name: str, sentence: str) -> Plot:
    """A plot of nothing, which is a sentence."""
    return Plot(name, sentence, sentence, None)


def files_of(plot: Plot, with_svg: bool = True) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file: a figure as PNG and SVG, a sheet of pictures as JPEG, numbers as CSV."""
    if isinstance(plot.drawing, Figure):
        yield f"{plot.name}.png", _saved(plot.drawing, "png", {"Software": None})
    if isinstance(plot.drawing, Figure) and with_svg:
        told = {"Date": None, "Creator": None, "Title": plot.title, "Description": plot.alt}
        yield f"{plot.name}.svg", _saved(plot.drawing, "svg", told)
    if isinstance(plot.drawing, Image.Image):
        yield f"{plot.name}.jpg", _jpeg(plot.drawing)
    if plot.columns:
        yield f"{plot.name}.csv", _csv(plot)


def save_plot(plot: Plot, folder: Path) -> list[Path]:
    """Write the plot's files, each atomically; returns their paths."""
    paths = []
    for name, content in files_of(plot):
        with whole_file(folder / name) as draft:
            draft.write_bytes(content)
        paths.append(folder / name)
    return paths


@house_style()
def _saved(figure: Figure, format: str, metadata: dict[str, str | None]) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=format, metadata=metadata)
    return out.getvalue()


def _jpeg(sheet: Image.Image) -> bytes:
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=88)
    return out.getvalue()


def _csv(plot: Plot) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(plot.columns)
    writer.writerows(plot.rows)
    return out.getvalue().encode()
