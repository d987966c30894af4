"""The engine's portal, emptied before each test, and a play in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

import pytest

from roster_sync.config.expectations import Expectation
from roster_sync.feed import data_docs, suites
from tests.cases.playing import Play, play_case
from tests.cases.state import State
from tests.dsl.world import World


@pytest.fixture(autouse=True)
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks of a whole feed without Great Expectations, which takes a second a run (tests/feed tests it)."""

    def judge(
        profile: Mapping[str, Mapping[str, Any]], checks: list[Expectation]
    ) -> tuple[list[suites.Judged], dict[str, Any]]:
        observed = [(check, profile[check.entity][check.column]) for check in checks]
        return [suites.Judged(check, _is_met(check, value), None if value is None else float(value))
                for check, value in observed], {}  # fmt: skip

    monkeypatch.setattr(suites, "judge", judge)
    monkeypatch.setattr(data_docs, "write", lambda *_: "")


def _is_met(check: Expectation, value: Any) -> bool:
    return value is None or (float(value) >= 1 if check.most is None else float(value) <= check.most)


@pytest.fixture
def play(world: World) -> Iterator[Callable[..., Play]]:
    """Opens a play of one's own: play(kind='clever', quirks=[...]); see playing.Play."""
    with ExitStack() as stack:

        def open_play(**settings: Any) -> Play:
            roles = settings.pop("roles", ("teacher", "student"))
            world.registry(roles=roles)
            return stack.enter_context(closing(Play(world, **settings)))

        yield open_play


@pytest.fixture
def case(world: World) -> Iterator[Callable[..., State]]:
    """Plays one of data/ and gives its end state: case('PB-01')."""
    with ExitStack() as stack:

        def end_of(name: str, **more: Any) -> State:
            return stack.enter_context(closing(play_case(world, name, **more))).state()

        yield end_of
