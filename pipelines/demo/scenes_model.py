"""What a picture shows: a scene, and the subjects a scene can have."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.demo.scenes_plate import Light, Plate

ALL_DAY = ("day", "day", "day", "evening", "night")
ALL_WEATHER = ("clear", "clear", "cloudy", "cloudy", "rain", "snow", "snow", "fog")


@dataclass(frozen=True)
class Scene:
    """One picture to be drawn; scenes of different names are different pictures."""

    name: str
    subject: str
    kind: str
    number: int
    setting: str
    light: Light
    facing: int
    size: tuple[int, int]


@dataclass(frozen=True)
class Subject:
    """A class of pictures: what can vary in it, and how it is drawn on a plate."""

    name: str
    kinds: tuple[str, ...]
    settings: tuple[str, ...]
    draw: Callable[[Plate, Scene], None]
    numbers: tuple[int, ...] = (1, 1, 2, 3)
    times: tuple[str, ...] = ALL_DAY
    weathers: tuple[str, ...] = ALL_WEATHER
    upright: float = 0.15  # share of pictures higher than wide


def spread(plate: Plate, number: int, low: float, high: float) -> list[float]:
    """`number` places from left to right between two shares of the plate's width, a little out of step."""
    if number == 1:
        return [plate.aspect * plate.rng.uniform(low + (high - low) * 0.25, high - (high - low) * 0.25)]
    step = (high - low) / (number - 1)
    return [plate.aspect * (low + i * step + plate.rng.uniform(-0.1, 0.1) * step) for i in range(number)]


def backdrop(plate: Plate, horizon: float, rng: random.Random) -> None:
    """Something far away above the horizon: hills, forest, roofs of a town, or nothing."""
    choice = rng.choice(("hills", "forest", "town", "nothing", "hills"))
    if choice == "hills":
        plate.ridge(horizon + 0.005, rng.uniform(0.06, 0.22), rng.uniform(0.3, 0.55), 0.75)
    if choice == "forest":
        plate.treeline(horizon + 0.005, rng.uniform(0.05, 0.16), 0.55)
    if choice == "town":
        skyline(plate, horizon + 0.005, rng.uniform(0.05, 0.14))


def skyline(plate: Plate, base: float, height: float) -> None:
    """Far houses, side by side, with a tower or two."""
    x = -0.05
    while x < plate.aspect:
        wide, tall = height * plate.rng.uniform(0.5, 1.3), height * plate.rng.uniform(0.35, 0.8)
        pen = plate.pen(x, base, 1, depth=0.7)
        surface = plate.rng.uniform(0.25, 0.6)
        pen.box(0, 0, wide, tall, surface)
        roof = 0.9 if plate.light.snowy else surface * 0.6
        pen.poly([(-0.004, tall), (wide + 0.004, tall), (wide / 2, tall + wide * 0.35)], roof)
        if plate.rng.random() < 0.12:
            pen.box(wide * 0.3, 0, wide * 0.6, height * 1.3, surface * 0.8)
            pen.poly([(wide * 0.28, height * 1.3), (wide * 0.62, height * 1.3), (wide * 0.45, height * 1.75)],
                     roof * 0.7)
        if plate.light.dark:
            pen.pane(wide * 0.4, tall * 0.3, wide * 0.4 + 0.012, tall * 0.3 + 0.014)
        x += wide * plate.rng.uniform(0.9, 1.3)


def person(plate: Plate, x: float, feet: float, height: float, depth: float = 0.0) -> None:
    """A standing figure seen from some way off: coat or skirt, hat or none."""
    rng = plate.rng
    pen = plate.pen(x, feet, height, rng.choice((-1, 1)), depth=depth)
    cloth, face = rng.choice((0.1, 0.16, 0.25, 0.4, 0.65)), rng.uniform(0.6, 0.75)
    pen.shadow(-0.1, 0.25, 0, 0.035)
    if rng.random() < 0.4:
        pen.poly([(-0.15, 0), (0.15, 0), (0.09, 0.5), (0.13, 0.8), (-0.13, 0.8), (-0.09, 0.5)], cloth,
                 cloth * 0.7)
    else:
        pen.poly([(-0.1, 0), (-0.02, 0), (0.0, 0.4), (0.03, 0), (0.11, 0), (0.1, 0.5), (-0.1, 0.5)],
                 cloth * 0.7)
        pen.poly([(-0.12, 0.36), (0.12, 0.36), (0.14, 0.8), (-0.14, 0.8)], cloth, cloth * 0.8)
    pen.line([(0.13, 0.78), (0.18, 0.6), (0.12, 0.45)], cloth * 0.85, 0.06)
    pen.disc(0, 0.89, 0.07, face, 0.085)
    if rng.random() < 0.7:
        pen.poly([(-0.12, 0.93), (0.12, 0.93), (0.075, 0.95), (0.06, 1.03), (-0.06, 1.03), (-0.075, 0.95)],
                 cloth * 0.6)


def tree(plate: Plate, x: float, base: float, height: float, depth: float = 0.0,
         kind: str | None = None) -> None:
    """A spruce, pine or leafy tree; leafless in snow."""
    rng = plate.rng
    kind = kind or rng.choice(("spruce", "pine", "birch"))
    pen = plate.pen(x, base, height, rng.choice((-1, 1)), depth=depth)
    snow = plate.light.snowy
    if kind == "spruce":
        pen.box(-0.015, 0, 0.015, 0.3, 0.2)
        for i in range(7):
            low, wide = 0.1 + i * 0.12, 0.2 - i * 0.026
            edge = rng.uniform(-0.015, 0.015)
            pen.poly([(-wide, low + edge), (0, low + 0.24), (wide, low - edge)],
                     0.62 if snow and i % 2 else 0.22 - 0.01 * (i % 3), 0.13)
        return
    trunk = 0.85 if kind == "birch" else 0.32
    pen.poly([(-0.02, 0), (0.02, 0), (0.008, 0.75), (-0.006, 0.75)], trunk, trunk * 0.7)
    for _ in range(5 if kind == "birch" else 3):
        up = rng.uniform(0.45, 0.7)
        pen.line([(0, up), (rng.uniform(-0.16, 0.16), up + rng.uniform(0.1, 0.22))], trunk * 0.8, 0.012)
    if snow and kind == "birch":
        return
    low = 0.4 if kind == "birch" else 0.62
    for _ in range(16):
        up = rng.uniform(low, 0.94)
        across = rng.uniform(-1, 1) * 0.17 * (1.2 - abs(up - 0.7) * 2)
        pen.disc(across, up, rng.uniform(0.05, 0.09), rng.uniform(0.14, 0.38) + (0.3 if snow else 0),
                 rng.uniform(0.035, 0.06))
