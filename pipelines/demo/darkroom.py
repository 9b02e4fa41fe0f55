"""What became of a plate: toning, grain, halftone, fading, scratches, borders; and its file."""

import io
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Values = NDArray[np.floating[Any]]

_TONES = {  # black, middle and white of the print
    "silver": ((12, 12, 13), (126, 126, 127), (246, 246, 245)),
    "warm": ((26, 21, 17), (136, 128, 118), (247, 241, 229)),
    "sepia": ((42, 26, 14), (152, 120, 84), (246, 230, 198)),
    "brown": ((48, 32, 24), (160, 136, 112), (240, 226, 204)),
    "selenium": ((22, 16, 26), (126, 118, 130), (242, 240, 244)),
    "cyanotype": ((14, 30, 58), (84, 120, 158), (236, 242, 246)),
}
_BORDERS = ("none", "none", "none", "white", "white", "album", "rounded", "postcard")
_FORMATS = {"jpg": "image/jpeg", "png": "image/png", "tif": "image/tiff", "webp": "image/webp"}


@dataclass(frozen=True)
class Print:
    """How one plate was printed and what became of the print."""

    tone: str = "silver"
    contrast: float = 1.0
    fading: float = 0.0
    blur: float = 0.0
    grain: float = 0.03
    halftone: bool = False
    vignette: float = 0.0
    scratches: int = 0
    border: str = "none"
    tilt: float = 0.0


def choose_print(rng: random.Random, subject: str) -> Print:
    """A print as it might turn up in an archive's box: maps are crisp, portraits often in ovals."""
    drawn = subject == "map"
    border = "oval" if subject == "portrait" and rng.random() < 0.3 else rng.choice(_BORDERS)
    return Print(
        tone=rng.choices(tuple(_TONES), (36, 21, 24, 12, 5, 0 if subject == "portrait" else 2))[0],
        contrast=rng.uniform(0.85, 1.25),
        fading=0.0 if rng.random() < 0.5 else rng.uniform(0.04, 0.2),
        blur=0.0 if drawn or rng.random() < 0.6 else rng.uniform(0.4, 1.1),
        grain=rng.uniform(0.008, 0.02) if drawn else rng.uniform(0.015, 0.06),
        halftone=not drawn and rng.random() < 0.09,
        vignette=0.0 if drawn or rng.random() < 0.45 else rng.uniform(0.15, 0.55),
        scratches=0 if rng.random() < 0.6 else rng.randint(1, 6),
        border="none" if drawn and border == "album" else border,
        tilt=0.0 if rng.random() < 0.7 else rng.uniform(-1.4, 1.4),
    )


def develop(plate: Image.Image, size: tuple[int, int], how: Print, rng: random.Random) -> Image.Image:
    """The finished print of a grey plate, in RGB, `size` wide and high with its border."""
    grey = plate.resize(size, Image.Resampling.BOX)
    if how.blur:
        grey = grey.filter(ImageFilter.GaussianBlur(how.blur))
    values: Values = np.asarray(grey, dtype=np.float32) / 255
    values = np.clip((_exposed(values) - 0.5) * how.contrast + 0.5, 0, 1)
    values = _vignetted(values, how.vignette)
    if how.halftone:
        values = _screened(values, rng)
    values = values * (1 - how.fading) + how.fading * 0.72
    values = values + _grain(values.shape, how.grain, rng)
    image = _toned(values, how.tone)
    _scratch(image, how.scratches, rng)
    return _mount(image, how, rng)


def _exposed(values: Values) -> Values:
    """A thin negative is printed harder, as far as paper goes: nights stay dark."""
    low, high = (float(v) for v in np.percentile(values[::6, ::6], (1, 99)))
    gain = min(1.7, max(1.0, 0.88 / max(high - low, 0.01)))
    return (values - low) * gain + min(low, 0.05 + 0.5 * max(0.0, 0.6 - high * gain))


def _vignetted(values: Values, strength: float) -> Values:
    if not strength:
        return values
    rows = np.linspace(-1, 1, values.shape[0], dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, values.shape[1], dtype=np.float32)[None, :]
    falloff: Values = 1 - strength * np.clip(rows**2 + columns**2 - 0.5, 0, 1.5) / 1.5
    return values * falloff


def _screened(values: Values, rng: random.Random) -> Values:
    period = rng.uniform(3.2, 4.6)
    rows, columns = np.mgrid[0 : values.shape[0], 0 : values.shape[1]].astype(np.float32)
    u, v = (columns + rows) * (2.2 / period), (columns - rows) * (2.2 / period)
    dots = np.cos(u) * np.cos(v) * 0.5 + 0.5
    screened = np.clip((values - dots) * 4 + 0.5, 0, 1)
    return np.asarray(values * 0.5 + screened * 0.5)


def _grain(shape: tuple[int, ...], strength: float, rng: random.Random) -> Values:
    generator = np.random.default_rng(rng.getrandbits(48))
    fine = generator.standard_normal(shape, dtype=np.float32)
    fine[1:] += 0.6 * fine[:-1]
    fine[:, 1:] += 0.6 * fine[:, :-1]
    return np.asarray(fine * (strength * 0.75))


def _toned(values: Values, tone: str) -> Image.Image:
    grey = Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
    black, middle, white = _TONES[tone]
    levels = np.arange(256)
    tables = [np.interp(levels, (0, 128, 255), ends).round().astype(int).tolist()
              for ends in zip(black, middle, white, strict=True)]
    return Image.merge("RGB", [grey.point(table) for table in tables])


def _scratch(image: Image.Image, count: int, rng: random.Random) -> None:
    draw = ImageDraw.Draw(image)
    light = image.getpixel((image.width // 2, 2))
    bright = tuple(min(255, 150 + int(c) // 2) for c in light) if isinstance(light, tuple) else 235
    for _ in range(count):
        x, y = rng.random() * image.width, rng.random() * image.height
        length, slant = rng.uniform(0.05, 0.5) * image.height, rng.uniform(-0.15, 0.15)
        draw.line((x, y, x + slant * length, y + length), fill=bright, width=1)
    for _ in range(count * 3):
        x, y, r = rng.random() * image.width, rng.random() * image.height, rng.choice((0.6, 1, 1.4))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=bright)


def _mount(image: Image.Image, how: Print, rng: random.Random) -> Image.Image:
    if how.tilt:
        image = _tilted(image, how.tilt)
    paper = tuple(_TONES[how.tone][2])
    if how.border == "none":
        return image
    if how.border == "oval":
        return _masked(image, paper, "oval")
    if how.border == "rounded":
        return _masked(image, paper, "rounded")
    if how.border == "album":
        return _in_album(image, rng)
    margin = round(min(image.size) * rng.uniform(0.025, 0.06))
    foot = margin * 3 if how.border == "postcard" else margin
    inner = image.resize((image.width - 2 * margin, image.height - margin - foot), Image.Resampling.BILINEAR)
    sheet = Image.new("RGB", image.size, paper)
    sheet.paste(inner, (margin, margin))
    if how.border == "postcard":
        _write(sheet, margin, foot, rng)
    return sheet


def _tilted(image: Image.Image, degrees: float) -> Image.Image:
    turned = image.rotate(degrees, Image.Resampling.BILINEAR)
    cut_x, cut_y = round(image.width * 0.025), round(image.height * 0.025)
    inner = turned.crop((cut_x, cut_y, image.width - cut_x, image.height - cut_y))
    return inner.resize(image.size, Image.Resampling.BILINEAR)


def _masked(image: Image.Image, paper: tuple[int, ...], shape: str) -> Image.Image:
    mask = Image.new("L", image.size)
    inset = round(min(image.size) * 0.035)
    box = (inset, inset, image.width - inset, image.height - inset)
    draw = ImageDraw.Draw(mask)
    if shape == "oval":
        draw.ellipse(box, fill=255)
    else:
        draw.rounded_rectangle(box, radius=inset * 2, fill=255)
    sheet = Image.new("RGB", image.size, paper)
    sheet.paste(image, mask=mask.filter(ImageFilter.GaussianBlur(1.2)))
    return sheet


def _in_album(image: Image.Image, rng: random.Random) -> Image.Image:
    shade = rng.randint(38, 84)
    sheet = Image.new("RGB", image.size, (shade + 14, shade + 8, shade))
    margin = round(min(image.size) * rng.uniform(0.05, 0.08))
    inner = image.resize((image.width - 2 * margin, image.height - 2 * margin), Image.Resampling.BILINEAR)
    sheet.paste(inner, (margin, margin))
    draw, corner = ImageDraw.Draw(sheet), margin * 2
    right, bottom = image.width - margin // 2, image.height - margin // 2
    for x, y, dx, dy in ((margin // 2, margin // 2, 1, 1), (right, margin // 2, -1, 1),
                         (margin // 2, bottom, 1, -1), (right, bottom, -1, -1)):
        draw.polygon([(x, y), (x + dx * corner, y), (x, y + dy * corner)],
                     fill=(shade - 20, shade - 22, shade - 24))
    return sheet


def _write(sheet: Image.Image, margin: int, foot: int, rng: random.Random) -> None:
    draw = ImageDraw.Draw(sheet)
    x, base = margin * rng.uniform(1.5, 4), sheet.height - foot * 0.45
    ink = (70, 60, 66)
    for _ in range(rng.randint(2, 4)):  # words of a hand nobody can read any more
        points = []
        for i in range(rng.randint(8, 18)):
            points.append((x, base - (rng.random() * foot * 0.3 if i % 2 else 0)))
            x += foot * 0.11
        draw.line(points, fill=ink, width=1)
        x += foot * 0.25


def encode(image: Image.Image, extension: str, quality: int = 88) -> bytes:
    """The print's file; the extension is one of those in CONTENT_TYPES."""
    buffer = io.BytesIO()
    if extension == "jpg":
        image.save(buffer, "JPEG", quality=quality)
    elif extension == "png":
        image.convert("L").save(buffer, "PNG")
    elif extension == "tif":
        image.save(buffer, "TIFF", compression="tiff_lzw")
    else:
        image.save(buffer, "WEBP", quality=quality)
    return buffer.getvalue()


def content_type(extension: str) -> str:
    """The media type a server gives a file of that extension."""
    return _FORMATS[extension]


def reduced(image: Image.Image, share: float) -> Image.Image:
    """A smaller copy of a print."""
    size = (round(image.width * share), round(image.height * share))
    return image.resize(size, Image.Resampling.LANCZOS)


def retoned(image: Image.Image, tone: str) -> Image.Image:
    """The same print in another tone, a little flatter."""
    values = np.asarray(image.convert("L"), dtype=np.float32) / 255
    return _toned(values * 0.94 + 0.02, tone)


def mirrored(image: Image.Image) -> Image.Image:
    """The same print the wrong way round, as from a plate laid face down."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)

