"""Settings that are numbers, from the environment: read where they are used, so a bad one stops only what needs it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from roster_sync.core.errors import ConfigError

MOST = 100_000


def number(name: str, default: float, environment: Mapping[str, str] | None = None) -> float:
    """A number above 0.

    Raises:
        errors.ConfigError: it is not a number above 0; says which setting, and what to write.
    """
    text = (os.environ if environment is None else environment).get(name, "").strip()
    try:
        found = float(text) if text else default
    except ValueError:
        found = 0
    if not 0 < found < MOST:
        raise ConfigError(f"The setting {name} must be a number above 0, such as {default:g}. Set it, or take it out.")
    return found


def days(name: str, default: int, environment: Mapping[str, str] | None = None) -> int:
    """A whole number of days.

    Raises:
        errors.ConfigError: it is not a whole number. Half a day would count as 0 days, and delete everything.
    """
    found = number(name, default, environment)
    if found != int(found):
        raise ConfigError(
            f"The setting {name} must be a whole number of days, such as {default}. Set it, or take it out."
        )
    return int(found)
