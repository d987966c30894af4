"""What an Undo promises (docs/rules.md, R14), each rule comparing four pictures of the portal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.properties.picture import QUIET, Picture, Row, differences

IDS = ("issuer", "source_id")


@dataclass(frozen=True)
class Undone:
    """A run, and the Undo of it: the portal before and after each."""

    run_id: int
    before_run: Picture
    after_run: Picture
    before: Picture
    after: Picture

    def now(self, entity: str, row_id: int) -> int:
        """The row that stands for this one after the Undo: itself, or the one that took it over."""
        if row_id in self.after.tables()[entity]:
            return row_id
        names = [(entity, issuer, source_id) for issuer, source_id in self.before.known_as(entity, row_id)]
        found = {self.after.ids[name] for name in names if name in self.after.ids}
        assert len(found) == 1, (entity, row_id, found)
        return found.pop()

    def is_merged(self, entity: str, row_id: int | None) -> bool:
        """Whether another row took this one over."""
        return row_id is not None and row_id not in self.after.tables()[entity]


def it_is_exact_where_nothing_came_between(undone: Undone) -> None:
    """Bit for bit. A decision about a match review is work of people, though no row shows it."""
    if not differences(undone.before, undone.after_run) and undone.before.decided == undone.after_run.decided:
        assert differences(undone.before_run, undone.after) == []


def no_work_is_lost(undone: Undone) -> None:
    """Each license, book and hand-made row is still there: on the same row, or on the one that took it over."""
    before, after, now = undone.before, undone.after, undone.now
    for key, row in before.licenses.items():
        assert after.licenses[key]["user_id"] == (row["user_id"] and now("users", row["user_id"]))
        assert after.licenses[key]["school_id"] == (row["school_id"] and now("schools", row["school_id"]))
    for class_id, book_id in before.class_books:
        assert (now("classes", class_id), book_id) in after.class_books
    for user_id, class_id, book_id in before.student_books:
        assert (now("users", user_id), now("classes", class_id), book_id) in after.student_books
    for name in ("schools", "users", "classes"):
        assert before.manual(name).keys() <= after.tables()[name].keys()
    for class_id, user_id, role in before.manual("enrollments"):
        row = after.enrollments[now("classes", class_id), now("users", user_id), role]
        assert row["origin"] == "manual"
        assert row["is_active"]
    for user_id, school_id in before.manual("user_schools"):
        row = after.user_schools[now("users", user_id), now("schools", school_id)]
        assert row["origin"] == "manual"
        assert row["is_active"]


def what_the_run_deleted_is_back(undone: Undone) -> None:
    """Schools and people always; the rest where what it hangs on is there. Ids, roles, licenses, books."""
    after = undone.after
    for table, rows in undone.before_run.tables().items():
        lost = rows.keys() - undone.after_run.tables()[table].keys()
        for key in lost:
            row = rows[key]
            if _has_its_ground(table, key, row, after):
                if key not in after.tables()[table]:  # its id is by now that of a row that was there before
                    assert _holder(undone, table, row) in after.tables()[table], table
                    continue
                back = after.tables()[table][key]
                if table in ("schools", "users", "classes"):
                    given = _given_since(undone, key) if table == "users" else {}
                    assert {**back, **dict.fromkeys(QUIET)} == {**row, **given, **dict.fromkeys(QUIET)}, table
                elif table == "licenses":
                    assert back == row
                elif key not in undone.before.tables()[table]:  # else a later run made it again, and decides
                    assert back["is_active"] >= row["is_active"], table
                    assert back["origin"] == "manual" or row["origin"] == "sync", table
    for class_id, book_id in undone.before_run.class_books - undone.after_run.class_books:
        assert class_id not in after.classes or (class_id, book_id) in after.class_books
    for user_id, class_id, book_id in undone.before_run.student_books - undone.after_run.student_books:
        if user_id in after.users and class_id in after.classes:
            assert (user_id, class_id, book_id) in after.student_books


def _holder(undone: Undone, table: str, row: Row) -> int | None:
    """Which row had this one's source id when it was to come back."""
    rows = undone.before.tables()[table].items()
    return next((key for key, other in rows if all(other[name] == row[name] for name in IDS)), None)


def _given_since(undone: Undone, key: int) -> Row:
    """What people did since to the person whom a later run had made anew, and who went."""
    before = undone.before
    given: Row = {}
    gone = before.users.keys() - undone.after.users.keys()
    for other in (before.users[user] for user in gone if _leads_to(undone, user, key)):
        if other["created_role"] not in (None, other["role"]):
            given["role"] = other["role"]
        if not other["is_enabled"] and other["is_enabled_at_source"] is not False:
            given |= {"is_enabled": False, "is_enabled_at_source": other["is_enabled_at_source"]}
    return given


def _leads_to(undone: Undone, gone: int, key: int) -> bool:
    return any(undone.after.ids.get(("users", *name)) == key for name in undone.before.known_as("users", gone))


def who_was_there_before_the_run_keeps_the_row(undone: Undone) -> None:
    """Nobody gives way to a row that comes back but who was made since."""
    for table in ("schools", "users", "classes"):
        there = undone.before_run.tables()[table].keys() & undone.before.tables()[table].keys()
        assert there <= undone.after.tables()[table].keys(), table


def _has_its_ground(table: str, key: Any, row: Row, after: Picture) -> bool:
    if table == "classes":
        return row["school_id"] in after.schools
    if table == "enrollments":
        return key[0] in after.classes and key[1] in after.users
    if table == "user_schools":
        return key[0] in after.users and key[1] in after.schools
    if table == "licenses":
        return row["user_id"] in after.users or row["school_id"] in after.schools
    return True


def the_row_that_is_back_takes_over_the_enrollments_of_the_new_one(undone: Undone) -> None:
    """Who was active in a class by a later run is so as the old row too."""
    for (class_id, user_id, role), row in undone.before.enrollments.items():
        if row["is_active"] and (undone.is_merged("users", user_id) or undone.is_merged("classes", class_id)):
            if user_id in _added(undone, "users") or class_id in _added(undone, "classes"):
                continue  # taken out, not taken over: the run that is undone had added it
            key = (undone.now("classes", class_id), undone.now("users", user_id), role)
            assert undone.after.enrollments[key]["is_active"]


def only_what_the_run_changed_and_nobody_since_goes_back(undone: Undone) -> None:
    """Column by column, and never a role."""
    for table in ("schools", "users", "classes", "user_schools", "enrollments"):
        pictures = (undone.before_run, undone.after_run, undone.before, undone.after)
        old, new, now, then = (picture.tables()[table] for picture in pictures)
        for key in now.keys() & then.keys():
            for column in now[key].keys() - {*QUIET, *IDS}:
                if now[key][column] == then[key][column] or _is_taken_over(undone, table, key, column):
                    continue
                assert column != "role"
                assert key in new, (table, column)
                assert now[key][column] == new[key][column], (table, column)
                assert key in old, (table, column)
                assert then[key][column] == old[key][column], (table, column)


def _is_taken_over(undone: Undone, table: str, key: Any, column: str) -> bool:
    """Whether this change is one of the pair's: a class whose school came back, a row that was by hand before."""
    if table == "classes" and column == "school_id":
        return undone.is_merged("schools", undone.before.classes[key]["school_id"])
    if table in ("user_schools", "enrollments"):
        return column == "origin" or _has_merged_twin(undone, table, key)
    return False


def _has_merged_twin(undone: Undone, table: str, key: Any) -> bool:
    def now(entity: str, row_id: int) -> int:
        try:
            return undone.now(entity, row_id)
        except AssertionError:  # taken out
            return 0

    if table == "user_schools":
        return any((now("users", user), now("schools", school)) == key
                   for user, school in undone.before.user_schools if (user, school) != key)  # fmt: skip
    return any((now("classes", course), now("users", user), role) == key
               for course, user, role in undone.before.enrollments if (course, user, role) != key)  # fmt: skip


def what_the_run_added_is_out_where_nobody_hung_anything_on_it(undone: Undone) -> None:
    """And stays where somebody did (no_work_is_lost)."""
    worked_on = {row["user_id"] for row in undone.before.licenses.values()}
    worked_on |= {user for user, _, _ in undone.before.student_books}
    worked_on |= {key[1] for key in undone.before.manual("enrollments")}
    worked_on |= {key[0] for key in undone.before.manual("user_schools")}
    for key in _added(undone, "users") & undone.before.users.keys():
        row, added = undone.before.users[key], undone.after_run.users[key]
        is_as_it_came = row["role"] == added["role"] and row["is_enabled"] >= added["is_enabled"]
        if key not in worked_on and is_as_it_came and row["origin"] == "sync" and key not in undone.before.decided:
            assert key not in undone.after.users


def _added(undone: Undone, table: str) -> set[Any]:
    return {
        key
        for key, row in undone.after_run.tables()[table].items()
        if row["created_run_id"] == undone.run_id and key not in undone.before_run.tables()[table]
    }


OF_ROWS_MADE_ONE = (no_work_is_lost, the_row_that_is_back_takes_over_the_enrollments_of_the_new_one)
ALL = (
    it_is_exact_where_nothing_came_between,
    no_work_is_lost,
    what_the_run_deleted_is_back,
    who_was_there_before_the_run_keeps_the_row,
    the_row_that_is_back_takes_over_the_enrollments_of_the_new_one,
    only_what_the_run_changed_and_nobody_since_goes_back,
    what_the_run_added_is_out_where_nobody_hung_anything_on_it,
)
