"""Random stories of a district: what becomes of every row of its feed, day by day; what people do; what is run.

A day decides the fate of all schools, classes and people at once, so that one run meets many situations together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hypothesis import strategies as st

from tests.dsl.roster import Roster

SCHOOLS: Final = ("a", "b", "c")
CLASSES: Final = {"k1": "a", "k2": "b", "k3": "c", "k4": "a"}
PEOPLE: Final = {
    "t1": ("teacher", "a"), "t2": ("teacher", "ab"), "t3": ("teacher", "c"),
    "s1": ("student", "a"), "s2": ("student", "ab"), "s3": ("student", "b"), "s4": ("student", "c"),
    "s5": ("student", "ac"),
}  # fmt: skip
ENROLLED: Final = {
    "k1": ("t1", "s1", "s2"), "k2": ("t2", "s2", "s3"), "k3": ("t3", "s4", "s5"), "k4": ("t2", "s1", "s5"),
}  # fmt: skip
ALWAYS: Final = ("a", "k1", "t1")
"""Never gone: a feed without any class or person is refused or asked about, and teaches nothing here."""

FATES: Final = {
    "loosen": {
        "people": ("stay", "stay", "leave", "leave", "leave", "leave", "join", "move", "rename", "role"),
        "classes": ("stay", "stay", "stay", "move", "rename"),
        "schools": ("stay", "stay", "stay", "stay", "stay", "gone"),
    },
    "lose": {
        "people": ("stay", "stay", "gone", "gone", "gone", "called gone", "twin", "reborn", "leave"),
        "classes": ("stay", "stay", "stay", "gone", "move", "reborn", "anew"),
        "schools": ("stay", "stay", "stay", "gone"),
    },
    "return": {
        "people": ("return", "return", "return", "return", "return", "join", "stay"),
        "classes": ("return", "return", "stay", "rename", "anew"),
        "schools": ("return", "return", "stay"),
    },
    "any": {
        "people": ("stay", "return", "gone", "called gone", "leave", "join", "move", "rename", "reborn", "twin"),
        "classes": ("stay", "stay", "return", "gone", "move", "rename", "reborn", "anew"),
        "schools": ("stay", "stay", "stay", "return", "gone", "rename"),
    },
}
"""What may become of a row on a day of this mood."""
CHAPTERS: Final = (
    ("loosen: edit", "lose: reset", "return: edit", "undo newest reset"),
    ("loosen: edit", "lose: reset", "return: edit", "undo newest reset"),
    ("loosen: edit", "lose: reset", "return: edit", "undo newest reset"),
    ("lose: reset", "return: edit", "any: edit", "undo newest reset"),
    ("any: reset", "return: edit with a question", "loosen: reset", "undo oldest reset"),
    ("return: edit", "undo newest run"),
    ("return: edit", "undo newest run"),
    ("any: edit", "undo newest run"),
    ("lose: reset", "undo newest run"),
    ("lose: edit with a question", "any: reset with manual rows", "undo newest run"),
    ("lose: reset with a question", "return: edit"),
    ("lose: edit", "any: reset"),
)
"""Days in a row, each a mood and a run; then perhaps an Undo."""
KINDS_OF_WORK: Final = (
    "license", "license", "license", "school license", "book", "book", "enroll", "admin", "admin", "admin", "role",
    "disable", "club", "co-teacher", "join", "rename",
)  # fmt: skip
WORK_BEFORE_AN_UNDO: Final = (
    "license", "license", "school license", "school license", "book", "book", "enroll", "admin", "disable", "club",
    "join", "rename",
)  # fmt: skip


@dataclass(frozen=True)
class Work:
    """One thing that somebody does in the portal, to rows that the picks choose."""

    kind: str
    pick: int
    other: int


@dataclass(frozen=True)
class Day:
    """What happens on one day, in this order."""

    fates: dict[str, str]
    selected: str
    """The schools that the district selects; '' = all, '=' = as before."""
    work: tuple[Work, ...]
    decisions: str
    """How open match reviews are settled: 'same', 'different', or not at all."""
    run: str
    is_answered: bool = False
    is_repeated: bool = False


@dataclass(frozen=True)
class Chapter:
    """Some days; then people work once more, and a run is undone."""

    days: tuple[Day, ...]
    work: tuple[Work, ...]
    undo: str


def _works(kinds: tuple[str, ...], least: int, most: int) -> st.SearchStrategy[list[Work]]:
    picks = st.integers(0, 15)
    return st.lists(st.builds(Work, st.sampled_from(kinds), picks, picks), min_size=least, max_size=most)


@st.composite
def chapters(draw: st.DrawFn) -> Chapter:
    """One random chapter."""
    plot = draw(st.sampled_from(CHAPTERS))
    days = tuple(draw(_days(*step.split(": "))) for step in plot if ": " in step)
    is_undone = plot[-1].startswith("undo ")
    work = draw(_works(WORK_BEFORE_AN_UNDO, 1, 6)) if is_undone else ()
    return Chapter(days, tuple(work), plot[-1].removeprefix("undo ") if is_undone else "")


@st.composite
def _days(draw: st.DrawFn, mood: str, run: str) -> Day:
    fates = {school: draw(st.sampled_from(FATES[mood]["schools"])) for school in SCHOOLS}
    fates |= {course: draw(st.sampled_from(FATES[mood]["classes"])) for course in CLASSES}
    fates |= {person: draw(st.sampled_from(FATES[mood]["people"])) for person in PEOPLE}
    return Day(
        fates={name: fate for name, fate in fates.items() if fate != "stay"},
        selected=draw(st.sampled_from(("=", "=", "=", "=", "=", "", "ab", "ac"))),
        work=tuple(draw(_works(KINDS_OF_WORK, 2, 6))),
        decisions=draw(st.sampled_from(("same", "different", ""))),
        run=run,
        is_answered=draw(st.booleans()),
        is_repeated=draw(st.integers(0, 3)) == 0,
    )


@dataclass
class Member:
    """A person at the source."""

    source_id: str
    role: str
    schools: set[str]
    given_name: str
    email: str
    is_there: bool = True
    status: str = "active"


@dataclass
class Course:
    """A class at the source."""

    source_id: str
    school: str
    title: str
    sis_id: str
    is_there: bool = True


@dataclass
class Source:
    """The district's own system, from one day to the next."""

    names: dict[str, str] = field(default_factory=lambda: {school: f"School {school}" for school in SCHOOLS})
    closed: set[str] = field(default_factory=lambda: {"c"})
    """Not shared now. The third school comes later: so do all who are only there."""
    people: dict[str, Member] = field(default_factory=dict)
    classes: dict[str, Course] = field(default_factory=dict)
    enrolled: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """As it was on the first day."""
        for name, (role, schools) in PEOPLE.items():
            self.people[name] = Member(name, role, set(schools), f"Given {name}", f"{name}@district.example")
        for name, school in CLASSES.items():
            self.classes[name] = Course(name, school, f"Class {name}", f"sis-{name}")
        self.enrolled = {(course, person) for course, people in ENROLLED.items() for person in people}

    def live(self, fates: dict[str, str]) -> None:
        """Lets a day pass."""
        for name, fate in fates.items():
            if name in ALWAYS and fate in ("gone", "called gone", "twin", "move", "leave", "anew"):
                continue
            if name in self.people:
                self._person(name, self.people[name], fate)
            elif name in self.classes:
                self._class(name, self.classes[name], fate)
            else:
                self._school(name, fate)

    def _school(self, name: str, fate: str) -> None:
        if name in self.closed:
            self.closed.discard(name)
        elif fate == "gone":
            self.closed.add(name)
        elif fate == "rename":
            self.names[name] += " East"

    def _class(self, name: str, course: Course, fate: str) -> None:
        if not course.is_there:  # back, where it was
            course.is_there, course.school = True, CLASSES[name]
        elif fate == "gone":
            course.is_there = False
        elif fate == "move":
            course.school = SCHOOLS[(SCHOOLS.index(course.school) + 1) % len(SCHOOLS)]
        elif fate == "rename":
            course.title += " II"
        elif fate == "reborn":  # the SIS id tells that it is the same
            course.source_id += "'"
        elif fate == "anew":  # another class with the same people
            course.source_id, course.title, course.sis_id = (
                course.source_id + "'",
                course.title + " B",
                course.sis_id + "b",
            )

    def _person(self, name: str, person: Member, fate: str) -> None:
        if not person.is_there or person.status != "active":  # back, where they were
            person.is_there, person.status = True, "active"
            person.schools = set(PEOPLE[name][1])
            self.enrolled |= {(course, name) for course, people in ENROLLED.items() if name in people}
        elif fate == "gone":
            person.is_there = False
        elif fate == "called gone":
            person.status = "tobedeleted"
        elif fate == "leave":
            self.enrolled.discard(min((pair for pair in self.enrolled if pair[1] == name), default=("", "")))
        elif fate == "join":
            free = [course for course in CLASSES if (course, name) not in self.enrolled]
            self.enrolled |= {(free[0], name)} if free else set()
        elif fate == "move":
            last = max(person.schools)
            person.schools = {SCHOOLS[(SCHOOLS.index(last) + 1) % len(SCHOOLS)]}
            self.enrolled = {pair for pair in self.enrolled if pair[1] != name}
            self.enrolled |= {(course, name) for course, row in self.classes.items() if row.school in person.schools}
        elif fate == "rename":
            person.given_name += " Lee"
        elif fate == "reborn":  # the email tells that they are the same
            person.source_id += "'"
        elif fate == "twin":  # nothing tells
            person.source_id, person.email = person.source_id + "'", ""
        elif fate == "role":
            person.role = {"teacher": "student", "student": "teacher"}[person.role]

    def roster(self) -> Roster:
        """What it shares today."""
        roster = Roster(has_sis_ids=False)
        for school, name in self.names.items():
            if school not in self.closed:
                roster.school(school, name=name)
        for name, person in self.people.items():
            if person.is_there:
                schools = sorted(person.schools - self.closed)
                roster.user(
                    person.source_id, person.role, *schools, status=person.status, email=person.email,
                    given_name=person.given_name, family_name=f"Family-{name}",
                )  # fmt: skip
        for course in self.classes.values():
            if course.is_there and course.school not in self.closed:
                roster.class_(course.source_id, course.school, title=course.title, class_code=course.sis_id)
        for course_name, person_name in sorted(self.enrolled):
            course, person = self.classes[course_name], self.people[person_name]
            if course.source_id in roster.classes and person.is_there:
                roster.enroll(course.source_id, person.source_id, PEOPLE[person_name][0])
        return roster

    def ids_of(self, names: dict[str, str]) -> set[str]:
        """The source ids that these rows have now, and those that they had before."""
        ids = {name: person.source_id for name, person in self.people.items()}
        ids |= {name: course.source_id for name, course in self.classes.items()}
        now = {ids.get(name, name) for name in names}
        return now | {source_id.removesuffix("'") for source_id in now}
