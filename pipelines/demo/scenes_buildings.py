"""Houses, churches and factories."""

from pipelines.demo.scenes_model import Scene, Subject, backdrop, person, spread, tree
from pipelines.demo.scenes_plate import Pen, Plate, oval


def draw_houses(plate: Plate, scene: Scene) -> None:
    """Houses in a yard, by a lake, or at the edge of a forest."""
    rng = plate.rng
    horizon = rng.uniform(0.45, 0.66)
    plate.sky(horizon)
    if scene.setting == "at the edge of the forest":
        plate.treeline(horizon + 0.02, rng.uniform(0.25, 0.42), 0.3)
    else:
        backdrop(plate, horizon, rng)
    plate.ground(horizon, rng.uniform(0.35, 0.55), 0.35)
    base = {1: rng.uniform(0.55, 0.95), 2: rng.uniform(0.4, 0.55), 3: rng.uniform(0.3, 0.4)}[scene.number]
    base = min(base, plate.aspect * 0.85 / scene.number)
    foot = horizon + rng.uniform(0.05, 0.2)
    for x in spread(plate, scene.number, 0.22, 0.78):
        scale = base * rng.uniform(0.85, 1.1)
        pen = plate.pen(x, foot + rng.uniform(0, 0.05), scale, scene.facing, depth=0.05)
        pen.shadow(-0.55, 0.6, 0, 0.04)
        _HOUSES[scene.kind](pen)
    _yard(plate, scene, foot)


def _yard(plate: Plate, scene: Scene, foot: float) -> None:
    rng = plate.rng
    if scene.setting == "by the lake":
        top = max(foot + 0.1, rng.uniform(0.72, 0.8))
        plate.water(top, 0.4)
        for _ in range(20):
            x = rng.random() * plate.aspect
            plate.pen(x, top, 1).line([(0, -0.02), (0.01, rng.uniform(0.02, 0.07))], 0.2, 0.004)
        return
    for _ in range(rng.randint(0, 4)):
        tree(plate, rng.choice((rng.uniform(-0.02, 0.22), rng.uniform(0.78, 1.02))) * plate.aspect,
             foot + rng.uniform(0.0, 0.2),
             rng.uniform(0.4, 0.85))
    if rng.random() < 0.5:
        _fence(plate, rng.uniform(0.85, 0.98), rng.uniform(0.08, 0.16))
    for _ in range(rng.choice((0, 0, 1, 3, 4))):
        person(plate, rng.uniform(0.2, 0.8) * plate.aspect, foot + rng.uniform(0.1, 0.2),
               rng.uniform(0.17, 0.24))


def _fence(plate: Plate, base: float, height: float) -> None:
    surface = plate.rng.choice((0.25, 0.85))
    pen = plate.pen(0, base, height)
    width = plate.aspect / height
    for up in (0.3, 0.75):
        pen.line([(0, up), (width, up)], surface * 0.9, 0.06)
    for i in range(int(width / 0.5) + 1):
        pen.poly([(i * 0.5, 0), (i * 0.5 + 0.15, 0), (i * 0.5 + 0.15, 0.9), (i * 0.5 + 0.075, 1.0),
                  (i * 0.5, 0.9)], surface)


def _chimney(pen: Pen, x: float, y: float) -> None:
    pen.box(x - 0.035, y - 0.05, x + 0.035, y + 0.12, 0.42, 0.3)
    if pen.plate.light.snowy or pen.plate.rng.random() < 0.3:
        px, py = pen.place(x, y + 0.13)
        pen.plate.smoke(px, py, 0.03 * pen.scale, pen.plate.rng.uniform(-0.4, 0.4) * pen.scale, 0.8, 10)


def _roof(pen: Pen, surface: float) -> float:
    return 0.95 if pen.plate.light.snowy else surface


def _windows(pen: Pen, xs: tuple[float, ...], low: float, size: tuple[float, float],
             frame: float = 0.9) -> None:
    wide, high = size
    for x in xs:
        pen.box(x - wide / 2 - 0.012, low - 0.012, x + wide / 2 + 0.012, low + high + 0.012, frame)
        pen.pane(x - wide / 2, low, x + wide / 2, low + high)
        pen.line([(x, low), (x, low + high)], frame, 0.009)
        pen.line([(x - wide / 2, low + high / 2), (x + wide / 2, low + high / 2)], frame, 0.009)


def _cabin(pen: Pen) -> None:
    wood = pen.plate.rng.uniform(0.2, 0.4)
    _chimney(pen, -0.12, 0.62)
    pen.box(-0.5, 0, 0.5, 0.36, wood, wood * 0.75)
    for i in range(8):
        pen.line([(-0.52, i * 0.045 + 0.02), (0.52, i * 0.045 + 0.02)], wood * 0.6, 0.009)
    pen.poly([(-0.57, 0.35), (0.57, 0.35), (0.42, 0.62), (-0.42, 0.62)], _roof(pen, wood * 0.8),
             _roof(pen, wood * 0.6))
    pen.box(0.1, 0, 0.24, 0.27, 0.12)
    _windows(pen, (-0.32, -0.08, 0.38), 0.12, (0.11, 0.12), 0.75)


def _villa(pen: Pen) -> None:
    wall = pen.plate.rng.uniform(0.68, 0.92)
    _chimney(pen, 0.2, 0.95)
    pen.box(-0.45, 0, 0.45, 0.62, wall, wall * 0.8)
    pen.poly([(-0.5, 0.6), (0.5, 0.6), (0.3, 0.92), (-0.3, 0.92)], _roof(pen, 0.35), _roof(pen, 0.25))
    pen.box(-0.19, 0, 0.17, 0.72, wall * 0.95, wall * 0.75)
    pen.poly([(-0.24, 0.7), (0.22, 0.7), (-0.01, 1.02)], _roof(pen, 0.3), _roof(pen, 0.22))
    _windows(pen, (-0.34, 0.33), 0.08, (0.12, 0.17), 0.5)
    _windows(pen, (-0.34, -0.09, 0.08, 0.33), 0.38, (0.1, 0.15), 0.5)
    pen.disc(-0.01, 0.82, 0.04, 0.15)
    pen.box(-0.24, 0.24, 0.22, 0.27, 0.3)
    for x in (-0.22, -0.1, 0.08, 0.2):
        pen.line([(x, 0), (x, 0.25)], 0.95, 0.018)
    pen.box(-0.05, 0, 0.04, 0.2, 0.18)


def _farmhouse(pen: Pen) -> None:
    wall, board = pen.plate.rng.uniform(0.35, 0.75), pen.plate.rng.random() < 0.6
    _chimney(pen, -0.3, 0.66)
    _chimney(pen, 0.28, 0.66)
    pen.box(-0.62, 0, 0.62, 0.4, wall, wall * 0.8)
    if board:
        for i in range(32):
            pen.line([(-0.61 + i * 0.039, 0), (-0.61 + i * 0.039, 0.4)], wall * 0.82, 0.005)
    pen.poly([(-0.66, 0.39), (0.66, 0.39), (0.6, 0.66), (-0.6, 0.66)], _roof(pen, 0.32), _roof(pen, 0.2))
    _windows(pen, (-0.5, -0.3, 0.24, 0.44), 0.14, (0.1, 0.16))
    pen.box(-0.12, 0, 0.1, 0.44, wall * 0.9)
    pen.poly([(-0.16, 0.43), (0.14, 0.43), (-0.01, 0.56)], _roof(pen, 0.28))
    pen.box(-0.07, 0, 0.05, 0.28, 0.1)


def _apartments(pen: Pen) -> None:
    rng = pen.plate.rng
    wall, floors, columns = rng.uniform(0.4, 0.85), rng.randint(4, 6), rng.randint(5, 7)
    high = floors * 0.17 + 0.08
    pen.box(-0.45, 0, 0.45, high, wall, wall * 0.8)
    pen.poly([(0.45, 0), (0.62, 0.03), (0.62, high - 0.05), (0.45, high)], wall * 0.45, wall * 0.35)
    pen.poly([(-0.48, high), (0.47, high), (0.4, high + 0.08), (-0.42, high + 0.08)], _roof(pen, 0.28))
    for floor in range(floors):
        xs = tuple(-0.4 + (i + 0.5) * 0.8 / columns for i in range(columns))
        _windows(pen, xs, 0.06 + floor * 0.17, (0.065, 0.105), wall * 1.08)
    pen.box(-0.06, 0, 0.06, 0.15, 0.08)


_HOUSES = {"log cabin": _cabin, "villa": _villa, "farmhouse": _farmhouse, "apartment house": _apartments}


def draw_church(plate: Plate, scene: Scene) -> None:
    """A church from the side or the front, on a hill, in a village or in a churchyard."""
    rng = plate.rng
    horizon = rng.uniform(0.58, 0.75)
    plate.sky(horizon)
    backdrop(plate, horizon, rng)
    plate.ground(horizon, rng.uniform(0.3, 0.5), 0.3)
    scale, x = rng.uniform(0.5, 0.78), rng.uniform(0.35, 0.65) * plate.aspect
    foot = horizon + rng.uniform(0.03, 0.12)
    if scene.setting == "on a hill":
        foot -= 0.06
        plate.pen(x, foot + 0.25, 1).disc(0, 0, 0.85, 0.42, 0.26, 0.3)
        scale *= 0.85
    scale = min(scale, (foot - 0.02) / 1.42, plate.aspect * 0.95)
    pen = plate.pen(x, foot, scale, scene.facing)
    pen.shadow(-0.5, 0.5)
    _CHURCHES[scene.kind](pen)
    if scene.setting == "with its churchyard":
        for _ in range(rng.randint(9, 22)):
            _grave(plate, rng.uniform(0.02, 0.98) * plate.aspect, foot + rng.uniform(0.06, 0.25))
    for _ in range(rng.randint(0, 4)):
        tree(plate, rng.choice((rng.uniform(-0.02, 0.2), rng.uniform(0.8, 1.02))) * plate.aspect,
             foot + rng.uniform(0.0, 0.1),
             rng.uniform(0.3, 0.6))
    for _ in range(rng.choice((0, 0, 2, 5))):
        person(plate, rng.uniform(0.25, 0.75) * plate.aspect, foot + rng.uniform(0.06, 0.14),
               rng.uniform(0.09, 0.13))


def _grave(plate: Plate, x: float, y: float) -> None:
    pen = plate.pen(x, y, plate.rng.uniform(0.05, 0.09))
    if plate.rng.random() < 0.6:
        pen.line([(0, 0), (0, 1)], 0.15, 0.14)
        pen.line([(-0.3, 0.7), (0.3, 0.7)], 0.15, 0.14)
    else:
        pen.box(-0.3, 0, 0.3, 0.6, 0.6, 0.4)
        pen.disc(0, 0.6, 0.3, 0.6)


def _cross(pen: Pen, x: float, y: float, size: float) -> None:
    pen.line([(x, y), (x, y + size)], 0.1, 0.014)
    pen.line([(x - size * 0.3, y + size * 0.65), (x + size * 0.3, y + size * 0.65)], 0.1, 0.014)


def _arched(pen: Pen, x: float, low: float, wide: float, high: float) -> None:
    pen.pane(x - wide / 2, low, x + wide / 2, low + high)
    pen.disc(x, low + high, wide / 2, 0.92 if pen.plate.light.dark else 0.14)


def _stone_church(pen: Pen) -> None:
    wall = pen.plate.rng.uniform(0.4, 0.75)
    pen.box(-0.2, 0, 0.6, 0.38, wall, wall * 0.75)
    pen.poly([(-0.25, 0.37), (0.64, 0.37), (0.56, 0.66), (-0.2, 0.66)], _roof(pen, 0.3), _roof(pen, 0.2))
    for x in (0.0, 0.16, 0.32, 0.48):
        _arched(pen, x, 0.1, 0.06, 0.15)
    pen.box(-0.46, 0, -0.18, 0.78, wall * 1.05, wall * 0.7)
    pen.poly([(-0.5, 0.77), (-0.14, 0.77), (-0.32, 1.22)], _roof(pen, 0.25), 0.2)
    _cross(pen, -0.32, 1.2, 0.12)
    _arched(pen, -0.32, 0.55, 0.07, 0.1)
    pen.disc(-0.32, 0.46, 0.05, 0.9)
    pen.box(-0.37, 0, -0.27, 0.17, 0.1)


def _wooden_church(pen: Pen) -> None:
    wall = pen.plate.rng.uniform(0.55, 0.9)
    pen.poly([(-0.36, 0), (0.36, 0), (0.36, 0.42), (0, 0.72), (-0.36, 0.42)], wall, wall * 0.75)
    for i in range(17):
        x = -0.34 + i * 0.0425
        pen.line([(x, 0), (x, 0.42 + (0.36 - abs(x)) * 0.8)], wall * 0.8, 0.005)
    pen.line([(-0.42, 0.39), (0, 0.74), (0.42, 0.39)], _roof(pen, 0.2), 0.05)
    pen.box(-0.11, 0.5, 0.11, 0.92, wall * 0.95, wall * 0.7)
    pen.poly([(-0.15, 0.91), (0.15, 0.91), (0.02, 1.35), (-0.02, 1.35)], _roof(pen, 0.25), 0.18)
    _cross(pen, 0, 1.34, 0.12)
    _arched(pen, 0, 0.68, 0.08, 0.12)
    for x in (-0.22, 0.22):
        _arched(pen, x, 0.12, 0.08, 0.18)
    pen.box(-0.08, 0, 0.08, 0.24, 0.12)


def _domed_church(pen: Pen) -> None:
    wall = pen.plate.rng.uniform(0.65, 0.95)
    pen.box(-0.48, 0, 0.48, 0.4, wall, wall * 0.75)
    pen.box(-0.5, 0.4, 0.5, 0.44, _roof(pen, 0.35))
    for x, size, up in ((-0.36, 0.1, 0.44), (0.36, 0.1, 0.44), (0.0, 0.2, 0.44)):
        pen.box(x - size * 0.8, up, x + size * 0.8, up + size * 1.1, wall * 0.95, wall * 0.7)
        bulb = [(px, py) for px, py in oval(x, up + size * 1.7, size * 1.05, size * 0.8)]
        pen.poly(bulb, 0.5 if not pen.plate.light.snowy else 0.95, 0.15)
        pen.poly([(x - size * 0.4, up + size * 2.35), (x + size * 0.4, up + size * 2.35), (x, up + size * 3)],
                 0.35)
        _cross(pen, x, up + size * 2.9, 0.1)
        _arched(pen, x, up + size * 0.2, size * 0.4, size * 0.5)
    for x in (-0.36, -0.2, 0.2, 0.36):
        _arched(pen, x, 0.12, 0.07, 0.14)
    pen.box(-0.08, 0, 0.08, 0.24, 0.12)


_CHURCHES = {"stone church": _stone_church, "wooden church": _wooden_church, "domed church": _domed_church}


def draw_factory(plate: Plate, scene: Scene) -> None:
    """A factory with its chimneys: halls with saw-tooth roofs, a brick mill, or a sawmill yard."""
    rng = plate.rng
    horizon = rng.uniform(0.55, 0.74)
    plate.sky(horizon)
    backdrop(plate, horizon, rng)
    plate.ground(horizon, rng.uniform(0.28, 0.45), 0.35)
    foot = horizon + rng.uniform(0.02, 0.08)
    wind = rng.uniform(0.25, 0.8) * scene.facing
    for x in spread(plate, scene.number, 0.15, 0.85):
        _stack(plate.pen(x, foot, rng.uniform(0.42, 0.62), depth=0.15), wind)
    pen = plate.pen(rng.uniform(0.4, 0.6) * plate.aspect, foot, plate.aspect * rng.uniform(0.6, 0.95),
                    scene.facing)
    _FACTORIES[scene.kind](pen)
    if scene.setting == "by the river":
        plate.water(foot + rng.uniform(0.04, 0.12), 0.3)
    elif rng.random() < 0.6:
        for _ in range(rng.randint(2, 9)):
            person(plate, rng.uniform(0.05, 0.95) * plate.aspect, foot + rng.uniform(0.08, 0.2),
                   rng.uniform(0.1, 0.16))


def _stack(pen: Pen, wind: float) -> None:
    x, y = pen.place(0, 1.02)
    pen.plate.smoke(x, y, 0.055 * pen.scale, wind * pen.scale, pen.plate.rng.choice((0.15, 0.3, 0.5)), 20)
    pen.poly([(-0.07, 0), (0.07, 0), (0.042, 1), (-0.042, 1)], 0.42, 0.35)
    pen.poly([(0.01, 0), (0.07, 0), (0.042, 1), (0.012, 1)], 0.28)
    for up in (0.9, 0.95):
        pen.line([(-0.05, up), (0.05, up)], 0.75, 0.018)


def _sawtooth(pen: Pen) -> None:
    wall, teeth = pen.plate.rng.uniform(0.35, 0.6), pen.plate.rng.randint(4, 7)
    step = 1.0 / teeth
    for i in range(teeth):
        x = -0.5 + i * step
        pen.poly([(x, 0.16), (x + step, 0.16), (x + step, 0.28)], _roof(pen, wall * 0.8),
                 _roof(pen, wall * 0.6))
        pen.poly([(x + step - 0.018, 0.17), (x + step, 0.17), (x + step, 0.28), (x + step - 0.018, 0.265)],
                 0.9)
    pen.box(-0.5, 0, 0.5, 0.165, wall, wall * 0.75)
    for i in range(teeth * 3):
        pen.pane(-0.485 + i * step / 3, 0.05, -0.485 + i * step / 3 + step * 0.2, 0.12)


def _mill(pen: Pen) -> None:
    wall, floors = pen.plate.rng.uniform(0.25, 0.45), pen.plate.rng.randint(3, 5)
    high = floors * 0.085 + 0.03
    pen.box(-0.5, 0, 0.3, high, wall, wall * 0.75)
    pen.box(-0.5, high, 0.3, high + 0.018, _roof(pen, wall * 0.5))
    for floor in range(floors):
        for i in range(11):
            left = -0.475 + i * 0.07
            pen.pane(left, 0.03 + floor * 0.085, left + 0.04, 0.085 + floor * 0.085, 0.75)
    pen.box(0.3, 0, 0.5, high * 0.5, wall * 1.2, wall)
    pen.poly([(0.29, high * 0.5), (0.51, high * 0.5), (0.4, high * 0.72)], _roof(pen, wall * 0.6))
    pen.box(-0.28, high, -0.16, high + 0.12, wall * 0.9)
    pen.poly([(-0.3, high + 0.12), (-0.14, high + 0.12), (-0.22, high + 0.18)], _roof(pen, 0.2))


def _sawmill(pen: Pen) -> None:
    wall = pen.plate.rng.uniform(0.45, 0.65)
    pen.box(-0.42, 0, 0.12, 0.17, wall, wall * 0.7)
    pen.poly([(-0.46, 0.165), (0.16, 0.165), (0.1, 0.29), (-0.4, 0.29)], _roof(pen, 0.3), _roof(pen, 0.22))
    for i in range(6):
        pen.pane(-0.38 + i * 0.08, 0.06, -0.34 + i * 0.08, 0.12)
    for column in range(3):
        for row in range(pen.plate.rng.randint(4, 7)):
            left = 0.17 + column * 0.115
            pen.box(left, row * 0.026, left + 0.1, row * 0.026 + 0.021, 0.85 - 0.08 * (row % 2), 0.65)
    pen.poly([(0.16, 0.1), (-0.05, 0.26), (-0.03, 0.28), (0.19, 0.12)], 0.3)


_FACTORIES = {"factory with saw-tooth roofs": _sawtooth, "brick factory": _mill, "sawmill": _sawmill}

SUBJECTS = (
    Subject("house", tuple(_HOUSES),
            ("in its yard", "in its yard", "by the lake", "at the edge of the forest"), draw_houses),
    Subject("church", tuple(_CHURCHES), ("in the village", "on a hill", "with its churchyard"), draw_church,
            numbers=(1,), upright=0.45),
    Subject("factory", tuple(_FACTORIES), ("in the yard", "by the river"), draw_factory, upright=0.05),
)
