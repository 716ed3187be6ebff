"""Every import is declared: what the package imports is among its dependencies or extras."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
_NAME = re.compile(r"[A-Za-z0-9._-]+")
# Imported where they are, for what comes with a user's own environment.
OPTIONAL = {"boto3": "dev", "pytest": "dev", "confluent_kafka": "kafka", "pandas": None,
            "IPython": "ipykernel", "fastavro": "avro", "psycopg": "postgres"}  # fmt: skip


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    return {normal(match[0]) for r in requirements if (match := _NAME.match(r))}


def imported() -> dict[str, Path]:
    """The first names of all imports of the package, each with a file that has it."""
    modules: dict[str, Path] = {}
    for file in sorted((ROOT / "eddyline").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                modules.setdefault(name.partition(".")[0], file)
    return modules


def test_every_import_is_declared() -> None:
    needed = declared(PROJECT["dependencies"])
    known = packages_distributions()
    for name, file in imported().items():
        if name in sys.stdlib_module_names or name in ("eddyline", *OPTIONAL):
            continue
        distributions = {normal(d) for d in known.get(name, [name])}
        assert distributions & needed, f"{file.relative_to(ROOT)} imports {name}: declare it"


def test_every_dependency_is_explained() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    table = text[text.index("| dependency |") :]
    for requirement in PROJECT["dependencies"]:
        match = _NAME.match(requirement)
        assert match is not None
        assert match[0].lower() in table.lower(), (
            f"ARCHITECTURE.md does not say what {match[0]} is for"
        )
