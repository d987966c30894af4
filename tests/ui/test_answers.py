"""An answer is one to the question that its reader saw: docs/rules.md, R9.10."""

from __future__ import annotations

import pytest

from roster_sync.ui.web import dag_runs
from tests.ui import madeup
from tests.ui.questions import HARBOR, put_question

pytestmark = pytest.mark.usefixtures("unpaused")
API = "/roster/api/v1/districts/harbor"
REPLACED = "answered or replaced"


@pytest.fixture
def asked_twice(pages):
    """A Reset whose first question was approved, and which then asked a second one, for more; both were put."""
    run = madeup.run(pages.cursor, pages.harbor, "held", mode="reset")
    first = madeup.hold(pages.cursor, run, "reset")
    answered = put_question(pages, first)
    pages.cursor.execute(
        "update sync.holds set answer = 'approved', answered_by = 'ada', answered_at = now(), applied_at = now()"
        " where id = %s",
        (first,),
    )
    second = madeup.hold(pages.cursor, run, "reset")
    return run, first, answered, second, put_question(pages, second)


def responses(*questions):
    """What Airflow keeps as the answers to these runs of roster_approve."""
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        found = (
            session.query(TaskInstance.run_id, HITLDetail.chosen_options)
            .join(HITLDetail, HITLDetail.ti_id == TaskInstance.id)
            .filter(TaskInstance.dag_id == dag_runs.APPROVE_DAG)
        )
        kept = dict(found.all())
    return [kept[question] for question in questions]


def test_the_form_names_the_question_that_the_page_shows(pages, asked_twice):
    run, _, _, second, _ = asked_twice
    assert f'<input type="hidden" name="hold" value="{second}">' in pages.client().get(f"{HARBOR}/runs/{run}").text


def test_a_page_that_still_shows_an_earlier_question_does_not_answer_the_one_that_took_its_place(pages, asked_twice):
    run, first, answered, second, open_question = asked_twice
    stale = pages.client().post(f"{HARBOR}/runs/{run}/answer", data={"choice": "approve", "hold": first})
    assert (stale.status_code, REPLACED in stale.text) == (409, True)
    assert responses(answered, open_question) == [None, None]
    read = pages.client().post(f"{HARBOR}/runs/{run}/answer", data={"choice": "approve", "hold": second})
    assert read.status_code == 303
    assert responses(answered, open_question) == [None, ["Approve"]]


def test_a_program_answers_the_question_that_it_was_given_and_no_other(pages, asked_twice):
    run, first, answered, second, open_question = asked_twice
    program = pages.client(by="bearer", site=None)
    assert program.get(f"{API}/runs/{run}").json()["hold_id"] == second
    stale = program.post(f"{API}/runs/{run}/answer", json={"choice": "approve", "hold_id": first})
    assert (stale.status_code, REPLACED in stale.json()["detail"]) == (409, True)
    assert program.post(f"{API}/runs/{run}/answer", json={"choice": "approve"}).status_code == 422
    assert responses(answered, open_question) == [None, None]
    assert program.post(f"{API}/runs/{run}/answer", json={"choice": "reject", "hold_id": second}).status_code == 204
    assert responses(answered, open_question) == [None, ["Reject"]]


def test_a_run_that_waits_for_no_answer_names_no_question(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched")
    assert pages.client(by="bearer", site=None).get(f"{API}/runs/{run}").json()["hold_id"] is None
