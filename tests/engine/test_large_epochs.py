"""An epoch of any size is delivered in small pieces, each once, whenever the job is killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from statement_kit import Sql

from eddyline.engine.sinks import outbox
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
