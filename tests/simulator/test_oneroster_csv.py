"""OneRoster CSV as the specification demands it."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest

from include.simulator.__main__ import main
from include.simulator.district import MadeUpDistrict
from include.simulator.oneroster_csv import HEADERS, CsvOptions, write_csv

DISTRICT = MadeUpDistrict(7, 200, 3)


def table(path: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode("utf-8-sig"))))


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_bulk_files_have_the_exact_header_and_no_status(tmp_path, version):
    path = write_csv(DISTRICT.day(1), tmp_path / "bulk.zip", CsvOptions(version, demographics=True))
    with zipfile.ZipFile(path) as archive:
        names = {name.removesuffix(".csv") for name in archive.namelist()}
    expected = {"manifest", "orgs", "academicSessions", "courses", "classes", "users", "enrollments", "demographics"}
    assert names == (expected if version == "1.1" else expected | {"roles", "userProfiles"})
    for name in names - {"manifest"}:
        rows = table(path, name)
        header = HEADERS.get(name) or HEADERS[f"{name} {version}"]
        assert ",".join(rows[0]) == header
        assert {(row["status"], row["dateLastModified"]) for row in rows} == {("", "")}
    manifest = {row["propertyName"]: row["value"] for row in table(path, "manifest")}
    assert manifest["oneroster.version"] == version
    assert manifest["file.users"] == "bulk"
    assert manifest["file.results"] == "absent"


def test_version_1_2_has_in_roles_what_1_1_has_in_users(tmp_path):
    old = table(write_csv(DISTRICT.day(1), tmp_path / "a.zip"), "users")
    new = table(write_csv(DISTRICT.day(1), tmp_path / "b.zip", CsvOptions("1.2")), "roles")
    orgs: dict[str, set[str]] = {}
    for row in new:
        orgs.setdefault(row["userSourcedId"], set()).add(row["orgSourcedId"])
    for row in old:
        assert set(row["orgSourcedIds"].split(",")) <= orgs[row["sourcedId"]]
    assert {row["role"] for row in old} <= {
        "administrator",
        "aide",
        "guardian",
        "parent",
        "relative",
        "student",
        "teacher",
    }


def test_a_delta_on_top_of_a_bulk_file_makes_the_later_bulk_file(tmp_path):
    before, after = DISTRICT.day(2), DISTRICT.day(6)
    for version in ("1.1", "1.2"):
        options = CsvOptions(version, metadata=True, demographics=True)
        old = write_csv(before, tmp_path / "old.zip", options)
        new = write_csv(after, tmp_path / "new.zip", options)
        delta = write_csv(after, tmp_path / "delta.zip", options, before)
        names = ["orgs", "academicSessions", "courses", "classes", "users", "enrollments", "demographics"]
        for name in names + (["roles", "userProfiles"] if version == "1.2" else []):
            rows = {row["sourcedId"]: row for row in table(old, name)}
            for row in table(delta, name):
                assert row["dateLastModified"]
                if row["status"] == "tobedeleted":
                    del rows[row["sourcedId"]]
                else:
                    assert row["status"] == "active"
                    rows[row["sourcedId"]] = {**row, "status": "", "dateLastModified": ""}
            assert rows == {row["sourcedId"]: row for row in table(new, name)}, name
        assert {row["value"] for row in table(delta, "manifest") if row["propertyName"] == "file.users"} == {"delta"}


def test_a_shuffled_file_holds_the_same_rows_in_another_order(tmp_path):
    plain = table(write_csv(DISTRICT.day(1), tmp_path / "a.zip"), "enrollments")
    mixed = table(write_csv(DISTRICT.day(1), tmp_path / "b.zip", CsvOptions(shuffle=4)), "enrollments")
    again = table(write_csv(DISTRICT.day(1), tmp_path / "c.zip", CsvOptions(shuffle=4)), "enrollments")
    assert plain != mixed == again
    assert sorted(row["sourcedId"] for row in plain) == sorted(row["sourcedId"] for row in mixed)


def test_marks_line_ends_folders_and_extra_columns_as_asked(tmp_path):
    options = CsvOptions(bom=True, crlf=True, metadata=True, folder="export/deep")
    path = write_csv(DISTRICT.day(1), tmp_path / "odd.zip", options)
    with zipfile.ZipFile(path) as archive:
        raw = archive.read("export/deep/users.csv")
    assert raw.startswith(b"\xef\xbb\xbfsourcedId,")
    assert raw.count(b"\r\n") == raw.count(b"\n") > 200
    assert raw.split(b"\r\n")[0].endswith(b",password,metadata.stateId")


def test_the_same_day_is_written_in_the_same_bytes(tmp_path):
    first, second = (write_csv(MadeUpDistrict(7, 100, 2).day(3), tmp_path / name) for name in ("a.zip", "b.zip"))
    assert first.read_bytes() == second.read_bytes()


def test_the_command_line_writes_a_folder(tmp_path, capsys):
    out = tmp_path / "files"
    assert main(["csv", "--students", "60", "--schools", "2", "--day", "2", "--out", str(out), "--shuffle"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert (out / "enrollments.csv").read_text().count("\n") > 300
