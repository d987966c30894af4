"""What a digest says: each kind of news, from the database, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from roster_sync.config.templates import counted, moment, number
from roster_sync.core.links import Links
from roster_sync.core.vocabulary import KINDS
from roster_sync.database import db
from roster_sync.engine import undo
from roster_sync.engine.freshen import PARAMETER as EVENTS
from roster_sync.notices.digest_words import (
    MODES,
    ROLES,
    cure_of,
    first_school,
    full_name,
    holders,
    plan_facts,
    plan_table,
    roles,
    table_of,
    undo_table,
)
from roster_sync.notices.mails import SHOWN, Alert, Digest, Row, Section

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from roster_sync.config.districts import District

Notice = Mapping[str, Any]


def make(cursor: Cursor, district_id: int, district: District, links: Links, notices: Sequence[Notice]) -> Digest:
    """The digest of these notices; what has been overtaken since is left out."""
    return _Maker(cursor, district_id, district, links, notices).make()


class _Maker:
    def __init__(
        self, cursor: Cursor, district_id: int, district: District, links: Links, notices: Sequence[Notice]
    ) -> None:
        self._cursor = cursor
        self._district_id = district_id
        self._district = district
        self._links = links
        self._notices = notices
        self._zone = ZoneInfo(district.timezone)
        self._headlines: list[tuple[int, str]] = []
        self._runs = {run["id"]: run for run in self._rows("runs", self._run_ids())}

    def make(self) -> Digest:
        needing = self._run_ids("books_without_teacher", "students_need_books")
        db.run(self._cursor, "notices/book_news", self._params(needing))
        numbers = self._rows("numbers", self._run_ids())[0]
        alerts = [*self._failures(), *self._holds(), *self._expiry(), *self._ended(), *self._previews()]
        sections = [
            *self._new_people(), *self._new_schools(), *self._new_students(), *self._need_books(numbers),
            *self._role_drift(), *self._match_reviews(numbers), *self._licenses_freed(numbers),
            *self._offered_schools(), *self._rejected(), *self._not_complete(),
        ]  # fmt: skip
        newest = self._runs[max(self._runs)] if self._runs else None
        return Digest(
            headline=self._headline(),
            intro=self._intro(newest) if newest else "",
            alerts=alerts,
            table=self._counts(newest) if newest else [],
            sections=sections,
            href=self._links.run(newest["id"]) if newest else self._links.settings(self._district.key),
            unsubscribe=self._links.emails(self._district.key),
        )

    # what is to be seen first

    def _failures(self) -> list[Alert]:
        found = []
        for run_id in self._run_ids("failure"):
            run = self._runs[run_id]
            self._say(0, "the roster sync failed")
            found.append(
                Alert(
                    "bad",
                    f"The {MODES[run['mode']]} failed",
                    [run["message"] or "The run stopped before its end.", "The portal is as it was before this step."],
                    self._links.run(run_id),
                    "Open the run",
                )
            )
        return found

    def _holds(self) -> list[Alert]:
        keys = [int(key.partition(":")[2]) for key in self._keys("hold")]
        found = []
        for hold in self._rows("holds", [], keys=keys) if keys else []:
            self._say(1, "the roster sync waits for an answer")
            plan = hold["summary"]
            text = plan_facts(plan, hold["mode"]) or [
                str(plan.get("sentence") or "More would change than the district's limits allow.")
            ]
            text.append(
                f"Without an answer until {self._time(hold['due_at'])} nothing happens."
                " The question also waits in Airflow's Required Actions."
            )
            found.append(
                Alert(
                    "warn", f"This {MODES[hold['mode']]} waits for your answer", text,
                    self._links.run(hold["run_id"]), "Look and answer", plan_table(plan),
                )
            )  # fmt: skip
        return found

    def _expiry(self) -> list[Alert]:
        if not (keys := self._keys("expiry")):
            return []
        expires_on = date.fromisoformat(max(keys).partition(":")[0])
        days = (expires_on - datetime.now(self._zone).date()).days
        if days < 0:
            return []
        when = "today" if days == 0 else f"in {counted(days, 'day')}"
        self._say(2, f"the roster sync expires {when}")
        day = f"{expires_on:%d %b %Y}".lstrip("0")
        text = [f"The last day of this district's sync is {day}. After it no sync runs, and the portal stays as it is."]
        page = self._links.settings(self._district.key, "expiration")
        return [Alert("warn", f"The sync expires {when}", text, page, "Set a later date")]

    def _ended(self) -> list[Alert]:
        """A Reset or an Undo that was carried out."""
        found = []
        for run_id in self._run_ids("reset"):
            self._say(3, "the Reset is done")
            kept = counted(undo.days(), "day")
            text = [f"The portal holds what is shared now. An Undo brings back what went, for {kept}."]
            found.append(Alert("good", "The Reset is done", text, self._links.run(run_id), "Open the run"))
        for run_id in self._run_ids("undo"):
            run = self._runs[run_id]
            self._say(3, "a sync was undone")
            undone = "a sync"
            if run["undoes_mode"]:
                undone = f"the {MODES[run['undoes_mode']]} of {self._time(run['undoes_started_at'])}"
            text = [f"What {undone} had changed is put back. The next nightly sync follows the source again."]
            found.append(Alert("good", "A sync was undone", text, self._links.run(run_id), "Open the run"))
        return found

    def _previews(self) -> list[Alert]:
        found = []
        for run_id in self._run_ids("preview"):
            run = self._runs[run_id]
            plan = run["plan"]
            self._say(3, f"preview of {'an' if run['mode'] in ('edit', 'undo') else 'a'} {MODES[run['mode']]}")
            text = ["Nothing was written. This is what it would do:", *plan_facts(plan, run["mode"])]
            title = f"Preview of the {MODES[run['mode']]}"
            table = undo_table(plan) if run["mode"] == "undo" else plan_table(plan)
            found.append(Alert("note", title, text, self._links.run(run_id), "Open the preview", table))
        return found

    # lists

    def _new_people(self) -> list[Section]:
        found = self._rows("new_people", self._run_ids("new_people"))
        sections = []
        if teachers := [row for row in found if row["is_teacher"]]:
            total, needing = teachers[0]["total"], teachers[0]["needing"]
            self._say(4, counted(total, "new teacher"))
            sections.append(
                Section(
                    total,
                    "new teacher" if total == 1 else "new teachers",
                    f"{counted(needing, 'needs a license', 'need a license')}: assign one in the portal."
                    if needing
                    else "",
                    [Row(full_name(row), first_school(row)) for row in teachers],
                    self._links.worklist(self._district.key, "teacher_needs_license"),
                    "Teachers who need a license",
                    total,
                )
            )
        if staff := [row for row in found if not row["is_teacher"]]:
            total = staff[0]["total"]
            self._say(5, f"{number(total)} new staff")
            rows = [
                Row(full_name(row), ", ".join(filter(None, [ROLES[row["role"]], first_school(row)]))) for row in staff
            ]
            title = "new member of staff" if total == 1 else "new members of staff"
            sections.append(Section(total, title, "Give them what they need in the portal.", rows, total=total))
        return sections

    def _new_schools(self) -> list[Section]:
        found = self._rows("new_schools", self._run_ids("new_schools"))
        if not found:
            return []
        needing = sum(row["needs_admin"] for row in found)
        self._say(4, counted(len(found), "new school"))
        return [
            Section(
                len(found),
                "new school" if len(found) == 1 else "new schools",
                f"{counted(needing, 'needs a school admin', 'need a school admin')}: add one in the portal."
                if needing
                else "",
                [Row(row["name"]) for row in found],
                self._links.worklist(self._district.key, "school_needs_admin"),
                "Schools that need an admin",
            )
        ]

    def _new_students(self) -> list[Section]:
        run_ids = self._run_ids("new_students")
        added = sum(self._runs[run_id]["counts"].get("students", {}).get("added", 0) for run_id in run_ids)
        if not added:
            return []
        self._say(6, counted(added, "new student"))
        title = "new student" if added == 1 else "new students"
        return [Section(added, title, "", [], self._links.changes(run_ids[-1], "students"), "Who they are")]

    def _need_books(self, numbers: Mapping[str, Any]) -> list[Section]:
        if self._keys("students_need_books"):
            students, classes = numbers["students_without_books"], numbers["classes_with_such"]
            advice = f"New in {counted(classes, 'class', 'classes')} with books. Teachers with a mail address are told."
        elif self._keys("books_without_teacher"):
            students, classes = numbers["students_untold"], numbers["classes_without_teacher"]
            advice = (
                f"New in {counted(classes, 'class', 'classes')} whose teachers have no mail address that we can write "
                "to: give out the books of the class in the portal."
            )
        else:
            return []
        if not students:
            return []
        self._say(6, f"{counted(students, 'student needs', 'students need')} books")
        title = "student needs books" if students == 1 else "students need books"
        href = self._links.worklist(self._district.key, "student_needs_books")
        return [Section(students, title, advice, [], href, "Students without their class's books")]

    def _role_drift(self) -> list[Section]:
        found = self._rows("role_drift", self._run_ids("role_drift"))
        if not found:
            return []
        self._say(6, counted(len(found), "role that differs", "roles that differ"))
        rows = [
            Row(full_name(row), f"{ROLES[row['role']]} in the portal, {roles(row['source_roles'])} at the source")
            for row in found
        ]
        return [
            Section(
                len(found),
                "role differs from the source" if len(found) == 1 else "roles differ from the source",
                "The sync never changes a role: change it in the portal if the source is right.",
                rows,
                self._links.worklist(self._district.key, "role_drift"),
                "Roles that differ",
            )
        ]

    def _match_reviews(self, numbers: Mapping[str, Any]) -> list[Section]:
        found = numbers["match_reviews"]
        if not self._keys("match_review") or not found:
            return []
        self._say(6, counted(found, "possible match", "possible matches"))
        return [
            Section(
                found,
                "new person may be someone you know" if found == 1 else "new people may be someone you know",
                "They were added as new. Say whether each is the same person as before.",
                [],
                self._links.worklist(self._district.key, "match_review"),
                "Matches to review",
            )
        ]

    def _licenses_freed(self, numbers: Mapping[str, Any]) -> list[Section]:
        planned = [
            *self._run_ids("preview"),
            *(run for run in self._run_ids("hold") if self._runs[run]["mode"] == "reset"),
        ]
        sections = []
        if freed := self._rows("licenses_freed", self._run_ids("licenses_freed")):
            total = freed[0]["total"]
            self._say(4, counted(total, "license freed", "licenses freed"))
            title = "license was freed" if total == 1 else "licenses were freed"
            advice = "Their holders are no longer in the portal."
            sections.append(Section(total, title, advice, holders(freed), total=total))
        if self._keys("licenses_freed") and (books := numbers["books_freed"]):
            title = "book of a student was freed" if books == 1 else "books of students were freed"
            sections.append(Section(books, title))
        if planned and (would_be := self._rows("licenses_planned", planned)):
            total = would_be[0]["total"]
            title = "license would be freed" if total == 1 else "licenses would be freed"
            page = self._links.run(planned[-1])
            sections.append(Section(total, title, "", holders(would_be), page, "Open the run", total))
        return sections

    def _offered_schools(self) -> list[Section]:
        keys = self._keys("offered_school")
        found = self._rows("offered_schools", [], keys=keys) if keys else []
        if not found:
            return []
        self._say(5, counted(len(found), "school offered", "schools offered"))
        return [
            Section(
                len(found),
                "new school is offered" if len(found) == 1 else "new schools are offered",
                "Shared by the district and not selected: a school is synced once you select it.",
                [Row(row["name"]) for row in found],
                self._links.settings(self._district.key, "schools"),
                "Select schools",
            )
        ]

    def _rejected(self) -> list[Section]:
        rules: dict[tuple[str, str], int] = {}
        for key in self._keys("rejected"):
            entity, rule, count = key.rsplit(":", 2)
            rules[entity, rule] = int(count)  # an older number of the same rule is overtaken by the newer
        if not rules:
            return []
        total = sum(rules.values())
        self._say(7, counted(total, "row rejected", "rows rejected"))
        rows = [
            cure_of(entity, rule, count) for (entity, rule), count in sorted(rules.items(), key=lambda one: -one[1])
        ]
        return [
            Section(
                total,
                "row was rejected" if total == 1 else "rows were rejected",
                "They were left out; what the portal holds of them stays. Mend them at the source:",
                rows,
                self._links.rejected(self._run_ids("rejected")[-1]),
                "Every rejected row",
            )
        ]

    def _not_complete(self) -> list[Section]:
        rows: list[Row] = []
        for notice in self._of("not_complete"):
            collection = notice["subject_key"].partition(":")[0]
            reason = (self._runs[notice["run_id"]]["proof"].get("not_complete") or {}).get(collection)
            if reason and all(row.what != reason for row in rows):
                rows.append(Row(reason))
        if not rows:
            return []
        self._say(5, "the roster looks incomplete")
        title = "doubt about the roster" if len(rows) == 1 else "doubts about the roster"
        return [Section(len(rows), title, "Nothing that is missing in it was removed from the portal.", rows)]

    # the frame

    def _headline(self) -> str:
        """The gravest news, or up to three of the lesser ones; never a name."""
        ranked = sorted(self._headlines, key=lambda one: one[0])
        grave = [text for rank, text in ranked if rank <= 3]
        return grave[0] if grave else ", ".join(text for _, text in ranked[:3]) or "news of the roster sync"

    def _intro(self, run: Mapping[str, Any]) -> str:
        is_hourly = run["trigger"] == "nightly" and run["parameters"].get(EVENTS)
        trigger = "Hourly" if is_hourly else {"nightly": "Nightly", "manual": "Manual"}[run["trigger"]]
        return f"{trigger} {MODES[run['mode']]} of {self._time(run['started_at'])}"

    def _counts(self, run: Mapping[str, Any]) -> list[list[str]]:
        if run["status"] in ("failed", "previewed"):
            return []
        lines = [
            (label, [counts["added"], counts["updated"], counts["restored"], counts["unshared"], counts["deleted"]])
            for kind, label in KINDS.items()
            if (counts := run["counts"].get(kind))
        ]
        heads = ["Added", "Updated", "Shared again", "No longer shared", "Deleted"]
        if run["mode"] == "undo":
            heads = ["Put back", "Changed back", "Shared again", "No longer shared", "Taken out"]
        return table_of(lines, heads)

    def _say(self, rank: int, text: str) -> None:
        if (rank, text) not in self._headlines:
            self._headlines.append((rank, text))

    def _time(self, value: datetime) -> str:
        return moment(value, self._district.timezone)

    # reading

    def _of(self, kind: str) -> list[Notice]:
        return [notice for notice in self._notices if notice["kind"] == kind]

    def _keys(self, kind: str) -> list[str]:
        return [notice["subject_key"] for notice in self._of(kind)]

    def _run_ids(self, *kinds: str) -> list[int]:
        """The runs of the notices, or of those of these kinds."""
        told = [one for one in self._notices if one["run_id"] is not None]
        return sorted({one["run_id"] for one in told if not kinds or one["kind"] in kinds})

    def _params(self, run_ids: list[int], **more: Any) -> dict[str, Any]:
        return {"district_id": self._district_id, "run_ids": run_ids, **more}

    def _rows(self, name: str, run_ids: list[int], **more: Any) -> list[dict[str, Any]]:
        return db.rows(self._cursor, f"notices/{name}", self._params(run_ids, shown=SHOWN, **more))
