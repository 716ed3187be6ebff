"""A soak of a whole server: jobs of many kinds; processes are killed, shards split and merged.

``make soak`` runs it (``make soak S=3600`` for an hour); otherwise it is skipped. At its end every
sink equals what plain Python computes from the records, and nothing of the server's is left over.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from test_kill import run

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.log import LogStore, PutBatch
from eddyline.settings import Settings
from tests.process_kit import House, descendants, until

SECONDS = float(os.environ.get("EDDYLINE_SOAK_S", "0"))
SEED = int(os.environ.get("EDDYLINE_SOAK_SEED", "5"))
RATE, PUT_S, FAULT_S = 1_000, 0.1, 6.0
SESSIONS = 4
START = datetime(2026, 1, 1, tzinfo=UTC)
FLUSH = 99  # the group of the rows that close the last windows
Row = dict[str, Any]
TABLE = """
CREATE TABLE {name} (n BIGINT, g INT, k BIGINT, v INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'kinesis', 'stream' = '{name}', 'format' = 'json',
  'scan.stream.initpos' = 'TRIM_HORIZON', 'scan.watermark.max-ahead' = '0');
"""
SINK = "CREATE TABLE {0} ({1}) WITH ('connector' = 'kinesis', 'stream' = '{0}', 'format' = '{2}');"


def window(row: Row, seconds: int) -> str:
    """The start of a row's tumbling window."""
    since = (row["at"] - START) // timedelta(seconds=seconds)
    return stamp(START + since * timedelta(seconds=seconds))


def stamp(at: datetime) -> str:
    """As the JSON format writes a TIMESTAMP(3)."""
    fraction = f".{at.microsecond // 1000:03}".rstrip("0").rstrip(".")
    return at.strftime("%Y-%m-%d %H:%M:%S") + fraction


def grouped(
    rows: Iterable[Row], keys: Callable[[Row], Iterable[Any]], value: Callable[[list[Row]], Any]
) -> Counter[Any]:
    """(key..., value) of each group."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        for key in keys(row):
            groups[key].append(row)
    return Counter((*key, value(of)) for key, of in groups.items())


def hops(row: Row) -> Iterable[Any]:
    for back in range(4):  # windows of 4 s, every second
        yield (window({"at": row["at"] - timedelta(seconds=back)}, 1), row["g"])


def cumulated(row: Row) -> Iterable[Any]:
    start = START + ((row["at"] - START) // timedelta(seconds=4)) * timedelta(seconds=4)
    for step in (1, 2, 3, 4):
        if row["at"] < start + timedelta(seconds=step):
            yield (stamp(start + timedelta(seconds=step)), row["g"])


def running(rows: Iterable[Row]) -> Counter[Any]:
    sums: Counter[int] = Counter()
    out: Counter[Any] = Counter()
    for row in rows:
        sums[row["g"]] += row["v"]
        out[(row["n"], sums[row["g"]])] += 1
    return out


def tumbled(select: str, seconds: int = 2, more: str = "") -> str:
    table = f"TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '{seconds}' SECOND))"
    return f"SELECT {select} FROM {table} GROUP BY window_start, window_end{more}"


# Name: columns of the sink, query, and what it gives for the rows of a and of b.
JOBS: dict[str, tuple[str, str, Callable[[list[Row], list[Row]], Counter[Any]]]] = {
    "filtered": ("n BIGINT", "SELECT n FROM a WHERE MOD(n, 3) = 0",
                 lambda a, b: Counter((r["n"],) for r in a if r["n"] % 3 == 0)),
    "computed": ("n BIGINT, x STRING", "SELECT n, CONCAT('k', CAST(k AS STRING)) FROM a",
                 lambda a, b: Counter((r["n"], f"k{r['k']}") for r in a)),
    "tumbled": ("w TIMESTAMP(3), g INT, c BIGINT",
                tumbled("window_start, g, SUM(v)", more=", g"),
                lambda a, b: grouped(a, lambda r: [(window(r, 2), r["g"])],
                                     lambda of: sum(r["v"] for r in of))),
    "uniques": ("w TIMESTAMP(3), c BIGINT", tumbled("window_start, COUNT(DISTINCT k)"),
                 lambda a, b: grouped(a, lambda r: [(window(r, 2),)],
                                      lambda of: len({r["k"] for r in of}))),
    "hopped": ("w TIMESTAMP(3), g INT, c BIGINT",
               "SELECT window_start, g, COUNT(*) FROM TABLE(HOP(TABLE a, DESCRIPTOR(ts), INTERVAL "
               "'1' SECOND, INTERVAL '4' SECOND)) GROUP BY window_start, window_end, g",
               lambda a, b: grouped(a, hops, len)),
    "cumulated": ("w TIMESTAMP(3), g INT, c BIGINT",
                  "SELECT window_end, g, COUNT(*) FROM TABLE(CUMULATE(TABLE a, DESCRIPTOR(ts), "
                  "INTERVAL '1' SECOND, INTERVAL '4' SECOND)) GROUP BY window_start, window_end, g",
                  lambda a, b: grouped(a, cumulated, len)),
    "sessions": ("k BIGINT, c BIGINT",
                 "SELECT k, COUNT(*) FROM TABLE(SESSION(TABLE a PARTITION BY k, DESCRIPTOR(ts), "
                 "INTERVAL '3' SECOND)) GROUP BY k, window_start, window_end",
                 lambda a, b: grouped(a, lambda r: [(r["k"],)], len)),
    "firsts": ("k BIGINT, n BIGINT",
              "SELECT k, n FROM (SELECT k, n, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS r "
              "FROM a) WHERE r = 1",
              lambda a, b: grouped(a, lambda r: [(r["k"],)], lambda of: of[0]["n"])),
    "best": ("w TIMESTAMP(3), n BIGINT",
             "SELECT window_start, n FROM (SELECT window_start, window_end, n, ROW_NUMBER() OVER "
             "(PARTITION BY window_start, window_end ORDER BY n DESC) AS r FROM TABLE(TUMBLE("
             "TABLE a, DESCRIPTOR(ts), INTERVAL '2' SECOND))) WHERE r <= 1",
             lambda a, b: grouped(a, lambda r: [(window(r, 2),)],
                                  lambda of: max(r["n"] for r in of))),
    "totals": ("n BIGINT, s BIGINT",
                "SELECT n, SUM(v) OVER (PARTITION BY g ORDER BY ts) FROM a",
                lambda a, b: running(a)),
    "joined": ("n BIGINT, x INT", "SELECT a.n, b.v FROM a JOIN b ON a.n = b.n",
               lambda a, b: Counter((r["n"], r["v"]) for r in b)),
    "nearby": ("n BIGINT, x INT",
             "SELECT a.n, b.v FROM a JOIN b ON a.n = b.n AND b.ts BETWEEN a.ts - INTERVAL '1' "
             "SECOND AND a.ts + INTERVAL '1' SECOND",
             lambda a, b: Counter((r["n"], r["v"]) for r in b)),
    "united": ("n BIGINT", "SELECT n FROM a UNION ALL SELECT n FROM b",
             lambda a, b: Counter((r["n"],) for r in [*a, *b])),
    "elements": ("n BIGINT, e BIGINT",
                 "SELECT n, e FROM a CROSS JOIN UNNEST(ARRAY[n, n + 1]) AS t (e)",
                 lambda a, b: Counter((r["n"], r["n"] + i) for r in a for i in (0, 1))),
    "known": ("n BIGINT", "SELECT n FROM a WHERE n IN (SELECT n FROM b)",
              lambda a, b: Counter((r["n"],) for r in b)),
    "rises": ("n BIGINT",
              "SELECT n FROM a MATCH_RECOGNIZE (PARTITION BY g ORDER BY ts MEASURES B.n AS n ONE "
              "ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B) DEFINE B AS B.v > A.v)",
              lambda a, b: Counter((y["n"],) for g in range(7) for x, y in pairs(a, g)
                                   if y["v"] > x["v"])),
}  # fmt: skip


def pairs(rows: list[Row], group: int) -> Iterable[tuple[Row, Row]]:
    own = [row for row in rows if row["g"] == group]
    return pairwise(own)


class Feeder:
    """Puts numbered records into stream a, and each third one into b, too."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self.a: list[Row] = []
        self.b: list[Row] = []

    def put(self, count: int) -> None:
        first = len(self.a)
        rows = [self._row(n) for n in range(first, first + count)]
        self.a += rows
        self._put("a", rows)
        self.b += (third := [row for row in rows if row["n"] % 3 == 0])
        self._put("b", third)

    def flush(self) -> None:
        """Close all windows, in each shard."""
        for hours in (1, 2):
            at = self.a[-1]["at"] + timedelta(hours=hours)
            for name in "ab":
                rows = [{"n": -1 - i, "g": FLUSH, "k": -1, "v": 0, "at": at} for i in range(64)]
                self._put(name, rows)

    def _row(self, n: int) -> Row:
        at = START + timedelta(milliseconds=n)
        return {"n": n, "g": n % 7, "k": n // 40, "v": n * 31 % 13, "at": at}

    def _put(self, name: str, rows: list[Row]) -> None:
        data = [json.dumps({**row, "at": None, "ts": stamp(row["at"])}).encode() for row in rows]
        keys = [str(row["n"]) for row in rows]
        until(lambda: self._store.open(name).put(PutBatch(keys, data)).result(), "a put", 60)


def disturb(house: House, store: LogStore, chance: random.Random) -> str:
    """One fault, by chance."""
    kind = chance.choice(("worker", "worker", "server", "child", "split", "merge"))
    assert house.process is not None
    if kind == "server":
        house.kill()
        house.start()
    elif kind in ("worker", "child"):
        pids = [s.pid for s in house.remote.sessions.list() if s.pid is not None]
        pids = pids if kind == "worker" else descendants(house.process.pid)
        if pids:
            os.kill(chance.choice(pids), signal.SIGKILL)
    else:
        stream = store.open(chance.choice("ab"))
        shards = [s for s in stream.shards() if s.closed_offset is None]
        try:
            if kind == "split" and len(shards) < 6:
                stream.split(chance.choice(shards).index)
            elif kind == "merge" and len(shards) > 1:
                ordered = sorted(shards, key=lambda s: s.starting_hash_key)
                at = chance.randrange(len(ordered) - 1)
                stream.merge(ordered[at].index, ordered[at + 1].index)
        except EddylineError as error:
            return f"{kind} refused: {error.message}"
    return kind


def results(store: LogStore, name: str) -> Counter[Any]:
    """The rows of a sink but those of the records that close windows."""
    stream, rows = store.open(name), Counter[Any]()
    for shard in stream.shards():
        at, last = stream.bounds(shard.index)
        while at < last:
            got = stream.read(shard.index, at, 50_000, 16 << 20)
            for data in got.data.to_pylist():
                row = json.loads(data)
                if row.get("g") != FLUSH and row.get("n", 0) >= 0 and row.get("k", 0) >= 0:
                    rows[tuple(row.values())] += 1
            at = got.next_offset
    return rows


def expected(feeder: Feeder, name: str) -> Counter[Any]:
    return JOBS[name][2](feeder.a, feeder.b)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data")
    made.path.mkdir()
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


@pytest.mark.soak
@pytest.mark.skipif(not SECONDS, reason="make soak")
def test_every_sink_equals_an_independent_computation(house: House) -> None:
    chance = random.Random(SEED)
    settings = Settings(data_dir=house.path, fsync=False)
    with closing(LogStore(house.path, settings, SYSTEM)) as store:
        for name in ("a", "b", *JOBS):
            store.create(name, 2 if name in "ab" else 1)
        feeder = Feeder(store)
        run(house, TABLE.format(name="a") + TABLE.format(name="b"), "note:0")
        for number in range(SESSIONS):
            chosen = list(JOBS.items())[number::SESSIONS]
            statements = [
                f"{SINK.format(name, columns, 'json')} INSERT INTO {name} {query};"
                for name, (columns, query, _) in chosen
            ]
            run(house, "".join(statements), f"note:{number}")
        faults: Counter[str] = Counter()
        end, next_fault = time.monotonic() + SECONDS, time.monotonic() + FAULT_S
        while time.monotonic() < end:
            began = time.monotonic()
            feeder.put(int(RATE * PUT_S))
            if began > next_fault:
                faults[disturb(house, store, chance)] += 1
                next_fault = time.monotonic() + FAULT_S
            time.sleep(max(0.0, began + PUT_S - time.monotonic()))
        feeder.flush()
        print(f"{len(feeder.a)} records, faults {dict(faults)}")
        until(lambda: all_read(house), "all is read", 300)
        wrong = [name for name in JOBS if not _equal(store, feeder, name)]
        states = {job.sql.split()[2]: (job.actual, job.error) for job in house.remote.jobs.list()}
        assert not wrong, [(name, states[name], difference(store, feeder, name)) for name in wrong]
    house.stop()


def all_read(house: House) -> bool:
    jobs = house.remote.jobs.list()
    return all(
        job.actual == "RUNNING"
        and job.figures is not None
        and bool(job.figures.shards)
        and job.figures.behind_records == 0
        for job in jobs
    )


def _equal(store: LogStore, feeder: Feeder, name: str) -> bool:
    for _ in range(40):
        if _trimmed(name, results(store, name)) == _trimmed(name, expected(feeder, name)):
            return True
        time.sleep(0.25)
    return False


def _trimmed(name: str, rows: Counter[Any]) -> Counter[Any]:
    """``uniques`` and ``best`` count the closing records' own windows, which Python does not."""
    if name not in ("uniques", "best"):
        return rows
    day = stamp(START)[:10]
    return Counter({row: n for row, n in rows.items() if row[0] < f"{day} 01"})


def difference(store: LogStore, feeder: Feeder, name: str) -> str:
    given, due = _trimmed(name, results(store, name)), _trimmed(name, expected(feeder, name))
    missing, more = due - given, given - due
    return (
        f"{missing.total()} missing, as {list(missing)[:3]}; {more.total()} more, as "
        f"{list(more)[:3]}"
    )
