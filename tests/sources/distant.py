"""An SFTP server and an S3 endpoint on loopback, over a folder of this machine, with the faults that a test sets."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import paramiko

from roster_sync.sources.base import Access

LOGIN, PASSWORD = "roster-reader", "pw-7c1e-not-to-be-seen"
KEY = paramiko.ECDSAKey.generate()
ANOTHER_KEY = paramiko.ECDSAKey.generate()
BUCKET = "rosters"


def public(key: paramiko.PKey) -> str:
    """A key as ssh-keyscan shows it."""
    return f"{key.get_name()} {key.get_base64()}"


@dataclass
class Sftp:
    """The SFTP server: `cuts_after` bytes read, every connection is cut."""

    root: Path
    cuts_after: int | None = None
    sent: int = 0
    client_key: paramiko.PKey | None = None
    _listener: socket.socket = field(default_factory=socket.socket)
    _transports: list[paramiko.Transport] = field(default_factory=list)

    def start(self) -> None:
        """Listens."""
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def authority(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def access(self, **extra: object) -> Access:
        """What a right connection holds, with some of it changed."""
        password = str(extra.pop("password", PASSWORD))
        return Access(self.authority, LOGIN, password, {"host_key": public(KEY), **extra})

    def cut(self) -> None:
        """Cuts every connection."""
        for transport in self._transports:
            transport.close()

    def close(self) -> None:
        """Stops the server."""
        self._listener.close()
        self.cut()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            self._transports.append(transport)
            transport.add_server_key(KEY)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _files(self))
            try:
                transport.start_server(threading.Event(), server=_Login(self))
            except (paramiko.SSHException, EOFError):
                transport.close()


class _Login(paramiko.ServerInterface):
    def __init__(self, server: Sftp) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_auth_password(self, username: str, password: str) -> int:
        is_right = (username, password) == (LOGIN, PASSWORD)
        return int(paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return int(paramiko.AUTH_SUCCESSFUL if key == self._server.client_key else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


def _files(server: Sftp) -> type[paramiko.SFTPServerInterface]:
    class Handle(paramiko.SFTPHandle):
        def read(self, offset: int, length: int) -> Any:
            server.sent += length
            if server.cuts_after is not None and server.sent > server.cuts_after:
                server.cut()
                return paramiko.SFTP_FAILURE
            return super().read(offset, length)

    class Files(paramiko.SFTPServerInterface):
        def _path(self, path: str) -> Path:
            return server.root / path.lstrip("/")

        def list_folder(self, path: str) -> Any:
            try:
                return [self._named(found) for found in self._path(path).iterdir()]
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno)

        def _named(self, found: Path) -> paramiko.SFTPAttributes:
            return paramiko.SFTPAttributes.from_stat(found.lstat(), found.name)

        def stat(self, path: str) -> Any:
            return self._told(self._path(path).stat)

        def lstat(self, path: str) -> Any:
            return self._told(self._path(path).lstat)

        def _told(self, look: Callable[[], os.stat_result]) -> Any:
            try:
                return paramiko.SFTPAttributes.from_stat(look())
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno)

        def open(self, path: str, flags: int, attr: Any) -> Any:
            handle = Handle(flags)
            handle.filename = str(self._path(path))
            handle.readfile = self._path(path).open("rb")
            handle.stat = lambda: paramiko.SFTPAttributes.from_stat(os.stat(handle.filename))
            return handle

    return Files


@dataclass
class S3:
    """The S3 endpoint: one bucket, path style; what comes with another access key is refused with 403."""

    root: Path
    breaks_after: int | None = None
    """So many bytes of bodies are sent, then every body breaks off."""
    redirects: bool = False
    sent: int = 0
    asked: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Listens."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _bucket(self))
        self._server.daemon_threads = True
        serve = {"poll_interval": 0.02}
        threading.Thread(target=self._server.serve_forever, kwargs=serve, daemon=True).start()

    def access(self, **changed: Any) -> Access:
        """What a right connection holds, with some of it changed."""
        endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        login, password = changed.pop("login", LOGIN), changed.pop("password", PASSWORD)
        return Access("", login, password, {"endpoint_url": endpoint, "region_name": "us-east-2", **changed})

    def close(self) -> None:
        """Stops the server."""
        self._server.shutdown()
        self._server.server_close()


def _bucket(server: S3) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
            server.asked.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".strip())
            if server.redirects:
                return self._send(301, b"<Error><Code>PermanentRedirect</Code></Error>")
            if f"Credential={LOGIN}/" not in self.headers.get("Authorization", ""):
                return self._send(403, b"<Error><Code>InvalidAccessKeyId</Code></Error>")
            if bucket != BUCKET:
                return self._send(404, b"<Error><Code>NoSuchBucket</Code></Error>")
            if not key:
                return self._send(200, _listing(server.root, parse_qs(parts.query)))
            path = server.root / key
            if not path.is_file():
                return self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")
            size = path.stat().st_size
            span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if span is None:
                return self._send(200, path.read_bytes() if self.command == "GET" else b"", size=size)
            start, end = int(span[1]), min(int(span[2] or size), size - 1)
            with path.open("rb") as file:
                file.seek(start)
                body = file.read(end + 1 - start)
            return self._send(206, body, {"Content-Range": f"bytes {start}-{end}/{size}"})

        do_HEAD = do_GET

        def _send(
            self, status: int, body: bytes, headers: dict[str, str] | None = None, size: int | None = None
        ) -> None:
            self.send_response(status)
            dated = {"ETag": '"e1"', "Last-Modified": "Wed, 02 Sep 2026 03:00:00 GMT"}
            for name, value in {**dated, **(headers or {}), "Content-Length": str(size or len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            server.sent += len(body)
            if server.breaks_after is not None and server.sent > server.breaks_after and status == 206:
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            else:
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keeps the tests' output clean."""

    return Handler


def _listing(root: Path, query: dict[str, list[str]]) -> bytes:
    prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
    found, folders = "", set()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        key = path.relative_to(root).as_posix()
        if not key.startswith(prefix):
            continue
        if delimiter and delimiter in key[len(prefix) :]:
            folders.add(prefix + key[len(prefix) :].partition(delimiter)[0] + delimiter)
            continue
        found += (
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-09-02T03:00:00.000Z</LastModified>"
            f"<ETag>&quot;e1&quot;</ETag><Size>{path.stat().st_size}</Size></Contents>"
        )
    found += "".join(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders)
    return f"<ListBucketResult><Name>{BUCKET}</Name><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()


@contextmanager
def serving(store: Any) -> Iterator[Any]:
    """A store while the block lasts."""
    store.start()
    try:
        yield store
    finally:
        store.close()
