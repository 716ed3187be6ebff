"""Faults put in on purpose, each with a label that names the record and the change."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.generator.column import Integers, Uniforms
from eddyline.generator.pattern import Burst
from eddyline.generator.spec import Fault
from eddyline.generator.template import Template

# Records held back at most; beyond it a late record is sent at once, and counted as missed.
HELD_MAX = 100_000
# Records that are looked at for the field of an outlier.
SAMPLE_RECORDS = 200


@dataclass(frozen=True, slots=True)
class DueRecords:
    """Records (BinaryArray) that are due, the output of each (int8), and when, shape (n,).

    ``due_s`` counts from the start of the run, ``first`` is the number of the first record.
    """

    data: Any
    routes: Any
    due_s: Uniforms
    now_ms: Integers
    first: int


@dataclass(slots=True)
class _Changes:
    """What becomes of a batch: its records and those made of them, and the order they leave in.

    ``order`` holds for each row of the batch the places of ``records`` that are sent for it.
    """

    records: list[bytes]
    routes: list[int]
    order: list[list[int]]

    def replace(self, row: int, record: bytes) -> None:
        self.order[row] = [len(self.records)]
        self.records.append(record)
        self.routes.append(self.routes[row])

    def current(self, row: int) -> bytes:
        """The record of a row as earlier faults left it."""
        return self.records[self.order[row][0]]


class Faults:
    """Applies faults to batches in order; a burst's label comes with the batch it begins in."""

    def __init__(
        self, faults: Sequence[Fault], bursts: Sequence[Burst], rng: np.random.Generator
    ) -> None:
        self._faults = faults
        self._bursts = sorted(bursts, key=lambda b: b.start_s)
        self._rng = rng
        self._held: list[tuple[float, int, bytes, int]] = []
        # Records that a fault was meant for and could not change.
        self.missed = 0

    @property
    def next_release_s(self) -> float | None:
        """When the first record that is held back is due."""
        return self._held[0][0] if self._held else None

    def apply(self, batch: DueRecords) -> tuple[Any, Any, Any]:
        """A batch after its faults (BinaryArray), its outputs, and the labels (BinaryArray)."""
        due_s = batch.due_s
        labels = list(self._burst_labels(due_s, batch.now_ms))
        hits = [(f, np.flatnonzero(self._hit(f, due_s))) for f in self._faults]
        released, their_routes = self.release(float(due_s[-1])) if len(due_s) else ([], [])
        if not released and not any(len(rows) for _, rows in hits):
            return batch.data, batch.routes, pa.array(labels, pa.binary())
        records = batch.data.to_pylist()
        changes = _Changes(records, batch.routes.tolist(), [[k] for k in range(len(records))])
        for fault, rows in hits:
            for row in rows.tolist():
                if not changes.order[row]:
                    continue
                label = self._apply(fault, changes, row, float(due_s[row]))
                if label is None:
                    self.missed += 1
                else:
                    when = {"at": _iso(int(batch.now_ms[row])), "record": batch.first + row}
                    labels.append(json.dumps(when | label, ensure_ascii=False).encode())
        out = [k for places in changes.order for k in places]
        out += range(len(changes.records), len(changes.records) + len(released))
        order = pa.array(out, pa.int64())
        data = pa.array([*changes.records, *released], pa.binary()).take(order)
        routes = np.array([*changes.routes, *their_routes], np.int8)[order.to_numpy()]
        return data, routes, pa.array(labels, pa.binary())

    def release(self, until_s: float) -> tuple[list[bytes], list[int]]:
        """The records held back until then, and the output of each."""
        records, routes = [], []
        while self._held and self._held[0][0] <= until_s:
            _, _, record, route = heapq.heappop(self._held)
            records.append(record)
            routes.append(route)
        return records, routes

    def _hit(self, fault: Fault, due_s: Uniforms) -> Any:
        drawn = self._rng.random(len(due_s)) < fault.chance
        end = np.inf if fault.duration_s is None else fault.start_s + fault.duration_s
        return drawn & (due_s >= fault.start_s) & (due_s < end)

    def _apply(
        self, fault: Fault, changes: _Changes, row: int, due_s: float
    ) -> dict[str, Any] | None:
        """Change one record; returns its label, None if nothing could be done."""
        record = changes.current(row)
        if fault.kind == "drop":
            changes.order[row] = []
            return {"fault": "drop", "text": _shown(record)}
        if fault.kind == "duplicate":
            changes.order[row] = changes.order[row] * 2
            return {"fault": "duplicate"}
        if fault.kind == "late":
            if len(self._held) >= HELD_MAX:
                return None
            changes.order[row] = []
            held = (due_s + fault.delay_s, len(self._held), record, changes.routes[row])
            heapq.heappush(self._held, held)
            return {"fault": "late", "delay_s": fault.delay_s, "text": _shown(record)}
        if fault.kind == "torn":
            if len(record) < 2:
                return None
            size = 1 + int(self._rng.random() * (len(record) - 1))
            changes.replace(row, record[:size])
            return {"fault": "torn", "bytes": size}
        return _outlier(fault, changes, row)

    def _burst_labels(self, due_s: Uniforms, now_ms: Integers) -> Iterator[bytes]:
        while self._bursts and len(due_s) and self._bursts[0].start_s <= due_s[-1]:
            burst = self._bursts.pop(0)
            row = int(np.searchsorted(due_s, burst.start_s))
            begins = int(now_ms[row]) + round((burst.start_s - float(due_s[row])) * 1000)
            label = {
                "at": _iso(begins),
                "until": _iso(begins + round(burst.duration_s * 1000)),
                "fault": "burst",
                "factor": burst.factor,
            }
            yield json.dumps(label).encode()


def _outlier(fault: Fault, changes: _Changes, row: int) -> dict[str, Any] | None:
    record, value = _number(changes.current(row), fault.field)
    if value is None or abs(value) > 1e200:
        return None
    wrong = value * fault.factor
    wrong = int(wrong) if isinstance(value, int) and wrong == int(wrong) else wrong
    record[fault.field] = wrong
    changes.replace(row, json.dumps(record, ensure_ascii=False).encode())
    return {"fault": "outlier", "field": fault.field, "was": value, "is": wrong}


def _number(text: bytes, name: str | None) -> tuple[dict[Any, Any], int | float | None]:
    """A JSON record and the number in a field of it; None where there is none."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return {}, None
    value = record.get(name) if isinstance(record, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return record if isinstance(record, dict) else {}, None
    return record, value


def check_fields(faults: Sequence[Fault], template: Template) -> None:
    """See that a template's records have the numbers that outliers are made of.

    Raises:
        EddylineError: ``invalid_argument`` where none of a sample has a number in the field.
    """
    fields = {f.field for f in faults if f.kind == "outlier"}
    if not fields:
        return
    now = np.zeros(SAMPLE_RECORDS, np.int64)
    sample = template.rendering(np.random.default_rng(0)).records(SAMPLE_RECORDS, now, now)
    records = sample.to_pylist()
    for name in fields:
        numbers = [_number(record, name) for record in records]
        if all(value is None for _, value in numbers):
            names = dict.fromkeys(k for record, _ in numbers for k in record)
            hint = f"their fields are {', '.join(names)}" if names else "they are no JSON objects"
            message = f"an outlier cannot be made: no record has a number in the field {name}"
            raise EddylineError("invalid_argument", message, hint=hint)


def _shown(record: bytes) -> str:
    return record[:200].decode("utf-8", "replace")


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
