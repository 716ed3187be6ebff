"""Values that an expression cannot take: which row, which expression, and where it stands.

DuckDB fails a whole statement. ``located`` finds, for the row that made it fail, the innermost
expression that cannot be computed, its values, and its place in the statement's text.
"""

from __future__ import annotations

import pyarrow as pa

from eddyline.engine.database import Database
from eddyline.errors import EddylineError
from eddyline.sql import physical as plan
from eddyline.sql.typed import Apply, Typed, describe, refs, render


def located(db: Database, node: plan.Calc, row: pa.Table, error: EddylineError) -> EddylineError:
    """The error of a row (a table of one) with the expression that fails, its values and place."""
    expressions = [p.expr.tree for p in node.projections]
    names: list[str | None] = [p.name for p in node.projections]
    for name, tree in zip([None, *names], [node.condition_tree, *expressions], strict=True):
        if tree is None:
            continue
        failure = _failure(db, tree, row)
        if failure is not None:
            return _error_at(name, *_innermost(db, tree, row, failure), row)
    return error


def _failure(db: Database, tree: Typed, row: pa.Table) -> EddylineError | None:
    """Why the expression cannot be computed for the row; None if it can."""
    try:
        db.query(f"SELECT {render(tree)} AS x FROM b", b=row)
    except EddylineError as error:
        return error if error.code == "sql_runtime" else None
    return None


def _innermost(
    db: Database, tree: Typed, row: pa.Table, failure: EddylineError
) -> tuple[Typed, EddylineError]:
    for argument in tree.args if isinstance(tree, Apply) else ():
        inner = _failure(db, argument, row)
        if inner is not None:
            return _innermost(db, argument, row, inner)
    return tree, failure


def _error_at(
    column: str | None, tree: Typed, failure: EddylineError, row: pa.Table
) -> EddylineError:
    values = {name: row[name][0].as_py() for name in sorted(refs(tree)) if name in row.column_names}
    shown = ", ".join(f"{name} = {value!r}" for name, value in values.items())
    where = "the condition" if column is None else f"column {column}"
    where = "a value" if column is not None and column.startswith("$") else where
    message = f"{where}: {failure.message} in {describe(tree)}"
    message += f", where {shown}" if shown else ""
    hint = failure.hint or (
        "TRY_CAST gives NULL for such a value; 'bad-records' = 'dead-letter' on the source table "
        "puts such records aside"
    )
    span, source = tree.place or (None, None) if isinstance(tree, Apply) else (None, None)
    return EddylineError("sql_runtime", message, hint=hint, span=span, source=source)
