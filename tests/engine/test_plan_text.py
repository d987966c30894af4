"""What a plan says to people: the same sentences and numbers in the question, on the page and in the emails."""

from __future__ import annotations

from roster_sync.core.limits import Breach
from roster_sync.engine import plan_text

PLAN = {
    "sentence": "1 school would be deleted.",
    "breaches": [Breach("students", "removals", 180, 1200, 10).as_dict()],
    "schools": {"removed": ["Pine_School *1*", "Elm School"]},
    "licenses_to_free": 1,
    "books_to_free": 3,
    "manual": 2,
    "counts": {"students": {"add": 2, "unshare": 179, "end": 1}, "schools": {"delete": 2}, "classes": {}},
    "bases": {"students": 1200, "schools": 8, "classes": 128},
}


def test_a_breach_is_the_sentence_that_the_plan_keeps():
    assert plan_text.breaches(PLAN) == ["180 of 1,200 students would be removed; the limit is 10%."]
    assert plan_text.breaches({}) == []


def test_losses_are_named_by_what_they_are_about_and_as_the_mode_treats_them():
    assert plan_text.losses(PLAN, "reset") == {
        "schools": "2 schools would be deleted: Pine_School *1*, Elm School.",
        "licenses": "1 license would be freed.",
        "books": "3 student books would be taken back.",
        "manual": "2 manually added rows would be deleted too.",
    }
    assert plan_text.losses(PLAN, "edit", 1)["schools"] == (
        "2 schools would no longer be shared: Pine_School *1* and 1 more."
    )
    assert plan_text.losses({"schools": {"removed": []}, "licenses_to_free": 0}, "reset") == {}


def test_the_table_counts_ended_rows_with_those_no_longer_shared_and_shows_the_whole():
    assert plan_text.plan_table(PLAN) == [
        ["", "Add", "No longer shared", "Delete", "Of"],
        ["Schools", "–", "–", "2", "8"],
        ["Students", "2", "180", "–", "1,200"],
    ]


def test_an_undo_has_a_table_of_its_own():
    plan = {"counts": {"students": {"put back": 1780, "changed back": 2}, "licenses": {"put back": 6}}}
    assert plan_text.undo_table(plan) == [
        ["", "Put back", "Changed back"],
        ["Students", "1,780", "2"],
        ["Licenses", "6", "–"],
    ]


def test_the_question_is_markdown_in_which_a_schools_name_cannot_format_anything():
    found = {"run_id": 7, "mode": "reset", "scope": "reset", "summary": PLAN}
    text = plan_text.question(found, "https://airflow.example/7")
    assert "| Students | 2 | 180 | – | 1,200 |" in text
    assert "2 schools would be deleted: Pine School  1 , Elm School." in text
    assert text.endswith("[The page of run 7](https://airflow.example/7) shows who they are.")
