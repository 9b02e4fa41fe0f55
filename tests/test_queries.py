"""Query files and dates: what is a search, what is a date, and what is told about the rest."""

from datetime import date

import pytest

from lake.errors import BadDate, BadQueryFile
from pipelines.queries import distinct_queries, parse_date, parse_date_range, read_query_file


def test_a_query_file_is_one_search_a_line_without_comments_and_repeats(tmp_path):
    path = tmp_path / "q.txt"
    path.write_bytes("\ufeff# ships\nharbour\r\n\n  steam   ship \nharbour\nhöyrylaiva\n".encode())
    assert distinct_queries(read_query_file(path)) == ["harbour", "steam ship", "höyrylaiva"]


@pytest.mark.parametrize(("content", "message"), [
    (b"ship\nl\xf6yly\n", "line 2: not UTF-8"), (b"\x00\x01\x02ELF", "control characters"),
    (b"\n# only\n", "no search"), (b"x" * 501, "501 characters"),
])
def test_what_is_no_query_file_is_named_with_its_line(tmp_path, content, message):
    path = tmp_path / "q.txt"
    path.write_bytes(content)
    with pytest.raises(BadQueryFile, match=message):
        read_query_file(path)


def test_a_missing_query_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(BadQueryFile, match="cannot read"):
            read_query_file(path)


@pytest.mark.parametrize(("text", "last", "day"), [
    ("1939", False, date(1939, 1, 1)), ("1939", True, date(1939, 12, 31)),
    ("1940-02", True, date(1940, 2, 29)),
    ("1939-11-30", True, date(1939, 11, 30)),
])
def test_a_year_and_a_month_stand_for_all_their_days(text, last, day):
    assert parse_date(text, last) == day


@pytest.mark.parametrize("text", ["yesterday", "1939-13", "1939-02-30", "39", "", "0000", "1939/45"])
def test_a_date_that_is_none_is_named(text):
    with pytest.raises(BadDate, match="is no date"):
        parse_date(text)


def test_a_range_that_ends_before_it_begins_is_named():
    with pytest.raises(BadDate, match="is after"):
        parse_date_range("1945", "1939")
