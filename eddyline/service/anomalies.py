"""What the forests of running statements saw: scored points and alerts, in ``monitor.db``.

Workers write, the server reads. A point's identity is (job, node, key, its number among the
forest's points), so that a job that goes on from its saved state, and tells some points again,
gives no second alert; and points of one millisecond are still as many. Points are bounded a
series, alerts in all.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from eddyline.schema_version import upgrade
from eddyline.service.database import read, transaction
from eddyline.service.messages import Monitored

# The series id of an alert about a job, not about a point.
FAILURE_PREFIX = "failed-job/"
POINTS_KEPT = 20_000
ALERTS_KEPT = 10_000
SERIES_KEPT = 5_000
# Columns an alert's sentence speaks of.
COLUMNS_SAID = 3
# The share of a score from which on a column is named; of up to 30 one need not have as much.
STRONG = 0.2

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
  series_id TEXT PRIMARY KEY, job_id TEXT NOT NULL, node TEXT NOT NULL, key TEXT NOT NULL,
  columns TEXT NOT NULL, last_ms INTEGER NOT NULL, points INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS points (
  series_id TEXT NOT NULL, nth INTEGER NOT NULL, time_ms INTEGER NOT NULL, entry TEXT NOT NULL,
  PRIMARY KEY (series_id, nth)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS points_time ON points (series_id, time_ms, nth);
CREATE TABLE IF NOT EXISTS alerts (
  id INTEGER PRIMARY KEY, series_id TEXT NOT NULL, job_id TEXT NOT NULL, key TEXT NOT NULL,
  start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, peak_score REAL NOT NULL,
  grade REAL NOT NULL, sentence TEXT NOT NULL, explanation TEXT,
  UNIQUE (series_id, start_ms)
);
"""


class Point(msgspec.Struct, frozen=True):
    """A scored point: its time (epoch ms), values by column (None: it had none), and its verdict.

    nth: its number among the forest's points; its time does where that is not known.
    """

    time_ms: int
    values: list[float | None]
    score: float
    grade: float
    alert: bool
    expected: list[float | None] | None = None
    explanation: dict[str, Any] | None = None
    nth: int | None = None

    @property
    def number(self) -> int:
        """What it is known by within its series."""
        return self.time_ms if self.nth is None else self.nth


class SeriesInfo(msgspec.Struct, frozen=True):
    """A series of scored points: one key of one forest of one job (or of a SELECT's run)."""

    series_id: str
    job_id: str
    node: str
    key: str
    columns: list[str]
    last_ms: int
    points: int
    alerts: int


class Alert(msgspec.Struct, frozen=True):
    """An anomaly from its first to its newest anomalous point."""

    id: int
    series_id: str
    job_id: str
    key: str
    start_ms: int
    end_ms: int
    peak_score: float
    grade: float
    sentence: str
    explanation: dict[str, Any] | None = None


class Monitor:
    """The worker's side: writes points and alerts."""

    def __init__(self, path: Path, cool_down_ms: int) -> None:
        self._path = path
        self._cool_down_ms = cool_down_ms
        self._writing = threading.Lock()
        with transaction(path, durable=False) as db:
            upgrade(db, "anomalies", (_SCHEMA,))

    def add(
        self, job_id: str, node: str, key: str, columns: list[str], points: Sequence[Point]
    ) -> Monitored:
        """Keep points of one series, oldest first; says which alerts are new.

        A point that is known already is left as it was.
        """
        series_id = series_of(job_id, node, key)
        alerts = []
        with self._writing, transaction(self._path, durable=False) as db:
            head = (series_id, job_id, node, key, json.dumps(columns))
            db.execute(
                "INSERT INTO series VALUES (?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING", head
            )
            unusual = [p for p in points if p.alert or p.grade > 0]
            unusual = [p for p in unusual if not _is_known(db, series_id, p.number)]
            before = db.total_changes
            db.executemany(
                "INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?)",
                [(series_id, p.number, p.time_ms, _entry(p)) for p in points],
            )
            came = db.total_changes - before
            for point in unusual:
                found = self._alert(db, series_id, job_id, key, columns, point)
                alerts += [found] if found else []
            newest = max((p.time_ms for p in points), default=0)
            db.execute(
                "UPDATE series SET last_ms = max(last_ms, ?), points = points + ? "
                "WHERE series_id = ?",
                (newest, came, series_id),
            )
            _trim(db, series_id)
        return Monitored([series_id], alerts)

    def add_failure(self, job_id: str, name: str, sentence: str, now_ms: int) -> Monitored:
        """Keep the alert of a job that has failed: it has no series and no score."""
        row = (f"{FAILURE_PREFIX}{job_id}", job_id, name, now_ms, now_ms, 0.0, 1.0, sentence)
        with self._writing, transaction(self._path, durable=False) as db:
            sql = (
                "INSERT INTO alerts (series_id, job_id, key, start_ms, end_ms, peak_score, grade, "
                "sentence) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id"
            )
            kept = db.execute(sql, row).fetchone()
        return Monitored([], [int(kept[0])] if kept else [])

    def _alert(
        self, db: Any, series_id: str, job_id: str, key: str, columns: list[str], point: Point
    ) -> int | None:
        """A new alert's id; None if the point prolongs the one before, or stands alone.

        An alert of a column that the one before does not name is another one.
        """
        last = db.execute(
            "SELECT id, end_ms, explanation FROM alerts WHERE series_id = ? AND start_ms <= ? "
            "ORDER BY start_ms DESC LIMIT 1",
            (series_id, point.time_ms),
        ).fetchone()
        cooling = last is not None and point.time_ms - last[1] <= self._cool_down_ms
        if cooling and not (point.alert and _is_news(columns, last[2], point)):
            db.execute(
                "UPDATE alerts SET end_ms = max(end_ms, ?), peak_score = max(peak_score, ?), "
                "grade = max(grade, ?) WHERE id = ?",
                (point.time_ms, point.score, point.grade, last[0]),
            )
            return None
        if not point.alert:
            return None
        because = json.dumps(point.explanation) if point.explanation else None
        row = (series_id, job_id, key, point.time_ms, point.time_ms, point.score, point.grade)
        return int(
            db.execute(
                "INSERT INTO alerts (series_id, job_id, key, start_ms, end_ms, peak_score, grade, "
                "sentence, explanation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (*row, sentence(key, columns, point), because),
            ).fetchone()[0]
        )


Callback = Callable[[Monitored], None]
SeriesInfos = list[SeriesInfo]
Points = list[Point]
Alerts = list[Alert]


class Anomalies:
    """The server's side: series, their points, alerts, and whoever wants to hear of new ones."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._callbacks: list[Callback] = []
        Monitor(path, 0)  # the tables
        self._forget_old()

    def _forget_old(self) -> None:
        """Forget the series that have been quiet longest, beyond so many."""
        sql = "SELECT job_id FROM series ORDER BY last_ms DESC LIMIT -1 OFFSET ?"
        for (job_id,) in read(self._path, sql, (SERIES_KEPT,)):
            self.remove(str(job_id))

    def series(self) -> SeriesInfos:
        """All series, the one with the newest point first."""
        rows = read(
            self._path,
            "SELECT s.series_id, s.job_id, s.node, s.key, s.columns, s.last_ms, s.points, "
            "(SELECT count(*) FROM alerts a WHERE a.series_id = s.series_id) "
            "FROM series s ORDER BY s.last_ms DESC, s.series_id",
        )
        return [_series(*row) for row in rows]

    def points(self, series_id: str, since_ms: int | None = None, limit: int = 2000) -> Points:
        """The newest points of a series, oldest first; those after ``since_ms`` if given."""
        rows = read(
            self._path,
            "SELECT entry FROM points WHERE series_id = ? AND time_ms > ? "
            "ORDER BY time_ms DESC, nth DESC LIMIT ?",
            (series_id, -(2**63) if since_ms is None else since_ms, limit),
        )
        return [msgspec.json.decode(str(entry), type=Point) for (entry,) in reversed(rows)]

    def alerts(self, limit: int = 100) -> Alerts:
        """The newest alerts, newest first."""
        rows = read(
            self._path,
            "SELECT id, series_id, job_id, key, start_ms, end_ms, peak_score, grade, sentence, "
            "explanation FROM alerts ORDER BY start_ms DESC, id DESC LIMIT ?",
            (limit,),
        )
        return [_found(*row) for row in rows]

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call ``callback`` when points or alerts came, from a thread; returns how to end it."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def tell(self, message: Monitored) -> None:
        """Pass on what a worker wrote."""
        for callback in list(self._callbacks):
            callback(message)

    def remove(self, job_id: str) -> None:
        """Forget what a job's forests saw."""
        with transaction(self._path, durable=False) as db:
            ids = "(SELECT series_id FROM series WHERE job_id = ?)"
            db.execute(f"DELETE FROM points WHERE series_id IN {ids}", (job_id,))
            db.execute("DELETE FROM alerts WHERE job_id = ?", (job_id,))
            db.execute("DELETE FROM series WHERE job_id = ?", (job_id,))


def _entry(point: Point) -> str:
    return msgspec.json.encode(point).decode()


def _is_known(db: Any, series_id: str, nth: int) -> bool:
    sql = "SELECT 1 FROM points WHERE series_id = ? AND nth = ?"
    return db.execute(sql, (series_id, nth)).fetchone() is not None


def _is_news(columns: list[str], before: str | None, point: Point) -> bool:
    """Whether a point's first column is none of those that the alert before names."""
    known = named(columns, json.loads(before) if before else None)
    return named(columns, point.explanation)[0] not in known


def series_of(job_id: str, node: str, key: str) -> str:
    """The id of a series: readable, and the same after a restart."""
    return "/".join(part for part in (job_id, node, key) if part)


def sentence(key: str, columns: list[str], point: Point) -> str:
    """An anomaly as one sentence: which columns, too high or too low, against what is usual."""
    parts = []
    for name in named(columns, point.explanation)[:COLUMNS_SAID]:
        at = columns.index(name)
        value, usual = point.values[at], point.expected[at] if point.expected else None
        if value is None:
            parts.append(f"{name} has no value")
        elif usual is None or usual == value:
            parts.append(f"{name} is {_figure(value)}")
        else:
            way = "high" if value > usual else "low"
            parts.append(
                f"{name} is too {way}: {_figure(value)} where about {_figure(usual)} was expected"
            )
    where = f"{key}: " if key else ""
    score = f" (score {point.score:.2f})" if point.score > 0 else ""
    return f"{where}{'; '.join(parts)}{score}"


def named(columns: list[str], explanation: dict[str, Any] | None) -> list[str]:
    """The columns that made a point unusual, the strongest first; all if that is not known."""
    shares = {}
    for name in columns:
        found = (explanation or {}).get(name) or {}
        shares[name] = float(found.get("ATTRIBUTION_SCORE", 0.0))
    least = STRONG * sum(shares.values())
    strong = [name for name in columns if shares[name] >= least]
    return sorted(strong or columns, key=lambda name: -shares[name])


def _figure(value: float) -> str:
    """A number as a person writes it: whole from a thousand on, else four digits."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def _trim(db: Any, series_id: str) -> None:
    held = db.execute("SELECT points FROM series WHERE series_id = ?", (series_id,)).fetchone()[0]
    if held > POINTS_KEPT * 1.1:
        db.execute(
            "DELETE FROM points WHERE series_id = ?1 AND nth <= (SELECT nth FROM points "
            "WHERE series_id = ?1 ORDER BY nth DESC LIMIT 1 OFFSET ?2)",
            (series_id, POINTS_KEPT),
        )
        db.execute(
            "UPDATE series SET points = (SELECT count(*) FROM points WHERE series_id = ?1) "
            "WHERE series_id = ?1",
            (series_id,),
        )
    db.execute(
        "DELETE FROM alerts WHERE id <= (SELECT id FROM alerts ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (ALERTS_KEPT,),
    )


def _series(*row: Any) -> SeriesInfo:
    series_id, job_id, node, key, columns, *rest = row
    return SeriesInfo(series_id, job_id, node, key, json.loads(columns), *rest)


def _found(*row: Any) -> Alert:
    facts = dict(zip(Alert.__struct_fields__, row, strict=True))
    because = facts.pop("explanation")
    return Alert(**facts, explanation=json.loads(because) if because else None)
