"""`python -m pipelines.replay --samples DIR`: plays recorded answers until it is stopped."""

import logging
import threading
from pathlib import Path

import click

from pipelines.replay.recorded import SEARCHES, RecordedService, recorded_answers
from pipelines.replay.server import ReplayServer


@click.command()
@click.option("--samples", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True,
              help=f"Folder with *search_*.json in {', '.join(SEARCHES)}.")
@click.option("--port", default=0, show_default="a free one")
@click.option("--max-seconds", default=600.0, show_default=True, help="Stop after this time, or with Ctrl-C.")
def main(samples: Path, port: int, max_seconds: float) -> None:
    """Play recorded answers. The first line printed is the URL, then one URL for each answer.

    At the first URL each service plays the answer that announces most hits.

    Example: python -m pipelines.replay --samples ../shared/samples
    """
    logging.basicConfig(level=logging.INFO)
    answers, mounts = recorded_answers(samples)
    if not answers:
        raise click.UsageError(f"{samples} holds no *search_*.json in a folder {', '.join(SEARCHES)}")
    with ReplayServer([RecordedService(answers)], port=port) as server:
        click.echo(server.url)
        for mount in mounts:
            click.echo(f"{server.url}{mount}")
        try:
            threading.Event().wait(max_seconds)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


if __name__ == "__main__":
    main()
