"""The district on its first day as arithmetic: who is in which class, without a list of people in memory."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from include.simulator.ids import mix

LEVELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Elementary School", ("PK", "KG", "01", "02", "03", "04", "05")),
    ("Middle School", ("06", "07", "08")),
    ("High School", ("09", "10", "11", "12")),
    ("Academy", ("KG", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12")),
)
_LEVEL_CYCLE = (0, 1, 2, 0, 1, 0, 0, 2, 3, 0, 1, 2)
GRADES = ("PK", "KG", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12")
SUBJECTS = (
    # name, code, course titles by level (elementary, middle, high, academy), Clever's subject
    ("Homeroom", "HR", ("Homeroom", "Homeroom", "Advisory", "Homeroom"), "homeroom/advisory"),
    ("English", "ELA", ("Reading, Writing", "English", "Literature", "English"), "english/language arts"),
    ("Mathematics", "MAT", ("Numbers", "Mathematics", "Algebra, Geometry", "Mathematics"), "math"),
    ("Science", "SCI", ("Nature", "Science", "Biology", "Science"), "science"),
    ("Social Studies", "SOC", ("Our Town", "Social Studies", "World History", "History"), "social studies"),
    ("Arts", "ART", ("Music", "Arts", "Studio Art", "Arts"), "arts and music"),
    ("Physical Education", "PE", ("Games", "P.E.", "P.E.", "P.E."), "PE and health"),
    ("Technology", "TEC", ("Makers", "Technology", "Computing", "Technology"), "technology and engineering"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One grade of one school: students r = 0..size-1, and per period how many take part in how many classes."""

    grade: str
    first: int
    """Local number of the block's first student."""
    size: int
    takers: tuple[int, ...]
    sections: tuple[int, ...]
    first_class: tuple[int, ...]
    """Global index of the first class of each period."""
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A school as it was laid out on the first day."""

    index: int
    level: int
    first_student: int
    students: int
    first_teacher: int
    teachers: int
    first_class: int
    classes: int
    blocks: tuple[Block, ...]

    def block_of(self, local: int) -> Block:
        """The grade block of a student, by local number."""
        return self.blocks[local * len(self.blocks) // self.students]


class Layout:
    """The first day of a district."""

    def __init__(self, seed: int, students: int, schools: int, classes_per_student: float) -> None:
        """Lays out the schools; time and memory grow with the number of schools, not of students."""
        self.seed = seed
        self.students = students
        self.classes_per_student = classes_per_student
        self.periods = math.ceil(classes_per_student)
        self.plans: list[Plan] = []
        first_student = first_teacher = first_class = 0
        for index, size in enumerate(self._sizes(students, schools)):
            plan = self._plan(index, size, first_student, first_teacher, first_class)
            self.plans.append(plan)
            first_student += plan.students
            first_teacher += plan.teachers
            first_class += plan.classes
        self.teachers = first_teacher
        self.classes = first_class
        self._student_starts = [plan.first_student for plan in self.plans]
        self._teacher_starts = [plan.first_teacher for plan in self.plans]
        self._class_starts = [plan.first_class for plan in self.plans]

    def _sizes(self, students: int, schools: int) -> list[int]:
        weights = [60 + mix(self.seed, 1, index) % 81 for index in range(schools)]
        total = sum(weights)
        bounds, run = [0], 0
        for weight in weights:
            run += weight
            bounds.append(students * run // total)
        return [after - before for before, after in pairwise(bounds)]

    def _plan(self, index: int, size: int, first_student: int, first_teacher: int, first_class: int) -> Plan:
        level = _LEVEL_CYCLE[index % len(_LEVEL_CYCLE)]
        grades = LEVELS[level][1]
        count = min(len(grades), max(1, size))
        blocks, next_class = [], first_class
        for number, grade in enumerate(grades[:count]):
            first = -(-number * size // count)
            block = self._block(index, grade, first, -(-(number + 1) * size // count) - first, next_class)
            next_class += sum(block.sections)
            blocks.append(block)
        teachers = max(1, round(size / 17))
        return Plan(
            index, level, first_student, size, first_teacher, teachers, first_class, next_class - first_class,
            tuple(blocks),
        )  # fmt: skip

    def _block(self, school: int, grade: str, first: int, size: int, first_class: int) -> Block:
        takers, sections, firsts, strides = [], [], [], []
        for period in range(self.periods):
            part = min(1.0, self.classes_per_student - period)
            taking = math.floor(size * part + 1e-9)
            stride = 1 + mix(self.seed, 2, school, period) % max(1, taking)
            while math.gcd(stride, max(1, taking)) != 1:
                stride += 1
            takers.append(taking)
            sections.append(max(1, round(taking / 25)) if taking else 0)
            firsts.append(first_class)
            strides.append(stride)
            first_class += sections[-1]
        return Block(grade, first, size, tuple(takers), tuple(sections), tuple(firsts), tuple(strides))

    def school_of_student(self, index: int) -> Plan:
        """The first school of a student of the first day."""
        return self.plans[bisect_right(self._student_starts, index) - 1]

    def school_of_teacher(self, index: int) -> Plan:
        """The first school of a teacher of the first day."""
        return self.plans[bisect_right(self._teacher_starts, index) - 1]

    def school_of_class(self, index: int) -> Plan:
        """The school of a class of the first day."""
        return self.plans[bisect_right(self._class_starts, index) - 1]

    def placements(self, plan: Plan, local: int) -> list[int]:
        """The classes of a student of the first day, one a period; -1 = none in that period."""
        block = plan.block_of(local)
        rank, result = local - block.first, []
        for period, taking in enumerate(block.takers):
            place = rank
            if taking < block.size:
                place = rank * taking // block.size
                if (rank + 1) * taking // block.size == place:
                    result.append(-1)
                    continue
            seat = (place * block.strides[period]) % taking
            result.append(block.first_class[period] + seat * block.sections[period] // taking)
        return result

    def slot_of_class(self, index: int) -> tuple[Plan, Block, int, int]:
        """The slot of a class of the first day: school, grade block, period, number within the period."""
        plan = self.school_of_class(index)
        for block in plan.blocks:
            for period, first in enumerate(block.first_class):
                if first <= index < first + block.sections[period]:
                    return plan, block, period, index - first
        raise IndexError(index)


def course_index(grade: str, period: int) -> int:
    """The course of a grade's period: one a grade and subject."""
    return GRADES.index(grade) * len(SUBJECTS) + period % len(SUBJECTS)
