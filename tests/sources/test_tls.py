"""Rules of TLS: a certificate that does not hold ends it at once, a handshake that breaks off is tried again."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from roster_sync.core.errors import AuthError, SourceUnavailable
from roster_sync.sources.http.address import parse_address
from roster_sync.sources.http.session import Session
from tests.sources.stub import Time

LOOPBACK = x509.IPAddress(ip_address("127.0.0.1"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
BREAKS = {
    "closes": b"",
    "internal error": bytes.fromhex("15030300020250"),
    "bad record mac": bytes.fromhex("15030300020214"),
}
"""What a load balancer sends in place of its part of the handshake, before it closes."""


def certificate(folder: Path, name: x509.GeneralName, *, days: int = 30) -> str:
    """A key and the certificate that it signed itself, valid for so many more days."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "roster.example")])
    begins = datetime.now(timezone.utc) - timedelta(days=40)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=40 + days))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return str(path)


class Server:
    """Answers over TLS, after it broke off so many handshakes."""

    def __init__(self, pem: str, breaks: int = 0, sends: bytes = b"") -> None:
        self.asked = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._breaks, self._sends = breaks, sends
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stops."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.asked += 1
            with connection, suppress(OSError):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        if self.asked <= self._breaks:
            connection.recv(65536)
            connection.sendall(self._sends)
            return
        with self._context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(OK)


@contextmanager
def serving(pem: str, breaks: int = 0, sends: bytes = b"") -> Iterator[Server]:
    """The server while the block lasts."""
    server = Server(pem, breaks, sends)
    try:
        yield server
    finally:
        server.close()


def ask(server: Server, trusted: str | bool) -> int:
    """Asks with one certificate trusted, or with those of this machine."""
    session = Session(parse_address(server.base), **Time().session)
    session._http.verify = trusted
    return session.get("/x", what="A page").status


@pytest.mark.parametrize("sends", BREAKS.values(), ids=BREAKS)
def test_a_handshake_that_breaks_off_is_tried_again(tmp_path: Path, sends: bytes) -> None:
    pem = certificate(tmp_path, LOOPBACK)
    with serving(pem, breaks=2, sends=sends) as server:
        assert ask(server, pem) == 200
        assert server.asked == 3


def test_a_server_whose_every_handshake_breaks_off_is_unavailable(tmp_path: Path) -> None:
    pem = certificate(tmp_path, LOOPBACK)
    with serving(pem, breaks=99) as server, pytest.raises(SourceUnavailable, match=r"\(TLS\)"):
        ask(server, pem)
    assert server.asked == 6


@pytest.mark.parametrize(
    ("name", "days", "is_trusted"),
    [(LOOPBACK, 30, False), (LOOPBACK, -5, True), (x509.DNSName("elsewhere.example"), 30, True)],
    ids=["signed by nobody known", "run out", "of another host"],
)
def test_a_certificate_that_does_not_hold_is_never_tried_again(
    tmp_path: Path, name: x509.GeneralName, days: int, is_trusted: bool
) -> None:
    pem = certificate(tmp_path, name, days=days)
    with serving(pem) as server, pytest.raises(AuthError, match="no valid certificate"):
        ask(server, pem if is_trusted else True)
    assert server.asked == 1
