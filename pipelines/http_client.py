"""The one HTTP client: polite to hosts, safe against private addresses, and unable to hang.

Every request names glamlake as its agent, keeps a pause between requests to one host, obeys `Retry-After`,
retries what may come right, and ends after a stated time. The address connected to is checked at the socket,
so neither a redirect nor a name that resolves differently the second time reaches a private network.
"""

import email.utils
import logging
import math
import re
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import httpcore
import httpx
import tenacity

from lake.errors import FetchError, UsageError
from pipelines.guarded_sockets import GuardedSockets, ending_after
from pipelines.http_bodies import ACCEPTED, unpacked
from pipelines.own_cookies import OwnCookies

log = logging.getLogger(__name__)

AGENT = "glamlake"
USER_AGENT = f"{AGENT}/0.1 (picture research; respects Retry-After)"
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 300.0
_TROUBLES_OF_A_LONG_REST = 10
_USUAL_PORTS = {"http": 80, "https": 443}
_CONDITIONS = frozenset({"If-None-Match", "If-Modified-Since"})

Params = list[tuple[str, str | int | float | bool | None]]


@dataclass(frozen=True)
class Manners:
    """How a client behaves: towards hosts, and when they do not behave."""

    user_agent: str = USER_AGENT
    timeout_s: float = 30.0               # to connect, and between two pieces of an answer
    deadline_s: float = 120.0             # for one whole answer
    attempts: int = 5
    backoff_s: float = 1.0                # doubled at each attempt, with jitter
    delay_s: float = 0.0                  # between the starts of two requests to one host
    per_host: int = 6                     # requests to one host at once
    patience: int | None = None           # first failures beyond its successes; then a host is left alone
    redirects: int = 5
    allow_private_hosts: bool = False
    allowed_hosts: frozenset[str] = frozenset()     # "host:port" that may be private
    insecure_hosts: frozenset[str] = frozenset()    # hosts whose TLS certificate is not verified
    connect_to: Mapping[str, tuple[str, int]] = field(default_factory=dict)    # host name → where it is


@dataclass(frozen=True)
class Answer:
    """What a service sent: `content` as received, `url` after redirects."""

    status: int
    headers: httpx.Headers
    content: bytes
    url: str

    @property
    def content_type(self) -> str:
        """The media type without its parameters, lower case; '' where none was sent."""
        return str(self.headers.get("content-type", "")).split(";")[0].strip().lower()


class PoliteClient(AbstractContextManager["PoliteClient"]):
    """A thread-safe client with manners."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self._hosts = _Hosts(manners.delay_s, manners.per_host, manners.patience)
        verified = _GuardedTransport(manners, httpx.create_ssl_context())
        insecure = _GuardedTransport(manners, httpx.create_ssl_context(verify=False))
        self._cookies = OwnCookies()
        self._client = httpx.Client(
            transport=verified, mounts={f"https://{host}": insecure for host in manners.insecure_hosts},
            headers={"User-Agent": manners.user_agent, "Accept-Encoding": ACCEPTED},
            timeout=manners.timeout_s, follow_redirects=True, max_redirects=manners.redirects,
            trust_env=False, cookies=self._cookies,
        )

    def get(
        self, url: str, params: Sequence[tuple[str, str]] = (), headers: Mapping[str, str] | None = None,
        max_bytes: int = 256 * 2**20,
    ) -> Answer:
        """The answer with status 200, after as many attempts as it takes.

        Where the headers ask whether something has changed, status 304 (and no content) says that it has not.
        Raises FetchError: `http_error` (with the service's status), `timeout`, `connection_error`, `blocked`
        or `too_large`.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_come_right), wait=self._wait_s, reraise=True,
            stop=tenacity.stop_after_attempt(self.manners.attempts), before_sleep=_say_retry,
        )
        return retrying(self._get_once, url, list(params), dict(headers or {}), max_bytes)

    def get_once(
        self, url: str, headers: Mapping[str, str] | None = None, max_bytes: int = 256 * 2**20,
        within_s: float | None = None, is_first: bool = True,
    ) -> Answer:
        """As `get`, in one attempt that ends after `within_s` seconds at the latest; asks for plain bytes,
        and tells the host no cookie of before.

        Only the first attempt in vain tries a host's patience: what is asked again is known to be bad.
        """
        self._cookies.forget()
        as_it_is = {"Accept-Encoding": "identity"} | dict(headers or {})
        return self._get_once(url, [], as_it_is, max_bytes, within_s, is_first)

    def again_in_s(self, e: FetchError, tries: int) -> float | None:
        """How long to wait before asking once more after so many attempts; None where that is pointless."""
        if tries >= self.manners.attempts or not _may_come_right(e):
            return None
        return max(e.retry_after_s or 0.0, min(self.manners.backoff_s * 2.0 ** (tries - 1), _LONGEST_WAIT_S))

    def slow_down(self, url: str, delay_s: float) -> None:
        """Keep at least this pause between requests to the URL's host from now on."""
        self._hosts.slow_down(_host_of(url), delay_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _get_once(
        self, url: str, params: Params, headers: dict[str, str], max_bytes: int,
        within_s: float | None = None, is_first: bool = True,
    ) -> Answer:
        host = _host_of(url)
        self._hosts.require_patience(host)
        try:
            answer = self._answer(host, url, params, headers, max_bytes, within_s)
        except FetchError as e:
            failed = _may_come_right(e) or e.http_status in _RETRIED
            if is_first or not failed:
                wants_rest = (e.retry_after_s or 0.0) > _LONGEST_WAIT_S
                troubles = _TROUBLES_OF_A_LONG_REST if wants_rest else 1
                self._hosts.note(host, troubles if failed else 0)
            raise
        self._hosts.note(host)
        return answer

    def _answer(
        self, host: str, url: str, params: Params, headers: dict[str, str], max_bytes: int,
        within_s: float | None,
    ) -> Answer:
        seconds, ends_at = min(self.manners.deadline_s, within_s or math.inf), math.inf
        try:
            with self._hosts.turn(host), ending_after(seconds) as ends_at:
                return self._stream(url, params, headers, max_bytes)
        except httpx.TimeoutException as e:
            reason = f"no answer within {self.manners.timeout_s:.3g} s ({type(e).__name__})"
            if time.monotonic() >= ends_at:
                reason = f"answer not complete after {seconds:.3g} s"
            raise FetchError("timeout", reason) from e
        except httpx.TooManyRedirects as e:
            raise FetchError("http_error", f"more than {self.manners.redirects} redirects") from e
        except httpx.InvalidURL as e:
            raise FetchError("blocked", f"not a URL: {e}") from e
        except httpx.UnsupportedProtocol as e:
            raise FetchError("blocked", f"only http and https are fetched: {e}") from e
        except (httpx.HTTPError, httpcore.ProtocolError, OSError) as e:
            if isinstance(e.__context__, httpx.InvalidURL):
                raise FetchError("blocked", f"redirected to what is no URL: {e.__context__}") from e
            raise FetchError("connection_error", _connection_reason(e, url)) from e
        except ValueError as e:      # a host whose name cannot be spelled, here or in a redirect
            raise FetchError("blocked", f"not a URL: {e}") from e

    def _stream(self, url: str, params: Params, headers: dict[str, str], max_bytes: int) -> Answer:
        with self._client.stream("GET", url, params=params or None, headers=headers) as response:
            announced = response.headers.get("content-length", "")
            if _is_number(announced) and int(announced) > max_bytes:
                raise FetchError("too_large", f"{announced} bytes announced, {max_bytes} allowed")
            content = bytearray()
            for piece in unpacked(response.headers.get("content-encoding", ""), response.iter_raw()):
                content += piece
                if len(content) > max_bytes:
                    raise FetchError("too_large", f"more than {max_bytes} bytes")
            is_unchanged = response.status_code == 304 and not _CONDITIONS.isdisjoint(headers)
            if response.status_code != 200 and not is_unchanged:
                raise _refusal(response, bytes(content))
            return Answer(response.status_code, response.headers, bytes(content), str(response.url))

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        asked = getattr(state.outcome.exception(), "retry_after_s", None) if state.outcome else None
        shortest_s = self.manners.backoff_s
        backoff = tenacity.wait_exponential_jitter(
            multiplier=shortest_s, max=_LONGEST_WAIT_S, jitter=shortest_s
        )
        return max(float(asked or 0.0), backoff(state))


def user_agent(contact: str | None) -> str:
    """Who asks, and where to complain; raises UsageError for a contact that no header can carry."""
    if not contact:
        return USER_AGENT
    if not (contact.isascii() and contact.isprintable()) or set(contact) & set("()"):
        raise UsageError(f"GLAMLAKE_CONTACT {contact!r} is no mail or web address; plain ASCII, please")
    return f"{USER_AGENT[:-1]}; {contact.strip()})"


def cut_out(secrets: Iterable[str], text: str) -> str:
    """The text with REDACTED for every secret that stands as a word of its own, plain or URL-encoded."""
    for secret in filter(None, secrets):
        for form in dict.fromkeys((secret, quote(secret, safe=""))):
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])", "REDACTED", text)
    return text


def retry_after_s(value: str | None, now: float | None = None) -> float | None:
    """Seconds that a `Retry-After` header (number or HTTP date) asks for; None where it is unreadable."""
    if not value:
        return None
    if _is_number(value.strip()):
        return float(value)
    try:
        at_s = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):      # some years and hours are no date of any calendar
        return None
    return max(0.0, at_s - (time.time() if now is None else now))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _host_of(url: str) -> str:
    """The host, and its port where it is no usual one: however it is written, it is one host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as e:
        raise FetchError("blocked", f"not a URL: {e}") from e
    if parts.scheme not in _USUAL_PORTS:
        raise FetchError("blocked", f"only http and https are fetched, not {url[:80]!r}")
    name = f"[{host}]" if ":" in host else host.rstrip(".")
    return name if port in (None, _USUAL_PORTS[parts.scheme]) else f"{name}:{port}"


def _refusal(response: httpx.Response, content: bytes) -> FetchError:
    start = " ".join(content[:300].decode("utf-8", "replace").split())
    e = FetchError("http_error", f"HTTP {response.status_code}: {start}"[:300], response.status_code)
    e.retry_after_s = retry_after_s(response.headers.get("retry-after"))
    if e.retry_after_s is not None and e.retry_after_s > _LONGEST_WAIT_S:
        e.final = True
    return e


def _may_come_right(e: BaseException) -> bool:
    if not isinstance(e, FetchError) or e.final:
        return False
    return e.status in ("timeout", "connection_error") or e.http_status in _RETRIED


def _say_retry(state: tenacity.RetryCallState) -> None:
    wait_s = state.next_action.sleep if state.next_action else 0.0
    reason = state.outcome.exception() if state.outcome else None
    log.info("retrying in %.1f s after attempt %d: %s", wait_s, state.attempt_number, reason)


def _connection_reason(e: Exception, url: str) -> str:
    asked = str(e.request.url) if isinstance(e, httpx.RequestError) else url      # after redirects
    host = urlsplit(asked).hostname or ""
    host = f"[{host}]" if ":" in host else host
    if "CERTIFICATE_VERIFY_FAILED" in str(e):
        return f"the TLS certificate of {host} is not valid; --insecure-host {host} accepts it"
    return f"{type(e).__name__} from {host}: {e}"


class _Hosts:
    """Gives each host a pause between requests, a cap on how many run at once, and rest when it fails.

    A failure counts one (ten, where the host wants to be left alone for longer than anybody waits), a success
    takes one back: a host that answers at least every second time is asked on, one that does not is left
    alone for as long as the client lives.
    """

    def __init__(self, delay_s: float, at_once: int, patience: int | None) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._delay_s: dict[str, float] = defaultdict(lambda: delay_s)
        self._troubles: dict[str, int] = defaultdict(int)
        self._free_at: dict[str, float] = defaultdict(float)
        self._places: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(at_once))

    def turn(self, host: str) -> threading.Semaphore:
        """A place to hold while asking the host, handed out when its pause is over."""
        with self._lock:
            start = max(time.monotonic(), self._free_at[host])
            self._free_at[host] = start + self._delay_s[host]
            place = self._places[host]
        if (wait_s := start - time.monotonic()) > 0:     # a sleep of nothing gives the processor away
            time.sleep(wait_s)
        return place

    def slow_down(self, host: str, delay_s: float) -> None:
        """A longer pause for one host."""
        with self._lock:
            self._delay_s[host] = max(self._delay_s[host], delay_s)

    def note(self, host: str, troubles: int = 0) -> None:
        """Remember how a request ended: with so many troubles; one without any takes one back."""
        with self._lock:
            self._troubles[host] = max(0, self._troubles[host] + (troubles or -1))

    def require_patience(self, host: str) -> None:
        """Raises FetchError (`connection_error`, final) for a host that keeps failing."""
        with self._lock:
            troubles = self._troubles[host]
        if self._patience is not None and troubles >= self._patience:
            e = FetchError("connection_error", f"{host} keeps failing and is left alone for now")
            e.final = True
            raise e


class _NoBody(httpx.SyncByteStream):
    """In place of what comes with a redirect, which httpx would read to its end, however far that is."""

    def __init__(self, unread: httpx.SyncByteStream) -> None:
        self._unread = unread

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        """Let the connection go."""
        self._unread.close()


class _GuardedTransport(httpx.HTTPTransport):
    """httpx's transport over sockets that refuse private addresses."""

    def __init__(self, manners: Manners, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls, max_connections=64, max_keepalive_connections=16, keepalive_expiry=15.0,
            network_backend=GuardedSockets(
                manners.allow_private_hosts, manners.allowed_hosts, manners.connect_to
            ),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if response.has_redirect_location:
            assert isinstance(response.stream, httpx.SyncByteStream)
            response.stream = _NoBody(response.stream)
        return response
