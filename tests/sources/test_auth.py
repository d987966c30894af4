"""Rules of OAuth 1.0a: the signature is that of RFC 5849 and of oauthlib, over the address as it is sent."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib import oauth1

from roster_sync.core.errors import ConfigError
from roster_sync.sources.http.auth import SIGNATURES, Bearer, OAuth1, base_string


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


URLS = [
    "https://roster.example.org/ims/oneroster/v1p1/users?limit=10000&offset=0&sort=sourcedId&fields=sourcedId%2Cstatus",
    "https://Roster.Example.org:443/ims/oneroster/v1p1/users?filter=status%3D%27active%27%20AND%20familyName~%27O%27",
    "http://127.0.0.1:8700/a/b%20c/ims/oneroster/v1p1/orgs?limit=1",
    "http://roster.example.org:80/ims/oneroster/rostering/v1p2/classes?fields=a&fields=b"
    "&filter=title%3D%27%C3%9Cbung%20%26%20%2B%25%20%2A%28%29%21%27",
    "https://roster.example.org:8443/ims/oneroster/v1p1/users/a%2Fb%3Fc%3D%C3%A9?empty=&x=1+2&x=1%2B2",
]


def sent(header: str) -> dict[str, str]:
    """The parameters of an Authorization header."""
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


@pytest.mark.parametrize("method", SIGNATURES)
@pytest.mark.parametrize("url", URLS)
def test_oauthlib_signs_the_same_request_the_same_way(url: str, method: str) -> None:
    key, secret = "k&y ü", "s e+c/r%t=ü"
    ours = OAuth1(key, secret, method, clock=lambda: 1_780_000_000.5, nonce=lambda: "n0nce").header("GET", url)
    client = oauth1.Client(key, secret, signature_method=method, nonce="n0nce", timestamp="1780000000")
    _, headers, _ = client.sign(url)
    assert sent(ours) == sent(headers["Authorization"])
    assert "s e" not in ours


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)


@given(key=TEXT.filter(bool), secret=TEXT.filter(bool), query=st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_oauthlib_signs_any_query_key_and_secret_the_same_way(
    key: str, secret: str, query: list[tuple[str, str]]
) -> None:
    url = f"https://roster.example.org/ims/oneroster/v1p1/users?{urlencode(query, quote_via=quote)}"
    ours = OAuth1(key, secret, clock=lambda: 1_780_000_000, nonce=lambda: "n0nce").header("GET", url)
    client = oauth1.Client(key, secret, signature_method="HMAC-SHA256", nonce="n0nce", timestamp="1780000000")
    assert sent(ours) == sent(client.sign(url)[1]["Authorization"])


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
