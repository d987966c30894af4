"""What people do in the portal, mostly to the very rows that the feed has just changed or is about to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from roster_sync.engine import matching
from tests.dsl.world import World
from tests.properties.stories import Work


class Desk:
    """The portal's own application, as far as these tests use it."""

    def __init__(self, portal: World) -> None:
        """At this district."""
        self.portal = portal
        self.concerned: set[str] = set()
        """Source ids of what the feed changes today or changed yesterday."""
        self._does: dict[str, Callable[[Work], None]] = {
            "license": self._license, "school license": self._school_license, "book": self._book,
            "enroll": self._enroll, "admin": self._admin, "role": self._role, "disable": self._disable,
            "club": self._club, "co-teacher": self._co_teacher, "join": self._join, "rename": self._rename,
        }  # fmt: skip

    def do(self, work: Work) -> None:
        """Does it, where there is something to do it to."""
        self._does[work.kind](work)

    def _pick(self, table: str, pick: int, where: str = "true") -> Any:
        """A row's id: one that the newest run added, one of those concerned, or any."""
        found = self.portal.tuples(
            f"select id, source_id, created_run_id from portal.{table} t"  # noqa: S608
            f" where district_id = %(d)s and {where} order by id"
        )
        newest = max((row[2] or 0 for row in found), default=0)
        added = [row for row in found if row[2] and row[2] == newest] if pick % 4 > 1 else []
        concerned = [row for row in found if row[1] in self.concerned] if pick % 4 else []
        rows = added or concerned or found
        return rows[pick // 2 % len(rows)][0] if rows else None

    def _license(self, work: Work) -> None:
        self._give_license("user_id", self._pick("users", work.pick))

    def _school_license(self, work: Work) -> None:
        self._give_license("school_id", self._pick("schools", work.pick))

    def _give_license(self, column: str, holder: Any) -> None:
        if holder is not None:
            self.portal.do(f"insert into portal.license_assignments (district_id, product_id, {column})"  # noqa: S608
                             " values (%(d)s, %(p)s, %(o)s)", p=self.portal.product(), o=holder)  # fmt: skip

    def _book(self, work: Work) -> None:
        class_id, book = self._pick("classes", work.pick), self.portal.book()
        if class_id is not None:
            self.portal.do("insert into portal.class_books values (%(c)s, %(b)s) on conflict do nothing",
                             c=class_id, b=book)  # fmt: skip
            self.portal.do(
                "insert into portal.student_books select user_id, class_id, %(b)s from portal.enrollments"
                " where class_id = %(c)s and role = 'student' order by 1 limit %(n)s on conflict do nothing",
                c=class_id, b=book, n=work.other % 4,
            )  # fmt: skip

    def _enroll(self, work: Work) -> None:
        class_id, user_id = self._pick("classes", work.other), self._pick("users", work.pick)
        role = "teacher" if work.pick % 2 else "student"
        if class_id is not None and user_id is not None:
            self.portal.do("insert into portal.enrollments (district_id, class_id, user_id, role)"
                             " values (%(d)s, %(c)s, %(u)s, %(r)s) on conflict do nothing",
                             c=class_id, u=user_id, r=role)  # fmt: skip

    def _admin(self, work: Work) -> None:
        """Someone made by hand, in two schools, in one, or in none; or someone who stands in the portal is made one."""
        role = "district_admin" if work.other % 3 == 0 else "school_admin"
        schools = {self._pick("schools", work.pick), self._pick("schools", work.other * 4)}
        if work.pick % 2:
            user_id = self._pick("users", work.other)
            self.portal.do("update portal.users set role = %(r)s where id = %(u)s", r=role, u=user_id)
        else:
            user_id = self.portal.add_by_hand(role)
        for school_id in schools - {None} if work.other % 7 and user_id else ():
            self.portal.do("insert into portal.user_schools (user_id, school_id) values (%(u)s, %(s)s)"
                             " on conflict do nothing", u=user_id, s=school_id)  # fmt: skip

    def _role(self, work: Work) -> None:
        role = ("teacher", "student")[work.other % 2]
        self.portal.do("update portal.users set role = %(r)s where id = %(u)s",
                         r=role, u=self._pick("users", work.pick))  # fmt: skip

    def _disable(self, work: Work) -> None:
        self.portal.do("update portal.users set is_enabled = false where id = %(u)s",
                         u=self._pick("users", work.pick))  # fmt: skip

    def _rename(self, work: Work) -> None:
        self.portal.do("update portal.users set family_name = 'By Hand' where id = %(u)s",
                         u=self._pick("users", work.pick))  # fmt: skip
        self.portal.do("update portal.classes set subject = 'By hand' where id = %(c)s",
                         c=self._pick("classes", work.other))  # fmt: skip

    def _club(self, work: Work) -> None:
        """A class made by hand, with someone of the feed in it."""
        school, user_id = self._pick("schools", work.pick), self._pick("users", work.other)
        if school is not None:
            club = self.portal.value("insert into portal.classes (district_id, school_id, title)"
                                   " values (%(d)s, %(s)s, 'Club') returning id", s=school)  # fmt: skip
            if user_id is not None:
                self.portal.enroll_by_hand(club, user_id, "student")

    def _co_teacher(self, work: Work) -> None:
        """A teacher made by hand, in a school and in a class of the feed."""
        class_id, school = self._pick("classes", work.pick), self._pick("schools", work.other)
        user_id = self.portal.add_by_hand("teacher")
        if school is not None:
            self.portal.join(user_id, school)
        if class_id is not None:
            self.portal.enroll_by_hand(class_id, user_id, "teacher")

    def _join(self, work: Work) -> None:
        school, user_id = self._pick("schools", work.other), self._pick("users", work.pick)
        if school is not None and user_id is not None:
            self.portal.do("insert into portal.user_schools (user_id, school_id) values (%(u)s, %(s)s)"
                             " on conflict do nothing", u=user_id, s=school)  # fmt: skip

    def reviews(self) -> list[int]:
        """The open match reviews whose two people are both there."""
        found = self.portal.tuples(
            "select w.id from sync.worklist w join portal.users n on n.id = w.subject_id"
            " join portal.users o on o.id = w.second_subject_id"
            " where w.district_id = %(d)s and kind = 'match_review' and resolved_at is null order by 1"
        )
        return [row[0] for row in found]

    def settle(self, review: int, decision: str) -> None:
        """Settles a match review."""
        settle = matching.same_person if decision == "same" else matching.not_the_same
        settle(self.portal.app, review, "Ada Approver")
