"""What a run changed, or would change, as rows of one shape for the page, the CSV export and the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from psycopg2.extensions import cursor as Cursor

from roster_sync.core.text import NO_NAME, last_name_first
from roster_sync.core.vocabulary import ROLES, ROLES_OF_KIND
from roster_sync.database import db
from roster_sync.ui.views import search

Kind = Literal[
    "schools", "teachers", "students", "admins", "classes", "enrollments", "memberships", "licenses", "books"
]
What = Literal["added", "updated", "restored", "unshared", "deleted", "held"]
CURSOR: Final = r"^c?[0-9]*(\.[0-9]+)?$"
SEARCHED: Final = 300
_TABLES: Final = {
    "schools": ["schools"], "teachers": ["users"], "students": ["users"], "admins": ["users"], "classes": ["classes"],
    "enrollments": ["enrollments"], "memberships": ["user_schools"], "licenses": ["license_assignments"],
    "books": ["student_books", "class_books"],
}  # fmt: skip
_ACTIONS: Final = {
    "added": ["insert"], "updated": ["update", "merge"], "restored": ["restore"], "unshared": ["unshare", "end"],
    "deleted": ["delete"],
}  # fmt: skip
_PLANNED: Final = {
    "added": ["add"], "updated": ["update"], "restored": ["restore"], "unshared": ["unshare", "end"],
    "deleted": ["delete"], "held": ["unshare", "end", "delete", "update"],
}  # fmt: skip
_NO_COUNTS: Final = {
    "received": 0, "rejected": 0, "added": 0, "updated": 0, "restored": 0, "unshared": 0, "deleted": 0, "held": 0,
    "unchanged": 0, "before": None, "after": None,
}  # fmt: skip
_HIDDEN: Final = frozenset({
    "id", "district_id", "created_at", "updated_at", "created_run_id", "updated_run_id", "row_hash",
    "is_enabled_at_source", "origin", "is_dummy",
})  # fmt: skip


@dataclass(frozen=True)
class Query:
    """Which rows of a run: kind and change, a text to find, and where the last page ended."""

    kind: str
    what: str
    search: str = ""
    after: str = ""
    """Only ids, so that an address may hold it: `12`, `12.34` or, for a row of sync.changes, `c12`."""


@dataclass
class Change:
    """One row that changed."""

    cursor: str
    label: str
    link: str = ""
    """Its page below the district's; empty where it has none or was deleted."""
    detail: str = ""
    source_id: str = ""
    action: str = ""
    fields: list[tuple[str, Any, Any]] = field(default_factory=list)
    """(column, before, after) of an update."""


@dataclass(frozen=True)
class Labels:
    """Names by kind and ID: as the portal holds them, else as they were when the run deleted them."""

    names: dict[tuple[str, int], str]
    present: set[tuple[str, int]]
    """Those that the portal still holds, and that therefore have a page."""


def rows(cursor: Cursor, run: dict[str, Any], query: Query, limit: int) -> list[Change]:
    """One page of changes, in the order of their ids; of a search, the first that match."""
    if query.what == "held" or is_planned(run):
        return _from_plan(cursor, run, query, limit)
    if query.what != "held" and run["wrote_at"] is not None and _has_none(cursor, run, query):
        return []
    if query.what == "added" and run["mode"] != "undo":
        return _added(cursor, run, query, limit)
    return _recorded(cursor, run, query, limit)


def every(cursor: Cursor, run: dict[str, Any], query: Query, page_size: int = 2000) -> Iterator[Change]:
    """All of them, read page by page so that memory stays flat."""
    while True:
        found = rows(cursor, run, query, page_size)
        yield from found
        if len(found) < page_size:
            return
        query = Query(query.kind, query.what, query.search, found[-1].cursor)


def _has_none(cursor: Cursor, run: dict[str, Any], query: Query) -> bool:
    """Whether the run's own counts say that there is nothing: a search for it could read a million rows."""
    if run["mode"] == "undo":
        return False
    counts = db.rows(cursor, "ui/run_counts", {"run": run["id"]})
    return any(row["entity"] == query.kind and row[query.what] == 0 for row in counts)


def counts_of(cursor: Cursor, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The run's counts by kind; of a run that wrote nothing, what its plan says it would do."""
    found = {row["entity"]: row for row in db.rows(cursor, "ui/run_counts", {"run": run["id"]})}
    if not is_planned(run) or run["mode"] == "undo":
        return found
    for kind, planned in (run["plan"].get("counts") or {}).items():
        would = {
            "added": planned.get("add", 0), "updated": planned.get("update", 0),
            "restored": planned.get("restore", 0), "unshared": planned.get("unshare", 0) + planned.get("end", 0),
            "deleted": planned.get("delete", 0),
        }  # fmt: skip
        seen = (run["plan"].get("seen") or {}).get(kind, 0)
        would["unchanged"] = max(0, seen - would["added"] - would["updated"] - would["restored"])
        if kind in found or any(would.values()):
            found[kind] = {**_NO_COUNTS, "entity": kind, **found.get(kind, {}), **would}
    if run["plan"].get("licenses_to_free"):
        found["licenses"] = {**_NO_COUNTS, "entity": "licenses", "deleted": run["plan"]["licenses_to_free"]}
    return found


def is_planned(run: dict[str, Any]) -> bool:
    """True where the run wrote nothing to the portal, so that only its plan can be shown."""
    return run["wrote_at"] is None and run["status"] in ("previewed", "held", "rejected")


def _after(query: Query) -> tuple[int, int]:
    first, _, second = query.after.removeprefix("c").partition(".")
    return int(first or 0), int(second or 0)


def _params(run: dict[str, Any], query: Query, limit: int) -> dict[str, Any]:
    after, after_user = _after(query)
    return {
        "run": run["id"], "district": run["district_id"], "kind": query.kind, "limit": limit, "after": after,
        "after_user": after_user, "roles": ROLES_OF_KIND.get(query.kind), "pattern": search.pattern(query.search),
        "ids": None, **search.binds(query.search),
    }  # fmt: skip


def _found(cursor: Cursor, run: dict[str, Any], query: Query) -> list[int] | None:
    """The ids of what the searched text names in the portal; None where nothing is searched."""
    if not query.search.strip():
        return None
    params = {"district": run["district_id"], "limit": SEARCHED, "after": 0, "school": 0, **search.binds(query.search)}
    if query.kind == "schools":
        found = db.rows(cursor, "ui/find_schools", params)
    elif query.kind == "classes":
        found = db.rows(cursor, "ui/find_classes", params)
    else:
        found = db.rows(cursor, "ui/find_people", {**params, "roles": ROLES_OF_KIND.get(query.kind, [])})
    return [int(row["id"]) for row in found]


def _link(kind: str, row_id: int) -> str:
    folder = {"schools": "schools", "classes": "classes"}.get(kind, "people")
    return f"/{folder}/{row_id}"


def _added(cursor: Cursor, run: dict[str, Any], query: Query, limit: int) -> list[Change]:
    params = _params(run, query, limit) | {"ids": _found(cursor, run, query)}
    if query.kind in ("licenses", "books", "memberships"):
        return []
    if query.kind == "enrollments":
        return [
            Change(
                f"{row['class_id']}.{row['user_id']}", row["person"] or "", _link("users", row["user_id"]),
                f"{ROLES[row['role']]} in {row['class_title'] or 'an untitled class'}",
                action="add",
            )
            for row in db.rows(cursor, "ui/added_enrollments", params)
        ]  # fmt: skip
    file = {"schools": "ui/added_schools", "classes": "ui/added_classes"}.get(query.kind, "ui/added_users")
    return [
        Change(
            str(row["id"]), row["label"] or NO_NAME, _link(query.kind, row["id"]), _detail(row),
            row["source_id"] or "", "add",
        )
        for row in db.rows(cursor, file, params)
    ]  # fmt: skip


def _detail(row: dict[str, Any]) -> str:
    parts = [row.get("email"), row.get("grade") and f"grade {row['grade']}", row.get("school"), row.get("period")]
    return " · ".join(str(part) for part in parts if part)


def _from_plan(cursor: Cursor, run: dict[str, Any], query: Query, limit: int) -> list[Change]:
    params = _params(run, query, limit) | {
        "actions": _PLANNED[query.what],
        "phases": ["removals", "updates"] if query.what == "held" else ["adds", "updates", "removals"],
    }
    if query.kind == "licenses":
        return _would_free(cursor, query, params)
    if query.kind in ("enrollments", "memberships"):
        return [
            Change(
                f"{row['id']}.{row['user_id']}", row["person"] or "A new person", _link("users", row["user_id"]),
                row["place"] or "", action=row["action"],
            )
            for row in db.rows(cursor, "ui/plan_pairs", params)
        ]  # fmt: skip
    return [
        Change(
            str(row["id"]), row["label"] or NO_NAME, _link(query.kind, row["id"]) if row["is_known"] else "",
            row["email"] or "", row["source_id"] or "", row["action"],
            [(name, None, None) for name in row["changed"] or []],
        )
        for row in db.rows(cursor, "ui/plan_rows", params)
    ]  # fmt: skip


def _would_free(cursor: Cursor, query: Query, params: dict[str, Any]) -> list[Change]:
    if query.what != "deleted":
        return []
    return [
        Change(
            str(row["id"]), row["label"] or NO_NAME,
            _link("people", row["user_id"]) if row["user_id"] else _link("schools", row["school_id"]),
            f"{row['product']} · {ROLES[row['role']] if row['user_id'] else 'School'}", action="free",
        )
        for row in db.rows(cursor, "ui/plan_licenses", params)
    ]  # fmt: skip


def _recorded(cursor: Cursor, run: dict[str, Any], query: Query, limit: int) -> list[Change]:
    params = _params(run, query, limit) | {"tables": _TABLES[query.kind], "actions": _ACTIONS[query.what]}
    if query.search.strip() and query.what == "deleted":
        found = db.rows(cursor, "ui/changes_deleted", params)
    elif query.search.strip():
        wanted = {"ids": _found(cursor, run, query), "table": _TABLES[query.kind][0]}
        found = db.rows(cursor, "ui/changes_of", params | wanted)
    else:
        found = db.rows(cursor, "ui/changes", params)
    labels = _labels(cursor, run["district_id"], run["id"], found)
    return [_change(row, query.kind, labels) for row in found]


def history(cursor: Cursor, district: int, table: str, row_id: int) -> list[dict[str, Any]]:
    """What runs did to one row of the portal, newest first; `fields` are those of a Change."""
    found = db.rows(cursor, "ui/row_changes", {"district": district, "table": table, "id": row_id})
    labels = _labels(cursor, district, None, found)
    return [{**row, "fields": _fields(row, labels)} for row in found]


def _labels(cursor: Cursor, district: int, run: int | None, found: list[dict[str, Any]]) -> Labels:
    """The names behind the ids in these rows; of what is gone, as this run deleted it, or any run."""
    wanted: dict[str, set[int]] = {name: set() for name in ("user", "class", "school", "book", "product")}
    for row in found:
        for image in (row["before"] or {}, row["after"] or {}, row["key"]):
            for name, ids in wanted.items():
                if image.get(f"{name}_id") is not None:
                    ids.add(int(image[f"{name}_id"]))
    params = {
        "district": district, "run": run, "users": list(wanted["user"]),
        "classes": list(wanted["class"]), "schools": list(wanted["school"]), "books": list(wanted["book"]),
        "products": list(wanted["product"]),
    }  # fmt: skip
    here = {(row["kind"], row["id"]): row["label"] or "" for row in db.rows(cursor, "ui/labels", params)}
    for kind, name in (("user", "users"), ("class", "classes"), ("school", "schools")):
        params[name] = [one for one in wanted[kind] if (kind, one) not in here]
    if not (params["users"] or params["classes"] or params["schools"]):
        return Labels(here, set(here))
    gone = {(row["kind"], row["id"]): row["label"] or "" for row in db.rows(cursor, "ui/gone_labels", params)}
    return Labels({**gone, **here}, set(here))


def _change(row: dict[str, Any], kind: str, labels: Labels) -> Change:
    before, after = row["before"] or {}, row["after"] or {}
    image = {**row["key"], **before, **after}
    deleted = row["action"] == "delete"
    change = Change(
        f"c{row['id']}", "", source_id=image.get("source_id") or "", action=row["action"], fields=_fields(row, labels)
    )
    if row["table_name"] in ("schools", "classes", "users"):
        change.label = row["label"] or _name(image)
        change.detail = row["email"] or image.get("email") or ""
        change.link = "" if row["label"] is None else _link(kind, int(image["id"]))
    else:
        change.label = _of(labels, "user", image) or _of(labels, "school", image) or "A deleted person"
        places = (_of(labels, name, image) for name in ("class", "product", "book"))
        change.detail = " · ".join(place for place in places if place)
        if row["table_name"] == "user_schools":
            change.detail = _of(labels, "school", image)
        if row["table_name"] == "license_assignments" and deleted:
            change.action = "free"
        if ("user", int(image.get("user_id") or 0)) in labels.present:
            change.link = _link("users", int(image["user_id"]))
    return change


def _fields(row: dict[str, Any], labels: Labels) -> list[tuple[str, Any, Any]]:
    """What an update changed; nothing of a row that came or went as a whole."""
    before, after = row["before"] or {}, row["after"] or {}
    if row["action"] == "delete" or not before or not after:
        return []
    names = row["changed"] or sorted(key for key in after if before.get(key) != after[key])
    return [
        (name, *(_readable(name, source.get(name), labels) for source in (before, after)))
        for name in names if name not in _HIDDEN
    ]  # fmt: skip


def _name(image: dict[str, Any]) -> str:
    if "family_name" in image:
        return last_name_first({"given_name": None, **image})
    return image.get("name") or image.get("title") or NO_NAME


def _of(labels: Labels, name: str, image: dict[str, Any]) -> str:
    return labels.names.get((name, int(image.get(f"{name}_id") or 0)), "")


def _readable(name: str, content: Any, labels: Labels) -> Any:
    if name == "school_id" and content is not None:
        return labels.names.get(("school", int(content)), "A deleted school")
    return content
