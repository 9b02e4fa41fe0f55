"""The documentation says what is true."""

import re

from docs.data_dictionary import TARGET, data_dictionary
from pipelines.archives import archive_names
from tests.commands import ROOT


def test_the_data_dictionary_is_up_to_date_and_explains_every_column():
    assert TARGET.read_text("utf-8") == data_dictionary(), "run `python docs/data_dictionary.py`"
    unexplained = [line for line in data_dictionary().splitlines() if line.endswith("|  |")]
    assert not unexplained


def test_the_readme_names_every_archive_and_every_stage():
    text = (ROOT / "README.md").read_text("utf-8")
    assert all(f"`{name}`" in text for name in archive_names())


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
