"""SFTP with what a connection holds: no server is spoken to whose host key is not known, and reads are pipelined."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, Final, cast
from urllib.parse import urlsplit

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from roster_sync.core.errors import AuthError, ConfigError
from roster_sync.sources.base import Access
from roster_sync.sources.http.address import extra_text

CONNECT_SECONDS: Final = 15
ANSWER_SECONDS: Final = 60
_REQUEST: Final = 1 << 15
_AT_ONCE: Final = 1 << 20
_KEYS: Final = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


def open_sftp(authority: str, access: Access) -> Sftp:
    """Connects to the server that an address or its connection names.

    Raises:
        ConfigError, AuthError: the connection is wrong, or its server another than the one known.
        Exception: paramiko's own, where the server does not answer or not let us in.
    """
    host, port = _server(authority, access.host)
    extra = access.extra
    options: dict[str, Any] = {
        "port": port,
        "username": access.login or None,
        "password": access.password or None,
        "pkey": _private_key(extra_text(extra, "private_key"), extra_text(extra, "private_key_passphrase") or None),
        "key_filename": extra_text(extra, "key_file") or None,
        "passphrase": extra_text(extra, "private_key_passphrase") or None,
    }
    has_own = any(options[name] for name in ("password", "pkey", "key_filename"))
    return Sftp(
        host,
        **options,
        look_for_keys=not has_own,
        allow_agent=not has_own,
        timeout=CONNECT_SECONDS,
        banner_timeout=CONNECT_SECONDS,
        auth_timeout=CONNECT_SECONDS,
        host_key=extra_text(extra, "host_key"),
    )


class Sftp(SFTPFileSystem):  # type: ignore[misc] # fsspec has no types
    """The server's files, over one connection."""

    cachable = False

    def __init__(self, host: str, *, host_key: str, **options: Any) -> None:
        self._host_key = host_key
        super().__init__(host, **options)

    def _connect(self) -> None:
        self.client = client = paramiko.SSHClient()
        client.set_missing_host_key_policy(_Refuse())
        if self._host_key:
            port = self.ssh_kwargs["port"]
            name = self.host if port == paramiko.config.SSH_PORT else f"[{self.host}]:{port}"
            entry = _host_key(name, self._host_key)
            client.get_host_keys().add(entry.hostnames[0], entry.key.get_name(), entry.key)
        else:
            client.load_system_host_keys()
        try:
            client.connect(self.host, **self.ssh_kwargs)
            self.ftp = client.open_sftp()
            self.ftp.get_channel().settimeout(ANSWER_SECONDS)
        except BaseException:
            client.close()
            raise

    def _open(self, path: str, mode: str = "rb", **_: Any) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Pipelined(self.ftp.open(path, mode)), _AT_ONCE))


class _Pipelined(io.RawIOBase):
    """A file from start to end. Its blocks are asked for all at once: each would wait for the way there and back."""

    def __init__(self, file: paramiko.SFTPFile) -> None:
        self._file = file
        file._prefetch_thread = _without_traceback(file._prefetch_thread)
        self._size = int(file.stat().st_size or 0)
        self._offset = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        end = min(self._offset + len(buffer), self._size)
        starts = range(self._offset, end, _REQUEST)
        data = b"".join(self._file.readv([(start, min(_REQUEST, end - start)) for start in starts])) if starts else b""
        buffer[: len(data)] = data
        self._offset += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _without_traceback(send: Callable[..., None]) -> Callable[..., None]:
    """The method with which paramiko 5.1.0 sends a file's requests in a thread of its own, without its traceback.

    Where the connection is cut, the thread dies with a traceback on stderr and the reader raises the same error. To be
    removed once paramiko catches it in SFTPFile._prefetch_thread, or readv takes no thread; if the method is renamed,
    test_a_connection_that_is_cut_in_the_middle_is_reported fails.
    """

    def send_quietly(*arguments: Any) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            send(*arguments)

    return send_quietly


class _Refuse(paramiko.MissingHostKeyPolicy):  # type: ignore[misc] # nor has paramiko
    def missing_host_key(self, client: Any, hostname: str, key: paramiko.PKey) -> None:
        raise AuthError(
            f"The host key of {hostname} is not known ({key.fingerprint}): have the district confirm it, then put the "
            "key (ssh-keyscan shows it) into the connection's extra `host_key`."
        )


def _server(authority: str, host: str) -> tuple[str, int]:
    """Host and port; what the address leaves out is the connection's. A secret goes to no other host than its own."""
    named, known = _parts(authority), _parts(host.rpartition("://")[2])
    if not (named[0] or known[0]):
        raise ConfigError("The address names no server, nor does its connection: put the server into its host.")
    if named[0] and known[0] and named[0] != known[0]:
        raise ConfigError(
            f"The address names the server {named[0]}, but its connection is for {known[0]}: make them the same."
        )
    return named[0] or known[0], named[1] or known[1] or paramiko.config.SSH_PORT


def _parts(authority: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{authority}")
        return parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError("The server of an SFTP address is written as host or host:port.") from None


def _host_key(name: str, text: str) -> HostKeyEntry:
    try:
        key = next(word for word in text.split() if word.startswith("AAAA"))
        blob = base64.b64decode(key, validate=True)  # begins with the length and the name of its kind
        entry = HostKeyEntry.from_line(f"{name} {blob[4 : 4 + int.from_bytes(blob[:4], 'big')].decode()} {key}")
    except (StopIteration, ValueError, IndexError, InvalidHostKey, paramiko.SSHException):
        entry = None
    if entry is None or entry.key is None:
        raise ConfigError(
            "The connection's extra `host_key` is not a host key: write it as ssh-keyscan does: ssh-ed25519 AAAA..."
        )
    return entry


def _private_key(text: str, passphrase: str | None) -> paramiko.PKey | None:
    if not text:
        return None
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text), passphrase)
        except (paramiko.SSHException, ValueError, IndexError):  # another kind, a wrong passphrase
            continue
    raise ConfigError(
        "The connection's extra `private_key` cannot be read: paste the whole key (OpenSSH or PEM), and its "
        "passphrase into `private_key_passphrase`."
    )
