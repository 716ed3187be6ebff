"""House rules as a test: what a reader of the tree may rely on."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "eddyline"
MODULES = sorted(PACKAGE.rglob("*.py"))
MODULE_LINES_MAX = 500
TABLE_LINES_MAX = 800
TABLES = {"functions", "generator"}  # files that are mostly rows of a table may be longer
FUNCTION_LINES_MAX = 70
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
CLOCK_CALLS = re.compile(r"\b(datetime\.now|datetime\.utcnow|time\.time|time\.time_ns)\(")
UNSEEDED = re.compile(r"^\s*(import random\b|from random import)", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(params=MODULES, ids=name_of)
def module(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_is_a_package_to_look_at() -> None:
    assert len(MODULES) > 60


def test_module_opens_with_a_sentence(module: Path) -> None:
    doc = ast.get_docstring(ast.parse(module.read_text()))
    assert doc, "no docstring"
    assert doc.split("\n\n")[0].rstrip().endswith((".", ":", "…")), doc.split("\n")[0]


def test_module_is_short(module: Path) -> None:
    lines = len(module.read_text().splitlines())
    limit = TABLE_LINES_MAX if module.parent.name in TABLES else MODULE_LINES_MAX
    assert lines <= limit


def test_functions_are_short(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines"


def test_module_has_a_noun_for_a_name(module: Path) -> None:
    assert module.stem.lstrip("_") not in FORBIDDEN_NAMES


def test_time_comes_from_the_clock(module: Path) -> None:
    if module.name != "clock.py":
        assert not CLOCK_CALLS.findall(module.read_text())


def test_randomness_is_seeded(module: Path) -> None:
    assert not UNSEEDED.findall(module.read_text())


def test_nothing_is_swallowed_bare(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except at line {node.lineno}"


def test_every_module_is_imported_somewhere() -> None:
    # What the public test kit offers is imported by tests.
    product = "\n".join(p.read_text() for p in [*MODULES, ROOT / "pyproject.toml"])
    tests = "\n".join(p.read_text() for p in (ROOT / "tests").rglob("*.py"))
    for path in MODULES:
        text = product + tests if path.parent.name == "testing" else product
        if path.name in ("__init__.py", "__main__.py"):
            continue
        dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        parent, _, leaf = dotted.rpartition(".")
        pattern = rf"{re.escape(dotted)}\b|from {re.escape(parent)} import [^\n]*\b{leaf}\b"
        multi = rf"from {re.escape(parent)} import \([^)]*\b{leaf}\b"
        assert re.search(pattern, text) or re.search(multi, text), f"{dotted} is never imported"


def test_test_modules_have_names_of_their_own() -> None:
    # pytest puts each folder on the path, so that two kits of one name shadow each other.
    names = [p.name for p in (ROOT / "tests").rglob("*.py") if p.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))
