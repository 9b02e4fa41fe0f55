"""Commands that put the lake on a page."""

import re
from functools import partial

import click

from pipelines.commands._shared import Session, command, which_model


def _root_path(_context: click.Context, _option: click.Parameter, given: str) -> str:
    path = given.rstrip("/")
    if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
        raise click.BadParameter(f"{given!r} is no path; it looks like /pictures")
    return path


@command("glamlake serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--remote-pictures/--no-remote-pictures", default=True, show_default=True,
    help="Whether visitors may search with a picture by its address on the web.",
)
@click.option(
    "--allow-origin", "allowed_origins", multiple=True, metavar="ORIGIN", default=("*",), show_default=True,
    help="A site whose IIIF viewer may read manifests here, such as https://viewer.example; * is every site.",
)
@click.option(
    "--root-path", default="", metavar="PATH", callback=_root_path,
    help="What a web server before this one takes off the front of each path, such as /pictures.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True,
              help="Processes that answer, each with the model and the index in its memory.")
@click.pass_obj
def serve(
    session: Session, host: str, port: int, remote_pictures: bool, allowed_origins: tuple[str, ...],
    root_path: str, workers: int,
) -> None:
    """The search page, until Ctrl-C."""
    from pipelines.console import set_up_logging
    from pipelines.remote_pictures import picture_bytes
    from web.server import serve

    lake, remote = session.lake(), picture_bytes if remote_pictures else None
    prepare = partial(set_up_logging, lake.logs, session.verbose)
    serve(
        lake, host, port, remote=remote, allowed_origins=allowed_origins, workers=workers, prepare=prepare,
        root_path=root_path,
    )


@command("glamlake map --points 5000", name="map")
@which_model
@click.option("--points", type=click.IntRange(1), default=20_000, show_default=True,
              help="Most pictures on it.")
@click.option("--seed", type=int, default=42, show_default=True)
@click.pass_obj
def make_map(session: Session, model_id: str | None, points: int, seed: int) -> None:
    """Lay the pictures out in the plane, alike beside alike, for the page's map."""
    from lake.projection import make_map

    click.echo(make_map(session.lake(), model_id, points, seed=seed))


COMMANDS = (serve, make_map)
