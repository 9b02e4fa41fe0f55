"""Cookies of one thread: what a host sets is told back to it after a redirect, and forgotten when one wishes.

Kept for all pictures of a run they would be the same host's from any of its answers: a host that names each
anew would soon be told more than it hears out, and answer nothing else.
"""

import threading
from collections.abc import Iterator
from http.cookiejar import Cookie, CookieJar
from typing import Any


class OwnCookies(CookieJar):
    """A jar that threads may share: each finds what was set for itself."""

    def __init__(self) -> None:
        super().__init__()
        self._of_thread = threading.local()

    def forget(self) -> None:
        """Empty the jar of this thread."""
        self._of_thread.jar = CookieJar()

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep what the answer sets."""
        self._own().extract_cookies(response, request)

    def __iter__(self) -> Iterator[Cookie]:
        return iter(self._own())

    def _own(self) -> CookieJar:
        if not hasattr(self._of_thread, "jar"):
            self.forget()
        jar: CookieJar = self._of_thread.jar
        return jar
