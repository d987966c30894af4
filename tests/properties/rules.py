"""What always holds of an Edit and a Reset (docs/rules.md, R1), each rule comparing the portal before and after a run.

Edit and Reset: here; Undo: rules_of_undo.py.
"""

from __future__ import annotations

from typing import Any

from tests.dsl.roster import Roster
from tests.properties.picture import Picture, Row

ADMINS = ("school_admin", "district_admin")
SYNCED_TABLES = ("schools", "users", "classes", "user_schools", "enrollments")


class Shared:
    """What a feed shares in the selected schools, in source ids."""

    def __init__(self, roster: Roster, selected: frozenset[str] | None) -> None:
        """Reads the feed as docs/rules.md does (R2)."""
        wanted = set(roster.orgs) if selected is None else set(roster.orgs) & selected
        self.schools = wanted
        self.classes = {key for key, row in roster.classes.items() if row["school_source_id"] in wanted}
        self.memberships: set[tuple[str, str]] = set()
        self.without_school = set()
        living = {user_id: row for user_id, row in roster.users.items() if row["status"] == "active"}
        for user_id, row in living.items():
            named = {school for school in row["org_source_ids"].split(",") if school}
            taught = {roster.classes[c]["school_source_id"] for c, u, _ in roster.enrollments if u == user_id}
            self.memberships |= {(user_id, school) for school in (named | taught) & wanted}
            if not named and not taught:
                self.without_school.add(user_id)
        self.users = {user for user, _ in self.memberships}
        self.enrollments = {key for key in roster.enrollments if key[0] in self.classes and key[1] in self.users}

    def holds(self, table: str, source_id: str | None) -> bool:
        """Whether this school, person or class is shared."""
        found: set[str] = getattr(self, table)
        return source_id in found or (table == "users" and source_id in self.without_school)


# --- Both modes ---


def roles_never_change(before: Picture, after: Picture) -> None:
    """In no mode, by no feed."""
    for user_id in before.users.keys() & after.users.keys():
        assert before.users[user_id]["role"] == after.users[user_id]["role"]


def what_is_shared_keeps_its_row(roster: Roster, before: Picture, after: Picture) -> None:
    """Also what comes back: the same id."""
    shared = Shared(roster, after.selected)
    for table in ("schools", "users", "classes"):
        for key, row in before.tables()[table].items():
            if row["issuer"] == roster.issuer and shared.holds(table, row["source_id"]):
                assert key in after.tables()[table], table
                assert after.tables()[table][key]["source_id"] == row["source_id"], table


def every_id_ever_given_still_leads_to_its_row(before: Picture, after: Picture) -> None:
    """Whom the feed names by an id that the portal knew is never added anew."""
    known = {key: row for key, row in before.ids.items() if row in before.tables()[key[0]]}
    for (entity, issuer, source_id), row_id in known.items():
        if row_id in after.tables()[entity]:
            assert after.ids[entity, issuer, source_id] == row_id


def who_was_disabled_by_hand_stays_so(before: Picture, after: Picture) -> None:
    """A hand-set is_enabled = false is the one column that does not follow the feed."""
    for user_id in before.users.keys() & after.users.keys():
        row = before.users[user_id]
        if not row["is_enabled"] and row["is_enabled_at_source"] is not False:
            assert not after.users[user_id]["is_enabled"]


def the_new_get_nothing(before: Picture, after: Picture) -> None:
    """A new teacher no license, a new student no books, a class nobody's books."""
    assert after.licenses.keys() <= before.licenses.keys()
    assert after.class_books <= before.class_books
    assert after.student_books <= before.student_books


def what_is_shared_is_shown(roster: Roster, after: Picture) -> None:
    """Every shared school, person, class, membership and enrollment is in the portal, with the feed's values."""
    shared = Shared(roster, after.selected)
    names = {
        table: {row["source_id"]: key for key, row in after.tables()[table].items() if row["source_id"]}
        for table in ("schools", "users", "classes")
    }
    for table in names:
        for source_id in getattr(shared, table):
            row = after.tables()[table][names[table][source_id]]
            assert row["is_shared"], table
            _equals_the_feed(roster, table, row)
    for user_id, school_id in shared.memberships:
        assert after.user_schools[names["users"][user_id], names["schools"][school_id]]["is_active"]
    for class_id, user_id, role in shared.enrollments:
        assert after.enrollments[names["classes"][class_id], names["users"][user_id], role]["is_active"]


def _equals_the_feed(roster: Roster, table: str, row: Row) -> None:
    if row["origin"] == "manual":
        return
    if table == "schools":
        assert row["name"] == roster.orgs[row["source_id"]]["name"]
    elif table == "classes":
        assert row["title"] == roster.classes[row["source_id"]]["title"]
        assert row["subject"] is None
    else:
        feed = roster.users[row["source_id"]]
        held = (row["given_name"], row["family_name"], row["email"] or "")
        assert held == (feed["given_name"], feed["family_name"], feed["email"])


# --- Edit ---


def nothing_is_deleted(before: Picture, after: Picture) -> None:
    """Edit never deletes."""
    for name, rows in before.tables().items():
        assert rows.keys() <= after.tables()[name].keys(), name
    assert before.class_books <= after.class_books
    assert before.student_books <= after.student_books


def work_of_people_is_untouched(before: Picture, after: Picture) -> None:
    """Licenses, and whatever was made by hand."""
    assert before.licenses == after.licenses
    for table in SYNCED_TABLES:
        for key, row in before.manual(table).items():
            assert after.tables()[table][key] == row, table


def deselected_schools_are_untouched(before: Picture, after: Picture) -> None:
    """Not their row, not their classes, not who stands there, not who is enrolled."""
    schools = {key for key, row in before.schools.items() if not before.is_selected(row)}
    classes = {key for key, row in before.classes.items() if row["school_id"] in schools}
    for key in schools:
        assert before.schools[key] == after.schools[key]
    for key in classes:
        if after.classes[key]["school_id"] in schools:  # the feed may move a class to a school that is selected
            assert before.classes[key] == after.classes[key]
    stayed = {key for key in classes if after.classes[key]["school_id"] in schools}
    for enrollment, row in before.enrollments.items():
        if enrollment[0] in stayed:
            assert after.enrollments[enrollment] == row
    for membership, row in before.user_schools.items():
        if membership[1] in schools:
            assert after.user_schools[membership] == row
    for key in after.schools.keys() - before.schools.keys():
        assert after.is_selected(after.schools[key])


def whoever_stands_in_deselected_schools_stays_shared(roster: Roster, before: Picture, after: Picture) -> None:
    """And is not touched at all, if they stand nowhere else and no selected school lists them."""
    shared = Shared(roster, before.selected)
    deselected = {key for key, row in before.schools.items() if not before.is_selected(row) and row["origin"] == "sync"}
    standing: dict[int, set[int]] = {}
    for (user_id, school_id), row in before.user_schools.items():
        if row["is_active"]:
            standing.setdefault(user_id, set()).add(school_id)
    for user_id, schools in standing.items():
        row = before.users[user_id]
        if schools & deselected:
            assert after.users[user_id]["is_shared"] >= row["is_shared"]
        is_known_by_name = after.users[user_id]["source_id"] == row["source_id"]
        if schools <= deselected and not shared.holds("users", row["source_id"]) and is_known_by_name:
            assert after.users[user_id] == row


def what_is_no_longer_shared_is_out_of_sight(roster: Roster, before: Picture, after: Picture) -> None:
    """Selected schools, their classes and people that the feed does not hold: is_shared = false, memberships ended."""
    shared = Shared(roster, after.selected)
    for table in ("schools", "classes"):
        for row in after.tables()[table].values():
            school = row if table == "schools" else after.schools[row["school_id"]]
            if row["origin"] == "sync" and after.is_selected(school):
                assert row["is_shared"] == shared.holds(table, row["source_id"]), table
    for user_id, row in after.users.items():
        stood = {school for (user, school), tie in before.user_schools.items() if user == user_id and tie["is_active"]}
        is_elsewhere = any(not before.is_selected(before.schools[school]) for school in stood)
        if row["origin"] == "sync" and stood and not is_elsewhere:
            assert row["is_shared"] == shared.holds("users", row["source_id"])


# --- Reset ---


def synced_rows_equal_the_feed(roster: Roster, before: Picture, after: Picture) -> None:
    """What the sync made is what is shared, no more and no less; who may not be deleted is out of sight."""
    shared = Shared(roster, after.selected)
    synced: dict[str, dict[Any, Row]] = {
        name: {key: row for key, row in after.tables()[name].items() if row["origin"] == "sync"}
        for name in SYNCED_TABLES
    }
    assert {row["source_id"] for row in synced["schools"].values()} <= shared.schools
    assert {row["source_id"] for row in synced["classes"].values()} <= shared.classes
    users = {key: row for key, row in synced["users"].items() if row["is_shared"]}
    assert all(shared.holds("users", row["source_id"]) for row in users.values())
    for key in synced["users"].keys() - users.keys():
        assert synced["users"][key]["role"] in ADMINS or key in before.candidates | after.candidates
    user_of = {key: row["source_id"] for key, row in users.items()}
    school_of = {key: row["source_id"] for key, row in synced["schools"].items()}
    class_of = {key: row["source_id"] for key, row in synced["classes"].items()}
    for (user_id, school_id), row in synced["user_schools"].items():
        if user_id in user_of:
            assert row["is_active"]
            assert (user_of[user_id], school_of[school_id]) in shared.memberships
    for (class_id, user_id, role), row in synced["enrollments"].items():
        if user_id in user_of:
            assert row["is_active"]
            assert (class_of[class_id], user_of[user_id], role) in shared.enrollments


def what_hangs_on_kept_rows_is_kept(before: Picture, after: Picture) -> None:
    """Licenses and books; and none is given to anybody else."""
    for key, row in before.licenses.items():
        if row["user_id"] in after.users or row["school_id"] in after.schools:
            assert after.licenses[key] == row
    for class_id, book_id in before.class_books:
        assert class_id not in after.classes or (class_id, book_id) in after.class_books
    for user_id, class_id, book_id in before.student_books:
        if user_id in after.users and class_id in after.classes:
            assert (user_id, class_id, book_id) in after.student_books


def admins_and_candidates_are_kept(before: Picture, after: Picture) -> None:
    """A district_admin always, a school_admin while one of their schools is, a candidate of an open review always."""
    for key, row in before.users.items():
        schools = before.schools_of(key)
        is_theirs_kept = not schools or schools & after.schools.keys()
        if row["role"] == "district_admin" or (row["role"] == "school_admin" and is_theirs_kept):
            assert key in after.users
        if key in before.candidates & after.candidates:
            assert key in after.users


def rows_made_by_hand_stay_with_their_school(before: Picture, after: Picture) -> None:
    """Deleted only with their school."""
    assert before.manual("schools").items() <= after.schools.items()
    for key, row in before.manual("classes").items():
        if row["school_id"] in after.schools:
            assert after.classes[key] == row
    for key, row in before.manual("users").items():
        ties = before.schools_of(key)
        if not ties or ties & after.schools.keys():
            assert after.users[key] == row
    for (class_id, user_id, role), row in before.manual("enrollments").items():
        if class_id in after.classes and user_id in after.users:
            assert after.enrollments[class_id, user_id, role] == row
    for (user_id, school_id), row in before.manual("user_schools").items():
        if user_id in after.users and school_id in after.schools:
            assert after.user_schools[user_id, school_id] == row


def what_people_made_is_gone(before: Picture, after: Picture) -> None:
    """Where the run's parameter asks for it: but for admins, and for what the feed holds too."""
    for table in ("users", "classes"):
        for key, row in before.manual(table).items():
            assert key not in after.tables()[table] or row.get("role") in ADMINS or key in before.candidates, table
