"""Ready questions about a lake: the files of `sql/analyses`, each with its title in its first line."""

from pathlib import Path

from lake.errors import UnknownThing

FOLDER = Path(__file__).resolve().parent.parent / "sql" / "analyses"


def question_titles() -> dict[str, str]:
    """What each question asks, by its name, in the order of the alphabet."""
    return {path.stem: _title(path) for path in sorted(FOLDER.glob("*.sql"))}


def question(name: str) -> str:
    """The SQL of one question; raises UnknownThing where there is none of that name."""
    path = FOLDER / f"{name}.sql"
    if name not in question_titles():
        raise UnknownThing(f"no question named {name!r}; `glamlake ask` lists them")
    return path.read_text("utf-8")


def _title(path: Path) -> str:
    return path.read_text("utf-8").split("\n", 1)[0].removeprefix("-- ")
