"""HOTSPOTS: where the newest points of a key lie close together.

After each row the points of its key's window are clustered as DBSCAN does (Ester et al., A
Density-Based Algorithm for Discovering Clusters, KDD 1996): a point with at least so many points
within the radius, itself among them, is a core; cores within the radius of one another are one
hotspot, with all points within the radius of a core. Which points are near one another is kept from
row to row, so that a row costs a comparison with each point of the window.

State: rows that wait for the watermark, and each key's window.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.engine.operators.forest_keys import key_labels
from eddyline.engine.operators.operator import Operator, OperatorContext, Step, typed
from eddyline.engine.operators.settled import SettledRows
from eddyline.engine.operators.windows import refuse_changes
from eddyline.engine.scores import Doubles, doubles_of
from eddyline.record.batch import Batch
from eddyline.sql import physical as plan

Bools = npt.NDArray[np.bool_]
# Keys for which it is remembered which points are near one another: a megabyte each at most.
_REMEMBERED = 256
# Points that are kept beyond those of the windows before the table is rewritten.
_KEPT = 20_000


class PointWindow:
    """The newest points of a key, and which of them are near one another."""

    def __init__(self, size: int, columns: int) -> None:
        self.points = np.zeros((size, columns))
        self.near: Bools | None = None
        self.count = 0

    def add(self, point: Doubles, radius: float) -> None:
        """The point takes the place of the oldest one."""
        size = len(self.points)
        at, self.count = self.count % size, self.count + 1
        held = min(self.count, size)
        self.points[at] = point
        if self.near is None:
            self.near = self._all_near(held, radius)
            return
        near = ((self.points[:held] - point) ** 2).sum(axis=1) <= radius * radius
        self.near[at], self.near[:, at] = False, False
        self.near[at, :held], self.near[:held, at] = near, near

    def _all_near(self, held: int, radius: float) -> Bools:
        size = len(self.points)
        near: Bools = np.zeros((size, size), np.bool_)
        for at in range(held):
            off = self.points[:held] - self.points[at]
            near[at, :held] = (off**2).sum(axis=1) <= radius * radius
        return near

    def hotspots(self, radius: float, least: int) -> list[dict[str, Any]]:
        """Density, least and greatest values of each hotspot, the densest first."""
        assert self.near is not None, "add comes first"
        held = min(self.count, len(self.points))
        near = self.near[:held, :held]
        left = near.sum(axis=1) >= least
        core = left.copy()
        hotspots = []
        while left.any():
            inside: Bools = np.zeros(held, np.bool_)
            edge = np.array([int(np.argmax(left))])
            while len(edge):
                left[edge] = False
                inside |= near[edge].any(axis=0)
                edge = np.flatnonzero(inside & core & left)
            hotspots.append(self._hotspot(self.points[:held][inside], radius))
        return sorted(hotspots, key=lambda h: (-h["density"], h["minValues"]))

    def _hotspot(self, points: Doubles, radius: float) -> dict[str, Any]:
        """density: points in a unit of volume of the box around them, whose sides are taken to be
        at least the radius, so that it is finite."""
        low, high = points.min(axis=0), points.max(axis=0)
        volume = float(np.prod(np.maximum(high - low, radius)))
        density = len(points) / volume if volume > 0.0 else float(len(points))
        return {"density": density, "minValues": low.tolist(), "maxValues": high.tolist()}


class Hotspots(Operator):
    """Adds the hotspots of its key's window to each row."""

    def __init__(
        self,
        context: OperatorContext,
        inputs: tuple[Operator, ...],
        node: plan.Hotspots,
        durable: bool,
    ) -> None:
        super().__init__(context, inputs, node.schema)
        self._node = node
        self._durable = durable
        self._settled = SettledRows(context, inputs[0].schema, node.time_column)
        self._windows: dict[str, PointWindow] = {}
        self._kept = 0  # points in the table
        self._nth = 0
        self._table = context.table("points")

    def create(self) -> None:
        self._settled.create()
        self.context.db.run(f"CREATE TABLE {self._table} (nth BIGINT, key VARCHAR, point DOUBLE[])")

    def step(self, inputs: tuple[Step, ...]) -> Step:
        batch, watermark = inputs[0].batch, inputs[0].watermark_ms
        if batch is not None and batch.num_rows:
            refuse_changes(batch, "HOTSPOTS")
        rows = self._settled.take(batch, watermark)
        if rows is None or not rows.num_rows:
            return Step(None, watermark)
        return Step(Batch(self._with_hotspots(rows)), watermark)

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return inputs[0], self._settled.due(inputs[0])

    def save(self) -> dict[str, Any]:
        return {**self._settled.save(), "nth": self._nth}

    def restore(self, saved: dict[str, Any]) -> None:
        self._settled.restore(saved)
        self._nth = saved["nth"]
        held = self.context.db.query(f"SELECT key, point FROM {self._table} ORDER BY nth")
        self._kept = held.num_rows
        for key, point in zip(held["key"].to_pylist(), held["point"].to_pylist(), strict=True):
            self._window(key).add(np.array(point), self._node.scan_radius)

    def why_silent(self) -> list[str]:
        if not self._settled.held:
            return []
        return [f"{self._settled.held} rows wait at HOTSPOTS until their time is settled"]

    def _with_hotspots(self, rows: pa.Table) -> pa.Table:
        """The rows with their hotspots; a row without a finite number in each column has none, and
        is no point of the window."""
        node = self._node
        points = np.column_stack([doubles_of(rows[c]) for c in node.columns])
        whole = np.isfinite(points).all(axis=1)
        keys = key_labels(rows, list(node.partition_by)).to_pylist()
        texts: list[str | None] = [None] * len(keys)
        for row in np.flatnonzero(whole).tolist():
            window = self._window(keys[row])
            window.add(points[row], node.scan_radius)
            spots = window.hotspots(node.scan_radius, node.minimum_points)
            texts[row] = json.dumps({"hotspots": spots}, separators=(",", ":"))
        if self._durable and whole.any():
            self._keep([keys[i] for i in np.flatnonzero(whole).tolist()], points[whole])
        out = rows.select(list(self.inputs[0].schema.names))
        out = out.append_column(node.result, pa.array(texts, pa.string()))
        return typed(out.select(list(self.schema.names)), self.schema)

    def _window(self, key: str) -> PointWindow:
        window = self._windows.pop(key, None)
        if window is None:
            window = PointWindow(self._node.window_size, len(self._node.columns))
        self._windows[key] = window  # the newest last
        if len(self._windows) > _REMEMBERED:
            oldest = next(islice(reversed(self._windows.values()), _REMEMBERED, None))
            oldest.near = None
        return window

    def _keep(self, keys: list[str], points: Doubles) -> None:
        """The points that the windows hold, and some that they have lost."""
        db, size = self.context.db, self._node.window_size
        nth = np.arange(self._nth, self._nth + len(keys))
        self._nth += len(keys)
        table = pa.table({"nth": nth, "key": keys, "point": list(points)})
        db.run(f"INSERT INTO {self._table} SELECT * FROM b", b=table)
        self._kept += len(keys)
        held = sum(min(w.count, size) for w in self._windows.values())
        if self._kept > 2 * held + _KEPT:
            db.run(
                f"DELETE FROM {self._table} WHERE nth NOT IN (SELECT nth FROM {self._table} "
                f"QUALIFY row_number() OVER (PARTITION BY key ORDER BY nth DESC) <= {size})"
            )
            self._kept = held
