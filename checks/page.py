"""The data-quality page: one static file, styled without anything from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2

from checks.results import OUTCOMES, CheckReport, Row
from lake import Lake
from lake.drafts import whole_file

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Section:
    """One table's rows, failures first; `note` stands for rows that were all skipped for one reason."""

    table: str
    rows: Sequence[Row]
    note: str

    def count(self, outcome: str) -> int:
        """How many rows have this outcome."""
        return sum(row.outcome == outcome for row in self.rows)


def write_page(report: CheckReport, lake: Lake) -> CheckReport:
    """Write the page atomically; returns the report with its place."""
    page = lake.reports / "data-quality" / "index.html"
    with whole_file(page) as draft:
        draft.write_text(render(report, lake.root.absolute().name), encoding="utf-8")
    return replace(report, page=page)


def render(report: CheckReport, title: str) -> str:
    """The page as HTML; every value is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda n: "?" if n is None else f"{n:,}"
    template = environment.get_template("page.html")
    return template.render(report=report, title=title, sections=_sections(report))


def _sections(report: CheckReport) -> list[Section]:
    tables = dict.fromkeys(row.table for row in report.rows)
    return [_section(table, [row for row in report.rows if row.table == table]) for table in tables]


def _section(table: str, rows: list[Row]) -> Section:
    reasons = {row.detail for row in rows if row.outcome == "skipped"}
    note = reasons.pop() if len(reasons) == 1 and all(row.outcome == "skipped" for row in rows) else ""
    return Section(table, sorted(rows, key=lambda row: (OUTCOMES.index(row.outcome), row.severity)), note)
