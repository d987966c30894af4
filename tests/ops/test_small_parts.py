"""The mail catcher, the benchmarks' report, the wrappers' own checks."""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from ops import installer
from ops.airflow.rest_api import AirflowApi, wait_until_healthy
from ops.bench.report import Report, results
from ops.console import Problem
from ops.home import Home
from ops.mail_catcher import caught
from ops.services import services
from tests.dsl.database import REPOSITORY
from tests.ops.commands import wait_for


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_caught_mail_is_a_file_whose_name_reveals_nothing(tmp_path: Path) -> None:
    message = EmailMessage()
    message["To"], message["From"], message["Subject"] = "ada@district.example", "sync@publisher.example", "Grüße"
    message.set_content("Three new teachers need licenses.")
    port = _free_port()
    with services(tmp_path) as group:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        group.start("catcher", [sys.executable, "-m", "ops.mail_catcher", str(tmp_path), str(port)], environment)

        def is_up() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        assert wait_for(is_up)
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(message)
            client.send_message(message)
        mails = list(caught(tmp_path))
    assert [(mail.to, mail.subject) for mail in mails] == [("ada@district.example", "Grüße")] * 2
    assert not any("ada" in mail.file.name for mail in mails)


def test_a_benchmark_gives_ratios_to_its_floor_and_fails_over_its_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path)
    home.make()
    report = Report("sample", {"students": 100})
    with report.step("copy", rows=1000) as floor:
        pass
    floor.seconds = 2.0
    with report.step("edit", rows=1000, limit=4.0) as line:
        pass
    line.seconds, line.floor_seconds = 6.0, floor.seconds
    assert report.finish(home) == 0
    line.seconds = 9.0
    assert report.finish(home) == 1
    assert "over the limit" in capsys.readouterr().out
    written = json.loads(results(home)[-1].read_text())
    assert [entry["ratio"] for entry in written["lines"]] == [None, 4.5]
    assert written["setting"] == {"students": 100}


def test_without_a_suitable_python_the_commands_say_which_one_they_need(tmp_path: Path) -> None:
    for name in ("bash", "dirname", "readlink", "env"):
        found = next(Path(folder) / name for folder in ("/usr/bin", "/bin") if (Path(folder) / name).exists())
        (tmp_path / name).symlink_to(found)
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    done = subprocess.run(
        [str(REPOSITORY / "bin" / "psql")], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "No python3 of version 3.10 to 3.13 was found on PATH: install one and run this again."
    ]


def test_a_checkout_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path) -> None:
    for name in ("bin", "ops", "requirements.txt", "requirements-dev.txt"):
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, tmp_path / name)
    (tmp_path / ".venv.lock").mkdir()  # also root cannot write it
    done = subprocess.run([str(tmp_path / "bin" / "psql")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(".venv cannot be made: ")


def test_a_package_index_that_cannot_be_reached_is_reported_as_that() -> None:
    nowhere = ["--index-url", f"http://127.0.0.1:{_free_port()}/simple", "--retries", "1", "roster-no-such-package"]
    with pytest.raises(subprocess.CalledProcessError) as raised:
        installer.fetch([sys.executable, "-m", "pip", "install", "--isolated", *nowhere])
    reported = installer.reason(raised.value)
    assert reported.startswith("the packages cannot be downloaded (NewConnectionError): ")
    assert "PIP_INDEX_URL" in reported


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (
            "error: Failed to download `a==1`\n  cause: error decoding response body\n"
            "  cause: end of file before message length reached\n",
            "the packages cannot be downloaded (end of file before message length reached): ",
        ),
        (
            "error: No solution found when resolving dependencies\n  cause: Because there is no version of a==1\n",
            "error: No solution found when resolving dependencies: Because there is no version of a==1",
        ),
        ("ERROR: No matching distribution found for uv\n", "ERROR: No matching distribution found for uv"),
        ("", "uv ended with 2"),
    ],
)
def test_a_failed_installation_is_reported_in_one_line(output: str, expected: str) -> None:
    reported = installer.reason(subprocess.CalledProcessError(2, ["uv"], output=output))
    assert reported.startswith(expected)
    assert "\n" not in reported


def test_the_settings_of_pip_hold_for_uv_too() -> None:
    configured = """\
global.index-url='http://first.example/simple'
global.cert='/etc/certificates.pem'
global.extra-index-url='\\nhttp://second.example/simple\\nhttp://third.example/simple'
:env:.index-url='http://user:secret@fourth.example/simple'
:env:.find-links='/wheels /more'
global.no-color='true'
"""
    assert installer.uv_settings(configured) == {
        "UV_INDEX_URL": "http://user:secret@fourth.example/simple",
        "SSL_CERT_FILE": "/etc/certificates.pem",
        "UV_EXTRA_INDEX_URL": "http://second.example/simple http://third.example/simple",
        "UV_FIND_LINKS": "/wheels,/more",
    }


def test_a_demo_that_times_out_names_the_logs(tmp_path: Path) -> None:
    api = object.__new__(AirflowApi)  # not logged in: it gives up before it asks
    with services(tmp_path) as group:
        with pytest.raises(Problem) as slow:
            api.wait_for_runs({"roster_sync__bay": "one"}, group, -1)
        with pytest.raises(Problem) as ill:
            wait_until_healthy(f"http://127.0.0.1:{_free_port()}", group, -1)
    assert str(slow.value).endswith(f"see {tmp_path}/scheduler.log")
    assert str(ill.value).endswith(f"see the files in {tmp_path}.")


@pytest.mark.parametrize("name", sorted(path.name for path in (REPOSITORY / "bin").iterdir()))
def test_every_command_says_what_it_does_and_starts_nothing(name: str, tmp_path: Path) -> None:
    done = _run(tmp_path, name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"bin/{name}" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["demo", "--chekc"], "unrecognized arguments: --chekc"),
        (["bench", "nothing"], "invalid choice: 'nothing'"),
        (["bench", "edit", "--pupils", "5"], "unrecognized arguments: --pupils 5"),
    ],
)
def test_a_wrong_argument_is_reported_in_one_line(command: list[str], expected: str, tmp_path: Path) -> None:
    done = _run(tmp_path, *command)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"bin/{command[0]}: ")
    assert expected in line
    assert "--help" in line


def _run(home: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(REPOSITORY / "bin" / name), *arguments],
        env={**os.environ, "ROSTER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
