"""How a OneRoster server authenticates clients: OAuth 1.0a, OAuth 2 client credentials, a static bearer token."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import parse_qsl, quote, unquote

from include.simulator.web import Reply, Request, json_reply

AuthKind = Literal["oauth1", "oauth2", "bearer", "none"]
_SCOPES: Final = "https://purl.imsglobal.org/spec/or/v1p{}/scope/"
DIGESTS: Final = {"HMAC-SHA256": hashlib.sha256, "HMAC-SHA1": hashlib.sha1}


class Refused(Exception):
    """The request is not authenticated."""


@dataclass
class Auth:
    """The rules of one server."""

    kind: AuthKind = "oauth1"
    key: str = "demo-key"
    """OAuth 1.0a consumer key or OAuth 2 client id."""
    secret: str = "demo-secret"  # noqa: S105 - made up
    """OAuth 1.0a consumer secret, OAuth 2 client secret or the static bearer token."""
    methods: tuple[str, ...] = ("HMAC-SHA256", "HMAC-SHA1")
    """The signature methods that are accepted."""
    token_seconds: float = 3600
    scopes: tuple[str, ...] = ("roster-core.readonly", "roster.readonly", "roster-demographics.readonly")
    """The scopes that a client can be granted."""
    clock_seconds: float = 300
    _tokens: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict, repr=False)
    _nonces: dict[tuple[str, str], float] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def challenge(self) -> str:
        """What WWW-Authenticate asks for."""
        return f'{"OAuth" if self.kind == "oauth1" else "Bearer"} realm="roster"'

    def check(self, request: Request) -> frozenset[str]:
        """Returns the scopes of an authenticated request, or raises Refused with the reason."""
        if self.kind == "oauth1":
            self._check_signature(request)
        elif self.kind == "bearer":
            if not hmac.compare_digest(_bearer(request).encode(), self.secret.encode()):
                raise Refused("The bearer token is not known.")
        elif self.kind == "oauth2":
            return self._check_token(_bearer(request))
        return frozenset(self.scopes)

    def expire(self) -> None:
        """Expires all tokens issued so far."""
        with self._lock:
            self._tokens.clear()

    # -- OAuth 2 --------------------------------------------------------------------------------------------------

    def _check_token(self, token: str) -> frozenset[str]:
        with self._lock:
            known = self._tokens.get(token)
        if known is None or known[0] < time.monotonic():
            raise Refused("The access token is not known or has expired.")
        return known[1]

    def give_token(self, request: Request, version: str) -> Reply:
        """Answers a request for an access token (RFC 6749, 4.4)."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        if request.method != "POST" or form.get("grant_type") != "client_credentials":
            return json_reply({"error": "unsupported_grant_type"}, 400)
        if self.kind != "oauth2" or self._client(request, form) != (self.key, self.secret):
            return json_reply({"error": "invalid_client"}, 401, {"WWW-Authenticate": 'Basic realm="roster"'})
        prefix = _SCOPES.format(version.partition(".")[2])
        asked = {scope.removeprefix(prefix) for scope in form.get("scope", "").split()} or set(self.scopes)
        granted = frozenset(asked & set(self.scopes))
        if not granted:
            return json_reply({"error": "invalid_scope"}, 400)
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens[token] = (time.monotonic() + self.token_seconds, granted)
        answer: dict[str, str | int] = {"access_token": token, "token_type": "bearer"}
        answer["expires_in"] = int(self.token_seconds)
        answer["scope"] = " ".join(sorted(prefix + scope for scope in granted))
        return json_reply(answer, headers={"Cache-Control": "no-store"})

    def _client(self, request: Request, form: dict[str, str]) -> tuple[str, str]:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return form.get("client_id", ""), form.get("client_secret", "")
        return basic_credentials(value)

    # -- OAuth 1.0a (RFC 5849) ------------------------------------------------------------------------------------

    def _check_signature(self, request: Request) -> None:
        signed, oauth = _oauth_parameters(request)
        if not oauth:
            raise Refused("The request is not signed.")
        method = oauth.get("oauth_signature_method", "")
        if method not in self.methods or method not in DIGESTS:
            raise Refused(f"The signature method is not accepted here; use {' or '.join(self.methods)}.")
        if oauth.get("oauth_consumer_key") != self.key:
            raise Refused("The consumer key is not known.")
        if oauth.get("oauth_version", "1.0") != "1.0":
            raise Refused("The OAuth version must be 1.0.")
        stamp, nonce = oauth.get("oauth_timestamp", ""), oauth.get("oauth_nonce", "")
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > self.clock_seconds:
            raise Refused("The timestamp is missing or too far from the server's clock.")
        text = signature_base(request.method, request.url, signed)
        digest = hmac.new(f"{_encode(self.secret)}&".encode(), text.encode(), DIGESTS[method]).digest()
        if not hmac.compare_digest(base64.b64encode(digest).decode(), oauth.get("oauth_signature", "")):
            raise Refused("The signature does not fit the request.")
        self._use_nonce(stamp, nonce)

    def _use_nonce(self, stamp: str, nonce: str) -> None:
        now = time.time()
        with self._lock:
            if not nonce or (stamp, nonce) in self._nonces:
                raise Refused("The nonce is missing or was used before.")
            if len(self._nonces) > 50_000:
                self._nonces = {k: at for k, at in self._nonces.items() if now - at < self.clock_seconds * 2}
            self._nonces[stamp, nonce] = now


def basic_credentials(value: str) -> tuple[str, str]:
    """User and password of HTTP Basic; two empty strings if it cannot be read."""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise Refused("A bearer token is required.")
    return token.strip()


def _encode(text: str) -> str:
    return quote(text, safe="-._~")


def _oauth_parameters(request: Request) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """What is signed (query and header, without signature and realm), and the oauth_ ones."""
    kind, _, header = request.headers.get("authorization", "").partition(" ")
    pairs = list(request.parameters)
    if kind.lower() == "oauth":
        for item in header.split(","):
            name, _, value = item.strip().partition("=")
            if name.lower() != "realm":
                pairs.append((unquote(name), unquote(value.strip('"'))))
    oauth = {name: value for name, value in pairs if name.startswith("oauth_")}
    return [(name, value) for name, value in pairs if name != "oauth_signature"], oauth


def signature_base(method: str, url: str, parameters: list[tuple[str, str]]) -> str:
    """The text that is signed (RFC 5849, 3.4.1)."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if (scheme, host.rpartition(":")[2]) in (("http", "80"), ("https", "443")):
        host = host.rpartition(":")[0]
    encoded = sorted((_encode(name), _encode(value)) for name, value in parameters)
    joined = "&".join(f"{name}={value}" for name, value in encoded)
    return "&".join((method.upper(), _encode(f"{scheme}://{host}{slash}{path}"), _encode(joined)))
