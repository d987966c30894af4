"""What people do in the portal between two nights, and what of it no sync may touch."""

from __future__ import annotations

from typing import Any, Final

from tests.dsl.world import World

Kept = dict[str, list[dict[str, Any]]]

_WORK: Final = (
    "insert into portal.products (code, title) values ('math', 'Mathematics')",
    "insert into portal.books (code, title) values ('b1', 'Book')",
    "insert into portal.license_assignments (district_id, product_id, user_id, assigned_by)"
    " select u.district_id, p.id, u.id, 'someone' from portal.users u, portal.products p"
    " where u.role <> 'student' and u.id % 2 = 0",
    "insert into portal.license_assignments (district_id, product_id, school_id, assigned_by)"
    " select s.district_id, p.id, s.id, 'someone' from portal.schools s, portal.products p",
    "insert into portal.class_books select c.id, b.id from portal.classes c, portal.books b where c.id % 3 = 0",
    "insert into portal.student_books (user_id, class_id, book_id) select e.user_id, e.class_id, b.book_id"
    " from portal.enrollments e join portal.class_books b on b.class_id = e.class_id"
    " where e.role = 'student' and e.user_id % 3 <> 0",
    "insert into portal.users (district_id, role, email, given_name, family_name)"
    " select id, 'school_admin', 'pat@people.example', 'Pat', 'Handmade' from portal.districts",
    "insert into portal.user_schools (user_id, school_id)"
    " select u.id, s.id from portal.users u, portal.schools s where u.origin = 'manual'",
    "insert into sync.subscriptions (district_id, email) select id, 'office@people.example' from portal.districts",
)
_KEPT: Final = {
    "licenses": "select id, product_id, user_id, school_id, assigned_by, assigned_at, expires_on"
    " from portal.license_assignments order by id",
    "class books": "select class_id, book_id from portal.class_books order by 1, 2",
    "books": "select user_id, class_id, book_id from portal.student_books order by 1, 2, 3",
    "roles": "select id, role from portal.users order by id",
    "by hand": "select * from portal.users where origin = 'manual' order by id",
    "schools by hand": "select * from portal.user_schools where origin = 'manual' order by 1, 2",
    "subscriptions": "select email, is_active from sync.subscriptions order by email",
}


def work(world: World) -> None:
    """Licenses, books, a school admin made by hand, a subscription: in every district of this portal."""
    for statement in _WORK:
        world.do(statement)


def kept(world: World) -> Kept:
    """Everything that people made, and every role."""
    return {name: world.rows(query) for name, query in _KEPT.items()}
