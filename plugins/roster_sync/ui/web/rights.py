"""Who may see or change what: Airflow's own rights over the DAG of each district decide, nothing else.

To view `roster_sync__<key>` is to see the district's pages; to trigger it is to change its settings, start its runs,
answer its questions and work its list. The pages then start the other DAGs in that person's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import BaseAuthManager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException

from roster_sync.config.districts import District
from roster_sync.database import db
from roster_sync.ui.web import registry_cache
from roster_sync.ui.web.pool import reading

DAG_PREFIX: Final = "roster_sync__"


@dataclass(frozen=True)
class Here:
    """The district that a request is about, and what its visitor may do there."""

    id: int
    """portal.districts.id; 0 for a district of the registry that was never synced."""
    key: str
    name: str
    entry: District | None
    """Its entry in the registry, if it still has one."""
    user: Any
    may_change: bool
    open_items: int = 0
    """Open items of its worklist; 1,000 where there are more."""

    @property
    def dag_id(self) -> str:
        """The DAG whose rights are the rights over this district."""
        return DAG_PREFIX + self.key

    @property
    def why_no_sync(self) -> str:
        """Why no sync can be started here, in a sentence; empty where one can."""
        if self.entry is None:
            return "This district is not in the registry, so it is not synced. Its pages show what the portal holds."
        if not self.entry.enabled:
            return "This district is disabled in the registry (enabled: false). No sync runs until it is enabled."
        return ""

    @property
    def who(self) -> str:
        """The visitor, as it is recorded."""
        return str(self.user.get_name())


def may_view(user: Any, key: str) -> bool:
    """May this user see the district?"""
    return _is_authorized(get_auth_manager(), user, "GET", key, None, _is_multi_team())


def may_change(user: Any, key: str) -> bool:
    """May this user trigger the district's DAG, and so change things there?"""
    return _is_authorized(get_auth_manager(), user, "POST", key, DagAccessEntity.RUN, _is_multi_team())


def visible(user: Any, keys: Iterable[str]) -> list[str]:
    """Those of the districts that the user may see."""
    manager, is_multi_team = get_auth_manager(), _is_multi_team()
    return [key for key in keys if _is_authorized(manager, user, "GET", key, None, is_multi_team)]


def viewer(key: str, user: GetUserDep) -> Here:
    """FastAPI dependency of every page of a district: 403 without the right, 404 where there is no such district."""
    if not may_view(user, key):
        raise HTTPException(
            403, "You do not have access to this district. Ask for permission to view its DAG in Airflow."
        )
    with reading() as cursor:
        known = db.one(cursor, "ui/district", {"key": key})
    entry = registry_cache.all_districts().get(key)
    if known is None and entry is None:
        raise HTTPException(404, "No district has this key.")
    name = str(known["name"]) if known else entry.name if entry else key
    return Here(
        int(known["id"]) if known else 0, key, name, entry, user, may_change(user, key),
        open_items=int(known["open_items"]) if known else 0,
    )  # fmt: skip


def changer(here: Annotated[Here, Depends(viewer)]) -> Here:
    """FastAPI dependency of everything that changes something in a district."""
    if not here.may_change:
        raise HTTPException(
            403, "You can view this district but not change it. Ask for permission to trigger its DAG in Airflow."
        )
    return here


ViewerDep = Annotated[Here, Depends(viewer)]
ChangerDep = Annotated[Here, Depends(changer)]


def _is_multi_team() -> bool:
    return bool(conf.getboolean("core", "multi_team", fallback=False))


def _is_authorized(
    manager: BaseAuthManager[Any], user: Any, method: Any, key: str, entity: DagAccessEntity | None, is_multi_team: bool
) -> bool:
    dag_id = DAG_PREFIX + key
    # Airflow keeps the teams in its database; without teams nothing is to be asked there.
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id) if is_multi_team else None)
    return bool(manager.is_authorized_dag(method=method, access_entity=entity, details=details, user=user))
