"""Sheets of pictures with their captions."""

from pathlib import Path

from PIL import Image

from lake import Lake
from pipelines.contact_sheet import contact_sheet, font, save_contact_sheet, wrapped
from tests.export_lakes import encoded, sample


def test_a_contact_sheet_shows_every_picture_and_survives_a_missing_one(lake: Lake, tmp_path: Path) -> None:
    red = sample(lake, encoded(Image.new("RGB", (400, 300), "red"), "PNG"), "png")
    shown = [(red["path"], "Ähtäri"), ("images/no.jpg", "gone"), (red["path"], "x")]
    sheet = contact_sheet(lake, shown, columns=2)
    assert sheet.getpixel((114, 114)) == (255, 0, 0)
    assert sheet.getpixel((328, 130)) != (255, 0, 0)
    target = save_contact_sheet(lake, [(red["path"], "x")], tmp_path / "sheets/one.png", title="Höyry")
    with Image.open(target) as image:
        assert image.format == "PNG"
    assert [path.name for path in target.parent.iterdir()] == ["one.png"]


def test_a_caption_is_cut_at_the_width_of_its_picture() -> None:
    small = font(13)
    lines = wrapped("Höyryveturi ja miehistö Ähtärin asemalla kesällä 1916 – Straßenbahn", small, 120, 2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(small.getlength(line) <= 120 for line in lines)
    assert wrapped("", small, 120, 2) == []


def test_the_font_has_the_letters_of_the_archives() -> None:
    shapes = {bytes(font(20).getmask(letter)) for letter in "äöåßñžЖΩ"}
    assert len(shapes) == 8
