"""Rules of reading OneRoster CSV: what is read, what a bad line costs, what is refused and in which words."""

from __future__ import annotations

import re
import struct
import sys
import zipfile
from pathlib import Path

import fsspec
import pytest

from roster_sync.config.districts import SourceSettings
from roster_sync.core.errors import FeedBroken
from roster_sync.sources.base import FeedReport
from roster_sync.sources.files import archive as archive_module
from roster_sync.sources.kinds import open_source
from roster_sync.sources.oneroster_csv.source import OneRosterCsv
from tests.sources.conftest import CsvRoster, MemorySink

ALL = {"orgs": 3, "terms": 1, "courses": 1, "classes": 2, "users": 3, "enrollments": 3}


def source(path: str) -> OneRosterCsv:
    opened = open_source(SourceSettings("oneroster_csv", path=path), None, "harbor")
    assert isinstance(opened, OneRosterCsv)
    return opened


def fetch(path: str, sink: MemorySink) -> FeedReport:
    return source(path).fetch(sink)


def refusal(roster: CsvRoster, folder: Path) -> str:
    """The sentence with which a roster is refused; nothing may have been loaded before."""
    sink = MemorySink()
    with pytest.raises(FeedBroken) as caught:
        fetch(roster.zip(folder), sink)
    assert sink.rows == {}
    return str(caught.value)


def counts(report: FeedReport) -> dict[str, int]:
    return {name: collection.received for name, collection in report.collections.items()}


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_zip_is_read_whole_and_its_bulk_files_prove_absence(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    report = fetch(roster.zip(tmp_path), sink)
    assert counts(report) == ALL
    assert report.issuer == "oneroster_csv:harbor"
    assert all(collection.is_complete for collection in report.collections.values())
    assert sink.rejects == []
    assert sink.refused == 0
    assert sink.rows["users"][1] == {
        "source_id": "u2", "status": None, "is_enabled": "true", "org_source_ids": "s1,s2", "role": "student",
        "username": "sam.s", "user_ids": "{LDAP:7}", "given_name": "Sam", "family_name": "Sample",
        "identifier": "P-2", "email": "sam@example.org", "grades": "09",
    }  # fmt: skip
    assert sink.rows["enrollments"][0]["begins_on"] == "2026-08-15"


def test_a_folder_a_nested_folder_and_a_remote_address_give_the_same_as_a_zip(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    fetch(roster.zip(tmp_path), sink)
    with fsspec.open("memory://rosters/harbor.zip", "wb") as remote:
        remote.write(Path(roster.zip(tmp_path)).read_bytes())
    (tmp_path / "up").mkdir()
    roster.folder(tmp_path / "up" / "deep")
    for path in (
        roster.folder(tmp_path / "flat"),
        roster.zip(tmp_path, "roster/2026/", "nested.zip"),
        roster.zip(tmp_path, "roster\\", "windows.zip"),
        str(tmp_path / "up"),
        "memory://rosters/harbor.zip",
    ):
        other = MemorySink()
        assert counts(fetch(path, other)) == ALL
        assert other.rows == sink.rows


def test_links_within_a_folder_and_a_link_to_it_are_followed(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    folder = Path(roster.folder(tmp_path / "flat"))
    (folder / "kept").mkdir()
    (folder / "kept" / "people.csv").write_bytes((folder / "users.csv").read_bytes())
    (folder / "users.csv").unlink()
    (folder / "users.csv").symlink_to(folder / "kept" / "people.csv")
    (tmp_path / "current").symlink_to(folder)
    for path in (folder, tmp_path / "current", f"file://{tmp_path}/current/"):
        assert counts(fetch(str(path), sink)) == ALL


@pytest.mark.parametrize("name", ["manifest.csv", "users.csv", "enrollments.csv"])
def test_a_link_that_leads_out_of_a_folder_is_refused(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path, name: str
) -> None:
    other = Path(roster.folder(tmp_path / "flat2"))
    folder = Path(roster.folder(tmp_path / "flat"))
    (folder / name).unlink()
    (folder / name).symlink_to(other / name)
    with pytest.raises(FeedBroken, match=rf"^{re.escape(name)} in .* is a link that leads out of the folder: "):
        fetch(str(folder), sink)
    assert sink.rows == {}


def test_files_of_a_mac_archive_are_passed_over(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    path = roster.zip(tmp_path, "roster/")
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("__MACOSX/roster/._users.csv", b"\x00\x05\x16")
        packed.writestr("roster/._orgs.csv", b"\x00\x05\x16")
    assert counts(fetch(path, sink)) == ALL


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_marks_and_line_ends_do_not_matter(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path, ends: str, mark: bytes
) -> None:
    roster.files = {name: mark + data.replace(b"\r\n", ends.encode()) for name, data in roster.files.items()}
    assert counts(fetch(roster.zip(tmp_path), sink)) == ALL
    assert sink.refused == 0
    assert sink.ids("users") == ["u1", "u2", "u3"]


def test_columns_in_another_order_and_extra_ones_are_read_by_name(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    roster.files["orgs"] = (
        b'metadata.color,name,"type",sourcedId,dateLastModified,identifier,status,metadata.NCES_ID\n'
        b"red,North School,school,s1,,S-1,,062271003230\n"
    )
    fetch(roster.zip(tmp_path), sink)
    assert sink.rows["orgs"] == [{
        "name": "North School", "type": "school", "source_id": "s1", "identifier": "S-1", "status": None,
        "nces_id": "062271003230",
    }]  # fmt: skip


def test_passwords_and_phones_never_reach_the_sink(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    fetch(roster.zip(tmp_path), sink)
    roster.replace("users", "u3,,,false", "\nu3,,,false")
    fetch(roster.zip(tmp_path), sink)
    assert "secret" not in str(sink.rows)
    assert "555" not in str(sink.rows)


def test_roles_of_1_2_are_read_from_their_own_file(roster_v12: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    report = fetch(roster_v12.zip(tmp_path), sink)
    assert counts(report) == ALL | {"roles": 4}
    assert sink.rows["roles"][2] == {
        "source_id": "r3", "status": None, "user_source_id": "u2", "role_type": "secondary", "role": "student",
        "org_source_id": "s2",
    }  # fmt: skip
    assert "role" not in sink.rows["users"][0]
    assert sink.rows["users"][0]["primary_org_source_id"] == "s1"


def test_quoted_line_breaks_stay_in_their_value(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    roster.replace("classes", "Algebra 1,", '"Algebra\r\n1, ""honors""",')
    assert counts(fetch(roster.zip(tmp_path), sink)) == ALL
    assert sink.rows["classes"][0]["title"] == 'Algebra\r\n1, "honors"'
    assert sink.discards == 0


# -- what proves absence -----------------------------------------------------------------------------------------------


def test_a_delta_file_proves_no_absence(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    roster.modes["users"] = "delta"
    report = fetch(roster.zip(tmp_path), sink)
    assert not report.collections["users"].is_complete
    assert "delta" in report.collections["users"].reason
    assert report.collections["orgs"].is_complete


def test_without_a_manifest_nothing_proves_absence(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    roster.has_manifest = False
    report = fetch(roster.zip(tmp_path), sink)
    assert counts(report) == ALL
    assert not any(collection.is_complete for collection in report.collections.values())
    assert "manifest.csv" in report.collections["users"].reason


def test_people_are_not_complete_where_their_roles_are_a_delta(
    roster_v12: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    roster_v12.modes["roles"] = "delta"
    report = fetch(roster_v12.zip(tmp_path), sink)
    assert not report.collections["users"].is_complete
    assert report.collections["classes"].is_complete


def test_a_file_that_is_absent_is_not_in_the_report(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    del roster.files["courses"]
    roster.modes["courses"] = "absent"
    assert "courses" not in fetch(roster.zip(tmp_path), sink).collections


def test_a_file_whose_last_line_breaks_off_is_not_complete(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    roster.files["users"] = roster.files["users"][:-20]
    report = fetch(roster.folder(tmp_path / "cut"), sink)
    assert report.collections["users"].received == 2
    assert not report.collections["users"].is_complete
    assert "breaks off" in report.collections["users"].reason


def test_lines_swallowed_between_two_stray_quotes_are_read_one_by_one(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    """COPY takes lines 3 to 4 as one record, without a word: the class between would look gone."""
    roster.files["classes"] = b"\n".join([
        roster.files["classes"].splitlines()[0],
        b"k1,,,Algebra,09,c1,A-1,scheduled,R1,s1,t1,Mathematics,,1",
        b'k2,,,Pipes 5" wide,09,c1,A-2,scheduled,R1,s1,t1,Mathematics,,1',
        b"k3,,,Algebra,09,c1,A-3,scheduled,R1,s1,t1,Mathematics,,1",
        b'k4,,,Pipes 6" wide,09,c1,A-4,scheduled,R1,s1,t1,Mathematics,,1',
        b"",
    ])  # fmt: skip
    report = fetch(roster.zip(tmp_path), sink)
    assert sink.ids("classes") == ["k1", "k2", "k3", "k4"]
    assert sink.rows["classes"][1]["title"] == 'Pipes 5" wide'
    assert counts(report) == ALL | {"classes": 4}
    assert {name: len(rows) for name, rows in sink.rows.items()} == counts(report)


# -- what a bad line costs ---------------------------------------------------------------------------------------------


def test_a_ragged_line_costs_itself_and_is_reported_with_its_number(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    roster.replace("enrollments", "e2,,,k1,s1,u2,student,false,,", "e2,,,k1,s1,u2,student")
    report = fetch(roster.zip(tmp_path), sink)
    assert sink.ids("enrollments") == ["e1", "e3"]
    assert report.collections["enrollments"].is_complete
    (finding,) = sink.rejects
    assert (finding["collection"], finding["rule"], finding["line"]) == ("enrollments", "ragged_line", 3)
    assert finding["source_id"] == "e2"
    assert finding["known"] == {"source_id": "e2", "class_source_id": "k1", "user_source_id": "u2"}
    assert "enrollments.csv, line 3" in finding["message"]


def test_a_comma_too_many_leaves_the_id_known_and_no_value_in_the_message(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    roster.replace("users", "Sam,Sample,", "Sam,Sample, Jr,")
    fetch(roster.zip(tmp_path), sink)
    (finding,) = sink.rejects
    assert (finding["source_id"], finding["known"]) == ("u2", {"source_id": "u2"})
    assert "Sam" not in finding["message"]
    assert "u2" not in finding["message"]


@pytest.mark.parametrize(
    "line",
    [
        "active,,Sam,Sample",  # its start was lost
        "u2,act,,true,s1",  # what stands for a status is none
        "u2,,,true,s1,student,u3,,,false,s2,student,pat.p,,Pat,Pattern,,P-3,,,,,10,",  # two lines run together
    ],
)
def test_a_ragged_line_that_may_hide_another_id_leaves_the_whole_collection_unproved(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path, line: str
) -> None:
    lines = roster.text("users").splitlines()
    roster.files["users"] = "\n".join([*lines[:2], line, *lines[3:], ""]).encode()
    fetch(roster.zip(tmp_path), sink)
    (finding,) = sink.rejects
    assert finding["rule"] == "ragged_line"
    assert finding["source_id"] is None
    assert finding["known"] is None


def test_a_blank_line_names_nothing(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    roster.replace("users", "u2,", "\r\nu2,")
    report = fetch(roster.zip(tmp_path), sink)
    assert counts(report) == ALL
    (finding,) = sink.rejects
    assert (finding["rule"], finding["line"], finding["known"]) == ("blank_line", 3, {})


@pytest.mark.parametrize("is_refused", [False, True], ids=["as a whole", "line by line"])
@pytest.mark.parametrize("line", ["," * 17, ",".join(['""'] * 18)], ids=["commas", "quotes"])
def test_a_line_of_nothing_but_commas_names_nothing(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path, line: str, is_refused: bool
) -> None:
    roster.files["users"] += f"{line}\r\n".encode() * 2
    if is_refused:
        roster.files["users"] += b",,,\r\n"
    report = fetch(roster.zip(tmp_path), sink)
    assert counts(report) == ALL
    assert report.collections["users"].is_complete
    assert sink.refused == int(is_refused)
    assert [(finding["rule"], finding["source_id"], finding["known"]) for finding in sink.rejects] == [
        ("blank_line", None, {})] * (3 if is_refused else 1)  # fmt: skip


def test_mixed_line_ends_cost_nothing(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    roster.files["users"] = roster.files["users"].replace(b"\r\nu2", b"\nu2")
    assert counts(fetch(roster.zip(tmp_path), sink)) == ALL
    assert sink.refused == 1
    assert sink.rejects == []


def test_a_nul_costs_its_line(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    roster.replace("users", "Sample", "Sam\x00ple")
    fetch(roster.zip(tmp_path), sink)
    (finding,) = sink.rejects
    assert (finding["rule"], finding["source_id"], finding["line"]) == ("nul_byte", "u2", 3)
    assert sink.ids("users") == ["u1", "u3"]


def test_a_line_that_is_not_utf8_costs_itself(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    roster.files["users"] = roster.files["users"].replace(b"Sample", b"Samp\xe9")
    fetch(roster.zip(tmp_path), sink)
    (finding,) = sink.rejects
    assert (finding["rule"], finding["source_id"], finding["line"]) == ("bad_utf8", "u2", 3)
    assert finding["known"]["org_source_ids"] == "s1,s2"
    assert "family_name" not in finding["known"]


def test_an_unclosed_quote_does_not_swallow_the_lines_below_it(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    roster.replace("users", "Tina,", '"Tina,')
    fetch(roster.zip(tmp_path), sink)
    (finding,) = sink.rejects
    assert (finding["rule"], finding["line"], finding["source_id"]) == ("unclosed_quote", 2, "u1")
    assert sink.ids("users") == ["u2", "u3"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Pat,Pattern,", 'Pat,Pattern",'),  # the quote closes in another column
        ("Pat,", 'Pat",'),  # and in the same one, which COPY takes for one good record
    ],
)
def test_a_quote_that_closes_lines_later_swallows_none_of_them(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path, old: str, new: str
) -> None:
    roster.replace("users", '"s1,s2"', "s1")
    roster.replace("users", "Tina,", '"Tina,')
    roster.replace("users", old, new)
    fetch(roster.zip(tmp_path), sink)
    assert sink.ids("users") == ["u2", "u3"]
    assert [(finding["rule"], finding["source_id"]) for finding in sink.rejects] == [("unclosed_quote", "u1")]


def test_a_quoted_line_break_survives_the_line_by_line_reading(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    roster.replace("classes", "Algebra 1,", '"Algebra\r\n\r\n1",')
    roster.replace("classes", "k2,", "\r\nk2,")
    fetch(roster.zip(tmp_path), sink)
    assert sink.ids("classes") == ["k1", "k2"]
    assert str(sink.rows["classes"][0]["title"]).split() == ["Algebra", "1"]
    assert [finding["line"] for finding in sink.rejects] == [5]


# -- what is refused, and in which words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("users", "familyName", "familyname", ["users.csv, line 1", "'familyname'", "'familyName'"]),
        ("users", "email", "emial", ["users.csv, line 1", "'emial'", "'email'"]),
        ("users", "sourcedId", "sourceId", ["users.csv, line 1", "'sourceId'", "'sourcedId'"]),
        ("users", "email", "mailbox", ["users.csv, line 1", "'email' is missing"]),
        ("orgs", "sourcedId,status,dateLastModified,name,type", "a,b,c,d,e", ["orgs.csv, line 1", "missing"]),
        ("classes", "schoolSourcedId", "schoolSourceId", ["classes.csv, line 1", "'schoolSourcedId'"]),
        ("enrollments", "primary", "role", ["enrollments.csv, line 1", "twice"]),
    ],
)
def test_a_wrong_header_is_refused_with_file_line_and_fix(
    roster: CsvRoster, tmp_path: Path, file: str, old: str, new: str, words: list[str]
) -> None:
    roster.replace(file, old, new)
    sentence = refusal(roster, tmp_path)
    assert all(word in sentence for word in words), sentence


def test_a_file_without_a_header_is_refused(roster: CsvRoster, tmp_path: Path) -> None:
    roster.files["users"] = roster.files["users"].split(b"\r\n", 1)[1]
    sentence = refusal(roster, tmp_path)
    assert "users.csv, line 1" in sentence
    assert "tina" not in sentence.lower()


def test_an_empty_file_is_refused_and_one_with_only_its_header_is_not(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    roster.files["enrollments"] = roster.files["enrollments"].splitlines(keepends=True)[0]
    assert counts(fetch(roster.zip(tmp_path), sink)) == ALL | {"enrollments": 0}
    roster.files["enrollments"] = b""
    assert "enrollments.csv is empty" in refusal(roster, tmp_path)
    roster.files["enrollments"] = b"\xef\xbb\xbf\r\n"
    assert "enrollments.csv, line 1" in refusal(roster, tmp_path)


def test_semicolons_are_reported_as_such(roster: CsvRoster, tmp_path: Path) -> None:
    roster.files["users"] = roster.files["users"].replace(b",", b";")
    assert "commas" in refusal(roster, tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named(roster: CsvRoster, tmp_path: Path, encoding: str) -> None:
    roster.files["users"] = roster.text("users").encode(encoding)
    sentence = refusal(roster, tmp_path)
    assert "users.csv, line 1" in sentence
    assert "UTF-16" in sentence


@pytest.mark.parametrize("lines", [40, 20_000])
def test_a_file_in_latin_1_is_refused_once_too_many_lines_are_not_utf8(
    roster: CsvRoster, tmp_path: Path, lines: int
) -> None:
    row = "u{},,,true,s1,student,x,,Zoë,Sample,,P,,,,,09,"
    body = "\n".join(row.format(number) for number in range(lines))
    roster.files["users"] = f"{roster.text('users')}{body}\n".encode("latin-1")
    with pytest.raises(FeedBroken) as caught:
        fetch(roster.zip(tmp_path), MemorySink())
    assert "users.csv, line 5" in str(caught.value)
    assert "UTF-8" in str(caught.value)


def test_a_missing_file_that_the_manifest_calls_bulk_is_refused(roster: CsvRoster, tmp_path: Path) -> None:
    del roster.files["enrollments"]
    sentence = refusal(roster, tmp_path)
    assert "manifest.csv, line 8" in sentence
    assert "enrollments.csv" in sentence


def test_a_file_with_rows_that_the_manifest_calls_absent_is_refused(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path
) -> None:
    roster.modes["classes"] = "absent"
    assert "classes.csv absent" in refusal(roster, tmp_path)
    roster.files["classes"] = roster.files["classes"].splitlines(keepends=True)[0]
    assert "classes" not in fetch(roster.zip(tmp_path), sink).collections


def test_a_manifest_that_is_wrong_is_refused(roster: CsvRoster, tmp_path: Path) -> None:
    roster.modes["users"] = "full"
    assert "file.users must be one of absent, bulk, delta" in refusal(roster, tmp_path)
    roster.modes["users"] = "bulk"
    roster.version = "9.9"
    assert "oneroster.version" in refusal(roster, tmp_path)
    roster.has_manifest, roster.files["manifest"] = False, b"hello\n"
    assert "manifest.csv, line 1" in refusal(roster, tmp_path)


def test_people_without_any_role_are_refused(roster_v12: CsvRoster, tmp_path: Path) -> None:
    del roster_v12.files["roles"]
    roster_v12.modes["roles"] = "absent"
    sentence = refusal(roster_v12, tmp_path)
    assert "users.csv, line 1" in sentence
    assert "roles.csv" in sentence


def test_neither_manifest_nor_users_is_refused(roster: CsvRoster, tmp_path: Path) -> None:
    roster.has_manifest = False
    del roster.files["users"]
    assert "users.csv" in refusal(roster, tmp_path)


def test_nothing_at_the_address_is_reported_without_its_secrets(sink: MemorySink, tmp_path: Path) -> None:
    with pytest.raises(FeedBroken, match="There is nothing at"):
        fetch(str(tmp_path / "none.zip"), sink)
    with pytest.raises(FeedBroken) as caught:
        fetch("memory://key:secret@rosters/none.zip?signature=abc", sink)
    assert "secret" not in str(caught.value)
    assert "signature" not in str(caught.value)


def test_a_store_whose_package_is_missing_is_reported_with_the_package(
    sink: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(FeedBroken, match=r"gs://rosters/a\.zip cannot be opened, a package is missing: .*gcsfs"):
        fetch("gs://rosters/a.zip", sink)


def test_a_file_that_is_no_zip_is_refused(sink: MemorySink, tmp_path: Path) -> None:
    (tmp_path / "roster.zip").write_text("sourcedId")
    with pytest.raises(FeedBroken, match="zip"):
        fetch(str(tmp_path / "roster.zip"), sink)


@pytest.mark.parametrize(
    "name", ["../users.csv", "/etc/users.csv", "a/../../users.csv", "..\\users.csv", "C:\\users.csv"]
)
def test_a_path_that_leaves_the_archive_is_refused(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path, name: str
) -> None:
    path = roster.zip(tmp_path)
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr(name, "x")
    with pytest.raises(FeedBroken, match="out of the archive"):
        fetch(path, sink)


def test_a_zip_bomb_is_refused(
    roster: CsvRoster, sink: MemorySink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster.files["resources"] = b"0" * 5_000_000
    path = roster.zip(tmp_path)
    with pytest.raises(FeedBroken, match="100 times its size"):
        fetch(path, sink)
    monkeypatch.setattr(archive_module, "MAX_BYTES", 4_000_000)
    with pytest.raises(FeedBroken, match="over the limit"):
        fetch(path, sink)


def test_a_zip_with_a_password_is_refused(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    path = Path(roster.zip(tmp_path))
    data = bytearray(path.read_bytes())
    place = -1
    while (place := data.find(b"PK\x01\x02", place + 1)) >= 0:
        (flags,) = struct.unpack_from("<H", data, place + 8)
        struct.pack_into("<H", data, place + 8, flags | 1)
    path.write_bytes(bytes(data))
    with pytest.raises(FeedBroken, match="password"):
        fetch(str(path), sink)


def test_a_damaged_member_is_refused(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    roster.files["users"] += b"\r\n".join(b"u%d,,,true,s1,student,,,,,,,,,,,," % number for number in range(5000))
    path = Path(roster.zip(tmp_path))
    with zipfile.ZipFile(path) as packed:
        offset = packed.getinfo("users.csv").header_offset
    data = bytearray(path.read_bytes())
    data[offset + 5000] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(FeedBroken, match="damaged"):
        fetch(str(path), sink)


def test_two_rosters_in_one_archive_are_refused(roster: CsvRoster, sink: MemorySink, tmp_path: Path) -> None:
    path = roster.zip(tmp_path, "one/")
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("two/users.csv", roster.files["users"])
    with pytest.raises(FeedBroken, match="side by side"):
        fetch(path, sink)


# -- test connection ---------------------------------------------------------------------------------------------------


def test_the_probe_reports_what_is_wrong_and_never_raises(roster: CsvRoster, tmp_path: Path) -> None:
    roster.replace("users", "email", "emial")
    report = source(roster.zip(tmp_path)).probe()
    assert not report.is_ok
    assert "'emial'" in report.steps[-1].message
    assert not source(str(tmp_path / "none.zip")).probe().is_ok
