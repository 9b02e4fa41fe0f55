"""Texts as people should read them, and captions made of them."""

from typing import Any

import pytest

from tests.model_room import ModelRoom


@pytest.fixture(scope="module")
def room() -> ModelRoom:
    room = ModelRoom().seed("html_entities", "empty_words", "boilerplate")
    room.con.execute("""
        create table entities as
        select map(list(entity order by entity), list(text order by entity)) as entities
        from html_entities
    """)
    return room


def clean(room: ModelRoom, text: str) -> Any:
    return room.con.execute("select clean_text(?, entities) from entities", [text]).fetchall()[0][0]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("Mühle & Säge", "Mühle & Säge"),
        ("MÃ¼hle an der StraÃŸe", "Mühle an der Straße"),
        ("hÃ¶yryjuna &amp; silta", "höyryjuna & silta"),
        ("Itâ€™s here", "It’s here"),
        ("SÃO PAULO, ÂNGELO, Åland", "SÃO PAULO, ÂNGELO, Åland"),
        ("o\u0308ljy", "öljy"),
        ("&amp;lt;b&amp;gt;bold&amp;lt;/b&amp;gt;", "bold"),
        ("<p>One</p><p>two</p>", "One two"),
        ("x < y and <unknown>", "x < y and <unknown>"),
        ("a\u200bb\x07c", "abc"),
        (" two  \u00a0 spaces\n", "two spaces"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u00a0 \u200b", None),
        ("", None),
    ],
)
def test_a_text_is_cleaned(room: ModelRoom, given: str, text: str | None) -> None:
    assert clean(room, given) == text


def test_cleaning_twice_changes_nothing(room: ModelRoom) -> None:
    for text in (
        "MÃ¼hle an der StraÃŸe",
        "o\u0308ljy",
        "Tromsø – Ålesund",
        "\u212bngström",
        "שלום עולם",
        "図書館",
    ):
        once = clean(room, text)
        assert clean(room, once) == once


CAPTIONS: tuple[tuple[str | None, str | None, str | None, str | None], ...] = (
    ("Tram in Turku", "A tram on the bridge", "Tram in Turku. A tram on the bridge", None),
    ("Tram in Turku", "Tram in Turku, 1923", "Tram in Turku, 1923", None),
    ("Tram in Turku!", "Två spårvagnar", "Tram in Turku! Två spårvagnar", None),
    (
        "Tram in Turku",
        "Photograph by Anna Berg. A tram on the bridge.",
        "Tram in Turku. A tram on the bridge.",
        None,
    ),
    ("Tram in Turku", "© Northport Museum", "Tram in Turku", None),
    ("Tram in Turku", "Access restrictions apply to this item. Use restricted.", "Tram in Turku", None),
    ("Tram in Turku", "Accession number: 1923:45-6", "Tram in Turku", None),
    ("Tram in Turku", "Inv. Nr. 1923/45", "Tram in Turku", None),
    ("Title: Tram in Turku", None, "Tram in Turku", None),
    (
        "Tram in Turku",
        "The painter copyrighted nothing and restricted access to no one.",
        "Tram in Turku. The painter copyrighted nothing and restricted access to no one.",
        None,
    ),
    (None, None, None, "empty"),
    ("© Northport Museum", None, None, "empty"),
    ("1923", None, "1923", "empty"),
    ("Tram.", None, "Tram.", "one_word"),
    ("Old tram", None, "Old tram", None),
)


def test_a_caption_says_things_once_without_boilerplate_and_a_poor_one_is_flagged(room: ModelRoom) -> None:
    room.con.execute("create table int_records__cleaned (record_id integer, title text, description text)")
    room.con.execute(
        "create table int_records__spoken (record_id integer, english_title text, english_description text)"
    )
    given = [(n, title, description) for n, (title, description, _, _) in enumerate(CAPTIONS)]
    room.con.executemany("insert into int_records__cleaned values (?, ?, ?)", given)
    found = room.build("int_records__captioned").rows(
        "select * from int_records__captioned order by record_id"
    )
    assert [(row["caption"], row["caption_flag"]) for row in found] == [row[2:] for row in CAPTIONS]


def test_a_language_nobody_names_is_heard_in_the_text_and_how_sure_that_is(room: ModelRoom) -> None:
    room.con.execute("""
        create or replace table int_records__cleaned as
        select *, [title] as titles, [description] as descriptions from (values
            ('tagged', 'sv', 'Panssarivaunu tiellä', null),
            ('finnish', null, 'Panssarivaunu tiellä', 'Kuvattu talvella'),
            ('catalan', null, 'Vista general de la plaça i de l''església', null),
            ('short', null, 'Köln', null),
            ('number', null, '1943 / 12-44 / 900 / 1122 / 33', null),
            ('silent', null, null, null)
        ) as t (record_id, language, title, description)
    """)
    found = heard(room)
    assert (found["tagged"]["language"], found["tagged"]["language_confidence"]) == ("sv", 1.0)
    assert {name: row["language"] for name, row in found.items()} == {
        "tagged": "sv", "finnish": "fi", "catalan": "ca", "short": None, "number": None,
    }
    assert 0.5 <= found["catalan"]["language_confidence"] <= 1
    assert found["short"]["language_confidence"] is None


def heard(room: ModelRoom) -> dict[str, dict[str, Any]]:
    """Rows of int_records__spoken by record."""
    rows = room.build("int_records__spoken").rows("select * from int_records__spoken")
    return {row["record_id"]: row for row in rows}


def test_of_several_texts_without_a_language_those_that_sound_english_are_chosen(room: ModelRoom) -> None:
    finnish, english = "Sotilaita ylittämässä siltaa", "Soldiers crossing a bridge over the river"
    german, more = "Die alte Mühle am Fluss im Winter", "Taken from the tower of the church."
    texts = {
        "title": (None, finnish, None, [english, finnish], []),
        "given": (None, english, None, ["A second English title of it", english], []),
        "descriptions": (None, finnish, f"{more} {german} {english}", [finnish], [german, english, more]),
        "tagged": ("fi", finnish, None, [english, finnish], []),
        "none": (None, finnish, german, [finnish, german], [german]),
    }
    room.con.execute("""create or replace table int_records__cleaned (
        record_id text, language text, title text, description text, titles text[], descriptions text[])""")
    rows = [(name, *row) for name, row in texts.items()]
    room.con.executemany("insert into int_records__cleaned values (?, ?, ?, ?, ?, ?)", rows)
    found = heard(room)
    assert {name: row["english_title"] for name, row in found.items()} == {
        "title": english, "given": english, "descriptions": None, "tagged": None, "none": None,
    }
    assert found["descriptions"]["english_description"] == f"{more} {english}"
    assert (found["title"]["language"], found["tagged"]["language"]) == ("en", "fi")
    assert 0.5 <= found["title"]["language_confidence"] <= 1
