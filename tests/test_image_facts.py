"""What is said of a picture: its facts to the bit, and the right reason where it is of no use."""

import io
import os
import signal
import struct
import zlib

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from pipelines.image_facts import Judgement, Limits, decode, facts_of, judge
from pipelines.judges import Court, JudgePool
from tests.lakes import noise_jpeg

ANY_SIZE = Limits(min_side=1, min_bytes=1)
TURNS = (    # EXIF's orientations 2 to 8, as what is done to the picture
    Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)


def scene(size: tuple[int, int] = (96, 80)) -> Image.Image:
    """A picture without symmetry, so that a wrong turn shows."""
    y, x = np.mgrid[0:size[1], 0:size[0]]
    red = x * 255 / size[0]
    green = y * 255 / size[1]
    blue = ((x // 7 + y // 11) % 2) * 200
    return Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8))


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds next to nothing."""
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def status_of(content: bytes, limits: Limits = ANY_SIZE) -> tuple[str, str | None]:
    """Status and reason."""
    judgement = judge(content, limits)
    return judgement.status, judgement.error


def test_the_facts_of_a_fixed_picture_never_change():
    tiles = np.array([(i * i * 37 + i * 11) % 256 for i in range(8 * 6 * 3)], dtype=np.uint8).reshape(6, 8, 3)
    content = saved(Image.fromarray(tiles.repeat(15, axis=0).repeat(15, axis=1)), "PNG")
    facts = judge(content, ANY_SIZE).facts
    assert facts is not None
    assert (facts.format, facts.mode, facts.width, facts.height) == ("PNG", "RGB", 120, 90)
    assert facts.phash == "81bca88d45827f7d"
    assert facts.pixel_hash == "e2ffb016768674a09505be601fa169b1a6ee65ac356112e95b54cf9a2fd15e5c"
    assert facts.entropy == pytest.approx(5.235902344426085, abs=1e-12)
    means = (0.4875816993464052, 0.4915032679738562, 0.5764705882352941)
    stds = (0.2879409520777891, 0.28250419574937713, 0.21209125149788172)
    assert facts.rgb_mean == pytest.approx(means, abs=1e-12)
    assert facts.rgb_std == pytest.approx(stds, abs=1e-12)


def test_mean_and_deviation_are_those_of_all_pixels():
    content = noise_jpeg(3, (120, 90))
    facts = judge(content, ANY_SIZE).facts
    pixels = np.asarray(Image.open(io.BytesIO(content))).reshape(-1, 3) / 255
    assert facts is not None
    assert facts.rgb_mean == pytest.approx(pixels.mean(axis=0), abs=1e-12)
    assert facts.rgb_std == pytest.approx(pixels.std(axis=0), abs=1e-12)


def test_the_mean_and_deviation_of_a_lake_are_pooled_from_those_of_its_pictures():
    contents = [noise_jpeg(seed, (50 + 31 * seed, 200 - 17 * seed)) for seed in range(6)]
    facts = [found for content in contents if (found := judge(content, ANY_SIZE).facts) is not None]
    pixels = [np.asarray(Image.open(io.BytesIO(content))).reshape(-1, 3) for content in contents]
    all_pixels = np.concatenate(pixels) / 255
    weights = np.array([[one.width * one.height] for one in facts])
    means, stds = (np.array([getattr(one, name) for one in facts]) for name in ("rgb_mean", "rgb_std"))
    mean = (weights * means).sum(axis=0) / weights.sum()
    std = np.sqrt((weights * (stds**2 + means**2)).sum(axis=0) / weights.sum() - mean**2)
    assert len(facts) == 6
    assert mean == pytest.approx(all_pixels.mean(axis=0), abs=1e-12)
    assert std == pytest.approx(all_pixels.std(axis=0), abs=1e-12)


@pytest.mark.parametrize("size", [(4100, 300), (1, 70_000), (70_000, 1), (2100, 2100), (333, 77)])
def test_a_picture_of_any_size_is_read_whole_also_where_it_lies_in_many_pieces(size):
    rng = np.random.default_rng(size)
    pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8) // rng.integers(1, 4, 3, np.uint8)
    facts = facts_of(Image.fromarray(pixels), "PNG", "RGB")
    grey = Image.fromarray(pixels).convert("L")
    n = size[0] * size[1] * 255
    assert facts.rgb_mean == tuple(int(total) / n for total in pixels.sum(axis=(0, 1), dtype=np.int64))
    assert facts.rgb_std == pytest.approx((pixels / 255).std(axis=(0, 1)), abs=1e-9)
    assert facts.entropy == pytest.approx(grey.entropy(), abs=1e-12)
    assert facts.phash == str(imagehash.phash(grey))
    pixels[-1, -1, 2] ^= 1
    assert facts.pixel_hash != facts_of(Image.fromarray(pixels), "PNG", "RGB").pixel_hash


@pytest.mark.parametrize("picture", [
    Image.new("L", (300, 200), 255), Image.new("L", (64, 64), 0), Image.new("L", (200, 300), 77),
    Image.linear_gradient("L"), Image.radial_gradient("L"),
    ImageOps.expand(Image.new("L", (90, 90)), 40, 255),
], ids=["white", "black", "grey", "gradient", "circle", "square"])
def test_even_pictures_whose_hash_hangs_on_rounding_have_the_bits_of_imagehash(picture):
    facts = facts_of(picture.convert("RGB"), "PNG", "RGB")
    turned = [picture, *(picture.transpose(turn) for turn in TURNS)]
    assert list(facts.phash_orientations) == [str(imagehash.phash(one)) for one in turned]


@pytest.mark.parametrize(("size", "step"), [((96, 80), 1), ((3, 3), 1), ((2, 90), 1), ((1500, 777), 6)])
def test_sharpness_is_the_variance_of_the_laplacian_by_rows(size, step):
    content = saved(Image.open(io.BytesIO(noise_jpeg(3, size))), "PNG")
    facts = judge(content, ANY_SIZE).facts
    grey = np.asarray(Image.open(io.BytesIO(content)).convert("L")).astype(float)
    bend = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    bend = bend[::step]
    assert facts is not None
    assert facts.sharpness == pytest.approx(bend.var() if bend.size else 0.0, abs=1e-9)


def test_a_blurred_picture_is_less_sharp():
    sharp, soft = (judge(saved(image, "PNG"), ANY_SIZE).facts for image in (
        scene(), scene().filter(ImageFilter.GaussianBlur(2)),
    ))
    assert sharp is not None
    assert soft is not None
    assert soft.sharpness < sharp.sharpness / 10


@pytest.mark.parametrize("seed", range(12))
def test_each_orientation_has_the_hash_of_the_picture_turned_so(seed):
    rng = np.random.default_rng(seed)
    width, height = (int(side) for side in rng.integers(8, 300, 2))
    picture = Image.open(io.BytesIO(noise_jpeg(seed, (width, height), quality=60)))
    facts = judge(saved(picture, "PNG"), ANY_SIZE).facts
    assert facts is not None
    turned = [picture, *(picture.transpose(turn) for turn in TURNS)]
    assert list(facts.phash_orientations) == [str(imagehash.phash(one)) for one in turned]


@pytest.mark.parametrize("seed", range(20))
def test_phash_has_the_bits_of_imagehash(seed):
    content = noise_jpeg(seed, (70 + 13 * seed, 200 - 5 * seed), quality=50 + seed)
    facts = judge(content, ANY_SIZE).facts
    assert facts is not None
    assert facts.phash == str(imagehash.phash(Image.open(io.BytesIO(content))))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_are_stood_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(scene(), "JPEG", quality=95, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    picture = decode(content, ANY_SIZE).picture
    assert picture.tobytes() == expected.tobytes()
    assert picture.size == expected.size


def test_the_same_pixels_in_other_bytes_have_the_same_pixel_hash():
    hashes = {
        judge(content, ANY_SIZE).facts.pixel_hash     # type: ignore[union-attr]
        for content in (
            saved(scene(), "PNG"), saved(scene(), "BMP"), saved(scene(), "TIFF"), saved(scene(), "PPM"),
            saved(scene(), "WEBP", lossless=True), saved(scene().convert("RGBA"), "PNG"),
        )
    }
    assert len(hashes) == 1


def test_a_transposed_size_is_another_picture():
    wide, tall = Image.new("RGB", (80, 40), "red"), Image.new("RGB", (40, 80), "red")
    of_wide, of_tall = judge(saved(wide, "PNG"), ANY_SIZE).facts, judge(saved(tall, "PNG"), ANY_SIZE).facts
    assert of_wide is not None
    assert of_tall is not None
    assert of_wide.pixel_hash != of_tall.pixel_hash


def test_the_first_frame_of_an_animation_counts():
    frames = [Image.new("RGB", (96, 80), colour) for colour in ("red", "green", "blue")]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(content, ANY_SIZE).picture.getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize(("content", "status", "reason"), [
    (b"", "not_an_image", "empty answer"),
    (b"\0" * 5000, "not_an_image", "nothing but zeros"),
    (b"<!DOCTYPE html><html><body>Not found</body></html>", "not_an_image", "an HTML page"),
    (b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>', "not_an_image", "SVG"),
    (b'{"error": "no such picture"}', "not_an_image", "begins with"),
    (b"%PDF-1.7 ...", "not_an_image", "a PDF"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_an_image", "begins with"),
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "corrupt", "header"),
    (png_header(30_000, 30_000), "too_large", "30000 × 30000 pixels, at most 100 million"),
    (png_header(12_000, 9_000), "too_large", "12000 × 9000 pixels, at most 100 million"),
    (png_header(300, 300), "corrupt", "PNG cannot be decoded"),
])
def test_what_is_no_usable_picture_has_a_status_and_a_reason(content, status, reason):
    found, error = status_of(content)
    assert found == status
    assert error is not None
    assert reason in error


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF", "PPM"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_picture_cut_short_is_corrupt(format_, kept):
    content = saved(Image.open(io.BytesIO(noise_jpeg(1, (200, 160)))), format_)
    assert status_of(content)[0] == "ok"
    assert status_of(content[:int(len(content) * kept)])[0] == "corrupt"


@pytest.mark.parametrize("corner", [(128, 128, 128), (127, 128, 128)])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 2}]
)
def test_a_picture_that_ends_in_middle_grey_is_not_cut_short(corner, options):
    picture = scene((160, 120))
    picture.paste(corner, (0, 60, 160, 120))
    assert status_of(saved(picture, "JPEG", quality=90, **options))[0] == "ok"
    assert status_of(saved(picture.convert("L"), "JPEG", **options))[0] == "ok"


@pytest.mark.parametrize("size", [(160, 136), (176, 120), (400, 500), (160, 5000)])
def test_a_jpeg_that_announces_more_pixels_than_it_holds_is_corrupt(size):
    content = saved(scene((160, 120)), "JPEG")
    at = content.index(b"\xff\xc0") + 5
    assert status_of(content[:at] + struct.pack(">HH", *size[::-1]) + content[at + 4:])[0] == "corrupt"


def test_a_progressive_jpeg_cut_short_is_corrupt():
    content = saved(Image.open(io.BytesIO(noise_jpeg(1, (200, 160)))), "JPEG", progressive=True)
    assert status_of(content[:-200])[0] == "corrupt"


def test_too_small_pictures_keep_their_facts():
    tiny = judge(noise_jpeg(1, (40, 200), quality=100))
    red = saved(Image.new("RGB", (300, 300), "red"), "PNG")
    light = judge(red)
    assert (tiny.status, tiny.error) == ("too_small", "40 × 200 pixels, a side needs 64")
    assert (light.status, light.error) == ("too_small", f"{len(red)} bytes, a picture needs 2560")
    assert tiny.facts is not None
    assert light.facts is not None


def grainy(level: float, grain: float, size: tuple[int, int] = (600, 500)) -> bytes:
    """An even grey with film grain."""
    rng = np.random.default_rng(7)
    values = np.clip(rng.normal(level, grain, (size[1], size[0], 1)).repeat(3, axis=2), 0, 255)
    return saved(Image.fromarray(values.astype(np.uint8)), "JPEG", quality=90)


@pytest.mark.parametrize(
    "content", [grainy(240, 0), grainy(30, 4), grainy(128, 9)], ids=["even", "dark", "grain"]
)
def test_an_empty_frame_is_blank_and_keeps_its_facts(content):
    judgement = judge(content, Limits(min_bytes=1))
    assert judgement.status == "blank"
    assert judgement.facts is not None


@pytest.mark.parametrize("content", [
    saved(scene((300, 200)), "JPEG"),
    noise_jpeg(2, (300, 200)),
    grainy(128, 80),
    saved(ImageOps.expand(Image.new("L", (20, 4), 60), 150, 240), "PNG"),     # a little mark on a page
    saved(scene((300, 200)).point(lambda value: value // 12), "PNG"),         # a night scene
], ids=["scene", "smooth", "noise", "mark", "night"])
def test_a_picture_with_anything_to_see_is_not_blank(content):
    assert judge(content, Limits(min_bytes=1)).status == "ok"


def test_a_larger_picture_gets_a_derivative_and_its_facts():
    content = noise_jpeg(4, (400, 200), quality=95)
    judgement = judge(content, max_side=128)
    assert judgement.derivative is not None
    small = judge(judgement.derivative, ANY_SIZE)
    assert judgement.facts == small.facts
    assert small.facts is not None
    assert (small.facts.format, small.facts.width, small.facts.height) == ("JPEG", 128, 64)
    assert judge(content, max_side=400) == judge(content)


def test_judges_say_what_judge_says():
    good, cut_short = noise_jpeg(1, (200, 160)), noise_jpeg(2, (200, 160))[:900]
    contents = [good, b"<html>", cut_short, noise_jpeg(3, (40, 40))]
    with JudgePool(Court(), n=1) as judges:
        assert [judges.judge(content) for content in contents] == [judge(content) for content in contents]


def test_a_picture_that_takes_too_long_costs_only_itself():
    slow = saved(Image.new("RGB", (4000, 4000)), "PNG", compress_level=1)
    with JudgePool(Court(seconds=0.001), n=1) as judges:
        for _ in range(2):
            assert judges.judge(slow) == Judgement("corrupt", "not decoded within 0.001 s")
    with JudgePool(Court(seconds=30), n=1) as judges:
        assert judges.judge(noise_jpeg(1, (200, 160)), spent_s=20).status == "ok"
    with JudgePool(Court(seconds=0.004), n=1) as judges:
        assert judges.judge(slow, spent_s=20) == Judgement("corrupt", "not decoded within 0.001 s")


def test_a_picture_that_needs_too_much_memory_is_too_large():
    content = saved(Image.new("L", (7000, 7000)), "PNG", compress_level=1)
    with JudgePool(Court(memory_bytes=20 * 2**20), n=1) as judges:
        judgement = judges.judge(content)
        assert judgement == Judgement("too_large", "7000 × 7000 pixels do not fit into the memory given")
        assert judges.judge(noise_jpeg(1, (200, 160))).status == "ok"


def test_a_judge_that_was_killed_is_replaced():
    content = noise_jpeg(1, (200, 160))
    with JudgePool(Court(), n=1) as judges:
        judges.judge(content)
        os.kill(judges._all[0].pid, signal.SIGKILL)
        assert judges.judge(content).status == "ok"
