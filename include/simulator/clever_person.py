"""What a person's own token (Single Sign-On) can read at Clever: /me, their record, their schools, their district."""

from __future__ import annotations

from typing import Final

from include.simulator.clever_json import Json

PREFIX: Final = "il"
"""How every person's token begins; in this simulator the Clever id follows."""
ME: Final = "me"


def is_open_to(record: Json, parts: list[str]) -> bool:
    """Whether a person may read a path, given as its parts: no lists, and no other person's records."""
    schools = [school for detail in record["roles"].values() for school in detail.get("schools", ())]
    return tuple(parts) in {
        (ME,), ("users", record["id"]), ("districts", record["district"]), *(("schools", school) for school in schools),
    }  # fmt: skip


def me_of(record: Json, root: str) -> Json:
    """The person of the token; the canonical link leads to their record."""
    data = {"id": record["id"], "district": record["district"], "type": "user", "authorized_by": "district"}
    links = [
        {"rel": "self", "uri": "/me"},
        {"rel": "canonical", "uri": f"{root}/users/{record['id']}"},
        {"rel": "district", "uri": f"{root}/districts/{record['district']}"},
    ]
    return {"type": "user", "data": data, "links": links}
