"""OneRoster 1.1 and 1.2 over REST: ClassLink's servers and proxy, and every other provider."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import Any, Final
from urllib.parse import quote

from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import AuthError, ConfigError, FeedBroken, SourceError
from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.base import Access, CollectionReport, FeedReport, ProbeReport, ProbeStep, Sink
from roster_sync.sources.http.address import Address, extra_text, is_true, parse_address
from roster_sync.sources.http.auth import SIGNATURES, Auth, Basic, Bearer, ClientCredentials, NoAuth, OAuth1
from roster_sync.sources.http.budget import Budget
from roster_sync.sources.http.json_text import as_list, as_mapping, as_text
from roster_sync.sources.http.reply import Reply
from roster_sync.sources.http.session import HURRIED, Session
from roster_sync.sources.http.single_records import SingleRecords
from roster_sync.sources.oneroster.mapping import WANTED, Page, Wanted
from roster_sync.sources.oneroster.paging import CollectionRead, Paging, SourceMoved, Watch, read_reply

log = logging.getLogger(__name__)

ROOTS: Final = {"1.1": "/ims/oneroster/v1p1", "1.2": "/ims/oneroster/rostering/v1p2"}
SCOPES: Final = {
    "1.1": "https://purl.imsglobal.org/spec/or/v1p1/scope/roster-core.readonly",
    "1.2": "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-core.readonly",
}
REREADS: Final = 3
"""How often a roster that moved, or whose totals were not reached, is read again."""
_WANTED: Final = {wanted.collection: wanted for wanted in WANTED}


class OneRosterRest:
    """A district whose roster is read from a OneRoster server."""

    def __init__(
        self,
        settings: SourceSettings,
        access: Access,
        _district_key: str = "",
        *,
        page_size: int = 10_000,
        look_ahead: int = 4,
        **session: Any,
    ) -> None:
        """Nothing is asked yet.

        Args:
            settings: `version` and `auth`.
            access: the host up to and without /ims, login, password and extras (docs/configuration.md, Connections).
            page_size: what is asked for; a server may give less.
            look_ahead: how many pages are on their way at a time; each is held in memory.
            session: keyword arguments of Session, for tests.
        """
        self._version = settings.version or "1.1"
        if self._version not in ROOTS:
            raise ConfigError(f"The version of a OneRoster source must be one of {', '.join(ROOTS)}.")
        self._kind = settings.auth or "oauth1"
        self._access = access
        self._address = _base(access)
        self._options = {"threads": look_ahead, **session}
        self._tokens: Session | None = None
        per_minute = extra_text(access.extra, "requests_per_minute")
        if per_minute and "budget" not in session:
            self._options["budget"] = Budget(_whole(per_minute, "requests_per_minute"))
        self._session = Session(self._address, self._auth(), **self._options)
        self._root = ROOTS[self._version]
        self._paging = Paging(self._session, self._root, self._version, page_size=page_size, look_ahead=look_ahead)
        self._single_records = SingleRecords(self._single, self._any_id, _is_live_record)
        self.issuer = f"oneroster:{self._address.host}{self._address.path}"

    # -- reading ------------------------------------------------------------------------------------------------------

    def fetch(self, sink: Sink) -> FeedReport:
        """Streams the whole roster into the sink.

        Raises:
            SourceError: the server refused, did not answer, or gave no roster.
        """
        for tries_left in range(REREADS, -1, -1):
            watch = Watch(ends_at_once=tries_left > 0)
            try:
                report = self._read(sink, watch, is_careful=tries_left < REREADS)
            except SourceMoved:
                log.warning("%s changed while it was read; reading it again", self._address.host)
                sink.discard()
                continue
            problems = [collection for collection in report.collections.values() if not collection.is_complete]
            if not problems or tries_left == 0:
                break
            log.warning("%s: %s; reading it again", self._address.host, problems[0].reason)
            sink.discard()
        if watch.has_moved:
            report.adds_only = "The source's data kept changing while it was read, three times over."
        report.revision = None if watch.has_moved else watch.revision
        report.requests = self.requests
        return report

    def _read(self, sink: Sink, watch: Watch, *, is_careful: bool) -> FeedReport:
        report = FeedReport(self.issuer)
        for wanted in WANTED:
            started = time.monotonic()
            read = CollectionRead()
            contacts = roles = 0
            with closing(self._paging.pages(wanted, read, watch, is_careful=is_careful)) as pages:
                for page in pages:
                    put(sink, wanted, page)
                    contacts += page.contacts
                    roles += len(page.roles)
            if not read.is_known:
                log.info("%s has no %s", self._address.host, wanted.path)
                continue
            found = CollectionReport(read.received, read.total, not read.problem, read.problem)
            report.collections[wanted.collection] = found
            if wanted.collection == "users" and self._version == "1.2":
                report.collections["roles"] = CollectionReport(roles, None, not read.problem, read.problem)
            seconds = max(time.monotonic() - started, 1e-6)
            log.info("%s: %s records on %s pages, %.0f a second, %s contacts passed over",
                     wanted.path, read.received, read.pages, read.received / seconds, contacts)  # fmt: skip
        if watch.revision is not None:
            watch.see(self._first_org())
        return report

    # -- single records -----------------------------------------------------------------------------------------------

    def is_live(self, collection: str, source_id: str) -> bool | None:
        """Whether a school or person is still there; None where the server could not tell."""
        self._hurry()
        return self._single_records.is_live(collection, source_id)

    def _single(self, collection: str, source_id: str) -> Reply:
        path = f"{self._root}/{collection}/{quote(source_id, safe='')}"
        return self._session.get(path, what="A single record", passed=(403, 404))

    def _any_id(self, collection: str) -> str | None:
        reply = self._paging.sample(_WANTED[collection])
        return next(iter(read_reply(reply, _WANTED[collection]).ids), None) if reply else None

    # -- test connection ----------------------------------------------------------------------------------------------

    def probe(self) -> ProbeReport:
        """Asks for a little of everything, step by step; a person waits, so little is tried twice."""
        self._hurry()
        report = ProbeReport(issuer=self.issuer)
        steps = report.steps
        try:
            read_reply(self._first_org(), _WANTED["orgs"])
        except AuthError as error:
            steps.append(ProbeStep("Server", True, f"{self._address.host} answers."))
            steps.append(ProbeStep("Credentials", False, self._why_refused(error)))
            return report
        except (SourceError, ConfigError) as error:
            steps.append(ProbeStep("Server", False, str(error)))
            return report
        steps.append(ProbeStep("Server", True, f"{self._address.host} answers as OneRoster {self._version}."))
        steps.append(ProbeStep("Credentials", True, "The key or token is accepted."))
        try:
            report.schools = self._schools()
        except SourceError as error:
            steps.append(ProbeStep("Schools", False, str(error)))
            return report
        steps.append(
            ProbeStep("Schools", True, f"{len(report.schools)} schools are shared.")
            if report.schools
            else ProbeStep("Schools", False, "No school is shared: ask the district to share its schools.")
        )
        steps += map(self._probe_collection, ("users", "classes", "enrollments"))
        report.data_as_of = self._data_as_of()
        if report.data_as_of:
            steps.append(ProbeStep("Data", True, f"The newest record was changed at {report.data_as_of}."))
        return report

    def _probe_collection(self, collection: str) -> ProbeStep:
        """Whether a collection may be read; each can be shared or not by itself."""
        name = collection.capitalize()
        try:
            reply = self._paging.sample(_WANTED[collection])
            if reply is None:
                return ProbeStep(name, False, f"{self._address.host} knows no {collection} (404): check the version in "
                                 "the registry, or ask its operator.")  # fmt: skip
            if read_reply(reply, _WANTED[collection]).received:
                return ProbeStep(name, True, f"The {collection} are shared.")
        except SourceError as error:
            return ProbeStep(name, False, str(error))
        if collection == "users":
            return ProbeStep(name, False, "No one is shared: ask the district to share its students and teachers.")
        return ProbeStep(name, True, f"No {collection} are shared just now, as between two terms: nobody is taken out "
                         "of a class for that.")  # fmt: skip

    def _schools(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        wanted = _WANTED["orgs"]
        for page in self._paging.pages(wanted, CollectionRead(), Watch(ends_at_once=False), is_careful=True):
            for row in page.rows:
                org = dict(zip(wanted.columns, row, strict=True))
                if org["type"] == "school" and org["status"] not in ("tobedeleted", "inactive") and org["source_id"]:
                    found.append((org["source_id"], org["name"] or ""))
        return found

    def _data_as_of(self) -> str | None:
        """When the newest record was changed; None where the server cannot be asked for that."""
        params = [("limit", "1"), ("sort", "dateLastModified"), ("orderBy", "desc"), ("fields", "dateLastModified")]
        try:
            reply = self._session.get(f"{self._root}/users", params, what="The newest record", passed=(400, 422))
            users = as_list(as_mapping(reply.json()).get("users")) if reply.status == 200 else []
        except SourceError:
            return None
        return as_text(as_mapping(users[0]).get("dateLastModified")) if users else None

    def _why_refused(self, error: AuthError) -> str:
        """What a refusal may come from: the other signature, or what the session says of it."""
        if self._kind == "oauth1":
            used = extra_text(self._access.extra, "signature_method") or "HMAC-SHA256"
            for method in SIGNATURES:
                if method != used and self._accepts(method):
                    return (
                        f"The server wants signatures by {method}: set the connection's extra signature_method to it."
                    )
        return str(error)

    def _accepts(self, method: str) -> bool:
        auth = OAuth1(self._access.login, self._access.password, method)
        session = Session(self._address, auth, **self._options)
        try:
            session.get(f"{self._root}/orgs", [("limit", "1")], what="A page of orgs", passed=(404,))
        except SourceError:
            return False
        finally:
            session.close()
        return True

    # -- the connection -----------------------------------------------------------------------------------------------

    def _hurry(self) -> None:
        """From now on little is tried twice, also by the sessions that are yet to be opened."""
        self._options["patience"] = HURRIED
        for session in filter(None, (self._session, self._tokens)):
            session.hurry()

    @property
    def requests(self) -> int:
        """Requests sent so far, those for tokens included."""
        return self._session.requests + (self._tokens.requests if self._tokens else 0)

    def _first_org(self) -> Reply:
        """The smallest question that a roster server can be asked."""
        reply = self._paging.sample(_WANTED["orgs"])
        if reply is None:
            raise FeedBroken(
                f"{self._address.host} knows neither orgs nor schools (404): check the address in the connection and "
                "the version in the registry."
            )
        return reply

    def _auth(self) -> Auth:
        login, password, extra = self._access.login, self._access.password, self._access.extra
        if self._kind == "bearer":
            return Bearer(password)
        if self._kind == "oauth2":
            return ClientCredentials(self._ask_token)
        if self._kind != "oauth1":
            raise ConfigError("The auth of a OneRoster source must be oauth1, oauth2 or bearer.")
        return OAuth1(login, password, extra_text(extra, "signature_method") or "HMAC-SHA256")

    def _ask_token(self) -> tuple[str, float | None]:
        """OAuth 2: the credentials in the header as RFC 6749 prefers, in the form where a server wants them there."""
        extra = self._access.extra
        url = extra_text(extra, "token_url")
        if not url:
            raise ConfigError("An oauth2 connection needs the extra token_url.")
        address = parse_address(url.partition("?")[0], allows_http=is_true(extra, "allow_http"))
        form = {"grant_type": "client_credentials", "scope": extra_text(extra, "scope") or SCOPES[self._version]}
        self._tokens = self._tokens or Session(address, NoAuth(), **self._options)
        self._tokens.auth = Basic(self._access.login, self._access.password)
        reply = self._tokens.post(url, form, what="A token", passed=(400, 401))
        if reply.status != 200:
            self._tokens.auth = NoAuth()
            form |= {"client_id": self._access.login, "client_secret": self._access.password}
            reply = self._tokens.post(url, form, what="A token", passed=(400, 401))
        if reply.status != 200:
            raise AuthError(
                f"{address.host} gave no token ({reply.status}): check the client id, the secret and the extra scope."
            )
        answer = as_mapping(reply.json())
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise FeedBroken(f"{address.host} answered without an access_token: check the extra token_url.")
        return token, float(seconds) if isinstance(seconds, (int, float)) and seconds > 0 else None


def _base(access: Access) -> Address:
    """The address up to and without /ims; a whole endpoint in the connection is cut back to it."""
    return parse_address(access.host.split("/ims/oneroster")[0], allows_http=is_true(access.extra, "allow_http"))


def _is_live_record(answer: dict[str, Any], source_id: str) -> bool | None:
    record = next((value for value in answer.values() if isinstance(value, dict)), {})
    if as_text(record.get("sourcedId")) != source_id:
        return None
    return as_text(record.get("status")) not in ("tobedeleted", "inactive")


def put(sink: Sink, wanted: Wanted, page: Page) -> None:
    """Gives a page to the sink."""
    for _ in range(page.unreadable):
        sink.reject(wanted.collection, "not_an_object",
                    f"A record of {wanted.path} is not an object; its server has to correct it.")  # fmt: skip
    if page.roles:
        sink.copy_rows("roles", COLLECTIONS["roles"], page.roles)
    if page.rows:
        sink.copy_rows(wanted.collection, wanted.columns, page.rows)


def _whole(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ConfigError(f"The extra {name} must be a whole number above zero.")
    return int(text)
