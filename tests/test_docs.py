"""What the pages of the repository say: every DAG, parameter, setting and name, and commands and pages that work."""

from __future__ import annotations

import re
import subprocess
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from airflow.sdk import DAG

from roster_sync import __version__
from roster_sync.config import registry_file
from roster_sync.config.districts import SourceSettings
from roster_sync.config.registry_schema import DistrictEntry
from roster_sync.core import source_kinds
from roster_sync.notices import outbox
from roster_sync.orchestration import cluster_policies, dag_factory, dag_steps, hooks, params
from tests.dsl.database import Database
from tests.dsl.layers import LAYERS
from tests.orchestration.registries import registry

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIGURATION = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
GLOSSARY = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")
ARCHITECTURE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
RULES = (REPOSITORY / "docs" / "rules.md").read_text(encoding="utf-8")
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
PACKAGE = REPOSITORY / "plugins" / "roster_sync"
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
QUERY = re.compile(r'psql -U postgres portal -c "([^"]+)"')
OTHER_NAMES = {"aws_access_key_id", "aws_secret_access_key", "key", "secret", "token"}
"""Extras that other programs use for what ours have in fields of their own, taken from connections that are there."""
TEXTS = {".py", ".sql", ".md", ".yaml", ".yml", ".html", ".txt", ".toml", ".json", ".sh", ".css", ".example", ""}
SOURCES = sorted(
    path
    for part in ("bin", "config", "dags", "docs", "helm", "include", "ops", "plugins", "tests", ".ci", ".")
    for path in ((REPOSITORY / part).glob("*") if part == "." else (REPOSITORY / part).rglob("*"))
    if path.is_file() and path.suffix in TEXTS
)
"""Every file of the repository in which a person may cite a page or a rule."""
OWN = {"ROSTER_DAGS_TEST", "ROSTER_TEST_PG", "ROSTER_TEST_PG_USER", "ROSTER_STOP_SECONDS"}
"""What our own commands tell each other."""


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DAG]:
    folder = tmp_path_factory.mktemp("registry")
    with pytest.MonkeyPatch.context() as patch:
        path = registry(folder, ["bay"], "clever")
        path.write_text(path.read_text().replace("owner:", "freshen: hourly, owner:"))
        patch.setenv(registry_file.DISTRICTS_VARIABLE, str(path))
        found = dag_factory.build_all()
        for build in (
            dag_factory.build_reset_dag,
            dag_factory.build_undo_dag,
            dag_factory.build_approve_dag,
            dag_factory.build_housekeeping_dag,
        ):
            dag = build()
            found[dag.dag_id] = dag
    return found


def test_every_dag_and_each_of_its_parameters_is_in_the_configuration_page(dags: dict[str, DAG]) -> None:
    rows = {line.split("`")[1]: line for line in CONFIGURATION.splitlines() if line.startswith("| `roster_")}
    assert set(rows) == {dag_id.replace("__bay", "__<key>") for dag_id in dags}
    for dag_id, dag in dags.items():
        row = rows[dag_id.replace("__bay", "__<key>")]
        assert {name for name in dag.params if f"`{name}`" not in row} == set(), dag_id


def test_every_dag_task_and_pool_is_in_the_glossary(dags: dict[str, DAG]) -> None:
    names = {dag_id.replace("__bay", "__<key>") for dag_id in dags} | set(dag_steps.MINUTES)
    names |= {dag_factory.MANUAL_POOL} | {kind.pool for kind in source_kinds.KINDS}
    names |= {task_id for dag in dags.values() for task_id in dag.task_ids}
    assert {name for name in names if f"`{name}`" not in GLOSSARY} == set()


def test_the_architecture_page_lists_every_task_and_every_room_in_its_order() -> None:
    tasks = re.findall(r"^\| `(\w+)` \|.*`roster_\w+` \|$", ARCHITECTURE, re.MULTILINE)
    assert sorted(tasks) == sorted(dag_steps.MINUTES)
    table = ARCHITECTURE.partition("| Folder | Holds |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == LAYERS


def test_every_variable_that_the_code_reads_is_in_the_configuration_page_and_no_other() -> None:
    read = {cluster_policies.PRELOAD_VARIABLE, registry_file.DISTRICTS_VARIABLE}
    for folder in ("plugins", "ops", "config", "include"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            read |= set(re.findall(r"[\"'](ROSTER_[A-Z_]+)[\"']", path.read_text(encoding="utf-8")))
    assert set(re.findall(r"ROSTER_[A-Z_]+", CONFIGURATION)) == read - OWN


def test_every_key_of_a_registry_entry_is_in_the_example() -> None:
    example = CONFIGURATION.partition("```yaml")[2].partition("```")[0]
    keys = {*DistrictEntry.model_fields, *(field.name for field in fields(SourceSettings))}
    assert {key for key in keys if not re.search(rf"\b{key}\b", example)} == set()


def test_every_extra_of_a_connection_is_in_the_configuration_page() -> None:
    read = {*hooks._LIBPQ_EXTRAS, "from_email"} - OTHER_NAMES
    for path in (REPOSITORY / "plugins" / "roster_sync" / "sources").rglob("*.py"):
        read |= set(re.findall(r"(?:extra_text|is_true)\([\w.]+, \"(\w+)\"", path.read_text(encoding="utf-8")))
    assert len(read) > 20
    table = CONFIGURATION.partition("| Connection | host |")[2].partition("\n## ")[0]
    assert {name for name in read - OTHER_NAMES if f"`{name}`" not in table} == set()


def test_the_check_of_the_registry_runs_as_it_is_typed(tmp_path: Path) -> None:
    (command,) = re.findall(r"^(PYTHONPATH=.*districts)", CONFIGURATION, re.MULTILINE)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("districts: [{key: bay}]\n")
    for path, code, told in (("", 0, "lakeside"), (str(wrong), 1, "wrong.yaml, line 1")):
        typed = ["/usr/bin/env", "-i", "/bin/bash", "-c", f"{command} {path}"]
        done = subprocess.run(typed, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert (done.returncode, told in done.stdout + done.stderr) == (code, True), done.stderr


def test_whoever_adds_a_district_is_told_to_switch_its_dag_on(dags: dict[str, DAG]) -> None:
    assert dags["roster_sync__bay"].is_paused_upon_creation is not False
    told = [
        CONFIGURATION.partition(f"\n## {part}\n")[2].partition("\n## ")[0] for part in ("Districts", "In production")
    ]
    for text in (*told, (RUNBOOKS / "late-run.md").read_text(encoding="utf-8")):
        assert re.search(r"begins?\s+paused", text)


def test_every_runbook_is_listed_and_those_that_dags_and_logs_name_are_there(dags: dict[str, DAG]) -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (RUNBOOKS / "README.md").read_text(encoding="utf-8")))
    assert listed == {page.name for page in RUNBOOKS.glob("*.md")} - {"README.md"}
    told = "".join(str(dag.doc_md) for dag in dags.values()) + outbox.RUNBOOK
    assert {name for name in re.findall(r"docs/[\w/-]+\.md", told) if not (REPOSITORY / name).exists()} == set()


def test_the_text_of_housekeeping_says_what_each_of_its_tasks_does(dags: dict[str, DAG]) -> None:
    dag = dags["roster_housekeeping"]
    assert set(re.findall(r"`([a-z_]+)`", str(dag.doc_md))) == set(dag.task_ids)


def test_every_query_of_a_runbook_runs(portal: Database) -> None:
    queries = [query for page in RUNBOOKS.glob("*.md") for query in QUERY.findall(page.read_text(encoding="utf-8"))]
    queries += re.findall(r"`(select [^`]+)`", (RUNBOOKS / "late-run.md").read_text(encoding="utf-8"))
    assert len(queries) == 4
    with closing(portal.owner()) as connection, connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)


def test_the_runbook_of_a_failed_run_finds_the_step_at_which_it_stopped(portal: Database) -> None:
    (query,) = QUERY.findall((RUNBOOKS / "failed-run.md").read_text(encoding="utf-8"))
    with closing(portal.owner()) as connection, connection.cursor() as cursor:
        cursor.execute("insert into portal.districts (key, name) values ('harbor', 'Harbor') returning id")
        (district,) = cursor.fetchone() or (None,)
        cursor.execute(
            "insert into sync.runs (district_id, mode, status, airflow_dag_id, message, steps) values"
            " (%s, 'edit', 'failed', 'roster_sync__harbor', 'Why.', '[{\"name\": \"extract\"}, {\"name\": \"plan\"}]')"
            " returning id",
            (district,),
        )
        run = cursor.fetchone() or ()
        cursor.execute(query)
        assert cursor.fetchall() == [(*run, "edit", "failed", "plan", "Why.")]


def test_every_field_of_a_form_says_what_it_is_for() -> None:
    forms = [params.reset_params([]), params.undo_params([]), params.approve_params(), params.answer_params()]
    for form in forms:
        for name, param in form.items():
            assert param.schema.get("title"), name
            assert param.schema.get("description_md") or param.description, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, _, anchor in re.findall(r"\]\(([^)#]*)(#([^)]+))?\)", text):
        if "://" in target:
            continue
        other = page.parent / target if target else page
        assert other.exists(), target
        assert not anchor or anchor in _anchors(other), f"{target}#{anchor}"
    tops = "|".join(("docs", "include", "ops", "bin", "tests", "dags", "helm", "plugins", *LAYERS))
    for name in re.findall(rf"`((?:{tops})/[\w./-]+)`", text):
        assert any((folder / name).exists() for folder in (REPOSITORY, PACKAGE)), name


def test_every_rule_names_the_tests_that_hold_it() -> None:
    rules = re.findall(r'<a id="r([\d.]+\.\d+)"></a>(?:\*\*)?R([\d.]+)', RULES)
    assert len(rules) > 100
    assert [anchor for anchor, number in rules if anchor != number] == []
    held = dict(re.findall(r"^- R([\d.]+): (`test_.+)$", RULES, re.MULTILINE))
    assert [number for _, number in rules] == list(held)


def test_every_test_that_a_page_names_exists() -> None:
    there = {name for path in SOURCES if path.suffix == ".py" for name in re.findall(r"def (test_\w+)", _text(path))}
    named = {name for path in PAGES for name in re.findall(r"`(test_\w+)`", _text(path))}
    assert len(named) > 200
    assert named - there == set()


def test_every_rule_that_is_cited_is_there() -> None:
    rules = set(re.findall(r'<a id="r([\d.]+)"></a>', RULES))
    cited = {
        (str(path.relative_to(REPOSITORY)), number)
        for path in SOURCES
        for number in re.findall(r"(?<![\w.])R(\d{1,2}(?:\.\d{1,2})?)(?![\w.]*\w)", _text(path))
    }
    assert len(cited) > 20
    assert {(path, number) for path, number in cited if number not in rules} == set()


def test_the_changelog_begins_with_the_version_that_the_code_names() -> None:
    newest = re.findall(r"^## (.+)$", _text(REPOSITORY / "CHANGELOG.md"), re.MULTILINE)[0]
    assert newest == __version__


def test_every_place_of_a_column_is_on_the_page_about_extending() -> None:
    section = _text(REPOSITORY / "docs" / "extending.md").partition("## A new column")[2].partition("\n## ")[0]
    places = set()
    for folder, names in ((PACKAGE, ("core", "sources/clever", "sources/oneroster", "sources/oneroster_csv", "ui")),
                          (REPOSITORY, ("include/sql",))):  # fmt: skip
        files = [path for name in names for path in (folder / name).rglob("*") if path in SOURCES]
        places |= {str(path.relative_to(folder)) for path in files if re.search(r"\busername\b", _text(path))}
    places -= {"include/sql/migrations/0001_baseline.sql", "include/sql/ui/add_admin.sql"}
    assert len(places) > 15
    assert {name for name in places if f"`{name}`" not in section} == set()


def test_every_picture_is_shown_on_a_page() -> None:
    shown = {Path(name).name for page in PAGES for name in re.findall(r"images/[\w-]+\.png", _text(page))}
    assert shown == {path.name for path in (REPOSITORY / "docs" / "images").iterdir()}


def test_every_page_that_is_cited_is_there() -> None:
    names = {path.name for path in SOURCES if path.suffix == ".md"}
    missing = set()
    for path in SOURCES:
        for name in re.findall(r"(?<![\w/.*>}-])[\w.][\w./-]*\.md\b", _text(path)):
            is_there = name in names or (path.parent / name).exists() or (REPOSITORY / name).exists()
            if not is_there:
                missing.add((str(path.relative_to(REPOSITORY)), name))
    assert missing == set()


def _anchors(page: Path) -> set[str]:
    """The ids that a page gives itself, and those that its headings get where Markdown is shown."""
    text = _text(page)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    return slugs | set(re.findall(r'<a id="([\w.-]+)"></a>', text))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = REPOSITORY / "docs" / "adr"
    titles = {
        page.name: page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        for page in folder.glob("0*.md")
    }
    listed = re.findall(
        r"^- \[(.+)\]\((0[\w-]+\.md)\)$", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [(title, name) for name, title in sorted(titles.items())] == listed
