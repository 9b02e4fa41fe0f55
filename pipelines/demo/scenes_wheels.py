"""Trains and cars."""

from pipelines.demo.scenes_model import Scene, Subject, backdrop, person, spread, tree
from pipelines.demo.scenes_plate import Pen, Plate


def draw_train(plate: Plate, scene: Scene) -> None:
    """A train that crosses the picture, stands at a platform, or comes head-on."""
    rng = plate.rng
    horizon = rng.uniform(0.42, 0.66)
    plate.sky(horizon)
    backdrop(plate, horizon, rng)
    plate.ground(horizon, rng.uniform(0.35, 0.55), 0.35)
    if scene.kind == "steam train" and scene.number == 1 and rng.random() < 0.5:
        _head_on(plate, horizon)
        return
    scale = rng.uniform(0.28, 0.62)
    rail = min(0.93, horizon + rng.uniform(0.12, 0.25) + scale * 0.08)
    _track(plate, rail)
    nose = rng.uniform(0.6, 0.98) if scene.facing > 0 else rng.uniform(0.02, 0.4)
    pen = plate.pen(nose * plate.aspect, rail, scale, scene.facing, depth=0.05)
    _train(plate, pen, scene)
    if scene.setting == "at the station":
        _platform(plate, rail, scale)
    else:
        _poles(plate, horizon, rail)


def _track(plate: Plate, rail: float) -> None:
    pen = plate.pen(0, rail, 1)
    pen.poly([(0, -0.045), (plate.aspect, -0.045), (plate.aspect, 0), (0, 0)], 0.3, 0.4)
    for i in range(int(plate.aspect / 0.035) + 1):
        pen.box(i * 0.035, -0.022, i * 0.035 + 0.018, -0.008, 0.14)
    pen.line([(0, -0.004), (plate.aspect, -0.004)], 0.75, 0.006)


def _wheel(pen: Pen, x: float, radius: float) -> None:
    pen.disc(x, radius, radius, 0.07)
    pen.disc(x, radius, radius * 0.72, 0.35)
    pen.disc(x, radius, radius * 0.62, 0.1)
    for dx, dy in ((1, 0), (0, 1), (0.7, 0.7), (0.7, -0.7)):
        pen.line([(x - dx * radius * 0.7, radius - dy * radius * 0.7),
                  (x + dx * radius * 0.7, radius + dy * radius * 0.7)], 0.35, 0.012)


def _train(plate: Plate, pen: Pen, scene: Scene) -> None:
    rng = plate.rng
    wagons = scene.number + (1 if scene.kind == "goods train" else 0)
    if scene.kind == "motor train":
        _carriage(pen, -1.0, rng.uniform(0.4, 0.8), True)
        start = -1.06
    else:
        start = _engine(pen, electric=scene.kind == "electric train")
    draw = _goods_wagon if scene.kind == "goods train" else _carriage
    surface = rng.choice((0.22, 0.45, 0.7))
    length = 0.62 if scene.kind == "goods train" else 1.0
    for i in range(wagons):
        right = start - i * (length + 0.06)
        pen.box(right - 0.02, 0.1, right + 0.08, 0.13, 0.1)
        draw(pen, right - length, surface, False)


def _engine(pen: Pen, electric: bool) -> float:
    if electric:
        pen.box(-0.95, 0.14, -0.05, 0.48, 0.35, 0.22)
        pen.poly([(-0.95, 0.48), (-0.05, 0.48), (-0.12, 0.54), (-0.88, 0.54)], 0.25)
        pen.line([(-0.6, 0.54), (-0.45, 0.68), (-0.3, 0.54)], 0.1, 0.014)
        pen.line([(-0.62, 0.69), (-0.28, 0.69)], 0.1, 0.014)
        for x in (-0.9, -0.62, -0.35, -0.15):
            pen.pane(x, 0.32, x + 0.09, 0.43)
        for x in (-0.85, -0.6, -0.35, -0.12):
            _wheel(pen, x, 0.08)
        return -0.98
    shade = pen.plate.rng.choice((0.1, 0.16, 0.3))
    big = pen.plate.rng.uniform(0.11, 0.15)
    pen.box(-0.86, 0.12, 0.0, 0.17, 0.1)
    pen.box(-0.62, 0.18, -0.03, 0.4, shade + 0.25, shade * 0.6)
    pen.box(-0.86, 0.17, -0.58, 0.52, shade + 0.08, shade * 0.7)
    pen.box(-0.9, 0.52, -0.55, 0.56, 0.85 if pen.plate.light.snowy else shade)
    pen.pane(-0.78, 0.37, -0.64, 0.48)
    pen.poly([(-0.14, 0.4), (-0.06, 0.4), (-0.04, 0.62), (-0.16, 0.62)], shade, shade * 0.6)
    for x in (-0.3, -0.44):
        pen.disc(x, 0.41, 0.05, shade + 0.15, 0.055)
    pen.poly([(0.0, 0.17), (0.09, 0.02), (-0.04, 0.02)], 0.12)
    pen.lamp(0.0, 0.44, 0.032)
    for i in range(3):
        _wheel(pen, -0.24 - i * big * 2.05, big)
    pen.line([(-0.24, big * 0.9), (-0.24 - big * 4.1, big * 0.9)], 0.65, 0.022)
    _wheel(pen, -0.06, 0.06)
    pen.box(-1.3, 0.12, -0.93, 0.36, shade + 0.04, shade * 0.7)
    pen.poly([(-1.28, 0.36), (-0.96, 0.36), (-1.02, 0.42), (-1.2, 0.42)], 0.05)
    for x in (-1.22, -1.02):
        _wheel(pen, x, 0.075)
    x, y = pen.place(-0.1, 0.64)
    pen.plate.smoke(x, y, 0.075 * pen.scale, -pen.facing * pen.plate.rng.uniform(0.5, 1.5) * pen.scale,
                    pen.plate.rng.choice((0.3, 0.85)), 20)
    return -1.36


def _carriage(pen: Pen, left: float, surface: float, driven: bool) -> None:
    pen.box(left, 0.12, left + 1.0, 0.48, surface, surface * 0.7)
    roof = 0.92 if pen.plate.light.snowy else 0.3
    pen.poly([(left - 0.01, 0.48), (left + 1.01, 0.48), (left + 0.96, 0.54), (left + 0.04, 0.54)], roof,
             roof * 0.8)
    pen.line([(left, 0.26), (left + 1, 0.26)], min(1.0, surface + 0.3), 0.012)
    for i in range(8):
        pen.pane(left + 0.05 + i * 0.118, 0.31, left + 0.125 + i * 0.118, 0.43)
    for x in (0.12, 0.26, 0.74, 0.88):
        _wheel(pen, left + x, 0.065)
    if driven:
        pen.lamp(left + 0.99, 0.2, 0.03)


def _goods_wagon(pen: Pen, left: float, surface: float, _driven: bool) -> None:
    rng = pen.plate.rng
    if rng.random() < 0.5:
        pen.box(left, 0.14, left + 0.62, 0.5, surface * 0.8, surface * 0.55)
        for i in range(9):
            pen.line([(left + i * 0.075, 0.14), (left + i * 0.075, 0.5)], surface * 0.5, 0.008)
        pen.box(left + 0.22, 0.16, left + 0.4, 0.47, surface * 0.6)
        pen.box(left - 0.015, 0.5, left + 0.635, 0.535, 0.9 if pen.plate.light.snowy else 0.2)
    else:
        load = rng.choice((0.05, 0.6))
        for i in range(6):
            pen.disc(left + 0.08 + i * 0.09, 0.33, 0.075, load + 0.03 * (i % 2), 0.06)
        pen.box(left, 0.14, left + 0.62, 0.33, surface * 0.7, surface * 0.5)
    for x in (0.12, 0.5):
        _wheel(pen, left + x, 0.075)


def _platform(plate: Plate, rail: float, scale: float) -> None:
    rng = plate.rng
    pen = plate.pen(0, rail, 1)
    edge = rng.uniform(0.03, 0.05)
    pen.box(0, -0.5, plate.aspect, -edge, 0.9 if plate.light.snowy else 0.62, 0.5)
    pen.box(0, -edge - 0.012, plate.aspect, -edge, 0.25)
    for _ in range(rng.randint(2, 7)):
        person(plate, rng.uniform(0.05, 0.95) * plate.aspect,
               min(0.99, rail + edge + rng.uniform(0.03, 0.12)), scale * rng.uniform(0.42, 0.55))
    lamp = plate.pen(rng.uniform(0.1, 0.9) * plate.aspect, rail + edge + 0.06, scale)
    lamp.line([(0, 0), (0, 0.75)], 0.08, 0.025)
    lamp.lamp(0, 0.78, 0.05)


def _poles(plate: Plate, horizon: float, rail: float) -> None:
    rng = plate.rng
    if rng.random() < 0.5:
        for _ in range(rng.randint(1, 4)):
            tree(plate, rng.uniform(0, 1) * plate.aspect, rng.uniform(rail + 0.07, 1.02),
                 rng.uniform(0.1, 0.3))
        return
    step, high = rng.uniform(0.3, 0.5), rng.uniform(0.3, 0.45)
    for i in range(int(plate.aspect / step) + 1):
        pen = plate.pen((i + 0.3) * step, horizon + 0.05, high, depth=0.3)
        pen.line([(0, 0), (0, 1)], 0.15, 0.022)
        pen.line([(-0.07, 0.93), (0.07, 0.93)], 0.15, 0.02)
        pen.line([(0, 0.93), (step / high, 0.93)], 0.3, 0.006)


def _head_on(plate: Plate, horizon: float) -> None:
    rng = plate.rng
    x = rng.uniform(0.35, 0.65) * plate.aspect
    low, wide = rng.uniform(0.8, 0.9), rng.uniform(0.16, 0.26)
    far = x + rng.uniform(-0.3, 0.3)
    ground = plate.pen(0, 0, 1)
    for side in (-1, 1):
        ground.poly([(far, -horizon), (x + side * wide * 1.3, -1.0), (x + side * wide * 1.15, -1.0)], 0.75)
    for i in range(9):
        y = horizon + (1 - horizon) * ((i + 1) / 9) ** 1.6
        near = (y - horizon) / (1 - horizon)
        centre, half = far + (x - far) * near, wide * 1.6 * near
        ground.box(centre - half, -y - 0.006, centre + half, -y, 0.15)
    plate.smoke(x, low - wide * 3.3, wide * 0.35, rng.uniform(-0.5, 0.5), rng.choice((0.3, 0.85)))
    pen = plate.pen(x, low, wide)
    pen.shadow(-1, 1)
    pen.box(-0.95, 0.9, 0.95, 2.75, 0.16, 0.1)
    pen.box(-1.05, 2.7, 1.05, 2.85, 0.85 if plate.light.snowy else 0.12)
    pen.pane(-0.85, 2.0, -0.55, 2.5)
    pen.pane(0.55, 2.0, 0.85, 2.5)
    pen.disc(0, 1.6, 0.78, 0.42, to=0.1)
    pen.disc(0, 1.6, 0.62, 0.2, to=0.08)
    pen.box(-0.2, 2.3, 0.2, 3.2, 0.14, 0.08)
    pen.poly([(-1.0, 0.5), (1.0, 0.5), (0.6, 0.02), (-0.6, 0.02)], 0.1)
    pen.box(-1.1, 0.55, 1.1, 0.8, 0.3, 0.15)
    for lamp in (-0.75, 0.75):
        pen.disc(lamp, 0.67, 0.17, 0.5)
        pen.lamp(lamp, 0.98, 0.13)
    pen.lamp(0, 2.42, 0.17)


def draw_cars(plate: Plate, scene: Scene) -> None:
    """Cars on a country road, in front of houses, or parked side by side."""
    rng = plate.rng
    horizon = rng.uniform(0.36, 0.58)
    plate.sky(horizon)
    if scene.setting == "in town":
        _facades(plate, horizon + 0.12)
        plate.ground(horizon + 0.12, 0.5)
    else:
        backdrop(plate, horizon, rng)
        plate.ground(horizon, rng.uniform(0.4, 0.55), 0.3)
        _road(plate, horizon)
    base = {1: rng.uniform(0.62, 1.05), 2: rng.uniform(0.46, 0.6), 3: rng.uniform(0.32, 0.42)}[scene.number]
    for i, x in enumerate(spread(plate, scene.number, 0.2, 0.8)):
        scale = base * plate.aspect / 1.4 * rng.uniform(0.92, 1.05)
        pen = plate.pen(x, rng.uniform(0.74, 0.86) + 0.05 * (i % 2), scale, scene.facing, rng.uniform(-2, 2))
        pen.shadow(-0.52, 0.52, -0.005, 0.045)
        _CARS[scene.kind](pen)
    if rng.random() < 0.4:
        person(plate, rng.choice((0.08, 0.92)) * plate.aspect, rng.uniform(0.86, 0.95),
               rng.uniform(0.3, 0.45))


def _facades(plate: Plate, base: float) -> None:
    rng = plate.rng
    x: float = -0.1
    while x < plate.aspect:
        wide, high, surface = rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.65), rng.uniform(0.35, 0.8)
        pen = plate.pen(x, base, 1, depth=0.25)
        pen.box(0, 0, wide, high, surface, surface * 0.85)
        columns = int(wide / 0.1)
        for row in range(int(high / 0.13)):
            for column in range(columns):
                left = 0.03 + column * (wide - 0.02) / columns
                pen.pane(left, 0.05 + row * 0.13, left + 0.045, 0.12 + row * 0.13)
        pen.box(-0.01, high, wide + 0.01, high + 0.02, 0.9 if plate.light.snowy else surface * 0.5)
        x += wide


def _road(plate: Plate, horizon: float) -> None:
    rng = plate.rng
    pen = plate.pen(0, 0, 1)
    far = rng.uniform(0.1, 0.9) * plate.aspect
    pen.poly([(far, -horizon), (far + 0.03, -horizon), (plate.aspect * 1.1, -0.86), (plate.aspect * 1.1, -1),
              (-0.2, -1), (-0.2, -0.84)],
             0.75, 0.58)
    for _ in range(rng.randint(0, 5)):
        tree(plate, rng.uniform(0, 1) * plate.aspect, horizon + rng.uniform(0.02, 0.12),
             rng.uniform(0.2, 0.45), 0.3)


def _tyre(pen: Pen, x: float, radius: float) -> None:
    pen.disc(x, radius - 0.01, radius, 0.05)
    pen.disc(x, radius - 0.01, radius * 0.62, 0.6, to=0.35)
    pen.disc(x, radius - 0.01, radius * 0.2, 0.15)


def _open_car(pen: Pen) -> None:
    shade = pen.plate.rng.choice((0.1, 0.3, 0.6))
    pen.poly([(-0.45, 0.12), (0.4, 0.12), (0.42, 0.26), (0.1, 0.28), (0.06, 0.24), (-0.38, 0.24),
              (-0.46, 0.3)], shade + 0.12, shade * 0.6)
    pen.line([(0.08, 0.27), (0.04, 0.42)], 0.2, 0.014)
    for x in (-0.02, -0.25):
        pen.disc(x - 0.02, 0.32, 0.055, 0.2, 0.09)
        pen.disc(x - 0.02, 0.43, 0.036, 0.7, 0.042)
        pen.disc(x - 0.02, 0.465, 0.05, 0.25, 0.018)
    pen.poly([(-0.48, 0.26), (-0.4, 0.36), (-0.34, 0.26)], 0.12)
    pen.box(0.38, 0.12, 0.43, 0.28, 0.7, 0.4)
    pen.lamp(0.45, 0.21, 0.03)
    for x in (-0.3, 0.3):
        _tyre(pen, x, 0.115)
        pen.line([(x - 0.14, 0.14), (x - 0.06, 0.23), (x + 0.07, 0.23), (x + 0.15, 0.12)], shade * 0.6, 0.02)


def _saloon(pen: Pen) -> None:
    shade = pen.plate.rng.choice((0.08, 0.2, 0.45, 0.75))
    roof = 0.92 if pen.plate.light.snowy else shade + 0.15
    pen.poly([(-0.47, 0.12), (-0.44, 0.3), (-0.36, 0.47), (-0.26, 0.5), (0.0, 0.5), (0.1, 0.46), (0.15, 0.33),
              (0.42, 0.3), (0.46, 0.12)],
             roof, shade * 0.6)
    pen.pane(-0.33, 0.34, -0.15, 0.45, 0.7)
    pen.pane(-0.12, 0.34, 0.08, 0.45, 0.7)
    pen.line([(-0.135, 0.14), (-0.135, 0.34)], shade * 0.4, 0.008)
    pen.line([(-0.44, 0.31), (0.42, 0.31)], min(1.0, shade + 0.4), 0.008)
    pen.box(0.42, 0.13, 0.455, 0.3, 0.8, 0.5)
    pen.lamp(0.46, 0.25, 0.03)
    for x in (-0.3, 0.3):
        pen.disc(x, 0.14, 0.16, shade + 0.06, 0.12, shade * 0.5)
        _tyre(pen, x, 0.1)
    pen.box(-0.5, 0.1, 0.5, 0.125, 0.6)


def _lorry(pen: Pen) -> None:
    shade = pen.plate.rng.choice((0.2, 0.4, 0.6))
    covered = pen.plate.rng.random() < 0.5
    pen.box(-0.5, 0.13, 0.46, 0.17, 0.1)
    pen.box(-0.5, 0.17, 0.06, 0.32, shade, shade * 0.7)
    if covered:
        pen.poly([(-0.5, 0.32), (0.06, 0.32), (0.06, 0.52), (0.0, 0.6), (-0.44, 0.6), (-0.5, 0.52)], 0.7,
                 0.45)
        for x in (-0.36, -0.22, -0.08):
            pen.line([(x, 0.32), (x, 0.6)], 0.4, 0.01)
    else:
        for i in range(6):
            pen.disc(-0.44 + i * 0.09, 0.37, 0.07, 0.5 - 0.06 * (i % 2), 0.06)
        pen.box(-0.5, 0.2, 0.06, 0.34, shade, shade * 0.7)
    pen.box(0.09, 0.15, 0.29, 0.5, shade + 0.1, shade * 0.7)
    pen.pane(0.13, 0.34, 0.26, 0.46, 0.7)
    pen.box(0.29, 0.15, 0.48, 0.33, shade + 0.12, shade * 0.6)
    pen.lamp(0.49, 0.25, 0.028)
    for x in (-0.34, 0.36):
        _tyre(pen, x, 0.115)


def _bus(pen: Pen) -> None:
    shade = pen.plate.rng.choice((0.3, 0.55, 0.8))
    pen.poly([(-0.5, 0.1), (0.48, 0.1), (0.5, 0.3), (0.46, 0.54), (0.4, 0.58), (-0.46, 0.58), (-0.5, 0.52)],
             0.92 if pen.plate.light.snowy else shade + 0.1, shade * 0.7)
    pen.box(-0.5, 0.16, 0.49, 0.2, shade * 0.45)
    for i in range(6):
        pen.pane(-0.45 + i * 0.135, 0.33, -0.345 + i * 0.135, 0.48, 0.2)
    pen.box(0.36, 0.13, 0.44, 0.5, 0.15)
    pen.lamp(0.495, 0.22, 0.028)
    for x in (-0.32, 0.27):
        _tyre(pen, x, 0.1)


_CARS = {"open car": _open_car, "saloon car": _saloon, "lorry": _lorry, "bus": _bus}

SUBJECTS = (
    Subject("train", ("steam train", "steam train", "goods train", "electric train", "motor train"),
            ("in the countryside", "at the station"), draw_train, upright=0.05),
    Subject("car", tuple(_CARS), ("on a country road", "in town"), draw_cars, upright=0.08),
)
