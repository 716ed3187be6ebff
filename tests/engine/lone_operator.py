"""One operator of the engine over a database of its own, which tests step and restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eddyline.clock import SYSTEM
from eddyline.engine.build import NODES, BuildContext
from eddyline.engine.database import Database
from eddyline.engine.metrics import Figures
from eddyline.engine.operators.operator import Operator, Step
from eddyline.record.batch import Batch
from eddyline.record.schema import Schema
from eddyline.settings import Settings


class Fed(Operator):
    """Stands for an operator below."""


class LoneOperator:
    """The operator of a plan's node, below which there are inputs of these schemas."""

    def __init__(
        self, directory: Path, node: Any, *inputs: Schema, insert_only: bool | None = None
    ) -> None:
        self.directory, self.node = directory, node
        self.inputs, self.insert_only = inputs, insert_only
        self.figures = Figures()
        directory.mkdir()
        self.open()
        with self.db.transaction():
            self.op.create()

    def open(self) -> None:
        settings = Settings(data_dir=self.directory)
        self.db = Database(self.directory / "state.duckdb", settings)
        build = BuildContext(
            "job", 1, "UTC", self.db, settings, SYSTEM, self.figures, None, None,  # type: ignore[arg-type]
            directory=self.directory,
        )  # fmt: skip
        below = tuple(Fed(build.context(f"fed{n}"), (), s) for n, s in enumerate(self.inputs))
        for operator in below:
            if self.insert_only is not None:
                operator.insert_only = self.insert_only
        self.op: Any = NODES[type(self.node)](build, build.context("op"), below, self.node)

    def save(self) -> list[Any]:
        return [self.op.save(), self.op.keyed.save()]

    def restore(self, saved: list[Any]) -> None:
        self.op.keyed.restore(saved[1])
        with self.db.transaction():
            self.op.adapt()
        if saved[0] is not None:
            self.op.restore(saved[0])

    def restart(self) -> None:
        saved = json.loads(json.dumps(self.save()))
        self.close()
        self.open()
        self.restore(saved)

    def output(self, *steps: Step) -> Batch | None:
        """What the operator gives for one micro-batch, of its own schema."""
        with self.db.transaction():
            out = self.op.step(steps).batch
        if self.op.keyed is not None:
            self.op.keyed.committed()
        assert out is None or out.rows.schema.equals(self.node.schema.arrow())
        return out

    def close(self) -> None:
        self.op.close()
        self.db.close()


def kinds_of(batch: Batch) -> list[int]:
    """The kind of change of each row."""
    kinds: list[int] = [0] * batch.num_rows if batch.kinds is None else batch.kinds.tolist()
    return kinds
