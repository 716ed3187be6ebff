"""An epoch of any size is delivered in small pieces, each once, whenever the job is killed."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_kit import Sql

from eddyline.engine.sinks import outbox
from eddyline.errors import EddylineError
from eddyline.log.keys import EpochMark

ROWS = 400


class Crash(BaseException):
    """Not an Exception, as a kill is not."""


def written(sql: Sql) -> list[int]:
    with sql.store.open("o").snapshot() as snapshot:
        data = snapshot.read(0, 0, 10 * ROWS, 1 << 26).data.to_pylist()
    return [json.loads(d)["id"] for d in data]


@pytest.mark.parametrize("dies_after", [0, 1, 3, 5])
def test_each_row_once_although_the_delivery_is_killed_between_two_pieces(
    dies_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PIECE_BYTES_MAX", 2_000)
    sql = Sql(tmp_path)
    sql.table("t", "id INT, text STRING", [{"id": i, "text": "x" * 20} for i in range(ROWS)])
    sql.table("o", "id INT, text STRING", [])
    stream = sql.store.open("o")
    append, sizes = type(stream).append, []

    def appended(self: Any, batch: Any, mark: EpochMark) -> bool:
        if len(sizes) == dies_after:
            raise Crash
        sizes.append(sum(len(d) for d in batch.data.to_pylist()))
        return bool(append(self, batch, mark))

    monkeypatch.setattr(type(stream), "append", appended)
    state = {"directory": tmp_path / "job"}
    with pytest.raises(Crash):
        sql.run("INSERT INTO o SELECT id, text FROM t", **state)
    assert len(written(sql)) < ROWS
    assert all(size <= 2_000 for size in sizes)
    monkeypatch.setattr(type(stream), "append", append)
    sql.run("INSERT INTO o SELECT id, text FROM t", records=0, incarnation=2, **state)
    assert written(sql) == list(range(ROWS))
    sql.close()


def test_one_file_holds_all_pieces_of_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PIECE_BYTES_MAX", 500)
    monkeypatch.setattr(outbox, "ENCODED_ROWS", 30)
    sql = Sql(tmp_path)
    sql.table("t", "id INT", [{"id": i} for i in range(ROWS)])
    folder = tmp_path / "out"
    where = f"'connector'='filesystem', 'path'='{folder}', 'format'='json'"
    sql.execute(f"CREATE TABLE o (id INT) WITH ({where})")
    sql.run("INSERT INTO o SELECT id FROM t", directory=tmp_path / "job")
    (file,) = folder.glob("part-*")
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == list(range(ROWS))
    sql.close()


def test_a_row_that_no_stream_takes_is_refused_before_the_commit(tmp_path: Path) -> None:
    """After the commit it could never be delivered, and the job could never start again."""
    sql = Sql(tmp_path)
    sql.table("t", "id INT", [{"id": 1}])
    sql.table("o", "id INT, text STRING", [])
    state = {"directory": tmp_path / "job"}
    with pytest.raises(EddylineError) as e:
        sql.run("INSERT INTO o SELECT id, REPEAT('x', 1100000) FROM t", **state)
    assert e.value.code == "limit_exceeded"
    assert "a row of 1,100,0" in e.value.message
    assert "stream o has at most 1,048,576" in e.value.message
    assert "UpdateMaxRecordSize" in (e.value.hint or "")
    sql.run("INSERT INTO o SELECT id, REPEAT('x', 1000000) FROM t", incarnation=2, **state)
    assert written(sql) == [1]
    sql.close()


def test_a_batch_that_grows_beyond_memory_is_computed_in_portions(tmp_path: Path) -> None:
    sql = Sql(tmp_path)
    sql.table("t", "id INT", [{"id": i} for i in range(40)])
    sql.table("o", "id INT, text STRING", [])
    sql.run("INSERT INTO o SELECT id, REPEAT('x', 1000000) FROM t", worker_memory_mib=64)
    assert written(sql) == list(range(40))
    sql.close()


def test_a_row_that_grows_beyond_memory_names_statement_and_operator(tmp_path: Path) -> None:
    sql = Sql(tmp_path)
    sql.table("t", "id INT", [{"id": i} for i in range(4)])
    sql.table("o", "id INT, text STRING", [])
    with pytest.raises(EddylineError) as e:
        sql.run("INSERT INTO o SELECT id, REPEAT('x', 20000000) FROM t", worker_memory_mib=64)
    assert e.value.code == "limit_exceeded"
    assert "for the values of one row" in e.value.message
    assert "by the calc of (id, " in e.value.message
    assert "in INSERT INTO o SELECT id, REPEAT" in e.value.message
    assert "EDDYLINE_WORKER_MEMORY_MIB" in (e.value.hint or "")
    sql.close()


def test_rows_are_encoded_in_slices_of_few_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PIECE_BYTES_MAX", 2_000)
    rows = pa.table({"text": ["x" * n for n in [10] * 300 + [1_500, 3_000, 10, 10]]})
    slices = list(outbox._slices(rows))
    assert [first for first, _ in slices] == [
        sum(n for _, n in slices[:i]) for i in range(len(slices))
    ]
    assert sum(n for _, n in slices) == rows.num_rows
    assert all(n == 1 or rows.slice(first, n).nbytes <= 2_000 for first, n in slices)
    assert len(slices) < 12


@given(
    st.lists(st.sampled_from([0, 1, 10, 50, 99, 100, 101, 250]), min_size=1, max_size=40),
    st.lists(st.integers(0, 40), max_size=3),
)
def test_pieces_are_cut_by_the_rows_alone(sizes: list[int], parts: list[int]) -> None:
    """However many rows are looked at a time; each piece is full, or of one row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "PIECE_BYTES_MAX", 100)
        whole = list(outbox._cuts([np.array(sizes, np.int64)]))
        chunks = np.split(np.array(sizes, np.int64), sorted(min(p, len(sizes)) for p in parts))
        assert list(outbox._cuts(c for c in chunks if len(c))) == whole
    assert whole[-1] == len(sizes)
    for first, after in pairwise([0, *whole]):
        assert after == first + 1 or sum(sizes[first:after]) <= 100
        assert after == len(sizes) or sum(sizes[first : after + 1]) > 100
