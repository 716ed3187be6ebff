"""The print connector: rows as Flink prints them, to the job's listener.

A value is printed as Java's object would be: ``null``, ``true``, ``2026-01-01T00:00``, ``[1, 2]``,
``{a=1}``, a nested row as ``+I[1, a]``.
"""

from __future__ import annotations

from eddyline.engine.operators.operator import Operator, OperatorContext
from eddyline.engine.sinks.sink import Listener, PrintedLines, Sink
from eddyline.options.connectors.print import IDENTIFIER, STANDARD_ERROR
from eddyline.record.batch import Batch, ChangeKind
from eddyline.record.formats import spelling
from eddyline.record.formats.coerce import column
from eddyline.record.types import BYTES, DataType, Root, quote
from eddyline.record.vector import expect
from eddyline.sql import physical as plan


class Print(Sink):
    """One line per change: ``prefix> +I[1, a]``; at least once over a crash."""

    def __init__(
        self,
        context: OperatorContext,
        inputs: tuple[Operator, ...],
        node: plan.Sink,
        listener: Listener,
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._listener = listener
        options = node.table.options
        self._table = node.table.path.name
        prefix = IDENTIFIER.get(options)
        self._prefix = f"{prefix}> " if prefix else ""
        self._is_error = STANDARD_ERROR.read(options)
        texts = [shown(c.type, quote(c.name)) for c in inputs[0].schema]
        self._sql = f"SELECT {_list(texts)} AS line FROM b"
        expect(self._sql)  # its functions must be there before a transaction begins
        self._lines: list[tuple[str, str]] = []

    def take(self, batch: Batch, epoch: int) -> None:
        lines = self.context.db.query(self._sql, b=batch.rows)["line"].to_pylist()
        kinds = [ChangeKind.INSERT.short] * len(lines)
        if batch.kinds is not None:
            kinds = [ChangeKind(k).short for k in batch.kinds.tolist()]
        pairs = zip(kinds, lines, strict=True)
        self._lines = [(k, f"{self._prefix}{k}{line}") for k, line in pairs]

    def deliver(self, epoch: int) -> None:
        lines, self._lines = self._lines, []
        if lines:
            kinds = [kind for kind, _ in lines]
            texts = [text for _, text in lines]
            self._listener.on_printed(PrintedLines(self._table, kinds, texts, self._is_error))


def shown(t: DataType, value: str, depth: int = 0) -> str:
    """DuckDB text: the value as Java prints it, ``null`` for NULL."""
    return f"coalesce({_shown(t, value, depth)}, 'null')"


def _list(texts: list[str]) -> str:
    return f"'[' || concat_ws(', ', {', '.join(texts)}) || ']'"


def _shown(t: DataType, value: str, depth: int) -> str:
    if t.root is Root.ROW:
        fields = zip(t.names, t.children, strict=True)
        inner = _list([shown(c, column(value, n), depth) for n, c in fields])
        return f"CASE WHEN {value} IS NOT NULL THEN '+I' || {inner} END"
    if t.root is Root.ARRAY:
        e = f"e{depth}"
        items = f"list_transform({value}, lambda {e}: {shown(t.children[0], e, depth + 1)})"
        return f"'[' || array_to_string({items}, ', ') || ']'"
    if t.root is Root.MAP:
        e = f"e{depth}"
        key, item = (
            shown(c, f"{e}.{part}", depth + 1)
            for c, part in zip(t.children, ("key", "value"), strict=True)
        )
        pairs = f"list_transform(map_entries({value}), lambda {e}: {key} || '=' || {item})"
        return f"'{{' || array_to_string({pairs}, ', ') || '}}'"
    if t.root in (Root.FLOAT, Root.DOUBLE):
        return spelling.approximate(value)
    if t.root is Root.DECIMAL:
        return spelling.plain_decimal(value)
    if t.root in BYTES:
        return _bytes(value, f"e{depth}")
    if t.is_timestamp:
        clock = _clock(value, always_seconds=t.root is Root.TIMESTAMP_LTZ)
        zone = "Z" if t.root is Root.TIMESTAMP_LTZ else ""
        return f"strftime({value}, '%Y-%m-%dT') || {clock} || '{zone}'"
    if t.root is Root.TIME:
        return _clock(value, always_seconds=False)
    return f"{value}::VARCHAR"


def _clock(value: str, *, always_seconds: bool) -> str:
    """Java's ISO time: seconds are left out if they are zero, a fraction has 3 or 6 digits."""
    us = f"(date_part('microseconds', {value}) % 60000000)"
    part = f"({us} % 1000000)"
    fraction = (
        f"CASE WHEN {part} = 0 THEN '' WHEN {part} % 1000 = 0 THEN '.' || "
        f"lpad(({part} // 1000)::VARCHAR, 3, '0') ELSE '.' || lpad({part}::VARCHAR, 6, '0') END"
    )
    seconds = f"':' || lpad(({us} // 1000000)::VARCHAR, 2, '0') || {fraction}"
    if not always_seconds:
        seconds = f"CASE WHEN {us} = 0 THEN '' ELSE {seconds} END"
    time = f"left(({value})::TIME::VARCHAR, 5)"
    return f"{time} || {seconds}"


def _bytes(value: str, e: str) -> str:
    """Java's bytes are signed."""
    code = f"('0x' || substr(hex({value}), 2 * {e} + 1, 2))::INTEGER"
    signed = f"({code} - CASE WHEN {code} > 127 THEN 256 ELSE 0 END)::VARCHAR"
    items = f"list_transform(range(octet_length({value})), lambda {e}: {signed})"
    return f"'[' || array_to_string({items}, ', ') || ']'"
