"""What the pages start in Airflow, in whose name, and how a held run's question is answered."""

from __future__ import annotations

import pytest

from tests.ui import madeup
from tests.ui.conftest import REGISTRY
from tests.ui.questions import HARBOR, put_question

pytestmark = pytest.mark.usefixtures("unpaused")


def runs_of(dag_id):
    from airflow.models.dagrun import DagRun

    return [(run.conf, run.triggering_user_name, run.run_id) for run in DagRun.find(dag_id=dag_id)]


def test_start_sync_starts_the_districts_own_dag_in_the_visitors_name(pages):
    answer = pages.client().post(f"{HARBOR}/sync/start", data={"mode": "edit"})
    assert answer.status_code == 303
    [(conf, who, run_id)] = runs_of("roster_sync__harbor")
    assert conf == {"preview_only": False}
    assert who == "dana"
    assert answer.headers["location"] == f"{HARBOR}/following/roster_sync__harbor/{run_id}"


def test_the_page_waits_for_the_run_and_then_goes_to_it(pages):
    following = pages.client().post(f"{HARBOR}/sync/start", data={"mode": "edit"}).headers["location"]
    assert "queued in Airflow" in pages.client().get(following).text
    other = madeup.run(pages.cursor, pages.harbor, "in_progress")
    assert "Another run of this district is in progress" in pages.client().get(following).text
    pages.cursor.execute("update sync.runs set status = 'launched' where id = %s", (other,))
    airflow_run = following.rpartition("/")[2]
    named = {"airflow_dag_id": "roster_sync__harbor", "airflow_run_id": airflow_run}
    run = madeup.run(pages.cursor, pages.harbor, "in_progress", **named)
    assert pages.client().get(following).headers["location"] == f"{HARBOR}/runs/{run}"
    assert (
        pages.client().get(following, headers={"HX-Request": "true"}).headers["hx-redirect"] == f"{HARBOR}/runs/{run}"
    )


def test_a_reset_is_started_only_from_its_preview_and_with_the_name_typed(pages):
    pages.client().post(f"{HARBOR}/sync/start", data={"mode": "reset", "manual": "true"})
    [(conf, who, _)] = runs_of("roster_reset")
    assert conf == {"district": "harbor", "preview_only": True, "include_manual": True}
    assert who == "dana"
    preview = madeup.run(pages.cursor, pages.harbor, "previewed", mode="reset", parameters='{"include_manual": true}')
    assert "Type the district" in pages.client().get(f"{HARBOR}/runs/{preview}").text
    wrong = pages.client().post(f"{HARBOR}/runs/{preview}/reset", data={"typed": "Harbor"})
    assert wrong.status_code == 409
    assert len(runs_of("roster_reset")) == 1
    form = {"typed": "Harbor Unified School District", "reason": "New year"}
    assert pages.client().post(f"{HARBOR}/runs/{preview}/reset", data=form).status_code == 303
    assert {"district": "harbor", "preview_only": False, "include_manual": True, "reason": "New year"} in [
        conf for conf, _, _ in runs_of("roster_reset")
    ]


def test_no_other_run_or_an_old_preview_starts_a_reset(pages):
    form = {"typed": "Harbor Unified School District"}
    edit = madeup.run(pages.cursor, pages.harbor, "launched")
    assert pages.client().post(f"{HARBOR}/runs/{edit}/reset", data=form).status_code == 404
    old = madeup.run(pages.cursor, pages.harbor, "previewed", mode="reset", days_ago=2)
    assert pages.client().post(f"{HARBOR}/runs/{old}/reset", data=form).status_code == 409
    assert runs_of("roster_reset") == []


def test_an_undo_is_started_for_its_run(pages):
    run = madeup.run(pages.cursor, pages.harbor, "launched", mode="reset")
    assert "Undo" in pages.client().get(f"{HARBOR}/runs/{run}").text
    pages.client().post(f"{HARBOR}/runs/{run}/undo", data={})
    [(conf, who, _)] = runs_of("roster_undo")
    assert conf == {"district": "harbor", "run_id": run, "preview_only": False}
    assert who == "dana"


def test_a_paused_dag_is_reported_instead_of_queued(pages):
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(DagModel).filter(DagModel.dag_id == "roster_sync__harbor").update({"is_paused": True})
    answer = pages.client().post(f"{HARBOR}/sync/start", data={"mode": "edit"})
    assert answer.status_code == 409
    assert "is paused in Airflow" in answer.text
    assert runs_of("roster_sync__harbor") == []
    for path in ("", "/sync/review"):
        text = pages.client().get(HARBOR + path).text
        assert "paused in Airflow" in text
        assert 'href="/dags/roster_sync__harbor">Unpause it in Airflow</a>' in text


def test_a_district_that_is_switched_off_starts_nothing_and_says_why(pages, tmp_path, monkeypatch):
    path = tmp_path / "registry.yaml"
    path.write_text(REGISTRY.replace("America/Chicago,", "America/Chicago, enabled: false,"), encoding="utf-8")
    monkeypatch.setenv("ROSTER_DISTRICTS", str(path))
    preview = madeup.run(pages.cursor, pages.harbor, "previewed", mode="reset")
    form = {"mode": "edit", "typed": "Harbor Unified School District"}
    refused = [pages.client().post(f"{HARBOR}/{way}", data=form) for way in ("sync/start", f"runs/{preview}/reset")]
    program = pages.client(by="bearer", site=None)
    refused += [program.post("/roster/api/v1/districts/harbor/sync", json={"mode": mode, "preview": True})
                for mode in ("edit", "reset")]  # fmt: skip
    told = "disabled in the registry (enabled: false)"
    assert [(answer.status_code, told in answer.text) for answer in refused] == [(409, True)] * 4
    assert runs_of("roster_sync__harbor") + runs_of("roster_reset") == []
    overview, review = (pages.client().get(HARBOR + path).text for path in ("", "/sync/review"))
    assert told in overview
    assert "Start Sync" not in overview
    assert told in review
    assert '<button class="button primary" disabled>Start Sync</button>' in review


def test_the_api_starts_the_same(pages):
    program = pages.client(by="bearer", site=None)
    started = program.post("/roster/api/v1/districts/harbor/sync", json={"preview": True})
    assert started.status_code == 202
    assert runs_of("roster_sync__harbor") == [({"preview_only": True}, "dana", started.json()["dag_run_id"])]
    reset = {"mode": "reset", "confirm_name": "harbor"}
    assert program.post("/roster/api/v1/districts/harbor/sync", json=reset).status_code == 409
    assert program.post("/roster/api/v1/districts/harbor/sync", json={"previw": True}).status_code == 422


@pytest.mark.parametrize(("choice", "option"), [("approve", "Approve"), ("reject", "Reject")])
def test_an_answer_on_the_page_is_airflows_own_answer(pages, choice, option):
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState

    from roster_sync.ui.web import dag_runs

    run = madeup.run(pages.cursor, pages.harbor, "held", wrote=True)
    form = {"choice": choice, "hold": madeup.hold(pages.cursor, run)}
    path = f"{HARBOR}/runs/{run}/answer"
    early = pages.client().post(path, data=form)
    assert early.status_code == 409
    assert "still being asked" in early.text
    question = put_question(pages, form["hold"])
    assert pages.client("vera").post(path, data=form).status_code == 403
    assert pages.client().post(path, data={**form, "reason": "Checked by phone"}).status_code == 303
    with create_session() as session:
        task = (
            session.query(TaskInstance)
            .filter_by(dag_id=dag_runs.APPROVE_DAG, run_id=question, task_id="question")
            .one()
        )
        detail = session.query(HITLDetail).filter_by(ti_id=task.id).one()
        assert detail.chosen_options == [option]
        assert detail.params_input == {"reason": "Checked by phone"}
        assert (detail.responded_by or {}).get("name") == "dana"
        assert task.state == TaskInstanceState.SCHEDULED
    again = pages.client().post(path, data=form)
    assert again.status_code == 409
    assert "already answered" in again.text


def test_what_was_superseded_is_not_answered(pages):
    run = madeup.run(pages.cursor, pages.harbor, "held", wrote=True)
    later = madeup.run(pages.cursor, pages.harbor, "launched")
    hold = madeup.hold(pages.cursor, run)
    pages.cursor.execute("update sync.holds set superseded_by = %s where run_id = %s", (later, run))
    text = pages.client().get(f"{HARBOR}/runs/{run}").text
    assert "a later run" in text
    form = {"choice": "approve", "hold": hold}
    assert pages.client().post(f"{HARBOR}/runs/{run}/answer", data=form).status_code == 409


def test_a_question_can_be_answered_as_soon_as_airflow_puts_it_and_the_page_waits_for_that(pages):
    run = madeup.run(pages.cursor, pages.harbor, "held", wrote=True)
    hold = madeup.hold(pages.cursor, run)
    page = f"{HARBOR}/runs/{run}"
    coming = pages.client().get(page).text
    assert "Airflow is preparing the question" in coming
    assert 'hx-get="?part=live"' in coming
    assert 'value="approve" disabled' in coming
    put_question(pages, hold)
    put = pages.client().get(page).text
    assert "Airflow is putting the question" not in put
    assert 'hx-get="?part=live"' not in put
    assert 'value="approve" disabled' not in put
    pages.client().post(f"{page}/answer", data={"choice": "approve", "hold": hold})
    assert "Your answer was saved" in pages.client().get(page).text  # also for whoever did not give it


def test_a_question_that_airflow_never_puts_is_reported_and_not_waited_for_for_ever(pages):
    run = madeup.run(pages.cursor, pages.harbor, "held", wrote=True)
    madeup.hold(pages.cursor, run)
    pages.cursor.execute("update sync.holds set asked_at = now() - interval '11 minutes' where run_id = %s", (run,))
    text = pages.client().get(f"{HARBOR}/runs/{run}").text
    assert "Airflow is not asking this question" in text
    assert "hx-get" not in text
