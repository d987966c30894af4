"""The embedded PostgreSQL as bin/psql starts it: on demand, for us alone, and gone when no one uses it."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.commands import processes_of, run, server_pid, start, wait_for

SECRET_ROW = "Rosalind Example"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    for parent in (folder, *folder.parents):  # under root the server's own user must get here
        if parent.stat().st_uid == os.geteuid() and "pytest-" in str(parent):
            parent.chmod(0o755)
    first = run("psql", "-Atc", "create table public.kept as select 42 as answer", home=folder)
    assert first.returncode == 0, first.stderr
    yield folder
    assert wait_for(lambda: processes_of(folder) == [])


def test_the_answer_goes_to_standard_output_and_nothing_else_does(home: Path) -> None:
    result = run("psql", "-Atc", "select current_user, current_database()", home=home)
    assert (result.returncode, result.stdout) == (0, "roster_owner|portal\n")


def test_a_second_start_finds_the_first_state_and_nothing_runs_afterwards(home: Path) -> None:
    assert run("psql", "-Atc", "table kept", home=home).stdout == "42\n"
    assert server_pid(home) is None
    assert processes_of(home) == []


def test_the_exit_code_is_the_program_s_own(home: Path) -> None:
    assert run("psql", "-c", "select 1 / 0", home=home).returncode == 1
    assert run("psql", "-d", "nowhere", "-c", "select 1", home=home).returncode == 2


def test_the_portal_is_migrated(home: Path) -> None:
    assert run("psql", "-Atc", "select count(*) > 0 from roster_migrations", home=home).stdout == "t\n"


def test_a_caller_s_own_database_settings_do_not_lead_elsewhere(home: Path) -> None:
    result = run("psql", "-Atc", "select 1", home=home, PGHOST="/nowhere", PGUSER="nobody", PGDATABASE="other")
    assert (result.returncode, result.stdout) == (0, "1\n")


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
    assert [process.communicate(timeout=60)[0] for process in started] == ["42\n"] * 6
    assert wait_for(lambda: processes_of(home) == [])


def test_a_command_killed_by_kill_9_leaves_nothing_running(home: Path) -> None:
    process = start("psql", "-Atc", "select pg_sleep(60)", home=home)
    assert wait_for(lambda: server_pid(home) is not None)
    process.kill()
    process.communicate()
    assert wait_for(lambda: processes_of(home) == [])
    assert server_pid(home) is None


def test_a_first_start_killed_halfway_spoils_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = start("psql", "-Atc", "select 1", home=home)
    assert wait_for((home / "postgres" / "base").exists)
    process.kill()
    process.communicate()
    assert run("psql", "-Atc", "select 1", home=home).stdout == "1\n"
    assert wait_for(lambda: processes_of(home) == [])


def test_a_server_killed_by_kill_9_comes_back_with_its_data(home: Path) -> None:
    idle = start("psql", "-Atc", "insert into kept values (43); select pg_sleep(60)", home=home)
    assert wait_for(lambda: server_pid(home) is not None)
    assert run("psql", "-c", "insert into kept values (44)", home=home).returncode == 0
    pid = server_pid(home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    idle.communicate(timeout=60)
    # 43 is gone: -c runs its statements in one transaction, and that one never ended
    assert run("psql", "-Atc", "select answer from kept order by 1", home=home).stdout == "42\n44\n"
    assert run("psql", "-c", "delete from kept where answer > 42", home=home).returncode == 0


def test_another_home_runs_beside_the_first(home: Path, tmp_path: Path) -> None:
    session = start("psql", "-At", home=home)  # reads its input until that ends
    assert wait_for(lambda: server_pid(home) is not None)
    other = run("psql", "-Atc", "select to_regclass('public.kept') is null", home=tmp_path / "other")
    assert (other.returncode, other.stdout) == (0, "t\n")
    assert session.poll() is None
    session.communicate("select 1;\n", timeout=30)
    assert session.returncode == 0


def test_a_home_with_a_very_long_path_works(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    assert run("psql", "-Atc", "select 1", home=deep).stdout == "1\n"


def test_the_server_listens_on_no_port_and_only_we_may_enter(home: Path) -> None:
    query = "select current_setting('listen_addresses') = '', current_setting('unix_socket_directories')"
    empty, folder = run("psql", "-U", "postgres", "-Atc", query, home=home).stdout.strip().split("|")
    assert empty == "t"
    for private in (Path(folder), (home / "postgres").resolve()):
        if private.exists():
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
    hba = "select count(*) filter (where auth_method = 'peer') = count(*), count(*) from pg_hba_file_rules"
    assert run("psql", "-U", "postgres", "-Atc", hba, home=home).stdout == "t|1\n"


@pytest.mark.parametrize("user", ["nobody", "daemon"])
def test_another_user_of_the_machine_cannot_log_in(home: Path, user: str) -> None:
    if os.geteuid() != 0:  # only root can try it as someone else
        assert pwd.getpwnam(user).pw_uid != os.geteuid()
        return
    session = start("psql", "-At", home=home)  # reads its input until that ends
    socket = Path(run("psql", "-U", "postgres", "-Atc", "show unix_socket_directories", home=home).stdout.strip())
    tried = subprocess.run(
        ["/bin/sh", "-c", f"cd '{socket}'"], user=user, capture_output=True, text=True, check=False, cwd="/"
    )
    assert tried.returncode != 0
    session.communicate("select 1;\n", timeout=30)
    assert session.returncode == 0


def test_the_server_s_log_holds_no_row(home: Path) -> None:
    for statement in (
        "select 'NAME'::int",
        "create temp table t (a text primary key); insert into t values ('NAME'), ('NAME')",
        "select 'NAME' from nowhere",
    ):
        assert run("psql", "-c", statement.replace("NAME", SECRET_ROW), home=home).returncode == 1
    log = (home / "postgres" / "server.log").read_text()
    assert "database system is ready" in log
    assert SECRET_ROW not in log


def test_a_home_that_is_not_ours_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("psql", "-c", "select 1", home=tmp_path / "file" / "home")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "ROSTER_HOME" in result.stderr
    assert "Traceback" in run("psql", "--verbose", "-c", "select 1", home=tmp_path / "file" / "home").stderr
