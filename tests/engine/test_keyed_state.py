"""Rows of keys that are not in use rest in files, and come back when a batch has their keys."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some

from eddyline.engine.database import Database
from eddyline.engine.keyed import keyed_state
from eddyline.engine.keyed.hashes import key_hashes
from eddyline.engine.keyed.keyed_state import FOLDER, KeyedState, KeyedTable, remove_unnamed
from eddyline.engine.keyed.merge import FAN_OUT
from eddyline.errors import EddylineError
from eddyline.settings import Settings
from eddyline.testing.casebook import CaseLayout, run
from eddyline.testing.cases import fold, read, same

TABLES = ("first", "second")
SHAPE = pa.schema([("k", pa.string()), ("v", pa.int64())])
# Cases of every operator whose rows have a key.
CASES = (
    "dedup_first", "dedup_first_time", "dedup_last", "distinct", "except_all", "exists_correlated",
    "group_two_levels", "join_full", "join_left", "top_n_then_group",
)  # fmt: skip
CRASHED = {"group_two_levels", "join_full"}


class Kept:
    """Two tables and their runs, used as an operator uses them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.saved: dict[str, Any] | None = None
        self.open()
        with self.db.transaction():
            for table in TABLES:
                self.db.run(f"CREATE TABLE {table} (k VARCHAR, v BIGINT)")

    def open(self) -> None:
        settings = Settings(data_dir=self.directory)
        self.db = Database(self.directory / "state.duckdb", settings)
        tables = [KeyedTable(name, ("k",)) for name in TABLES]
        self.keyed = KeyedState(
            self.db, "op", tables, directory=self.directory, data_dir=self.directory
        )
        self.keyed.restore(self.saved)

    def close(self) -> None:
        self.keyed.close()
        self.db.close()

    def step(self, table: str, rows: list[tuple[str, int]], gone: set[str]) -> None:
        """One micro-batch: rows come into a table, and all rows of some keys leave it."""
        keys = [k for k, _ in rows] + sorted(gone)
        values = [v for _, v in rows] + [0] * len(gone)
        batch = pa.table({"k": keys, "v": values}, schema=SHAPE)
        with self.db.transaction():
            self.keyed.call_back((batch, ("k",)))
            self.db.run(f"DELETE FROM {table} WHERE k IN (SELECT k FROM b)", b=batch[len(rows) :])
            self.db.run(f"INSERT INTO {table} SELECT * FROM b", b=batch[: len(rows)])
            self.keyed.settle()
            saved = self.keyed.save()
        self.saved = saved
        self.keyed.committed()

    def rows(self, table: str, keys: list[str]) -> Counter[tuple[str, int]]:
        """What a micro-batch with these keys finds."""
        batch = pa.table({"k": keys, "v": [0] * len(keys)}, schema=SHAPE)
        with self.db.transaction():
            self.keyed.call_back((batch, ("k",)))
            rows = self.db.rows(f"SELECT k, v FROM {table} WHERE list_contains(?, k)", [keys])
            saved = self.keyed.save()
        self.saved = saved
        return Counter(rows)

    def files(self) -> list[Path]:
        return list((self.directory / FOLDER / "op").iterdir())


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr(keyed_state, "HOT_ROWS", 8)
    monkeypatch.setattr(keyed_state, "BATCHES_HOT", 0)
    monkeypatch.setattr(keyed_state, "JOURNAL_ROWS", 30)
    kept = Kept(tmp_path)
    yield kept
    kept.close()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_found_is_what_was_kept(kept: Kept, seed: int) -> None:
    """Random batches over few keys, with restarts, against a plain list of rows."""
    chance = random.Random(seed)
    expected: dict[str, Counter[tuple[str, int]]] = {table: Counter() for table in TABLES}
    keys = [f"key {i}" for i in range(60)]
    for number in range(150):
        table = chance.choice(TABLES)
        rows = [(chance.choice(keys), chance.randrange(5)) for _ in range(chance.randrange(1, 6))]
        gone = set(chance.sample(keys, 2)) - {k for k, _ in rows}
        kept.step(table, rows, gone)
        held = expected[table]
        expected[table] = Counter({row: n for row, n in held.items() if row[0] not in gone})
        expected[table].update(rows)
        if chance.random() < 0.1:
            kept.close()
            kept.open()
        if number % 10 == 0:
            some_keys = chance.sample(keys, 5)
            rows_of_keys = {row: n for row, n in expected[table].items() if row[0] in some_keys}
            assert kept.rows(table, some_keys) == Counter(rows_of_keys)
    assert kept.keyed.num_rows > 0
    for table in TABLES:
        assert kept.rows(table, keys) == expected[table]
    assert kept.keyed.num_rows == 0


def test_runs_are_merged_and_old_files_removed(kept: Kept) -> None:
    for i in range(200):
        kept.step("first", [(f"key {i} {j}", i) for j in range(4)], set())
        for merge in list(kept.keyed._merges.values()):
            merge.join()
    assert kept.keyed.num_rows > 700
    runs = [path for path in kept.files() if path.suffix == ".rows"]
    assert len(runs) <= 5 * FAN_OUT
    kept.close()
    kept.open()
    assert kept.rows("first", ["key 3 1", "key 199 0"]) == {
        ("key 3 1", 3): 1,
        ("key 199 0", 199): 1,
    }


def test_a_batch_that_is_not_committed_changes_nothing(kept: Kept) -> None:
    for i in range(20):
        kept.step("first", [(f"key {i}", i)], set())
    saved = kept.saved
    assert kept.keyed.num_rows > 0
    resting = kept.keyed.num_rows

    def killed() -> None:
        with kept.db.transaction():
            kept.keyed.call_back((pa.table({"k": ["key 0"], "v": [0]}, schema=SHAPE), ("k",)))
            kept.db.run("DELETE FROM first")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        killed()
    kept.saved = saved
    kept.close()
    kept.open()
    assert kept.keyed.num_rows == resting
    assert kept.rows("first", ["key 0"]) == {("key 0", 0): 1}


def test_a_missing_file_is_named(kept: Kept) -> None:
    for i in range(20):
        kept.step("first", [(f"key {i}", i)], set())
    kept.close()
    shutil.rmtree(kept.directory / FOLDER)
    with pytest.raises(EddylineError, match="cannot be read") as caught:
        kept.open()
    assert caught.value.code == "corrupt_data"


def test_keys_in_use_stay_in_the_tables(kept: Kept) -> None:
    for i in range(50):
        kept.step("first", [("often", 0), (f"key {i}", i)], {"often"} if i % 2 else set())
        hot = kept.db.rows("SELECT DISTINCT k FROM first")
    assert ("often",) in hot
    assert len(hot) < 20


def test_operators_that_are_no_more_leave_no_files(tmp_path: Path) -> None:
    for name in ("Join3", "Rank4"):
        (tmp_path / FOLDER / name).mkdir(parents=True)
    remove_unnamed(tmp_path, ["Join3"])
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["Join3"]


@given(some.lists(some.one_of(some.none(), some.text(max_size=5)), min_size=1), some.integers(0, 9))
def test_equal_texts_have_equal_hashes(values: list[str | None], first: int) -> None:
    """Wherever an array is cut, and whatever lies beside the value."""
    whole = pa.table({"k": pa.array(values, pa.string())})
    hashes = key_hashes(whole, ["k"])
    assert np.array_equal(key_hashes(whole[first:], ["k"]), hashes[first:])
    large = pa.table({"k": pa.array(values, pa.large_string())})
    assert np.array_equal(key_hashes(large, ["k"]), hashes)
    by_value: dict[str | None, set[int]] = {}
    for value, h in zip(values, hashes.tolist(), strict=True):
        by_value.setdefault(value, set()).add(h)
    assert all(len(of_value) == 1 for of_value in by_value.values())
    assert len({h for of_value in by_value.values() for h in of_value}) == len(by_value)


def test_equal_numbers_have_equal_hashes() -> None:
    floats = pa.table({"k": [0.0, -0.0, float("nan"), -float("nan"), None, 1.5]})
    zero, minus_zero, nan, other_nan, null, more = key_hashes(floats, ["k"]).tolist()
    assert zero == minus_zero
    assert nan == other_nan
    assert len({zero, nan, null, more}) == 4
    narrow = pa.table({"k": pa.array([1, -7], pa.int8())})
    wide = pa.table({"k": pa.array([1, -7], pa.int64())})
    assert np.array_equal(key_hashes(narrow, ["k"]), key_hashes(wide, ["k"]))


@pytest.mark.parametrize("name", CASES)
def test_results_do_not_depend_on_where_rows_rest(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Golden cases with all rows in files between batches, some with a crash after each step."""
    lets_go, writes = KeyedState._let_go, KeyedState._write
    written = []

    def all_leave(keyed: KeyedState, limit: int) -> None:
        keyed._used = []
        lets_go(keyed, limit)

    def noted(keyed: KeyedState, table: int, hashes: Any, rows: pa.Table) -> None:
        written.append(rows.num_rows)
        writes(keyed, table, hashes, rows)

    monkeypatch.setattr(keyed_state, "HOT_ROWS", 1)
    monkeypatch.setattr(keyed_state, "BATCHES_HOT", 0)
    monkeypatch.setattr(KeyedState, "_let_go", all_leave)
    monkeypatch.setattr(KeyedState, "_write", noted)
    case = read(Path(__file__).parents[1] / "cases" / f"{name}.case")
    outcome = run(case, CaseLayout(batch_rows=3, restart=name in CRASHED), tmp_path)
    assert same(fold(outcome.changes), case.expect)
    assert written
