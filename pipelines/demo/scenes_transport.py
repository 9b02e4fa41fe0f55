"""Ships and aeroplanes."""

from pipelines.demo.scenes_model import Scene, Subject, backdrop, person, skyline, spread
from pipelines.demo.scenes_plate import Pen, Plate


def draw_ships(plate: Plate, scene: Scene) -> None:
    """Ships at sea, or in a harbour with a quay."""
    rng = plate.rng
    horizon = rng.uniform(0.38, 0.68)
    plate.sky(horizon)
    if scene.setting != "at sea":
        backdrop(plate, horizon, rng)
        skyline(plate, horizon + 0.005, rng.uniform(0.05, 0.12))
    plate.water(horizon, rng.uniform(0.25, 0.5))
    base = {1: rng.uniform(0.62, 1.15), 2: rng.uniform(0.45, 0.65), 3: rng.uniform(0.32, 0.48)}[scene.number]
    for i, x in enumerate(spread(plate, scene.number, 0.2, 0.8)):
        scale = base * plate.aspect / 1.4 * rng.uniform(0.8, 1.1)
        low = horizon + rng.uniform(0.03, 0.1) + scale * 0.07 + (0.06 * (i % 2))
        pen = plate.pen(x, low, scale, scene.facing, depth=0.1 + (0.2 if scale < 0.5 else 0))
        _SHIPS[scene.kind](pen)
        _wake(plate, pen, scene)
    if scene.setting == "in harbour" and rng.random() < 0.6:
        _quay(plate)


def _wake(plate: Plate, pen: Pen, scene: Scene) -> None:
    x, y = pen.place(0, -0.03)
    dark = plate.light.value(0.12)
    plate.soft([(x, y + 0.02 * pen.scale, 0.46 * pen.scale, 0.028 * pen.scale)], dark, 0.55, 1.5)
    for _ in range(14):
        across, down = plate.rng.uniform(-0.48, 0.5), plate.rng.uniform(0.0, 0.12)
        pen.line([(across, -down), (across + plate.rng.uniform(0.03, 0.1), -down)],
                 plate.rng.choice((0.15, 0.2, 0.85)), 0.005)
    if scene.setting == "at sea":
        pen.poly([(0.5, -0.02), (0.3, -0.005), (-0.6, -0.015), (-0.75, -0.03), (-0.3, -0.035), (0.4, -0.035)],
                 0.92)


def _quay(plate: Plate) -> None:
    rng = plate.rng
    top = rng.uniform(0.86, 0.93)
    pen = plate.pen(0, 1, 1)
    pen.box(0, 0, plate.aspect, 1 - top, 0.8 if plate.light.snowy else 0.45, 0.2)
    for _ in range(rng.randint(1, 4)):
        x = rng.uniform(0.05, plate.aspect - 0.05)
        if rng.random() < 0.5:
            pen.box(x, 1 - top, x + 0.035, 1 - top + 0.05, 0.1)
        else:
            person(plate, x, top + 0.03, rng.uniform(0.12, 0.18))


def _hull(pen: Pen, surface: float, deck: float = 0.09, sheer: float = 0.05) -> None:
    pen.poly([(-0.46, -0.02), (0.44, -0.02), (0.5, deck + sheer), (0.2, deck), (-0.3, deck),
              (-0.5, deck + sheer * 0.4)],
             surface, surface * 0.55)
    pen.line([(0.5, deck + sheer), (0.2, deck), (-0.3, deck), (-0.5, deck + sheer * 0.4)],
             min(1.0, surface + 0.3), 0.008)


def _mast(pen: Pen, x: float, low: float, high: float) -> None:
    pen.line([(x, low), (x, high)], 0.12, 0.01)
    pen.line([(x, high), (0.47, 0.12)], 0.2, 0.002)
    pen.line([(x, high), (-0.47, 0.1)], 0.2, 0.002)


def _steamship(pen: Pen) -> None:
    rng = pen.plate.rng
    dark, funnels, high = rng.choice((0.08, 0.15, 0.7)), rng.choice((1, 1, 2, 3)), rng.uniform(0.07, 0.12)
    _mast(pen, 0.3, high, rng.uniform(0.32, 0.42))
    _mast(pen, -0.34, high, rng.uniform(0.26, 0.36))
    for i in range(funnels):
        x = 0.08 - i * 0.12
        pen.poly([(x - 0.03, 0.14), (x + 0.03, 0.14), (x + 0.02, 0.31), (x - 0.035, 0.31)],
                 0.18 if dark > 0.5 else 0.6, 0.2)
        pen.box(x - 0.036, 0.27, x + 0.022, 0.31, 0.06)
        px, py = pen.place(x, 0.32)
        pen.plate.smoke(px, py, 0.04 * pen.scale, -pen.facing * rng.uniform(0.15, 0.6) * pen.scale, 0.3, 12)
    _hull(pen, dark, high)
    pen.box(-0.28, high, 0.2, high + 0.05, 0.88, 0.7)
    pen.box(-0.2, high + 0.05, 0.16, high + 0.085, 0.8, 0.65)
    pen.box(0.1, high + 0.085, 0.18, high + 0.13, 0.75)
    for i in range(14):
        pen.pane(-0.26 + i * 0.032, high + 0.02, -0.248 + i * 0.032, high + 0.034)
    for i in range(18):
        pen.pane(-0.4 + i * 0.045, 0.035, -0.39 + i * 0.045, 0.045, 0.6)


def _sailing_ship(pen: Pen) -> None:
    rng = pen.plate.rng
    masts = rng.choice((2, 3, 3))
    square, surface = rng.random() < 0.6, rng.uniform(0.75, 0.95)
    _hull(pen, rng.choice((0.1, 0.2, 0.8)), 0.06, 0.04)
    pen.line([(0.48, 0.09), (0.66, 0.16)], 0.15, 0.012)
    pen.poly([(0.28, 0.42), (0.64, 0.155), (0.3, 0.12)], surface, surface * 0.75)
    for i in range(masts):
        x, high = 0.25 - i * 0.58 / masts, 0.62 - 0.07 * (i % 2) - 0.03 * i
        _mast(pen, x, 0.06, high)
        if not square:
            pen.poly([(x - 0.01, high - 0.05), (x - 0.2, high - 0.16), (x - 0.22, 0.12), (x - 0.01, 0.1)],
                     surface, surface * 0.7)
            continue
        for step in range(3):
            low, top, wide = 0.12 + step * 0.15, 0.255 + step * 0.15, 0.115 - step * 0.025
            if top < high:
                pen.poly([(x - wide, low), (x + wide * 1.1, low + 0.01), (x + wide * 0.85, top),
                          (x - wide * 0.85, top)],
                         surface - 0.05 * (i % 2), surface * 0.7)


def _warship(pen: Pen) -> None:
    rng = pen.plate.rng
    grey = rng.uniform(0.3, 0.5)
    _hull(pen, grey, 0.07, 0.035)
    pen.poly([(-0.14, 0.07), (0.16, 0.07), (0.13, 0.14), (-0.1, 0.14)], grey + 0.12, grey)
    pen.poly([(0.03, 0.14), (0.13, 0.14), (0.11, 0.26), (0.05, 0.26)], grey + 0.18, grey)
    pen.line([(0.08, 0.26), (0.08, 0.42)], grey * 0.5, 0.012)
    pen.line([(0.03, 0.36), (0.13, 0.36)], grey * 0.5, 0.006)
    for x in (-0.02, -0.1)[: rng.randint(1, 2)]:
        pen.poly([(x - 0.03, 0.12), (x + 0.025, 0.12), (x + 0.015, 0.24), (x - 0.03, 0.24)], grey, grey * 0.5)
        px, py = pen.place(x, 0.25)
        pen.plate.smoke(px, py, 0.035 * pen.scale, -pen.facing * rng.uniform(0.1, 0.5) * pen.scale, 0.15, 11)
    for x, way in ((0.27, 1), (0.2, 1), (-0.22, -1), (-0.33, -1)):
        up = 0.1 if x in (0.2, -0.22) else 0.07
        pen.poly([(x - 0.04, up), (x + 0.04, up), (x + 0.025, up + 0.04), (x - 0.03, up + 0.04)], grey + 0.1,
                 grey * 0.7)
        pen.line([(x + way * 0.02, up + 0.028), (x + way * 0.12, up + 0.045)], grey * 0.4, 0.011)


def _fishing_boat(pen: Pen) -> None:
    rng = pen.plate.rng
    _hull(pen, rng.choice((0.15, 0.55, 0.85)), 0.12, 0.1)
    pen.box(-0.36, 0.12, -0.1, 0.34, 0.85, 0.65)
    pen.box(-0.38, 0.34, -0.08, 0.37, 0.3)
    for x in (-0.32, -0.23, -0.16):
        pen.pane(x, 0.22, x + 0.05, 0.29)
    _mast(pen, 0.12, 0.12, 0.72)
    pen.line([(0.12, 0.66), (-0.12, 0.42)], 0.2, 0.012)
    if rng.random() < 0.6:
        pen.poly([(0.11, 0.64), (-0.11, 0.42), (0.1, 0.2)], 0.72, 0.5)
    for x in (0.2, 0.3, 0.38):
        pen.disc(x, 0.19, 0.028, 0.9, 0.04)


_SHIPS = {"steamship": _steamship, "sailing ship": _sailing_ship, "warship": _warship,
          "fishing boat": _fishing_boat}


def draw_aeroplanes(plate: Plate, scene: Scene) -> None:
    """Aeroplanes in flight, or standing on an airfield."""
    rng = plate.rng
    flying = scene.setting == "in flight"
    horizon = rng.uniform(0.8, 1.0) if flying else rng.uniform(0.45, 0.62)
    plate.sky(min(1.0, horizon))
    if horizon < 0.97:
        backdrop(plate, horizon, rng)
        plate.ground(horizon, rng.uniform(0.4, 0.62))
    if not flying and rng.random() < 0.6:
        _hangar(plate, horizon)
    base = {1: rng.uniform(0.75, 1.2), 2: rng.uniform(0.5, 0.72), 3: rng.uniform(0.36, 0.5)}[scene.number]
    turn = rng.uniform(-16, 22) if flying else rng.choice((0, 6))
    first = rng.uniform(0.25, 0.6) if flying else horizon + rng.uniform(0.1, 0.2)
    for i, x in enumerate(spread(plate, scene.number, 0.22, 0.78)):
        y = first + ((i % 2) * 0.24 - 0.08) * (scene.number > 1) * (1 if flying else 0.7)
        scale = base * plate.aspect / 1.4 * rng.uniform(0.9, 1.05)
        pen = plate.pen(x, y, scale, scene.facing, turn + rng.uniform(-3, 3) * flying, 0.1)
        if not flying:
            pen.shadow(-0.45, 0.4, -0.15, 0.035)
        _PLANES[scene.kind](pen, flying)
    if not flying and rng.random() < 0.55:
        for _ in range(rng.randint(1, 4)):
            person(plate, rng.uniform(0.1, 0.9) * plate.aspect, rng.uniform(horizon + 0.22, 0.95),
                   rng.uniform(0.17, 0.24))


def _hangar(plate: Plate, horizon: float) -> None:
    rng = plate.rng
    pen = plate.pen(rng.uniform(0, 0.7) * plate.aspect, horizon + 0.01, rng.uniform(0.3, 0.5), depth=0.5)
    pen.disc(0.5, 0.3, 0.5, 0.9 if plate.light.snowy else 0.4, 0.2)
    pen.box(0, 0, 1, 0.32, 0.62, 0.5)
    pen.box(0.15, 0, 0.85, 0.26, 0.15)


def _fuselage(pen: Pen, surface: float, thick: float) -> None:
    pen.poly([(0.44, 0), (0.4, thick), (0.18, thick * 1.25), (-0.42, thick * 0.45), (-0.46, 0.01),
              (-0.4, -thick * 0.15),
              (0.1, -thick), (0.4, -thick * 0.8)], surface, surface * 0.6)


def _tail(pen: Pen, surface: float, high: float) -> None:
    pen.poly([(-0.3, 0.02), (-0.38, high), (-0.47, high), (-0.47, 0.01)], surface, surface * 0.8)
    pen.poly([(-0.32, 0.025), (-0.48, 0.035), (-0.49, 0.015), (-0.36, 0.01)], surface * 0.6)


def _airscrew(pen: Pen, x: float, y: float, size: float, flying: bool) -> None:
    if flying:
        pen.disc(x, y, size * 0.09, 0.55, size)
    pen.poly([(x - 0.008, y - size), (x + 0.008, y - size), (x + 0.008, y + size), (x - 0.008, y + size)],
             0.1)
    pen.disc(x + 0.01, y, 0.016, 0.3)


def _wheels(pen: Pen, flying: bool, x: float = 0.16, low: float = -0.13) -> None:
    if flying and pen.plate.rng.random() < 0.4:
        return
    pen.line([(x - 0.05, -0.05), (x, low), (x + 0.05, -0.05)], 0.15, 0.008)
    pen.disc(x, low - 0.01, 0.036, 0.08)
    pen.disc(x, low - 0.01, 0.014, 0.6)


def _marks(pen: Pen, x: float, y: float) -> None:
    for size, surface in ((0.035, 0.85), (0.024, 0.2), (0.011, 0.85)):
        pen.disc(x, y, size, surface)


def _biplane(pen: Pen, flying: bool) -> None:
    surface = pen.plate.rng.choice((0.3, 0.5, 0.8))
    pen.poly([(0.02, -0.075), (0.28, -0.075), (0.3, -0.055), (0.04, -0.05)], surface * 0.6)
    _wheels(pen, flying)
    _fuselage(pen, surface, 0.065)
    _tail(pen, surface * 0.9, 0.14)
    pen.disc(0.0, 0.095, 0.022, 0.65, 0.026)
    for x in (0.06, 0.12, 0.22, 0.28):
        pen.line([(x, -0.06), (x + 0.03, 0.2)], 0.2, 0.007)
    pen.line([(0.06, -0.06), (0.31, 0.2)], 0.3, 0.003)
    pen.poly([(0.03, 0.19), (0.36, 0.2), (0.37, 0.222), (0.05, 0.225)], min(1, surface * 1.2), surface * 0.7)
    _airscrew(pen, 0.45, 0.0, 0.14, flying)
    _marks(pen, -0.2, 0.02)


def _monoplane(pen: Pen, flying: bool) -> None:
    surface = pen.plate.rng.choice((0.28, 0.45, 0.75))
    _wheels(pen, flying)
    _fuselage(pen, surface, 0.07)
    _tail(pen, surface, 0.17)
    pen.poly([(0.12, 0.08), (0.06, 0.13), (-0.06, 0.12), (-0.12, 0.06)], 0.8, 0.55)
    pen.line([(0.05, 0.08), (0.04, 0.13)], 0.2, 0.005)
    pen.poly([(0.24, -0.02), (-0.02, -0.02), (-0.2, -0.14), (-0.1, -0.16)], surface * 0.85, surface * 0.4)
    pen.poly([(0.2, 0.06), (0.1, 0.06), (0.02, 0.12), (0.07, 0.13)], surface * 0.7)
    _airscrew(pen, 0.45, 0.0, 0.13, flying)
    _marks(pen, -0.2, 0.03)


def _bomber(pen: Pen, flying: bool) -> None:
    surface = pen.plate.rng.choice((0.22, 0.38))
    _wheels(pen, flying, 0.1, -0.15)
    _fuselage(pen, surface, 0.085)
    _tail(pen, surface, 0.2)
    for x in (0.3, 0.36, 0.4):
        pen.pane(x, 0.005, x + 0.03, 0.045, 0.8)
    pen.poly([(0.2, 0.09), (0.15, 0.14), (0.05, 0.14), (0.02, 0.09)], 0.75, 0.5)
    pen.poly([(0.2, 0.0), (-0.1, 0.0), (-0.42, -0.2), (-0.28, -0.24)], surface * 0.9, surface * 0.4)
    pen.poly([(0.18, 0.07), (0.02, 0.07), (-0.02, 0.2), (0.05, 0.22)], surface * 0.75)
    for x, y in ((0.22, -0.06), (0.04, -0.15)):
        pen.disc(x - 0.05, y, 0.09, surface * 0.9, 0.045, surface * 0.4)
        _airscrew(pen, x + 0.05, y, 0.11, flying)
    pen.disc(-0.14, 0.09, 0.035, 0.6)
    for i in range(5):
        pen.pane(-0.02 + i * 0.05, 0.03, 0.01 + i * 0.05, 0.05, 0.75)


def _seaplane(pen: Pen, flying: bool) -> None:
    surface = pen.plate.rng.choice((0.5, 0.72, 0.88))
    pen.poly([(0.36, -0.13), (0.3, -0.18), (-0.18, -0.17), (-0.28, -0.13)], surface, surface * 0.5)
    for x in (0.2, 0.05, -0.1):
        pen.line([(x, -0.13), (x - 0.02, -0.03)], 0.25, 0.009)
    _fuselage(pen, surface, 0.06)
    _tail(pen, surface * 0.9, 0.16)
    pen.line([(0.1, 0.02), (0.14, 0.16)], 0.25, 0.01)
    pen.line([(-0.02, 0.02), (0.02, 0.16)], 0.25, 0.01)
    pen.poly([(-0.08, 0.155), (0.26, 0.165), (0.28, 0.19), (-0.05, 0.19)], surface, surface * 0.55)
    for x in (0.14, 0.2, 0.26):
        pen.pane(x, 0.02, x + 0.035, 0.055)
    _airscrew(pen, 0.45, 0.0, 0.12, flying)


_PLANES = {"biplane": _biplane, "monoplane": _monoplane, "bomber": _bomber, "seaplane": _seaplane}

SUBJECTS = (
    Subject("ship", tuple(_SHIPS), ("at sea", "at sea", "in harbour"), draw_ships),
    Subject("aeroplane", tuple(_PLANES), ("in flight", "in flight", "on the airfield"), draw_aeroplanes,
            upright=0.1),
)
