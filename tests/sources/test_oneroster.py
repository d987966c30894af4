"""Rules of reading OneRoster over REST, against the simulator: nothing lost, nothing gone without proof."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import time as now
from typing import Any

import pytest

from include.simulator.district import DistrictDay, MadeUpDistrict
from include.simulator.serving import serve
from include.simulator.web import Simulator
from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import AuthError, ConfigError, FeedBroken, RateLimited, SourceUnavailable
from roster_sync.sources.base import Access, FeedReport
from roster_sync.sources.kinds import open_source
from roster_sync.sources.oneroster.mapping import Page
from roster_sync.sources.oneroster.paging import CollectionRead
from roster_sync.sources.oneroster.source import OneRosterRest
from tests.sources import providers
from tests.sources.conftest import MemorySink
from tests.sources.providers import CONTACTS, oneroster_ids
from tests.sources.stub import Time

KEY, SECRET = "demo-key", "demo-secret"


@pytest.fixture(scope="module")
def district() -> MadeUpDistrict:
    return MadeUpDistrict(seed=5, students=260, schools=3)


@pytest.fixture
def simulate(district: MadeUpDistrict) -> Iterator[Callable[..., Simulator]]:
    running: list[Simulator] = []

    def start(**settings: Any) -> Simulator:
        running.append(serve(district, **settings).start())
        return running[-1]

    yield start
    for simulator in running:
        simulator.stop()


def source(simulator: Simulator, *, version: str = "1.1", auth: str = "oauth1", page_size: int = 100,
           time: Time | None = None, secret: str = SECRET, **extra: object) -> OneRosterRest:  # fmt: skip
    access = Access(simulator.url, "" if auth == "bearer" else KEY, secret, extra)
    opened = open_source(
        SourceSettings("oneroster", "conn", version=version, auth=auth), access, "harbor",
        page_size=page_size, **(time or Time(now=now())).session,
    )  # fmt: skip
    assert isinstance(opened, OneRosterRest)
    return opened


def check_whole(report: FeedReport, sink: MemorySink, day: DistrictDay) -> None:
    providers.check_whole(report, sink, oneroster_ids(day))


# -- what is read ------------------------------------------------------------------------------------------------------


PROVIDERS: dict[str, dict[str, Any]] = {
    "totals": {},
    "totals without links": {"links": False},
    "links without totals": {"total_count": False},
    "neither": {"total_count": False, "links": False},
    "totals, clamped": {"max_limit": 37},
    "links, clamped": {"max_limit": 37, "total_count": False},
    "neither, clamped": {"max_limit": 37, "total_count": False, "links": False},
    "classlink": {"classlink": True, "total_count": False},
    "totals of the page alone": {"counts_page": True, "links": False},
    "links, and totals of the page alone": {"counts_page": True},
    "links that leave out what was asked": {"total_count": False, "bare_links": True},
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_kind_of_provider_is_read_to_its_end(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink, provider: str
) -> None:
    simulator = simulate(**PROVIDERS[provider])
    report = source(simulator, page_size=10_000 if "clamped" in provider else 100).fetch(sink)
    check_whole(report, sink, district.day(1))
    assert all("fields=" in request.query for request in simulator.requests)


def test_the_roles_of_1_2_travel_as_rows_of_their_own(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink
) -> None:
    source(simulate(version="1.2"), version="1.2").fetch(sink)
    kept = [person for person in district.day(1).users() if not {role.role for role in person.roles} <= CONTACTS]
    held = {(person.sourced_id, role.role) for person in kept for role in person.roles if role.role not in CONTACTS}
    assert {(row["user_source_id"], row["role"]) for row in sink.rows["roles"]} == held
    assert len({row["source_id"] for row in sink.rows["roles"]}) == len(sink.rows["roles"])


def test_a_person_arrives_with_what_is_mapped(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink
) -> None:
    source(simulate()).fetch(sink)
    person = next(person for person in district.day(1).users() if person.grade and person.email)
    row = next(row for row in sink.rows["users"] if row["source_id"] == person.sourced_id)
    assert row["given_name"] == person.given_name
    assert row["family_name"] == person.family_name
    assert row["identifier"] == person.sis_id
    assert row["state_id"] == person.state_id
    assert row["grades"] == person.grade
    assert row["is_enabled"] in ("true", "false")
    assert row["role"] == "student"
    assert str(row["user_ids"]).startswith("{SIS:")


def test_only_what_is_mapped_travels(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate()
    source(simulator).fetch(sink)
    asked = [request for request in simulator.requests if request.path.endswith("/users")]
    assert asked
    for request in asked:
        assert "fields=" in request.query
        assert not any(word in request.query for word in ("phone", "sms", "password", "agents", "middleName"))
        assert "sort=sourcedId" in request.query


def test_a_server_that_knows_no_fields_or_no_sorting_is_read_without(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink
) -> None:
    for match in ("fields=", "sort="):
        simulator = simulate()
        simulator.fault("status", status=400, match=match)
        again = MemorySink()
        check_whole(source(simulator).fetch(again), again, district.day(1))


def test_a_server_that_refuses_a_large_page_is_asked_for_a_smaller_one(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink
) -> None:
    simulator = simulate()
    simulator.fault("status", status=422, match="limit=10000")
    check_whole(source(simulator, page_size=10_000).fetch(sink), sink, district.day(1))
    assert {request.query.split("&")[0] for request in simulator.requests} == {"limit=10000", "limit=1000"}


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_token_that_expires_in_the_middle_is_renewed(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink
) -> None:
    simulator = simulate(version="1.2", auth="oauth2")
    simulator.fault("expired_token", "*/users", nth=2)
    read = source(simulator, version="1.2", auth="oauth2", token_url=f"{simulator.url}/oauth/token")
    check_whole(read.fetch(sink), sink, district.day(1))
    assert sum(path == "/oauth/token" for path in simulator.paths()) == 2


def oauth2(simulator: Simulator, **more: Any) -> OneRosterRest:
    address = f"{simulator.url}/oauth/token{more.pop('query', '')}"
    return source(simulator, version="1.2", auth="oauth2", token_url=address, **more)


@pytest.mark.parametrize(
    ("fault", "error", "words", "tries"),
    [
        ({"kind": "status", "status": 503}, SourceUnavailable, "127.0.0.1 answers with an error of its own", 6),
        ({"kind": "status", "status": 429}, RateLimited, "asks us to wait", 6),
        ({"kind": "status", "status": 401}, AuthError, "check the client id", 2),
        ({"kind": "html"}, FeedBroken, "A token came as a web page", 1),
        ({"kind": "drop"}, SourceUnavailable, "cannot be reached", 6),
    ],
    ids=["503", "429", "401", "html", "drop"],
)
def test_a_token_that_cannot_be_had_ends_the_run_in_its_own_words(
    simulate: Callable[..., Simulator], sink: MemorySink, fault: dict[str, Any], error: type, words: str, tries: int
) -> None:
    simulator = simulate(version="1.2", auth="oauth2")
    simulator.fault(path="/oauth/token", **fault)
    with pytest.raises(error, match=words):
        oauth2(simulator).fetch(sink)
    assert simulator.paths() == ["/oauth/token"] * tries


def test_the_address_of_a_token_may_have_a_query(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink
) -> None:
    simulator = simulate(version="1.2", auth="oauth2")
    check_whole(oauth2(simulator, query="?appName=made-up").fetch(sink), sink, district.day(1))
    assert simulator.requests[0].query == "appName=made-up"


@pytest.mark.parametrize("auth", ["oauth1", "oauth2", "bearer"])
def test_credentials_revoked_in_the_middle_end_the_run_with_one_renewal_at_most(
    simulate: Callable[..., Simulator], sink: MemorySink, auth: str
) -> None:
    simulator, time = simulate(version="1.2", auth=auth), Time(now=now())
    simulator.fault("status", "*/users", status=401, match="offset=100")
    read = oauth2(simulator, time=time) if auth == "oauth2" else source(simulator, version="1.2", auth=auth, time=time)
    with pytest.raises(AuthError, match=r"401.*check the .* in the connection"):
        read.fetch(sink)
    assert sum(path == "/oauth/token" for path in simulator.paths()) == (2 if auth == "oauth2" else 0)
    refused = [request for request in simulator.requests if request.status == 401]
    assert len(refused) == (2 if auth == "oauth2" else 1)
    assert time.slept == []


def test_a_clock_that_is_wrong_is_named_as_the_cause(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate()
    read = source(simulator, secret="wrong", time=Time(now=now() + 1800))
    with pytest.raises(AuthError, match="differ by 30 minutes"):
        read.fetch(sink)


def test_a_reply_that_comes_too_late_is_asked_for_again(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink
) -> None:
    simulator, time = simulate(), Time(now=now())
    simulator.fault("slow", "*/classes", nth=1, seconds=1.5)
    read = source(simulator, time=time)
    read._session._patience = replace(read._session._patience, read_timeout=0.4)
    check_whole(read.fetch(sink), sink, district.day(1))
    assert len(time.slept) == 1


def test_links_that_lead_in_a_circle_end_the_walk_and_prove_nothing(
    simulate: Callable[..., Simulator], sink: MemorySink
) -> None:
    simulator = simulate(total_count=False)
    simulator.fault("circular_link", "*/users", match="limit")
    report = source(simulator).fetch(sink)
    users = report.collections["users"]
    assert not users.is_complete
    assert "circle" in users.reason
    assert sink.discards == 3
    assert sum(path.endswith("/users") for path in simulator.paths()) == 4 * 3
    assert len(sink.ids("users")) == len(set(sink.ids("users"))) > 200
    assert report.collections["enrollments"].is_complete


def test_a_page_that_came_before_ends_the_walk_however_long_ago_that_was() -> None:
    collection_read = CollectionRead()
    pages = [Page(2, {f"{number}a", f"{number}b"}) for number in (1, 2, 3, 4)]
    assert all(map(collection_read.add, pages))
    assert not collection_read.add(Page(2, {"2a", "2b"}))
    assert (collection_read.received, collection_read.problem) == (8, "The source gave the same page twice.")


def test_a_link_to_another_host_is_refused(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate(total_count=False)
    simulator.fault("foreign_link", "*/users")
    with pytest.raises(FeedBroken, match="another server"):
        source(simulator).fetch(sink)


def test_a_refusal_in_the_middle_fails_the_run_at_once(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator, time = simulate(), Time(now=now())
    simulator.fault("status", "*/users", status=403, match="offset=100")
    with pytest.raises(AuthError):
        source(simulator, time=time).fetch(sink)
    assert time.slept == []


def test_an_optional_collection_that_the_server_lacks_is_not_in_the_report(
    simulate: Callable[..., Simulator], sink: MemorySink
) -> None:
    simulator = simulate()
    simulator.fault("status", "*/courses", status=404)
    report = source(simulator).fetch(sink)
    assert "courses" not in report.collections
    simulator.fault("status", "*/classes", status=404)
    with pytest.raises(FeedBroken, match="404"):
        source(simulator).fetch(MemorySink())


def test_schools_are_read_where_there_are_no_orgs(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate()
    simulator.fault("status", "*/orgs", status=404)
    report = source(simulator).fetch(sink)
    assert report.collections["orgs"].is_complete
    assert len(sink.ids("orgs")) == 3


# -- what proves absence -----------------------------------------------------------------------------------------------

PASSING = [
    {"kind": "skipped", "path": "*/users", "nth": 2},
    {"kind": "duplicate", "path": "*/enrollments", "nth": 3},
    {"kind": "empty", "path": "*/users", "nth": 2},
    {"kind": "empty", "path": "*/classes", "nth": 1},
    {"kind": "same_page", "path": "*/enrollments", "nth": 4},
    {"kind": "wrong_total", "path": "*/users", "nth": 1},
    {"kind": "wrong_total", "path": "*/users", "nth": 2},
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault['kind']} {fault['nth']}")
def test_a_read_that_proves_nothing_is_voided_and_read_again(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink, fault: dict[str, Any]
) -> None:
    simulator = simulate()
    simulator.fault(**fault)
    report = source(simulator).fetch(sink)
    assert sink.discards == 1
    check_whole(report, sink, district.day(1))


LASTING = [
    {"kind": "skipped", "path": "*/users", "match": "offset=100"},
    {"kind": "duplicate", "path": "*/users", "match": "offset=100"},
    {"kind": "wrong_total", "path": "*/users"},
    {"kind": "same_page", "path": "*/users"},
    {"kind": "empty", "path": "*/users"},
]


@pytest.mark.parametrize("fault", LASTING, ids=lambda fault: fault["kind"])
@pytest.mark.parametrize("totals", [True, False])
def test_a_total_not_reached_is_read_again_three_times_and_then_proves_nothing(
    simulate: Callable[..., Simulator], sink: MemorySink, fault: dict[str, Any], totals: bool
) -> None:
    if not totals and fault["kind"] in ("skipped", "wrong_total", "empty"):
        fault = {"kind": "same_page", "path": "*/users"}
    simulator = simulate(total_count=totals, links=totals)
    simulator.fault(**fault)
    report = source(simulator).fetch(sink)
    assert sink.discards == 3
    assert not report.collections["users"].is_complete
    assert report.collections["users"].reason
    assert report.collections["enrollments"].is_complete
    assert report.adds_only == ""


def test_a_revision_that_moves_voids_the_read_and_starts_it_again(
    simulate: Callable[..., Simulator], district: MadeUpDistrict, sink: MemorySink
) -> None:
    simulator = simulate(classlink=True)
    simulator.fault("moved", "*/classes", nth=1)
    report = source(simulator).fetch(sink)
    assert sink.discards == 1
    check_whole(report, sink, district.day(2))
    assert report.revision == "2.0"


def test_a_revision_that_moves_after_the_last_page_is_noticed(
    simulate: Callable[..., Simulator], sink: MemorySink
) -> None:
    simulator = simulate(classlink=True)
    simulator.fault("revision", "*/orgs", nth=2)
    assert source(simulator).fetch(sink).revision == "1.1"
    assert sink.discards == 1


def test_a_revision_that_keeps_moving_adds_only(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate(classlink=True)
    simulator.fault("revision", "*/classes")
    report = source(simulator).fetch(sink)
    assert sink.discards == 3
    assert "changing" in report.adds_only
    assert report.revision is None
    assert len(sink.ids("users")) > 0


def test_few_pages_are_on_their_way_at_a_time(simulate: Callable[..., Simulator]) -> None:
    """Memory stays flat: while the sink is busy with a page, no more than the look-ahead is asked for."""
    simulator = simulate()
    ahead: list[int] = []

    class SlowSink(MemorySink):
        def copy_rows(self, collection: str, columns: Any, rows: Any) -> int:
            if collection == "enrollments":
                threading.Event().wait(0.02)
                taken = len(self.rows.get("enrollments", [])) // 50
                asked = sum(path.endswith("/enrollments") for path in simulator.paths())
                ahead.append(asked - taken)
            return super().copy_rows(collection, columns, rows)

    source(simulator, page_size=50).fetch(SlowSink())
    assert len(ahead) > 10
    assert max(ahead) <= 6


# -- bad records -------------------------------------------------------------------------------------------------------


def test_records_that_are_none_are_passed_on_without_an_id_or_reported(sink: MemorySink) -> None:
    from roster_sync.sources.oneroster.mapping import WANTED, read_page
    from roster_sync.sources.oneroster.source import put

    users = next(wanted for wanted in WANTED if wanted.collection == "users")
    records = ["text", None, {"role": "student", "orgs": "x", "grades": 9, "userIds": [None, {}]}, {}]
    put(sink, users, read_page(users, records))
    assert [finding["rule"] for finding in sink.rejects] == ["not_an_object", "not_an_object"]
    assert sink.ids("users") == [None, None]
    assert sink.rows["users"][0]["grades"] == "9"


# -- single records ----------------------------------------------------------------------------------------------------


def test_a_record_that_left_since_is_gone(simulate: Callable[..., Simulator], district: MadeUpDistrict) -> None:
    simulator = simulate(tombstones="tobedeleted", day=2)
    read = source(simulator)
    now = {person.sourced_id for person in district.day(2).users()}
    before = {person.sourced_id for person in district.day(1).users()}
    assert read.is_live("users", next(iter(now & before))) is True
    assert read.is_live("users", next(iter(before - now))) is False
    assert read.is_live("orgs", next(district.day(2).schools()).sourced_id) is True
    assert read.is_live("users", "no/such id?") is False


def test_a_server_without_single_reads_confirms_nothing(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    simulator.fault("status", "*/users/*", status=404)
    assert source(simulator).is_live("users", "whoever") is None


# -- test connection ---------------------------------------------------------------------------------------------------


def test_the_probe_goes_step_by_step_and_names_the_schools(
    simulate: Callable[..., Simulator], district: MadeUpDistrict
) -> None:
    report = source(simulate()).probe()
    steps = "Server Credentials Schools Users Classes Enrollments Data"
    assert [step.name for step in report.steps] == steps.split()
    assert report.is_ok
    assert dict(report.schools) == {school.sourced_id: school.name for school in district.day(1).schools()}
    assert report.data_as_of


def test_the_probe_says_that_the_other_signature_is_wanted(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(methods=["HMAC-SHA1"])
    step = source(simulator).probe().steps[-1]
    assert not step.is_ok
    assert "HMAC-SHA1" in step.message
    assert source(simulator, signature_method="HMAC-SHA1").probe().is_ok


def test_the_probe_says_that_the_credentials_are_wrong(simulate: Callable[..., Simulator]) -> None:
    step = source(simulate(), secret="wrong").probe().steps[-1]
    assert step.name == "Credentials"
    assert "credentials" in step.message
    assert "wrong" not in step.message


def test_the_probe_says_that_a_clock_is_wrong(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    from roster_sync.sources.http.auth import OAuth1

    read = source(simulator, secret="wrong", time=Time(now=now() - 3600))
    assert isinstance(read._session.auth, OAuth1)
    assert "60 minutes" in read.probe().steps[-1].message


COLLECTION_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "403": ({"kind": "status", "status": 403}, "403.*ask the district"),
    "404": ({"kind": "status", "status": 404}, "404.*check the version"),
    "html": ({"kind": "html"}, "web page.*check"),
    "500": ({"kind": "status", "status": 500}, "500.*try again later"),
}


@pytest.mark.parametrize("fault", COLLECTION_FAULTS)
@pytest.mark.parametrize("collection", ["users", "classes", "enrollments"])
def test_the_probe_reports_each_collection_that_cannot_be_read(
    simulate: Callable[..., Simulator], fault: str, collection: str
) -> None:
    simulator = simulate()
    settings, words = COLLECTION_FAULTS[fault]
    simulator.fault(path=f"*/{collection}", **settings)
    report = source(simulator).probe()
    (failed,) = [step for step in report.steps if not step.is_ok]
    assert failed.name == collection.capitalize()
    assert re.search(words, failed.message)
    assert report.schools


def test_the_probe_says_that_no_one_is_shared_but_bears_a_school_without_classes(
    simulate: Callable[..., Simulator],
) -> None:
    simulator = simulate()
    for collection in ("users", "classes", "enrollments"):
        simulator.fault("empty", f"*/{collection}")
    steps = {step.name: step for step in source(simulator).probe().steps}
    assert "No one is shared" in steps["Users"].message
    assert [step.name for step in steps.values() if not step.is_ok] == ["Users"]
    assert "between two terms" in steps["Classes"].message


# -- the connection ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "issuer"),
    [
        ("Roster.Example.org", "oneroster:roster.example.org"),
        ("https://roster.example.org:8443/a/b/", "oneroster:roster.example.org/a/b"),
        ("https://roster.example.org/ims/oneroster/v1p1", "oneroster:roster.example.org"),
        ("https://proxy.example.org/proxy/v1p0/Ab%3D", "oneroster:proxy.example.org/proxy/v1p0/Ab%3D"),
    ],
)
def test_the_issuer_is_the_host_and_base_path_for_both_versions(host: str, issuer: str) -> None:
    for version in ("1.1", "1.2"):
        settings = SourceSettings("oneroster", "conn", version=version, auth="bearer")
        assert OneRosterRest(settings, Access(host, password="token")).issuer == issuer


def test_a_wrong_setting_is_refused_before_anything_is_asked() -> None:
    access = Access("roster.example.org", "key", "secret")
    for settings in (
        SourceSettings("oneroster", "conn", version="2.0"), SourceSettings("oneroster", "conn", auth="digest"),
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            OneRosterRest(settings, access)
    with pytest.raises(ConfigError):
        open_source(SourceSettings("oneroster", "conn"), None, "harbor")
    with pytest.raises(ConfigError, match="token_url"):
        OneRosterRest(SourceSettings("oneroster", "conn", auth="oauth2"), access).fetch(MemorySink())
