"""What is written for explorers is true: the page about it, and dbt's page of the SQL."""

import html

import pytest

from lake import Lake
from lake.macros import MACROS
from pipelines.archives import archive_names
from pipelines.questions import question_titles
from pipelines.transform import PROJECT, document
from tests.commands import ROOT

PAGE = (ROOT / "docs" / "exploring.md").read_text("utf-8")


def test_the_page_lists_every_macro_and_every_question():
    macros = [f"| `{m.signature}` | {m.comment} | `{m.example}` |" for m in MACROS]
    questions = [f"| `{name}` | {title} |" for name, title in question_titles().items()]
    assert [line for line in macros + questions if line not in PAGE] == []


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """dbt's documentation, written on this machine."""
    lake = Lake(tmp_path_factory.mktemp("documented") / "lake").open()
    return document(lake, archive_names()).read_text("utf-8")


def test_the_sql_is_documented_on_one_page_with_every_model(page):
    models = [path.stem for path in (PROJECT / "models").rglob("*.sql")]
    assert [name for name in models if name not in page] == []
    assert html.escape("One row per canonical label: its samples", quote=False) in page


def test_documenting_leaves_the_source_tree_as_it_is(page):
    assert not (PROJECT / "target").exists()
