"""Faults put in on purpose, each with a label that says what was done to which record."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from eddyline.generator.column import Integers, Uniforms
from eddyline.generator.pattern import Burst
from eddyline.generator.spec import Fault

# Records held back at most; beyond it a late record is sent at once, without a label.
HELD_MAX = 100_000


@dataclass(slots=True)
class _Changes:
    """What becomes of a batch: its records with new ones behind, and the order they leave in."""

    records: list[bytes]
    order: list[list[int]]
    fresh: list[bytes] = field(default_factory=list)

    def replace(self, row: int, record: bytes) -> None:
        self.order[row] = [len(self.records) + len(self.fresh)]
        self.records[row] = record
        self.fresh.append(record)


class Faults:
    """Applies faults to batches in order; a burst's label comes with the batch it begins in."""

    def __init__(
        self, faults: Sequence[Fault], bursts: Sequence[Burst], rng: np.random.Generator
    ) -> None:
        self._faults = faults
        self._bursts = sorted(bursts, key=lambda b: b.start_s)
        self._rng = rng
        self._held: list[tuple[float, int, bytes]] = []

    @property
    def next_release_s(self) -> float | None:
        """When the first record that is held back is due."""
        return self._held[0][0] if self._held else None

    def apply(self, data: Any, due_s: Uniforms, now_ms: Integers, first: int) -> tuple[Any, Any]:
        """A batch (BinaryArray) after its faults, and their labels (BinaryArray).

        ``due_s`` counts from the start of the run, ``first`` is the number of the first record.
        """
        labels = list(self._burst_labels(due_s, now_ms))
        hits = [(f, np.flatnonzero(self._hit(f, due_s))) for f in self._faults]
        released = self.release(float(due_s[-1])) if len(due_s) else []
        if not released and not any(len(rows) for _, rows in hits):
            return data, pa.array(labels, pa.binary())
        records = data.to_pylist()
        changes = _Changes(records, [[k] for k in range(len(records))])
        for fault, rows in hits:
            for row in rows.tolist():
                if not changes.order[row]:
                    continue
                told = self._apply(fault, changes, row, float(due_s[row]))
                if told is not None:
                    label = {"at": _iso(int(now_ms[row])), "record": first + row, **told}
                    labels.append(json.dumps(label, ensure_ascii=False).encode())
        out = [k for places in changes.order for k in places]
        everything = pa.array([*data.to_pylist(), *changes.fresh, *released], pa.binary())
        start = len(data) + len(changes.fresh)
        out += range(start, start + len(released))
        return everything.take(pa.array(out, pa.int64())), pa.array(labels, pa.binary())

    def release(self, until_s: float) -> list[bytes]:
        """The records held back until then."""
        out = []
        while self._held and self._held[0][0] <= until_s:
            out.append(heapq.heappop(self._held)[2])
        return out

    def _hit(self, fault: Fault, due_s: Uniforms) -> Any:
        drawn = self._rng.random(len(due_s)) < fault.chance
        end = np.inf if fault.duration_s is None else fault.start_s + fault.duration_s
        return drawn & (due_s >= fault.start_s) & (due_s < end)

    def _apply(
        self, fault: Fault, changes: _Changes, row: int, due_s: float
    ) -> dict[str, Any] | None:
        """Change one record; what its label says, None if nothing could be done."""
        record = changes.records[row]
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
            heapq.heappush(self._held, (due_s + fault.delay_s, len(self._held), record))
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
    try:
        found = json.loads(changes.records[row])
    except ValueError:
        return None
    value = found.get(fault.field) if isinstance(found, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if abs(value) > 1e200:
        return None
    wrong = value * fault.factor
    wrong = int(wrong) if isinstance(value, int) and wrong == int(wrong) else wrong
    found[fault.field] = wrong
    changes.replace(row, json.dumps(found, ensure_ascii=False).encode())
    return {"fault": "outlier", "field": fault.field, "was": value, "is": wrong}


def _shown(record: bytes) -> str:
    return record[:200].decode("utf-8", "replace")


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
