"""Rules of OAuth 1.0a: the signature is that of RFC 5849, over the address as it is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import unquote

import pytest

from roster_sync.core.errors import ConfigError
from roster_sync.sources.http.auth import Bearer, OAuth1, base_string


def test_the_base_string_is_that_of_the_rfc() -> None:
    """RFC 5849, 3.4.1.1: its own example, but for the form body, which is given here as a query."""
    oauth = [
        ("oauth_consumer_key", "9djdj82h48djs9d2"), ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"), ("oauth_timestamp", "137131201"), ("oauth_nonce", "7d8f3e4a"),
    ]  # fmt: skip
    assert base_string("post", "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2=&a3=2+q", oauth) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D"
        "%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1"
        "%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("https://x.example:443/a", "GET&https%3A%2F%2Fx.example%2Fa&"),
        ("https://x.example:8443/a", "GET&https%3A%2F%2Fx.example%3A8443%2Fa&"),
        ("https://x.example", "GET&https%3A%2F%2Fx.example%2F&"),
        ("https://x.example/a%3D/b", "GET&https%3A%2F%2Fx.example%2Fa%253D%2Fb&"),
    ],
)
def test_the_address_is_signed_without_a_default_port_and_as_it_is_escaped(url: str, start: str) -> None:
    assert base_string("GET", url, []).startswith(start)


@pytest.mark.parametrize(("method", "hash_"), [("HMAC-SHA256", hashlib.sha256), ("HMAC-SHA1", hashlib.sha1)])
def test_the_signature_can_be_checked_by_the_other_side(method: str, hash_: object) -> None:
    url = "https://x.example/ims/oneroster/v1p1/users?limit=10000&offset=0&filter=status%3D%27active%27"
    header = OAuth1("key&1", "sec ret", method, clock=lambda: 1_780_000_000.5, nonce=lambda: "n1").header("GET", url)
    sent = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}
    signature = sent.pop("oauth_signature")
    text = base_string("GET", url, list(sent.items()))
    wanted = hmac.new(b"sec%20ret&", text.encode(), hash_).digest()  # type: ignore[call-overload]
    assert signature == base64.b64encode(wanted).decode()
    assert sent["oauth_signature_method"] == method
    assert sent["oauth_timestamp"] == "1780000000"
    assert "sec" not in header


VECTORS = [
    ("https://roster.example.org/ims/oneroster/v1p1/users?limit=10000&offset=0&sort=sourcedId&orderBy=asc"
     "&fields=sourcedId%2Cstatus",
     "eR4IlT2PsBlF4M4QdSGVBdGUFXz6IwRbpD04pCbVmRY=", "M3JdSQ7VpknpOpmVPf6QVqbd5pA="),
    ("https://Roster.Example.org:443/ims/oneroster/v1p1/users?filter=status%3D%27active%27%20AND%20familyName~%27O%27",
     "45Ycwyu11JIU22uEZrFCZqLPrOPlEN4tv1sPd2RhVh8=", "Cf9Bw2dvqrizxYTWGhKuGTyJwzw="),
    ("http://127.0.0.1:8700/a/b%20c/ims/oneroster/v1p1/orgs?limit=1",
     "uJnRntz+jhsnEAiuRvfQNmv3vkJ+ZJrfiedMtOJTWb8=", "0zeP3rTicd3aa92WmiuoWiG+T/g="),
    ("http://roster.example.org:80/ims/oneroster/rostering/v1p2/classes?fields=a&fields=b"
     "&filter=title%3D%27%C3%9Cbung%20%26%20%2B%25%20%2A%28%29%21%27",
     "DuDF2I7Hu3cNIN/x7O6OzeFLMDgEE1+ZNulKL8u4uJk=", "G9wdZQvMwtHa1+9pvIPMzK5vKIM="),
    ("https://roster.example.org:8443/ims/oneroster/v1p1/users/a%2Fb%3Fc%3D%C3%A9?empty=&x=1+2&x=1%2B2",
     "i+tcnCXALIT1bo6CmTFXaleILKAYQQZdozf+oPszoU4=", "1USTDqeTcTeFa5XvyR+KbF4Rb2Q="),
]  # fmt: skip
"""Signed by oauthlib 4.0.1, with a key and a secret that need escaping: address, by SHA-256, by SHA-1."""


@pytest.mark.parametrize(("url", "sha256", "sha1"), VECTORS)
def test_a_signature_is_what_an_independent_library_makes_of_the_same_request(url: str, sha256: str, sha1: str) -> None:
    for method, wanted in (("HMAC-SHA256", sha256), ("HMAC-SHA1", sha1)):
        signer = OAuth1("k&y ü", "s e+c/r%t=ü", method, clock=lambda: 1_780_000_000, nonce=lambda: "n0nce")
        found = re.search(r'oauth_signature="([^"]+)"', signer.header("GET", url))
        assert found
        assert unquote(found.group(1)) == wanted


def test_each_request_has_a_nonce_of_its_own() -> None:
    auth = OAuth1("key", "secret")
    assert auth.header("GET", "https://x.example/") != auth.header("GET", "https://x.example/")


def test_missing_secrets_are_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="password"):
        Bearer("")
    with pytest.raises(ConfigError, match="login"):
        OAuth1("", "secret")
    with pytest.raises(ConfigError, match="signature_method"):
        OAuth1("key", "secret", "PLAINTEXT")
