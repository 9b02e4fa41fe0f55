"""A picture from the web for somebody who searches with it: by the client that fetch uses, within bounds."""

import threading

from lake.errors import FetchError
from pipelines.http_client import Manners, PoliteClient

_MOST_BYTES = 10 * 2**20
_MANNERS = Manners(attempts=1, timeout_s=8.0, deadline_s=15.0, redirects=3, per_host=2)
_at_once = threading.BoundedSemaphore(4)


def picture_bytes(url: str) -> bytes:
    """What lies at a public http(s) address, up to 10 MB; raises FetchError, also when too many ask."""
    if not _at_once.acquire(timeout=5):
        raise FetchError("blocked", "too many pictures are being fetched just now; try again in a moment")
    try:
        with PoliteClient(_MANNERS) as client:
            return client.get(url, max_bytes=_MOST_BYTES).content
    except FetchError as e:    # what the command line may permit is not a visitor's to choose
        raise FetchError(e.status, str(e).split("; --")[0], e.http_status) from e
    finally:
        _at_once.release()
