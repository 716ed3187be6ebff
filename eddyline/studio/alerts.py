"""Anomalies in words: when, what against which expectation, how sure, and which column is to blame.

Everything here is text made of a service's structs; nothing of a record is shown unescaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eddyline.service.anomalies import FAILURE_PREFIX, Alert, Incident
from eddyline.studio.markup import duration, escape, moment, percent, when

_WAYS = {"HIGH": "above", "LOW": "below"}
_GRADES = ((0.75, "strong"), (0.4, "clear"), (0.0, "slight"))


def alert_rows(alerts: Iterable[Alert], now_ms: int) -> str:
    """Alerts as rows, newest first, each a link to its series at that time; empty for none."""
    return "".join(_row(alert, now_ms) for alert in alerts)


def incident_rows(incidents: Iterable[Incident], now_ms: int) -> str:
    """Incidents over many keys as rows, newest first; empty for none."""
    rows = "".join(
        f'<div class="alert-row"><span class="top"><time title="{moment(i.start_ms)} UTC">'
        f"{escape(when(i.start_ms, now_ms))}</time><span>{i.keys:,} of {i.of:,} keys</span></span>"
        f"<span>{escape(i.sentence)}</span></div>"
        for i in incidents
    )
    return f"<h2>Incidents</h2>{rows}" if rows else ""


def _row(alert: Alert, now_ms: int) -> str:
    because = reasons(alert.explanation)
    more = f'<div class="small muted">{escape(because)}</div>' if because else ""
    if alert.updates:
        newest = alert.updates[-1]
        changed = f"{moment(newest['at_ms'])}: {newest['reason']}"
        more += f'<div class="small muted">{escape(changed)}</div>'
    return (
        f'<a class="alert-row" href="{escape(href(alert))}">'
        f'<span class="top"><time title="{moment(alert.start_ms)} UTC">'
        f"{escape(when(alert.start_ms, now_ms))}</time>"
        f"{_degree(alert)}</span>"
        f"<span>{escape(alert.sentence)}</span>{more}</a>"
    )


def _degree(alert: Alert) -> str:
    """How strong an anomaly is and how long it lasted; a job that failed has neither."""
    if alert.series_id.startswith(FAILURE_PREFIX):
        return "<span>job failed</span>"
    strong = f"{escape(strength(alert.grade))}{escape(lasted(alert))}"
    return f'<span title="grade {alert.grade:.2f} of 1">{strong}</span>'


def href(alert: Alert) -> str:
    """Where an alert is drawn."""
    from urllib.parse import quote

    if alert.series_id.startswith(FAILURE_PREFIX):
        return "/jobs"
    return f"/anomalies?series={quote(alert.series_id, safe='')}&at={alert.start_ms}"


def lasted(alert: Alert) -> str:
    """``, 5 s long``; nothing for a single point."""
    ms = alert.end_ms - alert.start_ms
    return f", {duration(ms)} long" if ms > 0 else ""


def strength(grade: float) -> str:
    """A grade between 0 and 1 as a word."""
    return next(word for least, word in _GRADES if grade >= least)


def reasons(explanation: dict[str, Any] | None) -> str:
    """``ctr above the ordinary (83 %), errors below it (17 %)``: each column's share of the score.

    explanation: keyed by column, as RANDOM_CUT_FOREST_WITH_EXPLANATION writes it. Columns that
    bear less than a tenth are left out.
    """
    parts = []
    for column, facts in (explanation or {}).items():
        if isinstance(facts, dict):
            parts.append((_number(facts.get("ATTRIBUTION_SCORE")), column, facts.get("DIRECTION")))
    whole = sum(score for score, _, _ in parts)
    if whole <= 0:
        return ""
    reasons: list[str] = []
    for score, column, direction in sorted(parts, key=lambda p: -p[0]):
        if score / whole >= 0.1:
            way = _WAYS.get(str(direction), "away from")
            what = "the ordinary" if not reasons else "it"
            share = f" ({percent(score / whole)})" if len(parts) > 1 else ""
            reasons.append(f"{column} {way} {what}{share}")
    return ", ".join(reasons)


def _number(text: Any) -> float:
    try:
        return max(0.0, float(text))
    except (TypeError, ValueError):
        return 0.0
