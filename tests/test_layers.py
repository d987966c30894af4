"""The layers of the package: who may import whom, what no DAG file may load, what no task may touch."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dsl.layers import LAYERS

REPOSITORY = Path(__file__).resolve().parents[1]
PLUGINS = REPOSITORY / "plugins"
PACKAGE = PLUGINS / "roster_sync"

WITH_AIRFLOW = {"orchestration", "ui"}
MOST_MODULES = 13
HEAVY = {"pandas", "numpy", "great_expectations"}
DAG_FILES = sorted((REPOSITORY / "dags").glob("*.py"))
METADATA = ("airflow.models", "airflow.settings", "airflow.utils.session", "airflow.utils.db", "airflow.jobs")


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PLUGINS).with_suffix("").parts).removesuffix(".__init__")


def package_modules() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    assert len(found) > 20
    return found


def imports(path: Path, *, only_at_load: bool = False) -> Iterator[str]:
    """The dotted names that a file imports; with `only_at_load`, not those inside functions or TYPE_CHECKING."""
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively: the plugin scan would break it"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif only_at_load and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        elif only_at_load and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo.extend(node.orelse)
        else:
            todo.extend(ast.iter_child_nodes(node))


def tops(names: Iterator[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def part(path: Path) -> str:
    """The module or sub-package of roster_sync that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("roster_sync.")} & set(LAYERS)


def test_every_folder_of_the_package_is_a_room_with_a_place_in_the_order():
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(LAYERS)


@pytest.mark.parametrize("path", [path for path in package_modules() if part(path) in LAYERS], ids=module_name)
def test_a_module_imports_its_own_room_and_lower_ones_only(path):
    allowed = set(LAYERS[: LAYERS.index(part(path)) + 1])
    assert rooms_imported(path) <= allowed


def test_no_room_holds_more_modules_than_a_reader_can_keep_in_mind():
    for folder in {path.parent for path in package_modules()}:
        modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, (folder.name, len(modules))


@pytest.mark.parametrize("path", [path for path in package_modules() if part(path) == "core"], ids=module_name)
def test_the_core_imports_the_standard_library_only(path):
    assert tops(imports(path)) <= {*sys.stdlib_module_names, "roster_sync"}


def test_only_orchestration_and_the_pages_import_airflow():
    assert {part(path) for path in package_modules() if "airflow" in tops(imports(path))} <= WITH_AIRFLOW


def test_nothing_imports_from_the_dags_folder():
    for path in package_modules():
        assert "dags" not in tops(imports(path)), module_name(path)


@pytest.mark.parametrize("path", package_modules(), ids=module_name)
def test_heavy_packages_are_imported_inside_functions_only(path):
    assert not tops(imports(path, only_at_load=True)) & HEAVY


# The pages run in the API server, which may; tasks may not.
@pytest.mark.parametrize(
    "path", [path for path in package_modules() if part(path) != "ui"] + DAG_FILES, ids=lambda path: path.stem
)
def test_no_task_reaches_for_the_metadata_database(path):
    """`dags test` lets it through and a worker does not: it must never get that far."""
    for name in imports(path):
        assert not name.startswith(METADATA), name
        assert name.rpartition(".")[2] not in {"create_session", "provide_session", "NEW_SESSION"}, name


def test_what_a_dag_file_loads_is_light():
    program = "import sys; from roster_sync.orchestration import dag_factory; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(done.stdout.split()) & HEAVY


def test_no_module_grows_much_past_four_hundred_lines():
    for path in package_modules():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 420, module_name(path)


def test_no_test_module_imports_another():
    """What several tests share is in tests/dsl, or in a helper module of their folder."""
    for path in (REPOSITORY / "tests").rglob("*.py"):
        for name in imports(path):
            assert not re.match(r"tests\.(.+\.)?test_", name), (path.name, name)


def test_no_two_tests_have_the_same_name():
    """A rule names its tests by function (docs/rules.md), so that they may move."""
    names = Counter(
        node.name
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )
    assert {name for name, count in names.items() if count > 1} == set()


def test_a_line_of_sql_has_at_most_120_characters() -> None:
    listed = subprocess.run(["git", "ls-files", "*.sql"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    written = [name for name in listed.stdout.splitlines() if name != "docs/schema.sql"]  # that one is generated
    assert len(written) > 50
    too_long = [
        f"{name}:{number}"
        for name in written
        for number, line in enumerate((REPOSITORY / name).read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert not too_long


BRITISH = ("enrol", "enrolment", "enrolments", "licence", "licences", "colour", "behaviour", "favour", "centre",
           "organisation", "organisations", "recognise", "recognised", "synchronise", "synchronised")  # fmt: skip
REPLACED = ("leash", "klass", "side_by_side")
"""Names that gave way to those of docs/glossary.md."""


@pytest.mark.parametrize("words", [BRITISH, REPLACED], ids=["British", "replaced"])
def test_words_that_were_replaced_do_not_come_back(words: tuple[str, ...]) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    wrong = re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)
    found = []
    for path in (REPOSITORY / name for name in listed.stdout.splitlines()):
        if path.suffix in {".py", ".sql", ".md", ".html", ".txt", ".yaml", ".json", ".toml"} and path != Path(__file__):
            found += [f"{path.name}: {match[0]}" for match in wrong.finditer(path.read_text(encoding="utf-8"))]
    assert found == []
