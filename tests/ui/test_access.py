"""Who gets an answer at all: nobody without a login, nobody without the right over the district."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import pytest

from roster_sync.ui.app import PREFIX, app
from tests.ui import madeup
from tests.ui.routes import routes

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
SEARCHES = ("/changes", "/roster/teachers", "/why", "/sync/schools/effect", "/settings/effect", "/people/search")
"""A POST that changes nothing: it keeps what is searched for out of the address."""
OF_NO_DISTRICT = {
    # answered to whoever is logged in: lists show what the visitor may see, the rest holds nothing of a district
    "/roster/", "/roster/api/v1/districts", "/roster/runs/1", "/roster/dags/roster_sync__harbor",
    "/roster/static/app.css", "/roster/openapi.json", "/roster/docs",
}  # fmt: skip
HARBOR = "/districts/harbor"
OURS = "http://localhost:8080/roster"


def statuses(visitor, wanted):
    return {(method, path): visitor.request(method, path).status_code for method, path in wanted}


def unsafe():
    return [(method, path) for method, path in routes() if method in UNSAFE]


def test_what_airflow_serves_of_ours_is_this_app_and_nothing_else(api_server):
    ours = [route for route in api_server.routes if str(getattr(route, "path", "")).startswith(PREFIX)]
    assert [(route.path, route.app) for route in ours] == [(PREFIX, app())]


def test_a_route_belongs_to_a_district_or_to_the_few_that_do_not():
    assert {path for _, path in routes() if HARBOR not in path} == OF_NO_DISTRICT


def test_nothing_answers_without_login(pages):
    answers = statuses(pages.client(None), routes())
    assert {where for where, status in answers.items() if status != 401} == set()


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE"])
def test_no_other_method_answers_without_login(pages, method):
    answers = statuses(pages.client(None), {(method, path) for _, path in routes()})
    assert set(answers.values()) <= {401, 405}


def test_who_is_logged_in_without_any_right_gets_nothing_of_a_district(pages):
    visitor = pages.client("nobody")
    answers = statuses(visitor, routes())
    assert {where for where, status in answers.items() if HARBOR in where[1] and status != 403} == set()
    assert "Harbor" not in visitor.get("/roster/").text
    assert visitor.get("/roster/api/v1/districts").json() == {"districts": [], "next": None}
    assert answers["GET", "/roster/runs/1"] == 404
    assert visitor.get("/roster/dags/roster_sync__harbor").headers["location"] == "/roster/districts/harbor"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
)
def test_a_page_of_another_site_changes_and_asks_nothing_with_the_visitors_cookie(pages, headers):
    visitor = pages.client("staff", site=None)
    visitor.headers.update(headers)
    answers = {where: visitor.request(*where) for where in unsafe()}
    assert len(answers) > 25
    assert {where for where, answer in answers.items() if answer.status_code != 403} == set()
    assert all("This request" in answer.text for answer in answers.values())


def test_a_bearer_needs_no_origin_and_the_same_rights(pages):
    program = pages.client("dana", by="bearer", site=None)
    passed = {**statuses(program, routes()), **statuses(pages.client("dana"), unsafe())}
    assert {where for where, status in passed.items() if status in (401, 403)} == set()
    refused = statuses(pages.client("olga", by="bearer", site=None), routes())
    assert {where for where, status in refused.items() if HARBOR in where[1] and status != 403} == set()


def test_a_visitor_without_login_is_led_to_it(pages):
    answer = pages.client(None).get("/roster/districts/harbor")
    assert answer.status_code == 401
    assert "Please Log In" in answer.text
    assert "/auth/login?next=" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "shown", "back"),
    [
        ("GET", "/districts/harbor/worklist?kind=role_drift", None, "/districts/harbor/worklist?kind=role_drift"),
        ("GET", "/districts/harbor/runs/1?part=live", f"{OURS}/districts/harbor/runs/1", "/districts/harbor/runs/1"),
        ("POST", "/districts/harbor/sync/connection", f"{OURS}/districts/harbor/sync", "/districts/harbor/sync"),
        ("GET", "/districts/harbor/runs/1?part=live", "https://evil.example/roster", "/districts/harbor"),
        ("GET", "/districts/harbor/runs/1?part=live", "http://localhost:8080@evil.example/", "/districts/harbor"),
        ("GET", "/?after=d10", "", "/"),
        ("POST", "/districts/harbor/why", None, "/districts/harbor"),
        ("POST", "/districts/harbor/sync/start", None, "/districts/harbor"),
    ],
)
def test_after_the_login_a_visitor_is_on_the_page_again(pages, method, path, shown, back):
    headers = {} if shown is None else {"hx-request": "true", "hx-current-url": shown}
    text = pages.client(None).request(method, f"/roster{path}", headers=headers).text
    [address] = re.findall(r'/auth/login\?next=([^"&]+)"', text)
    assert unquote(address) == OURS + back


def test_a_token_of_another_server_is_no_login(pages):
    visitor = pages.client(None)
    visitor.cookies.set("_token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkYW5hIn0.")
    assert visitor.get("/roster/").status_code in (401, 403)


def test_every_page_and_call_of_a_district_asks_for_its_right(pages):
    answers = statuses(pages.client("olga"), [where for where in routes() if HARBOR in where[1]])
    assert len(answers) > 40
    assert {where for where, status in answers.items() if status != 403} == set()


def test_who_may_only_look_changes_nothing(pages):
    answers = statuses(pages.client("vera"), unsafe())
    changing = {where: status for where, status in answers.items() if not where[1].endswith(SEARCHES)}
    assert len(changing) > 15
    assert {where for where, status in changing.items() if status != 403} == set()
    assert {where for where, status in answers.items() if where not in changing and status == 403} == set()


def test_who_may_only_look_is_shown_no_button_that_changes(pages):
    teacher = madeup.person(pages.cursor, pages.harbor, "teacher")
    madeup.item(pages.cursor, pages.harbor, "teacher_needs_license", teacher)
    held = madeup.run(pages.cursor, pages.harbor, "held", wrote=True)
    madeup.hold(pages.cursor, held)
    for path in ("", "/sync/schools", "/sync/expiration", "/sync/review", "/worklist", f"/runs/{held}"):
        looked = pages.client("vera").get(f"/roster/districts/harbor{path}")
        assert looked.status_code == 200
        assert "button primary" not in looked.text, path
        assert "button primary" in pages.client("dana").get(f"/roster/districts/harbor{path}").text, path


def test_the_list_shows_the_districts_of_the_visitor_only(pages):
    assert "Harbor Unified" in pages.client("dana").get("/roster/").text
    assert "Orchard Hill" not in pages.client("dana").get("/roster/").text
    assert "Orchard Hill" in pages.client("staff").get("/roster/").text
    listed = pages.client("olga", by="bearer").get("/roster/api/v1/districts").json()
    assert [district["key"] for district in listed["districts"]] == ["orchard"]


def test_a_run_or_a_person_of_another_district_is_not_found(pages):
    theirs = madeup.run(pages.cursor, pages.orchard, "launched")
    person = madeup.person(pages.cursor, pages.orchard, "teacher")
    visitor = pages.client("staff")
    assert visitor.get(f"/roster/districts/orchard/runs/{theirs}").status_code == 200
    assert visitor.get(f"/roster/districts/harbor/runs/{theirs}").status_code == 404
    assert visitor.get(f"/roster/districts/harbor/runs/{theirs}/changes.csv").status_code == 404
    assert visitor.get(f"/roster/districts/harbor/people/{person}").status_code == 404


def test_a_list_cannot_continue_from_a_row_of_another_district(pages):
    for kind, table in (("schools", "schools"), ("classes", "classes"), ("teachers", "users")):
        after = pages.one(f"select min(id) from portal.{table} where district_id = %s", pages.orchard)  # noqa: S608
        text = pages.client().get(f"/roster/districts/harbor/roster/{kind}?after={after}").text
        assert '<th scope="row">' not in text, kind


def test_a_run_named_by_its_number_leads_to_its_district_for_who_may_see_it(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    assert pages.client("dana").get(f"/roster/runs/{run}").headers["location"] == f"/roster/districts/harbor/runs/{run}"
    assert pages.client("olga").get(f"/roster/runs/{run}").status_code == 404


def test_the_tab_of_a_dag_leads_to_its_district(pages):
    assert pages.client().get("/roster/dags/roster_sync__harbor").headers["location"] == "/roster/districts/harbor"
    assert "serves every district" in pages.client().get("/roster/dags/roster_reset").text


def test_the_documentation_is_for_who_is_logged_in(pages):
    schema = pages.client("vera").get("/roster/openapi.json").json()
    assert "/api/v1/districts" in schema["paths"]
    assert schema["servers"] == [{"url": "/roster"}]
    assert "/roster/api/v1/districts/{key}/sync" in pages.client("vera").get("/roster/docs").text
    assert pages.client("vera").get("/roster/redoc").status_code == 404


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "nothing.css"])
def test_no_other_file_is_served(pages, path):
    assert pages.client().get(f"/roster/static/{path}").status_code == 404


def test_data_docs_are_served_behind_login_and_from_their_folder_only(pages, tmp_path, monkeypatch):
    monkeypatch.setenv("ROSTER_HOME", str(tmp_path))
    folder = tmp_path / "data_docs" / "harbor" / "runs"
    folder.mkdir(parents=True)
    (folder / "1.html").write_text("checked")
    (tmp_path / "secret.txt").write_text("secret")
    assert pages.client().get("/roster/districts/harbor/docs-files/runs/1.html").text == "checked"
    assert pages.client("olga").get("/roster/districts/harbor/docs-files/runs/1.html").status_code == 403
    for path in ("../../secret.txt", "..%2f..%2fsecret.txt", "runs/../../../secret.txt", "/etc/hostname"):
        assert pages.client().get(f"/roster/districts/harbor/docs-files/{path}").status_code in (403, 404)


@pytest.mark.parametrize("value", ["\x00", "9" * 20])
def test_what_no_column_can_hold_is_refused_in_a_sentence(pages, value):
    staff = pages.client("staff")
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    home = "/roster/districts/harbor"
    answers = [
        staff.get("/roster/", params={"q": value}), staff.get(home, params={"before": value}),
        staff.get(f"/roster/districts/{quote(value)}"), staff.get(f"{home}/docs-files/{quote(value)}"),
        staff.get(f"{home}/runs/{run}/rejected", params={"rule": value}),
        staff.post(f"{home}/roster/teachers", data={"q": value}), staff.post(f"{home}/why", data={"q": value}),
        staff.post(f"{home}/sync/schools", data={"school_mode": "listed", "chosen": [value]}),
        staff.post(f"{home}/sync/emails", data={"add": f"{value}@school.example.org"}),
        staff.post(f"{home}/worklist/licenses", data={"product": value, "selected": ["1"]}),
        staff.post(f"{home}/worklist/books", data={"selected": [value]}),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} <= {200, 303, 403, 404, 409, 422}
    assert all(value not in answer.text for answer in answers if answer.status_code == 422)


def test_every_call_of_the_api_describes_what_it_gives_and_how_it_refuses(pages):
    schema = pages.client("vera").get("/roster/openapi.json").json()
    operations = [one for path in schema["paths"].values() for one in path.values()]
    assert len(operations) >= 30
    for one in operations:
        for status in ("401", "403", "404", "409", "422"):
            given = one["responses"][status]["content"]["application/json"]["schema"]
            assert given == {"$ref": "#/components/schemas/Problem"}, one["operationId"]
        [given] = [answer for status, answer in one["responses"].items() if status < "300"]
        shape = given.get("content", {}).get("application/json", {}).get("schema", {})
        assert "$ref" in shape or "items" in shape or not shape, one["operationId"]
    wrong = pages.client("vera").get("/roster/api/v1/districts?limit=0", headers={"accept": "application/json"})
    assert (wrong.status_code, list(wrong.json())) == (422, ["detail"])
    assert isinstance(wrong.json()["detail"], str)
