"""The addresses within the Airflow UI to which mails and questions lead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """Addresses that mails lead to, all within the Airflow UI."""

    base_url: str

    def run(self, run_id: int) -> str:
        """The run's page."""
        return f"{self._base}/roster/runs/{run_id}"

    def changes(self, run_id: int, kind: str, what: str = "added") -> str:
        """What the run changed of one kind, row by row; both words are those of the page of changes."""
        return f"{self.run(run_id)}?part=changes&kind={kind}&what={what}"

    def rejected(self, run_id: int) -> str:
        """The rows that the run rejected, with the cure of each."""
        return f"{self.run(run_id)}?part=rejected"

    def worklist(self, district_key: str, kind: str = "") -> str:
        """What people have to do in a district."""
        return f"{self._base}/roster/districts/{district_key}/worklist" + (f"?kind={kind}" if kind else "")

    def settings(self, district_key: str, step: str = "") -> str:
        """The district's settings, or one step of them: schools, expiration, emails."""
        return f"{self._base}/roster/districts/{district_key}/sync" + (f"/{step}" if step else "")

    def emails(self, district_key: str) -> str:
        """Where an address is taken off the district's mails."""
        return self.settings(district_key, "emails")

    @property
    def _base(self) -> str:
        return self.base_url.rstrip("/")
