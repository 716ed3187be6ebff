"""INSERTs of the Table API: one table's, and several that start together."""

from __future__ import annotations

from enum import Enum
from typing import Any

from eddyline.kernel.descriptors import TableDescriptor, anonymous_table
from eddyline.kernel.named import MissingNames
from eddyline.kernel.results import TableResult, run, show


class ExplainDetail(Enum):
    """What a plan shows besides its steps."""

    ESTIMATED_COST = "ESTIMATED_COST"
    CHANGELOG_MODE = "CHANGELOG_MODE"
    JSON_EXECUTION_PLAN = "JSON_EXECUTION_PLAN"
    PLAN_ADVICE = "PLAN_ADVICE"


def explained(
    statement: str, details: tuple[Any, ...] = (), options: dict[str, str] | None = None
) -> str:
    """The plan of a statement as text, with these details."""
    listed = ", ".join(str(getattr(detail, "name", detail)) for detail in details)
    text = f"EXPLAIN {listed} {statement}" if listed else f"EXPLAIN {statement}"
    return "\n".join(str(row[0]) for row in run(text, options).collect())


# INSERTs that nobody has started yet: those before Flink 1.14 waited for ``st_env.execute``.
_waiting: list[TablePipeline] = []


class TablePipeline(MissingNames):
    """A table's way into another, which ``execute`` starts."""

    def __init__(self, text: str, options: dict[str, str] | None = None) -> None:
        self._text = text
        self._options = options
        _waiting.append(self)

    def execute(self) -> TableResult:
        """Start it as a job."""
        self.taken()
        return run(self._text, self._options)

    def explain(self, *details: Any) -> str:
        """Its plan as text."""
        return explained(self._text, details, self._options)

    def print_explain(self, *details: Any) -> None:
        """Print its plan."""
        show(self.explain(*details))

    def taken(self) -> str:
        """Its statement, which ``execute_waiting`` need not start any longer."""
        if self in _waiting:
            _waiting.remove(self)
        return self._text


class StatementSet(MissingNames):
    """Several INSERTs that start together."""

    def __init__(self, options: dict[str, str] | None = None) -> None:
        self._inserts: list[str] = []
        self._options = options

    def add_insert_sql(self, text: str) -> StatementSet:
        """Add an INSERT."""
        self._inserts.append(text.strip().rstrip(";"))
        return self

    def add_insert(self, target: Any, table: Any, overwrite: bool = False) -> StatementSet:
        """Add an INSERT of a table's rows. target: a table's name, or its descriptor."""
        verb = "OVERWRITE" if overwrite else "INTO"
        return self.add_insert_sql(f"INSERT {verb} {target_name(target)} {table._query}")

    def add(self, pipeline: TablePipeline) -> StatementSet:
        """Add what ``Table.insert_into`` has given."""
        return self.add_insert_sql(pipeline.taken())

    def execute(self) -> TableResult:
        """Start all of them.

        Raises:
            ValueError: there is none.
        """
        return run(self._statement(), self._options)

    def explain(self, *details: Any) -> str:
        """The plan of all of them as text."""
        return explained(self._statement(), details, self._options)

    def _statement(self) -> str:
        if not self._inserts:
            msg = "the statement set is empty: add_insert_sql('INSERT INTO ...') comes first"
            raise ValueError(msg)
        body = ";\n".join(self._inserts)
        return f"EXECUTE STATEMENT SET BEGIN\n{body};\nEND"


def target_name(target: Any) -> str:
    """The name of a table to be written; a descriptor's table is created."""
    return anonymous_table(target) if isinstance(target, TableDescriptor) else str(target)


def execute_waiting(job_name: str | None, options: dict[str, str] | None) -> TableResult:
    """Start what ``insert_into`` and ``sql_update`` have left, as one job.

    Raises:
        ValueError: there is nothing.
    """
    statements = StatementSet((options or {}) | ({"pipeline.name": job_name} if job_name else {}))
    if not _waiting:
        msg = "there is nothing to execute: execute_sql and execute_insert start their job at once"
        raise ValueError(msg)
    for pipeline in list(_waiting):
        statements.add(pipeline)
    return statements.execute()
