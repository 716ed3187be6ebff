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

from eddyline.errors import EddylineError
from eddyline.schema_version import upgrade
from eddyline.service.alert_rules import SCHEMA, Feedback, Mute, UserRules, checked, words_of
from eddyline.service.alert_text import named as named
from eddyline.service.alert_text import over_several
from eddyline.service.alert_text import sentence as sentence
from eddyline.service.anomaly_records import Alert as Alert
from eddyline.service.anomaly_records import Incident as Incident
from eddyline.service.anomaly_records import Point as Point
from eddyline.service.anomaly_records import SeriesInfo as SeriesInfo
from eddyline.service.database import read, transaction
from eddyline.service.messages import Monitored

# The series id of an alert about a job, not about a point.
FAILURE_PREFIX = "failed-job/"
POINTS_KEPT = 20_000
ALERTS_KEPT = 10_000
SERIES_KEPT = 5_000
UPDATES_KEPT = 100

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
_EPISODES = """
ALTER TABLE alerts ADD COLUMN ended_ms INTEGER;
ALTER TABLE alerts ADD COLUMN updates TEXT;
ALTER TABLE alerts ADD COLUMN incident_id INTEGER;
ALTER TABLE alerts ADD COLUMN muted TEXT;
CREATE TABLE IF NOT EXISTS incidents (
  id INTEGER PRIMARY KEY, job_id TEXT NOT NULL, node TEXT NOT NULL, number INTEGER NOT NULL,
  start_ms INTEGER NOT NULL, facts TEXT NOT NULL, UNIQUE (job_id, node, number, start_ms)
);
"""
_STEPS = (_SCHEMA, _EPISODES + SCHEMA)
_ALERT = "id, series_id, job_id, key, start_ms, end_ms, peak_score, grade, sentence, explanation"
_ALERT_MORE = "ended_ms, updates, incident_id, muted"


class Monitor:
    """The worker's side: writes points and alerts."""

    def __init__(self, path: Path, cool_down_ms: int) -> None:
        self._path = path
        self._cool_down_ms = cool_down_ms
        self._writing = threading.Lock()
        with transaction(path, durable=False) as db:
            upgrade(db, "anomalies", _STEPS)

    def add(
        self, job_id: str, node: str, key: str, columns: list[str], points: Sequence[Point]
    ) -> Monitored:
        """Keep points of one series, oldest first; says which alerts are new.

        A point that is known already is left as it was.
        """
        return self.add_all(job_id, node, columns, {key: points})

    def add_all(
        self, job_id: str, node: str, columns: list[str], by_key: dict[str, Sequence[Point]]
    ) -> Monitored:
        """``add`` for many keys, in one transaction."""
        alerts: list[int] = []
        with self._writing, transaction(self._path, durable=False) as db:
            words = words_of(db)
            for key, points in by_key.items():
                alerts += self._add(db, words, (job_id, node, key), columns, points)
        return Monitored([series_of(job_id, node, key) for key in by_key], alerts)

    def _add(
        self, db: Any, words: UserRules, of: tuple[str, str, str], columns: list[str],
        points: Sequence[Point],
    ) -> list[int]:  # fmt: skip
        job_id, node, key = of
        series_id = series_of(job_id, node, key)
        head = (series_id, job_id, node, key, json.dumps(columns))
        db.execute("INSERT INTO series VALUES (?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING", head)
        unusual = [
            p
            for p in points
            if p.alert or p.grade > 0 or p.event
            or words.makes_alert(series_id, p.time_ms, p.rarity)
        ]  # fmt: skip
        unusual = [p for p in unusual if not _is_known(db, series_id, p.number)]
        before = db.total_changes
        db.executemany(
            "INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?)",
            [(series_id, p.number, p.time_ms, _entry(p)) for p in points],
        )
        came = db.total_changes - before
        alerts = []
        for point in unusual:
            if point.event == "end":
                _end(db, series_id, point)
                continue
            alert = self._alert(db, words, of, columns, point)
            alerts += [alert] if alert else []
            if point.event == "update":
                _note_update(db, series_id, point)
        newest = max((p.time_ms for p in points), default=0)
        db.execute(
            "UPDATE series SET last_ms = max(last_ms, ?), points = points + ? WHERE series_id = ?",
            (newest, came, series_id),
        )
        _trim(db, series_id)
        return alerts

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
        self, db: Any, words: UserRules, of: tuple[str, str, str], columns: list[str], point: Point
    ) -> int | None:
        """A new alert's id; None if the point prolongs the one before, stands alone or is muted.

        An alert of a column that the one before does not name is another one.
        """
        job_id, node, key = of
        series_id = series_of(job_id, node, key)
        last = db.execute(
            "SELECT id, end_ms, explanation FROM alerts WHERE series_id = ? AND start_ms <= ? "
            "ORDER BY start_ms DESC LIMIT 1",
            (series_id, point.time_ms),
        ).fetchone()
        raises_alert = point.alert or words.makes_alert(series_id, point.time_ms, point.rarity)
        cooling = last is not None and point.time_ms - last[1] <= self._cool_down_ms
        if cooling and not (raises_alert and _is_news(columns, last[2], point)):
            db.execute(
                "UPDATE alerts SET end_ms = max(end_ms, ?), peak_score = max(peak_score, ?), "
                "grade = max(grade, ?), ended_ms = NULL WHERE id = ?",
                (point.time_ms, point.score, point.grade, last[0]),
            )
            return None
        if not raises_alert:
            return None
        blamed = named(columns, point.explanation)
        muted = words.mutes_alert(job_id, series_id, key, blamed, point.time_ms, point.rarity)
        because = json.dumps(point.explanation) if point.explanation else None
        row = (series_id, job_id, key, point.time_ms, point.time_ms, point.score, point.grade)
        words_ = over_several(db, series_id, key, columns, point) or sentence(key, columns, point)
        incident = _incident(db, job_id, node, point)
        added = db.execute(
            "INSERT INTO alerts (series_id, job_id, key, start_ms, end_ms, peak_score, grade, "
            "sentence, explanation, incident_id, muted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "RETURNING id",
            (*row, words_, because, incident, muted),
        ).fetchone()
        return None if muted else int(added[0])


Callback = Callable[[Monitored], None]
SeriesInfos = list[SeriesInfo]
Points = list[Point]
Alerts = list[Alert]
IncidentList = list[Incident]
FeedbackList = list[Feedback]
MuteList = list[Mute]


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

    def alerts(self, limit: int = 100, muted: bool = False) -> Alerts:
        """The newest alerts, newest first; with those that are muted if wanted."""
        which = "" if muted else "WHERE muted IS NULL "
        rows = read(
            self._path,
            f"SELECT {_ALERT}, {_ALERT_MORE} FROM alerts {which}"
            "ORDER BY start_ms DESC, id DESC LIMIT ?",
            (limit,),
        )
        return [_alert_of(*row) for row in rows]

    def incidents(self, limit: int = 100) -> IncidentList:
        """The newest incidents over many keys, newest first."""
        sql = (
            "SELECT id, job_id, start_ms, facts FROM incidents ORDER BY start_ms DESC, id DESC "
            "LIMIT ?"
        )
        out = []
        for number, job_id, start_ms, facts in read(self._path, sql, (limit,)):
            fields = json.loads(str(facts))
            more = {k: fields[k] for k in Incident.__struct_fields__[3:]}
            out.append(Incident(int(str(number)), str(job_id), int(str(start_ms)), **more))
        return out

    def say(
        self, series_id: str, point_ms: int, is_anomaly: bool, now_ms: int,
        acts_from_ms: int | None = None,
    ) -> Feedback:  # fmt: skip
        """Keep a word about a series' point: normal, or an anomaly. It acts on points from a time
        on, unless stated that of the series' newest point.

        Raises:
            EddylineError: ``not_found`` if there is no such point, ``invalid_argument`` if its key
                was still being learnt.
        """
        point = next((p for p in self.points(series_id, point_ms - 1, 20_000)
                      if p.time_ms == point_ms), None)  # fmt: skip
        if point is None:
            msg = f"there is no point of {series_id} at {point_ms}"
            raise EddylineError("not_found", msg, hint="it may have been forgotten")
        if point.rarity is None:
            msg = "the key was still being learnt at this point"
            raise EddylineError("invalid_argument", msg, hint="choose a later one")
        newest = self.points(series_id, limit=1)[0].time_ms
        row = (series_id, point_ms, int(is_anomaly), point.rarity,
               newest if acts_from_ms is None else acts_from_ms, now_ms)  # fmt: skip
        with transaction(self._path) as db:
            sql = (
                "INSERT INTO feedback (series_id, point_ms, is_anomaly, rarity, acts_from_ms, "
                "said_ms) VALUES (?, ?, ?, ?, ?, ?) RETURNING id"
            )
            number = int(db.execute(sql, row).fetchone()[0])
            if not is_anomaly:
                db.execute(
                    "UPDATE alerts SET muted = 'this was said to be normal' "
                    "WHERE series_id = ? AND start_ms <= ? AND end_ms >= ?",
                    (series_id, point_ms, point_ms),
                )
        return Feedback(number, series_id, point_ms, is_anomaly, *row[3:])

    def feedback(self, series_id: str) -> FeedbackList:
        """What has been said about a series, oldest first."""
        with transaction(self._path, durable=False) as db:
            return words_of(db).feedback.get(series_id, [])

    def mute(self, rule: Mute, now_ms: int) -> Mute:
        """Keep a rule; alerts that are there already and match are muted, too.

        Raises:
            EddylineError: ``invalid_argument`` for a span that ends before it begins.
        """
        checked(rule)
        row = (rule.job_id, rule.key, rule.column, rule.from_ms, rule.until_ms, now_ms)
        with transaction(self._path) as db:
            sql = (
                "INSERT INTO mutes (job_id, key, column_name, from_ms, until_ms, said_ms) "
                "VALUES (?, ?, ?, ?, ?, ?) RETURNING id"
            )
            kept = Mute(int(db.execute(sql, row).fetchone()[0]), *row)
            for alert in self.alerts(ALERTS_KEPT):
                columns = list(alert.explanation or {})
                blamed = named(columns, alert.explanation)
                if kept.matches(alert.job_id, alert.key, blamed, alert.start_ms):
                    db.execute(
                        "UPDATE alerts SET muted = ? WHERE id = ?", (kept.sentence, alert.id)
                    )
        return kept

    def mutes(self) -> MuteList:
        """The rules, oldest first."""
        with transaction(self._path, durable=False) as db:
            return words_of(db).mutes

    def unmute(self, rule_id: int) -> None:
        """Forget a rule; the alerts that it has muted are told again.

        Raises:
            EddylineError: ``not_found``.
        """
        with transaction(self._path) as db:
            if not db.execute("DELETE FROM mutes WHERE id = ?", (rule_id,)).rowcount:
                msg = f"there is no rule {rule_id}"
                raise EddylineError("not_found", msg, hint="list the rules")
            db.execute(
                "UPDATE alerts SET muted = NULL WHERE muted LIKE ?", (f"muted by rule {rule_id}:%",)
            )

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
            db.execute("DELETE FROM incidents WHERE job_id = ?", (job_id,))
            db.execute(f"DELETE FROM feedback WHERE series_id IN {ids}", (job_id,))
            db.execute("DELETE FROM series WHERE job_id = ?", (job_id,))


def _entry(point: Point) -> str:
    return msgspec.json.encode(point).decode()


def _end(db: Any, series_id: str, point: Point) -> None:
    """The newest alert's episode is over."""
    db.execute(
        "UPDATE alerts SET ended_ms = ? WHERE id = (SELECT id FROM alerts WHERE series_id = ? AND "
        "start_ms <= ? ORDER BY start_ms DESC LIMIT 1) AND ended_ms IS NULL",
        (point.time_ms, series_id, point.time_ms),
    )


def _note_update(db: Any, series_id: str, point: Point) -> None:
    """What has changed in the newest alert's episode."""
    row = db.execute(
        "SELECT id, updates FROM alerts WHERE series_id = ? AND start_ms <= ? "
        "ORDER BY start_ms DESC LIMIT 1",
        (series_id, point.time_ms),
    ).fetchone()
    if row is not None:
        updates = [*json.loads(row[1] or "[]"), {"at_ms": point.time_ms, "reason": point.reason}]
        sql = "UPDATE alerts SET updates = ? WHERE id = ?"
        db.execute(sql, (json.dumps(updates[-UPDATES_KEPT:]), row[0]))


def _incident(db: Any, job_id: str, node: str, point: Point) -> int | None:
    """The id of the incident that an alert belongs to, whose facts may have grown."""
    if not point.incident:
        return None
    fields = json.loads(point.incident)
    sql = (
        "INSERT INTO incidents (job_id, node, number, start_ms, facts) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET facts = excluded.facts RETURNING id"
    )
    row = (job_id, node, fields["id"], fields["start_ms"], point.incident)
    return int(db.execute(sql, row).fetchone()[0])


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


def _alert_of(*row: Any) -> Alert:
    facts = dict(zip(Alert.__struct_fields__, row, strict=True))
    because, updates = facts.pop("explanation"), facts.pop("updates")
    return Alert(
        **facts,
        explanation=json.loads(because) if because else None,
        updates=json.loads(updates) if updates else [],
    )
