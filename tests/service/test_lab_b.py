"""The click-through-rate lab as people have it: ten seconds a window, a sub-sample of twelve.

Its statements run unchanged under a clock that the test moves, so that six minutes of clicks pass
in a few seconds: one stream of page views, six tables chained by four INSERT jobs, the last of
which has the scalar forest. And the same rate through the table function, with windows that had
no click filled in.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from eddyline.catalog.catalog import Catalog
from eddyline.clock import ManualClock
from eddyline.engine.job import Job, JobSpec
from eddyline.engine.scores import ScorePoints
from eddyline.log import LogStore, PutBatch, StreamMode
from eddyline.record.batch import Batch
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

WINDOW_S = 10
START_MS = 1_764_000_000_000  # a multiple of ten seconds
WITH = (
    "'connector' = 'kinesis', 'stream' = '{}', 'aws.region' = 'us-east-1', 'format' = 'json', "
    "'scan.stream.initpos' = 'TRIM_HORIZON', 'json.timestamp-format.standard' = 'ISO-8601'"
)
TICKER = f"""
CREATE TABLE tickerstream (
  browseraction VARCHAR(30), site VARCHAR(64), rowtime TIMESTAMP(3) METADATA FROM 'timestamp',
  WATERMARK FOR rowtime AS rowtime - INTERVAL '0' SECOND
) WITH ({WITH.format("tickerstream")});
"""
LAB = f"""
{TICKER}
CREATE TEMPORARY TABLE clickstream (clickcount DOUBLE, clicktime BIGINT)
WITH ({WITH.format("clickstream")});
CREATE TEMPORARY TABLE impressionstream (impressioncount DOUBLE, impressiontime BIGINT)
WITH ({WITH.format("impressionstream")});
CREATE TEMPORARY TABLE ctrstream (ctr DOUBLE, ctrtime TIMESTAMP(3))
WITH ({WITH.format("ctrstream")});
CREATE TEMPORARY TABLE destinationstream (ctr DOUBLE, score DOUBLE, ctrtime TIMESTAMP(3))
WITH ({WITH.format("destinationstream")});
INSERT INTO clickstream
SELECT COUNT(*), UNIX_TIMESTAMP(CAST(TUMBLE_START(rowtime, INTERVAL '10' SECOND) AS STRING))
FROM tickerstream WHERE browseraction = 'Click'
GROUP BY TUMBLE(rowtime, INTERVAL '10' SECOND);
INSERT INTO impressionstream
SELECT COUNT(*), UNIX_TIMESTAMP(CAST(TUMBLE_START(rowtime, INTERVAL '10' SECOND) AS STRING))
FROM tickerstream WHERE browseraction = 'Impression'
GROUP BY TUMBLE(rowtime, INTERVAL '10' SECOND);
INSERT INTO ctrstream
SELECT ROUND(c.clickcount / i.impressioncount * 100, 1), TO_TIMESTAMP(FROM_UNIXTIME(c.clicktime))
FROM clickstream c INNER JOIN impressionstream i ON c.clicktime = i.impressiontime;
INSERT INTO destinationstream
SELECT ctr, RANDOM_CUT_FOREST(CAST(ctr AS FLOAT), 100, 12, 100000, 1), ctrtime FROM ctrstream;
"""
FILLED = f"""
{TICKER}
CREATE VIEW clicks AS
SELECT window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE tickerstream, DESCRIPTOR(rowtime), INTERVAL '10' SECOND))
WHERE browseraction = 'Click' GROUP BY window_start, window_end;
CREATE VIEW impressions AS
SELECT window_start, window_end, window_time, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE tickerstream, DESCRIPTOR(rowtime), INTERVAL '10' SECOND))
WHERE browseraction = 'Impression' GROUP BY window_start, window_end, window_time;
CREATE VIEW ctr AS
SELECT i.window_start, i.window_end, i.window_time, c.n * 100.0 / i.n AS ctrpercent
FROM impressions AS i INNER JOIN clicks AS c
ON i.window_start = c.window_start AND i.window_end = c.window_end;
CREATE TABLE destinationstream (ctrpercent DOUBLE, anomaly_score DOUBLE)
WITH ({WITH.format("destinationstream")});
INSERT INTO destinationstream
SELECT CAST(ctrpercent AS DOUBLE), anomaly_score
FROM RANDOM_CUT_FOREST(
  input => TABLE ctr, number_of_trees => 100, sub_sample_size => 12, time_decay => 100000,
  shingle_size => 1, fill => 0)
WHERE anomaly_score > 2;
"""
STREAMS = ("tickerstream", "clickstream", "impressionstream", "ctrstream", "destinationstream")


class Scores:
    """What the forest has said, a line per window."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.alerts: list[int] = []

    def on_rows(self, batch: Batch) -> None:
        """INSERTs show none."""

    def on_scores(self, points: ScorePoints) -> None:
        first = len(self.rates)
        self.rates += points.values[:, 0].tolist()
        self.alerts += [first + i for i, a in enumerate(points.alert.tolist()) if a]

    def on_printed(self, printed: Any) -> None:
        """Lines of the print connector are not of interest."""

    def on_warning(self, sentence: str) -> None:
        """Of no interest here."""


class Lab:
    """The lab at work under a held clock."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock(START_MS)
        self.settings = Settings(fsync=False, stream_delay_ms=0, worker_threads=1, poll_ms=5)
        self.store = LogStore(path / "data", self.settings, self.clock)
        for name in STREAMS:
            self.store.create(name, 1, StreamMode.PROVISIONED)
        self.ticker = self.store.open("tickerstream")
        self.scores = Scores()
        self.jobs: list[Job] = []
        self.errors: list[BaseException] = []
        self._path = path
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def begin(self, text: str) -> None:
        """Tables into the catalog, INSERTs to work."""
        catalog = Catalog(None)
        for n, statement in enumerate(parse_script(text)):
            planner = Planner(catalog)
            if isinstance(statement, st.CreateTable):
                catalog.create_table(planner.table(statement))
            elif isinstance(statement, st.CreateView):
                catalog.create_view(planner.view(statement))
            elif isinstance(statement, st.Insert):
                spec = JobSpec(planner.insert(statement), f"job{n}", 1, self._path / f"job{n}")
                job = Job(
                    spec, streams=self.store, settings=self.settings, clock=self.clock,
                    listener=self.scores,
                )  # fmt: skip
                self.jobs.append(job)
                self._threads.append(threading.Thread(target=self._run, args=(job,)))
        for thread in self._threads:
            thread.start()

    def _run(self, job: Job) -> None:
        try:
            job.run(self._stop)
        except BaseException as error:
            self.errors.append(error)

    def second(self, clicks: int, impressions: int = 1) -> None:
        """One second of page views, and the clock a second further."""
        data = [
            json.dumps({"browseraction": kind, "site": "https://example.com/"}).encode()
            for kind in ["Click"] * clicks + ["Impression"] * impressions
        ]
        if data:
            self.ticker.put(PutBatch(["k"] * len(data), data)).result()
        self.pass_ms(1000)

    def pass_ms(self, ms: int) -> None:
        assert not self.errors, self.errors
        self.clock.advance(ms)

    def until_scored(self, windows: int) -> None:
        """Let time pass, with nothing happening, until so many windows are scored."""
        end = time.monotonic() + 120
        while len(self.scores.rates) < windows:
            assert time.monotonic() < end, (self.scores.rates, [j.why_silent() for j in self.jobs])
            self.pass_ms(10)
            time.sleep(0.005)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.store.close()
        assert not self.errors, self.errors


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with opened(tmp_path) as opened_lab:
        yield opened_lab


@contextmanager
def opened(path: Path) -> Iterator[Lab]:
    opened_lab = Lab(path)
    try:
        yield opened_lab
    finally:
        opened_lab.close()


def written(lab: Lab, least: int) -> list[dict[str, Any]]:
    """The rows of the destination, at least so many."""
    end = time.monotonic() + 60
    while True:
        got = lab.store.open("destinationstream").read(0, 0, 10_000, 1 << 24)
        if len(got) >= least:
            return [json.loads(d) for d in got.data.to_pylist()]
        assert time.monotonic() < end, len(got)
        lab.pass_ms(1)
        time.sleep(0.005)


def test_silent_without_a_burst(lab: Lab) -> None:
    lab.begin(LAB)
    for _ in range(30 * WINDOW_S):
        lab.second(clicks=1)
    lab.until_scored(29)
    assert set(lab.scores.rates) == {100.0}
    assert lab.scores.alerts == []


def test_one_alert_for_a_burst(lab: Lab) -> None:
    """Three more senders of clicks for 25 seconds, from within the 21st window on."""
    lab.begin(LAB)
    for s in range(34 * WINDOW_S):
        lab.second(clicks=4 if 204 <= s < 229 else 1)
    lab.until_scored(33)
    assert lab.scores.rates[19:24] == [100.0, 280.0, 400.0, 370.0, 100.0]
    assert lab.scores.alerts == [20]
    rows = written(lab, 33)
    assert [r["ctr"] for r in rows[:33]] == lab.scores.rates[:33]
    assert all(r["score"] == 0.0 for r in rows[:12]), "the forest first learns a dozen"
    assert rows[20]["score"] > 2
    assert rows[20]["ctrtime"] == "2025-11-24T16:03:20"


def test_clicks_that_stop_are_seen(lab: Lab) -> None:
    """A window without clicks has no row in the join; the forest is told to take it as 0."""
    lab.begin(FILLED)
    for s in range(30 * WINDOW_S):
        lab.second(clicks=0 if s >= 220 else 1)
    lab.until_scored(29)
    assert lab.scores.rates[:22] == [100.0] * 22
    assert set(lab.scores.rates[22:]) == {0.0}
    assert lab.scores.alerts == [22]
    assert written(lab, 1)[0] == {"ctrpercent": 0.0, "anomaly_score": pytest.approx(3.4, abs=0.4)}


def test_the_table_function_finds_the_burst_too(lab: Lab) -> None:
    lab.begin(FILLED)
    for s in range(30 * WINDOW_S):
        lab.second(clicks=4 if 204 <= s < 229 else 1)
    lab.until_scored(29)
    assert lab.scores.alerts == [20]
