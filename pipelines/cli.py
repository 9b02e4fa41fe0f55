"""The command line: each command is its stage's function, imported when it is called."""

import errno
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lake.errors import CheckFailed, GlamlakeError, UsageError
from pipelines import console, exploring
from pipelines.commands import (
    Command,
    InOrder,
    Session,
    as_json,
    asking,
    curating,
    encoding,
    fetching,
    say,
    show,
    show_counts,
    which_model,
)

log = logging.getLogger(__name__)

_STOPPED_BY_USER = 130
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
    context.obj = Session(root, verbose)

def _command(example: str, name: str | None = None) -> Callable[[Callable[..., None]], click.Command]:
    return cli.command(name, cls=Command, example=example)

@_command("glamlake archives")
@as_json
def archives(as_json: bool) -> None:
    """What can be harvested, which key it needs, how it pages."""
    from pipelines.archives import archive_names, load_archive

    show([load_archive(name).data_sheet() for name in archive_names()], as_json)


@_command("glamlake harvest sa_kuva --query lentokone --query juna --limit 200")
@asking
@click.option("--dry-run", is_flag=True, help="Only show the slices and how much there is of each.")
@click.pass_obj
def harvest(session: Session, /, dry_run: bool, **asked: Any) -> None:
    """Ask archives for hits; without a query, the built-in vocabulary is asked.

    What is complete is not asked again. An API key comes from the environment (see `glamlake archives`), and
    so does GLAMLAKE_CONTACT, a mail or web address that the hosts are told.
    """
    from pipelines import plan

    asks = plan.harvest_plan(os.environ, **asked)
    if dry_run:
        show(plan.dry_run_all(asks), as_json=False)
        return
    reports = plan.harvest_all(session.lake(create=True), asks)
    show([report.summary() for report in reports], as_json=False)
    plan.raise_on_failed(reports)


@_command("glamlake normalise")
@click.pass_obj
def normalise(session: Session) -> None:
    """Turn hits into records, and say why the others are none."""
    from pipelines import archives, transform

    show_counts(transform.normalise(session.lake(), archives.archive_names()))


@_command("glamlake fetch --workers 24 --max-side 1024")
@fetching
@click.pass_obj
def fetch(session: Session, /, **options: Any) -> None:
    """Fetch the records' pictures; each URL ends with a status."""
    from pipelines import fetch

    contact = os.environ.get("GLAMLAKE_CONTACT")
    show_counts(fetch.fetch(session.lake(), fetch.FetchOptions(**options, contact=contact)))


@_command("glamlake curate --val-split 0.2")
@curating
@click.pass_obj
def curate(session: Session, /, **options: Any) -> None:
    """Find duplicates, make samples, split them."""
    from pipelines import archives, transform

    lake = session.lake()
    show_counts(transform.curate(lake, transform.CurateOptions(**options), archives.archive_names()))


@_command("glamlake embed --model ViT-B-32 --pretrained openai")
@encoding
@click.pass_obj
def embed(session: Session, /, batch_size: int, **spec: Any) -> None:
    """Embed the samples that have no vector yet."""
    from models.encoder import EncoderSpec
    from pipelines import embed

    report = embed.embed(session.lake(), EncoderSpec(**spec), batch_size)
    show_counts({"embedded": report.embedded, "already": report.already, "failed": report.failed})


@_command('glamlake search "a ship in harbour" --where "year between 1939 and 1945"')
@click.argument("texts", nargs=-1, metavar='["TEXT"]...')
@click.option("--image", "images", multiple=True, metavar="PATH|URL|SAMPLE_ID", help="Search by a picture.")
@click.option("--not", "negative", multiple=True, metavar="TEXT", help="Away from these words.")
@click.option("--where", metavar="SQL", help="A condition on the columns of samples.")
@click.option("--weight", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="Of the words, where pictures are given too.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@which_model
@as_json
@click.pass_obj
def search(session: Session, /, as_json: bool, **asked: Any) -> None:
    """Search by words, by a picture, or by both."""
    from pipelines import finding

    rows = finding.search_rows(session.lake(), finding.Asked(**asked))
    show(rows if as_json else [finding.brief(row) for row in rows], as_json)


class _ExportCommand(Command):
    """`export FORMAT NAME`, and `export diff A B`, which has arguments and options of its own."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> click.Context:
        """Hand what follows `diff` to its own command."""
        if args[:1] == ["diff"]:
            return export_diff.make_context(f"{info_name} diff", args[1:], *rest, **more)
        return super().make_context(info_name, args, *rest, **more)


@cli.command(cls=_ExportCommand, example="glamlake export webdataset ships --split train --label ship")
@click.argument("format_", metavar="FORMAT")
@click.argument("name")
@click.option("--split", "splits", multiple=True, help="train, val, test_id or test_ood.")
@click.option("--label", "labels", multiple=True, help="Only samples with one of these labels.")
@click.option("--rights", multiple=True, default=("open",), show_default=True, help="Rights classes let out.")
@click.option("--archive", "archives", multiple=True, help="Only samples from these archives.")
@click.option("--where", metavar="SQL", help="A condition on the columns of samples.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N samples.")
@click.option("--max-side", type=click.IntRange(16), metavar="PX", help="Larger pictures as smaller JPEGs.")
@click.option("--shard-size", type=click.IntRange(1), default=1000, show_default=True, metavar="N",
              help="Samples in a shard, where the format has shards.")
@which_model
@click.pass_obj
def export(session: Session, /, format_: str, name: str, **options: Any) -> None:
    """Freeze samples as a data set: webdataset, huggingface, csv, eufcc or vectors.

    `glamlake export diff A B` tells what one has otherwise than another.
    """
    from pipelines import exports

    click.echo(exports.export(session.lake(), format_, name, exports.ExportOptions(**options)))


@click.command(cls=Command, example="glamlake export diff ships-2025 ships-2026 --json")
@click.argument("before")
@click.argument("after")
@as_json
@click.pass_obj
def export_diff(session: Session, before: str, after: str, as_json: bool) -> None:
    """What export AFTER has otherwise than BEFORE: samples added, removed, changed, moved between splits.

    Each is a name in the lake or the path of an export.
    """
    from pipelines import exports

    say(exports.diff_exports(session.lake(), before, after), as_json)


@_command("glamlake train EXPORT_NAME my-model --seconds 600")
@click.argument("export_name")
@click.argument("name")
@click.option("--seconds", type=click.IntRange(1), default=600, show_default=True, help="Time budget.")
@click.option("--epochs", type=click.IntRange(1), default=140, show_default=True)
@click.option("--seed", type=int, default=42, show_default=True)
@click.pass_obj
def train(session: Session, /, export_name: str, name: str, **options: Any) -> None:
    """Train a small encoder on a webdataset export; `embed --checkpoint` takes the result."""
    from models import train

    lake = session.lake()
    report = train.train(lake.exports / export_name, lake.models / name, train.TrainOptions(**options))
    click.echo(json.dumps(report.as_dict(), indent=2))


@_command("glamlake evaluate --split val")
@click.option("--split", "splits", multiple=True, default=("val",), show_default=True)
@which_model
@click.pass_obj
def evaluate(session: Session, splits: tuple[str, ...], model_id: str | None) -> None:
    """Retrieval of held-out pictures by their captions, and back, beside chance."""
    from models import evaluate
    from models.encoder import open_encoder

    lake = session.lake()
    found = evaluate.evaluate(lake, open_encoder(lake, model_id), splits)
    click.echo(json.dumps(found, indent=2))


@_command("glamlake check")
@as_json
@click.pass_obj
def check(session: Session, as_json: bool) -> None:
    """Check the data, write the report; exit status 1 where a critical expectation fails."""
    from checks.report import run_checks

    report = run_checks(session.lake())
    say(report, as_json)
    click.echo(f"report: {report.page}", err=True)
    if report.failed_critical:
        raise CheckFailed(f"{len(report.failed_critical)} critical expectations fail; read {report.page}")


@_command("glamlake status")
@as_json
@click.pass_obj
def status(session: Session, as_json: bool) -> None:
    """The ledger: what came in, where it is now, and whether it adds up."""
    from lake.ledger import ledger

    say(ledger(session.lake()), as_json)


@_command("glamlake serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.pass_obj
def serve(session: Session, host: str, port: int) -> None:
    """The search page, until Ctrl-C."""
    from web.server import serve

    serve(session.lake(), host, port)


for _looking in exploring.COMMANDS:
    cli.add_command(_looking)


@_command("glamlake run sa_kuva --query lentokone --limit 100")
@asking
@fetching
@curating
@encoding
@click.pass_obj
def run(session: Session, /, **options: Any) -> None:
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
def demo(session: Session, seconds: int) -> None:
    """The whole flow on a built-in archive of drawn pictures: no network, no key."""
    lake = session.lake(create=True)
    from checks.report import run_checks
    from lake.ledger import ledger
    from pipelines.demo import show

    shown = show.show(lake, seconds)
    checked = run_checks(lake)
    click.echo(f"\n{ledger(lake).text()}\n\n{shown.as_text()}\n")
    click.echo(f"report         {checked.page}\nsearch page    glamlake --lake {lake.root} serve")

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
