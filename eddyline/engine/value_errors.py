"""Values that an expression cannot take: which row, which expression, and where it stands.

DuckDB fails a whole statement. ``located`` finds, for the row that made it fail, the innermost
expression that cannot be computed, its values, and its place in the statement's text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from eddyline.engine.database import Database
from eddyline.errors import EddylineError, Span
from eddyline.sql import physical as plan
from eddyline.sql.typed import Apply, Typed, describe, refs, render

# A value is shown with at most so many characters.
SHOWN_CHARACTERS = 80
# What to do about a value, by words of what is wrong with it; the first that fits.
_HINTS = (
    ("function ", "let the function return None for such a value"),
    ("division by zero", "a divisor NULLIF(x, 0) gives NULL where x is 0"),
    ("out of the type's range", "compute with a wider type: CAST one operand AS BIGINT or DOUBLE"),
    ("out of range", "filter such values out, or compute with smaller ones"),
    ("", "TRY_CAST gives NULL for such a value"),
)
# Operations that a message may be about.
_OPERATIONS = (("division by zero", ("/", "%", "MOD")), (" is not ", ("CAST",)))
ASIDE = "'bad-records' = 'dead-letter' on the source table puts such records aside"


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


def first_fault(
    db: Database, name: str, trees: Sequence[Typed | None], rows: pa.Table, error: EddylineError
) -> EddylineError:
    """The error of some rows, of which one fails, with that row's expression, values and place.

    name: what the expressions compute, for the message. Without trees, ``error`` itself.
    """
    if error.code != "sql_runtime" or error.span is not None:
        return error
    for tree in trees:
        failure = None if tree is None else _failure(db, tree, rows)
        if tree is None or failure is None:
            continue
        while rows.num_rows > 1:
            half = rows.slice(0, rows.num_rows // 2)
            failing = _failure(db, tree, half)
            rows = rows.slice(rows.num_rows // 2) if failing is None else half
        return _error_at(name, *_innermost(db, tree, rows, failure), rows)
    return error


def of_condition(trees: Sequence[Typed], error: EddylineError) -> EddylineError:
    """The error of a condition over rows of several inputs, with the place in the statement of what
    may have failed: the first operation of the kind that the message is about, else all of it."""
    kinds = next((kinds for words, kinds in _OPERATIONS if words in error.message), ())
    calls = [call for tree in trees for call in _calls(tree) if call.place is not None]
    likely = [call for call in calls if call.name in kinds] or calls
    if not likely:
        return error
    span, source = likely[0].place or (None, None)
    text = _written(span, source) or describe(likely[0])
    message = f"the condition: {error.message} in {text}"
    hint = error.hint or _hint(error.message)
    return EddylineError(error.code, message, hint=hint, span=span, source=source)


def _calls(tree: Typed) -> Iterator[Apply]:
    """The calls of an expression, the outer ones first."""
    if isinstance(tree, Apply):
        yield tree
        for argument in tree.args:
            yield from _calls(argument)


def _failure(db: Database, tree: Typed, rows: pa.Table) -> EddylineError | None:
    """Why the expression cannot be computed for some row; None if it can."""
    try:
        db.compute(f"SELECT {render(tree)} AS x FROM b", b=rows)
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
    shown = ", ".join(
        f"{'a value computed before' if is_hidden(name) else name} = {value_text(value)}"
        for name, value in values.items()
    )
    where = "the condition" if column is None else f"column {column}"
    where = "a value" if column is not None and is_hidden(column) else where
    span, source = tree.place or (None, None) if isinstance(tree, Apply) else (None, None)
    message = f"{where}: {failure.message} in {_written(span, source) or describe(tree)}"
    message += f", where {shown}" if shown else ""
    hint = failure.hint or _hint(failure.message)
    return EddylineError("sql_runtime", message, hint=hint, span=span, source=source)


def is_hidden(column: str) -> bool:
    """Whether a column is not one of the user's."""
    return column.lstrip("_").startswith("$")


def _hint(message: str) -> str:
    return next(hint for words, hint in _HINTS if words in message)


def _written(span: Span | None, source: str | None) -> str | None:
    """The expression as the statement has it, if that is on one line."""
    if span is None or source is None:
        return None
    lines = source.splitlines()
    if span.line > len(lines):
        return None
    text = lines[span.line - 1][span.column - 1 : span.column - 1 + span.length]
    return text if len(text) == span.length else None


def value_text(value: Any) -> str:
    """A value as SQL shows it, shortened."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, dt.datetime):
        text = value.isoformat(" ")
        return text[:-3] if value.microsecond and not value.microsecond % 1000 else text
    if isinstance(value, bytes):
        text = f"x'{value[:SHOWN_CHARACTERS].hex()}'"
    else:
        text = repr(value) if isinstance(value, str | list | dict | float) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
