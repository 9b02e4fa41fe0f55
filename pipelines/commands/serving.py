"""Commands that put the lake on a page."""

import click

from pipelines.commands._shared import Session, command, which_model


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
@click.pass_obj
def serve(
    session: Session, host: str, port: int, remote_pictures: bool, allowed_origins: tuple[str, ...],
) -> None:
    """The search page, until Ctrl-C."""
    from pipelines.remote_pictures import picture_bytes
    from web.server import serve

    remote = picture_bytes if remote_pictures else None
    serve(session.lake(), host, port, remote=remote, allowed_origins=allowed_origins)


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
