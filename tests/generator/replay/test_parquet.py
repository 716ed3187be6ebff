"""Parquet files as records: every type as JSON, times found, kept, moved; gzip."""

from __future__ import annotations

import gzip
import json
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from eddyline.errors import EddylineError
from eddyline.generator.counters import SendResult
from eddyline.generator.replay.run import Replay
from eddyline.generator.replay.spec import ReplaySpec

FIRST = datetime.fromisoformat("2020-02-03T04:05:06.789")


class Kept:
    def __init__(self) -> None:
        self.records: list[bytes] = []

    def send(self, keys: Any, data: Any, stop: threading.Event) -> SendResult:
        self.records += data.to_pylist()
        return SendResult(len(data))

    def close(self) -> None:
        """Nothing is held."""


def replayed(path: Path, **options: Any) -> tuple[Replay, list[dict[str, Any]]]:
    target = Kept()
    running = Replay(ReplaySpec(str(path), "stream:s", speed=None, **options), target)
    running.run(threading.Event())
    return running, [json.loads(r) for r in target.records]


def written(path: Path, columns: dict[str, Any]) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def test_every_type_becomes_json(tmp_path: Path) -> None:
    columns = {
        "i": pa.array([1, None, 2**53 + 1]),
        "f": pa.array([0.1, float("nan"), -1e300]),
        "d": pa.array([Decimal("1.50"), None, Decimal("-2.25")]),
        "b": pa.array([True, False, None]),
        "s": pa.array(['a"b\n', None, "ü"]),
        "c": pa.array(["x", "y", "x"]).dictionary_encode(),
        "day": pa.array([date(2020, 1, 1), None, date(1969, 12, 31)]),
        "l": pa.array([[1, 2], None, []]),
        "o": pa.array([{"k": "v"}, None, {"k": None}]),
    }
    running, records = replayed(written(tmp_path / "a.parquet", columns), time_field=None)
    assert running.facts.format == "parquet"
    assert [r["i"] for r in records] == [1, None, 2**53 + 1]
    assert [r["f"] for r in records] == [0.1, None, -1e300]
    assert [r["d"] for r in records] == [1.5, None, -2.25]
    assert [r["b"] for r in records] == [True, False, None]
    assert [r["s"] for r in records] == ['a"b\n', None, "ü"]
    assert [r["c"] for r in records] == ["x", "y", "x"]
    assert [r["day"] for r in records] == ["2020-01-01", None, "1969-12-31"]
    assert [r["l"] for r in records] == [[1, 2], None, []]
    assert [r["o"] for r in records] == [{"k": "v"}, None, {"k": None}]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_timestamps_are_the_event_time(tmp_path: Path, unit: str, zone: str | None) -> None:
    times = [FIRST + timedelta(seconds=k) for k in (0, 2, 1)]
    if zone:
        times = [t.replace(tzinfo=UTC) for t in times]
    columns = {"n": pa.array([0, 1, 2]), "at": pa.array(times, pa.timestamp(unit, zone))}
    running, records = replayed(written(tmp_path / "a", columns))
    assert running.facts.time_field == "at"
    assert [r["n"] for r in records] == [0, 2, 1]
    first = records[0]["at"]
    assert first.startswith("2020-02-03T04:05:06.789")
    assert first.endswith("Z") == (zone is not None)
    _, moved = replayed(tmp_path / "a", time="now")
    assert moved[0]["at"][-4:] == first[-4:]
    assert moved[0]["at"] > "2025"


def test_many_row_groups_and_gzip_keep_every_row(tmp_path: Path) -> None:
    n = 40_000
    table = pa.table({"time": np.arange(n) + 1_700_000_000_000, "n": np.arange(n)})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=7000)
    packed = tmp_path / "a.parquet.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes(), 1))
    for path in (tmp_path / "a.parquet", packed):
        _, records = replayed(path)
        assert [r["n"] for r in records] == list(range(n))


def test_rows_without_a_time_are_named(tmp_path: Path) -> None:
    columns = {"time": pa.array([FIRST, None, FIRST]), "n": pa.array([1, 2, 3])}
    running, records = replayed(written(tmp_path / "a", columns))
    assert [r["n"] for r in records] == [1, 3]
    assert [f.line for f in running.faults.named] == [2]


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"PAR1 and no more")
    with pytest.raises(EddylineError) as caught:
        replayed(tmp_path / "a")
    assert caught.value.code == "bad_file"
    written(tmp_path / "b", {"n": [1]})
    with pytest.raises(EddylineError, match="no column tme"):
        replayed(tmp_path / "b", time_field="tme")
    with pytest.raises(EddylineError, match="holds no times"):
        replayed(tmp_path / "b", time_field="n")
