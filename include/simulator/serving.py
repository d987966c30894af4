"""Starts simulators: `serve` and `serve_clever` for tests, `sites_from_file` for several districts from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from include.simulator.clever_site import CleverDistrict, CleverSite
from include.simulator.district import Churn, MadeUpDistrict
from include.simulator.oneroster_auth import Auth
from include.simulator.oneroster_site import OneRosterSite
from include.simulator.web import Simulator, Site

DEMO: Final = Path(__file__).with_name("demo.yaml")
DEMO_SECRET: Final = "demo-secret"  # noqa: S105 - made up
_DISTRICT_KEYS: Final = {
    "seed",
    "students",
    "schools",
    "name",
    "classes_per_student",
    "contacts",
    "many_terms",
    "domain",
}
_AUTH_KEYS: Final = {"key", "secret", "methods", "scopes", "clock_seconds"}


def serve(
    district: MadeUpDistrict, *, version: str = "1.1", auth: str = "oauth1", key: str = "demo-key",
    secret: str = DEMO_SECRET, prefix: str = "", day: int = 1, port: int = 0, **settings: Any,
) -> Simulator:  # fmt: skip
    """A OneRoster server of one district; a context manager.

    Args:
        district: the made-up district.
        version: "1.1" or "1.2".
        auth: "oauth1", "oauth2", "bearer" or "none".
        key: consumer key (oauth1) or client id (oauth2).
        secret: consumer secret, client secret, or the bearer token.
        prefix: the path before /ims.
        day: the day that is served first.
        port: 0 = any free one.
        settings: see oneroster_site.Settings; also `methods`, `scopes` and `clock_seconds` of Auth.
    """
    return Simulator([_oneroster(district, {"version": version, "auth": auth, "key": key, "secret": secret,
                                            "prefix": prefix, "day": day, **settings})], port)  # fmt: skip


def serve_clever(
    *districts: MadeUpDistrict, client_id: str = "demo-client", client_secret: str = DEMO_SECRET, day: int = 1,
    port: int = 0, **settings: Any,
) -> Simulator:  # fmt: skip
    """A Clever application with these districts; a context manager.

    Args:
        districts: the made-up districts; their tokens are "district-token-<seed>".
        client_id: of the application, for /oauth/tokens.
        client_secret: of the application.
        day: the day that is served first.
        port: 0 = any free one.
        settings: see clever_site.CleverSettings and CleverDistrict (those are set for every district).
    """
    entries = [CleverDistrict(district, day=day) for district in districts]
    return Simulator([CleverSite(entries, client_id, client_secret, **settings)], port)


def _oneroster(district: MadeUpDistrict, options: Mapping[str, Any]) -> OneRosterSite:
    rest = dict(options)
    kind = rest.pop("auth", "oauth1")
    if kind not in ("oauth1", "oauth2", "bearer", "none"):
        raise ValueError("auth is oauth1, oauth2, bearer or none.")
    chosen = {name: rest.pop(name) for name in _AUTH_KEYS & rest.keys()}
    chosen |= {name: tuple(chosen[name]) for name in ("methods", "scopes") if name in chosen}
    site = {name: rest.pop(name) for name in ("version", "prefix", "day") if name in rest}
    return OneRosterSite(district, auth=Auth(kind, **chosen), **site, **rest)


def sites_from_file(path: str | Path) -> list[Site]:
    """The servers of a settings file such as demo.yaml."""
    settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    sites: list[Site] = []
    at_clever: list[CleverDistrict] = []
    for entry in settings["districts"]:
        district = _district({name: value for name, value in entry.items() if name != "servers"})
        for server in entry["servers"]:
            options = dict(server)
            kind = options.pop("kind")
            if kind == "oneroster":
                sites.append(_oneroster(district, options))
            elif kind == "clever":
                at_clever.append(CleverDistrict(district, **options))
            else:
                raise ValueError(f"There is no simulator of kind {kind!r}; the kinds are oneroster and clever.")
    if at_clever:
        sites.append(CleverSite(at_clever, **settings.get("clever", {})))
    return sites


def _district(options: Mapping[str, Any]) -> MadeUpDistrict:
    if unknown := options.keys() - _DISTRICT_KEYS - {"churn", "school_changes", "script"}:
        raise ValueError(f"A made-up district has no {', '.join(sorted(unknown))}.")
    churn = Churn(options.get("churn", 0.01), options.get("school_changes", True))
    script = {int(day): [(verb, int(whom)) for verb, whom in acts] for day, acts in options.get("script", {}).items()}
    kept = {name: options[name] for name in _DISTRICT_KEYS & options.keys()}
    return MadeUpDistrict(churn=churn, script=script, **kept)
