"""Over random nights: nobody ever holds a license or a book that was given under two other names."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dsl.roster import Roster
from tests.dsl.world import World

HUMANS: Final = (
    ("Ann", "Lee", "teacher"), ("Ben", "Lee", "student"), ("Eva", "Ray", "student"), ("Max", "Roe", "teacher"),
    ("Eva", "Fox", "student"), ("Tom", "Oh", "teacher"), ("Kim", "Poe", "student"),
)  # fmt: skip
"""Names that never change. Two pairs share one of two names; no third person links two of them."""
Names = tuple[str | None, str | None]
_districts = itertools.count(1)


@dataclass(frozen=True)
class Listed:
    """One record of a night: which human, under which id, number and address."""

    human: int
    source_id: str
    sis_id: str
    email: str


LISTED = st.builds(
    Listed,
    st.integers(0, len(HUMANS) - 1),
    st.sampled_from([f"P{number}" for number in range(6)]),
    st.sampled_from(["n1", "n2", "n3", "994", "", "NULL", "0"]),
    st.sampled_from(["a@d.example", "b@d.example", "", "n/a"]),
)
NIGHTS = st.lists(st.lists(LISTED, min_size=2, max_size=7), min_size=2, max_size=4)


def _untangled(nights: list[list[Listed]]) -> list[list[Listed]]:
    """The nights without numbers and addresses that would prove two people to be one.

    Under an id that is known, an equal number or address outweighs two new names (docs/rules.md, matching): that is one
    person with a new name, and the property says nothing of it.
    """
    owners: dict[tuple[str, str], int] = {}

    def own(listed: Listed, value: str) -> str:
        return value if owners.setdefault((listed.source_id, value), listed.human) == listed.human else ""

    return [[replace(one, sis_id=own(one, one.sis_id), email=own(one, one.email)) for one in night] for night in nights]


def _roster(night: list[Listed]) -> Roster:
    """Shared, recycled, swapped and doubled as drawn; one teacher and one class are always there."""
    roster = Roster().school("A", name="Adams").teacher("T0", "A").class_("C0", "A", "T0")
    for listed in night:
        given_name, family_name, role = HUMANS[listed.human]
        roster.user(listed.source_id, role, "A", given_name=given_name, family_name=family_name,
                    identifier=listed.sis_id, email=listed.email)  # fmt: skip
        roster.enroll("C0", listed.source_id, role, source_id=f"e-{listed.source_id}-{role}")
    return roster


def _give(world: World) -> dict[tuple[str, int], Names]:
    """A license to every teacher and a book to every student of the first night; under which names they were given."""
    held: dict[tuple[str, int], Names] = {}
    book = world.book()
    class_id = world.class_("C0")["id"]
    for row in world.rows("select * from portal.users where district_id = %s", world.district_id):
        if row["role"] == "teacher":
            key = ("license", world.license(user=row["source_id"]))
        else:
            world.do("insert into portal.class_books (class_id, book_id) values (%s, %s) on conflict do nothing",
                     class_id, book)  # fmt: skip
            world.do("insert into portal.student_books (user_id, class_id, book_id) values (%s, %s, %s)",
                     row["id"], class_id, book)  # fmt: skip
            key = ("book", row["id"])
        held[key] = (row["given_name"], row["family_name"])
    return held


def _holders(world: World) -> dict[tuple[str, int], Names]:
    """Who holds each of them now. A book stays with its row: only a person's answer moves it."""
    found = world.rows(
        "select 'license' as what, l.id, u.given_name, u.family_name from portal.license_assignments l"
        " join portal.users u on u.id = l.user_id where l.district_id = %s"
        " union all select 'book', u.id, u.given_name, u.family_name from portal.student_books b"
        " join portal.users u on u.id = b.user_id where u.district_id = %s",
        world.district_id, world.district_id,
    )  # fmt: skip
    return {(row["what"], row["id"]): (row["given_name"], row["family_name"]) for row in found}


@pytest.mark.xfail(strict=False, reason="issue 14, K1 to K4")
@settings(
    max_examples=12, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(NIGHTS)
def test_nobody_holds_what_was_given_under_two_other_names(world: World, nights: list[list[Listed]]) -> None:
    nights = _untangled(nights)
    there = world.elsewhere(f"d{next(_districts)}").registry(roles=("teacher", "student"))
    try:
        there.run(_roster(nights[0]), max_deleted_percent=100)
        held = _give(there)
        for night in nights[1:]:
            there.run(_roster(night), max_deleted_percent=100)
            for key, names in _holders(there).items():
                assert any(now == then for now, then in zip(names, held[key], strict=True)), (held[key], names)
    finally:  # one statement each: dropping the tables of all runs at once takes more locks than PostgreSQL has
        for row in there.rows("select id from sync.runs where district_id = %s", there.district_id):
            there.do("select staging.drop_run(%s)", row["id"])
