"""A mutation run (``make mutation``): small edits that break code, each of which must fail a test.

It copies the tree, applies one edit at a time to a module of ``TARGETS``, and runs that module's
tests there. An edit that no test notices is printed with its place: either a test is missing, or
the edit changes nothing that anybody can observe.
"""

from __future__ import annotations

import ast
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MUTANTS_PER_MODULE = 25
SECONDS_MAX = 120
# module -> the arguments of pytest that run its tests
TARGETS: dict[str, list[str]] = {
    "options/duration.py": ["tests/engine/test_options.py"],
    "options/java_time.py": ["tests/engine/test_options.py"],
    "options/option.py": ["tests/engine/test_option_kinds.py"],
    "service/restart_policy.py": ["tests/service/test_restart_policy.py"],
    "aws/firehose/key.py": ["tests/aws/test_firehose.py", "-k", "key or prefix or interval"],
    "aws/kinesis/channels/key.py": [
        "tests/aws/kinesis/test_channels.py",
        "-k",
        "key or old or ref",
    ],
    "sql/rules/push_filters.py": ["tests/engine/test_rules.py", "tests/sql/test_planner.py"],
    "sql/rules/prune_columns.py": ["tests/engine/test_rules.py", "tests/sql/test_planner.py"],
    "sql/intervals.py": ["tests/sql/test_interval_bounds.py"],
    "engine/operators/group_rows.py": ["tests/engine/test_group_rows.py"],
    "engine/keyed/run.py": ["tests/engine/test_keyed_state.py"],
    "log/tail.py": ["tests/log/test_log_tail.py"],
    "log/retention.py": ["tests/log/test_log_retention.py"],
    "log/on_demand.py": ["tests/log/test_log_on_demand.py"],
    "aws/delivery/worker.py": ["tests/aws/test_firehose.py", "tests/aws/kinesis/test_channels.py"],
}
_COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult}


def edits(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Applies each edit to the tree, yields its line and what it is, and takes it back."""
    for node in ast.walk(module):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
            before = node.ops[0]
            node.ops[0] = _COMPARISONS[type(before)]()
            yield node.lineno, f"{type(before).__name__} → {type(node.ops[0]).__name__}"
            node.ops[0] = before
        elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            operator = node.op
            node.op = _ARITHMETIC[type(operator)]()
            yield node.lineno, f"{type(operator).__name__} → {type(node.op).__name__}"
            node.op = operator
        elif isinstance(node, ast.BoolOp):
            boolean = node.op
            node.op = ast.Or() if isinstance(boolean, ast.And) else ast.And()
            yield node.lineno, f"{type(boolean).__name__} → {type(node.op).__name__}"
            node.op = boolean
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
            value = node.value
            node.value = not value if isinstance(value, bool) else value + 1
            yield node.lineno, f"{value} → {node.value}"
            node.value = value
        elif isinstance(node, ast.If):
            test = node.test
            node.test = ast.UnaryOp(ast.Not(), test)
            yield node.lineno, "if → if not"
            node.test = test


def survivors(tree: Path, name: str, arguments: list[str]) -> tuple[int, list[str]]:
    """How many edits of a module were tried, and those that no test noticed."""
    path = tree / "eddyline" / name
    text = path.read_text()
    module = ast.parse(text)
    mutants = [(*edit, ast.unparse(ast.fix_missing_locations(module))) for edit in edits(module)]
    chosen = random.Random(name).sample(mutants, min(MUTANTS_PER_MODULE, len(mutants)))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments]
    alive = []
    for line, edit, mutant in chosen:
        path.write_text(mutant)
        try:
            done = subprocess.run(command, cwd=tree, capture_output=True, timeout=SECONDS_MAX)
            if done.returncode == 0:
                alive.append(f"eddyline/{name}:{line}: {edit}")
        except subprocess.TimeoutExpired:
            continue  # a loop that never ends is noticed
    path.write_text(text)
    return len(chosen), alive


def main() -> None:
    """Run the modules that the arguments name, or all."""
    names = [n for n in TARGETS if not sys.argv[1:] or n in sys.argv[1:]]
    tried = noticed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__")
        for part in ("eddyline", "tests"):
            shutil.copytree(ROOT / part, tree / part, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", tree)
        for name in names:
            count, alive = survivors(tree, name, TARGETS[name])
            tried, noticed = tried + count, noticed + count - len(alive)
            print(f"{name}: {count - len(alive)} of {count} edits were noticed", flush=True)
            print("\n".join(f"  {place}" for place in alive), flush=True)
    print(f"score: {noticed} of {tried} ({noticed / tried:.0%})")


if __name__ == "__main__":
    main()
