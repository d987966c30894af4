"""An outbox that a test can read."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from roster_sync.core.links import Links
from roster_sync.engine import worklist
from roster_sync.notices import outbox as notices
from roster_sync.notices.mails import Mail
from tests.dsl.rows_by_hand import World

LINKS = Links("https://airflow.example.org/")
ADMIN = "admin@district.example.com"


class Outbox:
    """Where posted mails land; refuses whom it is told to."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refused: set[str] = set()
        self.tries = 0

    def post(self, mail: Mail) -> None:
        self.tries += 1
        if mail.to in self.refused or "*" in self.refused:
            raise ConnectionRefusedError("made up")
        self.mails.append(mail)

    def take(self) -> list[Mail]:
        taken, self.mails = self.mails, []
        return taken

    def only(self) -> Mail:
        (mail,) = self.take()
        return mail


def tell(world: World, app: Connection, outbox: Outbox) -> int:
    if world.one("select status from sync.runs where id = %(run)s") != "previewed":
        worklist.refresh(app, world.run_id)
    return notices.send(app, world.run_id, world.district, outbox.post, LINKS)
