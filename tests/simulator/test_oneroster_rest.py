"""The OneRoster servers, held against clients written apart from them (requests, and hmac by hand)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import re
import secrets
import time
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from include.simulator.district import Churn, MadeUpDistrict
from include.simulator.serving import DEMO, serve, sites_from_file
from include.simulator.web import Simulator

DISTRICT = MadeUpDistrict(7, 240, 3)
V11, V12 = "/ims/oneroster/v1p1", "/ims/oneroster/rostering/v1p2"
COLLECTIONS = {
    "orgs": "orgs", "schools": "orgs", "academicSessions": "academicSessions", "terms": "academicSessions",
    "gradingPeriods": "academicSessions", "courses": "courses", "classes": "classes", "users": "users",
    "students": "users", "teachers": "users", "enrollments": "enrollments", "demographics": "demographics",
}  # fmt: skip


@pytest.fixture(scope="module", params=["1.1", "1.2"])
def plain(request):
    with serve(DISTRICT, version=request.param, auth="none") as sim:
        yield sim, (V11 if request.param == "1.1" else V12)


@pytest.fixture
def sim():
    with serve(DISTRICT, version="1.2", auth="none", classlink=True) as running:
        yield running


def get(sim: Simulator, path: str, **parameters: Any) -> requests.Response:
    return requests.get(sim.url + path, params=parameters, timeout=10)


def walk(sim: Simulator, path: str, key: str, limit: int, **parameters: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        reply = get(sim, path, limit=limit, offset=len(rows), **parameters)
        assert reply.status_code == 200, reply.text
        page = reply.json()[key]
        rows += page
        if len(rows) >= int(reply.headers["X-Total-Count"]) or not page:
            return rows


# -- collections and pages ----------------------------------------------------------------------------------------


def test_pages_of_any_size_make_the_same_collection(plain):
    sim, root = plain
    for collection, key in COLLECTIONS.items():
        whole = get(sim, f"{root}/{collection}", limit=10_000)
        rows = whole.json()[key]
        assert list(whole.json()) == [key]
        assert int(whole.headers["X-Total-Count"]) == len(rows) > 0
        assert len({row["sourcedId"] for row in rows}) == len(rows)
        assert walk(sim, f"{root}/{collection}", key, 97) == rows


def test_the_page_is_100_by_default_and_links_lead_through_all(plain):
    sim, root = plain
    reply = get(sim, f"{root}/enrollments")
    seen = reply.json()["enrollments"]
    assert len(seen) == 100
    assert {"first", "next", "last"} == set(reply.links)
    while "next" in reply.links:
        reply = requests.get(reply.links["next"]["url"], timeout=10)
        seen += reply.json()["enrollments"]
    assert "prev" in reply.links
    assert len(seen) == int(reply.headers["X-Total-Count"])


def test_one_record_is_what_the_collection_holds_of_it(plain):
    sim, root = plain
    singles = {"orgs": "org", "schools": "org", "terms": "academicSession", "classes": "class", "students": "user"}
    for collection, single in singles.items():
        row = get(sim, f"{root}/{collection}", limit=3).json()[COLLECTIONS[collection]][-1]
        assert get(sim, f"{root}/{collection}/{row['sourcedId']}").json() == {single: row}
    student = get(sim, f"{root}/students", limit=1).json()["users"][0]
    assert get(sim, f"{root}/teachers/{student['sourcedId']}").status_code == 404


def test_settings_hide_counts_and_links_and_clamp_the_page():
    with serve(DISTRICT, auth="none", total_count=False, links=False, max_limit=40) as sim:
        reply = get(sim, f"{V11}/users", limit=10_000)
        assert len(reply.json()["users"]) == 40
        assert not {"X-Total-Count", "Link", "x-perm-rev"} & set(reply.headers)
        sim.configure(total_count=True, max_limit=None, classlink=True)
        reply = get(sim, f"{V11}/users", limit=10_000)
        assert reply.headers["X-Total-Count"] == reply.headers["x-count"] == str(len(reply.json()["users"]))
        assert reply.headers["x-perm-rev"] == "1.0"


@pytest.mark.parametrize("bad", ["0", "-1", "ten"])
def test_a_limit_that_is_not_a_number_is_refused(sim, bad):
    reply = get(sim, f"{V12}/users", limit=bad)
    assert reply.status_code == 422
    assert minor(reply) == "invaliddata"


def test_offset_past_the_end_is_an_empty_page(plain):
    sim, root = plain
    assert get(sim, f"{root}/orgs", offset=999).json() == {"orgs": []}


# -- relations ----------------------------------------------------------------------------------------------------


def test_relations_agree_with_the_enrollments(plain):
    sim, root = plain
    lines = walk(sim, f"{root}/enrollments", "enrollments", 5000)
    class_ = walk(sim, f"{root}/classes", "classes", 5000)[4]
    school, course = class_["school"]["sourcedId"], class_["course"]["sourcedId"]
    mine = [line for line in lines if line["class"]["sourcedId"] == class_["sourcedId"]]
    place = f"{root}/classes/{class_['sourcedId']}"
    for role in ("student", "teacher"):
        expected = {line["user"]["sourcedId"] for line in mine if line["role"] == role}
        assert {row["sourcedId"] for row in walk(sim, f"{place}/{role}s", "users", 7)} == expected
        nested = f"{root}/schools/{school}/classes/{class_['sourcedId']}/{role}s"
        assert {row["sourcedId"] for row in walk(sim, nested, "users", 50)} == expected
        person = next(iter(expected))
        taken = {line["class"]["sourcedId"] for line in lines if line["user"]["sourcedId"] == person}
        for collection in (f"{role}s", "users"):
            rows = walk(sim, f"{root}/{collection}/{person}/classes", "classes", 50)
            assert {row["sourcedId"] for row in rows} == taken
    nested = f"{root}/schools/{school}/classes/{class_['sourcedId']}/enrollments"
    assert walk(sim, nested, "enrollments", 9) == mine
    of_school = walk(sim, f"{root}/schools/{school}/enrollments", "enrollments", 999)
    assert of_school == [line for line in lines if line["school"]["sourcedId"] == school]
    assert class_ in walk(sim, f"{root}/courses/{course}/classes", "classes", 50)
    assert class_ in walk(sim, f"{root}/schools/{school}/classes", "classes", 500)
    assert {row["sourcedId"] for row in walk(sim, f"{root}/schools/{school}/courses", "courses", 500)} >= {course}


def test_terms_have_classes_and_grading_periods(plain):
    sim, root = plain
    terms = walk(sim, f"{root}/terms", "academicSessions", 10)
    assert {term["type"] for term in terms} == {"semester"}
    periods = walk(sim, f"{root}/terms/{terms[0]['sourcedId']}/gradingPeriods", "academicSessions", 10)
    assert {period["parent"]["sourcedId"] for period in periods} == {terms[0]["sourcedId"]}
    assert len(periods) == 2
    classes = walk(sim, f"{root}/terms/{terms[1]['sourcedId']}/classes", "classes", 500)
    assert classes
    school = walk(sim, f"{root}/schools", "orgs", 10)[0]["sourcedId"]
    assert walk(sim, f"{root}/schools/{school}/terms", "academicSessions", 10) == terms


def test_a_schools_people_list_that_school(plain):
    sim, root = plain
    school = walk(sim, f"{root}/schools", "orgs", 10)[1]["sourcedId"]
    for kind in ("students", "teachers"):
        rows = walk(sim, f"{root}/schools/{school}/{kind}", "users", 100)
        assert rows
        for row in rows:
            refs = row["orgs"] if root == V11 else [role["org"] for role in row["roles"]]
            assert school in {ref["sourcedId"] for ref in refs}


# -- filter, sort, fields -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("familyName='Nobody'", lambda row: row["familyName"] == "Nobody"),
        ("enabledUser!='true'", lambda row: row["enabledUser"] == "false"),
        ("dateLastModified>'2026-09-01T12:00:00Z'", lambda row: row["dateLastModified"] > "2026-09-02"),
        ("dateLastModified>='2026-09-02T01:30:00Z'", lambda row: row["dateLastModified"] >= "2026-09-02T01:30:00.000Z"),
        ("dateLastModified<'2026-09-02'", lambda row: row["dateLastModified"] < "2026-09-02"),
        ("familyName~'STONE'", lambda row: "stone" in row["familyName"].lower()),
        (
            "status='active' AND givenName~'a'",
            lambda row: row["status"] == "active" and "a" in row["givenName"].lower(),
        ),
        ("grades='03' OR role='teacher'", lambda row: "03" in row["grades"] or row["role"] == "teacher"),
        ("email~'@staff.'", lambda row: "@staff." in row.get("email", "")),
    ],
)
def test_filters_choose_exactly_what_they_say(text, holds):
    with serve(DISTRICT, auth="none", day=3) as sim:
        everyone = walk(sim, f"{V11}/users", "users", 5000)
        expected = [row for row in everyone if holds(row)]
        assert len(expected) < len(everyone)
        assert walk(sim, f"{V11}/users", "users", 50, filter=text) == expected


@pytest.mark.parametrize("text", ["familyName=Nobody", "nonsense='1'", "a='1' AND b='2' OR c='3'", "familyName='x"])
def test_a_bad_filter_is_named_as_such(sim, text):
    reply = get(sim, f"{V12}/users", filter=text)
    assert reply.status_code == 400
    assert minor(reply) == "invalid_filter_field"


def test_sorting_goes_both_ways(plain):
    sim, root = plain
    rows = walk(sim, f"{root}/students", "users", 60, sort="sourcedId", orderBy="desc")
    assert [row["sourcedId"] for row in rows] == sorted((row["sourcedId"] for row in rows), reverse=True)
    names = [row["familyName"] for row in walk(sim, f"{root}/students", "users", 60, sort="familyName")]
    assert names == sorted(names)


def test_fields_narrow_the_records_and_nothing_else(plain):
    sim, root = plain
    whole = walk(sim, f"{root}/users", "users", 500)
    narrow = walk(sim, f"{root}/users", "users", 70, fields="sourcedId,email,grades")
    assert narrow == [{key: row[key] for key in row if key in ("sourcedId", "email", "grades")} for row in whole]
    one = get(sim, f"{root}/users/{whole[0]['sourcedId']}", fields="status").json()
    assert one == {"user": {"status": "active"}}


def minor(reply: requests.Response) -> str:
    body = reply.json()
    assert set(body) == {"imsx_codeMajor", "imsx_severity", "imsx_description", "imsx_CodeMinor"}
    assert (body["imsx_codeMajor"], body["imsx_severity"]) == ("failure", "error")
    (field,) = body["imsx_CodeMinor"]["imsx_codeMinorField"]
    assert field["imsx_codeMinorFieldName"] == "TargetEndSystem"
    return str(field["imsx_codeMinorFieldValue"])


def test_errors_are_in_the_words_of_the_specification(sim):
    bad_field = get(sim, f"{V12}/users", fields="sourcedId,shoeSize")
    assert (bad_field.status_code, minor(bad_field)) == (400, "invalid_selection_field")
    unknown = get(sim, f"{V12}/users/nobody")
    assert (unknown.status_code, minor(unknown)) == (404, "unknownobject")
    assert get(sim, f"{V12}/schools/nowhere/classes").status_code == 404
    words = {401: "unauthorisedrequest", 403: "forbidden", 422: "invaliddata", 429: "server_busy",
             500: "internal_server_error"}  # fmt: skip
    for status, word in words.items():
        sim.fault("status", status=status, times=1)
        reply = get(sim, f"{V12}/users")
        assert (reply.status_code, minor(reply)) == (status, word)
        assert ("WWW-Authenticate" in reply.headers) == (status == 401)
    sim.clear_faults()
    assert minor(get(sim, f"{V12}/users", sort="shoeSize")) == "invalid_filter_field"
    assert get(sim, f"{V11}/users").status_code == 404
    with serve(DISTRICT, auth="none") as older:
        assert "statusInfoSet" in get(older, f"{V11}/users/nobody").json()
        (found,) = get(older, f"{V11}/users", sort="shoeSize").json()["statusInfoSet"]
        assert found["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "invalid_sort_field"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_roster_is_only_read(plain, method):
    sim, root = plain
    reply = requests.request(method, f"{sim.url}{root}/users/some-id", json={}, timeout=10)
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, HEAD")
    assert '"imsx_codeMajor":"unsupported"' in reply.text


def test_head_gives_the_headers_of_get_without_its_body(plain):
    sim, root = plain
    url = f"{sim.url}{root}/users?limit=3"
    asked, head = requests.get(url, timeout=10), requests.head(url, timeout=10)
    assert head.content == b""
    for name in ("X-Total-Count", "Content-Length", "Content-Type", "Link"):
        assert head.headers[name] == asked.headers[name]


def test_an_address_may_end_in_a_slash_and_be_escaped(plain):
    sim, root = plain
    (user,) = get(sim, f"{root}/users/", limit=1).json()["users"]
    escaped = "".join(f"%{byte:02X}" for byte in user["sourcedId"].encode())
    raw = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=10)
    raw.request("GET", f"{root}/users/{escaped}")
    assert json.loads(raw.getresponse().read()) == {"user": user}
    raw.close()


# -- shapes -------------------------------------------------------------------------------------------------------

GUID_REF = {"href", "sourcedId", "type"}
ALWAYS = {"sourcedId", "status", "dateLastModified"}
# From the 1EdTech rostering service 1.2 OpenAPI definition: required fields, then all that are allowed.
SHAPES: dict[str, tuple[str, str]] = {
    "orgs": ("name type identifier", "metadata parent children"),
    "academicSessions": ("title startDate endDate type schoolYear", "metadata parent children"),
    "courses": ("title courseCode", "metadata schoolYear grades subjects org subjectCodes resources"),
    "classes": (
        "title course school terms",
        "metadata classCode classType location grades subjects subjectCodes periods resources",
    ),
    "users": (
        "enabledUser givenName familyName roles",
        "metadata userMasterIdentifier username userIds middleName preferredFirstName preferredMiddleName "
        "preferredLastName pronouns userProfiles primaryOrg identifier email sms phone agents grades password "
        "resources",
    ),
    "enrollments": ("user class school role", "metadata primary beginDate endDate"),
    "demographics": ("", "metadata birthDate sex countryOfBirthCode"),
}
REF_TYPES = {
    "parent": {"org", "academicSession"}, "children": {"org", "academicSession"}, "schoolYear": {"academicSession"},
    "org": {"org"}, "school": {"org"}, "primaryOrg": {"org"}, "course": {"course"}, "class": {"class"},
    "user": {"user"}, "agents": {"user"}, "terms": {"academicSession"}, "orgs": {"org"},
}  # fmt: skip
ROLES_1_1 = {"administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher"}
ROLES = ROLES_1_1 - {"administrator"} | {
    "counselor", "districtAdministrator", "principal", "siteAdministrator", "systemAdministrator",
}  # fmt: skip


def check_references(record: dict[str, Any]) -> None:
    for name, value in record.items():
        if name not in REF_TYPES or isinstance(value, str):
            continue
        for ref in value if isinstance(value, list) else [value]:
            assert set(ref) == GUID_REF
            assert ref["type"] in REF_TYPES[name]
            assert ref["href"].startswith("http://127.0.0.1:")
            assert ref["href"].endswith(f"/{ref['sourcedId']}")


def test_the_1_2_payloads_have_the_fields_that_the_openapi_file_demands(sim):
    for collection, (required, optional) in SHAPES.items():
        for row in walk(sim, f"{V12}/{collection}", collection, 5000):
            assert ALWAYS | set(required.split()) <= set(row) <= ALWAYS | set(f"{required} {optional}".split())
            assert row["status"] == "active"
            datetime.strptime(row["dateLastModified"], "%Y-%m-%dT%H:%M:%S.%fZ")
            check_references(row)
            for name in ("startDate", "endDate", "beginDate", "birthDate"):
                assert name not in row or date.fromisoformat(row[name])


WORDS: dict[tuple[str, str], set[str]] = {
    ("orgs", "type"): {"department", "school", "district", "local", "state", "national"},
    ("academicSessions", "type"): {"gradingPeriod", "semester", "schoolYear", "term"},
    ("classes", "classType"): {"homeroom", "scheduled"},
    ("enrollments", "role"): {"administrator", "proctor", "student", "teacher"},
    ("enrollments", "primary"): {"true", "false"},
    ("users", "enabledUser"): {"true", "false"},
    ("demographics", "sex"): {"male", "female", "unspecified", "other"},
}
"""Closed lists of words, the same in 1.1 and 1.2."""


def test_closed_lists_hold_the_words_of_the_specification_and_nothing_else(plain):
    sim, root = plain
    for (collection, name), words in WORDS.items():
        found = {row[name] for row in walk(sim, f"{root}/{collection}", collection, 5000)}
        assert found
        assert found <= words, (collection, name)
    for row in walk(sim, f"{root}/academicSessions", "academicSessions", 50):
        assert re.fullmatch(r"\d{4}", row["schoolYear"])


def test_the_1_2_users_have_one_primary_role_for_each_organization(sim):
    for row in walk(sim, f"{V12}/users", "users", 5000):
        assert row["enabledUser"] in ("true", "false")
        primary = [role["org"]["sourcedId"] for role in row["roles"] if role["roleType"] == "primary"]
        assert len(primary) == len(set(primary)) >= 1
        assert row["primaryOrg"]["sourcedId"] in primary
        profiles = {profile["profileId"] for profile in row.get("userProfiles", [])}
        for role in row["roles"]:
            assert set(role) <= {"roleType", "role", "org", "userProfile"}
            assert role["role"] in ROLES
            assert role.get("userProfile", next(iter(profiles), None)) in profiles | {None}
            check_references(role)


def test_the_1_1_users_have_one_role_and_their_organizations(plain):
    sim, root = plain
    if root == V11:
        for row in walk(sim, f"{V11}/users", "users", 5000):
            assert row["role"] in ROLES_1_1
            assert row["orgs"]
            assert not {"roles", "primaryOrg", "userProfiles", "userMasterIdentifier"} & set(row)
            check_references(row)


def test_an_enrollment_begins_and_ends_within_the_terms_of_its_class():
    late = MadeUpDistrict(7, 240, 3, churn=Churn(0.2, False))
    with serve(late, auth="none", day=12) as sim:
        terms = {row["sourcedId"]: row for row in walk(sim, f"{V11}/academicSessions", "academicSessions", 50)}
        dates = {}
        for row in walk(sim, f"{V11}/classes", "classes", 5000):
            held = [terms[term["sourcedId"]] for term in row["terms"]]
            dates[row["sourcedId"]] = min(t["startDate"] for t in held), max(t["endDate"] for t in held)
        begun = set()
        for row in walk(sim, f"{V11}/enrollments", "enrollments", 9000):
            first, last = dates[row["class"]["sourcedId"]]
            assert first <= row["beginDate"] <= row["endDate"] == last
            begun.add(row["beginDate"])
        assert len(begun) > 4


# -- days ---------------------------------------------------------------------------------------------------------


def test_the_day_can_be_moved_while_running(sim):
    before = {row["sourcedId"] for row in walk(sim, f"{V12}/users", "users", 5000)}
    sim.set_day(4)
    after = {row["sourcedId"]: row for row in walk(sim, f"{V12}/users", "users", 5000)}
    assert before - after.keys()
    new = set(after) - before
    stamp = "dateLastModified>'2026-09-01T23:00:00Z'"
    changed = {row["sourcedId"] for row in walk(sim, f"{V12}/users", "users", 5000, filter=stamp)}
    assert new < changed
    assert get(sim, f"{V12}/orgs").headers["x-perm-rev"] == "4.0"


def test_what_is_gone_can_be_listed_as_to_be_deleted():
    with serve(DISTRICT, auth="none", day=1) as sim:
        before = {row["sourcedId"] for row in walk(sim, f"{V11}/enrollments", "enrollments", 5000)}
        sim.set_day(2)
        now = {row["sourcedId"] for row in walk(sim, f"{V11}/enrollments", "enrollments", 5000)}
        sim.configure(tombstones="inactive")
        rows = walk(sim, f"{V11}/enrollments", "enrollments", 5000)
        assert {row["sourcedId"] for row in rows if row["status"] == "inactive"} == before - now
        assert {row["sourcedId"] for row in rows if row["status"] == "active"} == now


# -- authentication -----------------------------------------------------------------------------------------------


def sign(url: str, parameters: dict[str, str], key: str, secret: str, digest: str = "SHA256", **changes: str) -> str:
    """An Authorization header by RFC 5849, written without a look at the server's code."""
    oauth = {
        "oauth_consumer_key": key,
        "oauth_nonce": secrets.token_hex(8),
        "oauth_signature_method": f"HMAC-{digest}",
        "oauth_timestamp": str(int(time.time())),
        "oauth_version": "1.0",
    } | changes
    parts = urlsplit(url)
    every = [(quote(k, safe="~"), quote(v, safe="~")) for k, v in {**parameters, **oauth}.items()]
    joined = "&".join(f"{k}={v}" for k, v in sorted(every))
    base = f"GET&{quote(f'{parts.scheme}://{parts.netloc}{parts.path}', safe='~')}&{quote(joined, safe='~')}"
    algorithm = {"SHA256": hashlib.sha256, "SHA1": hashlib.sha1}[digest]
    raw = hmac.new(f"{quote(secret, safe='~')}&".encode(), base.encode(), algorithm).digest()
    oauth["oauth_signature"] = base64.b64encode(raw).decode()
    return "OAuth " + ", ".join(f'{k}="{quote(v, safe="~")}"' for k, v in oauth.items())


PARAMETERS = {"limit": "10", "offset": "5", "filter": "status='active' AND familyName~'a&b+c é'", "fields": "sourcedId"}


def signed(sim: Simulator, key: str = "the key", secret: str = "sécret & more", **changes: str) -> requests.Response:
    url = f"{sim.url}{V11}/users"
    header = sign(url, PARAMETERS, key, secret, **changes)
    return requests.get(url, params=PARAMETERS, headers={"Authorization": header}, timeout=10)


@pytest.fixture(scope="module")
def oauth1():
    with serve(DISTRICT, auth="oauth1", key="the key", secret="sécret & more") as running:
        yield running


@pytest.mark.parametrize("digest", ["SHA256", "SHA1"])
def test_a_correctly_signed_request_is_accepted(oauth1, digest):
    assert signed(oauth1, digest=digest).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another"}, {"key": "another"}, {"oauth_timestamp": "1000000000"}, {"oauth_nonce": ""},
        {"oauth_signature_method": "PLAINTEXT"}, {"oauth_version": "2.0"},
    ],
)  # fmt: skip
def test_an_incorrectly_signed_request_is_refused(oauth1, wrong):
    reply = signed(oauth1, **wrong)
    assert reply.status_code == 401
    assert "unauthorisedrequest" in reply.text


def test_parameters_left_out_of_the_signature_are_refused(oauth1):
    url = f"{oauth1.url}{V11}/users"
    header = {"Authorization": sign(url, {}, "the key", "sécret & more")}
    assert requests.get(url, headers=header, timeout=10).status_code == 200
    header = {"Authorization": sign(url, {}, "the key", "sécret & more")}
    assert requests.get(url, params={"limit": "5"}, headers=header, timeout=10).status_code == 401


def test_a_nonce_is_good_for_one_request(oauth1):
    url = f"{oauth1.url}{V11}/orgs"
    header = {"Authorization": sign(url, {}, "the key", "sécret & more")}
    assert [requests.get(url, headers=header, timeout=10).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(("auth", "scheme"), [("oauth1", "OAuth"), ("oauth2", "Bearer"), ("bearer", "Bearer")])
def test_a_refusal_names_the_kind_of_credentials_that_is_required(auth, scheme):
    with serve(DISTRICT, auth=auth) as sim:
        assert get(sim, f"{V11}/users").headers["WWW-Authenticate"] == f'{scheme} realm="roster"'


def test_a_signature_method_can_be_switched_off():
    with serve(DISTRICT, auth="oauth1", key="the key", secret="sécret & more", methods=("HMAC-SHA1",)) as sim:
        assert signed(sim, digest="SHA1").status_code == 200
        assert signed(sim, digest="SHA256").status_code == 401
        assert requests.get(f"{sim.url}{V11}/users", timeout=10).status_code == 401


def token(sim: Simulator, scope: str = "", **form: str) -> requests.Response:
    data = {"grant_type": "client_credentials", "scope": scope, **form}
    return requests.post(f"{sim.url}/oauth/token", data=data, auth=("client", "secret"), timeout=10)


def test_client_credentials_give_a_token_that_expires():
    with serve(DISTRICT, version="1.2", auth="oauth2", key="client", secret="secret", token_seconds=0.4) as sim:
        reply = token(sim)
        assert reply.headers["Cache-Control"] == "no-store"
        given = reply.json()
        assert given["token_type"].lower() == "bearer"
        header = {"Authorization": f"Bearer {given['access_token']}"}
        assert requests.get(f"{sim.url}{V12}/orgs", headers=header, timeout=10).status_code == 200
        time.sleep(0.5)
        late = requests.get(f"{sim.url}{V12}/orgs", headers=header, timeout=10)
        assert (late.status_code, minor(late)) == (401, "unauthorisedrequest")
        assert requests.post(f"{sim.url}/oauth/token", data={}, timeout=10).status_code == 400
        wrong = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "wrong"}
        assert requests.post(f"{sim.url}/oauth/token", data=wrong, timeout=10).status_code == 401
        right = {**wrong, "client_secret": "secret"}
        assert requests.post(f"{sim.url}/oauth/token", data=right, timeout=10).status_code == 200


def test_a_core_scope_reaches_collections_but_no_relations_nor_demographics():
    with serve(DISTRICT, version="1.2", auth="oauth2", key="client", secret="secret") as sim:
        scope = "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-core.readonly"
        given = token(sim, scope).json()
        assert given["scope"] == scope
        header = {"Authorization": f"Bearer {given['access_token']}"}
        orgs = requests.get(f"{sim.url}{V12}/schools", headers=header, timeout=10).json()["orgs"]
        for path in (f"schools/{orgs[0]['sourcedId']}/classes", "demographics"):
            reply = requests.get(f"{sim.url}{V12}/{path}", headers=header, timeout=10)
            assert (reply.status_code, minor(reply)) == (403, "forbidden")


def test_a_static_bearer_token_is_accepted_and_another_is_not():
    with serve(DISTRICT, auth="bearer", secret="static") as sim:
        codes = [
            requests.get(f"{sim.url}{V11}/orgs", headers={"Authorization": value}, timeout=10).status_code
            for value in ("Bearer static", "Bearer other", "Basic static", "")
        ]
        assert codes == [200, 401, 401, 401]


# -- faults -------------------------------------------------------------------------------------------------------


def test_an_error_hits_the_nth_request_of_its_path_only(sim):
    fault = sim.fault("status", f"{V12}/users", nth=2, status=429, retry_after="3")
    codes = [get(sim, f"{V12}/{name}").status_code for name in ("users", "orgs", "users", "users")]
    assert codes == [200, 200, 429, 200]
    assert (fault.seen, fault.hits) == (3, 1)
    sim.clear_faults()
    sim.fault("status", every=2, times=2, status=503)
    assert [get(sim, f"{V12}/orgs").status_code for _ in range(6)] == [200, 503, 200, 503, 200, 200]


def test_retry_after_is_sent_where_asked_for(sim):
    sim.fault("status", nth=1, status=429, retry_after="7")
    sim.fault("status", nth=2, status=502)
    first, second = get(sim, f"{V12}/orgs"), get(sim, f"{V12}/orgs")
    assert (first.status_code, first.headers["Retry-After"], minor(first)) == (429, "7", "server_busy")
    assert (second.status_code, "Retry-After" in second.headers) == (502, False)


def test_a_body_can_be_cut_a_connection_dropped_a_page_of_html_sent(sim):
    sim.fault("truncated", nth=1)
    sim.fault("drop", nth=2)
    sim.fault("html", nth=3)
    sim.fault("garbled", nth=4)
    sim.fault("slow", nth=5, seconds=0.3)
    for _ in range(2):
        with pytest.raises(requests.exceptions.RequestException):
            get(sim, f"{V12}/users")
    page = get(sim, f"{V12}/users")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    with pytest.raises(json.JSONDecodeError):
        get(sim, f"{V12}/users").json()
    started = time.monotonic()
    assert get(sim, f"{V12}/users").status_code == 200
    assert time.monotonic() - started >= 0.3


def test_pages_can_be_wrong_in_every_way_of_the_list(sim):
    path = f"{V12}/users"
    honest = walk(sim, path, "users", 50)
    total = str(len(honest))
    sim.fault("empty", match="offset=50", times=1)
    empty = get(sim, path, limit=50, offset=50)
    assert (empty.json(), empty.headers["X-Total-Count"]) == ({"users": []}, total)
    sim.clear_faults()
    sim.fault("no_envelope", times=1)
    assert "users" not in get(sim, path).json()
    sim.clear_faults()
    sim.fault("wrong_total", times=1, by=3)
    assert get(sim, path).headers["X-Total-Count"] == str(len(honest) + 3)
    sim.clear_faults()
    sim.fault("same_page")
    assert get(sim, path, limit=50, offset=100).json()["users"] == honest[:50]
    sim.clear_faults()
    sim.fault("duplicate", match="offset=50")
    assert get(sim, path, limit=50, offset=50).json()["users"] == [honest[49], *honest[51:100]]
    sim.clear_faults()
    sim.fault("skipped", match="offset=50")
    assert get(sim, path, limit=50, offset=50).json()["users"] == honest[51:100]
    sim.clear_faults()
    sim.fault("foreign_link")
    assert urlsplit(get(sim, path, limit=5).links["next"]["url"]).netloc == "elsewhere.example.net"
    sim.clear_faults()
    assert walk(sim, path, "users", 50) == honest


def test_data_can_change_between_two_pages(sim):
    sim.fault("moved", f"{V12}/users", nth=2)
    first, second = get(sim, f"{V12}/users"), get(sim, f"{V12}/users", offset=100)
    assert (first.headers["x-perm-rev"], second.headers["x-perm-rev"]) == ("1.0", "2.0")
    sim.fault("revision", f"{V12}/orgs", nth=1)
    assert get(sim, f"{V12}/orgs").headers["x-perm-rev"] == "2.1"


def test_a_token_can_expire_in_the_middle():
    with serve(DISTRICT, version="1.2", auth="oauth2", key="client", secret="secret") as sim:
        sim.fault("expired_token", f"{V12}/*", nth=2)
        header = {"Authorization": f"Bearer {token(sim).json()['access_token']}"}
        codes = [requests.get(f"{sim.url}{V12}/orgs", headers=header, timeout=10).status_code for _ in range(3)]
        assert codes == [200, 401, 401]
        header = {"Authorization": f"Bearer {token(sim).json()['access_token']}"}
        assert requests.get(f"{sim.url}{V12}/orgs", headers=header, timeout=10).status_code == 200


def test_too_many_requests_are_refused_until_the_window_ends():
    with serve(DISTRICT, auth="none", rate_limit=2, rate_seconds=0.5) as sim:
        replies = [get(sim, f"{V11}/orgs") for _ in range(3)]
        assert [reply.status_code for reply in replies] == [200, 200, 429]
        assert replies[-1].headers["Retry-After"] == "1"
        time.sleep(0.6)
        assert get(sim, f"{V11}/orgs").status_code == 200


# -- the server itself --------------------------------------------------------------------------------------------


def test_the_log_holds_what_was_asked_and_no_credential(oauth1):
    oauth1.requests.clear()
    signed(oauth1)
    (line,) = oauth1.requests
    assert (line.method, line.path, line.status) == ("GET", f"{V11}/users", 200)
    assert "limit=10" in line.query
    assert "oauth" not in line.query


def test_the_control_moves_days_and_sets_faults_while_running(sim):
    order = {"day": 3, "faults": [{"kind": "status", "path": "*/orgs", "status": 500}], "settings": {"max_limit": 9}}
    state = requests.post(f"{sim.root}/_control", json=order, timeout=10).json()
    assert state["sites"][""]["day"] == 3
    assert get(sim, f"{V12}/orgs").status_code == 500
    assert len(get(sim, f"{V12}/users").json()["users"]) == 9
    requests.post(f"{sim.root}/_control", json={"clear_faults": True}, timeout=10)
    assert get(sim, f"{V12}/orgs").status_code == 200
    for wrong in ({"dya": 3}, {"faults": [{"kind": "flood"}]}, {"settings": {"color": 1}}, {"site": "/none"}):
        assert requests.post(f"{sim.root}/_control", json=wrong, timeout=10).status_code == 400


def test_an_address_outside_every_district_is_404():
    with serve(DISTRICT, auth="none", prefix="/here") as sim:
        assert sim.url.endswith("/here")
        assert get(sim, f"{V11}/orgs").status_code == 200
        assert requests.get(f"{sim.root}/nowhere{V11}/orgs", timeout=10).status_code == 404


def test_the_demo_districts_are_served_together():
    with Simulator(sites_from_file(DEMO)) as sim:
        prefixes = {site.prefix for site in sim.sites}
        assert {"/lakeshore", "/westhaven"} <= prefixes
        assert requests.get(f"{sim.root}/lakeshore{V11}/orgs", timeout=10).status_code == 401
        assert requests.get(f"{sim.root}/westhaven{V12}/orgs", timeout=10).status_code == 401
