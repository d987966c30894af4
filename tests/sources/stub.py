"""A tiny HTTP server on loopback whose answers a test writes itself: for what happens on the wire."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from roster_sync.sources.http.session import Patience

TOKEN = "tok-3f9a-not-to-be-seen"


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    url: str
    form: dict[str, str]


@dataclass
class Answer:
    """One reply; `claims` is a Content-Length that is not true."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    claims: int | None = None
    drops: bool = False


def answer(data: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON reply; underscores in header names stand for hyphens."""
    return Answer(status, json.dumps(data).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


class Stub:
    """The server: `handle` answers, `asked` remembers."""

    def __init__(self, handle: Callable[[Asked], Answer]) -> None:
        self.handle = handle
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                form = dict(parse_qsl(self.rfile.read(size).decode()))
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, query, headers, stub.base + self.path, form)
                with stub._lock:
                    stub.asked.append(asked)
                    reply = stub.handle(asked)
                if reply.drops:
                    self.close_connection = True
                    return
                self.send_response_only(reply.status)  # without a Date: the tests' clock is not this machine's
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body) if reply.claims is None else reply.claims))
                self.end_headers()
                self.wfile.write(reply.body)
                if reply.claims is not None:
                    self.close_connection = True

            do_GET = do_POST = _answer

            def log_message(self, *_: Any) -> None:
                """Keeps the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving(handle: Callable[[Asked], Answer]) -> Iterator[Stub]:
    """A stub while the block lasts."""
    stub = Stub(handle)
    try:
        yield stub
    finally:
        stub.close()


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1_780_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Passes at once."""
        self.slept.append(seconds)
        self.now += seconds

    @property
    def session(self) -> dict[str, Any]:
        """Keyword arguments for a Session that never really waits."""
        return {
            "sleep": self.sleep, "clock": self, "jitter": lambda: 0.0,
            "patience": Patience(connect_timeout=5, read_timeout=5),
        }  # fmt: skip
