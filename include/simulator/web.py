"""The HTTP side of the simulator: one server on loopback, any number of districts under their own prefixes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlencode

from include.simulator.faults import Fault, Faults

HTML_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"
)
_TEXT: Final = "text/plain; charset=utf-8"
_GREETING: Final = (
    "Simulated roster servers; everyone and everything in them is made up. Keys and secrets are in the settings file,\n"
    "GET /_control says what is set, and the simulator's README how to use it."
)
_SECRET_PARAMETERS: Final = ("oauth_", "access_token", "client_secret", "code")


class Request(NamedTuple):
    """A request for one district."""

    method: str
    path: str
    """Without the district's prefix and the query."""
    query: str
    parameters: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    url: str
    """Scheme, host and whole path, without the query: what OAuth 1.0a signs."""
    faults: Mapping[str, Fault]

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return next((value for key, value in self.parameters if key == name), default)

    def all(self, name: str) -> list[str]:
        """All values of a query parameter."""
        return [value for key, value in self.parameters if key == name]


@dataclass
class Reply:
    """An HTTP reply."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


def json_reply(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON reply."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, dict(headers or {}))


class LoggedRequest(NamedTuple):
    """One logged request, without any credential."""

    method: str
    path: str
    query: str
    status: int
    sent: int
    """Bytes of the body."""
    at: float


class Site(Protocol):
    """One district as one source serves it."""

    prefix: str
    faults: Faults

    def handle(self, request: Request) -> Reply:
        """Answers a request."""

    def error(self, status: int, description: str) -> Reply:
        """An error in the source's own format."""

    def set_day(self, number: int) -> None:
        """Moves the district to another day."""

    def bump(self, *, data: bool) -> None:
        """Moves the source's revision mark and, with `data`, the data to the next day."""

    def expire_tokens(self) -> None:
        """Expires the tokens issued so far."""

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Changes settings while running; raises ValueError for unknown ones."""

    def warm(self, root: str, names: Sequence[str]) -> None:
        """Makes the named collections (none = all) of the present day ready, as `root` will be asked for them."""

    def describe(self) -> dict[str, Any]:
        """What is set, without secrets."""


class Simulator:
    """A running server."""

    def __init__(self, sites: Sequence[Site], port: int = 0) -> None:
        """Binds to a loopback port; 0 = any free one. Starts with `start` or as a context manager."""
        if len({site.prefix for site in sites}) != len(sites):
            raise ValueError("Two districts have the same prefix: give each its own.")
        self.sites = sorted(sites, key=lambda site: -len(site.prefix))
        self.requests: deque[LoggedRequest] = deque(maxlen=200_000)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.simulator = self
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that is served."""
        return int(self._server.server_address[1])

    @property
    def root(self) -> str:
        """The server's address, without any district's prefix."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The only (or first) district's address: up to and without /ims for OneRoster."""
        return self.root + self.site().prefix

    def site(self, prefix: str | None = None) -> Site:
        """A district's server by its prefix; without a prefix, the first one."""
        if prefix is None:
            return self.sites[0]
        wanted = prefix.strip("/")
        return next(site for site in self.sites if site.prefix.strip("/") == wanted)

    # -- what tests do --------------------------------------------------------------------------------------------

    def set_day(self, number: int, prefix: str | None = None) -> None:
        """Moves a district to another day; without a prefix all of them."""
        for site in self.sites if prefix is None else [self.site(prefix)]:
            site.set_day(number)

    def fault(self, kind: str, path: str = "*", prefix: str | None = None, **settings: Any) -> Fault:
        """Makes something go wrong: see faults.KINDS and faults.Fault."""
        return self.site(prefix).faults.add(Fault(kind, path, **settings))

    def clear_faults(self) -> None:
        """Removes all faults."""
        for site in self.sites:
            site.faults.clear()

    def configure(self, prefix: str | None = None, **settings: Any) -> None:
        """Changes a district's settings while running."""
        self.site(prefix).configure(settings)

    def warm(self, *names: str) -> None:
        """Makes collections ready before they are asked for: a large district takes a while to serialize."""
        for site in self.sites:
            site.warm(self.root, names)

    def paths(self) -> list[str]:
        """The paths asked for so far, in order."""
        return [request.path for request in self.requests]

    # -- start and stop -------------------------------------------------------------------------------------------

    def start(self) -> Simulator:
        """Serves in a thread."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stops serving and closes what is open."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join(5)

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- answering ------------------------------------------------------------------------------------------------

    def control(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Does what a POST to /_control asks for."""
        unknown = set(order) - {"site", "day", "faults", "clear_faults", "settings", "clear_requests"}
        if unknown:
            raise ValueError(f"/_control has no {', '.join(sorted(unknown))}.")
        sites = [self.site(order["site"])] if "site" in order else self.sites
        if order.get("clear_requests"):
            self.requests.clear()
        for site in sites:
            if order.get("clear_faults"):
                site.faults.clear()
            if "day" in order:
                site.set_day(int(order["day"]))
            site.configure(order.get("settings", {}))
            for fault in order.get("faults", []):
                site.faults.add(Fault.from_settings(fault))
        return self.describe()

    def summary(self) -> str:
        """What is served, in lines for people: each address and how it authenticates clients."""
        lines = []
        for site in reversed(self.sites):
            described = site.describe()
            words = " ".join(str(described[name]) for name in ("kind", "version", "auth") if name in described)
            names = (
                [described["district"]]
                if "district" in described
                else [one["name"] for one in described.get("districts", [])]
            )
            lines.append(f"{self.root}{site.prefix}{described.get('root', '')}  {words}: {', '.join(names)}")
        return "\n".join(lines)

    def describe(self) -> dict[str, Any]:
        """What is served."""
        sites = {site.prefix: {**site.describe(), "faults": site.faults.describe()} for site in self.sites}
        return {"url": self.root, "sites": sites, "requests": len(self.requests)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    simulator: Simulator

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is not an error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are logged in Simulator.requests instead."""

    def _answer(self) -> None:
        raw_path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        faults: Mapping[str, Fault] = {}
        if raw_path == "/_control":
            reply = self._control(body)
        elif raw_path == "/":
            reply = Reply(200, f"{_GREETING}\n\n{self.server.simulator.summary()}\n".encode(), {}, _TEXT)
        else:
            reply, faults = self._ask_site(raw_path, query, body)
        line = LoggedRequest(
            self.command, raw_path, _without_secrets(query), reply.status, len(reply.body), time.time()
        )
        self.server.simulator.requests.append(line)  # before the reply is sent, so that its reader finds the line
        self._send(reply, faults)

    def _control(self, body: bytes) -> Reply:
        simulator = self.server.simulator
        try:
            order = json.loads(body) if body else {}
            return json_reply(simulator.control(order) if self.command == "POST" else simulator.describe())
        except (ValueError, TypeError, StopIteration) as error:
            return json_reply({"error": str(error) or "There is no such site."}, 400)

    def _ask_site(self, raw_path: str, query: str, body: bytes) -> tuple[Reply, Mapping[str, Fault]]:
        for site in self.server.simulator.sites:
            if raw_path.startswith(f"{site.prefix}/"):
                path = raw_path[len(site.prefix) :]
                faults = site.faults.striking(path, query)
                return _with_faults(site, self._request(raw_path, path, query, body, faults)), faults
        return json_reply({"error": "Nothing is served here."}, 404), {}

    def _request(self, raw_path: str, path: str, query: str, body: bytes, faults: Mapping[str, Fault]) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        parameters = tuple(parse_qsl(query, keep_blank_values=True))
        url = f"http://{headers.get('host', '').lower()}{raw_path}"
        return Request(self.command, path, query, parameters, headers, body, url, faults)

    def _send(self, reply: Reply, faults: Mapping[str, Fault]) -> None:
        if "slow" in faults:
            time.sleep(faults["slow"].seconds)
        if "drop" in faults:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = reply.body
        if "garbled" in faults:
            body = body[: len(body) // 2]
        self.send_response_only(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in {"Date": self.date_time_string(), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if "truncated" in faults:
            body = body[: len(body) // 2]
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


def _with_faults(site: Site, request: Request) -> Reply:
    faults = request.faults
    if "status" in faults:
        fault = faults["status"]
        reply = site.error(fault.status, "This error was asked for.")
        if fault.retry_after is not None:
            reply.headers["Retry-After"] = fault.retry_after
        return reply
    if "html" in faults:
        return Reply(200, HTML_PAGE, content_type="text/html; charset=utf-8")
    if "expired_token" in faults:
        site.expire_tokens()
    if "moved" in faults or "revision" in faults:
        site.bump(data="moved" in faults)
    return site.handle(request)


def _without_secrets(query: str) -> str:
    kept = [(k, v) for k, v in parse_qsl(query, keep_blank_values=True) if not k.startswith(_SECRET_PARAMETERS)]
    return urlencode(kept)
