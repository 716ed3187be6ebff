"""The models of a forest's keys: those in use in memory, all others at rest on disk.

Memory has room for so many keys. When a key without room has a row, the keys that have been without
rows for longest leave for a run on disk (``engine/keyed``), and a key that returns goes on bit for
bit from what it had learnt. A verdict depends on its key's rows alone, so it is the same however
many keys fit.

State: the newest written version of each key, and the points that keys have taken since, with their
number among the key's rows. A restore takes the points again that come after the version on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.engine.keyed.hashes import Hashes
from eddyline.engine.keyed.merge import PART_BYTES
from eddyline.engine.keyed.versions import KEY, KeyedVersions, text_hashes
from eddyline.engine.operators.operator import Int64s, OperatorContext
from eddyline.engine.scores import Doubles

if TYPE_CHECKING:
    from eddyline.anomaly.detector import Detectors, Verdicts

Bools = npt.NDArray[np.bool_]
# All keys in memory are written when so many points have been taken since, or so many a key.
SNAPSHOT_POINTS, SNAPSHOT_ROWS_A_KEY = 20_000, 4
# When room is needed, this share of the keys in memory is written at once.
_LEAVING = 8
SCHEMA = pa.schema([(KEY, pa.string()), ("rows", pa.int64()), ("models", pa.binary())])


class ForestModels:
    """Detectors of any number of keys, of which so many at a time are in memory.

    make: gives the detectors and how many keys there is room for; called with the first row,
    because it loads numba.
    """

    def __init__(
        self,
        context: OperatorContext,
        disk: KeyedVersions,
        make: Callable[[], tuple[Detectors, int]],
        *,
        durable: bool,
    ) -> None:
        self._db = context.db
        self._disk = disk
        self._make = make
        self._durable = durable
        self._points = context.table("points")
        self._detectors: Detectors | None = None
        self.room = 0  # keys in memory at most; 0 while it is not known
        self._slots: dict[str, int] = {}
        self._keys: list[str] = []  # by slot; of one that is free, nothing
        self._free: list[int] = []
        self._hashes: Hashes = np.zeros(0, np.uint64)
        self._used: Int64s = np.zeros(0, np.int64)  # when each slot had its last row
        self._changed: Bools = np.zeros(0, np.bool_)  # since it was written
        self._shared: Hashes = np.zeros(0, np.uint64)  # hashes that several keys have
        self._clock = 0
        self._logged = 0
        self.num_keys = 0  # that have ever had a row
        self.taken = 0  # points, of all keys

    def detect(
        self, keys: list[str], codes: Int64s, points: Doubles, times: Int64s
    ) -> tuple[Verdicts, Int64s]:
        """Judge rows, then learn them, in order; and how many keys were known at each row.

        codes (n,): which of the keys each row is of. points (n, d), times (n,): epoch ms.
        """
        before, fresh = self.num_keys, np.zeros(len(keys), np.bool_)
        nths, parts, places = [], [], []
        for part in self._parts(keys, codes):
            rows = np.flatnonzero(np.isin(codes, part))
            slots = np.zeros(len(keys), np.int64)
            slots[part], fresh[part] = self._bring([keys[i] for i in part.tolist()])
            models = slots[codes[rows]]
            machine = self._machine()
            nths.append(machine.rows_before(models))
            parts.append(machine.process(models, points[rows], times[rows]))
            self._changed[models] = True
            self._clock += 1
            self._used[models] = self._clock
            places.append(rows)
        order = np.argsort(np.concatenate(places))
        if self._durable and len(codes):
            # A verdict depends on when a row is.
            log = np.column_stack([points, times])
            self._remember(keys, codes, np.concatenate(nths)[order], log)
        self.taken += len(codes)
        appears, at = np.unique(codes, return_index=True)
        first = np.zeros(len(codes), np.int64)
        first[at[fresh[appears]]] = 1
        return _in_order(parts, order), before + np.cumsum(first)

    def create(self) -> None:
        self._db.run(
            f"CREATE TABLE {self._points} (nth BIGINT, key VARCHAR, place BIGINT, point DOUBLE[])"
        )

    def save(self) -> dict[str, Any]:
        return {"taken": self.taken, "keys": self.num_keys}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take again the points that are newer than the versions on disk."""
        rows = self._db.query(f"SELECT key, place, point FROM {self._points} ORDER BY nth")
        if rows.num_rows:
            coded = rows["key"].combine_chunks().dictionary_encode()
            keys, codes = coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
            newer = rows["place"].combine_chunks().to_numpy() >= self._written(keys)[codes]
            flat = rows["point"].combine_chunks().flatten().to_numpy()
            flat = flat.reshape(rows.num_rows, -1)[newer]
            durable, self._durable = self._durable, False
            times = flat[:, -1].astype(np.int64)
            self.detect(keys, codes[newer], np.ascontiguousarray(flat[:, :-1]), times)
            self._durable = durable
        self._logged = rows.num_rows
        self.taken, self.num_keys = saved["taken"], saved["keys"]

    def _written(self, keys: list[str]) -> Int64s:
        """How many rows of each key its version on disk holds."""
        held: dict[str, int] = {}
        for rows in self._disk.newest(np.unique(text_hashes(keys))):
            held.update(zip(rows[KEY].to_pylist(), rows["rows"].to_pylist(), strict=True))
        return np.array([held.get(key, 0) for key in keys], np.int64)

    def _machine(self) -> Detectors:
        if self._detectors is None:
            self._detectors, room = self._make()
            self.room = max(1, room)
            self._disk.unit_rows = max(1, self.room // _LEAVING)
        return self._detectors

    def _parts(self, keys: list[str], codes: Int64s) -> Iterator[Int64s]:
        """The keys of a step, so many at a time as there is room for, those in memory first."""
        self._machine()
        present = np.unique(codes)
        if len(present) > self.room:
            away = np.array([keys[i] not in self._slots for i in present.tolist()])
            present = present[np.argsort(away, kind="stable")]
        for first in range(0, max(1, len(present)), self.room):
            yield present[first : first + self.room]

    def _bring(self, keys: list[str]) -> tuple[Int64s, Bools]:
        """The slots of keys, after those that are away have come; and which are new."""
        away = [i for i, key in enumerate(keys) if key not in self._slots]
        fresh = np.zeros(len(keys), np.bool_)
        if away:
            hashes = text_hashes([keys[i] for i in away])
            self._make_room(keys, len(away))
            self._return(hashes)
            for i, h in zip(away, hashes, strict=True):
                if keys[i] not in self._slots:
                    self._place(keys[i], h)
                    fresh[i] = True
            self.num_keys += int(fresh.sum())
            held, counts = np.unique(self._held_hashes(), return_counts=True)
            self._shared = np.union1d(self._shared, held[counts > 1])
        return np.array([self._slots[key] for key in keys], np.int64), fresh

    def _return(self, hashes: Hashes) -> None:
        """Keys at rest with these hashes come back."""
        for rows in self._disk.newest(np.unique(hashes)):
            rows = rows.filter(pa.array([k not in self._slots for k in rows[KEY].to_pylist()]))
            names = rows[KEY].to_pylist()
            slots = [self._place(k, h) for k, h in zip(names, text_hashes(names), strict=True)]
            self._machine().unpack(np.array(slots, np.int64), rows["models"].to_pylist())

    def _held_hashes(self) -> Hashes:
        return self._hashes[np.fromiter(self._slots.values(), np.int64)]

    def _place(self, key: str, key_hash: np.uint64) -> int:
        """A slot for a key: one that nobody has, or a further one."""
        slot = self._free.pop() if self._free else len(self._keys)
        if slot == len(self._keys):
            self._keys.append("")
            if slot >= len(self._used):
                self._hashes = np.append(self._hashes, np.zeros(max(64, slot), np.uint64))
                self._used = np.append(self._used, np.zeros(max(64, slot), np.int64))
                self._changed = np.append(self._changed, np.zeros(max(64, slot), np.bool_))
            self._machine().make_room(slot + 1)
        self._keys[slot], self._hashes[slot] = key, key_hash
        self._used[slot], self._changed[slot] = self._clock, False
        self._slots[key] = slot
        return slot

    def _make_room(self, needed: list[str], count: int) -> None:
        """Let go of so many keys that ``count`` more have room; those ``needed`` stay."""
        over = len(self._slots) + count - self.room
        if over <= 0:
            return
        stay = [self._slots[key] for key in needed if key in self._slots]
        leaving = np.setdiff1d(np.fromiter(self._slots.values(), np.int64), stay)
        leaving = leaving[np.argsort(self._used[leaving], kind="stable")]
        self._write(leaving[: max(over, self.room // _LEAVING)])
        gone = leaving[:over]
        for slot in gone.tolist():
            del self._slots[self._keys[slot]]
            self._keys[slot] = ""
        self._machine().forget(gone)
        self._free += gone.tolist()

    def _write(self, slots: Int64s) -> None:
        """New versions of the models in these slots that have changed."""
        changed = slots[self._changed[slots]]
        if not len(changed):
            return
        # All keys with one hash are replaced together.
        self._return(np.intersect1d(self._shared, self._hashes[changed]))
        held = np.fromiter(self._slots.values(), np.int64)
        written = held[np.isin(self._hashes[held], self._hashes[changed])]
        written = written[np.argsort(self._hashes[written], kind="stable")]
        self._disk.replace(self._pieces(written))
        self._changed[written] = False

    def _pieces(self, slots: Int64s) -> Iterator[tuple[Hashes, pa.Table]]:
        """Rows for the disk, so many at a time as make a piece of a run."""
        machine, first, size = self._machine(), 0, 0
        packed: list[bytes] = []
        for end in range(1, len(slots) + 1):
            packed += machine.pack(slots[end - 1 : end])
            size += len(packed[-1])
            if size >= PART_BYTES or end == len(slots):
                some = slots[first:end]
                rows = machine.rows_before(some)
                names = pa.array([self._keys[slot] for slot in some.tolist()], pa.string())
                arrays = [names, pa.array(rows), pa.array(packed, pa.binary())]
                yield self._hashes[some], pa.Table.from_arrays(arrays, schema=SCHEMA)
                first, size, packed = end, 0, []

    def _remember(self, keys: list[str], codes: Int64s, nths: Int64s, log: Doubles) -> None:
        """Keep the points until the models that have learnt them are written, as all are now and
        then."""
        db, width = self._db, log.shape[1]
        self._logged += len(codes)
        if self._logged >= max(SNAPSHOT_POINTS, SNAPSHOT_ROWS_A_KEY * len(self._slots)):
            self._write(np.fromiter(self._slots.values(), np.int64))
            db.run(f"DELETE FROM {self._points}")
            self._logged = 0
            return
        flat = pa.FixedSizeListArray.from_arrays(pa.array(log.ravel()), width)
        columns = {
            "nth": pa.array(np.arange(self.taken, self.taken + len(codes))),
            "key": pa.array(keys, pa.string()).take(pa.array(codes)),
            "place": pa.array(nths),
            "point": flat.cast(pa.list_(pa.float64())),
        }
        db.run(f"INSERT INTO {self._points} SELECT * FROM b", b=pa.table(columns))


def _in_order(parts: list[Verdicts], order: Int64s) -> Verdicts:
    """The verdicts of all rows, in their order."""
    if len(parts) == 1:
        return parts[0]
    kind = type(parts[0])
    names = kind.__dataclass_fields__
    return kind(**{n: np.concatenate([getattr(part, n) for part in parts])[order] for n in names})
