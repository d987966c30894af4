"""Rules of rosters at a store: SFTP and S3 for real, on loopback, and in which words each fault is reported."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.exceptions import GenericError

from roster_sync.config.districts import SourceSettings
from roster_sync.config.registry_file import load_registry
from roster_sync.core.errors import AuthError, ConfigError, FeedBroken, RosterError, SourceUnavailable
from roster_sync.orchestration import hooks
from roster_sync.sources.base import Access
from roster_sync.sources.files import stores
from roster_sync.sources.files.archive import open_archive
from roster_sync.sources.kinds import open_source
from roster_sync.sources.oneroster_csv.source import OneRosterCsv
from tests.sources.conftest import CsvRoster, MemorySink
from tests.sources.distant import ANOTHER_KEY, BUCKET, KEY, LOGIN, PASSWORD, S3, Sftp, public, serving


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Sftp]:
    with serving(Sftp(tmp_path)) as server:
        yield server


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    hasty = {"max_retries": 1, "retry_timeout": timedelta(seconds=1)}
    monkeypatch.setattr(stores, "RETRIES", hasty)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with serving(S3(tmp_path)) as server:
        yield server


def source(path: str, access: Access | None) -> OneRosterCsv:
    opened = open_source(SourceSettings("oneroster_csv", path=path), access, "harbor")
    assert isinstance(opened, OneRosterCsv)
    return opened


def refusal(kind: type[RosterError], path: str, access: Access | None) -> str:
    """The sentence with which a store is given up; no secret is in it or behind it, and the probe tells the same."""
    with pytest.raises(kind) as caught:
        source(path, access).fetch(MemorySink())
    assert type(caught.value) is kind
    text = str(caught.value)
    assert PASSWORD not in text
    assert LOGIN not in text
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return text


def read_everywhere(roster: CsvRoster, folder: Path, start: str, access: Access) -> None:
    """A zip, a folder and a nested folder give the rows of the files on this machine."""
    here = MemorySink()
    source(roster.zip(folder), None).fetch(here)
    roster.folder(folder / "flat")
    (folder / "up").mkdir()
    roster.folder(folder / "up" / "deep")
    for name in ("roster.zip", "flat", "up", "flat/"):
        there = MemorySink()
        report = source(start + name, access).fetch(there)
        assert there.rows == here.rows, name
        assert all(collection.is_complete for collection in report.collections.values())
    probed = source(start + "flat", access).probe()
    assert probed.is_ok, probed.steps
    assert probed.data_as_of
    assert probed.schools == [("s1", "North School"), ("s2", "South School")]


# -- SFTP --------------------------------------------------------------------------------------------------------------


def test_a_zip_and_a_folder_are_read_over_sftp(roster: CsvRoster, sftp: Sftp, tmp_path: Path) -> None:
    read_everywhere(roster, tmp_path, f"sftp://{sftp.authority}/", sftp.access())


def test_links_over_sftp_are_read_as_what_they_lead_to(roster: CsvRoster, sftp: Sftp, tmp_path: Path) -> None:
    here = MemorySink()
    source(roster.folder(tmp_path / "kept"), None).fetch(here)
    (tmp_path / "flat").mkdir()
    for file in (tmp_path / "kept").iterdir():
        (tmp_path / "flat" / file.name).symlink_to(file)
    (tmp_path / "flat" / "old.csv").symlink_to(tmp_path / "gone.csv")
    (tmp_path / "current").symlink_to(tmp_path / "flat")
    for name in ("flat", "current"):
        there = MemorySink()
        source(f"sftp://{sftp.authority}/{name}", sftp.access()).fetch(there)
        assert there.rows == here.rows, name


def test_the_server_may_be_named_by_the_connection_alone(roster: CsvRoster, sftp: Sftp, tmp_path: Path) -> None:
    roster.zip(tmp_path)
    source("sftp:///roster.zip", sftp.access()).fetch(MemorySink())


def test_an_account_may_have_a_key_instead_of_a_password(roster: CsvRoster, sftp: Sftp, tmp_path: Path) -> None:
    roster.zip(tmp_path)
    sftp.client_key = ANOTHER_KEY
    written = io.StringIO()
    ANOTHER_KEY.write_private_key(written)
    access = sftp.access(password="", private_key=written.getvalue())
    source(f"sftp://{sftp.authority}/roster.zip", access).fetch(MemorySink())
    assert "`private_key` cannot be read" in refusal(
        ConfigError, f"sftp://{sftp.authority}/roster.zip", sftp.access(password="", private_key="none")
    )


def test_a_wrong_password_is_reported(sftp: Sftp) -> None:
    text = refusal(AuthError, f"sftp://{sftp.authority}/roster.zip", sftp.access(password=PASSWORD + "x"))
    assert "does not let us in: check the login and the password" in text


def test_a_path_that_is_not_there_is_reported(sftp: Sftp) -> None:
    text = refusal(FeedBroken, f"sftp://{sftp.authority}/none.zip", sftp.access())
    assert text.startswith(f"There is nothing at sftp://{sftp.authority}/none.zip: check the path")


def test_a_server_whose_host_key_is_not_known_is_not_given_the_password(
    sftp: Sftp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for extra in ({}, {"no_host_key_check": "true"}):  # Airflow's own extra, which would hand it to whoever answers
        text = refusal(AuthError, f"sftp://{sftp.authority}/roster.zip", sftp.access(host_key="", **extra))
        assert "is not known (SHA256:" in text
        assert "`host_key`" in text


def test_a_server_with_another_host_key_is_not_given_the_password(sftp: Sftp) -> None:
    text = refusal(AuthError, f"sftp://{sftp.authority}/roster.zip", sftp.access(host_key=public(ANOTHER_KEY)))
    assert "another host key" in text


@pytest.mark.parametrize("text", [KEY.get_base64(), f"[127.0.0.1]:22 {public(KEY)} comment"])
def test_a_host_key_is_taken_as_ssh_keyscan_or_airflow_writes_it(
    roster: CsvRoster, sftp: Sftp, tmp_path: Path, text: str
) -> None:
    roster.zip(tmp_path)
    source(f"sftp://{sftp.authority}/roster.zip", sftp.access(host_key=text)).fetch(MemorySink())


def test_a_host_key_that_is_not_one_is_reported(sftp: Sftp) -> None:
    assert "is not a host key" in refusal(ConfigError, f"sftp://{sftp.authority}/a.zip", sftp.access(host_key="AAAA!"))


def test_a_secret_goes_to_no_other_server_than_its_connections(sftp: Sftp) -> None:
    text = refusal(ConfigError, "sftp://other.example/roster.zip", sftp.access())
    assert "names the server other.example, but its connection is for 127.0.0.1" in text


def test_a_server_that_does_not_answer_is_reported() -> None:
    text = refusal(SourceUnavailable, "sftp://127.0.0.1:1/roster.zip", Access("", LOGIN, PASSWORD))
    assert "see that its host and port are right" in text


@pytest.mark.parametrize("name", ["roster.zip", "flat"])
def test_a_connection_that_is_cut_in_the_middle_is_reported(
    roster: CsvRoster, sftp: Sftp, tmp_path: Path, name: str
) -> None:
    grow(roster)
    roster.zip(tmp_path)
    roster.folder(tmp_path / "flat")
    sftp.cuts_after = 100_000
    text = refusal(SourceUnavailable, f"sftp://{sftp.authority}/{name}", sftp.access())
    assert "broke off" in text


# -- S3 ----------------------------------------------------------------------------------------------------------------


def test_a_zip_and_a_folder_are_read_from_s3(roster: CsvRoster, s3: S3, tmp_path: Path) -> None:
    read_everywhere(roster, tmp_path, f"s3://{BUCKET}/", s3.access())
    assert any("bytes=" in asked for asked in s3.asked)


def test_s3_takes_the_names_of_fsspecs_options_too(roster: CsvRoster, s3: S3, tmp_path: Path) -> None:
    roster.zip(tmp_path)
    endpoint = s3.access().extra["endpoint_url"]
    options = {"key": LOGIN, "secret": PASSWORD, "client_kwargs": {"endpoint_url": endpoint}}
    source(f"s3://{BUCKET}/roster.zip", Access(extra=options)).fetch(MemorySink())


@pytest.mark.parametrize("address", [f"s3://{BUCKET}/none.zip", "s3://nobucket/roster.zip"])
def test_a_key_or_a_bucket_that_is_not_there_is_reported(s3: S3, address: str) -> None:
    assert refusal(FeedBroken, address, s3.access()).startswith(f"There is nothing at {address}: check the path")


def test_wrong_credentials_are_reported(s3: S3) -> None:
    text = refusal(AuthError, f"s3://{BUCKET}/roster.zip", s3.access(login="another"))
    assert "check the login and password (the keys) of the connection" in text


def test_half_of_the_credentials_are_reported(s3: S3) -> None:
    assert "needs both" in refusal(ConfigError, f"s3://{BUCKET}/roster.zip", s3.access(password=""))


def test_a_bucket_of_another_region_is_reported(s3: S3) -> None:
    s3.redirects = True
    assert "`region_name`" in refusal(ConfigError, f"s3://{BUCKET}/roster.zip", s3.access())


def test_an_endpoint_in_the_clear_is_for_this_machine_only(s3: S3) -> None:
    text = refusal(ConfigError, f"s3://{BUCKET}/roster.zip", s3.access(endpoint_url="http://s3.example"))
    assert "allow_http" in text


@pytest.mark.parametrize("name", ["roster.zip", "flat"])
def test_a_body_that_breaks_off_is_reported(roster: CsvRoster, s3: S3, tmp_path: Path, name: str) -> None:
    roster.zip(tmp_path)
    roster.folder(tmp_path / "flat")
    s3.breaks_after = 0
    text = refusal(SourceUnavailable, f"s3://{BUCKET}/{name}", s3.access())
    assert "broke off" in text


def test_that_no_access_key_is_given_is_reported() -> None:
    tried = GenericError("Error performing PUT http://169.254.169.254/latest/api/token in 4 s: tok-1a2b")
    with pytest.raises(AuthError, match="needs an access key") as caught, stores.as_user_error("s3://rosters/a.zip"):
        raise tried
    assert "tok-1a2b" not in str(caught.value)


def test_an_airflow_connection_is_named_before_the_at_of_an_address(
    roster: CsvRoster, sftp: Sftp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster.zip(tmp_path)
    registry = tmp_path / "districts.yaml"
    registry.write_text(
        "districts:\n  - {key: bay, name: Bay, timezone: UTC, source: {kind: oneroster_csv, "
        f"path: 'sftp://files_bay@{sftp.authority}/roster.zip'}}}}\n"
    )
    host, port = sftp.authority.split(":")
    settings = {"conn_type": "sftp", "host": host, "port": int(port), "login": LOGIN, "password": PASSWORD}
    monkeypatch.setenv("AIRFLOW_CONN_FILES_BAY", json.dumps({**settings, "extra": {"host_key": public(KEY)}}))
    (district,) = load_registry(registry)
    assert district.source.path == f"sftp://{sftp.authority}/roster.zip"
    report = hooks.open_source(district).fetch(MemorySink())
    assert report.collections["users"].received == 3


# -- both --------------------------------------------------------------------------------------------------------------


def grow(roster: CsvRoster) -> None:
    """Makes the roster's bytes large, and such that they do not pack."""
    noise = "\r\n".join(f"x{place},,,{os.urandom(500).hex()},school,,d1" for place in range(300))
    roster.files["orgs"] += noise.encode() + b"\r\n"


@pytest.mark.parametrize(("kind", "size", "most"), [("sftp", 12_000_000, 8_000_000), ("s3", 32_000_000, 20_000_000)])
def test_a_zip_at_a_store_goes_to_disk_not_into_memory(
    sftp: Sftp, s3: S3, tmp_path: Path, kind: str, size: int, most: int
) -> None:
    with (tmp_path / "large.zip").open("wb") as large:
        large.truncate(size)
    path = f"sftp://{sftp.authority}/large.zip" if kind == "sftp" else f"s3://{BUCKET}/large.zip"
    access = sftp.access() if kind == "sftp" else s3.access()
    tracemalloc.start()
    with pytest.raises(FeedBroken, match="neither a folder nor a whole zip"), open_archive(path, access=access):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most, "the server's part counts too: 8 MB a request to S3"


def test_each_file_of_a_distant_folder_travels_once(roster: CsvRoster, s3: S3, tmp_path: Path) -> None:
    roster.folder(tmp_path / "flat")
    source(f"s3://{BUCKET}/flat", s3.access()).fetch(MemorySink())
    bodies = [asked.split()[1] for asked in s3.asked if asked.startswith("GET") and "list-type" not in asked]
    assert sorted(set(bodies)) == sorted(bodies)
    assert len(bodies) == len(roster.members())


def test_a_file_that_changes_while_it_is_read_is_refused(roster: CsvRoster, s3: S3, tmp_path: Path) -> None:
    roster.folder(tmp_path / "flat")
    with open_archive(f"s3://{BUCKET}/flat", access=s3.access()) as archive:
        (tmp_path / "flat" / "users.csv").write_bytes(b"sourcedId\r\n")
        with pytest.raises(RosterError, match=r"users\.csv in s3://rosters/flat"):
            archive.open("users.csv").read()
