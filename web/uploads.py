"""What visitors send: a form read within bounds, and pictures, kept for a while under a secret name."""

import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from PIL import Image
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from lake.errors import UsageError
from web.pictures import MOST_BYTES

_TOKEN = re.compile(r"[\w-]{16}", re.ASCII)
_OTHER_FIELDS_BYTES = 64 * 1024
_DRAINED_BYTES = 64 * 1024 * 1024


class Uploads:
    """The newest pictures of visitors, decoded and small, as files that all processes of a server see.

    Without a folder it makes one, which goes with it. Thread-safe.
    """

    def __init__(self, folder: Path | None = None, most: int = 64) -> None:
        self._most = most
        if folder is None:
            self._own = tempfile.TemporaryDirectory(prefix="glamlake-uploads-")
            folder = Path(self._own.name)
        self._folder = folder

    def keep(self, image: Image.Image) -> str:
        """The token to ask for the picture again; raises UsageError where it cannot be kept."""
        token = secrets.token_urlsafe(12)
        draft, path = self._folder / f".{token}", self._path(token)
        try:
            image.save(draft, "PNG", compress_level=1)
            draft.rename(path)
        except OSError as e:
            draft.unlink(missing_ok=True)
            raise UsageError(f"the server cannot keep your picture just now ({e.strerror or e})") from e
        self._forget()
        return token

    def get(self, token: str) -> Image.Image | None:
        """The picture, or None where it was forgotten."""
        if not _TOKEN.fullmatch(token):
            return None
        path = self._path(token)
        with suppress(OSError):
            os.utime(path)    # what is asked for stays
            with Image.open(path, formats=["PNG"]) as image:
                image.load()
                return image
        return None

    def _path(self, token: str) -> Path:
        return self._folder / f"{token}.png"

    def _forget(self) -> None:
        """Remove those that nobody asked for longest."""
        with suppress(FileNotFoundError):    # another process forgets too
            files = sorted(self._folder.glob("*.png"), key=lambda path: path.stat().st_mtime_ns)
            for path in files[:-self._most]:
                path.unlink()


async def read_form(request: Request) -> tuple[FormData, bytes | None]:
    """The fields of a search form and the bytes of its picture, if one was chosen.

    Raises HTTPException 413 for more than a picture may have, 411 where the length is not announced, 415 for
    what is no form, 403 for one that another site sends; UsageError for a picture that is no file.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise HTTPException(403, "this form was sent by another site; search from this page instead")
    await _refuse_too_much(request)
    _require_form(request)
    async with request.form(max_files=1, max_fields=100, max_part_size=_OTHER_FIELDS_BYTES) as form:
        upload = form.get("upload")
        if isinstance(upload, str) and upload:
            raise UsageError("the field upload holds text; send the picture as a file, with a file name")
        if not isinstance(upload, UploadFile) or not upload.filename:
            return form, None
        content = await upload.read()
    if len(content) > MOST_BYTES:
        raise HTTPException(413, _too_much(len(content)))
    return form, content


def _require_form(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return
    if media_type or int(request.headers["content-length"]):
        said = f"“{media_type[:40]}”" if media_type else "what has no Content-Type"
        raise HTTPException(415, f"{said} is not read; send a form, as multipart/form-data")


async def _refuse_too_much(request: Request) -> None:
    announced = request.headers.get("content-length", "")
    if "transfer-encoding" in request.headers or not announced.isdecimal():
        raise HTTPException(411, "send the form with its Content-Length, as browsers do")
    if int(announced) > MOST_BYTES + _OTHER_FIELDS_BYTES:
        await _drain(request)
        raise HTTPException(413, _too_much(int(announced)))


async def _drain(request: Request) -> None:
    """Take what is still coming: a browser shows an answer only when it could send everything."""
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > _DRAINED_BYTES:
            return


def _too_much(n_bytes: int) -> str:
    return (f"the picture has {n_bytes / 1024 / 1024:.1f} MB and {MOST_BYTES // 1024 // 1024} MB is the most "
            "that is taken; save it smaller and choose it again")
