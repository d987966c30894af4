"""What the package gets from Airflow's connections: the portal's database, a source's access, the mail server."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from airflow.sdk import BaseHook, Connection, conf
from airflow.sdk.exceptions import AirflowNotFoundException

from roster_sync import __version__
from roster_sync.core.errors import ConfigError, DatabaseFailure
from roster_sync.sources.base import Access, EventSource, Source

if TYPE_CHECKING:
    from psycopg2.extensions import connection as DatabaseConnection

    from roster_sync.config.districts import District
    from roster_sync.core.links import Links
    from roster_sync.engine.freshen import EventPosition
    from roster_sync.notices.outbox import Mail

PORTAL_CONN_ID: Final = "portal_db"
SMTP_CONN_ID: Final = "smtp_default"
CONNECT_SECONDS: Final = 15
_ALIVE: Final = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6, "tcp_user_timeout": 120_000}
"""A server that is silent for a minute is asked whether it is there; what it does not confirm in 120,000 ms is lost."""
_LIBPQ_EXTRAS: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs", "options")


def portal_connection() -> DatabaseConnection:
    """A connection to the portal's database, autocommit off; whoever asks closes it.

    Raises:
        ConfigError: Airflow has no connection `portal_db`.
        DatabaseFailure: the database cannot be reached.
    """
    import psycopg2

    from roster_sync.database import db

    settings = connection(PORTAL_CONN_ID)
    extra = settings.extra_dejson
    given = {
        "host": settings.host,
        "port": settings.port,
        "dbname": settings.schema,
        "user": settings.login,
        "password": settings.password,
        **{name: extra[name] for name in _LIBPQ_EXTRAS if name in extra},
    }
    options = {name: value for name, value in given.items() if value not in (None, "")} | _ALIVE
    try:
        opened: DatabaseConnection = psycopg2.connect(
            **options, connect_timeout=CONNECT_SECONDS, application_name="roster_sync"
        )
        db.limit_waits(opened)
    except psycopg2.OperationalError as error:
        # from None: the text names host, user and database
        raise DatabaseFailure(f"the connection {PORTAL_CONN_ID!r}", error.pgcode) from None
    return opened


def open_source(district: District) -> Source:
    """The district's source, with the access that its Airflow connection holds; nothing is asked yet."""
    from roster_sync.sources import kinds

    settings = district.source
    tuning = {"has_events": True} if district.freshen != "off" else {}
    found = access(settings.conn_id) if settings.conn_id else None
    return kinds.open_source(settings, found, district.key, **tuning)


def open_events(district: District, position: EventPosition) -> EventSource:
    """What happened at a district since its place in the events; nothing is asked yet."""
    from roster_sync.sources import kinds

    settings = district.source
    found = access(settings.conn_id) if settings.conn_id else None
    return kinds.open_events(settings, found, district.key, since_id=position.event_id, since=position.taken_at)


def access(conn_id: str) -> Access:
    """What an Airflow connection holds, in the words of the sources.

    Raises:
        ConfigError: Airflow has no such connection.
    """
    settings = connection(conn_id)
    return Access(
        host=_with_port(settings.host or "", settings.port),
        login=settings.login or "",
        password=settings.password or "",
        extra=settings.extra_dejson,
    )


def connection(conn_id: str) -> Connection:
    """An Airflow connection.

    Raises:
        ConfigError: no connection has this id.
    """
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise ConfigError(
            f"Airflow has no connection {conn_id!r}: add it under Admin > Connections, "
            f"or as AIRFLOW_CONN_{conn_id.upper()}."
        ) from None


def links() -> Links:
    """The addresses that mails lead to, in the Airflow UI that the setting [api] base_url names."""
    from roster_sync.core.links import Links

    return Links(base_url=conf.get("api", "base_url", fallback="") or "http://localhost:8080")


@contextmanager
def mailer() -> Iterator[Callable[[Mail], None]]:
    """Gives a function that sends one mail; the mail server is called at the first mail, and once for all of them."""
    sender = _Sender()
    try:
        yield sender.post
    finally:
        sender.close()


class _Sender:
    def __init__(self) -> None:
        self._hook: Any = None

    def post(self, mail: Mail) -> None:
        hook = self._open()
        # at 78 columns a subject may be folded right after "Subject:" (Python 3.11), and some programs then show none
        # 7bit: smtplib sends the message's bytes also to a server that does not say 8BITMIME
        message = EmailMessage(SMTP.clone(max_line_length=990, cte_type="7bit"))
        message["Subject"] = mail.subject
        message["From"] = hook.from_email
        message["To"] = mail.to
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=hook.from_email.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message["X-Mailer"] = f"Roster sync {__version__}"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        try:
            # The hook's own sending knows one body only (smtp provider 3.2); its client is what logs in and encrypts.
            hook._smtp_client.send_message(message)
        except smtplib.SMTPServerDisconnected:
            self.close()  # the next mail calls again
            raise

    def _open(self) -> Any:
        from airflow.providers.smtp.hooks.smtp import SmtpHook

        if self._hook is None:
            connection(SMTP_CONN_ID)  # where there is none, our sentence says how to add it; the hook's does not
            self._hook = SmtpHook(SMTP_CONN_ID).get_conn()
        if not self._hook.from_email:
            raise ConfigError(
                f"The connection {SMTP_CONN_ID!r} lacks the extra 'from_email', the sender of the emails."
            )
        return self._hook

    def close(self) -> None:
        if self._hook is not None:
            self._hook.__exit__(None, None, None)
            self._hook = None


def _with_port(host: str, port: int | None) -> str:
    """The host with the connection's port, which Airflow keeps apart, unless the host names one itself."""
    if not host or port is None:
        return host
    has_scheme = "://" in host
    parts = urlsplit(host if has_scheme else f"//{host}")
    if parts.port is not None:
        return host
    whole = urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))
    return whole if has_scheme else whole.removeprefix("//")
