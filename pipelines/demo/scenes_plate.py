"""The plate a scene is drawn on: light, sky, ground, weather, and pens that place shapes on it.

Everything is grey and drawn at twice the size of the finished picture. The plate measures 1 from top to
bottom and `aspect` from left to right. A value is how light a surface is, 0 to 1; the plate's light makes it
a tone.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Field = NDArray[np.floating[Any]]
Point = tuple[float, float]

OVERSAMPLING = 2
_AMBIENT = {"day": 1.0, "evening": 0.56, "night": 0.46}
_SKY = {"day": (0.62, 0.88), "evening": (0.34, 0.86), "night": (0.05, 0.2)}
_HAZE = {"clear": 0.3, "cloudy": 0.38, "rain": 0.55, "snow": 0.5, "fog": 0.8}
_SHADE = {"clear": 1.0, "cloudy": 0.88, "rain": 0.72, "snow": 0.95, "fog": 0.95}


@dataclass(frozen=True)
class Light:
    """Time of day (day, evening, night) and weather (clear, cloudy, rain, snow, fog)."""

    time: str = "day"
    weather: str = "clear"

    @property
    def dark(self) -> bool:
        """Whether lamps are lit."""
        return self.time == "night"

    @property
    def snowy(self) -> bool:
        """Whether roofs and ground are white."""
        return self.weather == "snow"

    @property
    def horizon(self) -> float:
        """The sky's value where it meets the ground, which is also what distance fades into."""
        return _SKY[self.time][1] * _SHADE[self.weather]

    @property
    def zenith(self) -> float:
        """The sky's value at the top."""
        value = _SKY[self.time][0] * _SHADE[self.weather]
        return value * 1.25 if self.weather == "fog" and not self.dark else value

    def value(self, surface: float, depth: float = 0.0) -> float:
        """How light a surface looks from `depth` (0 near, 1 far) in this light."""
        lit = surface * _AMBIENT[self.time] * (0.9 if self.weather == "rain" else 1.0)
        fade = min(1.0, depth * _HAZE[self.weather] + (0.1 if self.weather == "fog" else 0.0))
        return lit * (1 - fade) + self.horizon * fade


def noise(rng: random.Random, shape: tuple[int, int], cells: tuple[int, int], octaves: int = 3) -> Field:
    """Smooth random values 0..1 of a (height, width); `cells` is how many blotches there are each way."""
    generator = np.random.default_rng(rng.getrandbits(48))
    total = np.zeros(shape, dtype=np.float32)
    for octave in range(octaves):
        rows, columns = cells[0] * 2**octave + 2, cells[1] * 2**octave + 2
        grid = Image.fromarray(generator.random((rows, columns), dtype=np.float32))
        total += np.asarray(grid.resize((shape[1], shape[0]), Image.Resampling.BICUBIC)) / 2**octave
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


class Plate:
    """A grey picture being drawn; `image` holds it at OVERSAMPLING times its final size."""

    def __init__(self, size: tuple[int, int], light: Light, rng: random.Random) -> None:
        self.light = light
        self.rng = rng
        self.unit = size[1] * OVERSAMPLING
        self.image = Image.new("L", (size[0] * OVERSAMPLING, self.unit))
        self.draw = ImageDraw.Draw(self.image)
        self.aspect = size[0] / size[1]

    def pen(self, x: float, y: float, scale: float, facing: int = 1, turn: float = 0.0,
            depth: float = 0.0) -> "Pen":
        """A pen whose origin is at (x, y) of the plate and whose unit is `scale`; `turn` is in degrees."""
        return Pen(self, x, y, scale, facing, math.radians(turn), depth)

    def sky(self, horizon: float) -> None:
        """Fill the plate from the top to the horizon: gradient, clouds, and a sun, a moon or stars."""
        small = (max(8, int(self.unit * horizon / 4)), self.image.width // 4)
        light, rng = self.light, self.rng
        ramp = np.linspace(0, 1, small[0], dtype=np.float32)[:, None] ** rng.uniform(0.8, 1.8)
        field = light.zenith + (light.horizon - light.zenith) * ramp + np.zeros(small, dtype=np.float32)
        field += self._clouds(small)
        field += self._luminary(small)
        self.lay(field, 0, horizon)
        if light.dark and light.weather == "clear":
            self._stars(horizon)

    def _clouds(self, small: tuple[int, int]) -> Field:
        rng, light = self.rng, self.light
        strength = {"clear": 0.12, "cloudy": 0.5, "rain": 0.4, "snow": 0.22, "fog": 0.06}[light.weather]
        cells = (rng.randint(2, 5), rng.randint(1, 4))
        cloud = np.clip((noise(rng, small, cells, 4) - 0.45) * 2.4, -0.6, 1)
        tilt = np.linspace(-1, 1, small[1], dtype=np.float32)[None, :] * rng.uniform(-0.1, 0.1)
        sign = -1 if light.weather == "rain" else 1
        dimmed, faint = (0.35, 0.5) if light.dark else (0.6, 1.0)
        field: Field = sign * cloud * strength * dimmed + tilt * faint
        return field

    def _luminary(self, small: tuple[int, int]) -> Field:
        rng, light = self.rng, self.light
        low = light.time == "evening"
        x = rng.uniform(0.1, 0.9) * small[1]
        y = rng.uniform(*((0.7, 0.95) if low else (0.12, 0.5))) * small[0]
        if light.weather in ("rain", "snow", "fog") or (light.time == "day" and rng.random() < 0.7):
            return np.zeros(small, dtype=np.float32)
        rows, columns = np.mgrid[0 : small[0], 0 : small[1]]
        distance = np.hypot(columns - x, rows - y) / (self.unit / 4)
        radius = rng.uniform(0.02, 0.045)
        disc = np.clip((radius - distance) * 60, 0, 1) * 0.8
        field: Field = disc + np.exp(-distance * (5 if low else 9)) * (0.35 if light.dark else 0.3)
        return field

    def _stars(self, horizon: float) -> None:
        for _ in range(self.rng.randint(30, 90)):
            x, y = self.rng.random() * self.image.width, self.rng.random() ** 1.4 * horizon * self.unit
            radius = self.rng.choice((1, 1, 1, 2))
            self.draw.ellipse((x, y, x + radius, y + radius), fill=self.rng.randint(120, 230))

    def ground(self, horizon: float, surface: float, roughness: float = 0.2) -> None:
        """Fill from the horizon down with earth, grass or snow that gets clearer the nearer it lies."""
        surface = 0.93 if self.light.snowy else surface
        self.lay(self._floor(horizon, surface, (5, 6), roughness * (0.4 if self.light.snowy else 1)), horizon,
                 1)

    def water(self, horizon: float, surface: float = 0.42) -> None:
        """Fill from the horizon down with water: long ripples, and the sky's light on them."""
        surface = surface * 0.6 + (self.light.horizon / max(self.light.value(1), 0.1)) * 0.25
        self.lay(self._floor(horizon, surface, (self.rng.randint(16, 30), 2), 0.32), horizon, 1)

    def _floor(self, horizon: float, surface: float, cells: tuple[int, int], roughness: float) -> Field:
        small = (max(8, int(self.unit * (1 - horizon) / 4)), self.image.width // 4)
        depth = np.linspace(1, 0, small[0], dtype=np.float32)[:, None] ** 3
        near, far = self.light.value(surface), self.light.value(surface, 0.9)
        texture = (noise(self.rng, small, cells, 4) - 0.5) * roughness * self.light.value(1)
        lean = np.linspace(-1, 1, small[1], dtype=np.float32)[None, :] * self.rng.uniform(-0.12, 0.12) * near
        field: Field = near + (far - near) * depth + texture * (1 - 0.7 * depth) + lean
        return field

    def lay(self, field: Field, top: float, bottom: float) -> None:
        """Stretch a field of values over a band of the plate."""
        first, last = round(top * self.unit), round(bottom * self.unit)
        band = Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8))
        self.image.paste(band.resize((self.image.width, max(1, last - first)), Image.Resampling.BILINEAR),
                         (0, first))

    def ridge(self, base: float, height: float, surface: float, depth: float,
              jag: float = 0.5) -> list[Point]:
        """Draw a line of hills whose feet stand at `base`; the skyline's points, from left to right."""
        steps = 40
        line = noise(self.rng, (1, steps), (1, self.rng.randint(2, 5)), 4 if jag > 0.4 else 2)[0]
        points = [(i / (steps - 1) * self.aspect, base - height * (0.15 + 0.85 * float(v))) for i,
                  v in enumerate(line)]
        self.polygon([*points, (self.aspect, base + 0.01), (0, base + 0.01)],
                     self.light.value(surface, depth))
        return points

    def treeline(self, base: float, height: float, depth: float, surface: float = 0.2) -> None:
        """Draw a far edge of forest: a fringe of pointed crowns."""
        x = -height
        skyline: list[Point] = []
        while x < self.aspect + height:
            tall = height * self.rng.uniform(0.55, 1)
            skyline += [(x, base - tall * 0.5), (x + height * 0.12, base - tall)]
            x += height * self.rng.uniform(0.18, 0.34)
        surface = 0.45 if self.light.snowy else surface
        self.polygon([(-1, base), *skyline, (self.aspect + 1, base)], self.light.value(surface, depth))

    def polygon(self, points: Sequence[Point], value: float) -> None:
        """Fill a polygon given in plate coordinates with one value as seen, light included."""
        self.draw.polygon([(x * self.unit, y * self.unit) for x, y in points], fill=tone(value))

    def soft(self, blobs: Sequence[tuple[float, float, float, float]], value: float, strength: float = 1.0,
             blur: float = 2.0) -> None:
        """Blurred ellipses (x, y, half width, half height): smoke, shadows, glows; the value is as seen."""
        unit, margin = self.unit / 4, math.ceil(blur * 3)
        left, right = min(x - wide for x, _, wide, _ in blobs), max(x + wide for x, _, wide, _ in blobs)
        top, bottom = min(y - high for _, y, _, high in blobs), max(y + high for _, y, _, high in blobs)
        left, top = max(0, int(left * unit) - margin), max(0, int(top * unit) - margin)
        right = min(self.image.width // 4, math.ceil(right * unit) + margin)
        bottom = min(self.image.height // 4, math.ceil(bottom * unit) + margin)
        if right <= left or bottom <= top:
            return  # outside the picture
        small = Image.new("L", (right - left, bottom - top))
        draw = ImageDraw.Draw(small)
        for x, y, wide, high in blobs:
            across, down = x * unit - left, y * unit - top
            box = (across - wide * unit, down - high * unit, across + wide * unit, down + high * unit)
            draw.ellipse(box, fill=round(255 * strength))
        mask = small.filter(ImageFilter.BoxBlur(blur)).filter(ImageFilter.BoxBlur(blur))
        mask = mask.resize((small.width * 4, small.height * 4), Image.Resampling.BILINEAR)
        self.image.paste(tone(value), (left * 4, top * 4, left * 4 + mask.width, top * 4 + mask.height), mask)

    def smoke(self, x: float, y: float, size: float, wind: float, value: float = 0.75,
              length: int = 16) -> None:
        """A plume that rises from (x, y), widens and drifts with the wind."""
        blobs = []
        for i in range(length):
            t = i / length
            radius = size * (0.35 + 1.9 * t) * self.rng.uniform(0.7, 1.15)
            blobs.append((x + wind * t * (0.35 + t) + self.rng.uniform(-1, 1) * size * t,
                          y - size * (7 * t - 3 * t * t), radius, radius))
        self.soft(blobs, self.light.value(value), 0.8, 1.5)

    def weather(self) -> None:
        """Let it snow, rain or be foggy over what is drawn."""
        if self.light.weather == "snow":
            self._flakes()
        elif self.light.weather == "rain":
            self._streaks()
        elif self.light.weather == "fog":
            veil = Image.new("L", self.image.size, tone(self.light.horizon))
            ramp = np.clip(noise(self.rng, (60, 80), (3, 1), 2) * 90 + np.linspace(10, 60, 60)[:, None], 0,
                           130)
            mask = Image.fromarray(ramp.astype(np.uint8)).resize(self.image.size, Image.Resampling.BILINEAR)
            self.image.paste(veil, mask=mask)

    def _flakes(self) -> None:
        bright = tone(0.75 if self.light.dark else 1.0)
        for _ in range(self.rng.randint(220, 420)):
            x, y = self.rng.random() * self.image.width, self.rng.random() * self.image.height
            r = self.unit * self.rng.choice((0.0015, 0.002, 0.003, 0.005))
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=bright)

    def _streaks(self) -> None:
        slant = self.rng.uniform(-0.25, 0.25)
        for _ in range(self.rng.randint(160, 260)):
            x, y = self.rng.random() * self.image.width, self.rng.random() * self.image.height
            long = self.unit * 0.05
            self.draw.line((x, y, x + slant * long, y + long),
                           fill=tone(self.light.horizon * self.rng.uniform(0.7, 1)), width=1)


class Pen:
    """Draws shapes given in its own coordinates (x along the facing, y upwards) in the plate's light."""

    def __init__(self, plate: Plate, x: float, y: float, scale: float, facing: int, turn: float,
                 depth: float) -> None:
        self.plate, self.x, self.y, self.scale, self.facing, self.depth = plate, x, y, scale, facing, depth
        self._cos, self._sin = math.cos(turn), math.sin(turn)

    def place(self, x: float, y: float) -> Point:
        """A point of the pen in plate coordinates."""
        across, up = self.facing * (x * self._cos - y * self._sin), x * self._sin + y * self._cos
        return self.x + self.scale * across, self.y - self.scale * up

    def seen(self, surface: float) -> float:
        """The value of a surface in this light from this pen's distance."""
        return self.plate.light.value(surface, self.depth)

    def poly(self, points: Sequence[Point], surface: float, to: float | None = None) -> None:
        """Fill a polygon; with `to` it shades from `surface` at its upper edge to `to` at its lower one."""
        placed = [self.place(x, y) for x, y in points]
        if to is None:
            self.plate.polygon(placed, self.seen(surface))
            return
        pixels = [(x * self.plate.unit, y * self.plate.unit) for x, y in placed]
        left, top = (math.floor(min(p[i] for p in pixels)) for i in (0, 1))
        right, bottom = (math.ceil(max(p[i] for p in pixels)) + 1 for i in (0, 1))
        mask = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in pixels], fill=255)
        ramp = np.linspace(tone(self.seen(surface)), tone(self.seen(to)), 16,
                           dtype=np.float32).astype(np.uint8)
        shade = Image.fromarray(ramp[:, None]).resize(mask.size, Image.Resampling.BILINEAR)
        self.plate.image.paste(shade, (left, top), mask)

    def box(self, left: float, low: float, right: float, high: float, surface: float,
            to: float | None = None) -> None:
        """Fill an upright rectangle."""
        self.poly([(left, low), (right, low), (right, high), (left, high)], surface, to)

    def disc(self, x: float, y: float, wide: float, surface: float, high: float | None = None,
             to: float | None = None) -> None:
        """Fill an ellipse with half axes `wide` and `high`."""
        self.poly(oval(x, y, wide, wide if high is None else high), surface, to)

    def line(self, points: Sequence[Point], surface: float, width: float = 0.01) -> None:
        """Draw a line of that width, in the pen's units."""
        placed = [self.place(x, y) for x, y in points]
        pixels = [(x * self.plate.unit, y * self.plate.unit) for x, y in placed]
        wide = max(1, round(width * self.scale * self.plate.unit))
        self.plate.draw.line(pixels, fill=tone(self.seen(surface)), width=wide, joint="curve")

    def pane(self, left: float, low: float, right: float, high: float, surface: float = 0.14) -> None:
        """A window: dark by day, mostly lit at night."""
        corners = [self.place(x, y) for x, y in ((left, low), (right, low), (right, high), (left, high))]
        lit = self.plate.light.time != "day" and self.plate.rng.random() < 0.75
        self.plate.polygon(corners, 0.92 if lit else self.seen(surface))

    def lamp(self, x: float, y: float, radius: float) -> None:
        """A lamp with its glow, lit at night and a pale disc by day."""
        at = self.place(x, y)
        if self.plate.light.dark:
            self.plate.soft([(*at, radius * self.scale * 3, radius * self.scale * 3)], 0.95, 0.55, 4)
        ring = [(at[0] + px * self.scale, at[1] + py * self.scale) for px, py in oval(0, 0, radius, radius)]
        self.plate.polygon(ring, 1.0 if self.plate.light.dark else self.seen(0.8))

    def shadow(self, left: float, right: float, y: float = 0.0, depth: float = 0.03) -> None:
        """The soft shadow of a thing that stands from `left` to `right`."""
        (ax, ay), (bx, by) = self.place(left, y), self.place(right, y)
        blob = ((ax + bx) / 2, (ay + by) / 2, abs(bx - ax) / 2, depth * self.scale)
        self.plate.soft([blob], self.seen(0.45 if self.plate.light.snowy else 0.08), 0.6, 2)


def tone(value: float) -> int:
    """A value between 0 and 1 as a grey level."""
    return max(0, min(255, round(value * 255)))


def oval(x: float, y: float, wide: float, high: float, steps: int = 28) -> list[Point]:
    """The points of an ellipse."""
    turns = [2 * math.pi * i / steps for i in range(steps)]
    return [(x + wide * math.cos(t), y + high * math.sin(t)) for t in turns]
