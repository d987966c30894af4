"""The simulated Clever: tokens, pages, relations, states, events, and the same district as OneRoster shows it."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from include.simulator.clever_json import GRADES
from include.simulator.district import Churn, MadeUpDistrict
from include.simulator.serving import DEMO, serve, serve_clever, sites_from_file
from include.simulator.web import Simulator

DISTRICT = MadeUpDistrict(7, 240, 3)
OTHER = MadeUpDistrict(8, 60, 1)
TOKEN = "district-token-7"
ROLES = ("student", "teacher", "staff", "district_admin", "contact")


@pytest.fixture(scope="module")
def still():
    """For tests that change nothing."""
    with serve_clever(DISTRICT, OTHER, rate_limit=None) as running:
        yield running


@pytest.fixture
def sim():
    with serve_clever(DISTRICT) as running:
        yield running


def get(sim: Simulator, path: str, token: str = TOKEN, **parameters: Any) -> requests.Response:
    path = path if path.startswith("/") else f"/v3.1/{path}"
    return requests.get(
        sim.url + path, params=parameters, headers={"Authorization": f"Bearer {token}"}, timeout=10
    )  # fmt: skip


def walk(sim: Simulator, path: str, token: str = TOKEN, **parameters: Any) -> list[dict[str, Any]]:
    """Follows rel=next from the first page on."""
    reply = get(sim, path, token, **parameters)
    rows: list[dict[str, Any]] = []
    while True:
        assert reply.status_code == 200, reply.text
        page = reply.json()
        rows += [item["data"] for item in page["data"]]
        following = [link["uri"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            return rows
        assert following[0].startswith("/v3.")
        reply = get(sim, following[0], token)


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


# -- tokens -------------------------------------------------------------------------------------------------------


def tokens(sim: Simulator, secret: str = "demo-secret", **parameters: str) -> requests.Response:
    return requests.get(f"{sim.url}/oauth/tokens", params=parameters, auth=("demo-client", secret), timeout=10)


def test_the_application_lists_the_tokens_of_its_districts(still):
    listed = tokens(still, owner_type="district").json()
    assert {entry["access_token"] for entry in listed["data"]} == {TOKEN, "district-token-8"}
    assert {entry["owner"]["type"] for entry in listed["data"]} == {"district"}
    assert listed["links"][0]["rel"] == "self"
    one = tokens(still, district=DISTRICT.office.clever_id).json()["data"]
    assert [entry["access_token"] for entry in one] == [TOKEN]
    assert tokens(still, district="0" * 24).json()["data"] == []
    assert tokens(still, secret="wrong").status_code == 401


def test_a_token_opens_its_own_district_only(still):
    for district in (DISTRICT, OTHER):
        rows = walk(still, "districts", f"district-token-{district.seed}")
        assert ids(rows) == [district.office.clever_id]
    assert get(still, "districts/" + OTHER.office.clever_id).status_code == 404
    assert get(still, "/oauth/tokeninfo").json()["client_id"] == "demo-client"
    assert get(still, "/oauth/tokeninfo", "unknown").status_code == 401
    assert get(still, "schools", "unknown").status_code == 401


def test_a_persons_own_token_reads_what_is_theirs_and_is_answered_with_html_elsewhere(still):
    teacher, other = walk(still, "users", role="teacher", limit=10_000)[:2]
    token, school = f"il{teacher['id']}", teacher["roles"]["teacher"]["school"]
    me = get(still, "/v3.0/me", token).json()
    assert (me["type"], me["data"]["id"], me["data"]["district"]) == ("user", teacher["id"], teacher["district"])
    links = {link["rel"]: link["uri"] for link in me["links"]}
    assert links == {"self": "/me", "canonical": f"/v3.0/users/{teacher['id']}",
                     "district": f"/v3.0/districts/{teacher['district']}"}  # fmt: skip
    assert get(still, links["self"], token).json()["data"] == me["data"]
    for opened in (token, TOKEN):
        assert get(still, links["canonical"], opened).json()["data"]["id"] == teacher["id"]
        assert get(still, links["district"], opened).json()["data"]["id"] == teacher["district"]
    assert get(still, f"schools/{school}", token).json()["data"]["id"] == school
    mine, theirs = f"users/{teacher['id']}", f"users/{other['id']}"
    refused = [theirs, f"{mine}/sections", f"schools/{school}/users", "users", "sections", "districts", "events",
               "me?limit=5", "/v2.1/me", "/oauth/tokeninfo"]  # fmt: skip
    for reply in [*(get(still, path, token) for path in refused), get(still, "me", "ilxyz")]:
        assert (reply.status_code, reply.headers["Content-Type"].partition(";")[0]) == (401, "text/html"), reply.url
    assert get(still, "me").status_code == 404, "a district's token is nobody's own"


def test_a_rotated_token_is_found_in_the_list_and_the_old_one_refused(sim):
    sim.fault("expired_token", nth=2)
    assert [get(sim, "schools").status_code for _ in range(3)] == [200, 401, 401]
    (entry,) = tokens(sim, district=DISTRICT.office.clever_id).json()["data"]
    assert entry["access_token"] != TOKEN
    assert get(sim, "schools", entry["access_token"]).status_code == 200


def test_a_district_that_ends_the_connection_is_refused_and_no_longer_listed(sim):
    sim.configure(is_connected=False)
    assert get(sim, "schools").status_code == 401
    assert tokens(sim, owner_type="district").json()["data"] == []


# -- pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v3.0", "v3.1"])
def test_ids_ascend_and_pages_of_any_size_make_the_same_collection(version, still):
    for name in ("schools", "users", "sections", "courses", "terms"):
        whole = walk(still, f"/{version}/{name}", limit=10_000, count="true")
        assert ids(whole) == sorted(set(ids(whole)))
        assert walk(still, f"/{version}/{name}", limit=37) == whole
        assert get(still, f"/{version}/{name}", limit=1, count="true").json()["count"] == len(whole)
        assert get(still, f"/{version}/{name}/{whole[-1]['id']}").json()["data"] == whole[-1]


def test_ids_still_ascend_after_people_and_ids_have_come_and_gone():
    with serve_clever(DISTRICT, day=12, rate_limit=None) as sim:
        for name in ("users", "sections", "schools", "terms"):
            whole = walk(sim, name, limit=10_000)
            assert ids(whole) == sorted(set(ids(whole)))
            assert walk(sim, name, limit=53) == whole


def test_a_page_has_100_records_unless_asked_for_more(still):
    page = get(still, "users").json()
    assert len(page["data"]) == 100
    assert [link["rel"] for link in page["links"]] == ["self", "next"]
    assert "count" not in page


def test_ending_before_walks_back(still):
    whole = walk(still, "users", limit=10_000)
    page = get(still, "users", limit=30, ending_before=whole[100]["id"]).json()
    assert [item["data"] for item in page["data"]] == whole[70:100]
    uri = {link["rel"]: link["uri"] for link in page["links"]}
    assert [item["data"] for item in get(still, uri["prev"]).json()["data"]] == whole[40:70]
    assert [item["data"] for item in get(still, uri["next"]).json()["data"]] == whole[100:130]
    newest = get(still, "users", limit=1, ending_before="last").json()["data"]
    assert newest[0]["data"] == whole[-1]


def test_a_page_past_the_end_is_empty_and_has_no_next(still):
    last = walk(still, "schools")[-1]["id"]
    page = get(still, "schools", starting_after=last).json()
    assert page["data"] == []
    assert {link["rel"] for link in page["links"]} <= {"self", "prev"}


@pytest.mark.parametrize(
    ("parameters", "status"),
    [({"limit": 10_001}, 413), ({"limit": 0}, 400), ({"limit": "all"}, 400), ({"role": "principal"}, 400)],
)
def test_what_clever_refuses_is_refused(still, parameters, status):
    assert get(still, "users", **parameters).status_code == status


def test_unknown_addresses_are_404(still):
    for path in ("students", "users/" + "0" * 24, "users/nobody", "schools/" + "0" * 24 + "/users", "/v2.1/users"):
        assert get(still, path).status_code == 404


# -- users, roles, relations --------------------------------------------------------------------------------------


def test_a_person_of_several_roles_comes_once_under_each(still):
    everyone = walk(still, "users", limit=10_000)
    by_role = {role: walk(still, "users", role=role, limit=10_000, count="true") for role in ROLES}
    for role, rows in by_role.items():
        assert rows == [row for row in everyone if role in row["roles"]]
        assert get(still, "users", role=role, count="true").json()["count"] == len(rows)
    twice = [row for row in everyone if len(row["roles"]) > 1]
    assert {frozenset(row["roles"]) for row in twice} == {frozenset({"teacher", "district_admin"})}
    for row in twice:
        assert row in by_role["teacher"]
        assert row in by_role["district_admin"]


def test_a_schools_users_are_all_who_belong_to_it(still):
    everyone = walk(still, "users", limit=10_000)
    for school in walk(still, "schools"):
        for role in ("student", "teacher", "staff"):
            listed = [row for row in everyone if school["id"] in row["roles"].get(role, {}).get("schools", [])]
            assert walk(still, f"schools/{school['id']}/users", role=role, limit=50) == listed
            mine = [row for row in listed if row["roles"][role]["schools"][0] == school["id"]]
            assert walk(still, f"schools/{school['id']}/users", role=role, primary="true") == mine
        together = walk(still, f"schools/{school['id']}/users", limit=10_000)
        assert not any("contact" in row["roles"] for row in together)
    assert get(still, f"schools/{school['id']}/users", role="contact").status_code == 400


def test_reading_by_school_gives_what_reading_at_once_gives(still):
    sections = {row["id"]: row for row in walk(still, "sections", limit=10_000)}
    found: dict[str, Any] = {}
    for school in walk(still, "schools"):
        rows = walk(still, f"schools/{school['id']}/sections", limit=20)
        assert {row["school"] for row in rows} == {school["id"]}
        found |= {row["id"]: row for row in rows}
    assert found == sections


def test_every_relation_of_the_definition_answers(still):
    section = walk(still, "sections", limit=10_000)[3]
    student, teacher = section["students"][0], section["teacher"]
    base = f"sections/{section['id']}"
    assert get(still, f"{base}/school").json()["data"]["id"] == section["school"]
    assert get(still, f"{base}/course").json()["data"]["id"] == section["course"]
    assert get(still, f"{base}/term").json()["data"]["id"] == section["term_id"]
    assert get(still, f"{base}/district").json()["data"]["id"] == section["district"]
    assert ids(walk(still, f"{base}/users", role="student")) == sorted(section["students"])
    assert ids(walk(still, f"{base}/users", role="teacher")) == sorted(section["teachers"])
    assert len(walk(still, f"{base}/users")) == len(section["students"]) + len(section["teachers"])
    assert section["id"] in ids(walk(still, f"users/{student}/sections"))
    assert teacher in ids(walk(still, f"users/{student}/myteachers"))
    assert student in ids(walk(still, f"users/{teacher}/mystudents", limit=500))
    assert section["school"] in ids(walk(still, f"users/{student}/schools"))
    assert ids(walk(still, f"users/{student}/schools", primary="true")) == [section["school"]]
    assert section["id"] in ids(walk(still, f"courses/{section['course']}/sections"))
    assert section["school"] in ids(walk(still, f"courses/{section['course']}/schools"))
    assert section["id"] in ids(walk(still, f"terms/{section['term_id']}/sections"))
    assert section["school"] in ids(walk(still, f"terms/{section['term_id']}/schools"))
    assert section["course"] in ids(walk(still, f"schools/{section['school']}/courses"))
    assert section["term_id"] in ids(walk(still, f"schools/{section['school']}/terms"))
    contact = walk(still, "users", role="contact")[0]
    child = contact["roles"]["contact"]["student_relationships"][0]["student"]
    assert contact["id"] in ids(walk(still, f"users/{child}/mycontacts"))
    assert child in ids(walk(still, f"users/{contact['id']}/mystudents"))
    assert walk(still, "resources") == walk(still, f"users/{student}/resources") == []


def test_a_record_links_to_itself_and_to_all_that_belongs_to_it(still):
    for name in ("schools", "users", "sections", "courses", "terms"):
        path = f"/v3.1/{name}/{walk(still, name)[-1]['id']}"
        links = {link["rel"]: link["uri"] for link in get(still, path).json()["links"]}
        assert links.pop("self") == path
        assert len(links) >= 3
        for rel, uri in links.items():
            reply = get(still, uri)
            assert (uri, reply.status_code, "data" in reply.json()) == (f"{path}/{rel}", 200, True)


def test_only_reading_is_implemented(still):
    reply = requests.post(f"{still.url}/v3.1/users", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert (reply.status_code, set(reply.json())) == (501, {"message"})


def test_sections_name_people_who_exist_and_a_lead_among_their_teachers(still):
    known = set(ids(walk(still, "users", limit=10_000)))
    for section in walk(still, "sections", limit=10_000):
        assert section["students"]
        assert set(section["students"]) | set(section["teachers"]) <= known
        assert section["teacher"] in section["teachers"]


RECORD = "id district"
DATED = f"{RECORD} created last_modified"
SHAPES: dict[str, str] = {
    "schools": f"{DATED} name sis_id school_number state_id nces_id mdr_number low_grade high_grade phone principal "
    "location ext",
    "users": f"{DATED} email name roles lms_status",
    "sections": f"{DATED} school name sis_id section_number course term_id teacher teachers students subject grade "
    "period ext lms_status",
    "courses": f"{RECORD} name number",
    "terms": f"{RECORD} name start_date end_date",
    "districts": "id name sis_type state pause_start pause_end last_sync launch_date error mdr_number nces_id "
    "portal_url login_methods district_contact lms_type lms_state last_attendance_sync",
}
ROLE_SHAPES: dict[str, str] = {
    "student": "school schools sis_id student_number state_id grade dob gender graduation_year enrollments credentials "
    "ext legacy_id created last_modified race hispanic_ethnicity ell_status iep_status home_language location "
    "frl_status gifted_status",
    "teacher": "school schools sis_id teacher_number state_id title ext credentials legacy_id",
    "staff": "staff_id schools roles department title credentials ext legacy_id",
    "district_admin": "title legacy_id",
    "contact": "sis_id phone phone_type student_relationships legacy_id",
}
NEW_IN_3_1 = {
    "lms_status", "lms_type", "lms_state", "last_attendance_sync", "frl_status", "gifted_status", "iep_status",
    "home_language",
}  # fmt: skip


@pytest.mark.parametrize("version", ["v3.0", "v3.1"])
def test_records_have_the_fields_of_the_definition_and_no_other(sim, version):
    sim.configure(sensitive=True)
    sim.configure(rate_limit=None)

    def fields(text: str) -> set[str]:
        return set(text.split()) - (NEW_IN_3_1 if version == "v3.0" else set())

    for name, text in SHAPES.items():
        rows = walk(sim, f"/{version}/{name}", limit=10_000)
        assert rows
        assert {frozenset(row) for row in rows} == {frozenset(fields(text))}, name
        for row in rows if name == "users" else []:
            for role, detail in row["roles"].items():
                assert set(detail) == fields(ROLE_SHAPES[role]), role


def test_sensitive_attributes_come_only_if_they_are_switched_on(sim):
    sim.configure(sensitive=False)
    (student,) = get(sim, "users", role="student", limit=1).json()["data"]
    assert not {"race", "ell_status", "frl_status", "location"} & set(student["data"]["roles"]["student"])


def test_without_secure_sync_a_token_reads_only_its_district(sim):
    sim.configure(secure_sync=False)
    assert len(walk(sim, "districts")) == 1
    assert get(sim, f"districts/{DISTRICT.office.clever_id}").status_code == 200
    for path in ("schools", "users", "sections", "events", "courses", "terms"):
        assert get(sim, path).status_code == 403


def test_totals_can_be_switched_off(sim):
    sim.configure(counts=False)
    for path in ("districts", "schools", "users", "sections"):
        assert "count" not in get(sim, path, count="true").json()


def test_words_are_clevers_own(still):
    grades, subjects = set(), set()
    for section in walk(still, "sections", limit=10_000):
        grades.add(section["grade"])
        subjects.add(section["subject"])
    assert {"Kindergarten", "7", "PreKindergarten"} <= grades <= set(GRADES.values())
    assert subjects <= {
        "english/language arts", "math", "science", "social studies", "homeroom/advisory", "arts and music",
    }  # fmt: skip
    student = walk(still, "users", role="student", limit=1)[0]
    assert set(student) == {"id", "district", "email", "name", "roles", "created", "last_modified", "lms_status"}
    assert student["roles"]["student"]["gender"] in ("M", "F")
    assert "lms_status" not in walk(still, "/v3.0/users", limit=1)[0]


# -- sharing, states, days ----------------------------------------------------------------------------------------


def test_students_who_cannot_be_read_are_still_named_by_their_sections(sim):
    everyone = set(ids(walk(sim, "users", limit=10_000)))
    before = {row["id"]: row["students"] for row in walk(sim, "sections", limit=10_000)}
    sim.configure(hidden_students=10)
    left = set(ids(walk(sim, "users", limit=10_000)))
    hidden = everyone - left
    assert len(hidden) == 24
    assert {row["id"]: row["students"] for row in walk(sim, "sections", limit=10_000)} == before
    assert hidden & {student for students in before.values() for student in students}
    assert get(sim, f"users/{hidden.pop()}").status_code == 404


def test_only_the_shared_schools_and_their_people_are_seen(sim):
    schools = walk(sim, "schools")
    sim.configure(shared_schools=[1])
    assert ids(walk(sim, "schools")) == [schools[1]["id"]]
    assert {row["school"] for row in walk(sim, "sections", limit=10_000)} == {schools[1]["id"]}
    for row in walk(sim, "users", role="student", limit=10_000):
        assert set(row["roles"]["student"]["schools"]) == {schools[1]["id"]}


def test_the_districts_state_is_reported_as_it_is_set(sim):
    (district,) = walk(sim, "districts")
    assert (district["state"], district["error"], district["pause_start"]) == ("success", "", None)
    sim.configure(state="paused", pause_start="2026-06-01T00:00:00.000Z", pause_end="2026-08-01T00:00:00.000Z")
    (district,) = walk(sim, "districts")
    assert (district["state"], district["pause_end"]) == ("paused", "2026-08-01T00:00:00.000Z")
    sim.configure(state="error", error="The SIS does not answer.")
    assert walk(sim, "districts")[0]["error"] == "The SIS does not answer."
    with pytest.raises(ValueError, match="state"):
        sim.configure(state="asleep")


def test_last_sync_moves_with_the_day_and_can_move_in_the_middle_of_a_read(sim):
    first = walk(sim, "districts")[0]["last_sync"]
    sim.fault("revision", "/v3.1/users", nth=1)
    get(sim, "users")
    second = walk(sim, "districts")[0]["last_sync"]
    sim.fault("moved", "/v3.1/sections", nth=1)
    get(sim, "sections")
    third = walk(sim, "districts")[0]["last_sync"]
    assert first < second < third
    assert sim.site().describe()["districts"][0]["day"] == 2


def test_what_changes_says_so_in_last_modified():
    district = MadeUpDistrict(5, 300, 3, churn=Churn(0.03))
    with serve_clever(district, rate_limit=None) as sim:
        for name in ("schools", "users", "sections"):
            sim.set_day(1)
            before = {row["id"]: row for row in walk(sim, name, "district-token-5", limit=10_000)}
            for number in range(2, 9):
                sim.set_day(number)
                after = {row["id"]: row for row in walk(sim, name, "district-token-5", limit=10_000)}
                stamp = district.timestamp(number)
                changed = {key for key, row in after.items() if before.get(key) != row}
                assert changed == {key for key, row in after.items() if row["last_modified"] == stamp}, (name, number)
                before = after


# -- limits and faults --------------------------------------------------------------------------------------------


def test_above_the_rate_the_reply_says_when_the_window_ends():
    with serve_clever(DISTRICT, rate_limit=3, rate_seconds=1.0) as sim:
        replies = [get(sim, "schools") for _ in range(4)]
        assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
        assert "X-RateLimit-Reset" not in replies[0].headers
        reset = int(replies[-1].headers["X-RateLimit-Reset"])
        assert 0 < reset - time.time() <= 2.1
        time.sleep(max(0, reset - time.time()) + 0.02)
        assert get(sim, "schools").status_code == 200


def test_a_clever_page_can_be_wrong_too(sim):
    honest = walk(sim, "users", limit=10_000)
    sim.fault("no_envelope", times=1)
    assert "data" not in get(sim, "users").json()
    sim.clear_faults()
    sim.fault("html", times=1)
    assert get(sim, "users").headers["Content-Type"].startswith("text/html")
    sim.clear_faults()
    sim.fault("foreign_link", times=1)
    uri = {link["rel"]: link["uri"] for link in get(sim, "users").json()["links"]}["next"]
    assert urlsplit(uri).netloc == "elsewhere.example.net"
    sim.clear_faults()
    sim.fault("wrong_total", times=1)
    assert get(sim, "users", count="true").json()["count"] == len(honest) + 7
    sim.clear_faults()
    sim.fault("same_page")
    page = get(sim, "users", limit=10, starting_after=honest[50]["id"]).json()["data"]
    assert [item["data"] for item in page] == honest[:10]
    sim.clear_faults()
    sim.fault("duplicate", match="starting_after")
    page = get(sim, "users", limit=10, starting_after=honest[49]["id"]).json()["data"]
    assert [item["data"] for item in page] == [honest[49], *honest[51:60]]
    sim.clear_faults()
    sim.fault("empty", match="starting_after", times=1)
    assert get(sim, "users", limit=10, starting_after=honest[49]["id"]).json()["data"] == []
    assert get(sim, "users", limit=1).status_code == 200
    sim.fault("status", "/v3.1/users", status=500, times=1)
    assert get(sim, "users").json() == {"message": "This error was asked for."}


# -- events -------------------------------------------------------------------------------------------------------


def replay(sim: Simulator, name: str, records: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    result = dict(records)
    for event in events:
        kind, _, action = event["type"].partition(".")
        record = event["data"]["object"]
        if kind != name:
            continue
        if action == "deleted":
            del result[record["id"]]
        else:
            assert (action == "updated") == (record["id"] in result)
            if action == "updated":
                assert {key: result[record["id"]].get(key) for key in event["previous_attributes"]} == (
                    event["previous_attributes"]
                )
            result[record["id"]] = record
    return result


def test_events_lead_from_one_day_to_a_later_one():
    with serve_clever(DISTRICT, day=2, rate_limit=None) as sim:
        names = ("schools", "users", "sections", "terms", "courses")
        before = {name: {row["id"]: row for row in walk(sim, name, limit=10_000)} for name in names}
        newest = get(sim, "events", limit=1, ending_before="last").json()["data"][0]["data"]["id"]
        sim.set_day(8)
        events = walk(sim, "events", limit=200, starting_after=newest)
        assert ids(events) == sorted(set(ids(events)))
        assert {event["created"] for event in events} == {DISTRICT.timestamp(day) for day in range(3, 9)}
        for name in names:
            after = {row["id"]: row for row in walk(sim, name, limit=10_000)}
            assert replay(sim, name, before[name], events) == after
        assert get(sim, f"events/{events[5]['id']}").json()["data"] == events[5]


def test_events_are_narrowed_by_kind_and_school(sim):
    sim.set_day(3)
    events = walk(sim, "events", limit=1000)
    users = walk(sim, "events", limit=1000, record_type="users")
    assert users == [event for event in events if event["type"].startswith("users.")]
    both = get(sim, "events", limit=1000, record_type=["users", "sections"]).json()["data"]
    assert {event["data"]["type"].partition(".")[0] for event in both} == {"users", "sections"}
    school = walk(sim, "schools")[0]["id"]
    of_school = walk(sim, "events", limit=1000, school=school)
    assert 0 < len(of_school) < len(events)


def test_events_are_kept_for_thirty_days_and_do_not_reach_back_before_they_were_switched_on():
    district = MadeUpDistrict(3, 40, 1)
    with serve_clever(district, day=40, rate_limit=None) as sim:
        created = {event["created"] for event in walk(sim, "events", "district-token-3", limit=5000)}
        assert min(created) == district.timestamp(11)
        sim.configure(events_since_day=38)
        created = {event["created"] for event in walk(sim, "events", "district-token-3", limit=5000)}
        assert min(created) == district.timestamp(39)
        sim.configure(events=False)
        assert walk(sim, "events", "district-token-3") == []


# -- one district, two sources ------------------------------------------------------------------------------------


def test_clever_and_oneroster_show_the_same_district_under_other_ids():
    root = "/ims/oneroster/v1p1"
    with (
        serve_clever(DISTRICT, day=4, keep_empty_sections=True) as clever,
        serve(DISTRICT, auth="none", day=4) as other,
    ):
        users = walk(clever, "users", limit=10_000)
        rows = requests.get(f"{other.url}{root}/users", params={"limit": 10_000}, timeout=10).json()["users"]
        sis_ids = {
            role.get("sis_id") or role.get("staff_id")
            for user in users
            for name, role in user["roles"].items()
            if name != "district_admin"
        }
        office = {row["identifier"] for row in rows if row["identifier"].startswith("A")}
        assert {row["identifier"] for row in rows} - office == sis_ids - office
        assert not {row["sourcedId"] for row in rows} & set(ids(users))
        lines = requests.get(f"{other.url}{root}/enrollments", params={"limit": 10_000}, timeout=10).json()
        sections = walk(clever, "sections", limit=10_000)
        assert len(lines["enrollments"]) == sum(len(row["students"]) + len(row["teachers"]) for row in sections)


def test_the_demo_has_a_clever_district_too():
    with Simulator(sites_from_file(DEMO)) as sim:
        clever = sim.site("")
        assert clever.describe()["kind"] == "clever"
        reply = requests.get(
            f"{sim.root}/v3.1/schools", headers={"Authorization": "Bearer foxglove-district-token"}, timeout=10
        )
        assert len(reply.json()["data"]) == 3
