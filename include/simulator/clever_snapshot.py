"""A day of a district as Clever serves it: serialized once, in the order of ids, and who belongs to what."""

from __future__ import annotations

import json
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from include.simulator.clever_json import ROLES, CleverView, Json, dump
from include.simulator.spool import Spool

_ROLE_BITS: Final = {role: 1 << number for number, role in enumerate(ROLES)}
_ROLES_AT_SCHOOL: Final = ("student", "teacher", "staff")
Positions = Sequence[int]


class IdList(Protocol):
    """Ids by rank (their position in ascending order)."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, rank: int, /) -> bytes:
        """One id, 12 bytes."""


class Ids:
    """Ids of 24 hex digits, 12 bytes each: a million of them in 12 MB."""

    def __init__(self) -> None:
        """None at first."""
        self._bytes = bytearray()

    def append(self, clever_id: str) -> None:
        """One more."""
        self._bytes += bytes.fromhex(clever_id)

    def __len__(self) -> int:
        return len(self._bytes) // 12

    def __getitem__(self, rank: int, /) -> bytes:
        if not 0 <= rank < len(self):
            raise IndexError(rank)
        return bytes(self._bytes[rank * 12 : rank * 12 + 12])

    def sorted(self) -> tuple[Ids, Positions]:
        """The ids in ascending order, and the position that each had."""
        if all(self[rank - 1] < self[rank] for rank in range(1, len(self))):
            return self, range(len(self))
        order = sorted(range(len(self)), key=self.__getitem__)
        result = Ids()
        for rank in order:
            result._bytes += self[rank]
        return result, array("l", order)


class Collection:
    """The records of one kind, ascending by id."""

    def __init__(self, records: Iterator[Json]) -> None:
        """Serializes the records, noting the roles and schools of users and the schools of sections."""
        self.roles = array("B")
        self.primary: array[int] = array("l")
        self.numbers: dict[str, int] = {"": -1}
        self.by_school: dict[str, array[int]] = {}
        ids = Ids()
        self.spool = Spool(self._noted(records, ids))
        self.ids, self.order = ids.sorted()

    def _noted(self, records: Iterator[Json], ids: Ids) -> Iterator[bytes]:
        for position, record in enumerate(records):
            ids.append(record["id"])
            if "roles" in record:
                self._note_user(position, record["roles"])
            elif "school" in record:
                self.by_school.setdefault(record["school"], array("l")).append(position)
            yield dump({"data": record})

    def _note_user(self, position: int, roles: Json) -> None:
        self.roles.append(sum(_ROLE_BITS[role] for role in roles))
        schools: dict[str, None] = {}
        for role in _ROLES_AT_SCHOOL:
            schools |= dict.fromkeys(roles.get(role, {}).get("schools", ()))
        first = next(iter(schools), "")
        self.primary.append(self.numbers.setdefault(first, len(self.numbers)))
        for school in schools:
            self.by_school.setdefault(school, array("l")).append(position)

    def rank(self, clever_id: str) -> int | None:
        """A record's rank: its position in the order of ids."""
        wanted = _as_bytes(clever_id)
        rank = bisect_left(self.ids, wanted) if wanted is not None else len(self.ids)
        return rank if rank < len(self.ids) and self.ids[rank] == wanted else None

    def record(self, rank: int) -> Json:
        """One record."""
        found: Json = json.loads(self.spool.one(self.order[rank]))["data"]
        return found

    def body(self, ranks: Positions) -> bytes:
        """The records with these ranks, separated by commas."""
        if not ranks:
            return b""
        is_run = isinstance(self.order, range) and ranks[-1] - ranks[0] == len(ranks) - 1
        if is_run and list(ranks) == list(range(ranks[0], ranks[-1] + 1)):
            return self.spool.slice(ranks[0], ranks[-1] + 1)
        return self.spool.pick([self.order[rank] for rank in ranks])


class CleverSnapshot:
    """All records of one day; each collection is made when it is first asked for."""

    def __init__(self, view: CleverView) -> None:
        """Nothing is made yet."""
        self.view = view
        self._collections: dict[str, Collection] = {}
        self._views: dict[tuple[str, ...], Positions] = {}
        self._groups: dict[tuple[str, str], dict[str, list[int]]] = {}
        self._lock = threading.RLock()

    def collection(self, name: str) -> Collection:
        """One collection."""
        with self._lock:
            if name not in self._collections:
                self._collections[name] = Collection(self.view.makers()[name]())
            return self._collections[name]

    def users(self, role: str = "", school: str = "", *, only_primary: bool = False) -> Positions:
        """Places of users by role, school, and whether the school is their main one."""
        memory = ("users", role, school, str(only_primary))
        with self._lock:
            if memory not in self._views:
                self._views[memory] = self._users(role, school, only_primary)
            return self._views[memory]

    def _users(self, role: str, school: str, only_primary: bool) -> Positions:
        users = self.collection("users")
        if not role and not school:
            return range(len(users.ids))
        wanted = _ROLE_BITS[role] if role else 0xFF
        if not school:
            return array("l", [p for p, position in enumerate(users.order) if users.roles[position] & wanted])
        found = [position for position in users.by_school.get(school, ()) if users.roles[position] & wanted]
        if only_primary:
            number = users.numbers.get(school)
            found = [position for position in found if users.primary[position] == number]
        return self._in_order(users, found)

    def of_school(self, name: str, school: str) -> Positions:
        """Places of a school's sections."""
        collection = self.collection(name)
        return self._in_order(collection, list(collection.by_school.get(school, ())))

    def _in_order(self, collection: Collection, positions: list[int]) -> Positions:
        if isinstance(collection.order, range):
            return sorted(positions)
        ranks = {position: rank for rank, position in enumerate(collection.order)}
        return sorted(ranks[position] for position in positions)

    def sections_by(self, field: str) -> dict[str, list[int]]:
        """Places of sections by the ids in one of their fields."""
        with self._lock:
            memory = ("sections", field)
            if memory not in self._groups:
                groups: dict[str, list[int]] = {}
                sections = self.collection("sections")
                for rank in range(len(sections.ids)):
                    value = sections.record(rank)[field]
                    for one in value if isinstance(value, list) else [value]:
                        groups.setdefault(one, []).append(rank)
                self._groups[memory] = groups
            return self._groups[memory]

    def ranks(self, name: str, ids: set[str]) -> Positions:
        """Places of the records with these ids, as far as they can be read."""
        collection = self.collection(name)
        return sorted(rank for rank in map(collection.rank, ids) if rank is not None)


def _as_bytes(clever_id: str) -> bytes | None:
    try:
        return bytes.fromhex(clever_id) if len(clever_id) == 24 else None
    except ValueError:
        return None


def boundary(ids: IdList, ranks: Positions, clever_id: str, *, after: bool) -> int:
    """Where in `ranks` the records after (or from) an id begin; the id itself need not exist."""
    low, high = 0, len(ranks)
    wanted = _as_bytes(clever_id) or b"\xff" * 13
    while low < high:
        middle = (low + high) // 2
        found = ids[ranks[middle]]
        if found < wanted or (after and found == wanted):
            low = middle + 1
        else:
            high = middle
    return low
