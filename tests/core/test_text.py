"""How numbers, names and times read."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from roster_sync.core import text

REPOSITORY = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 12, 1, 8, 15, tzinfo=timezone.utc)


def test_a_number_has_its_thousands_marked_and_a_missing_one_is_a_dash():
    assert [text.number(value) for value in (0, 999, 1234567, 1999.6, None)] == ["0", "999", "1,234,567", "2,000", "–"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0%"),
        (0.04, "< 0.1%"),
        (5, "5%"),
        (12.34, "12.3%"),
        (99.96, "99.9%"),
        (100, "100%"),
        (250, "250%"),
        (None, "–"),
    ],
)
def test_a_percentage_has_no_space_and_is_never_rounded_to_none_or_all(value, shown):
    assert text.percent(value) == shown


def test_a_share_of_nothing_is_no_number():
    assert [text.share(12, 40), text.share(1, 3), text.share(3, 0), text.share(None, 3)] == ["30%", "33.3%", "–", "–"]


@pytest.mark.parametrize(
    ("count", "words", "shown"),
    [
        (1, ("school",), "1 school"),
        (2481, ("student",), "2,481 students"),
        (0, ("class", "classes"), "0 classes"),
        (1, ("needs a license", "need a license"), "1 needs a license"),
        (None, ("row",), "0 rows"),
    ],
)
def test_one_is_one_and_all_else_are_many(count, words, shown):
    assert text.plural(count, *words) == shown
    assert text.noun(count, *words) == shown.partition(" ")[2]


def test_a_long_list_names_the_first_and_counts_the_others():
    names = ["Pine School", "Elm School", "Oak School"]
    assert text.listing(names) == "Pine School, Elm School, Oak School"
    assert text.listing(names, 2) == "Pine School, Elm School and 1 more"


def test_the_article_follows_the_sound():
    assert [text.with_article(name) for name in ("Edit", "Reset", "Undo")] == ["an Edit", "a Reset", "an Undo"]


def test_a_name_may_lack_a_part_or_both():
    ada, half, none = (
        {"given_name": given, "family_name": family}
        for given, family in (("Ada", "Brindle"), (None, "Brindle"), (None, ""))
    )
    assert [text.full_name(row) for row in (ada, half, none)] == ["Ada Brindle", "Brindle", "(no name)"]
    assert [text.last_name_first(row) for row in (ada, half, none)] == ["Brindle, Ada", "Brindle", "(no name)"]


def test_a_day_and_a_moment_read_as_in_the_united_states():
    assert text.day(date(2026, 12, 1)) == text.day("2026-12-01") == "Dec 1, 2026"
    assert text.moment(NOW, "America/Chicago") == "Dec 1, 2026, 2:15 AM CST"
    assert text.moment("2026-07-04T18:00:00+00:00", "America/New_York") == "Jul 4, 2026, 2:00 PM EDT"
    assert text.moment(NOW.replace(hour=0), "UTC") == "Dec 1, 2026, 12:15 AM UTC"
    assert text.moment(NOW.replace(hour=12)) == "Dec 1, 2026, 12:15 PM UTC"
    assert (text.day(None), text.moment(None)) == ("–", "–")


def test_time_passed_and_time_left_are_said_in_the_largest_unit():
    steps = (30, 60, 7200, 86_400 * 3)
    assert [text.ago(NOW - timedelta(seconds=step), NOW) for step in steps] == [
        "just now", "1 minute ago", "2 hours ago", "3 days ago",
    ]  # fmt: skip
    assert [text.until(NOW + timedelta(seconds=step), NOW) for step in steps] == [
        "now", "in 1 minute", "in 2 hours", "in 3 days",
    ]  # fmt: skip
    assert (text.ago(None), text.until(None)) == ("never", "never")


def test_a_duration_has_two_units_at_most():
    assert [text.duration(seconds) for seconds in (0.42, 12.3, 185, 120, 4800, 7200, None)] == [
        "0.4 s", "12 s", "3 min 5 s", "2 min", "1 h 20 min", "2 h", "–",
    ]  # fmt: skip


def test_a_table_leaves_out_the_lines_and_columns_in_which_nothing_happens():
    rows = [("Schools", {"of": 8}), ("Students", {"delete": 1234, "of": 2000}), ("Classes", {"add": 7, "of": 128})]
    columns = {"add": "Add", "update": "Update", "delete": "Delete", "of": "Of"}
    assert text.table(rows, columns, total="of") == [
        ["", "Add", "Delete", "Of"],
        ["Students", "–", "1,234", "2,000"],
        ["Classes", "7", "–", "128"],
    ]
    assert text.table(rows[:1], columns, total="of") == []


ADDRESSES = ("name@school.org", "first.last+roster@mail.k12.il.us", "o'neil@school.org")
NO_ADDRESSES = (
    "", "name", "name@school", "name@@school.org", "name@school.", "two names@school.org", "@school.org",
    "name@.org.", "a@b.org c@d.org",
)  # fmt: skip
ONLY_THE_PAGE_REFUSES = (
    "a,b@school.org",
    "<name@school.org>",
    '"name"@school.org',
    "name@school.o",
    "x" * 65 + "@a.org",
)


@pytest.fixture
def in_the_database(portal):
    """What the database takes for an address of a feed: one pattern, in whichever SQL files need it."""
    texts = (path.read_text(encoding="utf-8") for path in (REPOSITORY / "include" / "sql").rglob("*.sql"))
    (pattern,) = {found for text in texts for found in re.findall(r"~ '(\^[^']*@[^']*\$)'", text)}

    def judge(address: str) -> bool:
        with portal.owner() as connection, connection.cursor() as cursor:
            cursor.execute("select %s ~ %s", (address, pattern))
            return bool(cursor.fetchone()[0])

    return judge


def test_the_page_and_the_database_agree_on_what_an_email_address_is(in_the_database):
    for address in ADDRESSES:
        assert (text.is_email(address), in_the_database(address)) == (True, True), address
    for address in NO_ADDRESSES:
        assert (text.is_email(address), in_the_database(address)) == (False, False), address


def test_what_could_be_two_addresses_in_a_header_is_refused_where_a_person_enters_it(in_the_database):
    for address in ONLY_THE_PAGE_REFUSES:
        assert (text.is_email(address), in_the_database(address)) == (False, True), address
