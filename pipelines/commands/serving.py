"""Commands that put the lake on a page."""

import click

from pipelines.commands._shared import Session, command


@command("glamlake serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.pass_obj
def serve(session: Session, host: str, port: int) -> None:
    """The search page, until Ctrl-C."""
    from web.server import serve

    serve(session.lake(), host, port)


COMMANDS = (serve,)
