"""Checks every request: the same origin for whatever changes something, and security headers for every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MAX_BODY: Final = 4 * 1024 * 1024


class Guard:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses what is not allowed to change anything, else passes on and adds the headers that are missing."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = why_refused(scope["method"], Headers(scope=scope))
        if refusal:
            await PlainTextResponse(refusal, status_code=403)(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)


def why_refused(method: str, headers: Headers) -> str:
    """Why a request may not be answered, in a sentence; empty where it may.

    Airflow's login cookie is sent along by whatever page asks, so an unsafe method must prove where it comes from. A
    bearer header proves it too: no foreign page can set one, and Airflow then looks at nothing else.
    """
    if method in SAFE_METHODS:
        return ""
    if "transfer-encoding" in headers:  # a body in chunks gives no length to look at
        return "This request does not state its size (Content-Length)."
    length = headers.get("content-length") or "0"
    if not length.isdecimal() or int(length) > MAX_BODY:
        return "This request is too large."
    if _is_bearer(headers):
        return ""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return "This request does not state where it comes from (Origin or Sec-Fetch-Site)."
    if site is not None and site != "same-origin":
        return "This request comes from another site."
    if origin is not None and not is_own(origin, headers.get("host", "")):
        return "This request comes from another site."
    return ""


def _is_bearer(headers: Headers) -> bool:
    scheme, credentials = get_authorization_scheme_param(headers.get("authorization"))
    return scheme.lower() == "bearer" and bool(credentials)


def is_own(origin: str, host: str) -> bool:
    """Whether an address, or the origin of one, is under what people call this server."""
    from airflow.configuration import conf

    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https"):
        return False
    own = urlsplit(conf.get("api", "base_url", fallback="") or "")
    # Behind a proxy that rewrites Host, the address under which people reach Airflow is in its configuration.
    return parts.netloc == host or (bool(own.netloc) and (parts.scheme, parts.netloc) == (own.scheme, own.netloc))
