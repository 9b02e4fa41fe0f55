"""An archive's service as a harvest sees it: a page asked for becomes a page read, or an ArchiveError."""

import logging

import tenacity

from lake.errors import ArchiveError, FetchError, ServiceRefused, ServiceUnavailable, UnexpectedAnswer
from pipelines.archives._archive import Archive, Page, Request
from pipelines.details import with_details
from pipelines.http_client import Answer, Manners, PoliteClient, cut_out, user_agent
from pipelines.local_files import LocalFiles
from pipelines.passes import Pass
from pipelines.robots import Robots

log = logging.getLogger(__name__)


class Service:
    """Asks one archive's service; the API key goes out in a header and is cut out of all that comes back."""

    def __init__(self, archive: Archive, client: PoliteClient, key: str | None) -> None:
        self._archive, self._client, self._key = archive, client, key
        self._files = LocalFiles(client)
        self._robots = Robots(client) if archive.obeys_robots else None

    def page(self, walk: Pass) -> Page:
        """The page at the walk's token; an answer that cannot be read is asked for twice more.

        Raises ServiceRefused, ServiceUnavailable or UnexpectedAnswer, none of them with the key in it.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(UnexpectedAnswer), stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_exponential(self._client.manners.backoff_s), reraise=True,
        )
        page = retrying(self._page_once, walk)
        return with_details(self._archive, page, lambda request: self._text_of(walk.base_url, request))

    def _page_once(self, walk: Pass) -> Page:
        token = walk.token or ""
        if self._archive.reads_files:
            return self._archive.read_local(walk.query, self._place_of(walk.base_url), token, walk.page_size)
        request = self._archive.request(walk.query, token, walk.page_size, self._key)
        return self._archive.read(self._text_of(walk.base_url, request), token, walk.page_size)

    def _place_of(self, location: str) -> str:
        try:
            return self._files.place(location)
        except FetchError as e:
            raise self._as_archive_error(e) from e

    def _text_of(self, base_url: str, request: Request) -> str:
        try:
            self._ask_robots(base_url + request.path)
            answer = self._client.get(base_url + request.path, request.params, request.headers)
        except FetchError as e:
            raise self._as_archive_error(e) from e
        return self._without_key(self._text(answer))

    def _ask_robots(self, url: str) -> None:
        if self._robots and not self._robots.allows(url):
            raise ServiceRefused(f"{self._archive.title}: its robots.txt asks us not to read {url}")

    def _as_archive_error(self, e: FetchError) -> ArchiveError:
        title, reason = self._archive.title, self._without_key(str(e))
        if e.http_status in (401, 403):
            hint = f"; check {self._archive.key_variable}" if self._archive.key_variable else ""
            return ServiceRefused(f"{title} refuses: {reason}{hint}", bool(self._archive.key_variable))
        if e.http_status is not None and 400 <= e.http_status < 500 and e.http_status != 429:
            return ServiceRefused(f"{title} refuses: {reason}")
        return ServiceUnavailable(f"{title} gave no usable answer: {reason}")

    def _text(self, answer: Answer) -> str:
        try:
            return answer.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            log.warning("%s sent bytes that are not UTF-8; they become U+FFFD", self._archive.title)
            return answer.content.decode("utf-8", "replace")

    def _without_key(self, text: str) -> str:
        return cut_out([self._key or ""], text)


def manners_towards(archive: Archive, base_url: str | None, contact: str | None) -> Manners:
    """The archive's own pace; a service that was named by hand may be on one's own machine."""
    return Manners(
        user_agent=user_agent(contact), delay_s=0.0 if base_url else archive.delay_s,
        per_host=archive.per_host, patience=12, allow_private_hosts=True, deadline_s=180.0,
    )
