"""The layers of the package: who may import whom, what no DAG file may load, what no task may touch."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PLUGINS = REPOSITORY / "plugins"
PACKAGE = PLUGINS / "roster_sync"

CORE = {"model", "districts", "registry", "yaml_nodes", "cron", "limits", "errors", "places"}
AIRFLOW_LAYER = {
    "hooks",
    "tasks",
    "dag_factory",
    "dag_steps",
    "params",
    "policies",
    "approval",
    "deadline",
    "freshen_tasks",
}
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


@pytest.mark.parametrize("path", [path for path in package_modules() if part(path) in CORE], ids=module_name)
def test_the_core_imports_the_standard_library_and_yaml_only(path):
    assert tops(imports(path)) <= {*sys.stdlib_module_names, "yaml", "roster_sync"}


@pytest.mark.parametrize("path", [path for path in package_modules() if part(path) in CORE], ids=module_name)
def test_the_core_imports_of_the_package_only_the_core(path):
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("roster_sync.")}
    assert ours <= CORE


def test_only_the_airflow_layer_and_the_pages_import_airflow():
    found = {part(path) for path in package_modules() if "airflow" in tops(imports(path))}
    # cluster's functions are called by Airflow's settings and raise Airflow's own exception
    assert found <= {*AIRFLOW_LAYER, "cluster", "ui"}


def test_nothing_below_the_airflow_layer_imports_it():
    for path in package_modules():
        if part(path) in {*AIRFLOW_LAYER, "ui", "cluster"}:
            continue
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("roster_sync.")}
        assert not ours & {*AIRFLOW_LAYER, "ui"}, module_name(path)


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
    program = "import sys; from roster_sync import dag_factory; print(*sys.modules)"
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
