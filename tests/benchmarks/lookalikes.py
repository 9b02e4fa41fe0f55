"""Different pictures that look alike, as archives have them by the hundred; no two show the same.

Backs of postcards (print and lines the same, the handwriting not), map sheets of one series (frame, grid and
legend the same, the coast not), studio portraits (pose and backdrop the same, the sitter not), and one square
photographed again and again (the houses the same, light, sky and people not).
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Rng = np.random.Generator


def lookalikes(n_each: int) -> list[Image.Image]:
    """`n_each` of every kind, always the same ones."""
    kinds: tuple[Callable[[Rng], Image.Image], ...] = (_postcard, _sheet, _portrait, _square)
    return [
        _grained(draw(rng), rng)
        for place, draw in enumerate(kinds)
        for rng in (np.random.default_rng([place, number]) for number in range(n_each))
    ]


def _grained(picture: Image.Image, rng: Rng) -> Image.Image:
    """As a camera or a scanner sees it: a little soft, with grain and uneven light."""
    tones = np.asarray(picture.filter(ImageFilter.GaussianBlur(1))).astype(float)
    height, width = tones.shape[:2]
    across, down = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
    light = 1 + rng.normal(0, 0.03) * across + rng.normal(0, 0.03) * down
    tones = tones * light[:, :, None] + rng.normal(0, 4, (height, width, 1))
    return Image.fromarray(tones.clip(0, 255).astype(np.uint8))


def _postcard(rng: Rng) -> Image.Image:
    card = Image.new("RGB", (600, 380), (226, 214, 188))
    pen = ImageDraw.Draw(card)
    pen.line((300, 40, 300, 350), (120, 100, 80), 2)
    pen.rectangle((520, 25, 575, 90), outline=(120, 100, 80), width=2)
    for y in (200, 240, 280, 320):
        pen.line((330, y, 580, y), (150, 130, 110), 1)
    ink = tuple(int(tone) for tone in rng.integers(20, 90, 3))
    written = ((20, 285, range(60, 340, int(rng.integers(24, 44)))), (335, 570, range(195, 280, 40)))
    for left, right, lines in written:
        for y in lines:
            end = left + (right - left) * rng.uniform(0.3, 1)
            xs = np.arange(left + rng.uniform(0, 40), end, 5)
            pen.line([(float(x), y + float(rng.normal(0, 5))) for x in xs] + [(end, y)], ink, 2)
    if rng.random() < 0.7:
        pen.ellipse((rng.uniform(430, 480), 30, rng.uniform(500, 530), 100), outline=(60, 60, 60), width=3)
    return card


def _sheet(rng: Rng) -> Image.Image:
    sheet = Image.new("RGB", (560, 520), (240, 234, 214))
    pen = ImageDraw.Draw(sheet)
    coast = np.cumsum(rng.normal(0, 22, 24)) + rng.uniform(150, 400)
    land = [(float(np.clip(x, 45, 515)), 40 + 19 * i) for i, x in enumerate(coast)]
    side = 45 if rng.random() < 0.5 else 515
    pen.polygon([*land, (side, 477), (side, 40)], (222, 206, 160), (90, 80, 60))
    for _ in range(int(rng.integers(4, 12))):
        x, y, r = rng.uniform(70, 480), rng.uniform(60, 420), rng.uniform(8, 60)
        pen.ellipse((x, y, x + r, y + r * rng.uniform(0.4, 1.5)), outline=(150, 110, 70), width=2)
    for place in range(100, 500, 80):
        pen.line((place, 40, place, 480), (160, 170, 190), 1)
        pen.line((45, place, 515, place), (160, 170, 190), 1)
    pen.rectangle((45, 40, 515, 480), outline=(40, 40, 40), width=4)
    pen.rectangle((380, 400, 500, 470), (250, 246, 230), (40, 40, 40), 2)
    return sheet


def _portrait(rng: Rng) -> Image.Image:
    sitter = Image.new("RGB", (400, 540), (118, 104, 88))
    pen = ImageDraw.Draw(sitter)
    x, y = 200 + rng.normal(0, 12), 190 + rng.normal(0, 12)
    wide, tall = rng.uniform(55, 75), rng.uniform(75, 95)
    coat = int(rng.integers(20, 110))
    left, right = x - rng.uniform(130, 180), x + rng.uniform(130, 180)
    pen.ellipse((left, y + tall * 0.9, right, 700), (coat, coat, coat))
    hair, end = int(rng.integers(20, 170)), y + rng.uniform(-10, 80)
    pen.ellipse((x - wide * 1.15, y - tall * 1.25, x + wide * 1.15, end), (hair, hair, hair))
    pen.ellipse((x - wide, y - tall, x + wide, y + tall), (206, 182, 158))
    for eye in (-0.4, 0.4):
        pen.ellipse((x + eye * wide - 9, y - 16, x + eye * wide + 9, y - 6), (50, 40, 36))
    pen.line((x - 18, y + 46, x + 18, y + 46 + rng.normal(0, 4)), (120, 70, 60), 5)
    if rng.random() < 0.5:
        end = y + tall * rng.uniform(1.1, 1.5)
        pen.ellipse((x - wide * 0.8, y + 38, x + wide * 0.8, end), (hair, hair, hair))
    if rng.random() < 0.5:
        pen.polygon(((x - 30, y + tall), (x + 30, y + tall), (x, y + tall + 130)), (230, 226, 220))
    return sitter


def _square(rng: Rng) -> Image.Image:
    sky = int(rng.integers(120, 245))
    place = Image.new("RGB", (640, 420), (sky, sky, min(255, sky + 10)))
    pen = ImageDraw.Draw(place)
    shift = rng.normal(0, 25)
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(0, 560), rng.uniform(0, 90)
        pen.ellipse((x, y, x + rng.uniform(60, 200), y + 40), (min(255, sky + 30),) * 3)
    ground = int(rng.integers(70, 220))
    pen.rectangle((0, 290, 640, 420), (ground, ground, ground - 12))
    sun = rng.uniform(0.5, 1.5)
    houses = ((0, 130, 150, 150), (150, 170, 260, 110), (260, 90, 330, 170), (330, 150, 640, 130))
    for left, top, right, tone in houses:
        lit = int(min(255, tone * sun))
        pen.rectangle((left + shift, top, right + shift, 300), (lit, lit - 8, lit - 20))
    for _ in range(int(rng.integers(2, 30))):
        x, y = rng.uniform(0, 620), rng.uniform(290, 380)
        dark = int(rng.integers(10, 120))
        pen.rectangle((x, y, x + 8 + (y - 290) / 8, y + 26 + (y - 290) / 2), (dark, dark, dark))
    return place
