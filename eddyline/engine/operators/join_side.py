"""One side of a join: its columns under the join's names, its keys, its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from eddyline.engine.database import MORE_MEMORY
from eddyline.engine.operators.operator import OperatorContext, Step
from eddyline.errors import EddylineError
from eddyline.record.batch import Batch
from eddyline.record.formats.kernel import NO_MEMORY
from eddyline.record.schema import Column, Schema
from eddyline.record.types import duckdb_type, quote

# Bytes of matches that one micro-batch gives.
PIECE_BYTES_MAX = 32 << 20
# Copies of a row.
N = '"$n"'


@dataclass(frozen=True, slots=True)
class JoinSide:
    """One side of a join: its columns under their output names, its keys, its tables."""

    index: int
    schema: Schema
    keys: tuple[str, ...]
    table: str
    delta: str
    outer: bool

    @property
    def columns(self) -> list[str]:
        return [quote(n) for n in self.schema.names]

    def of(self, alias: str) -> str:
        return ", ".join(f"{alias}.{c}" for c in self.columns)

    def nulls(self) -> str:
        pairs = zip(self.columns, self.schema.types, strict=True)
        return ", ".join(f"NULL::{duckdb_type(t)} AS {c}" for c, t in pairs)


def make_side(
    context: OperatorContext,
    index: int,
    below: Schema,
    names: tuple[str, ...],
    keys: tuple[str, ...],
    outer: bool,
) -> JoinSide:
    """A side from its input's schema and its output names."""
    renamed = dict(zip(below.names, names, strict=True))
    schema = Schema(tuple(Column(renamed[c.name], c.type) for c in below))
    word = ("left", "right")[index]
    return JoinSide(
        index,
        schema,
        tuple(renamed[k] for k in keys),
        context.table(word),
        context.table(word + "_delta"),
        outer,
    )


def renamed(batch: Batch, below: Schema, side: JoinSide) -> pa.Table:
    """A batch's rows under the join's output names."""
    rows = batch.rows.select(list(below.names))
    return rows.rename_columns(list(side.schema.names))


def batch_keys(
    inputs: Sequence[Step], keys: Sequence[tuple[str, ...]]
) -> list[tuple[pa.Table, tuple[str, ...]]]:
    """The rows of both sides that have come, and which of their columns are the key."""
    pairs = zip(inputs, keys, strict=True)
    return [(step.batch.rows, names) for step, names in pairs if step.batch is not None]


def join_condition(left: JoinSide, right: JoinSide, condition: str | None) -> str:
    """Equal keys (NULL equals nothing) and the rest, over aliases ``l`` and ``r``."""
    pairs = zip(left.keys, right.keys, strict=True)
    parts = [f"l.{quote(a)} = r.{quote(b)}" for a, b in pairs]
    if condition:
        parts.append(f"({condition})")
    return " AND ".join(parts) or "TRUE"


def counted(side: JoinSide) -> str:
    """A side's own columns and how many copies of each row there are."""
    return ", ".join([*side.columns, N])


def too_large(bytes_max: int, what: str = "matches") -> EddylineError:
    """The error of a single row that has too many matches, or too much of something else."""
    msg = f"{NO_MEMORY} for the {what} of one row ({bytes_max >> 20} MiB)"
    return EddylineError("limit_exceeded", msg, hint=MORE_MEMORY)
