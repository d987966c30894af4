"""Stores of files, opened with what a connection holds (S3, SFTP, all of fsspec), and their errors in our words."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, cast
from urllib.parse import urlsplit, urlunsplit

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.registry import known_implementations

from roster_sync.core.errors import AuthError, ConfigError, FeedBroken, RosterError, SourceUnavailable
from roster_sync.sources.base import Access
from roster_sync.sources.http.address import extra_text, is_true, parse_address

S3: Final = ("s3", "s3a")
SFTP: Final = ("sftp", "ssh")
RETRIES: Final[dict[str, Any]] = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
"""How often S3 is asked again for the same bytes: after a 5xx, or where the line broke."""
_TIMEOUTS: Final = {"connect_timeout": "15s", "timeout": "120s"}
_BLOCK: Final = 8 << 20


@contextmanager
def open_store(path: str, access: Access | None) -> Iterator[tuple[AbstractFileSystem, str]]:
    """Gives the store at an address and the path inside it.

    S3 and SFTP are never the ones that fsspec keeps for the process: their connection may be dead by the next night.

    Raises:
        RosterError: the connection is wrong, or the store cannot be reached.
    """
    scheme, _, rest = path.partition("://")
    authority, slash, inside = rest.partition("/")
    if scheme in SFTP and rest:
        from roster_sync.sources.files.sftp import open_sftp

        with as_user_error(display(path)):
            sftp = open_sftp(authority.rpartition("@")[2], access or Access())
        try:
            yield sftp, slash + inside
        finally:
            sftp.client.close()
    elif scheme in S3 and rest:
        with as_user_error(display(path)):
            store = _s3(scheme, access or Access())
        yield store, authority.rpartition("@")[2] + slash + inside.rstrip("/")
    else:
        with as_user_error(display(path)):
            found = url_to_fs(path, **{str(name): value for name, value in (access.extra if access else {}).items()})
        yield found


def display(path: str) -> str:
    """An address as it may be shown: a login, a password and a signed query are left out."""
    if "://" not in path:
        return path
    parts = urlsplit(path)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@contextmanager
def as_user_error(label: str) -> Iterator[None]:
    """Raises a store's own errors as ours: their texts may hold a signed address."""
    try:
        yield
    except RosterError:
        raise
    except Exception as error:  # stores raise errors of their own kinds, for which their packages are not imported here
        raise _in_words(error, label) from None


def _in_words(error: Exception, label: str) -> RosterError:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    kind = type(error).__name__
    of_s3 = str(error) if "BaseError" in kinds else ""
    if isinstance(error, FileNotFoundError) or "NoSuchBucket" in of_s3:
        return FeedBroken(
            f"There is nothing at {label}: check the path in the registry, and whether the upload arrived."
        )
    if kinds & {"PermissionError", "PermissionDeniedError"}:
        return AuthError(
            f"{label} may not be read: check the login and password (the keys) of the connection, and the rights of "
            "its account."
        )
    if kinds & {"AuthenticationException", "UnauthenticatedError"}:
        return AuthError(
            f"The server of {label} does not let us in: check the login and the password or key of the connection."
        )
    if "BadHostKeyException" in kinds:
        return AuthError(
            f"The server of {label} shows another host key than the one known for it: ask the district whether its "
            "server was changed, and only then put the new key into the connection's extra `host_key`."
        )
    if isinstance(error, ImportError):
        fix = known_implementations.get(urlsplit(label).scheme, {}).get("err", "install fsspec's package for it")
        return FeedBroken(f"{label} cannot be opened, a package is missing: {fix}, and start the sync again.")
    if isinstance(error, ValueError):
        return FeedBroken(
            f"{label} cannot be opened ({kind}): check the address, and that fsspec's package for this kind of store "
            "is installed."
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return SourceUnavailable(
            f"There is no room here for a copy of {label}: make some, or name a larger folder in TMPDIR."
        )
    if "169.254." in of_s3:  # where a machine of Amazon's would be given its role's keys
        return AuthError(
            f"{label} needs an access key: name a connection as the source's conn_id (login = the key, password = its "
            "secret), or give this machine a role."
        )
    if "redirect" in of_s3.lower():
        return ConfigError(
            f"{label} is in another region: put the bucket's region into the connection's extra `region_name`."
        )
    return SourceUnavailable(
        f"{label} did not answer, or broke off ({kind}): see that its host and port are right and that it is up; "
        "then start the sync again."
    )


def _s3(scheme: str, access: Access) -> AbstractFileSystem:
    """S3 or whatever speaks it; without a login the machine's own rights are taken (environment, role)."""
    from obstore.fsspec import FsspecStore

    class Store(FsspecStore):
        protocol = scheme
        cachable = False

        def _open(self, path: str, mode: str = "rb", *_: Any, **__: Any) -> Any:
            return super()._open(path, mode, buffer_size=_BLOCK)

    extra = access.extra
    nested = extra.get("client_kwargs")
    client = nested if isinstance(nested, Mapping) else {}
    config: dict[str, Any] = {
        "access_key_id": access.login or extra_text(extra, "aws_access_key_id") or extra_text(extra, "key"),
        "secret_access_key": access.password or extra_text(extra, "aws_secret_access_key")
        or extra_text(extra, "secret"),
        "session_token": extra_text(extra, "aws_session_token") or extra_text(extra, "token"),
        "region": extra_text(extra, "region_name") or extra_text(client, "region_name"),
    }  # fmt: skip
    options: dict[str, Any] = dict(_TIMEOUTS)
    if endpoint := extra_text(extra, "endpoint_url") or extra_text(client, "endpoint_url"):
        found = parse_address(endpoint, allows_http=is_true(extra, "allow_http"))
        config["endpoint"] = found.base
        options["allow_http"] = found.base.startswith("http:")
    if is_true(extra, "anon"):
        config["skip_signature"] = True
    config = {name: value for name, value in config.items() if value}
    if ("access_key_id" in config) != ("secret_access_key" in config):
        raise ConfigError("The connection of an S3 address needs both: login = the access key, password = its secret.")
    make = cast("Callable[..., AbstractFileSystem]", Store)
    return make(scheme, config=config, client_options=options, retry_config=RETRIES)
