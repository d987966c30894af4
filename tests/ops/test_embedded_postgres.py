"""The embedded PostgreSQL as bin/psql starts it: on demand, for us alone, and gone when no one uses it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.commands import ask, new_home, processes_of, run, server_pid, start, wait_for

pytestmark = pytest.mark.slow

SECRET_ROW = "Rosalind Example"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with new_home() as folder:
        assert ask("-qAtc", "create table public.kept as select 42 as answer", home=folder) == ""
        yield folder


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Path]:
    """The same home with its server kept up, so that a command need not start and stop it."""
    session = start("psql", home=home)  # reads its input until that ends
    assert wait_for(lambda: server_pid(home) is not None)
    yield home
    session.communicate(timeout=30)


def test_a_second_start_finds_the_first_state_and_nothing_runs_afterwards(home: Path) -> None:
    assert ask("-Atc", "table kept", home=home) == "42\n"
    assert server_pid(home) is None
    assert processes_of(home) == []


def test_the_first_of_two_commands_to_end_leaves_the_server_to_the_other(home: Path) -> None:
    session = start("psql", "-At", home=home)  # reads its input until that ends
    assert wait_for(lambda: server_pid(home) is not None)
    assert run("psql", "-Atc", "select 1", home=home).returncode == 0
    assert session.poll() is None
    session.communicate("select 1;\n", timeout=30)
    assert session.returncode == 0
    assert wait_for(lambda: server_pid(home) is None)


def test_many_commands_at_once_do_not_collide(home: Path) -> None:
    started = [start("psql", "-Atc", "table kept", home=home) for _ in range(6)]
    said = [process.communicate(timeout=60) for process in started]
    assert [output for output, _ in said] == ["42\n"] * 6, said
    assert wait_for(lambda: processes_of(home) == [])


def test_a_command_killed_by_kill_9_leaves_nothing_running(home: Path) -> None:
    process = start("psql", "-Atc", "select pg_sleep(60)", home=home)
    assert wait_for(lambda: server_pid(home) is not None)
    process.kill()
    process.communicate()
    assert wait_for(lambda: processes_of(home) == [])
    assert server_pid(home) is None


def test_a_first_start_killed_halfway_can_be_repeated() -> None:
    with new_home() as home:
        process = start("psql", "-Atc", "select 1", home=home)
        assert wait_for((home / "postgres" / "base").exists)
        process.kill()
        process.communicate()
        assert ask("-Atc", "select 1", home=home) == "1\n"


def test_a_first_start_ended_by_ctrl_c_leaves_nothing_running_and_can_be_repeated() -> None:
    with new_home() as home:
        session = start("psql", home=home)
        assert wait_for((home / "run" / "keeper.state").exists)  # the keeper is at work
        session.send_signal(signal.SIGINT)
        _, errors = session.communicate(timeout=60)
        assert session.returncode == 130
        assert "Traceback" not in errors
        assert processes_of(home) == []
        assert ask("-Atc", "select 42", home=home) == "42\n"


def test_a_server_killed_by_kill_9_comes_back_with_its_data(home: Path) -> None:
    idle = start("psql", "-Atc", "insert into kept values (43); select pg_sleep(60)", home=home)
    assert wait_for(lambda: server_pid(home) is not None)
    assert run("psql", "-c", "insert into kept values (44)", home=home).returncode == 0
    pid = server_pid(home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    idle.communicate(timeout=60)
    # 43 is gone: -c runs its statements in one transaction, and that one never ended
    assert ask("-Atc", "select answer from kept order by 1", home=home) == "42\n44\n"
    assert run("psql", "-c", "delete from kept where answer > 42", home=home).returncode == 0


def test_another_home_runs_at_the_same_time_as_the_first(home: Path) -> None:
    session = start("psql", "-At", home=home)  # reads its input until that ends
    assert wait_for(lambda: server_pid(home) is not None)
    with new_home() as other:
        assert ask("-Atc", "select to_regclass('public.kept') is null", home=other) == "t\n"
        assert session.poll() is None
    session.communicate("select 1;\n", timeout=30)
    assert session.returncode == 0


def test_a_home_with_a_very_long_path_works() -> None:
    with new_home() as home:
        assert ask("-Atc", "select 1", home=home / ("deep" * 20) / ("deeper" * 10)) == "1\n"


def test_a_home_that_is_not_ours_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("psql", "-c", "select 1", home=tmp_path / "file" / "home")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "ROSTER_HOME" in result.stderr
    assert "Traceback" in run("psql", "--verbose", "-c", "select 1", home=tmp_path / "file" / "home").stderr


def test_the_answer_goes_to_standard_output_and_which_database_gives_it_to_standard_error(up: Path) -> None:
    result = run("psql", "-Atc", "select current_user, current_database()", home=up)
    assert (result.returncode, result.stdout) == (0, "roster_owner|portal\n")
    assert result.stderr == f"bin/psql: the embedded database of {up}\n"


def test_a_caller_with_a_portal_of_their_own_is_warned_that_this_is_another(up: Path) -> None:
    result = run("psql", "-Atc", "select 1", home=up, AIRFLOW_CONN_PORTAL_DB="postgres://portal.example/portal")
    assert (result.returncode, result.stdout) == (0, "1\n")
    assert "not the one that AIRFLOW_CONN_PORTAL_DB names" in result.stderr


def test_the_exit_code_is_the_program_s_own(up: Path) -> None:
    assert run("psql", "-c", "select 1 / 0", home=up).returncode == 1
    assert run("psql", "-d", "nowhere", "-c", "select 1", home=up).returncode == 2


def test_the_portal_is_migrated(up: Path) -> None:
    assert ask("-Atc", "select count(*) > 0 from roster_migrations", home=up) == "t\n"


def test_a_database_made_by_other_migrations_is_refused_in_one_line_that_says_what_to_do() -> None:
    with new_home() as home:
        ask("-c", "update roster_migrations set name = '0001_other.sql' where version = 1", home=home)
        result = run("psql", "-c", "select 1", home=home)
    assert result.returncode == 1
    assert result.stdout == ""
    line = result.stderr.splitlines()[-1]
    assert line.startswith("bin/psql: The portal database was made by other migrations (0001_other.sql")
    assert "remove its folder" in line


def test_a_caller_s_own_database_settings_do_not_lead_elsewhere(up: Path) -> None:
    result = run("psql", "-Atc", "select 1", home=up, PGHOST="/nowhere", PGUSER="nobody", PGDATABASE="other")
    assert (result.returncode, result.stdout) == (0, "1\n")


def test_the_server_listens_on_no_port_and_only_we_can_enter(up: Path) -> None:
    query = "select current_setting('listen_addresses') = '', current_setting('unix_socket_directories')"
    empty, folder = ask("-U", "postgres", "-Atc", query, home=up).strip().split("|")
    assert empty == "t"
    for private in (Path(folder), (up / "postgres").resolve()):
        if private.exists():
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
    hba = "select count(*) filter (where auth_method = 'peer') = count(*), count(*) from pg_hba_file_rules"
    assert ask("-U", "postgres", "-Atc", hba, home=up) == "t|1\n"


def test_another_user_of_the_machine_cannot_reach_the_socket(up: Path) -> None:
    socket = Path(ask("-U", "postgres", "-Atc", "show unix_socket_directories", home=up).strip())
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    if os.geteuid() == 0:  # only root can try it as someone else
        tried = subprocess.run(["/bin/ls", str(socket)], user="nobody", capture_output=True, check=False, cwd="/")
        assert tried.returncode != 0


def test_the_server_s_log_holds_no_row(up: Path) -> None:
    for statement in (
        "select 'NAME'::int",
        "create temp table t (a text primary key); insert into t values ('NAME'), ('NAME')",
        "select 'NAME' from nowhere",
    ):
        assert run("psql", "-c", statement.replace("NAME", SECRET_ROW), home=up).returncode == 1
    log = (up / "postgres" / "server.log").read_text()
    assert "database system is ready" in log
    assert SECRET_ROW not in log
