"""`python -m pipelines.replay --samples DIR`: plays recorded answers until it is stopped."""

import json
import logging
import threading
from pathlib import Path

import click

from pipelines.replay import europeana, finna
from pipelines.replay.envelope import COUNT_KEYS
from pipelines.replay.recorded import RecordedService
from pipelines.replay.server import ReplayServer

_PATHS = {"europeana": europeana.PATHS, "finna": finna.PATHS}


@click.command()
@click.option("--samples", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True,
              help="Folder with europeana/search_*.json and finna/search_*.json.")
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
        raise click.UsageError(f"{samples} holds neither europeana/search_*.json nor finna/search_*.json")
    with ReplayServer([RecordedService(answers)], port=port) as server:
        click.echo(server.url)
        for mount in mounts:
            click.echo(f"{server.url}{mount}")
        try:
            threading.Event().wait(max_seconds)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


def recorded_answers(samples: Path) -> tuple[dict[str, bytes], list[str]]:
    """Every recorded answer by path, and the prefix that each file has its own copy of the service under."""
    answers: dict[str, bytes] = {}
    mounts: list[str] = []
    for service, paths in _PATHS.items():
        files = sorted((samples / service).glob("search_*.json"))
        for file in sorted(files, key=lambda file: _announced(file.read_bytes())):
            answers |= dict.fromkeys(paths, file.read_bytes())
        for file in files:
            mounts.append(f"/{service}/{file.stem}")
            answers |= {f"{mounts[-1]}{path}": file.read_bytes() for path in paths}
    return answers, mounts


def _announced(content: bytes) -> int:
    envelope = json.loads(content)
    return next((int(envelope[key]) for key in COUNT_KEYS if key in envelope), 0)


if __name__ == "__main__":
    main()
