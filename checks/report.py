"""The one door to Great Expectations: run the suites, write the report.

A suite is judged in two batches: the values of the columns it looks at, and one row with a column for each
question DuckDB has answered, which must be 0. What cannot be answered at all (a column that is missing, an
exception inside Great Expectations) is an error, never a failed datum.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from checks.answers import find, frame_of
from checks.drift import drift
from checks.expectations import SHOWN_EXAMPLES, Expectation, Finding, Nothing, Scene, Suite, Values
from checks.history import keep_run, new_run_id
from checks.page import write_page
from checks.profile import keep_profile, profile_of
from checks.results import OUTCOMES, CheckReport, Row
from checks.suites import SUITES
from checks.thresholds import read_thresholds, write_thresholds
from lake import Lake, catalog
from lake.collector import no_collection
from lake.errors import BadSql, GlamlakeError, LakeError
from lake.ledger import Ledger, ledger

os.environ["GX_ANALYTICS_ENABLED"] = "false"   # read when it is imported

with no_collection():
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

log = logging.getLogger(__name__)

_DOCS_SITE = "data_docs"
_RESULT_FORMAT = "BASIC"   # counts and some examples
# what a question raises that cannot be answered: by DuckDB, or by a library that meets a broken file
_NO_ANSWER = (GlamlakeError, OSError, RuntimeError, ValueError)


def run_checks(lake: Lake, suites: Sequence[Suite] = SUITES) -> CheckReport:
    """Judge every suite; write `reports/data-quality/index.html`, and GX's own pages beside it.

    Raises EmptyLake where nothing was harvested.
    """
    lake.open()
    catalog.require_hits(lake)
    write_thresholds(lake, SUITES)
    read_thresholds(lake, (*SUITES, *suites))    # before anything else is written
    lake.reports.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=lake.reports, prefix=".draft-") as folder:
        report = judge_suites(lake, suites, docs=Path(folder) / "data-docs")
        _swap(Path(folder) / "data-docs", lake.reports / "data-docs")
    keep_run(lake, report)
    report = write_page(_with_drift(lake, report), lake)
    counts = {outcome: len(report.with_outcome(outcome)) for outcome in OUTCOMES}
    log.info("checked failed=%(failed)d error=%(error)d skipped=%(skipped)d ok=%(ok)d", counts)
    return report


def judge_suites(
    lake: Lake, suites: Sequence[Suite] = SUITES, docs: Path | None = None,
) -> CheckReport:
    """Judge every suite; writes nothing but GX's Data Docs, where a folder is given for them."""
    thresholds = read_thresholds(lake, (*SUITES, *suites))
    judge = _Judge(docs)
    numbers = _ledger(lake)
    with catalog.connect(lake) as con:
        scene = Scene(lake, con, numbers, thresholds)
        rows = [row for suite in suites for row in _judge_suite(judge, suite, scene)]
    judge.write_docs()
    known = None if isinstance(numbers, GlamlakeError) else numbers
    now = datetime.now(UTC)
    return CheckReport(
        tuple(rows), known, now.replace(microsecond=0), new_run_id(f"{now:%Y%m%dT%H%M%S%f}"),
        profile=scene.kept.get("profile"),
    )


def _with_drift(lake: Lake, report: CheckReport) -> CheckReport:
    """The report with what changed since records were last others; keeps what the records look like now."""
    if not lake.mart("records").exists():
        return report
    profile = report.profile
    if profile is None:    # the suite about drift was not asked
        try:
            with catalog.connect(lake) as con:
                profile = profile_of(con)
        except BadSql as e:    # a column is missing, of which the suites have said more
            log.warning("no profile of the records: %s", e)
            return report
    keep_profile(lake, profile, report.run_id)
    return replace(report, drift=drift(lake))


def _ledger(lake: Lake) -> Ledger | GlamlakeError:
    try:
        return ledger(lake)
    except (BadSql, LakeError) as e:
        return e


def _judge_suite(judge: "_Judge", suite: Suite, scene: Scene) -> Iterator[Row]:
    """A row for each expectation, in the suite's order."""
    note = suite.not_yet(scene.lake)
    if note:
        yield from (_row(suite, e, "skipped", detail=note) for e in suite.expectations)
        return
    judged = {**_judge_values(judge, suite, scene), **_judge_nothings(judge, suite, scene)}
    yield from (judged[e.name] for e in suite.expectations)


def _judge_values(judge: "_Judge", suite: Suite, scene: Scene) -> dict[str, Row]:
    """Rows of the expectations that look at columns; only these columns are read."""
    expectations = [e for e in suite.expectations if isinstance(e, Values)]
    if not expectations:
        return {}
    there = catalog.ask(scene.con, f"select * from {suite.view} limit 0").column_names
    asked = [e for e in expectations if e.column in there]
    lost = [e for e in expectations if e.column not in there]
    shares = [scene.thresholds[f"{suite.table}.{e.limit.name}"] if e.limit else None for e in asked]
    rules = [_of_values(e, share) for e, share in zip(asked, shares, strict=True)]
    results = judge.results(suite.table, frame_of(suite.view, asked, scene), rules)
    judged = zip(asked, results, shares, strict=True)
    rows = {e.name: _values_row(suite, e, result, share) for e, result, share in judged}
    return rows | {e.name: _row(suite, e, "error", detail=f"there is no column {e.column}") for e in lost}


def _judge_nothings(judge: "_Judge", suite: Suite, scene: Scene) -> dict[str, Row]:
    """Rows of the expectations to find no offender."""
    rows: dict[str, Row] = {}
    findings: dict[str, Finding] = {}
    expectations = {e.name: e for e in suite.expectations if isinstance(e, Nothing)}
    for name, e in expectations.items():
        try:
            finding = find(e, scene, suite.table)
        except _NO_ANSWER as error:
            rows[name] = _row(suite, e, "error", detail=str(error) or type(error).__name__)
            continue
        if finding.not_yet:
            rows[name] = _row(suite, e, "skipped", detail=finding.not_yet)
        else:
            findings[name] = finding
    counts = pd.DataFrame({name: [finding.n] for name, finding in findings.items()})
    asked = [_of_nothing(expectations[name]) for name in findings]
    results = judge.results(f"{suite.table}.counts", counts, asked)
    for (name, finding), result in zip(findings.items(), results, strict=True):
        rows[name] = _nothing_row(suite, expectations[name], finding, result)
    return rows


def _of_values(e: Values, share: float | None) -> Any:
    rule = getattr(gx.expectations, e.rule)
    arguments = e.arguments if share is None else {**e.arguments, "mostly": share}
    return rule(column=e.column, severity=e.severity, notes=e.reason, meta={"name": e.name}, **arguments)


def _of_nothing(e: Nothing) -> Any:
    return gx.expectations.ExpectColumnMaxToBeBetween(
        column=e.name, max_value=0, severity=e.severity, notes=e.reason, meta={"name": e.name},
    )


def _values_row(suite: Suite, e: Values, result: Any, share: float | None) -> Row:
    if message := _exception(result):
        return _row(suite, e, "error", detail=message)
    found = result.result
    n, bad = found["element_count"], found["unexpected_count"]
    observed = f"{bad:,} of {n:,} rows" if bad else ""
    if share is not None:
        observed = f"{n - bad:,} of {n:,} known, {share:.0%} expected"
    examples = list(dict.fromkeys(str(v) for v in found["partial_unexpected_list"] if not pd.isna(v)))
    detail = _shown(examples[:SHOWN_EXAMPLES], len(examples))
    return _row(suite, e, "ok" if result.success else "failed", observed, detail, bad)


def _nothing_row(suite: Suite, e: Nothing, finding: Finding, result: Any) -> Row:
    if message := _exception(result):
        return _row(suite, e, "error", detail=message)
    observed = finding.observed or (f"{finding.n:,} found" if finding.n else "")
    detail = _shown(finding.examples, finding.n)
    return _row(suite, e, "ok" if result.success else "failed", observed, detail, finding.n)


def _exception(result: Any) -> str:
    """The message of an exception inside Great Expectations; metrics that raised have a form of their own."""
    info = result.exception_info
    forms: Iterable[Any] = [info] if "raised_exception" in info else info.values()
    return "; ".join(str(form["exception_message"]) for form in forms if form["raised_exception"])


def _shown(examples: Sequence[str], n: int) -> str:
    return ", ".join(example[:120] for example in examples) + (", …" if n > len(examples) > 0 else "")


def _row(
    suite: Suite, e: Expectation, outcome: Any, observed: str = "", detail: str = "", n: int | None = None,
) -> Row:
    return Row(suite.table, e.name, e.reason, e.severity, outcome, observed, detail, n)


@dataclass
class _Judge:
    """An ephemeral Great Expectations context: no files, no network, no progress bars."""

    docs: Path | None

    def __post_init__(self) -> None:
        stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        config = DataContextConfig(store_backend_defaults=stores)
        self._context = gx.get_context(mode="ephemeral", project_config=config)
        self._context.variables.progress_bars = {"globally": False}
        self._source = self._context.data_sources.add_pandas("lake")
        self._frames = self._batches("frames")
        self._time = gx.RunIdentifier(run_time=datetime.now(UTC))
        if self.docs:
            self._context.add_data_docs_site(_DOCS_SITE, {
                "class_name": "SiteBuilder",
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend", "base_directory": str(self.docs.absolute()),
                },
            })

    def results(self, name: str, frame: pd.DataFrame, expectations: Sequence[Any]) -> list[Any]:
        """One result for each expectation, in their order."""
        if not expectations:
            return []
        suite = gx.ExpectationSuite(name=name, expectations=list(expectations))
        found = self._documented(suite, frame) if self.docs else self._judged(suite, frame)
        by_name = {result.expectation_config.meta["name"]: result for result in found.results}
        return [by_name[expectation.meta["name"]] for expectation in expectations]

    def _judged(self, suite: Any, frame: pd.DataFrame) -> Any:
        batch = self._frames.get_batch(batch_parameters={"dataframe": frame})
        return batch.validate(suite, result_format=_RESULT_FORMAT)

    def _documented(self, suite: Any, frame: pd.DataFrame) -> Any:
        """As `_judged`, kept under a name of its own for the Data Docs; twice as slow."""
        suite = self._context.suites.add(suite)
        definition = gx.ValidationDefinition(name=suite.name, data=self._batches(suite.name), suite=suite)
        self._context.validation_definitions.add(definition)
        frames = {"dataframe": frame}
        return definition.run(batch_parameters=frames, run_id=self._time, result_format=_RESULT_FORMAT)

    def _batches(self, name: str) -> Any:
        return self._source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")

    def write_docs(self) -> None:
        """Write the Data Docs, if a folder was given for them."""
        if self.docs:
            self._context.build_data_docs([_DOCS_SITE])


def _swap(made: Path, place: Path) -> None:
    """Put a whole folder where an older one may be."""
    old = made.with_name("old")
    if place.exists():
        place.rename(old)
    made.rename(place)
    shutil.rmtree(old, ignore_errors=True)
