"""Every mode of picture becomes RGB of eight bits as it should."""

import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, TiffImagePlugin

from lake.errors import FetchError
from pipelines.image_facts import decode
from tests.hostile_files import png
from tests.test_image_facts import ANY_SIZE, saved, scene


def grey16() -> Image.Image:
    """Grey in 16 bits whose high byte is the scene's green."""
    return Image.fromarray(np.asarray(scene().getchannel("G")).astype(np.uint16) * 257)


def half_clear() -> Image.Image:
    """Red on the left, nothing on the right."""
    image = Image.new("RGBA", (96, 80), (200, 0, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 48, 80))
    return image


@pytest.mark.parametrize(("content", "format_", "mode", "left", "right"), [
    (saved(Image.new("CMYK", (96, 80), (0, 255, 255, 0)), "TIFF"), "TIFF", "CMYK", (255, 0, 0), (255, 0, 0)),
    (saved(half_clear(), "PNG"), "PNG", "RGBA", (200, 0, 0), (255, 255, 255)),
    (saved(half_clear(), "WEBP", lossless=True), "WEBP", "RGBA", (200, 0, 0), (255, 255, 255)),
    (saved(half_clear().convert("LA"), "PNG"), "PNG", "LA", (60, 60, 60), (255, 255, 255)),
    (saved(half_clear().quantize(8), "PNG"), "PNG", "P", (200, 0, 0), (255, 255, 255)),
    (saved(grey16(), "PNG"), "PNG", "I;16", (0, 0, 0), (0, 0, 0)),
    (saved(grey16(), "TIFF"), "TIFF", "I;16", (0, 0, 0), (0, 0, 0)),
    (saved(scene().convert("L"), "PNG"), "PNG", "L", None, None),
    (saved(Image.new("1", (96, 80), 1), "PNG"), "PNG", "1", (255, 255, 255), (255, 255, 255)),
    (saved(Image.new("F", (96, 80), 0.4), "TIFF"), "TIFF", "F", (102, 102, 102), (102, 102, 102)),
    (saved(half_clear().convert("RGB"), "AVIF"), "AVIF", "RGB", None, None),
    (saved(scene(), "JPEG2000"), "JPEG2000", "RGB", None, None),
], ids=lambda value: value if isinstance(value, str) else "")
def test_every_mode_becomes_rgb_properly(content, format_, mode, left, right):
    decoded = decode(content, ANY_SIZE)
    assert (decoded.format, decoded.mode, decoded.picture.mode) == (format_, mode, "RGB")
    assert left is None or decoded.picture.getpixel((0, 0)) == left
    assert right is None or decoded.picture.getpixel((95, 0)) == right


def test_sixteen_bits_of_grey_are_scaled_not_clipped():
    picture = decode(saved(grey16(), "PNG"), ANY_SIZE).picture
    assert picture.getchannel("R").tobytes() == scene().getchannel("G").tobytes()


def test_a_clear_tone_of_sixteen_bits_is_white():
    content = saved(grey16(), "PNG", transparency=0)
    assert decode(content, ANY_SIZE).picture.getpixel((0, 0)) == (255, 255, 255)
    assert decode(content, ANY_SIZE).picture.getpixel((60, 60)) != (255, 255, 255)


def test_a_clear_colour_of_sixteen_bits_is_white_and_no_other():
    clear, other = struct.pack(">3H", 1000, 2000, 3000), struct.pack(">3H", 59392, 53248, 47104)
    rows = (b"\0" + clear * 48 + other * 48) * 80
    content = png(96, 80, (b"tRNS", clear), (b"IDAT", zlib.compress(rows)), depth=16)
    picture = decode(content, ANY_SIZE).picture
    assert (picture.getpixel((0, 0)), picture.getpixel((95, 0))) == ((255, 255, 255), (232, 208, 184))


def test_a_negative_of_sixteen_bits_is_shown_as_a_positive():
    picture = decode(saved(grey16(), "TIFF", tiffinfo={262: 0}), ANY_SIZE).picture
    assert np.array_equal(255 - np.asarray(picture.getchannel("R")), np.asarray(scene().getchannel("G")))


def test_twelve_bits_of_grey_fill_eight():
    picture = decode(tiff_of_12_bits([[0, 2048], [4095, 16]]), ANY_SIZE).picture
    assert np.asarray(picture.getchannel("R")).tolist() == [[0, 128], [255, 1]]


def tiff_of_12_bits(rows: list[list[int]]) -> bytes:
    """Two tones lie in three bytes."""
    packed = b"".join(((left << 12) | right).to_bytes(3, "big") for left, right in rows)
    tags = {256: 2, 257: len(rows), 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: len(rows), 279: len(packed)}
    folder = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 8 + len(packed)) + packed + bytes([len(tags), 0]) + folder + bytes(4)


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf, -3.4028235e38])
def test_a_number_that_is_missing_does_not_flatten_the_rest(missing):
    values = np.asarray(scene().getchannel("G")).astype(np.float32) * 37 - 500
    with_gap = values.copy()
    with_gap[5, 5] = missing
    contents = [saved(Image.fromarray(one), "TIFF") for one in (values, with_gap)]
    whole, torn = (np.array(decode(content, ANY_SIZE).picture) for content in contents)
    assert torn[5, 5].tolist() == [0, 0, 0]
    torn[5, 5] = whole[5, 5]
    assert np.array_equal(torn, whole)


def test_lab_is_turned_into_srgb():
    srgb, lab_space = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(srgb, lab_space, "RGB", "LAB")
    lab = ImageCms.applyTransform(scene(), to_lab)
    picture = decode(saved(lab, "TIFF"), ANY_SIZE).picture
    difference = np.abs(np.asarray(picture).astype(int) - np.asarray(scene()).astype(int))
    assert np.median(difference) <= 4


def with_tags(**numbers: int) -> bytes:
    """A small TIFF in RGB that says more of itself, by the names of Pillow's tags."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for name, number in numbers.items():
        tags[getattr(ExifTags.Base, name).value] = number
    return saved(scene(), "TIFF", tiffinfo=tags)


@pytest.mark.parametrize("content", [
    with_tags(NewSubfileType=1, SubIFDs=8), with_tags(NewSubfileType=1, DNGVersion=1),
    b"II*\0\x10\0\0\0CR\x02\0" + with_tags()[12:], b"FUJIFILMCCD-RAW 0201" + bytes(99),
    b"\0\0\0\x18ftypcrx \0\0\0\1" + bytes(99),
])
def test_the_preview_in_a_cameras_raw_file_is_not_taken_for_its_picture(content):
    with pytest.raises(FetchError, match="a camera's raw file, which cannot be decoded here") as refused:
        decode(content, ANY_SIZE)
    assert refused.value.status == "not_an_image"


def test_a_picture_with_smaller_copies_of_itself_behind_is_taken():
    assert decode(with_tags(NewSubfileType=0, SubIFDs=8), ANY_SIZE).picture.size == (96, 80)


def test_a_drawing_is_known_behind_a_long_preface():
    content = b"<?xml version='1.0'?><!-- " + b"by hand " * 100 + b"--><svg xmlns='http://www.w3.org/2000/svg'/>"
    with pytest.raises(FetchError, match="SVG"):
        decode(content, ANY_SIZE)
