"""The documentation says what is true."""

import re
import subprocess
import sys

import click

from docs.data_dictionary import TARGET, data_dictionary
from pipelines.archives import archive_names
from pipelines.cli import cli
from tests.commands import ROOT


def test_the_data_dictionary_is_up_to_date_and_explains_every_column():
    assert TARGET.read_text("utf-8") == data_dictionary(), "run `python docs/data_dictionary.py`"
    unexplained = [line for line in data_dictionary().splitlines() if line.endswith("|  |")]
    assert not unexplained


def test_the_readme_names_every_archive_and_every_stage():
    text = (ROOT / "README.md").read_text("utf-8")
    stages = ("harvest", "normalise", "fetch", "curate", "embed", "search", "export", "check", "train")
    assert set(stages) <= set(cli.commands)
    assert [name for name in (*archive_names(), *stages) if f"`{name}`" not in text] == []


def test_commands_and_options_on_the_pages_are_those_there_are():
    context, wrong = click.Context(cli), []
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for line in re.findall(r"glamlake ([a-z][a-z-]+ [^\n`|;#)]*--[^\n`|;#)]*)", page.read_text("utf-8")):
            name, *words = line.split()
            if (command := cli.get_command(context, name)) is None:
                wrong.append(f"{page.name}: glamlake {name}")
                continue
            parts = [command, *getattr(command, "commands", {}).values()]
            known = {option for part in parts for p in part.params for option in (*p.opts, *p.secondary_opts)}
            options = [word.lstrip("[") for word in words if word.lstrip("[").startswith("--")]
            given = {option.split("=")[0].strip("],.…\"'") for option in options}
            wrong += [f"{page.name}: {name} {option}" for option in sorted(given - known - {"--help"})]
    assert wrong == []


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_site_is_built_without_a_network_and_fetches_nothing_from_elsewhere(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reference = (tmp_path / "reference.html").read_text("utf-8")
    assert all(f"glamlake {name}" in reference for name in ("harvest", "vocabulary", "serve"))
    pages = [page.read_text("utf-8") for page in tmp_path.rglob("*.html")]
    from_elsewhere = re.compile(r'<(?:link|script|img)[^>]+(?:href|src)="(https?:[^"]+)')
    assert not [url for page in pages for url in from_elsewhere.findall(page)]
