"""Sheets of pictures with their captions."""

from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from lake import Lake
from lake.errors import LakeError
from pipelines.caption_fonts import font, font_for, fullest
from pipelines.contact_sheet import contact_sheet, save_contact_sheet, wrapped
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


def test_a_sheet_where_a_folder_lies_is_told_and_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "sheets" / "taken").mkdir(parents=True)
    with pytest.raises(LakeError, match=r"cannot write .*taken"):
        save_contact_sheet(lake, [("images/no.jpg", "x")], tmp_path / "sheets" / "taken")
    assert [path.name for path in (tmp_path / "sheets").iterdir()] == ["taken"]


def test_a_caption_is_cut_at_the_width_of_its_picture() -> None:
    small = font(13)
    lines = wrapped("Höyryveturi ja miehistö Ähtärin asemalla kesällä 1916 – Straßenbahn", small, 120, 2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(small.getlength(line) <= 120 for line in lines)
    assert wrapped("", small, 120, 2) == []


def test_a_word_longer_than_a_line_goes_on_in_the_next() -> None:
    small = font(13)
    word = "Donaudampfschiffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    first, second = wrapped(f"5 {word}", small, 200, 2)
    assert first.startswith("5 Donaudampf")
    assert f"5 {word}".startswith(first + second.removesuffix("…"))
    assert "".join(wrapped("汽" * 60, small, 120, 60)) == "汽" * 60
    assert "".join(wrapped("e\u0301" * 60, small, 40, 60)) == "e\u0301" * 60
    assert not any(line.startswith("\u0301") for line in wrapped("e\u0301" * 60, small, 40, 60))
    assert wrapped("wide", small, 1, 9) == ["w", "i", "d", "e"]


def test_a_caption_obeys_no_marks_of_its_own() -> None:
    assert wrapped("\u202egpj.exe\x1b[2J\n x", font(13), 400, 2) == ["gpj.exe [2J x"]


def test_a_caption_is_drawn_with_the_font_that_has_most_of_its_letters(tmp_path: Path) -> None:
    usual = Path(str(font(13).path))
    built = FontBuilder(1000)
    built.setupGlyphOrder([".notdef", "mountain"])
    built.setupCharacterMap({ord("山"): "mountain"})
    built.setupGlyf(dict.fromkeys([".notdef", "mountain"], TTGlyphPen(None).glyph()))
    built.setupHorizontalMetrics(dict.fromkeys([".notdef", "mountain"], (1000, 0)))
    built.setupHorizontalHeader(ascent=800, descent=-200)
    built.setupOS2()
    built.setupPost()
    built.save(tmp_path / "mountains.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    paths = [str(usual), str(tmp_path / "broken.ttf"), str(tmp_path / "mountains.ttf")]
    assert fullest(frozenset("富士山"), paths) == paths[2]
    assert fullest(frozenset("שלום"), paths) == paths[0]
    assert Path(str(font_for("Höyry שלום ميناء", 13).path)) == usual


def test_the_font_has_the_letters_of_the_archives() -> None:
    shapes = {bytes(font(20).getmask(letter)) for letter in "äöåßñžЖΩ"}
    assert len(shapes) == 8
