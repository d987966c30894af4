"""Every code that the database may hold has a word that people read."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from roster_sync.core import vocabulary

LABELS: dict[str, Mapping[str, object]] = {
    "sync.runs.mode": vocabulary.MODES,
    "sync.runs.trigger": vocabulary.TRIGGERS,
    "sync.runs.status": vocabulary.STATUSES,
    "sync.findings.severity": vocabulary.SEVERITIES,
    "sync.changes.action": vocabulary.ACTIONS,
    "sync.holds.scope": vocabulary.QUESTIONS,
    "sync.holds.answer": vocabulary.ANSWERS,
    "sync.worklist.kind": vocabulary.WORKLIST,
    "sync.settings.school_mode": vocabulary.SCHOOL_MODES,
    "portal.users.role": vocabulary.ROLES,
    "portal.enrollments.role": vocabulary.ROLES,
    **{f"portal.{table}.origin": vocabulary.ORIGINS
       for table in ("schools", "users", "user_schools", "classes", "enrollments")},
}  # fmt: skip
NOT_SHOWN = {"sync.source_ids.entity", "sync.former_ids.entity", "sync.changes.phase"}
CHECKS = (
    "select n.nspname || '.' || c.relname || '.' || a.attname, pg_get_constraintdef(k.oid) from pg_constraint k"
    " join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace"
    " join pg_attribute a on a.attrelid = c.oid and k.conkey = array[a.attnum]"
    " where k.contype = 'c' and n.nspname in ('portal', 'sync') and pg_get_constraintdef(k.oid) like '%%::text%%'"
)


@pytest.fixture
def allowed(portal):
    """Column -> the codes that its check constraint allows, from the catalog."""
    with portal.owner() as connection, connection.cursor() as cursor:
        cursor.execute(CHECKS)
        return {column: set(re.findall(r"'([a-z_]+)'::text", check)) for column, check in cursor.fetchall()}


def test_every_code_that_a_check_constraint_allows_has_a_label(allowed):
    assert allowed.keys() - NOT_SHOWN == LABELS.keys()
    for column, labels in LABELS.items():
        assert allowed[column] <= labels.keys(), column
        assert allowed[column]


def test_a_status_that_no_run_can_have_has_no_label(allowed):
    assert allowed["sync.runs.status"] == vocabulary.STATUSES.keys()
    assert allowed["sync.worklist.kind"] == vocabulary.WORKLIST.keys()
    assert allowed["portal.users.role"] == set(vocabulary.PORTAL_ROLES)


def test_every_step_that_a_run_records_has_a_label():
    from roster_sync.orchestration import dag_docs

    named = set(re.findall(r"`(start|extract|validate|plan|apply|notify|ask|finish)`", dag_docs.STEPS))
    followed = {step for steps in vocabulary.ORDER.values() for step in steps}
    assert named | followed <= vocabulary.STEPS.keys()
    assert vocabulary.ORDER.keys() == vocabulary.MODES.keys()


def test_a_column_of_the_counts_has_a_heading(portal):
    with portal.owner() as connection, connection.cursor() as cursor:
        cursor.execute("select * from sync.run_counts limit 0")
        columns = {column.name for column in cursor.description}
    assert vocabulary.COUNTS.keys() <= columns
    assert vocabulary.UNDO_COUNTS.keys() == vocabulary.COUNTS.keys()


def test_an_unknown_code_is_shown_with_spaces_and_not_lost():
    assert vocabulary.STEPS["some_new_step"] == "Some new step"
    assert "some_new_step" not in vocabulary.STEPS


def test_a_noun_is_counted():
    assert [vocabulary.NOUNS["classes"].of(count) for count in (1, 1200)] == ["1 class", "1,200 classes"]
    assert vocabulary.WORKLIST["match_review"].of(2) == "2 possible matches"
