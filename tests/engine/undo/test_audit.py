"""The audit: who started, approved and undid what, by which settings, and every row that was removed."""

from __future__ import annotations

from typing import Any

from roster_sync.database import db
from roster_sync.engine import audit
from tests.dsl.world import World
from tests.engine.schools import two_schools


def read(harbor: World, text: str, **params: Any) -> list[tuple[Any, ...]]:
    """As whoever may only read."""
    with db.acting_as(harbor.app, "roster_read") as cursor:
        cursor.execute(text, {"r": harbor.run_id, **params})
        return list(cursor.fetchall())


def a_whole_story(harbor: World) -> int:
    harbor.edit(two_schools())
    harbor.license(school="south")
    harbor.give_book("c2", "s2")
    harbor.begin("reset", reason="the south is closed", include_manual=False)
    assert harbor.load_and_write(two_schools().without_school("south").without("t2", "s2")) == "held"
    harbor.answer(reason="agreed in the board")
    assert harbor.go_on_after_approval(two_schools().without_school("south").without("t2", "s2")) == "launched"
    return harbor.run_id


def test_who_started_approved_and_undid_a_run_and_why(harbor: World) -> None:
    reset = a_whole_story(harbor)
    harbor.undo()
    (row,) = read(harbor, "select district, mode, status, started_by, reason, answer, answered_by, answer_reason,"
                  " undone_by, undone_by_run_id from sync.audit_runs where run_id = %(target)s",
                  target=reset)  # fmt: skip
    assert row == ("harbor", "reset", "undone", "Pat Planner", "the south is closed", "approved", "Ada Approver",
                   "agreed in the board", "Pat Planner", harbor.run_id)  # fmt: skip


def test_with_which_settings(harbor: World) -> None:
    a_whole_story(harbor)
    ((parameters, settings),) = read(harbor, "select parameters, settings from sync.audit_runs where run_id = %(r)s")
    assert parameters == {"include_manual": False}
    assert settings["school_mode"] == "all"
    assert settings["limits"]["deleted_percent"] == 10
    assert settings["include_manual"] is False
    harbor.do("insert into sync.settings_history (district_id, changed_by, setting, before, after)"
                " values (%(d)s, 'Sam Setter', 'school_mode', '\"all\"', '\"listed\"')")  # fmt: skip
    assert read(harbor, "select changed_by, setting, before, after from sync.audit_settings") == [
        ("Sam Setter", "school_mode", "all", "listed")
    ]


def test_counts_before_and_after_a_reset_and_its_undo(harbor: World) -> None:
    a_whole_story(harbor)
    text = "select entity, before, after from sync.audit_counts where run_id = %(r)s and before is not null order by 1"
    counts = [("admins", 0, 0), ("books", 1, 0), ("classes", 2, 1), ("enrollments", 8, 4), ("licenses", 1, 0),
              ("schools", 2, 1), ("students", 3, 2), ("teachers", 3, 2)]  # fmt: skip
    assert read(harbor, text) == counts
    harbor.undo()
    assert read(harbor, text) == [(entity, after, before) for entity, before, after in counts]


def test_every_removed_row_by_run(harbor: World) -> None:
    a_whole_story(harbor)
    found = read(
        harbor, "select table_name, count(*) from sync.audit_removed where run_id = %(r)s group by 1 order by 1"
    )
    assert found == [("class_books", 1), ("classes", 1), ("enrollments", 4), ("license_assignments", 1), ("schools", 1),
                     ("student_books", 1), ("user_schools", 4), ("users", 2)]  # fmt: skip
    ((person,),) = read(harbor, "select removed from sync.audit_removed where run_id = %(r)s and table_name = 'users'"
                        " and removed ->> 'source_id' = 's2'")  # fmt: skip
    assert person["family_name"] == "Family-s2"


def test_every_answer_is_kept_also_one_that_a_new_question_replaced(harbor: World) -> None:
    harbor.edit(two_schools())
    harbor.ask_to_reset(two_schools().without_school("south"))
    harbor.answer()
    assert harbor.go_on_after_approval(two_schools().without_school("south").without("s1")) == "held"
    harbor.answer("rejected", by="Bo Second")
    answers = "select answer, answered_by from sync.audit_answers where run_id = %(r)s order by asked_at"
    assert read(harbor, answers) == [
        ("approved", "Ada Approver"), ("rejected", "Bo Second"),
    ]  # fmt: skip


def test_the_report_of_a_run_tells_it_all_without_a_person_of_the_roster(harbor: World) -> None:
    a_whole_story(harbor)
    told = "\n".join(audit.report(harbor.app, harbor.run_id))
    for part in ("started by Pat Planner", "(a reason is kept with the run)", "approved by Ada Approver",
                 "limits", "schools: 2 before, 1 after; received 1, deleted 1",
                 "removed rows: class_books 1"):  # fmt: skip
        assert part in told
    for word in ("Given", "Family", "@", "the south is closed", "agreed in the board"):
        assert word not in told
    harbor.undo()
    assert "undoes run" in "\n".join(audit.report(harbor.app, harbor.run_id))
    assert audit.report(harbor.app, 999) == ["Run 999 is not known."]
