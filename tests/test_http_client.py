"""The client's manners: it retries what may come right, waits as asked, and reaches no private address."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest

from lake.errors import FetchError
from pipelines.http_client import Manners, PoliteClient, cut_out, retry_after_s

QUICK = Manners(attempts=3, backoff_s=0.01, allow_private_hosts=True)


@contextmanager
def served(answer: Callable[[BaseHTTPRequestHandler, int], None]) -> Iterator[str]:
    """A server that hands each request, with its number, to `answer`; gives its URL."""
    numbers = iter(range(1, 10_000))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, next(numbers))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {"Content-Length": str(len(body)), **named}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def failing_first(times: int, status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler, int], None]:
    return lambda h, n: reply(h, status, b"busy", **headers) if n <= times else reply(h, 200, b"ok")


def fetch(url: str, manners: Manners = QUICK, **options: int) -> bytes:
    with PoliteClient(manners) as client:
        return client.get(url, **options).content


def failure_of(url: str, manners: Manners = QUICK, **options: int) -> FetchError:
    with pytest.raises(FetchError) as e:
        fetch(url, manners, **options)
    return e.value


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_come_right_is_asked_again(status):
    with served(failing_first(2, status)) as url:
        assert fetch(url) == b"ok"


def test_retry_after_is_waited_for():
    with served(failing_first(1, 429, Retry_After="1")) as url:
        started = time.monotonic()
        assert fetch(url) == b"ok"
        assert time.monotonic() - started >= 1.0


def test_a_retry_after_of_an_hour_ends_the_attempts_at_once():
    with served(failing_first(1, 429, Retry_After="3600")) as url:
        e = failure_of(url)
    assert (e.status, e.http_status) == ("http_error", 429)


def test_a_404_is_final_and_says_its_status():
    asked = []
    with served(lambda h, n: (asked.append(n), reply(h, 404, b"gone"))) as url:
        e = failure_of(url)
    assert (e.status, e.http_status, asked) == ("http_error", 404, [1])


def test_a_body_shorter_than_announced_is_a_connection_error():
    with served(lambda h, n: reply(h, 200, b"half", Content_Length="8")) as url:
        e = failure_of(url)
    assert e.status == "connection_error"


def test_silence_is_a_timeout():
    is_over = Event()
    with served(lambda h, n: is_over.wait(600)) as url:
        e = failure_of(url, Manners(timeout_s=0.2, attempts=1, allow_private_hosts=True))
        is_over.set()
    assert e.status == "timeout"


def test_an_endless_drip_ends_at_the_deadline():
    def drip(h: BaseHTTPRequestHandler, n: int) -> None:
        reply(h, 200, b"", Content_Length="1000")
        with suppress(OSError):    # until the client has enough of it
            for _ in range(900):
                h.wfile.write(b".")
                time.sleep(0.1)

    manners = Manners(deadline_s=0.4, attempts=1, allow_private_hosts=True)
    with served(drip) as url:
        assert "not complete after 0.4 s" in str(failure_of(url, manners))


@pytest.mark.parametrize("lie", ["900", None])
def test_more_bytes_than_allowed_are_not_read(lie):
    def answer(h: BaseHTTPRequestHandler, n: int) -> None:
        reply(h, 200, b"x" * 900, **({"Content_Length": lie} if lie else {"Connection": "close"}))

    with served(answer) as url:
        e = failure_of(url, max_bytes=100)
    assert e.status == "too_large"


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "169.254.169.254",
    "10.0.0.8", "[::ffff:127.0.0.1]", "0.0.0.0", "192.168.1.1",
])
def test_private_addresses_are_blocked_however_they_are_spelled(host):
    e = failure_of(f"http://{host}:9/", Manners(attempts=1))
    assert e.status == "blocked"


def test_a_redirect_to_a_private_address_is_blocked():
    with served(lambda h, n: reply(h, 302, b"", Location="http://169.254.169.254/latest")) as url:
        allowed = frozenset({url.removeprefix("http://")})
        e = failure_of(url, Manners(attempts=1, allowed_hosts=allowed))
    assert e.status == "blocked"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "//x/y", "javascript:1", "", "http://[bad/"])
def test_only_http_and_https_are_asked(url):
    assert failure_of(url).status == "blocked"


def test_redirects_without_end_end():
    with served(lambda h, n: reply(h, 302, b"", Location="/again")) as url:
        assert "redirects" in str(failure_of(url))


def test_a_named_host_can_be_somewhere_else():
    with served(failing_first(0, 500)) as url:
        port = int(url.rsplit(":", 1)[1])
        manners = Manners(attempts=1, connect_to={"archive.invalid": ("127.0.0.1", port)})
        assert fetch("http://archive.invalid/x", manners) == b"ok"


def test_a_pause_is_kept_between_requests_to_one_host():
    slow = Manners(delay_s=0.2, allow_private_hosts=True)
    with served(failing_first(0, 500)) as url, PoliteClient(slow) as client:
        started = time.monotonic()
        for _ in range(3):
            client.get(url)
        assert time.monotonic() - started >= 0.4


def test_a_key_is_cut_out_wherever_it_stands_alone():
    text = "?wskey=abc+1&u=abc%2B1 /api/abc+1/redirect abc+12 xabc+1"
    assert cut_out(["abc+1", ""], text) == "?wskey=REDACTED&u=REDACTED /api/REDACTED/redirect abc+12 xabc+1"


def test_retry_after_is_read_as_seconds_or_as_a_date():
    assert retry_after_s("7") == 7.0
    assert retry_after_s("Thu, 01 Jan 1970 00:01:40 GMT", now=40.0) == 60.0
    assert retry_after_s("soon") is None
    assert retry_after_s(None) is None


@pytest.mark.parametrize("value", [
    "\u00b2", "Mon, 01 Jan 99999999999999999999 00:00:00", "Mon, 01 Jan 2020 00:00:00 +99999999999999999999",
    "Mon, 01 Jan 2020 99999999999999:00:00", "-5", "1e3",
])
def test_a_retry_after_that_is_no_time_is_no_wait(value):
    assert not retry_after_s(value)


@pytest.mark.parametrize("spelt", ["HTTP://{}/b", "http://me@{}/b", "http://me:secret@{}", "http://{}#b"])
def test_a_host_is_one_host_however_it_is_written(spelt):
    manners = Manners(allow_private_hosts=True, patience=1)
    with served(lambda handler, _: reply(handler, 500)) as url, PoliteClient(manners) as client:
        with pytest.raises(FetchError, match="HTTP 500"):
            client.get_once(url)
        place = urlsplit(url).netloc
        with pytest.raises(FetchError, match=f"^{re.escape(place)} keeps failing and is left alone"):
            client.get_once(spelt.format(place))


def test_only_the_first_attempt_in_vain_tries_the_patience_with_a_host():
    manners = Manners(allow_private_hosts=True, patience=2)
    reasons = []
    with served(lambda handler, _: reply(handler, 500)) as url, PoliteClient(manners) as client:
        for is_first in (False, False, False, True, True, False):
            with pytest.raises(FetchError) as e:
                client.get_once(url, is_first=is_first)
            reasons.append(e.value.status)
    assert reasons == ["http_error"] * 5 + ["connection_error"]


def test_a_host_is_told_its_cookies_after_a_redirect_and_not_with_the_next_picture():
    told = []

    def answer(h: BaseHTTPRequestHandler, n: int) -> None:
        told.append(h.headers.get("Cookie"))
        more = {"Location": "/b"} if n % 2 else {}
        reply(h, 302 if n % 2 else 200, b"ok", Set_Cookie=f"name{n}={'x' * 3000}", **more)

    with served(answer) as url, PoliteClient(QUICK) as client:
        for _ in range(30):      # of which a server would hear out about twenty
            client.get_once(f"{url}/a")
        client.get(f"{url}/a")
        client.get(f"{url}/a")
    names = [one and one.partition("=")[0] for one in told]
    assert names[:60] == [name for n in range(1, 61, 2) for name in (None, f"name{n}")]
    assert told[-1].count("name") == 5      # one who reads page after page keeps them
