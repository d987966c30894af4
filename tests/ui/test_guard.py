"""What checks every request: the same origin for what changes something, and a strict content policy."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from roster_sync.ui.web.guard import why_refused
from tests.ui.routes import routes


@pytest.mark.parametrize(
    ("headers", "is_allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://roster.example.org"}, True),
        ({"origin": "http://roster.example.org", "sec-fetch-site": "same-origin"}, True),
        ({"authorization": "Bearer token"}, True),
        ({"authorization": "bearer token", "origin": "https://evil.example"}, True),
        ({}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://roster.example.org.evil.example"}, False),
        ({"origin": "http://roster.example.org:81"}, False),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, False),
        ({"authorization": "Basic bearer"}, False),
        ({"authorization": "Bearer "}, False),
        ({"authorization": "Bearer"}, False),
    ],
)
def test_what_changes_something_says_that_it_comes_from_here(headers, is_allowed):
    refusal = why_refused("POST", Headers({"host": "roster.example.org", **headers}))
    assert (refusal == "") is is_allowed


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_is_free(method):
    assert why_refused(method, Headers({"host": "roster.example.org", "origin": "https://evil.example"})) == ""


def test_a_body_beyond_all_measure_is_refused_whoever_sends_it():
    headers = {"host": "roster.example.org", "authorization": "Bearer token", "content-length": str(5 * 1024 * 1024)}
    assert "too large" in why_refused("POST", Headers(headers))


def test_a_body_that_does_not_say_how_large_it_is_is_refused_whoever_sends_it():
    headers = {"host": "roster.example.org", "authorization": "Bearer token", "transfer-encoding": "chunked"}
    assert "state its size" in why_refused("POST", Headers(headers))


def test_the_address_in_airflows_configuration_counts_behind_a_proxy(monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.org/sub/")
    headers = {"host": "internal:8080", "origin": "https://airflow.example.org"}
    assert why_refused("POST", Headers(headers)) == ""
    assert why_refused("POST", Headers({**headers, "origin": "http://airflow.example.org"})) != ""


def test_a_page_of_another_site_cannot_use_the_visitors_cookie(pages):
    form = {"add": "someone@example.org"}
    assert pages.client(site="cross-site").post("/roster/districts/harbor/sync/emails", data=form).status_code == 403
    assert pages.client(site=None).post("/roster/districts/harbor/sync/emails", data=form).status_code == 403
    assert pages.one("select count(*) from sync.subscriptions") == 0
    assert pages.client().post("/roster/districts/harbor/sync/emails", data=form).status_code == 303
    assert pages.one("select count(*) from sync.subscriptions") == 1


def test_a_program_with_a_token_needs_no_origin(pages):
    program = pages.client(by="bearer", site=None)
    found = program.post("/roster/api/v1/districts/harbor/people/search", json={"text": "harbor1@example.org"})
    assert found.status_code == 200
    assert len(found.json()) == 1


@pytest.mark.parametrize("visitor", ["staff", None])
def test_every_answer_carries_the_headers(pages, visitor):
    client = pages.client(visitor)
    for method, path in [*routes(), ("GET", "/roster/districts/nothing"), ("GET", "/roster/nothing")]:
        headers = client.request(method, path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'self'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path


def test_no_page_holds_an_inline_script_or_style(pages):
    for path in ("", "/sync/connection", "/sync/schools", "/worklist", "/trends", "/roster/teachers", "/runs/1"):
        text = pages.client().get(f"/roster/districts/harbor{path}").text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert "<script>" not in text
        assert "http://" not in text.replace("http://www.w3.org", "").replace("http://localhost", "")
