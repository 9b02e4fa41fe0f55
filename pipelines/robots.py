"""What a site's robots.txt lets us read (RFC 9309), for archives that have no API."""

from urllib.parse import urlsplit

from protego import Protego

from lake.errors import FetchError
from pipelines.http_client import AGENT, PoliteClient

_LARGEST = 512 * 1024
_LONGEST_DELAY_S = 30.0


class Robots:
    """Rules of each host, asked for once; a host's `Crawl-delay` slows the client down."""

    def __init__(self, client: PoliteClient) -> None:
        self._client = client
        self._rules: dict[str, Protego] = {}

    def allows(self, url: str) -> bool:
        """Whether we may read the URL; raises FetchError where nobody can say."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._rules:
            self._rules[site] = Protego.parse(self._text(site))
            delay_s = self._rules[site].crawl_delay(AGENT)
            if delay_s:
                self._client.slow_down(site, min(delay_s, _LONGEST_DELAY_S))
        return bool(self._rules[site].can_fetch(url, AGENT))

    def _text(self, site: str) -> str:
        """The file; a site without one allows everything. Raises FetchError where it cannot be had."""
        try:
            answer = self._client.get(f"{site}/robots.txt", max_bytes=_LARGEST)
        except FetchError as e:
            if e.http_status is not None and 400 <= e.http_status < 500 and e.http_status != 429:
                return ""
            raise
        return "" if answer.content_type == "text/html" else answer.content.decode("utf-8", "replace")
