"""What a request carries: the finder of its application, and a form with a picture in it."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, ImmutableMultiDict

from lake.errors import UsageError
from web.asked import Asked, read_asked
from web.finder import Finder
from web.pictures import decode_upload
from web.uploads import read_form

_LONGEST_ADDRESS = 2000


async def finder_of(request: Request) -> Finder:
    """The finder of the application that answers."""
    finder: Finder = request.app.state.finder
    return finder


SharedFinder = Annotated[Finder, Depends(finder_of)]


async def read_sent(request: Request, finder: Finder) -> Asked:
    """What a form and its address ask; a picture in it, or at the address `picture_url`, is decoded and kept.

    What the form says of a parameter counts before what the address says of it. A picture sent now takes the
    place of those sent before.
    """
    asked, form, content = await read_fields(request)
    return await with_picture(asked, form, content, finder)


async def read_fields(request: Request) -> tuple[Asked, FormData, bytes | None]:
    """What a form and its address ask, the form, and the bytes of the picture in it."""
    form, content = await read_form(request)
    asked = read_asked(ImmutableMultiDict([*request.query_params.multi_items(), *form.multi_items()]))
    return asked, form, content


async def with_picture(asked: Asked, form: FormData, content: bytes | None, finder: Finder) -> Asked:
    """The same with the picture that was sent, if any, decoded and kept; raises GlamlakeError."""
    if content is None and (url := str(form.get("picture_url") or "").strip()):
        content = await run_in_threadpool(_fetched, finder, url)
    if content is None:
        return asked
    picture = await run_in_threadpool(decode_upload, content)
    return replace(asked, pictures=(finder.uploads.keep(picture),), likes=(), page="")


def _fetched(finder: Finder, url: str) -> bytes:
    if finder.remote is None:
        raise UsageError("this server fetches no pictures from the web; save the picture and choose the file")
    if len(url) > _LONGEST_ADDRESS:
        raise UsageError(f"the picture's address has {len(url)} characters; {_LONGEST_ADDRESS} is the most")
    return finder.remote(url)
