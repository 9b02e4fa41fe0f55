"""The command line: each command is its stage's function, imported when it is called."""

import errno
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lake import Lake
from lake.errors import CheckFailed, GlamlakeError, UsageError
from pipelines import console

log = logging.getLogger(__name__)

_STOPPED_BY_USER = 130
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class _Session:
    """What every command is handed: which lake, and how much to say."""

    root: Path
    verbose: bool

    def lake(self, create: bool = False) -> Lake:
        """The lake, logging into it; a command that writes may make it."""
        return console.open_lake(Lake(self.root), create, self.verbose)


class _Command(click.Command):
    """A command whose help ends with its example, as it is typed."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, not re-wrapped."""
        formatter.write(f"\nExample:\n  {self._example}\n")


class _InOrder(click.Group):
    """Lists its commands in the order of the flow, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The order in which they stand in this file."""
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--lake", "root", type=click.Path(path_type=Path), envvar="GLAMLAKE_LAKE",
              default=Path("lake-data"), show_default=True, help="The lake's folder.")
@click.option("-v", "--verbose", is_flag=True, help="Say more; the log file in the lake always says it.")
@click.version_option(package_name="glamlake", prog_name="glamlake")
@click.pass_context
def cli(context: click.Context, root: Path, verbose: bool) -> None:
    """Turn the answers of archives' APIs into one searchable, rights-aware picture collection.

    The stages, in order: harvest, normalise, fetch, curate, embed; then search, export, train.
    Begin with `glamlake demo`.
    """
    context.obj = _Session(root, verbose)


def _command(example: str, name: str | None = None) -> Callable[[Callable[..., None]], click.Command]:
    return cli.command(name, cls=_Command, example=example)


def _group_of(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Options that several commands share, in the order given."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_path = click.Path(path_type=Path)
_as_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
_which_model = click.option("--model", "model_id", metavar="MODEL_ID",
                            help="Which model's vectors; the newest if not given.")
_asking = _group_of(
    click.argument("archives", nargs=-1, required=True, metavar="ARCHIVE..."),
    click.option("--query", "queries", multiple=True, metavar="Q",
                 help="A search; may be given more than once."),
    click.option("--query-file", type=_path, metavar="F", help="Searches, one a line, UTF-8."),
    click.option("--start-date", metavar="D", help="1939, 1939-11 or 1939-11-30."),
    click.option("--end-date", metavar="D", help="As --start-date; the whole year or month counts."),
    click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N hits a search."),
    click.option("--base-url", metavar="URL", help="A mirror or replay of the service."),
    click.option("--refresh", is_flag=True, help="Ask again what is complete already."),
)
_fetching = _group_of(
    click.option("--workers", type=click.IntRange(1, 256), default=12, show_default=True,
                 help="Pictures fetched at once."),
    click.option("--max-side", type=click.IntRange(16), metavar="PX", help="Keep a smaller JPEG instead."),
    click.option("--retry-failed", is_flag=True, help="Ask again for what may come right."),
    click.option("--allow-private-hosts", is_flag=True, help="Permit pictures on private addresses."),
    click.option("--insecure-host", "insecure_hosts", multiple=True, metavar="HOST",
                 help="Accept this host's broken TLS certificate."),
)
_curating = _group_of(
    click.option("--val-split", type=click.FloatRange(0, 0.9), default=0.35, show_default=True,
                 help="Share of the samples kept for validation."),
    click.option("--seed", type=int, default=42, show_default=True, help="Another seed, another split."),
    click.option("--ood-providers", type=click.IntRange(0), default=0, show_default=True, metavar="N",
                 help="Whole providers kept apart as test_ood."),
)
_encoding = _group_of(
    click.option("--model", default="ViT-B-32", show_default=True, help="An open_clip architecture."),
    click.option("--pretrained", default="openai", show_default=True, help="Its pretrained tag."),
    click.option("--checkpoint", type=_path, metavar="PATH", help="Local weights instead."),
    click.option("--batch-size", type=click.IntRange(1), default=128, show_default=True,
                 help="Pictures encoded at once."),
)


@_command("glamlake archives")
@_as_json
def archives(as_json: bool) -> None:
    """What can be harvested, which key it needs, how it pages."""
    from pipelines.archives import archive_names, load_archive

    _show([load_archive(name).data_sheet() for name in archive_names()], as_json)


@_command("glamlake harvest sa_kuva --query lentokone --query juna --limit 200")
@_asking
@click.pass_obj
def harvest(session: _Session, /, **asked: Any) -> None:
    """Ask archives for hits; without a query, the built-in vocabulary is asked.

    What is complete is not asked again. An API key comes from the environment (see `glamlake archives`).
    """
    from pipelines import plan

    asks = plan.harvest_plan(os.environ, **asked)
    reports = plan.harvest_all(session.lake(create=True), asks)
    _show([report.summary() for report in reports], as_json=False)
    plan.raise_on_failed(reports)


@_command("glamlake normalise")
@click.pass_obj
def normalise(session: _Session) -> None:
    """Turn hits into records, and say why the others are none."""
    from pipelines import archives, transform

    _show_counts(transform.normalise(session.lake(), archives.archive_names()))


@_command("glamlake fetch --workers 24 --max-side 1024")
@_fetching
@click.pass_obj
def fetch(session: _Session, /, **options: Any) -> None:
    """Fetch the records' pictures; each URL ends with a status."""
    from pipelines import fetch

    _show_counts(fetch.fetch(session.lake(), fetch.FetchOptions(**options)))


@_command("glamlake curate --val-split 0.2")
@_curating
@click.pass_obj
def curate(session: _Session, /, **options: Any) -> None:
    """Find duplicates, make samples, split them."""
    from pipelines import archives, transform

    lake = session.lake()
    _show_counts(transform.curate(lake, transform.CurateOptions(**options), archives.archive_names()))


@_command("glamlake embed --model ViT-B-32 --pretrained openai")
@_encoding
@click.pass_obj
def embed(session: _Session, /, batch_size: int, **spec: Any) -> None:
    """Embed the samples that have no vector yet."""
    from models.encoder import EncoderSpec
    from pipelines import embed

    report = embed.embed(session.lake(), EncoderSpec(**spec), batch_size)
    _show_counts({"embedded": report.embedded, "already": report.already, "failed": report.failed})


@_command('glamlake search "a ship in harbour" --where "year between 1939 and 1945"')
@click.argument("texts", nargs=-1, metavar='["TEXT"]...')
@click.option("--image", "images", multiple=True, metavar="PATH|URL|SAMPLE_ID", help="Search by a picture.")
@click.option("--not", "negative", multiple=True, metavar="TEXT", help="Away from these words.")
@click.option("--where", metavar="SQL", help="A condition on the columns of samples.")
@click.option("--weight", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="Of the words, where pictures are given too.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@_which_model
@_as_json
@click.pass_obj
def search(session: _Session, /, as_json: bool, **asked: Any) -> None:
    """Search by words, by a picture, or by both."""
    from pipelines import finding

    rows = finding.search_rows(session.lake(), finding.Asked(**asked))
    _show(rows if as_json else [finding.brief(row) for row in rows], as_json)


@_command("glamlake export webdataset ships --split train --split val --label ship")
@click.argument("format_", metavar="FORMAT")
@click.argument("name")
@click.option("--split", "splits", multiple=True, help="train, val, test_id or test_ood.")
@click.option("--label", "labels", multiple=True, help="Only samples with one of these labels.")
@click.option("--rights", multiple=True, default=("open",), show_default=True, help="Rights classes let out.")
@click.option("--archive", "archives", multiple=True, help="Only samples from these archives.")
@click.option("--where", metavar="SQL", help="A condition on the columns of samples.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N samples.")
@click.pass_obj
def export(session: _Session, /, format_: str, name: str, **options: Any) -> None:
    """Freeze samples as a data set: webdataset or csv."""
    from pipelines import exports

    click.echo(exports.export(session.lake(), format_, name, exports.ExportOptions(**options)))


@_command("glamlake train EXPORT_NAME my-model --seconds 600")
@click.argument("export_name")
@click.argument("name")
@click.option("--seconds", type=click.IntRange(1), default=600, show_default=True, help="Time budget.")
@click.option("--epochs", type=click.IntRange(1), default=60, show_default=True)
@click.option("--seed", type=int, default=42, show_default=True)
@click.pass_obj
def train(session: _Session, /, export_name: str, name: str, **options: Any) -> None:
    """Train a small encoder on a webdataset export; `embed --checkpoint` takes the result."""
    from models import train

    lake = session.lake()
    report = train.train(lake.exports / export_name, lake.models / name, train.TrainOptions(**options))
    click.echo(json.dumps(report.as_dict(), indent=2))


@_command("glamlake evaluate --split val")
@click.option("--split", "splits", multiple=True, default=("val",), show_default=True)
@_which_model
@click.pass_obj
def evaluate(session: _Session, splits: tuple[str, ...], model_id: str | None) -> None:
    """Retrieval of held-out pictures by their captions, and back, beside chance."""
    from models import evaluate
    from models.encoder import open_encoder

    lake = session.lake()
    found = evaluate.evaluate(lake, open_encoder(lake, model_id), splits)
    click.echo(json.dumps(found, indent=2))


@_command("glamlake check")
@_as_json
@click.pass_obj
def check(session: _Session, as_json: bool) -> None:
    """Check the data, write the report; exit status 1 where a critical expectation fails."""
    from checks.report import run_checks

    report = run_checks(session.lake())
    _say(report, as_json)
    click.echo(f"report: {report.page}", err=True)
    if report.failed_critical:
        raise CheckFailed(f"{len(report.failed_critical)} critical expectations fail; read {report.page}")


@_command("glamlake status")
@_as_json
@click.pass_obj
def status(session: _Session, as_json: bool) -> None:
    """The ledger: what came in, where it is now, and whether it adds up."""
    from lake.ledger import ledger

    _say(ledger(session.lake()), as_json)


@_command("glamlake serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.pass_obj
def serve(session: _Session, host: str, port: int) -> None:
    """The search page, until Ctrl-C."""
    from web.server import serve

    serve(session.lake(), host, port)


@_command('glamlake sql "select archive, count(*) as n from records group by all" --format csv')
@click.argument("statement")
@click.option("--format", "format_", type=click.Choice(["table", "csv", "json", "parquet"]), default="table",
              show_default=True)
@click.pass_obj
def sql(session: _Session, /, statement: str, format_: str) -> None:
    """Ask the lake in SQL; parquet goes to standard output as bytes."""
    from lake import catalog

    sys.stdout.buffer.write(console.formatted(catalog.query(session.lake(), statement), format_))


@_command("glamlake run sa_kuva --query lentokone --limit 100")
@_asking
@_fetching
@_curating
@_encoding
@click.pass_obj
def run(session: _Session, /, **options: Any) -> None:
    """Every stage in order: harvest, normalise, fetch, curate, embed, export, check."""
    from checks.report import run_checks
    from lake.ledger import ledger
    from pipelines import plan, run

    asks = run.run_plan(os.environ, options)
    lake = session.lake(create=True)
    reports = run.run(lake, asks)
    checked = run_checks(lake)
    click.echo(ledger(lake).text())
    n_failed = len(checked.failed_critical)
    click.echo(f"data quality: {n_failed} critical failures; report: {checked.page}", err=True)
    plan.raise_on_failed(reports)


@_command("glamlake demo")
@click.option("--seconds", type=click.IntRange(1), default=75, show_default=True, help="Time to train.")
@click.pass_obj
def demo(session: _Session, seconds: int) -> None:
    """The whole flow on a built-in archive of drawn pictures: no network, no key."""
    lake = session.lake(create=True)
    from checks.report import run_checks
    from lake.ledger import ledger
    from pipelines.demo import show

    shown = show.show(lake, seconds)
    checked = run_checks(lake)
    click.echo(f"\n{ledger(lake).text()}\n\n{shown.as_text()}\n")
    click.echo(f"report         {checked.page}\nsearch page    glamlake --lake {lake.root} serve")


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    as_text = json.dumps(rows, indent=2, default=str, ensure_ascii=False)
    click.echo(as_text if as_json else console.table(rows))


def _say(found: Any, as_json: bool) -> None:
    """Something that knows itself as plain values and as text."""
    click.echo(json.dumps(found.as_dict(), indent=2, default=str) if as_json else found.text())


def _show_counts(counts: dict[str, int]) -> None:
    _show([{"what": name, "count": count} for name, count in counts.items()], as_json=False)


def main() -> None:
    """Run the command line; every failure is one line on stderr and a non-zero exit status."""
    console.hush_exit()
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(_fail("stopped; run the same command again and it goes on", _STOPPED_BY_USER))
    except click.UsageError as e:
        sys.exit(_fail(e.format_message(), UsageError.exit_status))
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except GlamlakeError as e:
        log.debug("failed", exc_info=True)
        sys.exit(_fail(str(e), e.exit_status))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as e:
        log.debug("failed", exc_info=True)
        hint = "make room, then run the same command again" if e.errno in _DISK_FULL else "see the lake's log"
        sys.exit(_fail(f"{e.strerror or e}: {e.filename or 'while working in the lake'}; {hint}", 1))
    except Exception as e:
        logging.getLogger("glamlake").exception("unexpected failure")
        sys.exit(_fail(f"unexpected {type(e).__name__}: {str(e)[:300]} (more in the lake's log)", 1))


def _fail(message: str, status: int) -> int:
    click.echo(f"glamlake: {' '.join(message.split())}", err=True)
    return status
