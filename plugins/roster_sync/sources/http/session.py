"""One HTTP session with one server: what it may ask, how often it tries, and in which words it fails."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, urlencode, urljoin, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from roster_sync import __version__
from roster_sync.core.errors import AuthError, FeedBroken, RateLimited, RosterError, SourceUnavailable
from roster_sync.sources.http.address import Address, is_loopback, is_same_server
from roster_sync.sources.http.auth import Auth, NoAuth, OAuth1
from roster_sync.sources.http.budget import Budget
from roster_sync.sources.http.reply import Reply
from roster_sync.sources.http.tls import is_about_certificate

log = logging.getLogger(__name__)

RETRIED: Final = (500, 502, 503, 504)
MAX_BODY: Final = 512 * 1024 * 1024
_PIECE: Final = 1 << 17
_MAX_REDIRECTS: Final = 3
_SKEW: Final = 300
"""Seconds by which a clock may be wrong before servers refuse a signature for it."""
Params = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Patience:
    """How long a request is tried again."""

    tries: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0
    """Of our own waits, which double from try to try."""
    longest_asked: float = 600.0
    """A server that asks for a longer wait than this ends the try: the task is started again later."""
    total: float = 1800.0
    """Seconds over all tries of one request."""
    connect_timeout: float = 15.0
    read_timeout: float = 180.0


HURRIED: Final = Patience(
    tries=2, first_wait=0.5, longest_wait=2.0, longest_asked=2.0, total=20.0, connect_timeout=5.0, read_timeout=15.0
)
"""While a person waits for the answer, or many single records are to be asked for."""


class Session:
    """Asks one server, in as many threads as its caller likes."""

    def __init__(
        self,
        address: Address,
        auth: Auth | None = None,
        *,
        budget: Budget | None = None,
        patience: Patience | None = None,
        threads: int = 4,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.address = address
        self.auth: Auth = auth or NoAuth()
        self._budget = budget
        self._patience = patience or Patience()
        self._sleep = sleep
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self.requests = 0
        self.skew: float | None = None
        """Seconds by which the server's clock is ahead of ours, from the last reply that gave its time."""
        self._http = requests.Session()
        self._http.verify = True
        # A proxy of the environment is for the world outside; asking it for this machine leads nowhere.
        self._http.trust_env = not is_loopback(address.host)
        adapter = HTTPAdapter(pool_maxsize=max(threads, 1), max_retries=0)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)
        self._http.headers.update({"Accept": "application/json", "User-Agent": f"roster-sync/{__version__}"})

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def hurry(self) -> None:
        """From now on a person waits, or many small questions do: says soon what is wrong."""
        self._patience = HURRIED

    def get(self, path: str, params: Params = (), *, what: str, passed: Collection[int] = ()) -> Reply:
        """Gets a path of the server, or a link that it gave.

        Args:
            path: begins with a slash, below the base address.
            params: the query.
            what: the thing that is asked for, for messages: 'A page of users'.
            passed: statuses other than 200 that the caller wants to see itself.

        Raises:
            AuthError, RateLimited, SourceUnavailable, FeedBroken: as the server answered.
        """
        query = urlencode(list(params), quote_via=quote)
        return self._ask("GET", f"{self.address.base}{path}{'?' if query else ''}{query}", None, what, passed)

    def follow(self, link: str, *, what: str, at: str = "/", passed: Collection[int] = ()) -> Reply:
        """Gets a link that the server gave, absolute or relative to the path `at` where it gave it; as `get`."""
        url = urljoin(f"{self.address.base}{at}", link)
        base, parts = urlsplit(self.address.base), urlsplit(url)
        if (base.scheme, parts.scheme) == ("https", "http") and base.hostname == parts.hostname and not parts.username:
            # Servers behind a proxy that ends TLS often write their own links with http and an inner port.
            url = urlunsplit((base.scheme, base.netloc, parts.path, parts.query, ""))
        if not is_same_server(url, self.address.base):
            raise FeedBroken(f"{self.address.host} gave a link that leads to another server; it is not followed.")
        return self._ask("GET", url, None, what, passed)

    def post(self, url: str, form: Mapping[str, str], *, what: str, passed: Collection[int] = ()) -> Reply:
        """Posts a form to a full address; the caller's own choice, so only its scheme is checked."""
        return self._ask("POST", self.address.of(url), form, what, passed)

    def _ask(self, method: str, url: str, form: Mapping[str, str] | None, what: str, passed: Collection[int]) -> Reply:
        started = self._clock()
        is_renewed = False
        tries = 0
        while True:
            tries += 1
            if self._budget:
                self._budget.take()
            signed = _Signed(self.auth)
            try:
                reply = self._send(method, url, form, signed, what)
            except _NotSignedError as error:  # a token was asked for, as often as makes sense
                raise error.reason from None
            except (SourceUnavailable, _CutOff) as error:
                fault: Exception = error
                asked = None
            else:
                if reply.status == 200 or reply.status in passed:
                    return reply
                if reply.status == 401 and not is_renewed and self.auth.renew(signed.sent):
                    is_renewed = True
                    log.info("%s refused the token; trying once with a new one", self.address.host)
                    continue
                fault, asked = self._judge(reply)
            self._wait(fault, asked, tries, started)

    def _wait(self, fault: Exception, asked: float | None, tries: int, started: float) -> None:
        """Waits before another try, or raises the fault where no other may be made."""
        patience = self._patience
        # Windows of rate limits are mostly a minute long: the waits must reach over one.
        first = patience.first_wait * (4 if isinstance(fault, RateLimited) else 1)
        own = min(patience.longest_wait, first * 2 ** (tries - 1)) * (0.5 + self._jitter() / 2)
        # By a clock that goes wrong, the time to wait for may be past already: our own wait is the least.
        wait = own if asked is None else max(own, asked + self._jitter())
        is_over = tries >= patience.tries or self._clock() - started + wait > patience.total
        if is_over or (asked is not None and asked > patience.longest_asked):
            if isinstance(fault, _CutOff):
                raise FeedBroken(str(fault)) from None
            raise fault from None
        log.info("%s: try %s failed (%s); waiting %.1f s", self.address.host, tries, type(fault).__name__, wait)
        self._sleep(wait)

    def _judge(self, reply: Reply) -> tuple[Exception, float | None]:
        """The error that a status means and the wait that the server asks for; raises where no other try can help."""
        host, status = self.address.host, reply.status
        if status == 401:
            raise AuthError(f"{host} refused the credentials (401): {self._what_to_check()}")
        if status == 403:
            raise AuthError(
                f"{host} forbids it (403): {reply.what} is not shared with these credentials; ask the district or the "
                "server's operator to share it."
            )
        if status == 429:
            asked = self._asked_wait(reply)
            words = f"{host} asks us to wait (429): too many requests; the next try comes later by itself."
            return RateLimited(words, retry_after=asked), asked
        if status in RETRIED:
            asked = self._asked_wait(reply) if status == 503 else None
            words = f"{host} answers with an error of its own ({status}): try again later, or tell its operator."
            # Only of this kind the next try of the task keeps to the wait that was asked for.
            return SourceUnavailable(words) if asked is None else RateLimited(words, retry_after=asked), asked
        raise FeedBroken(
            f"{host} answered {status} to {reply.what}: check the address and the version in the registry."
        )

    def _what_to_check(self) -> str:
        """What credentials may be refused for."""
        if not isinstance(self.auth, OAuth1):
            return "check the token or secret in the connection, and that the district still shares with us."
        if self.skew is not None and abs(self.skew) > _SKEW:
            minutes = f"{abs(self.skew) / 60:.0f} minutes"
            return f"our clock and the server's differ by {minutes}, which alone refuses a signature; set ours right."
        return (
            "check the key, the secret and the extra signature_method in the connection, and that the district still "
            "shares with us."
        )

    def _asked_wait(self, reply: Reply) -> float | None:
        """Seconds from Retry-After (seconds or a date) or X-RateLimit-Reset (Unix time)."""
        value = (reply.headers.get("Retry-After") or "").strip()
        if value.isascii() and value.isdigit():
            return float(value)
        if value:
            try:
                when = parsedate_to_datetime(value)
            except (TypeError, ValueError):
                return None
            return self._seconds_until(when.replace(tzinfo=when.tzinfo or timezone.utc).timestamp())
        reset = reply.number("X-RateLimit-Reset")
        if reset is None:
            return None
        # Some servers give the seconds that are left in place of a time.
        return self._seconds_until(reset) if reset > 10_000_000 else float(reset)

    def _seconds_until(self, moment: float) -> float:
        """Seconds until a time that the server named by its own clock."""
        return max(0.0, moment - self._clock() - (self.skew or 0.0))

    def _send(self, method: str, url: str, form: Mapping[str, str] | None, signed: _Signed, what: str) -> Reply:
        """One request; redirects only within the server, each signed anew."""
        timeout = (self._patience.connect_timeout, self._patience.read_timeout)
        for _ in range(_MAX_REDIRECTS + 1):
            with self._lock:
                self.requests += 1
            try:
                with self._http.request(
                    method, url, data=form, auth=signed, timeout=timeout, stream=True, allow_redirects=False
                ) as response:
                    self._note_time(response.headers.get("Date"))
                    body = self._read(response, what)
                    target = response.headers.get("Location")
            except requests.exceptions.SSLError as error:
                raise self._of_tls(error) from None
            except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
                raise _CutOff(
                    f"{what} came cut off from {self.address.host}: the server or a proxy is at fault."
                ) from None
            except requests.exceptions.Timeout:
                raise SourceUnavailable(
                    f"{self.address.host} did not answer in time: it is too busy, or down; try again later."
                ) from None
            except requests.exceptions.ConnectionError:
                raise SourceUnavailable(
                    f"{urlsplit(self.address.base).netloc} cannot be reached: check the address and the network."
                ) from None
            except requests.exceptions.RequestException as error:
                raise FeedBroken(
                    f"{self.address.host} could not be asked ({type(error).__name__}): check the address."
                ) from None
            if not 300 <= response.status_code < 400:
                return Reply(response.status_code, response.headers, body, what)
            url = self._redirected(url, target)
        raise FeedBroken(f"{self.address.host} redirects in a circle: check the address in the connection.")

    def _of_tls(self, error: requests.exceptions.SSLError) -> AuthError | SourceUnavailable:
        if is_about_certificate(error):
            return AuthError(f"{self.address.host} shows no valid certificate (TLS): its operator has to renew it.")
        return SourceUnavailable(
            f"{self.address.host} broke the secure connection off (TLS): try again later, or tell its operator."
        )

    def _redirected(self, url: str, target: str | None) -> str:
        target = urljoin(url, target or "")
        if target == url or not is_same_server(target, url):
            raise FeedBroken(
                f"{self.address.host} redirects to another server, where our credentials must not go: put the right "
                "address into the connection."
            )
        return target

    def _read(self, response: requests.Response, what: str) -> deque[bytes]:
        pieces: deque[bytes] = deque()
        size = 0
        for piece in response.iter_content(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY:
                raise FeedBroken(f"{what} is larger than {MAX_BODY >> 20} MB; such a page is not read.")
        return pieces

    def _note_time(self, date: str | None) -> None:
        if date:
            try:
                self.skew = parsedate_to_datetime(date).timestamp() - self._clock()
            except (TypeError, ValueError):
                self.skew = None


class _CutOff(Exception):
    """A body broke off in the middle: tried again, and refused as a broken feed if it goes on."""


class _NotSignedError(Exception):
    """There is nothing to sign with, such as a token that could not be had: this request cannot be made."""

    def __init__(self, reason: RosterError) -> None:
        super().__init__()
        self.reason = reason


class _Signed(AuthBase):
    """Signs the address as it is really sent; without an auth object requests would look into ~/.netrc."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self.sent = ""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        try:
            self.sent = self._auth.header(str(request.method), str(request.url))
        except RosterError as error:
            raise _NotSignedError(error) from None
        if self.sent:
            request.headers["Authorization"] = self.sent
        return request
