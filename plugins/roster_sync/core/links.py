"""The addresses within the Airflow UI that emails and questions link to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """Addresses that emails and questions link to."""

    base_url: str

    def run(self, run_id: int) -> str:
        """The run's page."""
        return f"{self._base}/roster/runs/{run_id}"

    def changes(self, run_id: int, kind: str, what: str = "added") -> str:
        """What the run changed of one kind, row by row; both words are those of the page of changes."""
        return f"{self.run(run_id)}?part=changes&kind={kind}&what={what}"

    def rejected(self, run_id: int) -> str:
        """The rows that the run rejected, with how to fix each."""
        return f"{self.run(run_id)}?part=rejected"

    def worklist(self, district_key: str, kind: str = "") -> str:
        """What people have to do in a district."""
        return f"{self._base}/roster/districts/{district_key}/worklist" + (f"?kind={kind}" if kind else "")

    def settings(self, district_key: str, step: str = "") -> str:
        """The district's settings, or one step of them: schools, expiration, emails."""
        return f"{self._base}/roster/districts/{district_key}/sync" + (f"/{step}" if step else "")

    def emails(self, district_key: str) -> str:
        """Where an address is removed from the district's sync emails."""
        return self.settings(district_key, "emails")

    @property
    def _base(self) -> str:
        return self.base_url.rstrip("/")
