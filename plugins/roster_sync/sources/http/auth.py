"""How a request shows who we are: OAuth 1.0a signatures, OAuth 2 client credentials, a static bearer token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import parse_qsl, quote, urlsplit

from roster_sync.core.errors import ConfigError

SIGNATURES: Final = {"HMAC-SHA256": hashlib.sha256, "HMAC-SHA1": hashlib.sha1}
"""ClassLink's own samples sign with SHA-256, other servers know only SHA-1."""

_EARLY: Final = 30.0
"""Seconds before its end at which a token is renewed."""


class Auth(Protocol):
    """Gives a request its Authorization header."""

    def header(self, method: str, url: str) -> str:
        """The header's value for this request, '' where none is needed; `url` exactly as it will be sent."""

    def renew(self, used: str) -> bool:
        """After a 401: whether another try with a new header may help. `used` is the header that was refused."""


class NoAuth:
    """Sends no credentials."""

    def header(self, method: str, url: str) -> str:
        """Nothing."""
        return ""

    def renew(self, used: str) -> bool:
        """Nothing to renew."""
        return False


class Bearer:
    """A token that does not expire."""

    def __init__(self, token: str) -> None:
        if not token:
            raise ConfigError("The connection holds no token: put it into its password.")
        self._header = f"Bearer {token}"

    def header(self, method: str, url: str) -> str:
        """The same for every request."""
        return self._header

    def renew(self, used: str) -> bool:
        """There is no other token."""
        return False


class Basic:
    """A login and a password."""

    def __init__(self, login: str, password: str) -> None:
        self._header = "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()

    def header(self, method: str, url: str) -> str:
        """The same for every request."""
        return self._header

    def renew(self, used: str) -> bool:
        """There are no others."""
        return False


class OAuth1:
    """Signs each request as RFC 5849 says: the address without its query, and the query's pairs, sorted."""

    def __init__(
        self,
        key: str,
        secret: str,
        method: str = "HMAC-SHA256",
        *,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        if method not in SIGNATURES:
            raise ConfigError(f"The extra signature_method must be one of {', '.join(SIGNATURES)}.")
        if not key or not secret:
            raise ConfigError("The connection needs the key as login and the secret as password.")
        self.method = method
        self._key = key
        self._secret = secret
        self._clock = clock
        self._nonce = nonce

    def header(self, method: str, url: str) -> str:
        """A signature of exactly this request."""
        parameters = {
            "oauth_consumer_key": self._key,
            "oauth_nonce": self._nonce(),
            "oauth_signature_method": self.method,
            "oauth_timestamp": str(int(self._clock())),
            "oauth_version": "1.0",
        }
        text = base_string(method, url, list(parameters.items()))
        # RFC 5849, 3.4.2: the second half of the key is the token's secret, and there is no token here.
        digest = hmac.new(f"{_escape(self._secret)}&".encode(), text.encode(), SIGNATURES[self.method]).digest()
        parameters["oauth_signature"] = base64.b64encode(digest).decode()
        return "OAuth " + ", ".join(f'{name}="{_escape(value)}"' for name, value in parameters.items())

    def renew(self, used: str) -> bool:
        """A key has no successor."""
        return False


class ClientCredentials:
    """OAuth 2 client credentials: a token is asked for when it is first needed, and again when it is refused or old."""

    def __init__(
        self, ask: Callable[[], tuple[str, float | None]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Asks for nothing yet.

        Args:
            ask: gets a token and the seconds that it lives, None where the server does not say.
            clock: seconds, for tests.
        """
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until: float | None = None

    def header(self, method: str, url: str) -> str:
        """The token, renewed shortly before its end."""
        with self._lock:
            if not self._token or (self._until is not None and self._clock() >= self._until):
                self._get()
            return f"Bearer {self._token}"

    def renew(self, used: str) -> bool:
        """Gets a new token, unless another thread just did; the same token again is a real refusal."""
        with self._lock:
            if f"Bearer {self._token}" == used:
                self._get()
            return f"Bearer {self._token}" != used

    def _get(self) -> None:
        self._token, seconds = self._ask()
        self._until = None if seconds is None else self._clock() + max(seconds - _EARLY, seconds / 2)


def base_string(method: str, url: str, oauth: list[tuple[str, str]]) -> str:
    """The text that RFC 5849, 3.4.1 has signed."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    scheme = parts.scheme.lower()
    if parts.port and (scheme, parts.port) not in (("http", 80), ("https", 443)):
        host = f"{host}:{parts.port}"
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *oauth]
    normal = "&".join(f"{name}={value}" for name, value in sorted((_escape(n), _escape(v)) for n, v in pairs))
    return "&".join(_escape(part) for part in (method.upper(), f"{scheme}://{host}{parts.path or '/'}", normal))


def _escape(text: str) -> str:
    return quote(text, safe="-._~")
