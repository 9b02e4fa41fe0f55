"""Bridges, forests, mountains and tent camps."""

import math

from pipelines.demo.scenes_model import Scene, Subject, backdrop, person, spread, tree
from pipelines.demo.scenes_plate import Pen, Plate, Point


def draw_bridge(plate: Plate, scene: Scene) -> None:
    """A bridge over water, seen from the bank."""
    rng = plate.rng
    horizon = rng.uniform(0.4, 0.62)
    plate.sky(horizon)
    backdrop(plate, horizon, rng)
    plate.water(horizon, rng.uniform(0.3, 0.5))
    deck = horizon - rng.uniform(-0.06, 0.12)
    left, right = -rng.uniform(0.02, 0.2), plate.aspect + rng.uniform(0.02, 0.2)
    tilt = rng.uniform(-0.06, 0.06)
    foot = rng.uniform(0.1, 0.24)
    pen = plate.pen(left, deck - tilt / 2, right - left, 1, math.degrees(-tilt / (right - left)))
    plate.soft([(plate.aspect / 2, deck + foot + 0.05, plate.aspect * 0.6, 0.05)], plate.light.value(0.15),
               0.5, 2)
    _BRIDGES[scene.kind](pen, scene.number, foot / pen.scale)
    _on_the_bridge(pen, scene)
    if rng.random() < 0.7:
        _bank(plate, scene.facing)


def _on_the_bridge(pen: Pen, scene: Scene) -> None:
    rng = pen.plate.rng
    if scene.setting == "over the river" or scene.kind == "railway bridge":
        for _ in range(rng.randint(0, 6)):
            x, y = pen.place(rng.uniform(0.15, 0.85), 0.03)
            person(pen.plate, x, y, rng.uniform(0.05, 0.08), 0.2)
        return
    for i in range(7):
        x = 0.08 + i * 0.14
        pen.line([(x, 0.03), (x, 0.1)], 0.1, 0.006)
        pen.lamp(x, 0.105, 0.011)


def _bank(plate: Plate, facing: int) -> None:
    rng = plate.rng
    wide, high = rng.uniform(0.4, 0.9) * plate.aspect, rng.uniform(0.08, 0.24)
    pen = plate.pen(0 if facing > 0 else plate.aspect, 1, 1, facing)
    surface = 0.9 if plate.light.snowy else 0.22
    pen.poly([(0, 0), (0, high), (wide * 0.4, high * 0.8), (wide, 0)], surface, surface * 0.7)
    for _ in range(rng.randint(1, 3)):
        x, y = pen.place(rng.uniform(0.02, 0.35) * wide, high * 0.7)
        tree(plate, x, y, rng.uniform(0.25, 0.6))


def _deck(pen: Pen, surface: float) -> None:
    pen.box(0, 0, 1, 0.03, surface, surface * 0.7)
    pen.line([(0, 0.055), (1, 0.055)], surface * 0.6, 0.004)
    for i in range(41):
        pen.line([(i / 40, 0.03), (i / 40, 0.055)], surface * 0.6, 0.003)


def _stone_bridge(pen: Pen, number: int, foot: float) -> None:
    arches, surface = number + 1, pen.plate.rng.uniform(0.45, 0.75)
    wide = 1.0 / arches
    for i in range(arches):
        ring: list[Point] = [(i * wide, 0.0), ((i + 1) * wide, 0.0), ((i + 1) * wide, -foot)]
        span = [(i * wide + wide * (0.5 + 0.43 * math.cos(t * math.pi / 12)),
                 -foot + foot * 0.85 * math.sin(t * math.pi / 12)) for t in range(13)]
        pen.poly([*ring, *span, (i * wide, -foot)], surface, surface * 0.6)
        pen.line(span, surface * 0.5, 0.008)
    _deck(pen, surface)


def _truss_bridge(pen: Pen, number: int, foot: float) -> None:
    high = pen.plate.rng.uniform(0.11, 0.17)
    for i in range(number + 1):
        x = (i + 0.5) / (number + 1)
        pen.poly([(x - 0.02, -foot), (x + 0.02, -foot), (x + 0.014, 0), (x - 0.014, 0)], 0.6, 0.35)
    pen.box(0, -0.012, 1, 0.018, 0.15)
    bays = 12
    for i in range(bays):
        left, right = i / bays, (i + 1) / bays
        pen.line([(left, 0.01), (left, high)], 0.18, 0.007)
        pen.line([(left, 0.01) if i % 2 else (left, high), (right, high) if i % 2 else (right, 0.01)], 0.22,
                 0.008)
    pen.line([(0, high), (1, high)], 0.15, 0.013)


def _suspension_bridge(pen: Pen, _number: int, foot: float) -> None:
    rng = pen.plate.rng
    high, towers = rng.uniform(0.24, 0.34), (rng.uniform(0.16, 0.25), rng.uniform(0.75, 0.84))
    middle, half = sum(towers) / 2, (towers[1] - towers[0]) / 2

    def cable(x: float) -> float:
        if x < towers[0]:
            return high * x / towers[0]
        if x > towers[1]:
            return high * (1 - x) / (1 - towers[1])
        return float(0.04 + (high - 0.04) * ((x - middle) / half) ** 2)

    pen.line([(i / 60, cable(i / 60)) for i in range(61)], 0.12, 0.008)
    for i in range(1, 48):
        pen.line([(i / 48, 0.01), (i / 48, cable(i / 48))], 0.3, 0.002)
    for x in towers:
        pen.poly([(x - 0.024, -foot), (x + 0.024, -foot), (x + 0.015, high + 0.02), (x - 0.015, high + 0.02)],
                 0.5, 0.25)
    pen.box(0, -0.012, 1, 0.02, 0.2)


def _trestle(pen: Pen, number: int, foot: float) -> None:
    legs = 5 + number * 2
    for i in range(legs):
        x = (i + 0.5) / legs
        pen.line([(x - 0.035, -foot), (x - 0.01, 0)], 0.18, 0.011)
        pen.line([(x + 0.035, -foot), (x + 0.01, 0)], 0.18, 0.011)
        for up in (0.35, 0.7):
            pen.line([(x - 0.03 * up - 0.006, -foot * up), (x + 0.03 * up + 0.006, -foot * up)], 0.2, 0.007)
    pen.box(0, -0.012, 1, 0.014, 0.14)
    surface = pen.plate.rng.uniform(0.2, 0.5)
    for i in range(4):
        left = 0.3 + i * 0.115
        pen.box(left, 0.02, left + 0.105, 0.075, surface, surface * 0.7)
        for j in range(5):
            pen.pane(left + 0.01 + j * 0.019, 0.045, left + 0.022 + j * 0.019, 0.062)


_BRIDGES = {"stone bridge": _stone_bridge, "steel bridge": _truss_bridge,
            "suspension bridge": _suspension_bridge,
            "railway bridge": _trestle}


def draw_forest(plate: Plate, scene: Scene) -> None:
    """Trees: a stand seen from within, an edge across water, or a felling with logs."""
    rng = plate.rng
    horizon = rng.uniform(0.4, 0.68)
    plate.sky(horizon)
    plate.treeline(horizon + 0.02, rng.uniform(0.15, 0.4), 0.75)
    plate.ground(horizon, rng.uniform(0.25, 0.42), 0.5)
    kind = scene.kind.split()[0]
    if scene.setting == "by a pond":
        low = rng.uniform(horizon + 0.12, 0.8)
        _stand(plate, kind, horizon + 0.02, low, 0.45, rng.randint(10, 22))
        plate.water(low, 0.3)
        plate.soft([(rng.random() * plate.aspect, low + 0.05, 0.12, rng.uniform(0.05, 0.12))
                    for _ in range(9)], plate.light.value(0.1), 0.6)
        return
    if scene.setting == "with a path":
        _path(plate, horizon)
    _stand(plate, kind, horizon, 0.86, rng.uniform(0.5, 0.8), rng.randint(9, 24))
    if scene.setting == "with felled logs":
        _logs(plate)
    for _ in range(rng.randint(1, 4)):
        x = rng.choice((rng.uniform(-0.02, 0.3), rng.uniform(0.7, 1.02))) * plate.aspect
        if rng.random() < 0.6:
            _trunk(plate, x, kind)
        else:
            tree(plate, x, 1.03, rng.uniform(0.8, 1.15), 0, kind)


def _stand(plate: Plate, kind: str, far: float, near: float, height: float, count: int) -> None:
    rng = plate.rng
    for i in range(count):
        t = (i / count) ** 1.3
        base = far + (near - far) * t
        tree(plate, rng.uniform(-0.05, 1.05) * plate.aspect, base,
             height * (0.45 + 0.75 * t) * rng.uniform(0.8, 1.2), 0.8 * (1 - t), kind)


def _trunk(plate: Plate, x: float, kind: str) -> None:
    rng = plate.rng
    wide, pale = rng.uniform(0.04, 0.09), kind == "birch"
    pen = plate.pen(x, 1, 1, rng.choice((-1, 1)))
    pen.poly([(-wide / 2, -0.02), (wide / 2, -0.02), (wide * 0.35, 1.05), (-wide * 0.35, 1.05)],
             0.85 if pale else 0.16, 0.6 if pale else 0.09)
    for _ in range(26):
        up, across = rng.random(), rng.uniform(-0.4, 0.3) * wide
        pen.line([(across, up), (across + wide * 0.25, up)] if pale else [(across, up), (across, up + 0.06)],
                 0.15 if pale else 0.28, 0.005)


def _path(plate: Plate, horizon: float) -> None:
    rng = plate.rng
    far, near = rng.uniform(0.3, 0.7) * plate.aspect, rng.uniform(0.3, 0.7) * plate.aspect
    bend, wide = rng.uniform(-0.25, 0.25), rng.uniform(0.2, 0.4)
    left, right = [], []
    for i in range(13):
        t = i / 12
        x, half = far + (near - far) * t + bend * math.sin(t * math.pi), 0.008 + wide * t * t
        left.append((x - half, -(horizon + (1 - horizon) * t)))
        right.append((x + half, -(horizon + (1 - horizon) * t)))
    plate.pen(0, 0, 1).poly([*left, *reversed(right)], 0.98 if plate.light.snowy else 0.7, 0.55)


def _logs(plate: Plate) -> None:
    rng = plate.rng
    x, y, r = rng.uniform(0.1, 0.5) * plate.aspect, rng.uniform(0.84, 0.95), rng.uniform(0.028, 0.05)
    for row in range(3):
        for i in range(6 - row):
            pen = plate.pen(x + (i * 2 + row) * r, y - row * r * 1.75, r)
            pen.poly([(0, 1), (9, 5), (9.5, 3.5), (0.5, -1)], 0.85 if plate.light.snowy else 0.3, 0.18)
    for row in range(3):
        for i in range(6 - row):
            pen = plate.pen(x + (i * 2 + row) * r, y - row * r * 1.75, r)
            pen.disc(0, 0, 1, 0.8)
            pen.disc(0, 0, 0.55, 0.65)
            pen.disc(0, 0, 0.3, 0.8)


def draw_mountain(plate: Plate, scene: Scene) -> None:
    """Peaks above a valley, a lake or a moor."""
    rng = plate.rng
    horizon = rng.uniform(0.55, 0.8)
    plate.sky(horizon)
    plate.ridge(horizon, rng.uniform(0.15, 0.3), 0.5, 0.9, 0.7)
    base = {1: rng.uniform(0.48, 0.66), 2: rng.uniform(0.38, 0.52), 3: rng.uniform(0.28, 0.42)}[scene.number]
    for x in spread(plate, scene.number, 0.18, 0.82):
        _peak(plate, x, horizon + 0.01, base * rng.uniform(0.85, 1.08), scene)
    if scene.setting == "above a lake":
        plate.treeline(horizon + 0.01, rng.uniform(0.02, 0.05), 0.4)
        plate.water(horizon, 0.35)
        for x in spread(plate, scene.number, 0.18, 0.82):
            plate.soft([(x, horizon + 0.08, base * 0.6, 0.1)], plate.light.value(0.25), 0.5, 3)
    else:
        plate.ground(horizon, rng.uniform(0.28, 0.5), 0.4)
        if scene.setting == "above a forest":
            for i in range(26):
                tree(plate, rng.uniform(0, 1) * plate.aspect, horizon + 0.03 + 0.008 * i, 0.09 + 0.007 * i,
                     0.5 - i * 0.018, "spruce")
        else:
            for _ in range(rng.randint(1, 3)):
                person(plate, rng.uniform(0.2, 0.8) * plate.aspect, rng.uniform(horizon + 0.08, 0.97),
                       rng.uniform(0.12, 0.2))


def _peak(plate: Plate, x: float, base: float, height: float, scene: Scene) -> None:
    rng = plate.rng
    surface = rng.uniform(0.22, 0.4)
    wide = height * rng.uniform(0.8, 1.25)
    lean = rng.uniform(-0.2, 0.2) * wide
    pen = plate.pen(x, base, 1, scene.facing, depth=0.35)
    left: list[Point] = [(-wide, 0.0)]
    right: list[Point] = [(wide, 0.0)]
    for i in range(1, 9):
        t = i / 9
        left.append((-wide * (1 - t) + lean * t + rng.uniform(-0.03, 0.03) * wide, height * t))
        right.append((wide * (1 - t) + lean * t + rng.uniform(-0.03, 0.03) * wide, height * t))
    top = (lean, height)
    spine = [(lean * t / 6 + rng.uniform(-0.05, 0.05) * wide, height * t / 6) for t in range(6)]
    pen.poly([*left, top, *reversed(right)], surface + 0.12, surface * 0.8)
    pen.poly([*spine, top, *reversed(right)], surface * 0.6, surface * 0.45)
    if scene.kind == "rocky mountain" and not plate.light.snowy:
        for _ in range(14):
            t, across = rng.uniform(0.1, 0.85), rng.uniform(-0.7, 0.6)
            start = (across * wide * (1 - t) + lean * t, height * t)
            pen.line([start, (start[0] - 0.05 * wide, start[1] - 0.12 * height)],
                     surface * rng.choice((0.5, 1.6)), 0.006)
        return
    snow = 3 if scene.kind == "snow-capped mountain" else 1
    cap_l, cap_r = left[snow + 2 :], right[snow + 2 :]
    ragged = [(cap_l[0][0] + (cap_r[0][0] - cap_l[0][0]) * i / 8,
               cap_l[0][1] + rng.uniform(-0.09, 0.07) * height) for i in range(1, 8)]
    pen.poly([*cap_l, top, *reversed(cap_r), *reversed(ragged)], 1.0, 0.85)
    shade = [(px, py) for px, py in spine if py > cap_l[0][1] - 0.05 * height]
    pen.poly([*shade, top, *reversed(cap_r)], 0.66, 0.58)


def draw_camp(plate: Plate, scene: Scene) -> None:
    """Tents in rows, on a meadow, among trees or by the water; a fire in the evening."""
    rng = plate.rng
    horizon = rng.uniform(0.36, 0.56)
    plate.sky(horizon)
    if scene.setting == "among the trees":
        plate.treeline(horizon + 0.02, rng.uniform(0.2, 0.36), 0.35)
    else:
        backdrop(plate, horizon, rng)
    plate.ground(horizon, rng.uniform(0.42, 0.6), 0.35)
    rows = rng.choice((2, 3)) if scene.number > 1 else 1
    lean = rng.uniform(-0.2, 0.2)
    for row in range(rows):
        t = row / max(1, rows - 1) if rows > 1 else rng.uniform(0.4, 0.9)
        scale = (0.13 + 0.27 * t) * (1.3 if rows == 1 else 1) * rng.uniform(0.9, 1.1)
        count = scene.number if rows == 1 else max(2, int(plate.aspect / (scale * 1.5)))
        for i in range(count):
            x = plate.aspect * (i + 0.5) / count + lean * (1 - t) + rng.uniform(-0.03, 0.03)
            pen = plate.pen(x, horizon + 0.08 + 0.4 * t, scale, scene.facing, depth=0.5 * (1 - t))
            pen.shadow(-0.6, 0.6, 0, 0.05)
            _TENTS[scene.kind](pen)
    _camp_life(plate, scene)


def _bell_tent(pen: Pen) -> None:
    surface = pen.plate.rng.uniform(0.72, 0.95)
    pen.poly([(-0.5, 0), (0.5, 0), (0.5, 0.14), (0, 0.95), (-0.5, 0.14)], surface, surface * 0.85)
    pen.poly([(0.1, 0), (0.5, 0), (0.5, 0.14), (0, 0.95)], surface * 0.7, surface * 0.6)
    pen.poly([(-0.14, 0), (0.04, 0), (-0.01, 0.6)], 0.95 if pen.plate.light.dark else 0.1)
    pen.line([(0, 0.93), (0, 1.04)], 0.2, 0.03)
    for x in (-0.75, 0.75):
        pen.line([(0.5 if x > 0 else -0.5, 0.14), (x, 0)], 0.3, 0.012)


def _ridge_tent(pen: Pen) -> None:
    surface = pen.plate.rng.uniform(0.6, 0.9)
    pen.poly([(-0.42, 0), (0.3, 0.06), (0.72, 0.1), (0.42, 0.68), (-0.12, 0.66)], surface * 0.8,
             surface * 0.6)
    pen.poly([(-0.52, 0), (0.28, 0), (-0.12, 0.66)], surface, surface * 0.9)
    pen.poly([(-0.2, 0), (0.0, 0), (-0.12, 0.56)], 0.95 if pen.plate.light.dark else 0.08)
    pen.line([(-0.12, 0.64), (-0.12, 0.74)], 0.2, 0.025)


def _cottage_tent(pen: Pen) -> None:
    surface = pen.plate.rng.uniform(0.62, 0.9)
    pen.box(-0.5, 0, 0.5, 0.3, surface, surface * 0.8)
    pen.poly([(-0.56, 0.29), (0.56, 0.29), (0.46, 0.62), (-0.46, 0.62)],
             0.95 if pen.plate.light.snowy else surface + 0.15, surface)
    for x in (-0.25, 0.25):
        pen.pane(x - 0.08, 0.1, x + 0.08, 0.2, 0.3)
    pen.box(-0.08, 0, 0.08, 0.26, 0.1)
    pen.line([(0.3, 0.5), (0.3, 0.85)], 0.1, 0.05)


_TENTS = {"bell tents": _bell_tent, "ridge tents": _ridge_tent, "army tents": _cottage_tent}


def _camp_life(plate: Plate, scene: Scene) -> None:
    rng = plate.rng
    for _ in range(rng.randint(0, 7)):
        person(plate, rng.uniform(0.05, 0.95) * plate.aspect, rng.uniform(0.75, 0.97),
               rng.uniform(0.17, 0.26))
    if rng.random() < 0.4:
        flag = plate.pen(rng.uniform(0.15, 0.85) * plate.aspect, rng.uniform(0.7, 0.85),
                         rng.uniform(0.5, 0.7), scene.facing)
        flag.line([(0, 0), (0, 1)], 0.85, 0.014)
        flag.poly([(0, 1), (0.3, 0.95), (0.28, 0.8), (0, 0.83)], 0.9, 0.6)
    if rng.random() < 0.5:
        fire = plate.pen(rng.uniform(0.2, 0.8) * plate.aspect, rng.uniform(0.85, 0.95), 0.09)
        x, y = fire.place(0, 0.6)
        plate.smoke(x, y, 0.018, rng.uniform(-0.3, 0.3), 0.7, 14)
        fire.lamp(0, 0.4, 0.3)
        fire.poly([(-0.4, 0), (0.4, 0), (0.5, 0.2), (-0.5, 0.2)], 0.08)
    if scene.setting == "among the trees":
        for _ in range(rng.randint(2, 4)):
            x = rng.choice((rng.uniform(-0.02, 0.2), rng.uniform(0.8, 1.02))) * plate.aspect
            tree(plate, x, rng.uniform(0.8, 1.02), rng.uniform(0.6, 1.0), 0, "pine")


SUBJECTS = (
    Subject("bridge", tuple(_BRIDGES), ("over the river", "over the river", "with street lamps"), draw_bridge,
            upright=0.05),
    Subject("forest", ("spruce forest", "pine forest", "birch forest"),
            ("with a path", "by a pond", "with felled logs"), draw_forest, numbers=(1,), upright=0.4),
    Subject("mountain", ("snow-capped mountain", "rocky mountain", "bare mountain"),
            ("above a lake", "above a forest", "with hikers"), draw_mountain, upright=0.2),
    Subject("tent camp", tuple(_TENTS), ("on a meadow", "among the trees"), draw_camp, numbers=(1, 2, 3, 3),
            upright=0.08),
)
