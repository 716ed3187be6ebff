"""Each operator, restored from its saved state before every step, goes on as if it had not been.

Two trees of operators are fed the same steps: one lives on, the other is thrown away and built
anew from what ``save`` and its tables hold. What the two give must be equal, step by step.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pytest
from engine_kit import Watcher, iso
from statement_kit import Sql

from eddyline.clock import SYSTEM, ManualClock
from eddyline.engine.build import NODES, BuildContext, build, keyed_files, named, operators
from eddyline.engine.database import Database
from eddyline.engine.keyed import keyed_state
from eddyline.engine.metrics import Figures
from eddyline.engine.operators.operator import Operator, Step
from eddyline.engine.operators.scan import Scan
from eddyline.log import PutBatch
from eddyline.record.batch import MAX_WATERMARK, MIN_WATERMARK, Batch, ChangeKind
from eddyline.settings import Settings
from eddyline.sql import physical as p
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

TABLES = """
CREATE TABLE a (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
  WITH ('connector'='kinesis', 'stream'='a', 'aws.region'='us-east-1', 'format'='json');
CREATE TABLE b (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector'='kinesis', 'stream'='b', 'aws.region'='us-east-1', 'format'='json');
CREATE TABLE clocked (k STRING, v INT, ts TIMESTAMP(3), pt AS PROCTIME())
  WITH ('connector'='kinesis', 'stream'='a', 'aws.region'='us-east-1', 'format'='json');
CREATE TABLE file (k STRING, v INT, ts TIMESTAMP(3))
  WITH ('connector'='filesystem', 'path'='b', 'format'='json');
CREATE VIEW versions AS SELECT k, v, ts FROM
  (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS rn FROM b) WHERE rn = 1;
"""
BOTH = "(SELECT k, v, ts FROM a UNION ALL SELECT k, v, ts FROM b)"
BY = "GROUP BY k, window_start, window_end"
WINDOWS = {
    "tumble": "TUMBLE(TABLE {0}, DESCRIPTOR(ts), INTERVAL '5' SECOND)",
    "hop": "HOP(TABLE {0}, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND)",
    "cumulate": "CUMULATE(TABLE {0}, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '6' SECOND)",
    "session": "SESSION(TABLE {0} PARTITION BY k, DESCRIPTOR(ts), INTERVAL '3' SECOND)",
}
ALL_CALLS = "COUNT(*), SUM(v), MIN(v), FIRST_VALUE(v), COUNT(DISTINCT v)"
NUMBERED = "SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY {}) AS rn FROM {}"
OVER_CALLS = "COUNT(*) OVER w, SUM(v) OVER w, MAX(v) OVER w, COUNT(DISTINCT v) OVER w"
COUNTED = "SELECT k, COUNT(*) AS n FROM a GROUP BY k"
QUERIES = {
    "filter": "SELECT k, v + 1 FROM a WHERE v > 1",
    "values": "SELECT k FROM a UNION ALL VALUES 'x', 'y'",
    "limit": "SELECT * FROM a LIMIT 5",
    "limit beside": "SELECT k FROM a UNION ALL (SELECT k FROM b LIMIT 3)",
    "tumble": f"SELECT k, {ALL_CALLS} FROM TABLE({WINDOWS['tumble'].format('a')}) {BY}",
    "hop": f"SELECT k, {ALL_CALLS} FROM TABLE({WINDOWS['hop'].format('a')}) {BY}",
    "cumulate": f"SELECT k, {ALL_CALLS} FROM TABLE({WINDOWS['cumulate'].format('a')}) {BY}",
    "session": "SELECT k, COUNT(*), SUM(v), MIN(v), FIRST_VALUE(v) "
    f"FROM TABLE({WINDOWS['session'].format('a')}) {BY}",
    "window rows": f"SELECT k, v, window_end FROM TABLE({WINDOWS['hop'].format('a')})",
    "session rows": f"SELECT k, v, window_end FROM TABLE({WINDOWS['session'].format('a')})",
    "union": f"SELECT k, COUNT(*) FROM TABLE({WINDOWS['tumble'].format(BOTH)}) {BY}",
    "groups": f"SELECT k, {ALL_CALLS} FROM a GROUP BY k",
    "groups of groups": "SELECT n, COUNT(*), MIN(k), MAX(DISTINCT k), LAST_VALUE(k) "
    f"FROM ({COUNTED}) GROUP BY n",
    "distinct": "SELECT DISTINCT k, v FROM a",
    "join": "SELECT a.k, a.v, b.v FROM a JOIN b ON a.k = b.k AND a.v <= b.v",
    "left join of groups": f"SELECT g.k, g.n, b.v FROM ({COUNTED}) AS g LEFT JOIN b ON g.k = b.k",
    "full join": "SELECT a.k, a.v, b.v FROM a FULL JOIN b ON a.k = b.k",
    "not in": "SELECT k, v FROM a WHERE v NOT IN (SELECT v FROM b)",
    "interval join": "SELECT a.k, a.v, b.v FROM a LEFT JOIN b ON a.k = b.k "
    "AND b.ts BETWEEN a.ts - INTERVAL '2' SECOND AND a.ts + INTERVAL '3' SECOND",
    "window join": "SELECT x.k, x.v, y.v "
    f"FROM (SELECT * FROM TABLE({WINDOWS['tumble'].format('a')})) x "
    f"FULL JOIN (SELECT * FROM TABLE({WINDOWS['tumble'].format('b')})) y "
    "ON x.k = y.k AND x.window_start = y.window_start AND x.window_end = y.window_end",
    "order by time": "SELECT k, v, ts FROM a ORDER BY ts",
    "greatest rows": "SELECT k, v, ts FROM a ORDER BY v DESC, ts LIMIT 3",
    "top n": f"SELECT k, v, rn FROM ({NUMBERED.format('v DESC, ts', 'a')}) WHERE rn <= 2",
    "top n of groups": "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY n DESC) AS rn "
    f"FROM ({COUNTED})) WHERE rn <= 2",
    "first in time": f"SELECT k, v FROM ({NUMBERED.format('ts', 'a')}) WHERE rn = 1",
    "last in time": f"SELECT k, v FROM ({NUMBERED.format('ts DESC', 'a')}) WHERE rn = 1",
    "first arrival": f"SELECT k, v FROM ({NUMBERED.format('pt', 'clocked')}) WHERE rn = 1",
    "last arrival": f"SELECT k, v FROM ({NUMBERED.format('pt DESC', 'clocked')}) WHERE rn = 1",
    "window top n": "SELECT k, v, window_end FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "
    "window_start, window_end ORDER BY v DESC) AS rn "
    f"FROM TABLE({WINDOWS['hop'].format('a')})) WHERE rn <= 2",
    "over all before": f"SELECT k, v, {OVER_CALLS} FROM a WINDOW w AS (PARTITION BY k ORDER BY ts)",
    "over lag": "SELECT k, v, LAG(v, 2) OVER (PARTITION BY k ORDER BY ts) FROM a",
    "over rows": f"SELECT k, v, {OVER_CALLS} FROM a WINDOW w AS (PARTITION BY k ORDER BY ts "
    "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
    "over range": f"SELECT k, v, {OVER_CALLS} FROM a WINDOW w AS (PARTITION BY k ORDER BY ts "
    "RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND CURRENT ROW)",
    "over arrival": f"SELECT k, v, {OVER_CALLS} FROM clocked WINDOW w AS (PARTITION BY k "
    "ORDER BY pt ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
    "over a column": f"SELECT k, v, {OVER_CALLS} FROM a WINDOW w AS (PARTITION BY k ORDER BY v)",
    "unnest": "SELECT k, x FROM a CROSS JOIN UNNEST(ARRAY[v, v + 1]) AS u(x)",
    "grouping sets": "SELECT k, v, COUNT(*) FROM a GROUP BY CUBE (k, v)",
    "window of the clock": "SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE clocked, DESCRIPTOR(pt), "
    "INTERVAL '2' SECOND)) GROUP BY window_start, window_end, k",
    "in": "SELECT k, v FROM a WHERE k IN (SELECT k FROM b WHERE v > 1)",
    "not exists": "SELECT k, v FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k)",
    "temporal join": "SELECT a.k, a.v, r.v FROM a LEFT JOIN versions "
    "FOR SYSTEM_TIME AS OF a.ts AS r ON a.k = r.k",
    "lookup join": "SELECT a.k, a.v, f.v FROM clocked AS a LEFT JOIN file FOR SYSTEM_TIME AS OF "
    "a.pt AS f ON a.k = f.k",
    "match": "SELECT * FROM a MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES "
    "FIRST(X.v) AS f, COUNT(Y.v) AS n, Z.ts AS e AFTER MATCH SKIP TO NEXT ROW PATTERN (X Y*? Z) "
    "DEFINE Y AS Y.v >= LAST(X.v), Z AS Z.v * 2 < X.v * 2)",
    "match by arrival": "SELECT * FROM clocked MATCH_RECOGNIZE (ORDER BY pt MEASURES X.v AS x, "
    "SUM(Y.v) AS s PATTERN (X Y+ Z) DEFINE Y AS Y.v > X.v, Z AS Z.v <= X.v)",
    "current watermark": "SELECT k, CURRENT_WATERMARK(ts) FROM a",
    "to changelog": f"SELECT * FROM TO_CHANGELOG(input => ({COUNTED}))",
    "from changelog": "SELECT * FROM FROM_CHANGELOG(input => (SELECT 'INSERT' AS op, k, v FROM a))",
    "forest": "SELECT * FROM TABLE(RANDOM_CUT_FOREST(TABLE a, 10, 16))",
    "hotspots": "SELECT * FROM TABLE(HOTSPOTS(TABLE a PARTITION BY k, 100, 1, 2, DESCRIPTOR(v)))",
    "forest of windows": "SELECT * FROM TABLE(DETECT_ANOMALIES((SELECT k, window_start, "
    f"window_end, SUM(v) AS total FROM TABLE({WINDOWS['tumble'].format('a')}) {BY}), 10, 16))",
}
# Plans whose operators let rows of keys that are not in use leave their tables.
KEYED = (
    "groups", "groups of groups", "distinct", "join", "left join of groups", "full join", "top n",
    "first arrival", "last in time", "in", "not exists",
)  # fmt: skip
STEPS = 14


def steps(seed: int) -> list[dict[str, list[tuple[Any, ...]]]]:
    """Rows of a and b by step: keys, values and times at random, time going on slowly."""
    rng = random.Random(seed)
    return [
        {
            stream: [
                (rng.choice(["x", "y", "z", None]), rng.randrange(4), n + rng.randrange(-9, 4))
                for _ in range(rng.randrange(5))
            ]
            for stream in ("a", "b")
        }
        for n in range(STEPS)
    ]


def stream_of(node: p.Scan) -> str:
    """Whose rows a scan is fed."""
    options = node.table.options
    return options.get("stream") or options["path"]


class Feed(Operator):
    """A leaf that gives prepared rows instead of a source's."""

    def __init__(self, context: Any, node: p.Scan) -> None:
        super().__init__(context, (), node.schema)
        self.stream = stream_of(node)
        self.next: Step = Step(None, MIN_WATERMARK)

    def step(self, inputs: tuple[Step, ...]) -> Step:
        return self.next

    def due(self, inputs: tuple[int, ...]) -> tuple[int, bool]:
        return self.next.watermark_ms, False


class Tree:
    """A plan's operators over feeds, with a database and files of their own."""

    def __init__(self, plan: p.Plan, directory: Path) -> None:
        self._root = plan.root
        self._directory = directory
        self._settings = Settings(worker_threads=1)
        self._db = Database(None, self._settings)
        self._now_ms = 0
        self._built = self._build()
        with self._db.transaction():
            for op in operators(self._built):
                op.create()

    def restore(self) -> None:
        """As a new process would find it: tables, files, and what JSON keeps of ``save``."""
        saved = {op.name: op.save() for op in operators(self._built)}
        saved, files = json.loads(json.dumps([saved, keyed_files(self._built)]))
        for op in operators(self._built):
            op.close()
        temporary = "SELECT table_name FROM duckdb_tables() WHERE temporary"
        for (name,) in self._db.rows(temporary):
            self._db.run(f'DROP TABLE temp."{name}"')
        self._built = self._build()
        for op in operators(self._built):
            if op.keyed is not None:
                op.keyed.restore(files.get(op.name))
            if saved[op.name] is not None:
                op.restore(saved[op.name])

    def step(self, batches: dict[str, Step]) -> tuple[Any, ...]:
        for op in operators(self._built):
            if isinstance(op, Feed):
                op.next = batches[op.stream]
        due = _due(self._built)
        with self._db.transaction():
            self._now_ms += 700
            self._db.set_variable("eddyline_now", f"make_timestamp({self._now_ms * 1000})")
            step = _walk(self._built)
        for op in operators(self._built):
            if op.keyed is not None:
                op.keyed.committed()
        return due, step.watermark_ms, _shown(step)

    def close(self) -> None:
        for op in operators(self._built):
            op.close()
        self._db.close()

    def _build(self) -> Operator:
        build_context = BuildContext(
            job_id="job",
            incarnation=1,
            zone="UTC",
            db=self._db,
            settings=self._settings,
            clock=ManualClock(),
            figures=Figures(),
            listener=Watcher(),  # type: ignore[arg-type]
            streams=None,
            durable=True,
            directory=self._directory,
        )
        names = iter([name for name, _ in named(self._root)])

        def make(node: Any) -> Operator:
            inputs = tuple(make(child) for child in p.inputs(node))
            context = build_context.context(next(names))
            if isinstance(node, p.Scan):
                return Feed(context, node)
            return NODES[type(node)](build_context, context, inputs, node)

        return make(self._root.input)


def _walk(op: Operator) -> Step:
    if op.satisfied:
        return Step(None, MAX_WATERMARK)
    return op.step(tuple(_walk(child) for child in op.inputs))


def _due(op: Operator) -> list[tuple[int, bool]]:
    """What each operator says, inputs first."""
    out: list[tuple[int, bool]] = []

    def visit(o: Operator) -> int:
        mark, due = o.due(tuple(visit(child) for child in o.inputs) or (0,))
        out.append((mark, due))
        return mark

    visit(op)
    return out


def _shown(step: Step) -> list[tuple[str, ...]]:
    if step.batch is None or not step.batch.num_rows:
        return []
    batch = step.batch
    kinds = batch.kinds if batch.kinds is not None else np.zeros(batch.num_rows, np.int8)
    marks = batch.watermarks if batch.watermarks is not None else [None] * batch.num_rows
    columns = [c.to_pylist() for c in batch.rows.columns]
    table = zip([ChangeKind(k).short for k in kinds.tolist()], marks, *columns, strict=True)
    return sorted(tuple(map(str, row)) for row in table)


def _batch(schema: Any, rows: list[tuple[Any, ...]]) -> Batch | None:
    if not rows:
        return None
    columns = {
        "k": [r[0] for r in rows],
        "v": [r[1] for r in rows],
        "ts": [iso(r[2]) for r in rows],
    }
    table = pa.table({"k": pa.array(columns["k"], pa.string()), "v": columns["v"]})
    stamps = pa.array(columns["ts"]).cast(pa.timestamp("us"))
    table = table.append_column("ts", stamps)
    return Batch(table.select(list(schema.names)).cast(schema.arrow()))


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, p.Plan]]:
    sql = Sql(tmp_path_factory.mktemp("sql"))
    sql.execute(TABLES)
    yield {name: sql.plan(text) for name, text in QUERIES.items()} | {"final": _batch_plan(sql)}
    sql.close()


def _batch_plan(sql: Sql) -> p.Plan:
    (statement,) = parse_script("SELECT k, COUNT(*) FROM file GROUP BY k")
    assert isinstance(statement, st.Query)
    config = SessionConfig({"execution.runtime-mode": "BATCH"})
    return Planner(sql.catalog, config).query(statement)


def test_every_operator_is_among_the_queries(plans: dict[str, p.Plan]) -> None:
    seen = {type(node) for plan in plans.values() for node in p.walk(plan.root)}
    assert seen >= set(get_args(p.Node)) - {p.Sink, p.SinkSet}


@pytest.mark.parametrize("name", [*QUERIES, "final"])
def test_restored_before_every_step(name: str, plans: dict[str, p.Plan], tmp_path: Path) -> None:
    _compare(plans[name], tmp_path)


@pytest.mark.parametrize("name", KEYED)
def test_restored_with_all_rows_in_files(
    name: str, plans: dict[str, p.Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_state, "HOT_ROWS", 1)
    monkeypatch.setattr(keyed_state, "HOT_ROWS_MAX", 1)
    _compare(plans[name], tmp_path)
    assert list(tmp_path.glob("lives/runs/*/*.rows")), "no row came into a file"


def _compare(plan: p.Plan, tmp_path: Path) -> None:
    schemas = {stream_of(n): n.schema for n in p.walk(plan.root) if isinstance(n, p.Scan)}
    lives, restored = Tree(plan, tmp_path / "lives"), Tree(plan, tmp_path / "restored")
    given = False
    try:
        for rows in [*steps(7), {}]:
            mark = MIN_WATERMARK if rows else MAX_WATERMARK
            fed = {n: Step(_batch(c, rows.get(n, [])), mark) for n, c in schemas.items()}
            restored.restore()
            shown = lives.step(fed)
            assert restored.step(fed) == shown
            given = given or bool(shown[2])
        assert given, "the rows make this plan give nothing, so nothing was compared"
    finally:
        lives.close()
        restored.close()


@pytest.mark.parametrize("restarts", [False, True])
def test_an_idle_shard_is_idle_after_a_restart(restarts: bool, tmp_path: Path) -> None:
    """Else its old watermark would hold back the rows that come before its next one."""
    sql, clock = Sql(tmp_path), ManualClock()
    columns = "k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts"
    sql.table("t", columns, [], shards=2, **{"json.timestamp-format.standard": "ISO-8601"})
    plan = sql.plan("SELECT k, ts FROM t")
    job = _Assigned(sql, plan, clock, None)
    put_by_shard(sql, ("slow", 1), ("quick", 2))
    job.step()
    clock.advance(5_000)
    job.step()  # both shards are idle now
    put_by_shard(sql, ("quick", 50))
    job.step()
    clock.advance(900)  # the quick shard is not idle yet, the slow one is
    job.step()
    if restarts:
        job = _Assigned(sql, plan, clock, job.saved())
    put_by_shard(sql, ("quick", 60), ("quick", 61), ("slow", 3))
    assert job.step() == [50_000, 60_000, 61_000]
    sql.close()


def put_by_shard(sql: Sql, *rows: tuple[str, int]) -> None:
    """Rows of the two kinds in a shard each, one after the other and each with its own arrival."""
    for kind, second in rows:
        SYSTEM.wait(threading.Event(), 0.002)
        top = 2**127 if kind == "slow" else 0
        data = json.dumps({"k": kind, "ts": iso(second)}).encode()
        sql.store.open("t").put(PutBatch(["k"], [data], [top])).result()


class _Assigned:
    """A scan of a stream and its watermarks, stepped by hand."""

    def __init__(self, sql: Sql, plan: p.Plan, clock: ManualClock, saved: Any) -> None:
        settings = Settings(worker_threads=1)
        context = BuildContext(
            job_id="job",
            incarnation=1,
            zone="UTC",
            db=Database(None, settings),
            settings=settings,
            clock=clock,
            figures=Figures(),
            listener=Watcher(),  # type: ignore[arg-type]
            streams=sql.store,
        )
        self._top = build(plan.root, context).inputs[0]
        self._scan = next(o for o in operators(self._top) if isinstance(o, Scan))
        for op in operators(self._top):
            if saved is not None and saved[0][op.name] is not None:
                op.restore(saved[0][op.name])
        self._scan.source.open(None if saved is None else saved[1])

    def step(self) -> list[int]:
        """The watermark before each row."""
        self._scan.poll(1000)
        self._top.due((self._scan.due(())[0],))
        batch = _walk(self._top).batch
        return [] if batch is None or batch.watermarks is None else batch.watermarks.tolist()

    def saved(self) -> Any:
        state = {op.name: op.save() for op in operators(self._top)}
        return json.loads(json.dumps((state, self._scan.source.positions())))
