"""Tables of the Table API: each is the SQL that gives its rows, and each method makes another."""

from __future__ import annotations

from typing import Any

from eddyline.kernel.calls import column_names, lateral, over_rows
from eddyline.kernel.column_choices import ColumnSelection
from eddyline.kernel.expressions import Expression, Flattened, col, quoted
from eddyline.kernel.frames import data_frame
from eddyline.kernel.inserts import TablePipeline, explained, target_name
from eddyline.kernel.named import MissingNames
from eddyline.kernel.results import (
    ResolvedSchema,
    TableResult,
    described,
    rows_of,
    run,
    show,
)
from eddyline.kernel.table_text import Columns, as_sql, parts
from eddyline.kernel.table_windows import GroupWindow, OverWindow


class Table(MissingNames):
    """A query; its methods give further queries."""

    def __init__(self, query: str, order: str = "", options: dict[str, str] | None = None) -> None:
        self._rows = query
        self._options = options
        # ORDER BY is part of the query, but not of a subquery.
        self._order = order
        self._types: dict[str, str] | None = None

    @property
    def _query(self) -> str:
        """The SQL text."""
        return f"{self._rows} {self._order}".rstrip() if self._order else self._rows

    def _made(self, query: str, order: str = "") -> Table:
        """Another table of the same environment."""
        return Table(query, order, self._options)

    def _of(self, select: str, more: str = "") -> Table:
        return self._made(f"SELECT {select} FROM ({self._query}) {more}".rstrip())

    def _columns(self) -> dict[str, str]:
        """Its columns' names and types."""
        if self._types is None:
            self._types = dict(zip(*described(self._query), strict=True))
        return self._types

    def select(self, *columns: Any) -> Table:
        """Columns: expressions, or SQL as text."""
        return self._of(", ".join(selected(columns, self._columns)))

    def where(self, condition: Any) -> Table:
        """The rows for which a condition holds."""
        return self._of("*", f"WHERE {condition_of(condition, self._columns)}")

    filter = where

    def alias(self, name: str, *more: str) -> Table:
        """The same rows under other names of the first columns; the others keep theirs."""
        names = _several(name, more)
        names += list(self._columns())[len(names) :]
        return self._made(f"SELECT * FROM ({self._query}) AS t ({', '.join(map(quoted, names))})")

    def add_columns(self, *columns: Any) -> Table:
        """Further columns behind those that are there."""
        known = len(self._columns())
        return self._of(", ".join(["*", *selected(columns, self._columns, first=known)]))

    def add_or_replace_columns(self, *columns: Any) -> Table:
        """Further columns; one whose name is taken takes the place of the other."""
        new = {column.names[0]: column.selected() for column in columns}
        kept = [new.pop(name, None) or quoted(name) for name in self._columns()]
        return self._of(", ".join([*kept, *new.values()]))

    def drop_columns(self, *columns: Any) -> Table:
        """All columns but these."""
        dropped = {_name(c) for c in columns}
        return self._of(", ".join(quoted(n) for n in self._columns() if n not in dropped))

    def rename_columns(self, *columns: Any) -> Table:
        """Some columns under other names: ``col('a').alias('b')``."""
        renamed = {c.text: c.selected() for c in columns}
        every = (quoted(n) for n in self._columns())
        return self._of(", ".join(renamed.get(n, n) for n in every))

    def group_by(self, *keys: Any) -> GroupedTable:
        """Groups of rows; ``select`` or ``aggregate`` follows."""
        return GroupedTable(self, keys)

    def window(self, window: GroupWindow) -> WindowedTable:
        """Windows of rows; ``group_by`` with the window's alias follows."""
        return WindowedTable(self, window)

    def over_window(self, *windows: OverWindow) -> OverTable:
        """Named windows for ``aggregate.over(col('w'))``."""
        return OverTable(self, windows)

    def distinct(self) -> Table:
        """Each row once."""
        return self._of("DISTINCT *")

    def order_by(self, *columns: Any) -> Table:
        """Rows in order; over a stream this needs a time, or ``limit``."""
        order = ", ".join(_texts("order_by", columns, self._columns))
        return self._made(f"SELECT * FROM ({self._query})", f"ORDER BY {order}")

    def limit(self, count: int, offset: int = 0) -> Table:
        """The first rows, after ``offset``."""
        skipped = f" OFFSET {int(offset)}" if offset else ""
        source = f"{self._rows} {self._order}" if self._order else f"SELECT * FROM ({self._query})"
        return self._made(f"{source} LIMIT {int(count)}{skipped}")

    fetch = limit

    def offset(self, count: int) -> Table:
        """The rows after the first ``count``."""
        source = f"{self._rows} {self._order}" if self._order else f"SELECT * FROM ({self._query})"
        return self._made(f"{source} OFFSET {int(count)}")

    def union_all(self, right: Table) -> Table:
        """The rows of both."""
        return self._with("UNION ALL", right)

    def union(self, right: Table) -> Table:
        """The rows of both, each once."""
        return self._with("UNION", right)

    def intersect(self, right: Table) -> Table:
        """The rows that both have, each once."""
        return self._with("INTERSECT", right)

    def intersect_all(self, right: Table) -> Table:
        """The rows that both have."""
        return self._with("INTERSECT ALL", right)

    def minus(self, right: Table) -> Table:
        """The rows that only this one has, each once."""
        return self._with("EXCEPT", right)

    def minus_all(self, right: Table) -> Table:
        """The rows that this one has more often."""
        return self._with("EXCEPT ALL", right)

    def _with(self, operator: str, right: Table) -> Table:
        left = f"SELECT * FROM ({self._query})"
        return self._made(f"{left} {operator} SELECT * FROM ({right._query})")

    def join(self, right: Table, join_predicate: Any = None) -> Table:
        """Pairs of rows that match."""
        return self._joined(
            "JOIN" if join_predicate is not None else "CROSS JOIN", right, join_predicate
        )

    def left_outer_join(self, right: Table, join_predicate: Any = None) -> Table:
        """Pairs of rows that match, and left rows without a partner."""
        return self._joined("LEFT JOIN", right, join_predicate)

    def right_outer_join(self, right: Table, join_predicate: Any = None) -> Table:
        """Pairs of rows that match, and right rows without a partner."""
        return self._joined("RIGHT JOIN", right, join_predicate)

    def full_outer_join(self, right: Table, join_predicate: Any = None) -> Table:
        """Pairs of rows that match, and all rows without a partner."""
        return self._joined("FULL JOIN", right, join_predicate)

    def _joined(self, kind: str, right: Table, condition: Any) -> Table:
        on = "" if kind == "CROSS JOIN" else " ON TRUE"
        if condition is not None:
            on = f" ON {condition_of(condition, lambda: right._columns() | self._columns())}"
        return self._made(f"SELECT * FROM ({self._query}) AS l {kind} ({right._query}) AS r{on}")

    def join_lateral(self, call: Any, join_predicate: Any = None) -> Table:
        """Each row with the rows that a table function gives for it."""
        on = "TRUE" if join_predicate is None else condition_of(join_predicate, self._columns)
        return self._made(f"SELECT * FROM ({self._query}) AS l JOIN {lateral(call)} ON {on}")

    def left_outer_join_lateral(self, call: Any, join_predicate: Any = None) -> Table:
        """As ``join_lateral``; a row without any stays, with NULL."""
        on = "TRUE" if join_predicate is None else condition_of(join_predicate, self._columns)
        return self._made(f"SELECT * FROM ({self._query}) AS l LEFT JOIN {lateral(call)} ON {on}")

    def map(self, call: Any) -> Table:
        """The fields of the ROW that a scalar function gives for each row.

        call: the function over columns, or alone, so that it takes the row.
        """
        call = over_rows(call, self._columns())
        names = column_names(call)
        fields = [f"c.{quoted(n)} AS {quoted(as_)}" for n, as_ in names]
        source = f"SELECT {call.text} AS c FROM ({self._query})"
        return self._made(f"SELECT {', '.join(fields)} FROM ({source})")

    def flat_map(self, call: Any) -> Table:
        """The rows that a table function gives for each row, as in ``map``."""
        call = over_rows(call, self._columns())
        names = [quoted(as_) for _, as_ in column_names(call)]
        return self._made(f"SELECT {', '.join(names)} FROM ({self._query}) AS l, {lateral(call)}")

    def aggregate(self, call: Any) -> AggregatedTable:
        """One group of all rows."""
        return AggregatedTable(self, (), call)

    def flat_aggregate(self, call: Any) -> AggregatedTable:
        """One group of all rows, with the rows that a table aggregate function gives."""
        return AggregatedTable(self, (), call, flat=True)

    def execute(self) -> TableResult:
        """Its rows."""
        return run(self._query, self._options)

    def execute_insert(self, table_path_or_descriptor: Any, overwrite: bool = False) -> TableResult:
        """Write its rows into a table, as a job."""
        return self.insert_into(table_path_or_descriptor, overwrite).execute()

    def insert_into(self, table_path_or_descriptor: Any, overwrite: bool = False) -> TablePipeline:
        """Its way into a table, which ``execute`` starts."""
        verb = "OVERWRITE" if overwrite else "INTO"
        target = target_name(table_path_or_descriptor)
        return TablePipeline(f"INSERT {verb} {target} {self._query}", self._options)

    def explain(self, *details: Any) -> str:
        """The plan as text, with details (``ExplainDetail``)."""
        return explained(self._query, details, self._options)

    def get_schema(self) -> ResolvedSchema:
        """Its columns and their types."""
        return ResolvedSchema(*described(self._query))

    get_resolved_schema = get_schema

    def print_schema(self) -> None:
        """Print its columns and their types."""
        pairs = zip(*described(self._query), strict=True)
        show("(\n" + ",\n".join(f"  `{c}` {t}" for c, t in pairs) + "\n)")

    def to_pandas(self) -> Any:
        """All its rows as a data frame; the query must end by itself."""
        return data_frame(rows_of(self._query, self._options))

    def __str__(self) -> str:
        """The query in brackets, to be put into SQL: ``f"SELECT * FROM {table}"``."""
        return f"({self._query})"

    def __getattr__(self, name: str) -> Any:
        """A column: ``orders.price``; a method of the Table API that is missing says so."""
        if name.startswith("_"):
            raise AttributeError(name)
        columns = self._columns()
        if name in columns:
            return col(name)
        msg = (
            f"the table has no column {name} (it has {', '.join(columns)}), and Table.{name} is "
            "not available here; write it as SQL in execute_sql"
        )
        raise AttributeError(msg)


class GroupedTable(MissingNames):
    """Rows in groups."""

    def __init__(
        self, table: Table, keys: tuple[Any, ...], window: GroupWindow | None = None
    ) -> None:
        self._table = table
        self._keys = keys
        self._window = window

    def select(self, *columns: Any) -> Table:
        """Keys and aggregates."""
        alias = self._window.name if self._window is not None else ""
        texts = selected(columns, self._table._columns, alias)
        keys = _keys(self._keys, self._table._columns)
        if self._window is not None:
            texts = [self._window.resolved(t) for t in texts]
            keys = [self._window.key if self._window.is_alias(k) else k for k in keys]
        group = f" GROUP BY {', '.join(keys)}" if keys else ""
        return self._table._made(f"SELECT {', '.join(texts)} FROM ({self._table._query}){group}")

    def aggregate(self, call: Any) -> AggregatedTable:
        """The groups' keys and an aggregate function's value; ``select`` follows."""
        return AggregatedTable(self._table, self._keys, call, window=self._window)

    def flat_aggregate(self, call: Any) -> AggregatedTable:
        """The groups' keys and the rows of a table aggregate function; ``select`` follows."""
        return AggregatedTable(self._table, self._keys, call, flat=True, window=self._window)


class AggregatedTable(MissingNames):
    """Groups with the value, or the rows, of one function."""

    def __init__(
        self, table: Table, keys: tuple[Any, ...], call: Any, *, flat: bool = False,
        window: GroupWindow | None = None,
    ) -> None:  # fmt: skip
        self._table, self._keys, self._flat = table, keys, flat
        self._call = over_rows(call, table._columns())
        self._window = window

    def select(self, *columns: Any) -> Table:
        """Keys and the function's columns, under the names of its ``alias``."""
        window = self._window
        keys = _keys(self._keys, self._table._columns)
        keys = [k for k in keys if window is None or not window.is_alias(k)]
        names = column_names(self._call, one=not self._flat)
        known = self._table._columns
        shown_as = dict.fromkeys((as_ for _, as_ in names), "")
        texts = selected(columns, lambda: known() | shown_as, window.name if window else "")
        source_columns, group = list(keys), list(keys)
        if window is not None:
            source_columns += window.columns()
            group.append(window.key)
            texts = [window.renamed(t) for t in texts]
        source_columns.append(f"{self._call.text} AS `$c`")
        source = f"SELECT {', '.join(source_columns)} FROM ({self._table._query})"
        if group:
            source += f" GROUP BY {', '.join(group)}"
        if self._flat:
            shown = ", ".join(quoted(as_) for _, as_ in names)
            inner = f"({source}) AS l, UNNEST(`$c`) AS r ({shown})"
        elif len(names) == 1 and names[0][0] == "":
            source = source.replace("AS `$c`", f"AS {quoted(names[0][1])}")
            inner = f"({source})"
        else:
            fields = ", ".join(f"`$c`.{quoted(n)} AS {quoted(as_)}" for n, as_ in names)
            inner = f"(SELECT *, {fields} FROM ({source}))"
        return self._table._made(f"SELECT {', '.join(texts)} FROM {inner}")


class WindowedTable(MissingNames):
    """Rows in windows."""

    def __init__(self, table: Table, window: GroupWindow) -> None:
        self._table = table
        self._window = window

    def group_by(self, *keys: Any) -> GroupedTable:
        """The window's alias and further keys."""
        if not any(map(self._window.is_alias, _keys(keys, dict))):
            msg = f"group_by() must have the window's alias: col('{self._window.name}')"
            raise ValueError(msg)
        return GroupedTable(self._table, keys, self._window)


class OverTable(MissingNames):
    """Rows with named OVER windows."""

    def __init__(self, table: Table, windows: tuple[OverWindow, ...]) -> None:
        self._table = table
        self._windows = windows

    def select(self, *columns: Any) -> Table:
        """Columns and aggregates over the windows."""
        named = ", ".join(f"{quoted(w.name)} AS ({w.text})" for w in self._windows)
        texts = selected(columns, self._table._columns)
        return self._table._of(", ".join(texts), f"WINDOW {named}")


def selected(
    columns: tuple[Any, ...], types: Columns, window: str = "", first: int = 0
) -> list[str]:
    """A SELECT list of expressions and texts.

    window: the alias of a window, if there is one. first: how many columns stand before these.
    """
    texts, aggregates = list[str](), 0
    for column in columns:
        if isinstance(column, ColumnSelection):
            texts += map(quoted, column.pick(list(types())))
        elif isinstance(column, Flattened):
            texts += column.fields(types())
        elif isinstance(column, Expression):
            # Flink's names of columns without a name.
            name = f"EXPR${aggregates}" if column.is_aggregate else f"_c{first + len(texts)}"
            aggregates += column.is_aggregate
            texts.append(column.selected("" if column.text == "*" else name))
        else:
            texts.append(as_sql(_text("select", column), types, window))
    return texts


def condition_of(condition: Any, types: Columns) -> str:
    """A condition's text."""
    return _texts("where", (condition,), types)[0]


def _keys(keys: tuple[Any, ...], types: Columns) -> list[str]:
    """The keys of groups, one by one; a text may have several."""
    single = (p for k in keys for p in (parts(k) if isinstance(k, str) else (k,)))
    return _texts("group_by", tuple(single), types)


def _texts(method: str, values: tuple[Any, ...], types: Columns) -> list[str]:
    return [
        v.text if isinstance(v, Expression) else as_sql(_text(method, v), types) for v in values
    ]


def _text(method: str, value: Any) -> str:
    if not isinstance(value, str):
        msg = f"{method}() takes expressions such as col('a'), or SQL as text, not {value!r}"
        raise TypeError(msg)
    return value


def _name(column: Any) -> str:
    return column.names[0] if isinstance(column, Expression) else str(column)


def _several(name: str, more: tuple[str, ...]) -> list[str]:
    return [name, *more] if more else [n.strip() for n in name.split(",")]
