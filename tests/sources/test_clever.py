"""Rules of reading Clever, against the simulator: one person once, nothing gone without proof, states obeyed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from time import time as now
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.simulator.clever_site import CleverDistrict, CleverSite
from include.simulator.district import MadeUpDistrict
from include.simulator.serving import serve_clever
from include.simulator.web import Simulator
from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import AuthError, ConfigError, FeedBroken, SourceNotReady
from roster_sync.core.vocabulary import COLLECTIONS
from roster_sync.sources.base import Access, FeedReport, ProbeStep
from roster_sync.sources.clever.api import CleverApi, ListRead
from roster_sync.sources.clever.mapping import ROLES
from roster_sync.sources.clever.source import Clever
from roster_sync.sources.http.budget import Budget
from roster_sync.sources.kinds import open_source
from tests.sources import providers
from tests.sources.conftest import MemorySink
from tests.sources.providers import clever_ids
from tests.sources.stub import Asked, Stub, Time, answer, serving


@pytest.fixture(scope="module")
def district() -> MadeUpDistrict:
    return MadeUpDistrict(seed=8, students=240, schools=3)


@pytest.fixture
def simulate(district: MadeUpDistrict) -> Iterator[Callable[..., Simulator]]:
    running: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        running.append(serve_clever(district, **{"rate_limit": None, **options}).start())
        return running[-1]

    yield start
    for simulator in running:
        simulator.stop()


def entry(simulator: Simulator) -> CleverDistrict:
    site = simulator.site()
    assert isinstance(site, CleverSite)
    return site.of()


def source(simulator: Simulator, *, time: Time | None = None, version: str | None = None, **tuning: Any) -> Clever:
    access = Access(simulator.url, password=entry(simulator).token)
    return opened(access, time, version, **tuning)


def opened(access: Access, time: Time | None = None, version: str | None = None, **tuning: Any) -> Clever:
    time = time or Time(now=now())
    budget = Budget(1200, clock=time, sleep=time.sleep)
    found = open_source(
        SourceSettings("clever", "conn", version=version), access, "harbor",
        **{"page_size": 100, "budget": budget, **time.session, **tuning},
    )  # fmt: skip
    assert isinstance(found, Clever)
    return found


def by_application(simulator: Simulator, **extra: object) -> Clever:
    extra = {"district_id": entry(simulator).id, **extra}
    return opened(Access(simulator.url, "demo-client", "demo-secret", extra))


def check_whole(report: FeedReport, sink: MemorySink, district: CleverDistrict) -> None:
    providers.check_whole(report, sink, clever_ids(district))


# -- what is read ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v3.0", "v3.1", None])
def test_a_read_names_its_district_and_how_new_its_data_are(
    simulate: Callable[..., Simulator], sink: MemorySink, version: str | None
) -> None:
    simulator = simulate()
    report = source(simulator, version=version).fetch(sink)
    assert report.issuer == f"clever:{entry(simulator).id}"
    assert report.revision == entry(simulator).reported_last_sync()
    assert all(request.path.startswith(f"/{version or 'v3.1'}/") for request in simulator.requests)


def test_contacts_are_never_asked_for(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate()
    source(simulator).fetch(sink)
    asked = [request.query for request in simulator.requests if request.path.endswith("/users")]
    assert asked
    assert all("role=" in query and "contact" not in query for query in asked)


def test_a_person_with_several_roles_is_one_person_with_all_of_them(
    simulate: Callable[..., Simulator], sink: MemorySink
) -> None:
    simulator = simulate()
    source(simulator).fetch(sink)
    people = {record["id"]: record for record in entry(simulator).view(1, "v3.1").users()}
    several = {key for key, record in people.items() if len(set(record["roles"]) & set(ROLES)) > 1}
    assert several
    rows = [row for row in sink.rows["users"] if row["source_id"] in several]
    assert len(rows) == len(several)
    for row in rows:
        roles = people[str(row["source_id"])]["roles"]
        assert set(str(row["role"]).split(",")) == set(roles)
        schools = {school for role in roles.values() for school in role.get("schools", [])}
        assert set(str(row["org_source_ids"]).split(",")) == schools


def test_enrollments_are_made_from_sections(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate()
    source(simulator).fetch(sink)
    section = next(record for record in entry(simulator).view(1, "v3.1").sections() if record["teacher"])
    rows = [row for row in sink.rows["enrollments"] if row["class_source_id"] == section["id"]]
    leads = [row["user_source_id"] for row in rows if row["is_primary"] == "true"]
    assert leads == [section["teacher"]]
    assert [row["user_source_id"] for row in rows if row["role"] == "student"] == section["students"]


def test_students_that_the_token_cannot_read_cost_nothing(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate(hidden_students=7)
    check_whole(source(simulator).fetch(sink), sink, entry(simulator))
    named = {row["user_source_id"] for row in sink.rows["enrollments"]}
    assert named - set(sink.ids("users"))


def test_sensitive_fields_are_not_kept(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate(sensitive=True)
    source(simulator).fetch(sink)
    assert set(sink.rows["users"][0]) == set(COLLECTIONS["users"])
    born = {
        record["roles"]["student"]["dob"]
        for record in entry(simulator).view(1, "v3.1").users()
        if "student" in record["roles"]
    }
    assert not any(value in born for row in sink.rows["users"] for value in row.values())
    words = {"Free", "Reduced", "Paid", "Caucasian", "Asian", "Haitian Creole", "Example City"}
    assert not any(value in words for row in sink.rows["users"] for value in row.values())


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(1, 10_000), schools=st.integers(1, 4), students=st.integers(20, 90),
    hidden=st.sampled_from([None, 3]), shared=st.booleans(), page_size=st.sampled_from([7, 50, 10_000]),
)  # fmt: skip
def test_a_read_by_schools_gives_the_same_rows_as_one_by_district(
    seed: int, schools: int, students: int, hidden: int | None, shared: bool, page_size: int
) -> None:
    made_up = MadeUpDistrict(seed=seed, students=students, schools=schools)
    shares = [0] if shared else None
    with serve_clever(made_up, rate_limit=None, hidden_students=hidden, shared_schools=shares) as simulator:
        found = []
        for read_by in ("district", "schools"):
            sink = MemorySink()
            report = source(simulator, read_by=read_by, page_size=page_size).fetch(sink)
            check_whole(report, sink, entry(simulator))
            assert report.collections["users"].received == report.collections["users"].expected
            found.append({name: sorted(map(str, rows)) for name, rows in sink.rows.items()})
        assert found[0] == found[1]


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_the_token_is_found_by_the_applications_own_credentials(
    simulate: Callable[..., Simulator], sink: MemorySink
) -> None:
    simulator = simulate()
    check_whole(by_application(simulator).fetch(sink), sink, entry(simulator))
    assert simulator.paths().count("/oauth/tokens") == 1


def test_a_token_that_is_rotated_in_the_middle_is_picked_up(
    simulate: Callable[..., Simulator], sink: MemorySink
) -> None:
    simulator = simulate()
    simulator.fault("expired_token", "*/sections", nth=2)
    check_whole(by_application(simulator).fetch(sink), sink, entry(simulator))
    assert simulator.paths().count("/oauth/tokens") >= 2


def test_of_two_tokens_the_newer_one_is_taken(stub: Stub, sink: MemorySink) -> None:
    listed = [("old", "2024-01-01"), ("new", "2025-01-01"), ("older", "2023-01-01"), ("another's", "2026-01-01")]
    tokens = [
        {"owner": {"id": "d2" if token == "another's" else "d1"}, "access_token": token, "created": created}
        for token, created in listed
    ]  # fmt: skip
    stub.handle = lambda asked: answer({"data": tokens} if asked.path == "/oauth/tokens" else page({"id": "d1"}))
    opened(Access(stub.base, "client", "secret", {"district_id": "d1"})).probe()
    sent = [asked.headers["authorization"] for asked in stub.asked if asked.path != "/oauth/tokens"]
    assert set(sent) == {"Bearer new"}


@pytest.mark.parametrize("host", ["", "api.clever.com", "https://api.clever.com/"])
def test_tokens_of_clever_itself_are_asked_for_at_clever_com_whether_its_host_is_written_or_not(host: str) -> None:
    api = opened(Access(host, "client", "secret", {"district_id": "d1"}))._api
    assert api._tokens is not None
    assert (api._tokens.address.base, api.host) == ("https://clever.com", "api.clever.com")


def test_a_static_token_that_is_refused_fails_at_once(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate()
    simulator.fault("expired_token", "*/sections", nth=2)
    with pytest.raises(AuthError):
        source(simulator).fetch(sink)


def test_one_connection_serves_every_district_of_the_application() -> None:
    first, second = MadeUpDistrict(seed=1, students=30, schools=1), MadeUpDistrict(seed=2, students=30, schools=1)
    with serve_clever(first, second, rate_limit=None) as simulator:
        access = Access(simulator.url, "demo-client", "demo-secret")
        for made_up in (first, second):
            key = made_up.office.clever_id
            settings, sink = SourceSettings("clever", "conn", district_id=key), MemorySink()
            report = open_source(settings, access, "x", budget=None).fetch(sink)
            assert report.issuer == f"clever:{key}"
            assert sink.ids("orgs")[1:] == [school.clever_id for school in made_up.day(1).schools()]
            assert by_application(simulator, district_id=key).fetch(MemorySink()).issuer == f"clever:{key}"
        with pytest.raises(AuthError, match="no token of this district"):
            by_application(simulator, district_id="f" * 24).fetch(MemorySink())
        with pytest.raises(ConfigError, match="registry"):
            open_source(SourceSettings("clever", "conn"), access, "x")


def test_a_token_of_another_district_is_refused(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    access = Access(simulator.url, password=entry(simulator).token, extra={"district_id": "f" * 24})
    with pytest.raises(AuthError, match="token of this district"):
        opened(access).fetch(MemorySink())


def test_a_token_of_several_districts_is_no_districts_own(stub: Stub) -> None:
    stub.handle = lambda asked: answer(page({"id": "d1", "state": "success"}, {"id": "d2", "state": "success"}))
    with pytest.raises(AuthError, match="more than one district"):
        opened(Access(stub.base, password="token")).fetch(MemorySink())
    told = opened(Access(stub.base, password="token", extra={"district_id": "d2"}))._api.district()
    assert told.id == "d2"


def test_whoever_uses_the_same_token_shares_its_budget() -> None:
    def budget(login: str, password: str, district_id: str) -> object:
        settings = SourceSettings("clever", "conn", district_id=district_id)
        return CleverApi(Access("", login, password), settings).session._budget

    assert budget("", "one", "") is budget("", "one", "") is not None
    assert budget("", "one", "") is not budget("", "two", "")
    assert budget("client", "secret", "d1") is budget("client", "secret", "d1")
    assert budget("client", "secret", "d1") is not budget("client", "secret", "d2"), "each district has its own token"


def test_wrong_settings_are_refused_before_anything_is_asked() -> None:
    with pytest.raises(ConfigError, match="district_id"):
        opened(Access("", "client", "secret"))
    with pytest.raises(ConfigError, match="version"):
        opened(Access("", password="token"), version="v2.1")
    with pytest.raises(ConfigError, match="token"):
        opened(Access(""))
    assert opened(Access("", password="token"))._api.host == "api.clever.com"


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_full_minute_is_waited_out_until_the_reset(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator, time = simulate(rate_limit=12), Time(now=now())
    cast("CleverSite", simulator.site()).rate.clock = time
    check_whole(source(simulator, time=time).fetch(sink), sink, entry(simulator))
    assert any(request.status == 429 for request in simulator.requests)
    assert 58 < max(time.slept) <= 62


@pytest.mark.parametrize("read_by", ["district", "schools"])
def test_lists_that_are_read_concurrently_share_one_budget_and_never_meet_its_end(
    simulate: Callable[..., Simulator], sink: MemorySink, read_by: str
) -> None:
    simulator, time = simulate(rate_limit=120), Time(now=now())
    cast("CleverSite", simulator.site()).rate.clock = time
    budget = Budget(120, clock=time, sleep=time.sleep)
    report = source(simulator, time=time, budget=budget, page_size=2, read_by=read_by).fetch(sink)
    check_whole(report, sink, entry(simulator))
    assert report.requests > 200, "more than fit into one minute"
    assert {request.status for request in simulator.requests} == {200}
    assert sum(time.slept) > 60


def test_a_page_that_is_too_large_is_halved(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate(max_limit=30)
    check_whole(source(simulator, page_size=100).fetch(sink), sink, entry(simulator))
    assert sum(request.status == 413 for request in simulator.requests) <= 20


def test_a_next_page_on_another_host_is_refused(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate()
    simulator.fault("foreign_link", "*/sections")
    with pytest.raises(FeedBroken):
        source(simulator, page_size=20).fetch(sink)


# -- what proves absence -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "skipped", "match": "role=student&starting_after"},
        {"kind": "duplicate", "match": "role=student&starting_after"},
        {"kind": "same_page", "match": "role=student&starting_after"},
        {"kind": "empty", "match": "role=student&starting_after"},
        {"kind": "wrong_total", "path": "*/sections", "match": "count=true"},
    ],
    ids=lambda fault: fault["kind"],
)
def test_a_read_that_proves_nothing_is_voided_and_read_again_three_times(
    simulate: Callable[..., Simulator], fault: dict[str, Any]
) -> None:
    simulator, sink = simulate(), MemorySink()
    simulator.fault(**fault, times=1)
    check_whole(source(simulator, page_size=50).fetch(sink), sink, entry(simulator))
    assert sink.discards == 1
    simulator.clear_faults()
    simulator.fault(**fault)
    sink = MemorySink()
    report = source(simulator, page_size=50).fetch(sink)
    assert sink.discards == 3
    broken = {name for name, found in report.collections.items() if not found.is_complete}
    assert broken == ({"classes", "enrollments"} if fault["kind"] == "wrong_total" else {"users"})


@pytest.mark.parametrize("read_by", ["district", "schools"])
def test_pages_prove_nothing_by_themselves_where_one_repeats_a_record(
    simulate: Callable[..., Simulator], read_by: str
) -> None:
    simulator, sink = simulate(counts=False), MemorySink()
    simulator.fault("duplicate", "*/users", match="role=student&starting_after")
    report = source(simulator, page_size=30, read_by=read_by).fetch(sink)
    assert sink.discards == 3
    assert {name for name, found in report.collections.items() if not found.is_complete} == {"users"}
    assert "two pages" in report.collections["users"].reason
    assert len(sink.ids("users")) == len(set(sink.ids("users")))


def test_a_last_sync_that_moves_voids_the_read(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator = simulate()
    simulator.fault("moved", "*/courses", nth=1)
    report = source(simulator).fetch(sink)
    assert sink.discards == 1
    assert entry(simulator).day == 2
    check_whole(report, sink, entry(simulator))


def test_a_last_sync_that_keeps_moving_is_reported_as_adds_only(
    simulate: Callable[..., Simulator], sink: MemorySink
) -> None:
    simulator = simulate()
    simulator.fault("revision", "*/courses")
    report = source(simulator).fetch(sink)
    assert sink.discards == 3
    assert report.revision is None
    assert "three times" in report.adds_only


# -- the district's own state ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["pending", "error"])
def test_a_district_that_is_not_ready_is_skipped_with_a_reason(
    simulate: Callable[..., Simulator], sink: MemorySink, state: str
) -> None:
    simulator = simulate(state=state, error="line 7: Secretname")
    with pytest.raises(SourceNotReady) as caught:
        source(simulator).fetch(sink)
    assert "district" in str(caught.value)
    assert "Secretname" not in str(caught.value)
    assert sink.rows == {}


def test_a_running_sync_is_waited_for_up_to_thirty_minutes(
    simulate: Callable[..., Simulator], sink: MemorySink
) -> None:
    simulator, time = simulate(state="running"), Time(now=now())

    def end_it(seconds: float) -> None:
        time.slept.append(seconds)
        time.now += seconds
        if sum(time.slept) >= 600:
            entry(simulator).state = "success"

    check_whole(source(simulator, time=time, sleep=end_it).fetch(sink), sink, entry(simulator))
    entry(simulator).state = "running"
    time = Time(now=now())
    with pytest.raises(SourceNotReady, match="30 minutes"):
        source(simulator, time=time).fetch(MemorySink())
    assert time.slept.count(30) == 60


def test_what_the_reading_itself_takes_is_no_waiting(simulate: Callable[..., Simulator], sink: MemorySink) -> None:
    simulator, time = simulate(), Time(now=now())
    simulator.fault("status", "*/courses", status=503, retry_after="600", times=3)

    def pass_time(seconds: float) -> None:
        time.sleep(seconds)
        if seconds in (30, 600):
            entry(simulator).state = "running" if seconds == 600 else "success"

    check_whole(source(simulator, time=time, sleep=pass_time).fetch(sink), sink, entry(simulator))
    assert (time.slept.count(600), time.slept.count(30), sink.discards) == (3, 1, 1)


def test_a_sync_of_clevers_own_is_waited_for_also_within_a_pause(
    simulate: Callable[..., Simulator], sink: MemorySink
) -> None:
    simulator, time = simulate(state="running", pause_start="2020-06-01"), Time(now=now())

    def end_it(seconds: float) -> None:
        time.sleep(seconds)
        entry(simulator).state = "success"

    report = source(simulator, time=time, sleep=end_it).fetch(sink)
    assert time.slept[0] == 30
    assert "paused" in report.adds_only


@pytest.mark.parametrize(
    "paused",
    [{"state": "paused"}, {"pause_start": "2020-06-01"}, {"pause_start": "2020-06-01", "pause_end": "2999-08-01"}],
)
def test_a_paused_district_is_read_but_adds_only(
    simulate: Callable[..., Simulator], sink: MemorySink, paused: dict[str, str]
) -> None:
    report = source(simulate(**paused)).fetch(sink)
    assert "paused" in report.adds_only
    assert sink.ids("users")


def test_a_pause_that_is_over_or_to_come_does_not_count(simulate: Callable[..., Simulator]) -> None:
    for start, end in (("2020-06-01", "2020-08-01"), ("2999-06-01", "2999-08-01")):
        assert source(simulate(pause_start=start, pause_end=end)).fetch(MemorySink()).adds_only == ""


# -- single records ----------------------------------------------------------------------------------------------------


def test_a_district_that_is_disconnected_confirms_no_absence(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    entry(simulator).is_connected = False
    with pytest.raises(AuthError):
        source(simulator).is_live("orgs", "0" * 24)


def test_another_record_than_the_one_asked_for_proves_nothing(stub: Stub) -> None:
    stub.handle = lambda asked: answer({"data": {"id": "u2"}})
    read = opened(Access(stub.base, password="token"))
    assert (read.is_live("users", "u2"), read.is_live("users", "u1")) == (True, None)


# -- test connection ---------------------------------------------------------------------------------------------------


def test_the_probe_goes_step_by_step(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    report = by_application(simulator).probe()
    assert [step.name for step in report.steps] == ["Application credentials", "Token", "District", "Schools"]
    assert report.is_ok
    assert report.issuer == f"clever:{entry(simulator).id}"
    assert len(report.schools) == 3
    assert report.data_as_of == entry(simulator).reported_last_sync()
    assert [step.name for step in source(simulator).probe().steps] == ["Token", "District", "Schools"]


def test_the_probe_names_the_step_that_fails_and_how_to_fix_it(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    extra = {"district_id": entry(simulator).id}
    step = opened(Access(simulator.url, "demo-client", "wrong", extra)).probe().steps[-1]
    assert (step.name, step.is_ok) == ("Application credentials", False)
    assert "client id" in step.message
    step = opened(Access(simulator.url, password="wrong")).probe().steps[-1]
    assert (step.name, step.is_ok) == ("Token", False)
    assert "wrong" not in step.message
    entry(simulator).state = "pending"
    report = source(simulator).probe()
    assert (report.state, report.is_ok) == ("pending", False)
    assert "not finished" in report.reason
    entry(simulator).state, entry(simulator).shared_schools = "paused", []
    report = source(simulator).probe()
    assert report.state == "paused"
    assert report.steps[-1].message.startswith("No school is shared")


def broken(simulator: Simulator, **settings: Any) -> ProbeStep:
    """The step at which a probe ends, once the simulator is set up like this."""
    simulator.configure(**settings)
    report = source(simulator).probe()
    assert not report.is_ok
    assert [step.is_ok for step in report.steps] == [True] * (len(report.steps) - 1) + [False]
    return report.steps[-1]


def test_each_failure_of_the_probe_names_its_likely_cause_and_fix(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    step = by_application(simulator, district_id="f" * 24).probe().steps[-1]
    assert (step.name, step.is_ok) == ("Application credentials", False)
    assert "check the district_id" in step.message
    other = Access(simulator.url, password=entry(simulator).token, extra={"district_id": "f" * 24})
    step = opened(other).probe().steps[-1]
    assert (step.name, "token of this district" in step.message) == ("Token", True)
    step = opened(Access(simulator.url, password="il-token-of-a-person")).probe().steps[-1]
    assert (step.name, "401" in step.message) == ("Token", True)
    step = opened(Access("http://127.0.0.1:9", password="token")).probe().steps[-1]
    assert (step.name, "check the address" in step.message) == ("Token", True)
    step = broken(simulator, secure_sync=False)
    assert (step.name, "Without Secure Sync" in step.message) == ("Schools", True)
    simulator.configure(secure_sync=True)
    simulator.fault("html", "*/districts", times=1)
    assert "web page" in source(simulator).probe().steps[-1].message
    simulator.fault("no_envelope", "*/schools", times=1)
    assert "'data'" in source(simulator).probe().steps[-1].message
    report = source(simulate(state="error", error="row 7: Secretname")).probe()
    (step,) = [step for step in report.steps if not step.is_ok]
    assert (step.name, "Clever dashboard" in step.message, "Secretname" in step.message) == ("District", True, False)


def test_the_probe_reports_state_and_age_of_the_data(simulate: Callable[..., Simulator]) -> None:
    synced = datetime.fromtimestamp(now() - 5 * 3600, timezone.utc).isoformat()
    simulator = simulate(last_sync=synced, pause_start="2020-06-01", pause_end="2999-08-01")
    report = source(simulator).probe()
    assert (report.is_ok, report.state, report.data_as_of) == (True, "paused", synced)
    told = report.steps[1].message
    assert told == (
        "The district's sync is paused at Clever until 2999-08-01: its data there is frozen. "
        "Clever synced the district 5 hours ago."
    )
    assert report.steps[-1].message == "3 schools are shared."
    simulator.configure(pause_start=None, state="running", last_sync="")
    report = source(simulator).probe()
    assert (report.is_ok, report.state) == (True, "running")
    assert report.steps[1].message.endswith("Clever does not say when it last synced the district.")


# -- odd shapes --------------------------------------------------------------------------------------------------------


def page(*records: object, link: str = "", **rest: object) -> object:
    links = [{"rel": "next", "uri": link}] if link else []
    return {"links": links, "data": [{"data": record} for record in records], **rest}


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(lambda asked: answer({})) as started:
        yield started


def test_odd_records_neither_break_the_read_nor_get_an_id(stub: Stub, sink: MemorySink) -> None:
    people = [{"id": "u1", "roles": {"student": {"schools": [None, "s1", 3], "grade": 7}}, "name": None}, None, "x", {}]
    bodies = {
        "districts": page({"id": "d1", "name": "Made-up", "state": "success"}),
        "schools": page({"id": "s1"}), "users": page(*people),
        "sections": page({"id": "k1", "students": ["u1", "u1", None], "teachers": None, "teacher": "t1"}, {}),
    }  # fmt: skip
    stub.handle = lambda asked: answer(
        bodies.get(asked.path.split("/")[-1], page())
        if asked.query.get("role", "student") == "student" and "count" not in asked.query
        else page()
    )
    opened(Access(stub.base, password="token")).fetch(sink)
    assert sink.ids("users") == ["u1", None, None, None]
    assert sink.rows["users"][0]["org_source_ids"] == "s1,3"
    assert [row["source_id"] for row in sink.rows["enrollments"]] == ["k1:t1:teacher", "k1:u1:student"]


@pytest.mark.parametrize(("totals", "is_whole"), [((4, 4, 4, 4), True), ((4, 1, 1, 1), False), ((2, 1, 1, 1), True)])
def test_a_total_that_is_the_same_for_every_role_is_the_total_of_none(
    stub: Stub, sink: MemorySink, totals: tuple[int, ...], is_whole: bool
) -> None:
    people = {role: [f"{role}1"] for role in ROLES} | {"student": ["student1", "student2"]}

    def handle(asked: Asked) -> object:
        name, role = asked.path.split("/")[-1], asked.query.get("role", "")
        ids = {"districts": ["d1"], "schools": ["s1"], "users": people.get(role, [])}.get(name, [])
        total: dict[str, Any] = {"count": totals[ROLES.index(role)]} if role and "count" in asked.query else {}
        return page(*({"id": one, "roles": {role: {}}} for one in ids), **total)

    stub.handle = lambda asked: answer(handle(asked))
    report = opened(Access(stub.base, password="token")).fetch(sink)
    assert len(sink.ids("users")) == 5
    assert report.collections["users"].is_complete is is_whole


def walked(stub: Stub, *pages: object) -> tuple[list[Any], ListRead]:
    """What a list_read over these pages gives, and what it proves; after the last one they begin again."""
    stub.handle = lambda asked: answer(pages[(len(stub.asked) - 1) % len(pages)])
    list_read = ListRead()
    found = opened(Access(stub.base, password="token"))._api.records("/terms", list_read)
    return [record["id"] for record in found], list_read


def test_pages_that_lead_in_a_circle_end_and_prove_nothing(stub: Stub) -> None:
    links = [f"/v3.1/terms?starting_after={name}" for name in "abc"]
    found, list_read = walked(stub, *(page({"id": name}, link=link) for name, link in zip("abc", links, strict=True)))
    assert found == ["a", "b", "c", "a"]
    assert "circle" in list_read.problem


def test_an_empty_page_proves_nothing_where_the_one_before_announced_it(stub: Stub) -> None:
    found, list_read = walked(stub, page({"id": "a"}, link="/v3.1/terms?starting_after=a"), page())
    assert (found, "empty" in list_read.problem) == (["a"], True)
    assert walked(stub, page())[1].problem == "", "a list may be empty"


@pytest.mark.parametrize(
    "counted", [{"count": 2}, {"paging": {"count": 2}}, {"paging": {"total": 2}}, {}, {"count": 1}]
)
def test_a_total_is_found_in_every_form_and_the_count_of_a_page_is_not_one(stub: Stub, counted: dict[str, Any]) -> None:
    link = "/v3.1/users?starting_after=a" if counted == {"count": 1} else ""
    stub.handle = lambda asked: answer(page({"id": "a"}, link=link, **counted))
    found = opened(Access(stub.base, password="token"))._api.count("/users", role="student")
    assert found == (2 if counted and not link else None)
    assert stub.asked[0].query == {"count": "true", "limit": "1", "role": "student"}
