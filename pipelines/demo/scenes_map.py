"""Maps: drawn lines on paper instead of a photograph."""

import itertools
import math

import numpy as np

from pipelines.demo.scenes_model import Scene, Subject
from pipelines.demo.scenes_plate import Pen, Plate, Point, noise


def draw_map(plate: Plate, scene: Scene) -> None:
    """A sheet: a coast, islands, a river valley or a town plan, with grid, roads, scale bar and compass."""
    rng = plate.rng
    shape = (160, max(80, int(160 * plate.aspect)))
    paper = 0.88 + (noise(rng, shape, (2, 2), 3) - 0.5) * 0.16
    plate.lay(paper.astype("float32"), 0, 1)
    pen = plate.pen(0, 1, 1)
    _MAPS[scene.kind](plate, pen)
    if rng.random() < 0.6:
        _grid(plate, pen)
    if scene.setting == "with railway lines":
        for _ in range(scene.number):
            _railway(plate, pen)
    if scene.setting == "with troop positions":
        _arrows(plate, scene.number + 1)
    _furniture(plate, pen, scene.facing)


def _land(plate: Plate, cells: int, share: float) -> None:
    """Land and sea from one field of heights: sea shaded along the shore, contour lines on land."""
    rng = plate.rng
    shape = (240, int(240 * plate.aspect))
    height = noise(rng, shape, (cells, max(1, round(cells * plate.aspect))), 5)
    level = float(np.quantile(height, share))
    sea = height < level
    shore = np.clip((level - height) * 14, 0, 1)
    field = np.where(sea, 0.62 + 0.26 * shore, 0.93)
    field = np.where(np.abs(height - level) < 0.008, 0.12, field)
    for step in (0.08, 0.16, 0.24, 0.32):
        field = np.where(np.abs(height - level - step) < 0.004, 0.62, field)
    plate.lay(field.astype("float32"), 0, 1)


def _towns(plate: Plate, pen: Pen, count: int) -> list[Point]:
    rng = plate.rng
    spots = [(rng.uniform(0.1, 0.9) * plate.aspect, rng.uniform(0.15, 0.85)) for _ in range(count)]
    for x, y in spots:
        pen.disc(x, y, 0.011, 0.08)
        pen.disc(x, y, 0.005, 0.95)
        _lettering(pen, x + 0.02, y + 0.012, rng.randint(4, 9), 0.022)
    return spots


def _lettering(pen: Pen, x: float, y: float, letters: int, size: float, surface: float = 0.15) -> None:
    rng = pen.plate.rng
    for _ in range(letters):  # strokes that stand for letters: nothing to be read, as on a reduced scan
        for _ in range(2):
            pen.line([(x + rng.random() * size * 0.5, y),
                      (x + rng.random() * size * 0.5, y + size * rng.uniform(0.5, 1))], surface, size * 0.14)
        x += size * 0.62


def _coast(plate: Plate, pen: Pen) -> None:
    _land(plate, plate.rng.randint(1, 2), plate.rng.uniform(0.35, 0.6))
    _roads(plate, pen, _towns(plate, pen, plate.rng.randint(4, 8)))


def _islands(plate: Plate, pen: Pen) -> None:
    _land(plate, plate.rng.randint(3, 5), plate.rng.uniform(0.66, 0.8))
    _towns(plate, pen, plate.rng.randint(2, 5))
    for _ in range(2):
        x, y = plate.rng.uniform(0.1, 0.7) * plate.aspect, plate.rng.uniform(0.2, 0.8)
        points = [(x + i * 0.05, y + 0.05 * math.sin(i / 2 + x * 9)) for i in range(9)]
        for a, b in zip(points[::2], points[1::2], strict=False):
            pen.line([a, b], 0.3, 0.005)


def _river(plate: Plate, pen: Pen) -> None:
    rng = plate.rng
    _land(plate, 3, 0.02)
    y, points = rng.uniform(0.25, 0.75), []
    lean = rng.uniform(-0.4, 0.4)
    for i in range(30):
        points.append((plate.aspect * i / 29, min(0.95, max(0.05, y + lean * (i / 29 - 0.5)))))
        y += rng.uniform(-0.06, 0.06)
    pen.line(points, 0.3, rng.uniform(0.02, 0.035))
    pen.line(points, 0.72, 0.014)
    _roads(plate, pen, _towns(plate, pen, rng.randint(5, 10)))
    for _ in range(rng.randint(40, 90)):
        x, up = rng.random() * plate.aspect, rng.random()
        pen.line([(x, up), (x + 0.006, up + 0.016), (x + 0.012, up)], 0.5, 0.003)


def _town_plan(plate: Plate, _pen: Pen) -> None:
    rng = plate.rng
    turn, step = rng.uniform(-25, 25), rng.uniform(0.09, 0.16)
    inner = plate.pen(plate.aspect / 2, 0.5, 1, 1, turn)
    count = int(plate.aspect / step) + 3
    middle = (rng.uniform(-0.3, 0.3) * plate.aspect, rng.uniform(-0.25, 0.25))
    for column in range(-count, count):
        for row in range(-count, count):
            x, y = column * step, row * step * 0.8
            if math.hypot(x - middle[0], y - middle[1]) > rng.uniform(0.35, 0.75) or rng.random() < 0.12:
                continue
            surface = rng.choice((0.35, 0.45, 0.45, 0.6))
            inner.box(x, y, x + step * 0.8, y + step * 0.62, surface)
            if rng.random() < 0.5:
                inner.box(x + step * 0.2, y + step * 0.15, x + step * 0.6, y + step * 0.45, 0.85)
    if rng.random() < 0.7:
        edge = rng.uniform(-0.45, 0.35)
        shore = [(-1.5 + i * 0.15, edge + rng.uniform(-0.03, 0.03)) for i in range(21)]
        inner.poly([*shore, (1.5, edge - rng.choice((0.12, 0.2, 1.5))), (-1.5, edge - 0.14)], 0.7)
        inner.line(shore, 0.15, 0.006)


_MAPS = {"map of a coast": _coast, "map of islands": _islands, "map of a river": _river,
         "map of a town": _town_plan}


def _roads(plate: Plate, pen: Pen, towns: list[Point]) -> None:
    rng = plate.rng
    for (ax, ay), (bx, by) in itertools.pairwise(towns):
        bend = rng.uniform(-0.08, 0.08)
        points = [(ax + (bx - ax) * t / 8, ay + (by - ay) * t / 8 + bend * math.sin(t / 8 * math.pi))
                  for t in range(9)]
        pen.line(points, 0.2, 0.007)
        pen.line(points, 0.95, 0.003)


def _railway(plate: Plate, pen: Pen) -> None:
    rng = plate.rng
    a, b = (0.0, rng.uniform(0.1, 0.9)), (plate.aspect, rng.uniform(0.1, 0.9))
    bend = rng.uniform(-0.25, 0.25)
    points = [(b[0] * t / 24, a[1] + (b[1] - a[1]) * t / 24 + bend * math.sin(t / 24 * math.pi))
              for t in range(25)]
    pen.line(points, 0.05, 0.011)
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        pen.line([(ax + (bx - ax) * 0.2, ay + (by - ay) * 0.2), (ax + (bx - ax) * 0.7, ay + (by - ay) * 0.7)],
                 0.95, 0.005)


def _arrows(plate: Plate, count: int) -> None:
    rng = plate.rng
    for _ in range(count):
        x, y, turn = rng.uniform(0.2, 0.8) * plate.aspect, rng.uniform(0.2, 0.8), rng.uniform(0, 360)
        arrow = plate.pen(x, 1 - y, rng.uniform(0.15, 0.3), 1, turn)
        arrow.poly([(-0.5, -0.1), (0.15, -0.05), (0.15, -0.2), (0.5, 0), (0.15, 0.2), (0.15, 0.05),
                    (-0.5, 0.1)], 0.08)


def _grid(plate: Plate, pen: Pen) -> None:
    step = plate.rng.uniform(0.12, 0.25)
    for i in range(1, int(plate.aspect / step) + 1):
        pen.line([(i * step, 0), (i * step, 1)], 0.5, 0.002)
    for i in range(1, int(1 / step) + 1):
        pen.line([(0, i * step), (plate.aspect, i * step)], 0.5, 0.002)


def _furniture(plate: Plate, pen: Pen, facing: int) -> None:
    rng = plate.rng
    wide = plate.aspect
    pen.line([(0.02, 0.02), (wide - 0.02, 0.02), (wide - 0.02, 0.98), (0.02, 0.98), (0.02, 0.02)], 0.08, 0.01)
    pen.line([(0.035, 0.035), (wide - 0.035, 0.035), (wide - 0.035, 0.965), (0.035, 0.965), (0.035, 0.035)],
             0.2, 0.003)
    x = 0.06 if facing > 0 else wide - 0.06 - 0.36
    y = rng.choice((0.06, 0.78))
    pen.box(x, y, x + 0.36, y + 0.16, 0.1)
    pen.box(x + 0.006, y + 0.006, x + 0.354, y + 0.154, 0.95)
    _lettering(pen, x + 0.03, y + 0.095, rng.randint(8, 12), 0.036, 0.08)
    for i in range(5):
        pen.box(x + 0.03 + i * 0.05, y + 0.035, x + 0.08 + i * 0.05, y + 0.05, 0.1 if i % 2 else 0.9)
    rose = plate.pen(wide - 0.13 if facing > 0 else 0.13, 0.14 if y < 0.5 else 0.86, 0.08, 1,
                     rng.uniform(-15, 15))
    for turn in range(8):
        long = 1.0 if turn % 2 == 0 else 0.55
        angle = turn * math.pi / 4
        tip = (long * math.sin(angle), long * math.cos(angle))
        side = (0.14 * math.cos(angle), -0.14 * math.sin(angle))
        rose.poly([tip, side, (0, 0)], 0.08)
        rose.poly([tip, (-side[0], -side[1]), (0, 0)], 0.75)


SUBJECTS = (
    Subject("map", tuple(_MAPS), ("with roads", "with railway lines", "with troop positions"), draw_map,
            numbers=(1, 2, 3),
            times=("day",), weathers=("clear",), upright=0.3),
)
