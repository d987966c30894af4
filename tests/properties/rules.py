"""The invariants of issue 4, each comparing the portal before and after a run."""

from __future__ import annotations

from typing import Any

from tests.properties.picture import Picture
from tests.rosters_memory import Roster


def roles_never_change(before: Picture, after: Picture) -> None:
    for user_id in before.users.keys() & after.users.keys():
        assert before.users[user_id]["role"] == after.users[user_id]["role"]


def nothing_is_deleted(before: Picture, after: Picture) -> None:
    for name, rows in before.tables().items():
        assert rows.keys() <= after.tables()[name].keys(), name
    assert before.class_books == after.class_books
    assert before.student_books == after.student_books


def work_of_people_is_untouched(before: Picture, after: Picture) -> None:
    """Licences, and whatever was made by hand."""
    assert before.licenses == after.licenses
    for table in ("schools", "users", "user_schools", "classes", "enrollments"):
        for key, row in before.manual(table).items():
            assert after.tables()[table][key] == row, table


def deselected_schools_are_untouched(before: Picture, after: Picture) -> None:
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


def ids_stay(roster: Roster, before: Picture, after: Picture) -> None:
    """Whom the feed names by the id that the portal knows is the same row afterwards, unless it is gone."""
    for name, rows in (("schools", roster.orgs), ("users", roster.users), ("classes", roster.classes)):
        known = {row["source_id"]: key for key, row in before.tables()[name].items() if row["issuer"] == roster.issuer}
        now = {row["source_id"]: key for key, row in after.tables()[name].items() if row["issuer"] == roster.issuer}
        for source_id in rows.keys() & known.keys() & now.keys():
            assert known[source_id] == now[source_id], name


class Shared:
    """What a feed shares in the selected schools, in source ids."""

    def __init__(self, roster: Roster, selected: frozenset[str] | None) -> None:
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


def synced_rows_equal_the_feed(roster: Roster, before: Picture, after: Picture) -> None:
    shared = Shared(roster, after.selected)
    synced: dict[str, dict[Any, dict[str, Any]]] = {
        name: {key: row for key, row in rows.items() if row["origin"] == "sync"}
        for name, rows in after.tables().items() if name != "licenses"
    }  # fmt: skip
    assert {row["source_id"] for row in synced["schools"].values()} == shared.schools
    assert {row["source_id"] for row in synced["classes"].values()} == shared.classes
    assert all(row["is_shared"] for name in ("schools", "classes") for row in synced[name].values())
    users = {key: row for key, row in synced["users"].items() if row["is_shared"]}
    named = {row["source_id"] for row in users.values()}
    assert shared.users <= named <= shared.users | shared.without_school
    for row in users.values():
        feed = roster.users[row["source_id"]]
        assert (row["given_name"], row["email"] or "") == (feed["given_name"], feed["email"])
    user_of = {key: row["source_id"] for key, row in users.items()}
    school_of = {key: row["source_id"] for key, row in synced["schools"].items()}
    class_of = {key: row["source_id"] for key, row in synced["classes"].items()}
    held = {(user_of[u], school_of[s]) for u, s in after.user_schools if u in user_of and s in school_of}
    assert shared.memberships <= held
    for (user_id, school_id), row in synced["user_schools"].items():
        if user_id in user_of:
            assert row["is_active"]
            assert (user_of[user_id], school_of[school_id]) in shared.memberships
    enrolled = {(class_of[c], user_of[u], role) for c, u, role in after.enrollments if c in class_of and u in user_of}
    assert shared.enrollments <= enrolled
    for (class_id, user_id, role), row in synced["enrollments"].items():
        if user_id in user_of:
            assert row["is_active"]
            assert (class_of[class_id], user_of[user_id], role) in shared.enrollments


def who_was_disabled_by_hand_stays_so(before: Picture, after: Picture) -> None:
    for user_id in before.users.keys() & after.users.keys():
        row = before.users[user_id]
        if not row["is_enabled"] and row["is_enabled_at_source"] is not False:
            assert not after.users[user_id]["is_enabled"]


def what_hangs_on_kept_rows_is_kept(before: Picture, after: Picture) -> None:
    for key, row in before.licenses.items():
        if row["user_id"] in after.users or row["school_id"] in after.schools:
            assert after.licenses[key] == row
    assert after.licenses.keys() <= before.licenses.keys()
    for class_id, book_id in before.class_books:
        assert class_id not in after.classes or (class_id, book_id) in after.class_books
    for user_id, class_id, book_id in before.student_books:
        if user_id in after.users and class_id in after.classes:
            assert (user_id, class_id, book_id) in after.student_books


def rows_made_by_hand_stay_with_their_school(before: Picture, after: Picture) -> None:
    assert before.manual("schools").items() <= after.schools.items()
    for key, row in before.manual("classes").items():
        if row["school_id"] in after.schools:
            assert after.classes[key] == row
    schools_of: dict[int, set[int]] = {}
    for user_id, school_id in before.user_schools:
        schools_of.setdefault(user_id, set()).add(school_id)
    for key, row in before.manual("users").items():
        ties = schools_of.get(key, set())
        if not ties or ties & after.schools.keys() or row["role"] == "district_admin":
            assert after.users[key] == row
    for (class_id, user_id, role), row in before.manual("enrollments").items():
        if class_id in after.classes and user_id in after.users:
            assert after.enrollments[class_id, user_id, role] == row
    for (user_id, school_id), row in before.manual("user_schools").items():
        if user_id in after.users and school_id in after.schools:
            assert after.user_schools[user_id, school_id] == row


def no_work_is_lost_by_an_undo(before: Picture, after: Picture) -> None:
    """Each licence, book and hand-made row is still there: on the same row, or on the one that took it over."""

    def now(entity: str, row_id: int | None) -> int | None:
        if row_id is None or row_id in after.tables()[entity]:
            return row_id
        names = [(entity, issuer, source_id) for issuer, source_id in before.known_as(entity, row_id)]
        found = {after.ids[name] for name in names if name in after.ids}
        assert len(found) == 1, (entity, row_id, found)
        return found.pop()

    for key, row in before.licenses.items():
        holder = after.licenses[key]["user_id"], after.licenses[key]["school_id"]
        assert holder == (now("users", row["user_id"]), now("schools", row["school_id"]))
    for class_id, book_id in before.class_books:
        assert (now("classes", class_id), book_id) in after.class_books
    for user_id, class_id, book_id in before.student_books:
        assert (now("users", user_id), now("classes", class_id), book_id) in after.student_books
    for name in ("schools", "users", "classes"):
        assert before.manual(name).keys() <= after.tables()[name].keys()
    for class_id, user_id, role in before.manual("enrollments"):
        row = after.enrollments[now("classes", class_id), now("users", user_id), role]  # type: ignore[index]
        assert row["origin"] == "manual"
        assert row["is_active"]
    for user_id, school_id in before.manual("user_schools"):
        row = after.user_schools[now("users", user_id), now("schools", school_id)]  # type: ignore[index]
        assert row["origin"] == "manual"
        assert row["is_active"]
