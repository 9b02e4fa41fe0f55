"""An archive's picture for \"there is no picture\" is found by where it stands, and becomes no sample."""

from collections.abc import Iterable

import pytest

from lake import Lake, catalog
from lake.ledger import ledger
from lake.tables import PLACEHOLDERS, RAW_IMAGES, SAMPLES
from tests.lakes import NOON, write_mart, write_raw
from tests.picture_server import records_of
from tests.sql_models import build_model

Picture = tuple[str, str, str, str, float]     # file, url, archive, title, entropy


def found(con: catalog.Connection, pictures: Iterable[Picture]) -> dict[str, str]:
    """The evidence by file."""
    con.execute("create table base_images (sha256 varchar, pixel_hash varchar, image_url varchar,"
                " status varchar, entropy double)")
    con.execute("create table records (record_id varchar, archive varchar, image_url varchar, title varchar)")
    for i, (name, url, archive, title, entropy) in enumerate(pictures):
        pixels = name.split(".")[0]
        con.execute("insert into base_images values (?, ?, ?, 'ok', ?)", [name, pixels, url, entropy])
        con.execute("insert into records values (?, ?, ?, ?)", [str(i), archive, url, title or None])
    build_model(con, "int_images__placeholders")
    return dict(con.execute("select sha256, evidence from int_images__placeholders order by all").fetchall())


def at_many(n: int, entropy: float, archive: str = "a", titles: int = 100) -> list[Picture]:
    return [("sorry", f"http://a.invalid/{i}", archive, f"Title {i % titles}", entropy) for i in range(n)]


@pytest.fixture
def con(lake: Lake) -> catalog.Connection:
    with catalog.connect(lake) as con:
        for view in ("records", "images"):
            con.execute(f"drop view {view}")
        yield con


@pytest.mark.parametrize(("pictures", "evidence"), [
    (at_many(6, 7.0), {"sorry": "many_urls"}),
    (at_many(5, 7.0), {}),
    (at_many(3, 2.5), {"sorry": "plain"}),
    (at_many(2, 2.5), {}),
    (at_many(40, 7.0, titles=2), {}),                                   # one object, photographed once
    ([*at_many(4, 7.0), *at_many(4, 7.0, archive="b")], {}),            # many of two archives together
    ([(f"sorry.{i}", f"http://a.invalid/{i}", "a", "", 2.0) for i in range(3)],
     {f"sorry.{i}": "plain" for i in range(3)}),                        # the same pixels in other bytes
])
def test_a_placeholder_is_one_picture_at_many_addresses_under_many_titles(con, pictures, evidence):
    assert found(con, pictures) == evidence


def test_a_placeholder_is_no_picture_that_samples_are_made_of(con):
    found(con, [*at_many(6, 7.0), ("train", "http://a.invalid/train", "a", "Train", 7.0)])
    build_model(con, "int_images__judged")
    counted = "select sha256, status, count(*) from int_images__judged group by all order by all"
    assert con.execute(counted).fetchall() == [("sorry", "blank", 6), ("train", "ok", 1)]


def test_the_ledger_balances_with_placeholders_left_out(lake):
    urls = [f"http://a.invalid/{i}" for i in range(8)]
    records_of(lake, urls)
    write_raw(lake, RAW_IMAGES, [_picture(url, "s" if i < 6 else str(i)) for i, url in enumerate(urls)])
    write_mart(lake, SAMPLES, [
        {"sample_id": name, "sha256": name * 64, "cluster_id": name, "split": "train"} for name in "67"
    ])
    write_mart(lake, PLACEHOLDERS, [_placeholder("demo", 6)])
    rows = catalog.rows(lake, "select status, is_placeholder, error from images order by image_url")
    assert [row["status"] for row in rows] == ["blank"] * 6 + ["ok"] * 2
    assert rows[0]["error"] == "a placeholder: one picture at 6 addresses under 6 titles"
    [equation] = [e for e in ledger(lake).equations if "samples + duplicates" in e.name]
    assert (equation.left, equation.right, equation.holds) == (2, 2, True)


def _placeholder(archive: str, n: int) -> dict[str, object]:
    return {"sha256": "s" * 64, "archive": archive, "evidence": "many_urls", "n_urls": n, "n_titles": n}


def _picture(url: str, name: str) -> dict[str, object]:
    return {
        "image_url": url, "status": "ok", "fetched_at": NOON, "sha256": name * 64, "pixel_hash": name * 64,
        "path": f"images/{name}.jpg", "entropy": 7.0, "width": 200, "height": 160, "bytes": 9000,
        "phash": f"{ord(name):016x}", "source_sha256": name * 64,
    }


def test_a_new_address_of_a_known_placeholder_is_a_blank_at_once(lake):
    write_raw(lake, RAW_IMAGES, [_picture("http://a.invalid/1", "s"), _picture("http://a.invalid/2", "t")])
    write_mart(lake, PLACEHOLDERS, [_placeholder("a", 7), _placeholder("b", 9)])
    with catalog.connect(lake) as con:
        rows = catalog.ask(con, "select status, is_placeholder from images order by image_url").to_pylist()
    assert rows == [{"status": "blank", "is_placeholder": True}, {"status": "ok", "is_placeholder": False}]
