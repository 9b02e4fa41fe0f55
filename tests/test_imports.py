"""Who may import whom, and which library comes in by which door; read from the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("lake", "models", "pipelines", "checks", "web")

MAY_IMPORT = {
    "lake": {"lake"},
    "models": {"lake", "models"},
    "pipelines": {"lake", "models", "pipelines"},
    "checks": {"lake", "checks", "pipelines.archives"},
    "web": {"lake", "models", "web"},
}
DOORS = {
    "dlt": ("pipelines/load.py",),
    "dbt": ("pipelines/dbt_project.py", "pipelines/dbt_plugin.py"),
    "duckdb": ("lake/catalog.py",),
    "faiss": ("lake/near_codes.py",),
    "sklearn": ("lake/projection.py",),
    "lancedb": ("lake/vectors.py", "lake/vector_table.py", "lake/vector_indices.py"),
    "great_expectations": ("checks/report.py",),
    "httpx": ("pipelines/http_client.py",),
    "torch": ("models/",),
    "open_clip": ("models/",),
    "imagehash": (),    # only tests compare with it
    "fastapi": ("web/",),
    "uvicorn": ("web/",),
    "matplotlib": (
        "pipelines/plots/", "pipelines/report.py", "pipelines/caption_fonts.py", "models/curves.py",
    ),
    "bs4": ("pipelines/archives/_html.py",),
}


def sources() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


each_source = pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))


@each_source
def test_the_arrows_between_folders_are_kept(path):
    folder = path.relative_to(ROOT).parts[0]
    ours = [module for module in imported(path) if module.split(".")[0] in (*FOLDERS, "tests", "sql")]
    if path.parent == ROOT / "pipelines" / "commands":
        ours = [module for module in ours if module.split(".")[0] not in ("checks", "web")]
    wrong = [module for module in ours if not any(is_within(module, may) for may in MAY_IMPORT[folder])]
    assert not [module for module in wrong if module != "pipelines" or folder != "checks"]


@each_source
def test_every_heavy_library_comes_in_by_its_door(path):
    place = str(path.relative_to(ROOT))
    outside = [
        module for module in imported(path) for library, doors in DOORS.items()
        if is_within(module, library) and not place.startswith(doors)
    ]
    assert not outside


def test_nothing_imports_the_command_line():
    command_line = (ROOT / "pipelines" / "cli.py", ROOT / "pipelines" / "__main__.py")
    others = [path for path in sources() if path not in command_line and path.parent.name != "commands"]
    ours = ("pipelines.cli", "pipelines.commands")
    assert not [path for path in others if any(is_within(m, o) for m in imported(path) for o in ours)]


def test_an_archive_imports_only_what_archives_share():
    for path in (ROOT / "pipelines" / "archives").glob("[a-z]*.py"):
        ours = [module for module in imported(path) if module.split(".")[0] in FOLDERS]
        assert ours, path.name
        assert all(module.startswith("pipelines.archives._") for module in ours), path.name


def loaded_by(module: str) -> set[str]:
    """Top-level modules that are there after importing this one in a fresh interpreter."""
    code = f"import sys, {module}; print(*{{m.split('.')[0] for m in sys.modules}})"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(fresh.stdout.split())


def test_help_loads_no_heavy_library():
    assert not {*DOORS, "pandas", "pyarrow", "numpy", "PIL", "scipy", "jinja2"} & loaded_by("pipelines.cli")


@pytest.mark.parametrize(("stage", "not_needed"), [
    ("pipelines.harvest", {"torch", "dbt", "lancedb", "great_expectations", "PIL", "fastapi"}),
    ("pipelines.fetch", {"torch", "dbt", "lancedb", "great_expectations", "fastapi"}),
    ("pipelines.transform", {"torch", "lancedb", "great_expectations", "PIL", "fastapi", "dlt"}),
    ("pipelines.embed", {"dbt", "great_expectations", "fastapi", "dlt"}),
    ("pipelines.annotate", {"torch", "dbt", "great_expectations", "fastapi"}),
    ("pipelines.model_list", {"torch", "dbt", "dlt", "great_expectations", "fastapi"}),
    ("lake.ledger", {"torch", "dbt", "great_expectations", "dlt", "PIL"}),
    ("checks.report", {"torch", "dbt", "dlt", "fastapi"}),
    ("web.app", {"torch", "dbt", "dlt", "great_expectations"}),
])
def test_a_stage_loads_no_library_it_does_not_use(stage, not_needed):
    assert not not_needed & loaded_by(stage)
