"""Which addresses are connected to, and what is said where the other side is not who it says it is."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lake.errors import FetchError
from pipelines.http_client import Manners, PoliteClient
from tests.picture_server import Page, picture_host

QUICK = Manners(attempts=1, allow_private_hosts=True)


def resolve(patch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> None:
    """Let these names have these addresses."""
    known = socket.getaddrinfo

    def resolved(host: str, *rest: Any, **more: Any) -> object:
        return [one for address in names.get(host, [host]) for one in known(address, *rest, **more)]

    patch.setattr(socket, "getaddrinfo", resolved)


@pytest.mark.parametrize("address", [
    "fec0::1", "200::1", "fd00::1", "fe80::1%1", "::ffff:0:7f00:1", "64:ff9b:1::1", "64:ff9b::a00:1",
    "2002:7f00:1::", "e000::1", "4000::1", "::7f00:1", "100::1",
])
def test_what_nobody_handed_out_to_the_public_is_not_connected_to(monkeypatch, address):
    resolve(monkeypatch, {"archive.example": [address]})
    with PoliteClient(Manners(attempts=1)) as client, pytest.raises(FetchError) as e:
        client.get("http://archive.example/")
    assert e.value.status == "blocked"


@pytest.mark.parametrize("address", ["2606:4700::1", "64:ff9b::808:808", "2002:808:808::", "8.8.8.8"])
def test_what_was_handed_out_is_connected_to(monkeypatch, address):
    resolve(monkeypatch, {"archive.example": [address]})
    with PoliteClient(Manners(attempts=1)) as client, pytest.raises(AssertionError, match="tried to reach"):
        client.get("http://archive.example/")


def test_a_host_with_a_dead_address_is_reached_at_its_next(monkeypatch):
    with picture_host() as host, PoliteClient(QUICK) as client:
        host.pages["/a"] = Page(b"here")
        resolve(monkeypatch, {"two.example": ["::1", "127.0.0.1"]})
        assert client.get(host.url.replace("127.0.0.1", "two.example") + "/a").content == b"here"


def test_a_host_with_one_private_address_is_not_reached_at_its_others(monkeypatch):
    resolve(monkeypatch, {"two.example": ["8.8.8.8", "127.0.0.1"]})
    with PoliteClient(Manners(attempts=1)) as client, pytest.raises(FetchError) as e:
        client.get("http://two.example/")
    assert e.value.status == "blocked"


@contextmanager
def self_signed(folder: Path) -> Iterator[int]:
    """A port of this machine where nobody can be trusted."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    years = datetime(2020, 1, 1), datetime(2060, 1, 1)
    told = x509.CertificateBuilder(name, name, key.public_key(), 1, *years)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = folder / "both.pem"
    pem.write_bytes(secret + told.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as door:
        Thread(target=answer_all, args=(door, tls), daemon=True).start()
        yield door.getsockname()[1]


def answer_all(door: socket.socket, tls: ssl.SSLContext) -> None:
    """Say `ok` to whoever accepts the certificate, until the door is shut."""
    while True:
        try:
            visitor, _ = door.accept()
        except OSError:
            return
        with visitor, suppress(OSError), tls.wrap_socket(visitor, server_side=True) as line:
            line.recv(9999)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def test_the_host_with_the_broken_certificate_is_named_not_who_sent_us_there(monkeypatch, tmp_path):
    resolve(monkeypatch, {"other.example": ["127.0.0.1"]})
    with picture_host() as host, self_signed(tmp_path) as port:
        host.pages["/moved"] = Page(b"", 302, {"Location": f"https://other.example:{port}/"})
        with PoliteClient(QUICK) as client, pytest.raises(FetchError, match="--insecure-host other"):
            client.get(f"{host.url}/moved")
        with PoliteClient(replace(QUICK, insecure_hosts=frozenset({"other.example"}))) as client:
            assert client.get(f"{host.url}/moved").content == b"ok"
