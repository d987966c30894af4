"""Rules of asking a server: what is tried again and for how long, what is refused, what is never shown."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.utils import formatdate
from itertools import count

import pytest

from roster_sync import __version__
from roster_sync.core.errors import AuthError, ConfigError, FeedBroken, RateLimited, RosterError, SourceUnavailable
from roster_sync.orchestration.retry_policy import RetryByError
from roster_sync.sources.http.address import parse_address
from roster_sync.sources.http.auth import Bearer, ClientCredentials
from roster_sync.sources.http.budget import Budget, shared_budget
from roster_sync.sources.http.reply import next_link
from roster_sync.sources.http.session import Session
from tests.sources.stub import TOKEN, Answer, Asked, Stub, Time, answer, serving


class Script:
    """Answers that are given one after the other, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def __call__(self, asked: Asked) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(lambda asked: answer({"ok": True})) as opened:
        yield opened


def session(stub: Stub, time: Time) -> Session:
    return Session(parse_address(stub.base), Bearer(TOKEN), **time.session)


def ask(stub: Stub, time: Time, *answers: Answer) -> object:
    stub.handle = Script(*answers)
    return session(stub, time).get("/x", [("limit", "5")], what="A page").json()


OK = answer({"ok": True})


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_busy_server_is_asked_again_with_growing_waits(stub: Stub, time: Time, status: int) -> None:
    assert ask(stub, time, *[Answer(status)] * 3, OK) == {"ok": True}
    assert time.slept == [0.5, 1.0, 2.0]


def test_a_rate_limit_without_a_time_is_waited_out_for_a_minute(stub: Stub, time: Time) -> None:
    with pytest.raises(RateLimited):
        ask(stub, time, Answer(429))
    assert len(stub.asked) == 6
    assert sum(time.slept) >= 60


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, FeedBroken), (401, AuthError), (403, AuthError), (404, FeedBroken), (413, FeedBroken)],
)
def test_a_refusal_is_never_asked_again(stub: Stub, time: Time, status: int, kind: type[RosterError]) -> None:
    with pytest.raises(kind):
        ask(stub, time, Answer(status), OK)
    assert len(stub.asked) == 1


def test_a_server_that_stays_down_is_given_up_after_six_tries(stub: Stub, time: Time) -> None:
    with pytest.raises(SourceUnavailable):
        ask(stub, time, Answer(503))
    assert len(stub.asked) == 6


def test_retry_after_in_seconds_is_waited_for(stub: Stub, time: Time) -> None:
    ask(stub, time, answer({}, 429, Retry_After="17"), OK)
    assert time.slept == [17.0]


def test_retry_after_as_a_date_is_waited_for(stub: Stub, time: Time) -> None:
    ask(stub, time, answer({}, 429, Retry_After=formatdate(time.now + 31, usegmt=True)), OK)
    assert time.slept == [31.0]


def test_x_ratelimit_reset_is_waited_for(stub: Stub, time: Time) -> None:
    ask(stub, time, answer({}, 429, X_RateLimit_Reset=str(int(time.now) + 42)), OK)
    assert time.slept == [42.0]


def test_a_wait_that_is_too_long_ends_the_try_and_is_reported(stub: Stub, time: Time) -> None:
    with pytest.raises(RateLimited) as caught:
        ask(stub, time, answer({}, 429, Retry_After="7200"), OK)
    assert caught.value.retry_after == 7200
    assert time.slept == []


def test_a_busy_server_too_is_left_alone_for_as_long_as_it_asks(stub: Stub, time: Time) -> None:
    with pytest.raises(RosterError) as caught:
        ask(stub, time, answer({}, 503, Retry_After="1200"), OK)
    assert len(stub.asked) == 1
    decision = RetryByError().evaluate(caught.value, 1, 3)
    assert (decision.action.value, decision.retry_delay) == ("retry", timedelta(seconds=1200))


def test_a_time_that_is_past_by_our_clock_is_still_waited_for(stub: Stub, time: Time) -> None:
    with pytest.raises(RateLimited):
        ask(stub, time, answer({}, 429, X_RateLimit_Reset=str(int(time.now) - 60)))
    assert sum(time.slept) >= 60


@pytest.mark.parametrize("ahead", [60, -60])
@pytest.mark.parametrize("header", ["Retry-After", "X-RateLimit-Reset"])
def test_a_time_to_wait_for_is_meant_by_the_servers_clock(stub: Stub, time: Time, ahead: int, header: str) -> None:
    theirs = time.now + ahead
    until = {"Retry-After": formatdate(theirs + 42, usegmt=True), "X-RateLimit-Reset": str(int(theirs) + 42)}
    told = {"Date": formatdate(theirs, usegmt=True), header: until[header]}
    ask(stub, time, Answer(429, headers=told), OK)
    assert time.slept == [42.0]


def test_a_dropped_connection_is_asked_again(stub: Stub, time: Time) -> None:
    assert ask(stub, time, Answer(drops=True), OK) == {"ok": True}


def test_a_body_that_breaks_off_is_asked_again_and_refused_if_it_goes_on(stub: Stub, time: Time) -> None:
    cut = Answer(body=b'{"orgs": [', claims=500)
    assert ask(stub, time, cut, OK) == {"ok": True}
    with pytest.raises(FeedBroken, match="cut off"):
        ask(stub, time, cut)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!DOCTYPE html><html>sign in</html>", "web page"),
        (b'{"orgs": [{"sourcedId": "a"', "cut off"),
        (b"", "cut off"),
        (b"\xff\xfe{\x00", "cut off"),
    ],
)
def test_what_is_no_json_is_refused(stub: Stub, time: Time, body: bytes, words: str) -> None:
    with pytest.raises(FeedBroken, match=words):
        ask(stub, time, Answer(body=body), OK)
    assert len(stub.asked) == 1


def test_a_server_is_told_which_product_and_version_asks(stub: Stub, time: Time) -> None:
    ask(stub, time, OK)
    assert stub.asked[0].headers["user-agent"] == f"roster-sync/{__version__}"


def test_a_gzipped_body_is_unpacked(stub: Stub, time: Time) -> None:
    assert ask(stub, time, Answer(body=gzip.compress(b'{"ok": true}'), headers={"Content-Encoding": "gzip"})) == {
        "ok": True
    }
    assert "gzip" in stub.asked[0].headers["accept-encoding"]


def test_a_redirect_to_another_server_is_refused_and_sees_no_credentials(stub: Stub, time: Time) -> None:
    with serving(lambda asked: answer({"stolen": True})) as other:
        with pytest.raises(FeedBroken, match="another server"):
            ask(stub, time, Answer(302, headers={"Location": f"{other.base}/x"}))
        assert other.asked == []


def test_a_redirect_within_the_server_is_followed_but_not_for_ever(stub: Stub, time: Time) -> None:
    assert ask(stub, time, Answer(301, headers={"Location": "/y?limit=5"}), OK) == {"ok": True}
    assert stub.asked[-1].path == "/y"
    stub.handle = lambda asked: Answer(302, headers={"Location": asked.path + "x"})
    with pytest.raises(FeedBroken, match="circle"):
        session(stub, time).get("/x", what="A page")


def test_a_link_to_another_server_is_not_followed(stub: Stub, time: Time) -> None:
    with serving(lambda asked: OK) as other:
        for link in (
            f"{other.base}/x",
            "https://elsewhere.example.org/x",
            "http://u:p@127.0.0.1/x",
            "//other.example/x",
        ):
            with pytest.raises(FeedBroken, match="another server"):
                session(stub, time).follow(link, what="A page")
        assert other.asked == []


def test_a_token_that_expires_in_the_middle_is_renewed_once(stub: Stub, time: Time) -> None:
    tokens = iter(["first", "second", "third"])
    stub.handle = lambda asked: OK if asked.headers["authorization"] == "Bearer second" else Answer(401)
    credentials = ClientCredentials(lambda: (next(tokens), None))
    assert Session(parse_address(stub.base), credentials, **time.session).get("/x", what="A page").status == 200
    assert [asked.headers["authorization"] for asked in stub.asked] == ["Bearer first", "Bearer second"]
    stub.handle = lambda asked: Answer(401)
    with pytest.raises(AuthError):
        Session(parse_address(stub.base), credentials, **time.session).get("/x", what="A page")
    assert len(stub.asked) == 4


def test_the_same_token_again_is_a_real_refusal(stub: Stub, time: Time) -> None:
    stub.handle = lambda asked: Answer(401)
    with pytest.raises(AuthError):
        Session(parse_address(stub.base), ClientCredentials(lambda: ("same", None)), **time.session).get(
            "/x", what="A page"
        )
    assert len(stub.asked) == 1


def test_threads_that_are_refused_together_renew_the_token_once() -> None:
    asked, numbers = [], count(1)

    def ask() -> tuple[str, float | None]:
        asked.append(next(numbers))
        return f"token {asked[-1]}", None

    credentials = ClientCredentials(ask)
    refused = credentials.header("GET", "")
    threads = [threading.Thread(target=credentials.renew, args=(refused,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 2


def test_a_token_is_renewed_before_its_end() -> None:
    time = Time()
    numbers = count(1)
    credentials = ClientCredentials(lambda: (f"token {next(numbers)}", 3600.0), clock=time)
    assert credentials.header("GET", "") == "Bearer token 1"
    time.now += 3500
    assert credentials.header("GET", "") == "Bearer token 1"
    time.now += 75
    assert credentials.header("GET", "") == "Bearer token 2"


def test_no_secret_and_no_query_reaches_a_log_or_an_exception(
    stub: Stub, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    told = []
    for fault in (Answer(500), Answer(401), Answer(404), Answer(drops=True), Answer(body=b"<html>"),
                  Answer(302, headers={"Location": f"https://other.example/?t={TOKEN}"})):  # fmt: skip
        stub.handle = Script(fault)
        with pytest.raises(RosterError) as caught:
            session(stub, time).get("/x", [("filter", "familyName='Secretname'")], what="A page").json()
        error: BaseException | None = caught.value
        assert error is not None
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None
        told.append(str(error))
    text = caplog.text + " ".join(told)
    assert TOKEN not in text
    assert "Secretname" not in text


def test_a_server_that_cannot_be_reached_is_unavailable(time: Time) -> None:
    with serving(lambda asked: OK) as gone:
        pass
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        session(gone, time).get("/x", what="A page")


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("roster.example.org", "https://roster.example.org"),
        ("HTTPS://Roster.example.org/a/B/", "https://roster.example.org/a/B"),
        ("roster.example.org:8443/x", "https://roster.example.org:8443/x"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost/x", "http://localhost/x"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_is_https_unless_it_is_this_machine(host: str, base: str) -> None:
    assert parse_address(host).base == base


@pytest.mark.parametrize(
    "host",
    [
        "", "http://roster.example.org", "ftp://x", "https://u:p@roster.example.org", "https://x/?a=b", "https://",
        "a b", "http://127.0.0.1.example.org",
    ],
)  # fmt: skip
def test_an_unsafe_address_is_refused(host: str) -> None:
    with pytest.raises(ConfigError):
        parse_address(host)


def test_plain_http_goes_elsewhere_only_where_it_is_allowed() -> None:
    assert parse_address("http://roster.example.org", allows_http=True).base == "http://roster.example.org"


def test_a_budget_lets_no_more_than_its_number_begin_in_any_minute() -> None:
    time = Time()
    budget = Budget(1200, clock=time, sleep=time.sleep)
    begun = []
    for _ in range(5000):
        budget.take()
        begun.append(time.now)
    most = max(sum(start <= moment < start + 60 for moment in begun) for start in begun[::50])
    assert 1100 <= most <= 1201


def test_a_budget_is_shared_by_all_who_use_the_token() -> None:
    assert shared_budget("one", 1200) is shared_budget("one", 1200)
    assert shared_budget("one", 1200) is not shared_budget("two", 1200)


def test_threads_share_a_budget() -> None:
    slept: list[float] = []
    budget = Budget(120, clock=lambda: 0.0, sleep=slept.append)

    def take_ten() -> None:
        for _ in range(10):
            budget.take()

    threads = [threading.Thread(target=take_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(slept) == 30


@pytest.mark.parametrize(
    ("header", "link"),
    [
        (None, None),
        ('<https://x/y?a=1>; rel="next"', "https://x/y?a=1"),
        ('<https://x/a>; rel="first", <https://x/b?c=1,2>; rel="next", <https://x/z>; rel="last"', "https://x/b?c=1,2"),
        ("<https://x/a>; rel=next", "https://x/a"),
        ('<https://x/a>; rel="prev"', None),
    ],
)
def test_the_next_link_is_found(header: str | None, link: str | None) -> None:
    assert next_link(header) == link
