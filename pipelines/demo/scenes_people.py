"""Portraits and streets."""

import random

from pipelines.demo.scenes_model import Scene, Subject, person, skyline
from pipelines.demo.scenes_plate import Pen, Plate, noise, oval


def draw_portrait(plate: Plate, scene: Scene) -> None:
    """Head and shoulders of one to three people before a painted cloth, in a room or out of doors."""
    rng = plate.rng
    _studio(plate, scene.setting)
    size = {1: rng.uniform(0.36, 0.62), 2: rng.uniform(0.3, 0.4), 3: rng.uniform(0.22, 0.3)}[scene.number]
    if plate.aspect < 1:
        size = min(size, {1: 0.55, 2: 0.27, 3: 0.19}[scene.number])
    for i in range(scene.number):
        share = (i + 0.5) / scene.number if scene.number > 1 else rng.uniform(0.42, 0.58)
        x = plate.aspect * (0.5 + (share - 0.5) * (1.0 if scene.number < 3 else 0.95))
        y = (0.5 if scene.number == 1 else 0.52) + rng.uniform(-0.08, 0.05)
        alike = i % 2 == 0 or scene.kind in ("soldier", "child")
        kind = scene.kind if alike else rng.choice(("woman", "man"))
        _sitter(plate.pen(x, y, size * rng.uniform(0.95, 1.05), scene.facing * (1 if i % 2 == 0 else -1),
                          rng.uniform(-5, 5)), kind)


def _studio(plate: Plate, setting: str) -> None:
    rng = plate.rng
    middle, edge = rng.uniform(0.35, 0.85), rng.uniform(0.12, 0.6)
    shape = (120, max(60, int(120 * plate.aspect)))
    field = edge + (middle - edge) * noise(rng, shape, (1, 1), 2) + (noise(rng, shape, (3, 3), 3) - 0.5) * 0.2
    plate.lay(field.astype("float32"), 0, 1)
    pen = plate.pen(0, 1, 1)
    if setting == "in a room":
        left = rng.choice((0.04, 0.66)) * plate.aspect
        pen.box(left, 0.42, left + 0.28 * plate.aspect, 0.95, 0.95, 0.8)
        for i in range(1, 3):
            pen.line([(left + i * 0.093 * plate.aspect, 0.42), (left + i * 0.093 * plate.aspect, 0.95)], 0.3,
                     0.012)
        pen.line([(left, 0.68), (left + 0.28 * plate.aspect, 0.68)], 0.3, 0.014)
        pen.box(0, 0, plate.aspect, 0.2, middle * 0.5, middle * 0.3)
    elif setting == "in the garden":
        for _ in range(120):
            surface = rng.uniform(0.1, 0.6)
            pen.disc(rng.uniform(0, plate.aspect), rng.random(), rng.uniform(0.02, 0.07), surface,
                     rng.uniform(0.015, 0.04))


def _sitter(pen: Pen, kind: str) -> None:
    """A bust: the pen's origin is the middle of the face, which is about half a unit high."""
    rng = pen.plate.rng
    skin, hair = rng.uniform(0.68, 0.85), rng.choice((0.08, 0.16, 0.3, 0.62, 0.85))
    cloth = rng.choice((0.08, 0.14, 0.25, 0.45, 0.75))
    turn = rng.uniform(-0.02, 0.045)
    if kind == "woman":
        _long_hair(pen, hair, rng)
    _shoulders(pen, kind, cloth, skin)
    pen.poly([(-0.1, -0.3), (0.1, -0.3), (0.09, -0.1), (-0.09, -0.1)], skin * 0.72)
    for side in (-0.2, 0.2):
        pen.disc(side, -0.02, 0.035, skin * 0.8, 0.06)
    face = [(x, y * (1.0 if y > 0 else 1.12)) for x, y in oval(0, 0, 0.2, 0.26)]
    pen.poly(face, skin + 0.06, skin * 0.88)
    pen.poly([(0.07, 0.2), (0.2, 0.06), (0.19, -0.1), (0.07, -0.26), (0.11, 0.0)], skin * 0.86)
    _features(pen, turn, skin, hair)
    if kind == "man" and rng.random() < 0.6:
        _beard(pen, turn, hair, rng)
    _head(pen, kind, hair, rng)


def _features(pen: Pen, turn: float, skin: float, hair: float) -> None:
    rng = pen.plate.rng
    for side in (-1, 1):
        x = turn + side * 0.082
        pen.disc(x, 0.035, 0.04, skin * 0.78, 0.028)
        pen.disc(x, 0.03, 0.03, 0.92, 0.015)
        pen.disc(x + turn * 0.2, 0.03, 0.014, 0.08)
        pen.line([(x - 0.042, 0.078), (x, 0.092), (x + 0.042, 0.08)], hair * 0.7, 0.014)
    pen.poly([(turn, 0.03), (turn + 0.035, -0.075), (turn - 0.005, -0.085)], skin * 0.75)
    smile = rng.uniform(-0.008, 0.018)
    pen.line([(turn - 0.06, -0.145 + smile), (turn, -0.15), (turn + 0.06, -0.145 + smile)], skin * 0.45,
             0.015)
    pen.line([(turn - 0.03, -0.178), (turn + 0.03, -0.178)], skin * 0.72, 0.012)
    if rng.random() < 0.25:
        for side in (-1, 1):
            ring = oval(turn + side * 0.085, 0.03, 0.052, 0.045)
            pen.line([*ring, ring[0]], 0.12, 0.008)
        pen.line([(turn - 0.033, 0.035), (turn + 0.033, 0.035)], 0.12, 0.008)


def _beard(pen: Pen, turn: float, hair: float, rng: random.Random) -> None:
    pen.poly([(turn - 0.075, -0.125), (turn, -0.095), (turn + 0.075, -0.125), (turn + 0.05, -0.135),
              (turn, -0.125), (turn - 0.05, -0.135)], hair)
    if rng.random() < 0.5:
        pen.poly([(-0.19, -0.06), (-0.12, -0.13), (0, -0.19), (0.12, -0.13), (0.19, -0.06), (0.14, -0.28),
                  (0, -0.4), (-0.14, -0.28)], hair, hair * 0.7)


def _long_hair(pen: Pen, hair: float, rng: random.Random) -> None:
    if rng.random() < 0.5:
        pen.poly([(-0.25, 0.1), (0.25, 0.1), (0.28, -0.34), (-0.28, -0.34)], hair, hair * 0.7)
    else:
        pen.disc(0, 0.28, 0.13, hair, 0.1)


def _shoulders(pen: Pen, kind: str, cloth: float, skin: float) -> None:
    slope = 0.46 if kind == "child" else 0.6
    outline = [(-slope, -1.3), (-slope * 0.95, -0.62), (-slope * 0.7, -0.45), (-0.13, -0.3), (0.13, -0.3),
               (slope * 0.7, -0.45),
               (slope * 0.95, -0.62), (slope, -1.3)]
    pen.poly(outline, cloth + 0.08, cloth * 0.7)
    if kind in ("man", "soldier"):
        pen.poly([(-0.12, -0.3), (0.12, -0.3), (0, -0.72)], 0.92 if kind == "man" else cloth * 0.8)
        pen.line([(-0.14, -0.3), (0, -0.74), (0.14, -0.3)], cloth * 0.6, 0.03)
    if kind == "man":
        pen.poly([(-0.035, -0.34), (0.035, -0.34), (0.045, -0.68), (0, -0.72), (-0.045, -0.68)], cloth * 0.5)
    if kind == "soldier":
        for up in (-0.5, -0.65, -0.8, -0.95):
            pen.disc(0, up, 0.024, 0.85)
        for side in (-1, 1):
            pen.poly([(side * 0.09, -0.28), (side * 0.2, -0.36), (side * 0.07, -0.42)], 0.75)
            pen.box(side * 0.25 - 0.09, -0.72, side * 0.25 + 0.09, -0.6, cloth * 0.7)
    if kind == "woman":
        pen.poly([(-0.16, -0.29), (0.16, -0.29), (0.1, -0.45), (0, -0.5), (-0.1, -0.45)], skin * 0.85)
        for i in range(9):
            x = -0.13 + i * 0.0325
            pen.disc(x, -0.44 - 0.06 * (1 - (x / 0.13) ** 2), 0.014, 0.95)
    if kind == "child":
        pen.poly([(-0.16, -0.3), (0.16, -0.3), (0.3, -0.5), (0, -0.42), (-0.3, -0.5)], 0.95)


def _head(pen: Pen, kind: str, hair: float, rng: random.Random) -> None:
    if kind == "soldier":
        pen.poly([(-0.22, 0.1), (0.22, 0.1), (0.27, 0.26), (0.16, 0.34), (-0.16, 0.34), (-0.27, 0.26)], 0.34,
                 0.2)
        pen.poly([(-0.21, 0.12), (0.23, 0.12), (0.25, 0.07), (0.0, 0.09), (-0.19, 0.08)], 0.05)
        pen.disc(0, 0.21, 0.03, 0.85)
        return
    crown = [(-0.21, 0.02), (-0.22, 0.15), (-0.15, 0.28), (0, 0.32), (0.15, 0.28), (0.22, 0.15), (0.21, 0.02),
             (0.16, 0.13)]
    part = rng.uniform(-0.1, 0.1)
    pen.poly([*crown, (part, 0.19), (-0.16, 0.13)], hair + 0.08, hair * 0.8)
    if rng.random() < 0.45 and kind != "child":
        brim = rng.uniform(0.3, 0.42)
        felt = rng.choice((0.1, 0.3, 0.8))
        pen.poly([(-0.18, 0.16), (0.18, 0.16), (0.16, 0.42), (0, 0.45), (-0.16, 0.42)], felt + 0.08,
                 felt * 0.8)
        pen.disc(0, 0.17, brim, felt, 0.05)
        pen.box(-0.18, 0.19, 0.18, 0.24, felt * 0.5)
    elif kind == "child" and rng.random() < 0.5:
        pen.poly([(0.02, 0.33), (0.16, 0.44), (0.16, 0.28), (0.02, 0.33), (-0.12, 0.44), (-0.12, 0.28)], 0.95)


def draw_street(plate: Plate, scene: Scene) -> None:
    """A street that runs away from the viewer between two rows of houses, with people and perhaps a tram."""
    rng = plate.rng
    horizon, vanish = rng.uniform(0.4, 0.6), rng.uniform(0.3, 0.7) * plate.aspect
    plate.sky(min(1.0, horizon + 0.1))
    skyline(plate, horizon + 0.01, rng.uniform(0.06, 0.12))
    plate.ground(horizon, 0.5, 0.25)
    for side in (-1, 1):
        _row(plate, horizon, vanish, side)
    if scene.kind == "street with a tram":
        _tram(plate, horizon, vanish)
    if scene.kind == "market street":
        _stalls(plate, horizon, vanish)
    if scene.light.dark or rng.random() < 0.4:
        _lamps(plate, horizon, vanish)
    count = {"market street": 26, "parade in the street": 0}.get(scene.kind, rng.randint(2, 12))
    for depth in sorted((rng.uniform(0.12, 0.95) for _ in range(count)), key=float):
        x = vanish + (rng.uniform(-0.1, 1.1) * plate.aspect - vanish) * depth
        person(plate, x, horizon + (1 - horizon) * depth, 0.03 + 0.42 * (1 - horizon) * depth,
               0.5 * (1 - depth))
    if scene.kind == "parade in the street":
        _parade(plate, horizon, vanish)


def _row(plate: Plate, horizon: float, vanish: float, side: int) -> None:
    rng = plate.rng
    near_x = vanish + side * rng.uniform(0.55, 1.0) * plate.aspect
    near = 1.0
    for _ in range(6):
        far = near * rng.uniform(0.58, 0.76)
        high, surface = rng.uniform(0.5, 1.25), rng.uniform(0.3, 0.85)
        xs = [vanish + (near_x - vanish) * t for t in (near, far)]
        lows = [horizon + (1 - horizon) * 0.82 * t for t in (near, far)]
        tops = [horizon - high * 0.75 * t for t in (near, far)]
        value = plate.light.value(surface * (0.75 if side < 0 else 1.0), 0.55 * (1 - far))
        plate.polygon([(xs[0], lows[0]), (xs[1], lows[1]), (xs[1], tops[1]), (xs[0], tops[0])], value)
        cap = plate.light.value(0.95 if plate.light.snowy else surface * 0.4, 0.5 * (1 - far))
        plate.polygon([(xs[0], tops[0]), (xs[1], tops[1]), (xs[1], tops[1] - 0.03 * far),
                       (xs[0], tops[0] - 0.03 * near)], cap)
        _openings(plate, (xs[0], xs[1]), (lows[0], lows[1]), (tops[0], tops[1]), max(2, round(high * 4)))
        near = far


def _openings(plate: Plate, xs: tuple[float, float], lows: tuple[float, float], tops: tuple[float, float],
              floors: int) -> None:
    columns = 4
    for column in range(columns):
        a, b = (column + 0.25) / columns, (column + 0.7) / columns
        for floor in range(floors):
            low, top = (floor + 0.25) / floors, (floor + 0.75) / floors
            lit = plate.light.time != "day" and plate.rng.random() < 0.55
            value = 0.92 if lit else plate.light.value(0.14, 0.2)
            corners = []
            for across, up in ((a, low), (b, low), (b, top), (a, top)):
                x = xs[0] + (xs[1] - xs[0]) * across
                bottom, roof = lows[0] + (lows[1] - lows[0]) * across, tops[0] + (tops[1] - tops[0]) * across
                corners.append((x, bottom + (roof - bottom) * up))
            plate.polygon(corners, value)


def _tram(plate: Plate, horizon: float, vanish: float) -> None:
    rng = plate.rng
    depth = rng.uniform(0.25, 0.6)
    x = vanish + (rng.uniform(0.25, 0.75) * plate.aspect - vanish) * depth
    ground = plate.pen(0, 0, 1)
    for side in (-0.5, 0.5):
        near = (x - vanish) / depth + vanish + side * 0.3
        ground.line([(vanish, -horizon), (near, -1)], 0.85, 0.005)
    ground.line([(vanish, -horizon + 0.02), (x, -(horizon - 0.75 * depth)),
                 ((x - vanish) / depth + vanish, 0.2)], 0.1, 0.003)
    pen = plate.pen(x, horizon + (1 - horizon) * depth, 0.75 * depth)
    pen.shadow(-0.3, 0.3)
    surface = rng.choice((0.3, 0.5, 0.8))
    pen.box(-0.27, 0.05, 0.27, 0.8, surface, surface * 0.7)
    pen.box(-0.27, 0.36, 0.27, 0.4, 0.9)
    pen.poly([(-0.29, 0.8), (0.29, 0.8), (0.22, 0.88), (-0.22, 0.88)], 0.95 if plate.light.snowy else 0.25)
    for left in (-0.23, -0.07, 0.09):
        pen.pane(left, 0.45, left + 0.14, 0.72)
    pen.box(-0.12, 0.82, 0.12, 0.92, 0.9)
    pen.lamp(0, 0.24, 0.05)
    pen.line([(0, 0.92), (0.05, 1.15)], 0.1, 0.015)


def _stalls(plate: Plate, horizon: float, vanish: float) -> None:
    rng = plate.rng
    for depth in (0.3, 0.42, 0.58, 0.8):
        for side in (-1, 1):
            x = vanish + side * 0.42 * plate.aspect * depth
            pen = plate.pen(x, horizon + (1 - horizon) * depth, 0.42 * depth, side, depth=0.3 * (1 - depth))
            pen.box(-0.3, 0, 0.3, 0.25, 0.3, 0.2)
            for i in range(5):
                pen.disc(-0.22 + i * 0.11, 0.28, 0.055, rng.uniform(0.3, 0.9), 0.045)
            for i in range(6):
                left = -0.39 + i * 0.13
                pen.poly([(left, 0.56), (left + 0.13, 0.56), (left + 0.1, 0.74), (left + 0.03, 0.74)],
                         0.95 if i % 2 else 0.35)
            pen.line([(-0.34, 0), (-0.34, 0.58)], 0.15, 0.02)
            pen.line([(0.34, 0), (0.34, 0.58)], 0.15, 0.02)


def _lamps(plate: Plate, horizon: float, vanish: float) -> None:
    side = plate.rng.choice((-1, 1))
    for depth in (0.25, 0.45, 0.8):
        pen = plate.pen(vanish + side * 0.5 * plate.aspect * depth, horizon + (1 - horizon) * 0.9 * depth,
                        0.7 * depth)
        pen.line([(0, 0), (0, 0.9)], 0.08, 0.022)
        pen.lamp(0, 0.93, 0.05)


def _parade(plate: Plate, horizon: float, vanish: float) -> None:
    rng = plate.rng
    files = rng.randint(4, 6)
    for row in range(7):
        depth = 0.25 + 0.6 * (row / 6) ** 1.3
        for i in range(files):
            x = vanish + ((i + 0.5) / files - 0.5) * plate.aspect * 0.75 * depth
            person(plate, x, horizon + (1 - horizon) * depth, 0.03 + 0.5 * (1 - horizon) * depth,
                   0.4 * (1 - depth))
            if row % 3 == 1 and i in (0, files - 1):
                pen = plate.pen(x, horizon + (1 - horizon) * depth, 0.9 * depth * (1 - horizon) + 0.05)
                pen.line([(0.1, 0), (0.1, 1.1)], 0.1, 0.02)
                pen.poly([(0.1, 1.1), (0.5, 1.05), (0.46, 0.8), (0.1, 0.85)], rng.uniform(0.4, 0.95), 0.4)



SUBJECTS = (
    Subject("portrait", ("man", "woman", "soldier", "child"),
            ("in the studio", "in the studio", "in a room", "in the garden"), draw_portrait,
            numbers=(1, 1, 1, 2, 3), times=("day",), weathers=("clear",), upright=0.7),
    Subject("street", ("street with a tram", "market street", "parade in the street", "quiet street"),
            ("in town",), draw_street,
            numbers=(1,), upright=0.3),
)
