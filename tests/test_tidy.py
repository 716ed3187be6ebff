"""House rules as a test: what a reader of the tree may rely on."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

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

# Stages that one construct of SQL passes: as written, logical plan, physical plan, operator.
STAGES = ("sql/syntax.py", "sql/statement.py", "sql/logical.py", "sql/physical",
          "engine/operators/", "engine/sinks/")  # fmt: skip
# Class names that occur twice outside those stages, and why.
SHARED_NAMES = {
    "AggregateFunction": "PyFlink's public name, and the row of the table of functions",
    "DataType": "PyFlink's public name, and a SQL type",
    "Schema": "PyFlink's public name, and the columns of rows",
    "Session": "PyFlink's public name of a window, and a session of statements",
    "StatementSet": "PyFlink's public name, the statement, and what an engine prepares",
    "Step": "a micro-batch's step; of a pattern: stored in the state of MATCH_RECOGNIZE",
    "StopJob": "the statement, and the message to the worker that performs it",
    "Over": "PyFlink's public name, and the stages of OVER",
    "Room": "the scratch memory of each of two compiled kernels",
}
# Words that do not say what a value is, as names of classes.
VAGUE_NAMES = {
    "Asked", "Bell", "Came", "Face", "Found", "Given", "Gone", "Heard", "Held", "Home", "House",
    "Kept", "Known", "Left", "Letter", "Listed", "Made", "Mailbox", "Opened", "Part", "Patience",
    "Place", "Placed", "Rest", "Said", "Seen", "Shown", "Standing", "Taken", "Told", "Voice",
    "Waiting", "Wanted", "Witness", "Words", "Workshop",
}  # fmt: skip
# The same for variables, parameters, attributes and functions, in the tests and benchmarks too.
VAGUE_WORDS = {
    "asked", "bell", "found", "heard", "patience", "said", "told", "voice", "wanted", "witness",
    "workshop",
}  # fmt: skip
# Names of messages between processes, which stay as they are for older ones.
MESSAGES = {"service/events.py", "service/messages.py"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def offenders(offence: Callable[[Path], str | None]) -> list[str]:
    """Every module that breaks a rule, with how; all of them, so that one run shows them all."""
    return [f"{name_of(path)}: {how}" for path in MODULES if (how := offence(path))]


def test_there_is_a_package_to_look_at() -> None:
    assert len(MODULES) > 60


def test_modules_open_with_a_sentence() -> None:
    def offence(path: Path) -> str | None:
        doc = ast.get_docstring(tree(path))
        if not doc:
            return "no docstring"
        first = doc.split("\n\n")[0].rstrip()
        return None if first.endswith((".", ":", "…")) else f"opens with {first!r}"

    assert offenders(offence) == []


def test_modules_are_short() -> None:
    def offence(path: Path) -> str | None:
        lines = len(path.read_text().splitlines())
        limit = TABLE_LINES_MAX if path.parent.name in TABLES else MODULE_LINES_MAX
        return None if lines <= limit else f"{lines} lines"

    assert offenders(offence) == []


def test_functions_are_short() -> None:
    def offence(path: Path) -> str | None:
        long = [
            f"{node.name} has {length} lines"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
        ]
        return ", ".join(long) or None

    assert offenders(offence) == []


def test_modules_have_nouns_for_names() -> None:
    def offence(path: Path) -> str | None:
        return "says nothing" if path.stem.lstrip("_") in FORBIDDEN_NAMES else None

    assert offenders(offence) == []


def test_time_comes_from_the_clock() -> None:
    def offence(path: Path) -> str | None:
        calls = CLOCK_CALLS.findall(path.read_text()) if path.name != "clock.py" else []
        return ", ".join(calls) or None

    assert offenders(offence) == []


def test_randomness_is_seeded() -> None:
    def offence(path: Path) -> str | None:
        return "imports random" if UNSEEDED.search(path.read_text()) else None

    assert offenders(offence) == []


def test_nothing_is_swallowed_bare() -> None:
    def offence(path: Path) -> str | None:
        bare = [
            f"bare except at line {node.lineno}"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ExceptHandler) and node.type is None
        ]
        return ", ".join(bare) or None

    assert offenders(offence) == []


def imported_names(path: Path) -> set[str]:
    """Dotted names that a file imports, of modules and of what is taken out of them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_every_module_is_imported_somewhere() -> None:
    product = set().union(*map(imported_names, MODULES))
    # What the public test kit offers is imported by tests.
    tests = set().union(*map(imported_names, (ROOT / "tests").rglob("*.py")))
    # Entry points and modules that a process is started with are named in a text.
    texts = "\n".join(p.read_text() for p in [*MODULES, ROOT / "pyproject.toml"])

    def offence(path: Path) -> str | None:
        dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        names = product | tests if path.parent.name == "testing" else product
        named = path.name in ("__init__.py", "__main__.py") or dotted in names
        return None if named or re.search(rf"{re.escape(dotted)}\b", texts) else "never imported"

    assert offenders(offence) == []


def test_test_modules_have_names_of_their_own() -> None:
    # pytest puts each folder on the path, so that two kits of one name shadow each other.
    names = [p.name for p in (ROOT / "tests").rglob("*.py") if p.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))


@cache
def classes() -> dict[str, list[str]]:
    """The modules below the package that define a class, by its name."""
    homes: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    return homes


def test_a_class_name_has_one_meaning() -> None:
    twice = {name: homes for name, homes in classes().items() if len(homes) > 1}
    unexplained = {
        name: homes
        for name, homes in twice.items()
        if name not in SHARED_NAMES and not all(home.startswith(STAGES) for home in homes)
    }
    assert unexplained == {}
    assert set(SHARED_NAMES) <= set(twice), "remove names that are no longer shared"


def test_class_names_say_what_a_value_is() -> None:
    vague = {
        name: homes
        for name, homes in classes().items()
        if name.lstrip("_") in VAGUE_NAMES and not set(homes) <= MESSAGES
    }
    assert vague == {}


def _names(path: Path) -> Iterator[tuple[str, int]]:
    """Every name that a module gives to something, with its line."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name, node.lineno


def test_variables_say_what_a_value_is() -> None:
    folders = (ROOT / "eddyline", ROOT / "tests", ROOT / "benchmarks")
    vague = [
        f"{name_of(path)}:{line}: {name}"
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        for name, line in _names(path)
        if name.strip("_") in VAGUE_WORDS
    ]
    assert vague == []
