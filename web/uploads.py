"""What visitors send: a form read within bounds, and pictures, kept for a while under a secret name."""

import secrets
import threading
from collections import OrderedDict

from PIL.Image import Image
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from web.pictures import MOST_BYTES

_OTHER_FIELDS_BYTES = 64 * 1024
_DRAINED_BYTES = 64 * 1024 * 1024


class Uploads:
    """The newest pictures of visitors, decoded and small, in memory only. Thread-safe."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._kept: OrderedDict[str, Image] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, image: Image) -> str:
        """The token to ask for the picture again."""
        token = secrets.token_urlsafe(12)
        with self._lock:
            self._kept[token] = image
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return token

    def get(self, token: str) -> Image | None:
        """The picture, or None where it was forgotten."""
        with self._lock:
            if token in self._kept:
                self._kept.move_to_end(token)
            return self._kept.get(token)


async def read_form(request: Request) -> tuple[FormData, bytes | None]:
    """The fields of a search form and the bytes of its picture, if one was chosen.

    Raises HTTPException 413 for more than a picture may have, 411 where the length is not announced, 415 for
    what is no form, 403 for one that another site sends.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise HTTPException(403, "this form was sent by another site; search from this page instead")
    await _refuse_too_much(request)
    _require_form(request)
    async with request.form(max_files=1, max_fields=100, max_part_size=_OTHER_FIELDS_BYTES) as form:
        upload = form.get("upload")
        if not isinstance(upload, UploadFile) or not upload.filename:
            return form, None
        content = await upload.read()
    if len(content) > MOST_BYTES:
        raise HTTPException(413, _too_much(len(content)))
    return form, content


def _require_form(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ("", "multipart/form-data", "application/x-www-form-urlencoded"):
        raise HTTPException(415, f"“{media_type[:40]}” is not read; send a form, as multipart/form-data")


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
