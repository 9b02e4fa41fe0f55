"""The command line: each command is its stage's function, imported when it is called."""

import logging
import os
import sys
from pathlib import Path

import click

from lake.drafts import lacks_room, way_out
from lake.errors import GlamlakeError, UsageError
from pipelines import console
from pipelines.commands import (
    curating,
    embedding,
    evaluating,
    exploring,
    exporting,
    fetching,
    harvesting,
    reporting,
    searching,
    serving,
    training,
    whole,
)
from pipelines.commands._shared import InOrder, Session

log = logging.getLogger(__name__)

_STOPPED_BY_USER = 130
_NO_ROOM = "no space left while working in the lake; make room, then run the same command again"
_PARTS = (
    harvesting, fetching, curating, embedding, searching, serving, exporting, training, evaluating, reporting,
    exploring, whole,
)


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


for _part in _PARTS:
    for _one in _part.COMMANDS:
        cli.add_command(_one)


def main() -> None:
    """Run the command line; every failure is one line on stderr and a non-zero exit status."""
    console.hush_exit()
    os.environ["PYTHONSAFEPATH"] = "1"    # for its processes: a file of the folder one is in is no module
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
        hint = f"{way_out(e)}, then run the same command again"
        sys.exit(_fail(f"{e.strerror or e}: {e.filename or 'while working in the lake'}; {hint}", 1))
    except Exception as e:
        logging.getLogger("glamlake").exception("unexpected failure")
        if lacks_room(e):      # libraries have errors of their own for it
            sys.exit(_fail(_NO_ROOM, 1))
        sys.exit(_fail(f"unexpected {type(e).__name__}: {str(e)[:300]} (more in the lake's log)", 1))


def _fail(message: str, status: int) -> int:
    click.echo(f"glamlake: {' '.join(message.split())}", err=True)
    return status
