"""Cookies of one thread: what a host sets is told back to it after a redirect, and forgotten when one wishes.

Were they kept for all pictures of a run, a host that gives each answer's cookie another name would soon be
told more of them than it takes in, and refuse every later request.
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
