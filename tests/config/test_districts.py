"""The registry: what it holds, and that it is refused as a whole, every error with its file and line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from zoneinfo import available_timezones

import jsonschema
import pytest
import yaml

from roster_sync import districts as command
from roster_sync.config import registry_file
from roster_sync.config.districts import District, SourceSettings, Threshold
from roster_sync.config.paths import REPOSITORY
from roster_sync.config.registry_file import default_schedule, load_registry
from roster_sync.config.registry_schema import cron_problem
from roster_sync.core.errors import ConfigError
from roster_sync.core.limits import Limits

FOLDER = REPOSITORY / "include" / "districts"

WHOLE = """\
districts:
  - key: harbor
    name: Harbor Unified School District
    timezone: America/Chicago
    schedule: "15 2 * * *"
    source:
      kind: oneroster
      conn_id: oneroster_harbor
      version: 1.1
      auth: oauth1
    roles: [teacher, student, school_admin]
    limits: {deleted_percent: 5, updated_percent: 100, enrollments_percent: 0, floor: 9}
    enabled: false
    owner: night-shift
"""

SHORT = """\
districts:
  - {key: bay, name: Bay, timezone: UTC, source: {kind: clever, conn_id: clever_bay}}
"""


def write(folder: Path, text: str, name: str = "registry.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def complaints(path: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(ConfigError) as caught:
        load_registry(path)
    found = re.findall(r"^  (\S+), line (\d+): (.+)$", str(caught.value), re.MULTILINE)
    assert str(caught.value).count("\n") == len(found)
    return [(file, int(line), text) for file, line, text in found]


def refused(folder: Path, line: str) -> list[str]:
    """What is said of an entry in which this line stands in place of a right one."""
    right = {"key": "bay", "name": "Bay", "timezone": "UTC", "source": "{kind: clever, conn_id: clever_bay}"}
    right.pop(line.split(":")[0], None)
    lines = [*(f"{key}: {value}" for key, value in right.items()), line]
    text = "districts:\n  -\n" + "".join(f"    {each}\n" for each in lines)
    return [message for _, _, message in complaints(write(folder, text))]


def test_an_entry_holds_what_the_file_says(tmp_path):
    assert load_registry(write(tmp_path, WHOLE)) == (
        District(
            key="harbor",
            name="Harbor Unified School District",
            timezone="America/Chicago",
            source=SourceSettings("oneroster", conn_id="oneroster_harbor", version="1.1", auth="oauth1"),
            schedule="15 2 * * *",
            roles=("teacher", "student", "school_admin"),
            limits=Limits(5, 100, 0, 9),
            enabled=False,
            owner="night-shift",
        ),
    )


def test_districts_that_share_a_clever_connection_are_told_apart_by_their_ids(tmp_path):
    entry = "  - {{key: {0}, name: B, timezone: UTC, source: {{kind: clever, conn_id: c, district_id: {1}}}}}\n"
    ids = ("4fd43cc56d11340000000005", "400000000000000000000e10")  # the second is a number to YAML
    text = "districts:\n" + "".join(entry.format(f"d{number}", one) for number, one in enumerate(ids))
    found = load_registry(write(tmp_path, text))
    assert [(district.source.conn_id, district.source.district_id) for district in found] == [("c", one) for one in ids]


def test_what_an_entry_leaves_out_has_the_documented_default(tmp_path):
    (district,) = load_registry(write(tmp_path, SHORT))
    assert (district.roles, district.enabled, district.owner) == (("teacher", "student"), True, "data-team")
    assert district.limits == Limits(10, 75, 50, 5)
    assert district.freshen == "off"


def test_a_folder_is_one_registry_sorted_by_key(tmp_path):
    write(tmp_path, SHORT.replace("bay", "zebra"), "a.yaml")
    write(tmp_path, SHORT.replace("bay", "ant"), "b.yml")
    write(tmp_path, "not: [a registry", "notes.txt")
    assert [district.key for district in load_registry(tmp_path)] == ["ant", "zebra"]


def test_a_relative_path_counts_from_the_registry_file_and_an_address_stays(tmp_path):
    entries = [
        "{key: a, name: A, timezone: UTC, source: {kind: oneroster_csv, path: data/a.zip}}",
        "{key: b, name: B, timezone: UTC, source: {kind: oneroster_csv, path: /srv/b.zip}}",
        "{key: c, name: C, timezone: UTC, source: {kind: oneroster_csv, path: 's3://bucket/c.zip', conn_id: s3}}",
    ]
    text = "districts:\n" + "".join(f"  - {entry}\n" for entry in entries)
    paths = [district.source.path for district in load_registry(write(tmp_path, text))]
    assert paths == [str(tmp_path / "data/a.zip"), "/srv/b.zip", "s3://bucket/c.zip"]


def test_an_address_may_name_its_connection_before_the_at_as_in_airflow_and_holds_no_password(tmp_path):
    entry = "  - {{key: a, name: A, timezone: UTC, source: {{kind: oneroster_csv, path: '{0}'{1}}}}}\n"

    def read(path: str, more: str = "") -> Path:
        return write(tmp_path, "districts:\n" + entry.format(path, more))

    for more in ("", ", conn_id: files_a"):
        (found,) = load_registry(read("sftp://files_a@host.example:2222/out/a@b.zip", more))
        assert (found.source.conn_id, found.source.path) == ("files_a", "sftp://host.example:2222/out/a@b.zip")
    (_, _, text), *rest = complaints(read("s3://key:pw-7c1e@bucket/a.zip"))
    assert "belong into an Airflow connection" in text
    assert "pw-7c1e" not in text
    assert not rest
    assert "conn_id another" in complaints(read("s3://files_a@bucket/a.zip", ", conn_id: files_b"))[0][2]


def test_all_errors_come_at_once_each_with_its_file_and_line(tmp_path):
    write(tmp_path, WHOLE.replace("harbor\n", "Harbor!\n", 1).replace("15 2", "75 2"), "one.yaml")
    write(tmp_path, SHORT.replace("UTC", "Mars/Base") + "  - nothing\n", "two.yaml")
    found = complaints(tmp_path)
    assert [(file, line) for file, line, _ in found] == [
        ("one.yaml", 2), ("one.yaml", 5), ("two.yaml", 2), ("two.yaml", 3),
    ]  # fmt: skip


def test_an_unknown_key_is_refused_with_the_nearest_right_one(tmp_path):
    assert "'limits'" in refused(tmp_path, "limit: {}")[0]
    assert "'deleted_percent'" in refused(tmp_path, "limits: {deleted_percnt: 3}")[0]
    assert "'conn_id'" in refused(tmp_path, "source: {kind: clever, conn_id: x, connid: y}")[0]


def test_a_key_that_is_there_twice_is_refused(tmp_path):
    assert complaints(write(tmp_path, WHOLE + "    owner: x\n"))[0][1] == 15


def test_a_district_that_is_there_twice_is_refused_with_the_place_of_the_first(tmp_path):
    write(tmp_path, SHORT, "a.yaml")
    write(tmp_path, SHORT, "b.yaml")
    ((file, line, text),) = complaints(tmp_path)
    assert (file, line) == ("b.yaml", 2)
    assert "a.yaml, line 2" in text


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        ("key: Bay", "1 to 50 of a-z"),
        ("key: " + "x" * 51, "1 to 50 of a-z"),
        ("name: yes", "'name' must be a text"),
        ("timezone: America/Chigaco", "is not a time zone"),
        ("timezone: ../etc/passwd", "is not a time zone"),
        ("schedule: '0 2 * *'", "five fields"),
        ("schedule: '0 24 * * *'", "the hour '24' is not a number from 0 to 23"),
        ("source: {conn_id: x}", "lacks 'kind'"),
        ("source: {}", "lacks 'kind'"),
        ("source: {kind: classlink}", "'kind' must be one of clever, oneroster, oneroster_csv"),
        ("source: {kind: clever}", "lacks 'conn_id'"),
        ("source: {kind: clever, conn_id: 'a b'}", "may hold letters"),
        ("source: {kind: clever, conn_id: x, path: y}", "'path' does not belong to the clever source"),
        ("source: {kind: clever, conn_id: x, version: v2.1}", "'version' must be one of v3.0, v3.1"),
        (
            "source: {kind: oneroster_csv, path: x, district_id: y}",
            "'district_id' does not belong to the oneroster_csv",
        ),
        ("source: {kind: oneroster, conn_id: x, version: '1.1'}", "lacks 'auth'"),
        ("source: {kind: oneroster, conn_id: x, auth: bearer}", "lacks 'version'"),
        ("source: {kind: oneroster, conn_id: x, version: '1.0', auth: bearer}", "one of 1.1, 1.2"),
        ("source: {kind: oneroster, conn_id: x, version: 1.2, auth: oauth1}", "OneRoster 1.2 has no oauth1"),
        ("source: {kind: oneroster, conn_id: x, version: 1.1, auth: basic}", "one of oauth1, oauth2, bearer"),
        ("source: {kind: oneroster_csv}", "lacks 'path'"),
        ("source: {kind: oneroster_csv, path: x, auth: bearer}", "'auth' does not belong"),
        ("source: nothing", "must be a mapping"),
        ("roles: teacher", "'roles' must be a list"),
        ("roles: [teacher, principal]", "'roles' must be one of"),
        ("limits: {deleted_percent: 101}", "a number from 0 to 100"),
        ("limits: {updated_percent: -1}", "a number from 0 to 100"),
        ("limits: {enrollments_percent: .nan}", "a number from 0 to 100"),
        ("limits: {deleted_percent: true}", "a number from 0 to 100"),
        ("limits: {floor: 1.5}", "a whole number"),
        ("enabled: 'no'", "must be true or false"),
        ("expectations: {users: {percent_rejected: 101}}", "'percent_rejected' must be a number from 0 to 100"),
        ("expectations: {people: {percent_rejected: 30}}", "expectations has no key 'people'"),
        ("expectations: {users: {percent_rejectd: 30}}", "the expectations of users has no key 'percent_rejectd': did"),
        ("expectations: {users: {has_what_it_must: 0}}", "the expectations of users has no key 'has_what_it_must'"),
        ("expectations: {users: 30}", "the expectations of users must be a mapping with the keys percent_rejected"),
        ("expectations: 30", "expectations must be a mapping with the keys schools, users, classes, enrollments"),
        ("freshen: daily", "'freshen' must be one of off, hourly"),
    ],
)
def test_a_wrong_value_is_one_sentence(tmp_path, entry, part):
    (message,) = refused(tmp_path, entry)
    assert part in message


def test_only_clever_has_events_to_freshen_from(tmp_path):
    source = "{kind: oneroster_csv, path: x.zip}"
    text = f"districts:\n  - {{key: a, name: A, timezone: UTC, source: {source}, freshen: hourly}}\n"
    ((_, _, message),) = complaints(write(tmp_path, text))
    assert "kind oneroster_csv has none" in message
    (district,) = load_registry(write(tmp_path, text.replace("hourly", "off")))
    assert district.freshen == "off"


def test_a_district_may_have_thresholds_of_its_own(tmp_path: Path) -> None:
    own = "expectations: {users: {percent_rejected: 30, percent_fewer_teachers: 80}, classes: {percent_repeated: 0}}"
    (district,) = load_registry(write(tmp_path, SHORT.rstrip().rstrip("}") + "}, " + own + "}\n"))
    assert district.thresholds == (
        Threshold("users", "percent_rejected", 30),
        Threshold("users", "percent_fewer_teachers", 80),
        Threshold("classes", "percent_repeated", 0),
    )


def test_a_missing_setting_is_named(tmp_path):
    found = complaints(write(tmp_path, "districts:\n  - key: bay\n"))
    assert [text for _, _, text in found] == [
        f"district 'bay' lacks '{name}'" for name in ("name", "source", "timezone")
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [("districts:\n  - key: [a\n", 3), ("\tdistricts:", 1), ("district:\n", 1), ("", 1), ("- key: a\n", 1)],
)
def test_a_file_that_is_no_registry_says_where(tmp_path, text, line):
    assert line in [at for _, at, _ in complaints(write(tmp_path, text))]


def test_a_file_that_is_no_text_says_so(tmp_path):
    path = tmp_path / "registry.yaml"
    path.write_bytes(b"districts:\n  - key: \xff\xfe\n")
    assert "UTF-8" in complaints(path)[0][2]


def test_a_path_without_a_registry_says_which_setting_to_fix(tmp_path):
    for path in (tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(ConfigError, match="registry"):
            load_registry(path)


def test_anchors_and_merges_are_values_and_not_repetitions(tmp_path):
    text = """\
districts:
  - &usual
    key: a
    name: A
    timezone: UTC
    source: {kind: clever, conn_id: x}
  - <<: *usual
    key: b
"""
    assert [district.key for district in load_registry(write(tmp_path, text))] == ["a", "b"]


def test_the_usual_start_is_the_same_everywhere_and_spreads_over_the_night():
    assert default_schedule("harbor") == default_schedule("harbor") == "59 2 * * *"
    minutes = []
    for number in range(1200):
        minute, hour, *rest = default_schedule(f"district_{number}").split()
        assert rest == ["*", "*", "*"]
        minutes.append(int(hour) * 60 + int(minute))
    assert (min(minutes), max(minutes)) == (90, 270)
    assert max(minutes.count(minute) for minute in set(minutes)) < 25


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "*/15 22-6 * * mon-fri",
        "0 2 1,15 jan-JUN/2 *",
        "5 4 29 2 *",
        "0 0 31 * 7",
        "0 0 L * *",
        "0 0 31 2 fri",
    ],
)
def test_a_right_cron_expression_has_no_problem(expression):
    assert cron_problem(expression) == ""


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("60 * * * *", "minute"),
        ("* 5-25 * * *", "hour"),
        ("* * 0 * *", "day of the month"),
        ("*/0 * * * *", "minute"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day of the week"),
        ("@daily", "five fields"),
        ("0 0 0L * *", "day of the month"),
        ("R 2 * * *", "minute"),
        ("R(0-30) 2 * * *", "minute"),
        ("H 2 * * *", "minute"),
        ("0 0 31 2,4 *", "no month"),
        ("0 0 30 2 *", "no month"),
        ("a * * * *", "minute"),
        ("*-5 * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
    ],
)
def test_a_wrong_cron_expression_is_reported_in_words(expression, part):
    assert part in cron_problem(expression)


def test_every_time_zone_of_the_world_is_taken(tmp_path):
    zones = sorted(available_timezones())[::25]
    entries = [
        f"  - {{key: d{n}, name: D, timezone: {zone}, source: {{kind: clever, conn_id: x}}}}"
        for n, zone in enumerate(zones)
    ]
    found = load_registry(write(tmp_path, "districts:\n" + "\n".join(entries) + "\n"))
    assert {district.timezone for district in found} == set(zones)


def test_the_registry_is_where_the_variable_says(tmp_path, monkeypatch):
    path = write(tmp_path, SHORT)
    monkeypatch.setenv(registry_file.DISTRICTS_VARIABLE, str(path))
    assert registry_file.find("bay").name == "Bay"
    with pytest.raises(ConfigError, match="no district 'cove'"):
        registry_file.find("cove")


def test_a_relative_registry_is_found_from_any_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(registry_file.DISTRICTS_VARIABLE, "include/districts")
    assert load_registry()


def test_the_command_checks_a_registry_and_ends_with_1_where_it_is_wrong(tmp_path, capsys):
    assert command.main([str(write(tmp_path, WHOLE))]) == 0
    assert "harbor  oneroster  15 2 * * *  America/Chicago  (not enabled)" in capsys.readouterr().out
    assert command.main([str(write(tmp_path, WHOLE.replace("oauth1", "oauth3")))]) == 1
    assert "registry.yaml, line 10" in capsys.readouterr().err


def test_the_registry_of_this_repository_is_right():
    found = load_registry(FOLDER)
    assert {(one.source.kind, one.source.auth) for one in found} >= {("oneroster", "oauth1"), ("oneroster", "oauth2")}


def test_the_schema_for_editors_is_the_one_that_the_models_give(capsys):
    assert command.main(["--schema"]) == 0
    shown = capsys.readouterr().out
    assert (FOLDER / "schema.json").read_text() == shown, (
        "python -m roster_sync.districts --schema > include/districts/schema.json"
    )


@pytest.mark.parametrize("text", [WHOLE, SHORT, *(path.read_text() for path in FOLDER.glob("*.yaml"))])
def test_a_right_registry_fits_the_schema(text):
    jsonschema.validate(yaml.safe_load(text), json.loads((FOLDER / "schema.json").read_text()))


@pytest.mark.parametrize("wrong", ["conid: x", "kind: classlink", "version: v2.1", "conn_id: [x]"])
def test_a_wrong_source_does_not_fit_the_schema(wrong):
    name, _, value = wrong.partition(": ")
    entry = yaml.safe_load(SHORT)
    entry["districts"][0]["source"][name] = yaml.safe_load(value)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(entry, json.loads((FOLDER / "schema.json").read_text()))


def test_each_file_of_the_registry_names_the_schema_to_editors():
    for path in FOLDER.glob("*.yaml"):
        assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n"), path.name
