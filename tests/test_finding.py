"""`glamlake search`: what may be typed for a picture, what comes out, and the contact sheet."""

import io
import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from lake import Lake
from lake.errors import EncoderError, FetchError, UsageError
from pipelines import finding
from pipelines.cli import cli
from pipelines.console import one_line, table
from pipelines.finding import Asked, brief, save_sheet, search_rows
from pipelines.http_client import Manners
from pipelines.replay import ReplayServer
from pipelines.replay.answers import Answer, Params
from tests.colour_gallery import ColourEncoder, open_gallery, picture, shade

Found = list[dict[str, Any]]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Nine shades each of four colours."""
    return open_gallery(tmp_path_factory.mktemp("finding"))


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gallery's encoder, which knows colours and their names."""
    monkeypatch.setattr(finding, "open_encoder", lambda lake, model_id: ColourEncoder())


@pytest.fixture
def blue(tmp_path: Path) -> str:
    """A picture's file."""
    path = tmp_path / "sky.jpg"
    path.write_bytes(picture(shade("blue", 3)))
    return str(path)


def titles(rows: Found) -> list[str]:
    return [row["title"] for row in rows]


class TestPictures:
    def test_a_file_finds_what_looks_like_it(self, gallery: Lake, blue: str) -> None:
        rows = search_rows(gallery, Asked(images=[blue], limit=3))
        assert (rows[0]["title"], rows[0]["rank"]) == ("blue 3", 1)
        assert rows[0]["score"] == pytest.approx(1, abs=1e-3)

    def test_a_sample_id_finds_others(self, gallery: Lake, blue: str) -> None:
        first = search_rows(gallery, Asked(images=[blue], limit=1))[0]["sample_id"]
        others = titles(search_rows(gallery, Asked(images=[first], limit=3)))
        assert "blue 3" not in others
        assert {title.split()[0] for title in others} == {"blue"}

    def test_several_pictures_and_words_go_together(self, gallery: Lake, blue: str) -> None:
        asked = Asked(texts=["red", "yellow"], images=[blue, blue], negative=["green"], weight=0.01, limit=9)
        assert {title.split()[0] for title in titles(search_rows(gallery, asked))} == {"blue"}

    def test_an_address_is_fetched(
        self, gallery: Lake, monkeypatch: pytest.MonkeyPatch, hosted: ReplayServer,
    ) -> None:
        allowing = partial(Manners, allow_private_hosts=True)
        monkeypatch.setattr("pipelines.http_client.Manners", allowing)
        url = f"http://127.0.0.1:{hosted.port}/five.jpg"
        assert titles(search_rows(gallery, Asked(images=[url], limit=1))) == ["yellow 5"]

    def test_an_address_inside_is_not_fetched(self, gallery: Lake, hosted: ReplayServer) -> None:
        with pytest.raises(FetchError, match=r"127\.0\.0\.1.*save the picture") as e:
            search_rows(gallery, Asked(images=[f"http://127.0.0.1:{hosted.port}/five.jpg"]))
        assert not hosted.requests
        assert "--" not in str(e.value), "options that this command does not have"

    def test_an_address_that_is_none_is_told(self, gallery: Lake) -> None:
        with pytest.raises(FetchError, match="not a URL"):
            search_rows(gallery, Asked(images=["http://[::1"]))

    def test_samples_are_asked_with_where_the_weights_are_not_to_be_had(
        self, gallery: Lake, monkeypatch: pytest.MonkeyPatch, blue: str,
    ) -> None:
        """Their vectors are there: those of models that were made elsewhere, say."""
        first = search_rows(gallery, Asked(images=[blue], limit=1))[0]["sample_id"]
        monkeypatch.setattr(finding, "open_encoder", lambda *_: pytest.fail("asked for weights"))
        assert titles(search_rows(gallery, Asked(images=[first], limit=2)))[0].startswith("blue")

    def test_an_address_that_can_be_none_says_so(self, gallery: Lake) -> None:
        with pytest.raises(FetchError, match="not a URL"):
            search_rows(gallery, Asked(images=["http://[::1"]))

    @pytest.mark.parametrize("image", ["no/such.jpg", "", "ftp://x.example/a.jpg", "0123456789ABCDEF", "/"])
    def test_what_is_no_picture_says_what_would_be(self, gallery: Lake, image: str) -> None:
        with pytest.raises(UsageError, match="no file, no http address and no sample id"):
            search_rows(gallery, Asked(images=[image]))

    def test_a_file_that_is_no_picture_is_named(self, gallery: Lake, tmp_path: Path) -> None:
        (tmp_path / "words.jpg").write_text("not a picture")
        with pytest.raises(EncoderError, match=r"words\.jpg"):
            search_rows(gallery, Asked(images=[str(tmp_path / "words.jpg")]))


class Host:
    """Serves one picture."""

    def matches(self, path: str) -> bool:
        return path.endswith(".jpg")

    def answer(self, path: str, params: Params, headers: Mapping[str, str]) -> Answer:
        return Answer(200, "image/jpeg", picture(shade("yellow", 5)))


@pytest.fixture
def hosted() -> Iterator[ReplayServer]:
    with ReplayServer([Host()]) as server:
        yield server


class TestRows:
    def test_ranks_go_on_from_page_to_page(self, gallery: Lake) -> None:
        whole = search_rows(gallery, Asked(texts=["red"], limit=9))
        second = search_rows(gallery, Asked(texts=["red"], limit=3, offset=3))
        assert second == whole[3:6]
        assert [row["rank"] for row in second] == [4, 5, 6]

    def test_options_reach_the_search(self, gallery: Lake) -> None:
        asked = Asked(texts=["green"], where="year < 1912 and title not like 'red%'", hybrid=True, limit=9)
        rows = search_rows(gallery, asked)
        assert sorted(titles(rows)) == ["blue 0", "blue 1", "green 0", "green 1", "yellow 0", "yellow 1"]
        kinds = {row["title"].split()[0]: {reason["kind"] for reason in row["reasons"]} for row in rows}
        assert kinds == {"green": {"visual", "title"}, "blue": {"visual"}, "yellow": {"visual"}}

    def test_a_template_changes_what_is_asked(self, gallery: Lake) -> None:
        of = [search_rows(gallery, one)[0]["score"] for one in (
            Asked(texts=["red"]), Asked(texts=["red"], templates=["blue"]), Asked(texts=["red blue"]),
        )]
        assert of[1] == of[2] != of[0]

    def test_on_a_terminal_a_row_says_why(self, gallery: Lake) -> None:
        row = brief(search_rows(gallery, Asked(texts=["red"], hybrid=True, limit=1))[0])
        assert row["why"].startswith("visual ")
        assert row["near"] == 0

    @pytest.mark.parametrize("texts", [[], [""], [" ", "\n"]])
    def test_nothing_asked_is_refused(self, gallery: Lake, texts: list[str]) -> None:
        with pytest.raises(UsageError, match="nothing to search for"):
            search_rows(gallery, Asked(texts, negative=["red"]))

    def test_empty_words_count_for_nothing(self, gallery: Lake) -> None:
        of = [search_rows(gallery, Asked(texts, negative=negative, limit=9))
              for texts, negative in ((["red"], []), (["red", ""], [""]))]
        assert of[0] == of[1]


class TestSheet:
    def test_it_shows_what_was_found(self, gallery: Lake, blue: str, tmp_path: Path) -> None:
        asked = Asked(texts=["a <red> ship"], images=[blue], negative=["green"], limit=8)
        sheet = save_sheet(gallery, asked, search_rows(gallery, asked), tmp_path / "new" / "sheet.png")
        with Image.open(io.BytesIO(sheet.read_bytes())) as image:
            assert image.format == "PNG"
            assert image.width > 6 * 200

    def test_nothing_found_makes_an_empty_sheet(self, gallery: Lake, tmp_path: Path) -> None:
        asked = Asked(texts=["red"], where="year = 1")
        rows = search_rows(gallery, asked)
        with Image.open(save_sheet(gallery, asked, rows, tmp_path / "sheet.png")) as image:
            assert (rows, image.height > 20) == ([], True)


def test_the_command_gives_json_and_a_sheet(gallery: Lake, tmp_path: Path) -> None:
    words = ["search", "red", "--hybrid", "--limit", "2", "--offset", "1", "--json", "--diversity", "0.3",
             "--template", "a {} map", "--no-collapse", "--exact", "--sheet", str(tmp_path / "s.png")]
    done = CliRunner().invoke(cli, ["--lake", str(gallery.root), *words])
    assert done.exit_code == 0, done.output
    assert [row["rank"] for row in json.loads(done.stdout)] == [2, 3]
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_says_that_nothing_was_found_and_what_to_do(gallery: Lake) -> None:
    words = ["search", "red", "--where", "year = 1", "--json"]
    done = CliRunner().invoke(cli, ["--lake", str(gallery.root), *words])
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])
    assert "nothing found; widen --where" in done.stderr


def test_a_title_gives_the_terminal_no_orders() -> None:
    assert one_line("\x1b[31mred\x07 \u202egpj.exe\n") == "[31mred gpj.exe"
    assert "\x1b" not in table([{"title": "\x1b]0;owned\x07", "labels": ["\x1b[2J"]}])
