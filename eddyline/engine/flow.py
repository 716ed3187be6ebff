"""One micro-batch through the tree of operators, and what each of them counted in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from eddyline.clock import Clock
from eddyline.engine.build import operators
from eddyline.engine.database import MORE_MEMORY, Database
from eddyline.engine.metrics import Figures, OperatorCounts
from eddyline.engine.operators.operator import Operator, Step
from eddyline.engine.value_errors import of_condition
from eddyline.errors import EddylineError
from eddyline.record.batch import MAX_WATERMARK
from eddyline.record.formats.kernel import NO_MEMORY

# How often the rows that operators keep are counted, in seconds.
STATE_S = 10.0
_TABLES = (
    "SELECT table_name, estimated_size FROM duckdb_tables() "
    "WHERE database_name = current_database()"
)


@dataclass(slots=True)
class Flow:
    """Steps the operators of a job below ``root`` and keeps their counts in ``figures``."""

    root: Operator
    figures: Figures
    clock: Clock
    _counts: dict[int, OperatorCounts] = field(default_factory=dict)
    _counted_at: float = float("-inf")
    _counted_epoch: int = -1
    _steps: dict[int, Step] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for op in operators(self.root):
            kind = type(op).__name__
            below = tuple(i.name for i in op.inputs)
            self._counts[id(op)] = OperatorCounts(op.name, kind, op.schema.names, below)
        self.figures.operators = tuple(self._counts.values())

    def step(self) -> Step:
        """One step of every operator, except those below a satisfied one; what it gives goes to
        all that read it."""
        self._steps.clear()
        step = self._step(self.root)
        self._steps.clear()
        return step

    def _step(self, op: Operator) -> Step:
        if op.satisfied:
            return Step(None, MAX_WATERMARK)
        step = self._steps.get(id(op))
        if step is None:
            step = self._steps[id(op)] = self._stepped(op)
        return step

    def _stepped(self, op: Operator) -> Step:
        inputs = () if op.has_waiting else tuple(self._step(child) for child in op.inputs)
        counts, totals = self._counts[id(op)], self.figures
        late, filtered, bad = totals.late, totals.filtered, totals.bad_records
        read = totals.rows_in
        began = self.clock.monotonic()
        try:
            step = op.step_waiting() if op.has_waiting else op.step(inputs)
        except (MemoryError, pa.ArrowCapacityError) as error:
            message = f"{NO_MEMORY}: by {op.described}"
            raise EddylineError("limit_exceeded", message, hint=MORE_MEMORY) from error
        except EddylineError as error:
            if error.code == "sql_runtime" and error.span is None and error.detail is None:
                error = of_condition(op.conditions, error)
                error.detail = f"in {op.described}"
            if not error.message.startswith(NO_MEMORY):
                raise error
            message = f"{error.message}: by {op.described}"
            raise EddylineError(error.code, message, hint=error.hint) from error
        counts.busy_s += self.clock.monotonic() - began
        counts.rows_in += sum(i.num_rows for i in inputs) if inputs else totals.rows_in - read
        counts.rows_out += step.num_rows
        counts.late += totals.late - late
        counts.filtered += totals.filtered - filtered
        counts.bad_records += totals.bad_records - bad
        counts.watermark_ms = max(counts.watermark_ms, step.watermark_ms)
        return step

    def count_state(self, db: Database) -> None:
        """Count the rows that each operator keeps, if that is due and something has changed."""
        now, epoch = self.clock.monotonic(), self.figures.epochs
        if now - self._counted_at < STATE_S or epoch == self._counted_epoch:
            return
        self._counted_at, self._counted_epoch = now, epoch
        sizes = {str(name): int(rows) for name, rows in db.rows(_TABLES)}
        resting = {
            op.name: op.keyed.num_rows for op in operators(self.root) if op.keyed is not None
        }
        for counts in self._counts.values():
            own = [n for t, n in sizes.items() if t.startswith(f"{counts.name}_")]
            own += [resting[counts.name]] if counts.name in resting else []
            counts.state_rows = sum(own) if own else None


def has_waiting(op: Operator) -> bool:
    """Whether some operator still holds rows of an earlier micro-batch."""
    return not op.satisfied and (op.has_waiting or any(has_waiting(i) for i in op.inputs))
