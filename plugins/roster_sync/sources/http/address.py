"""A server's address as a connection gives it, made whole and safe: https, but for this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from roster_sync.core.errors import ConfigError


@dataclass(frozen=True)
class Address:
    """Where a server is."""

    base: str
    """Scheme, host, port and base path, without a slash at its end."""
    host: str
    """The host name alone, in lower case, for messages and issuers."""
    path: str
    """The base path, '' or beginning with a slash."""
    allows_http: bool = False

    def of(self, url: str) -> str:
        """Another full address under the same rules, such as a token's, which may have a query."""
        plain, mark, query = url.partition("?")
        return parse_address(plain, allows_http=self.allows_http).base + mark + query


def parse_address(text: str, *, allows_http: bool = False, default: str = "") -> Address:
    """Reads an address, https where it names no scheme.

    Raises:
        ConfigError: it is not an address, or it is plain http to another machine.
    """
    text = (text or default).strip()
    if not text:
        raise ConfigError("The connection has no host: put the server's address into it.")
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError("The connection's host is not an address: write it as https://host/path.") from None
    host = (parts.hostname or "").lower()
    if not host or parts.scheme not in ("http", "https") or any(letter.isspace() for letter in url):
        raise ConfigError("The connection's host is not an address: write it as https://host/path.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            "The connection's host holds more than an address: login and secret have fields of their own."
        )
    if parts.scheme == "http" and not allows_http and not is_loopback(host):
        raise ConfigError(
            "The connection's host is plain http, which would send the secret in the clear: use https, or set the "
            "extra allow_http."
        )
    shown = f"[{host}]" if ":" in host else host
    netloc = f"{shown}:{port}" if port else shown
    path = parts.path.rstrip("/")
    return Address(f"{parts.scheme}://{netloc}{path}", host, path, allows_http)


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_same_server(one: str, other: str) -> bool:
    """Whether two addresses lead to the same host and port by the same scheme, or from http to https of one host."""
    first, second = urlsplit(one), urlsplit(other)
    if first.hostname != second.hostname or first.username or first.password:
        return False
    if (first.scheme, second.scheme) == ("https", "http"):
        return True
    return first.scheme == second.scheme and _port(one) == _port(other)


def _port(url: str) -> int | None:
    parts = urlsplit(url)
    try:
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def is_true(extra: Mapping[str, object], name: str) -> bool:
    """A yes-or-no extra, which Airflow may hold as a word."""
    value = extra.get(name)
    return value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else bool(value)


def extra_text(extra: Mapping[str, object], name: str) -> str:
    """An extra as text, '' where it is missing."""
    value = extra.get(name)
    return str(value).strip() if value is not None else ""
