"""The one door to dlt: rows become raw Parquet.

Each archive has a dlt pipeline of its own (`glamlake_<archive>`), the picture facts have another; all write
the dataset `raw` of the lake, in small loads, because dlt keeps its state only when a load ends. A load that
was killed is finished by the next one of the same pipeline. In the lake's folder, dlt's own commands work:
`dlt pipeline --pipelines-dir .dlt glamlake_sa_kuva info`.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
from filelock import FileLock, Timeout
from fsspec.implementations.local import LocalFileSystem

from lake import Lake, catalog
from lake.drafts import cannot_write
from lake.errors import LakeBusy
from lake.tables import RAW_HITS, RAW_IMAGES, RAW_PAGES, Table

for _name, _value in {
    "RUNTIME__DLTHUB_TELEMETRY": "false", "ENABLE_RUNTIME_TRACE": "false", "RUNTIME__LOG_LEVEL": "CRITICAL",
    "NORMALIZE__DATA_WRITER__COMPRESSION": "zstd",
}.items():
    os.environ.setdefault(_name, _value)

import dlt  # noqa: E402  (reads its settings from the environment when it is imported)
from dlt.common.configuration.utils import get_resolved_traces  # noqa: E402
from dlt.common.pipeline import LoadInfo  # noqa: E402
from dlt.common.storages.load_package import PackageStorage  # noqa: E402
from dlt.common.storages.load_storage import LoadStorage  # noqa: E402
from dlt.destinations import filesystem  # noqa: E402
from dlt.pipeline.exceptions import PipelineStepFailed  # noqa: E402

log = logging.getLogger(__name__)

_ARCHIVE_LAYOUT = "{table_name}/archive={schema_name}/{load_id}.{file_id}.{ext}"
_IMAGES_LAYOUT = "{table_name}/{load_id}.{file_id}.{ext}"
_DLT_TYPES = {"string": "text", "int64": "bigint", "int32": "bigint", "timestamp[us, tz=UTC]": "timestamp"}
_SETTINGS = f"""\
# What dlt's commands must know about this lake when they are called in its folder.
[runtime]
dlthub_telemetry = false

[destination.filesystem]
bucket_url = "."
layout = "{_ARCHIVE_LAYOUT}"
"""


class _AtomicLocalFiles(LocalFileSystem):
    """Local files that appear under their final name only when they are whole.

    dlt copies a finished file into the lake with `put_file`; a kill during a plain copy leaves a torn Parquet
    file, and one torn file makes every `read_parquet` of the folder fail.
    """

    def put_file(self, path1: str, path2: str, *_: Any, **__: Any) -> None:
        target = Path(self._strip_protocol(path2))
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        try:
            shutil.copyfile(path1, draft)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def write_text(self, path: str, value: str, *_: Any, **__: Any) -> None:
        target = Path(self._strip_protocol(path))
        draft = target.with_name(f".{target.name}.part")
        draft.write_text(value, "utf-8")
        draft.replace(target)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        # dlt asks for a new folder where a run killed at the wrong moment has left one
        super().makedirs(path, exist_ok=True)


fsspec.register_implementation("file", _AtomicLocalFiles, clobber=True)


@dataclass(frozen=True)
class Answered:
    """One page as rows: of `pages`, and of `hits`."""

    page: dict[str, object]
    hits: list[dict[str, object]]


class Loader:
    """Appends rows to raw tables through one dlt pipeline."""

    def __init__(self, pipeline: Any, source_name: str) -> None:
        self._pipeline = pipeline
        self._source_name = source_name

    def append(self, tables: Mapping[str, pa.Table]) -> None:
        """Append rows to raw tables, all in one load package; raises LakeError where that fails."""
        resources = [
            dlt.resource(_handed_over([rows]), name=name, write_disposition="append")
            for name, rows in tables.items() if rows.num_rows
        ]
        del tables
        if resources:
            self._run(dlt.source(lambda: resources, name=self._source_name)())

    def settle(self) -> None:
        """Finish loads that an earlier, killed run left pending."""
        self._tidy()
        if self._pipeline.has_pending_data:
            log.info("finishing an interrupted load of %s", self._source_name)
            self._run(None)

    def _tidy(self) -> None:
        """Put in order what a killed run left half moved, which dlt would stumble over for ever.

        dlt marks a package complete and then moves it; finding one marked but not moved, it completes it once
        more and refuses itself. It publishes a normalised package before it deletes the extracted one, which
        it would normalise again, over the first. And what a first load extracted before dlt kept its schema
        stays pending, to be loaded beside the same rows of the next.
        """
        work = Path(self._pipeline.working_dir)
        if self._pipeline.default_schema_name is None:
            shutil.rmtree(work / "normalize", ignore_errors=True)
        loaded = work / "load" / LoadStorage.LOADED_FOLDER
        normalised = work / "load" / LoadStorage.NORMALIZED_FOLDER
        for mark in list(normalised.glob(f"*/{PackageStorage.PACKAGE_COMPLETED_FILE_NAME}")):
            mark.parent.rename(loaded / mark.parent.name)
        for package in [*normalised.glob("*"), *loaded.glob("*")]:
            shutil.rmtree(work / "normalize" / "extracted" / package.name, ignore_errors=True)

    def _run(self, data: Any) -> None:
        try:
            info: LoadInfo | None = self._pipeline.run(data, loader_file_format="parquet")
            if info:    # None: nothing was pending after all
                info.raise_on_failed_jobs()
        except (PipelineStepFailed, OSError) as e:
            raise cannot_write("to the lake", _cause(e)) from e
        _prune(Path(self._pipeline.working_dir) / "load" / "loaded")
        # with its trace off, dlt never forgets how it resolved its settings, nor the rows of that moment
        get_resolved_traces().clear()


@contextmanager
def archive_loader(lake: Lake, archive: str) -> Iterator[Loader]:
    """A loader for one archive's hits, pages and harvests; raises LakeBusy while another process has it."""
    with _loader(lake, f"glamlake_{archive}", archive, _ARCHIVE_LAYOUT) as loader:
        yield loader


def append_images(lake: Lake, rows: pa.Table) -> None:
    """Append picture facts (RAW_IMAGES rows), after whoever is appending some at this moment."""
    if not rows.num_rows and not (lake.dlt / "glamlake_images").exists():
        return                # nothing to append, and no earlier load to finish
    with _loader(lake, "glamlake_images", "pictures", _IMAGES_LAYOUT, wait_s=120.0) as loader:
        loader.append({RAW_IMAGES.name: rows})


def source_of(name: str, answers: Callable[[], Iterator[Answered]]) -> Any:
    """A dlt source with two resources, `hits` and `pages`, from one walk through an archive's answers.

    Hits merge by their key where the destination can, so that a second run doubles none.
    """
    asked = dlt.resource(answers, name="answers", selected=False)
    hits = dlt.transformer(
        lambda answered: answered.hits, data_from=asked, name=RAW_HITS.name, write_disposition="merge",
        primary_key="hit_id", columns=_hints(RAW_HITS),
    )
    pages = dlt.transformer(
        lambda answered: answered.page, data_from=asked, name=RAW_PAGES.name, columns=_hints(RAW_PAGES),
    )
    return dlt.source(lambda: [hits, pages], name=name)()


def _hints(table: Table) -> dict[str, dict[str, str]]:
    types = {field.name: _DLT_TYPES[str(field.type)] for field in table.schema}
    return {name: {"name": name, "data_type": type_} for name, type_ in types.items()}


@contextmanager
def _loader(
    lake: Lake, pipeline_name: str, source_name: str, layout: str, wait_s: float = 0.0,
) -> Iterator[Loader]:
    with stage_lock(lake, pipeline_name, wait_s):
        _write_settings(lake.dlt / "config.toml")
        pipeline = dlt.pipeline(
            pipeline_name, pipelines_dir=str(lake.dlt.absolute()), dataset_name="raw",
            destination=filesystem(bucket_url=str(lake.root.absolute()), layout=layout),
        )
        # what was reached is read from the lake's own tables; with its copy of its state dlt would throw a
        # killed first load away, and stumble where it is killed at that
        pipeline.config.restore_from_destination = False
        loader = Loader(pipeline, source_name)
        loader.settle()
        yield loader
    catalog.refresh_catalog(lake)


@contextmanager
def stage_lock(lake: Lake, name: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a lock of the lake; raises LakeBusy when another process does not let go of it in time."""
    lake.locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lake.locks / f"{name}.lock", timeout=wait_s)
    try:
        lock.acquire()
    except Timeout as e:
        raise LakeBusy(f"another process is busy with {name} in {lake.root}; wait for it to end") from e
    try:
        yield
    finally:
        lock.release()


def _handed_over(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """The tables, let go of one by one: what dlt leaves of a load waits for the garbage collector."""
    while tables:
        yield tables.pop()


def _cause(e: BaseException) -> BaseException:
    while e.__cause__ is not None or e.__context__ is not None:
        e = e.__cause__ or e.__context__  # type: ignore[assignment]
    return e


def _write_settings(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_SETTINGS, "utf-8")


def _prune(loaded: Path) -> None:
    """Remove the copies of finished loads but the last, which `dlt pipeline … load-package` shows."""
    for package in sorted(loaded.glob("*"))[:-1]:
        shutil.rmtree(package, ignore_errors=True)
