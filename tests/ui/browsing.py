"""How the browser's tests look at pages: as someone, with an eye on what goes wrong, and by following a run live."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from tests.ui.stack import PASSWORD

SHORT = 60_000
"""Milliseconds for whatever the server does at once, on a machine that has other work to do."""
RUN_SECONDS = 400.0
ENDED = ("Launched", "Failed", "On Hold", "Previewed", "Skipped", "Expired")
LOOK = """live => [live.querySelector('h1 .badge').textContent.trim(),
  Array.from(live.querySelectorAll('.steps li')).map(step => step.className + ' ' + step.textContent).join('|')]"""


class Visits:
    """Opens pages as someone; remembers what the pages' console, scripts and requests had to complain about."""

    def __init__(self, browser: Any, address: str, sessions: dict[str, Any]) -> None:
        self._browser = browser
        self._address = address
        self._sessions = sessions
        self._contexts = ExitStack()
        self.complaints: list[str] = []

    def __call__(self, name: str | None, path: str = "/roster/", *, refused: int | None = None) -> Any:
        """A page that someone has opened; `refused` is the status that it is expected to be refused with."""
        if name and name not in self._sessions:
            self._sessions[name] = self._log_in(name)
        context = self._browser.new_context(accept_downloads=True, storage_state=self._sessions.get(name or ""))
        self._contexts.callback(context.close)
        page = context.new_page()
        page.set_default_timeout(SHORT)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("console", lambda message: self._hear(message, refused))
        page.on("request", self._see)
        page.goto(self._address + path)
        return page

    def close(self) -> None:
        """Closes every page."""
        self._contexts.close()

    def _log_in(self, name: str) -> Any:
        context = self._browser.new_context()
        page = context.new_page()
        page.set_default_timeout(SHORT)
        page.goto(f"{self._address}/auth/login")
        page.fill("input[name=username]", name)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/auth/login" not in url, wait_until="commit")
        state = {"cookies": context.storage_state()["cookies"], "origins": []}  # not Airflow's color mode
        context.close()
        return state

    def _hear(self, message: Any, refused: int | None) -> None:
        # a breach of the policy may name no place; Airflow's own pages have no policy
        place = str(message.location.get("url") or message.page.url)
        is_ours = place.startswith(f"{self._address}/roster") or "Content Security Policy" in message.text
        # without a login the page's own style and scripts are refused as well
        is_expected = refused == 401 or f"status of {refused} " in message.text
        if message.type == "error" and is_ours and not is_expected:
            self.complaints.append(f"console: {message.text} ({place})")

    def _see(self, request: Any) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("http", "https") and url.netloc != urlsplit(self._address).netloc:
            self.complaints.append(f"asked another host: {request.url}")


def follow(view: Any) -> tuple[str, int, list[str]]:
    """Watches a run's page change by itself, never reloaded, until the run has ended: status, run, what was seen."""
    live = view.locator("#live")
    live.locator("h1 .badge").wait_for(timeout=RUN_SECONDS * 1000)
    body = view.locator("body")
    body.evaluate("body => { body.dataset.untouched = 'yes' }")
    seen: list[str] = []
    end = time.monotonic() + RUN_SECONDS
    while True:
        status, steps = live.evaluate(LOOK)
        if f"{status}|{steps}" not in seen:
            seen.append(f"{status}|{steps}")
        if status in ENDED:
            break
        assert time.monotonic() < end, f"still {seen[-1]}"
        time.sleep(0.3)
    assert body.evaluate("body => body.dataset.untouched") == "yes", "the page was loaded anew"
    path = str(body.evaluate("() => location.pathname"))
    found = re.search(r"/runs/(\d+)$", path)
    assert found, path
    return status, int(found[1]), seen


def reload_until(page: Any, status: str) -> None:
    """Opens the run's page again until its status is this one: what waits for another DAG's run is not followed."""
    end = time.monotonic() + RUN_SECONDS
    while page.locator("h1 .badge").inner_text() != status:
        assert time.monotonic() < end, page.locator("main").inner_text()[:600]
        page.wait_for_timeout(500)
        page.goto(page.url)


def walk_the_wizard(view: Any, subscriber: str) -> None:
    """Every step of the settings in its order, only an address added, to Start Sync."""
    view.get_by_role("link", name="Settings", exact=True).click()
    view.get_by_role("button", name="Test Connection").click()
    view.get_by_text("Awesome! Your connection is successful").wait_for()
    view.get_by_role("link", name="Next", exact=True).click()
    for heading in ("Select Schools", "Sync Expiration"):
        view.locator("[aria-current=step]", has_text=heading).wait_for()
        view.get_by_role("button", name="Next", exact=True).click()
    view.get_by_role("textbox", name="Email address").fill(subscriber)
    view.get_by_role("button", name="Subscribe", exact=True).click()
    view.get_by_text(subscriber).wait_for()
    view.get_by_role("link", name="Next", exact=True).click()
    view.get_by_role("button", name="Next", exact=True).click()
    view.get_by_role("button", name="Start Sync").click()
