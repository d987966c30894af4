"""What comes from Airflow's connections: the portal's database, a source's access, the mail server."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from airflow.sdk.exceptions import AirflowException

from roster_sync import __version__
from roster_sync.core.errors import AuthError, ConfigError, DatabaseFailure
from roster_sync.database import db
from roster_sync.notices.mails import Mail
from roster_sync.orchestration import deadline, failures, hooks


class Catcher:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.greetings = 0

    async def handle_EHLO(self, _server: Any, session: Any, _envelope: Any, hostname: str, answers: list[str]) -> Any:
        self.greetings += 1
        session.host_name = hostname
        return answers

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 caught"


@pytest.fixture
def catcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Catcher]:
    found = Catcher()
    controller = Controller(found, hostname="127.0.0.1", port=free_port())
    controller.start()
    smtp(monkeypatch, controller.port)
    yield found
    controller.stop()


def smtp(monkeypatch: pytest.MonkeyPatch, port: int, **extra: object) -> None:
    settings = {"disable_ssl": True, "disable_tls": True, "from_email": "roster@publisher.example", **extra}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": settings}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mail(subject: str = "Bay: 2 new teachers") -> Mail:
    return Mail("admin@bay.example", subject, "Plain: señor\n", "<p>Rich</p>")


def test_a_mail_goes_out_as_plain_text_and_as_html(catcher):
    with hooks.mailer() as post:
        post(mail())
    (found,) = catcher.mails
    assert (found["From"], found["To"]) == ("roster@publisher.example", "admin@bay.example")
    assert found["Subject"] == "Bay: 2 new teachers"
    assert found.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in found.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert "señor" in cast("EmailMessage", found.get_body(("plain",))).get_content()
    assert found.as_bytes().isascii(), "a server that does not say 8BITMIME may spoil what is not"
    assert found["Message-ID"].endswith("@publisher.example>")


def test_a_mail_names_the_version_that_sent_it(catcher):
    with hooks.mailer() as post:
        post(mail())
    (found,) = catcher.mails
    assert found["X-Mailer"] == f"Roster sync {__version__}"


@pytest.mark.parametrize(
    "subject",
    [
        "Pinehurst Public Schools: 2 new teachers, 2 new students, 1 role that differs",
        "Distrito Escolar Peñasco y Los Álamos: 12 new teachers, 3 new schools, 1,204 new students",
    ],
)
def test_a_long_subject_comes_whole_and_not_on_a_second_line(catcher, subject):
    with hooks.mailer() as post:
        post(mail(subject))
    (found,) = catcher.mails
    assert found["Subject"] == subject


def test_many_mails_go_over_one_connection_and_none_opens_none(catcher):
    with hooks.mailer():
        pass
    assert catcher.greetings == 0
    with hooks.mailer() as post:
        for number in range(3):
            post(mail(str(number)))
    assert [found["Subject"] for found in catcher.mails] == ["0", "1", "2"]
    assert catcher.greetings == 1


def test_a_mail_server_that_is_away_is_an_error_of_that_mail(monkeypatch):
    smtp(monkeypatch, free_port(), retry_limit=0)
    with hooks.mailer() as post, pytest.raises((OSError, AirflowException)):
        post(mail())


def test_a_mail_connection_without_a_sender_says_what_it_lacks(catcher, monkeypatch):
    port = json.loads(os.environ["AIRFLOW_CONN_SMTP_DEFAULT"])["port"]
    smtp(monkeypatch, port, from_email="")
    with hooks.mailer() as post, pytest.raises(ConfigError, match="from_email"):
        post(mail())


def test_a_missing_mail_connection_is_named_with_where_to_add_it(airflow_metadata, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT", raising=False)
    with hooks.mailer() as post, pytest.raises(ConfigError, match=r"'smtp_default'.*AIRFLOW_CONN_SMTP_DEFAULT"):
        post(mail())


def _tell_late():
    """In a thread of its own: where browser tests ran before in this process, theirs has an event loop at work."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(deadline.tell_late(cast("Any", {}), district="bay", hours=4))).result()


def test_a_late_run_is_reported_to_those_whom_the_setting_names(catcher, monkeypatch, caplog):
    monkeypatch.setenv(deadline.ALERTS_VARIABLE, "night@publisher.example")
    with caplog.at_level(logging.ERROR):
        _tell_late()
    assert "bay has not finished after 4 hours" in caplog.text
    (found,) = catcher.mails
    assert found["To"] == "night@publisher.example"
    texts = [part.get_content() for part in found.walk() if part.get_content_maintype() == "text"]
    assert "docs/runbooks/late-run.md" in "".join(texts)


def test_a_late_run_is_only_logged_where_nobody_is_named(catcher, monkeypatch, caplog):
    monkeypatch.delenv(deadline.ALERTS_VARIABLE, raising=False)
    _tell_late()
    assert catcher.mails == []
    assert "bay" in caplog.text


def test_the_portal_is_reached_as_its_login_outside_of_any_role(portal, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_PORTAL_DB", portal.airflow_connection)
    with closing(hooks.portal_connection()) as connection, connection.cursor() as cursor:
        cursor.execute("select current_user, current_setting('application_name')")
        assert cursor.fetchone() == ("roster_app", "roster_sync")
        assert connection.autocommit is False


@pytest.mark.parametrize("opened", [hooks.portal_connection, lambda: db.sibling(hooks.portal_connection())])
def test_nothing_waits_for_ever_on_a_connection_to_the_portal(portal, monkeypatch, opened):
    monkeypatch.setenv("AIRFLOW_CONN_PORTAL_DB", portal.airflow_connection)
    with closing(opened()) as connection:
        with db.acting_as(connection, "roster_read") as cursor:
            cursor.execute("select current_setting('lock_timeout'), current_setting('statement_timeout')")
            assert cursor.fetchone() == ("15min", "4h")
        assert connection.info.dsn_parameters["tcp_user_timeout"] == "120000"


def test_a_portal_that_is_away_is_reported_without_host_or_user(monkeypatch):
    settings = {"conn_type": "postgres", "host": "127.0.0.1", "port": free_port(), "login": "someone", "schema": "x"}
    monkeypatch.setenv("AIRFLOW_CONN_PORTAL_DB", json.dumps(settings))
    with pytest.raises(DatabaseFailure) as caught:
        hooks.portal_connection()
    assert "portal_db" in str(caught.value)
    assert "someone" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_missing_connection_is_named_with_where_to_add_it(airflow_metadata):
    with pytest.raises(ConfigError, match=r"'oneroster_nowhere'.*AIRFLOW_CONN_ONEROSTER_NOWHERE"):
        hooks.access("oneroster_nowhere")


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({"host": "http://127.0.0.1:8811/bay"}, "http://127.0.0.1:8811/bay"),
        ({"host": "http://127.0.0.1/bay", "port": 8811}, "http://127.0.0.1:8811/bay"),
        ({"host": "roster.example/ims", "port": 8443}, "roster.example:8443/ims"),
        ({"host": "roster.example", "port": 443}, "roster.example:443"),
        ({"host": "https://roster.example:1/x", "port": 2}, "https://roster.example:1/x"),
        ({}, ""),
    ],
)
def test_the_access_to_a_source_names_host_and_port_and_keeps_its_secrets(given, host, monkeypatch):
    settings = {"conn_type": "oneroster", "login": "key", "password": "hush", "extra": {"token_url": "t"}, **given}
    monkeypatch.setenv("AIRFLOW_CONN_ONEROSTER_BAY", json.dumps(settings))
    found = hooks.access("oneroster_bay")
    assert (found.host, found.login, found.password, found.extra["token_url"]) == (host, "key", "hush", "t")
    assert "hush" not in repr(found)


def test_an_unexpected_failure_is_shown_by_kind_and_place_and_never_by_its_text(caplog):
    row = {"email": "ada@bay.example"}
    empty: dict[str, str] = {}
    try:
        empty[row["email"]]
    except KeyError as error:
        told = failures.as_user_error(error, "plan")
    assert str(told).startswith("The step plan stopped on an unexpected KeyError in test_hooks.py, line ")
    assert "ada@" not in str(told) + caplog.text


def test_our_own_failures_are_reported_in_their_own_sentence():
    error = AuthError("The source refused the key.")
    assert failures.as_user_error(error, "extract") is error
