"""A judged file as a picture: each series' columns below one another over an axis of time.

A panel shows the values, the line that was expected, the band within which a single value is no
alert, episodes as red spans that begin with a red line, and the rows of learning in grey. The score
of a single series is drawn below its columns. The series with most alerts come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from eddyline.anomaly.kernel import Doubles, Int64s
from eddyline.anomaly.reasons import figure
from eddyline.cli.detect_axis import Tick, ticks_of
from eddyline.cli.detect_file import JudgedFile
from eddyline.cli.drawing import Area, Drawing, Label, Line
from eddyline.errors import EddylineError

WIDTH, HEIGHT, LEFT, GAP = 1000, 120, 90, 34
PANELS_MAX, SERIES_MAX = 6, 6
# More points than this are drawn as the least and the greatest of each run.
POINTS_MAX = 2000
KINDS = (".svg", ".png", ".html")
ALERTS_LISTED = 500
_VALUE, _EXPECTED, _ODD, _GREY = "#2563a8", "#c2700a", "#d33333", "#888888"
# A band may widen a panel by this share of the values' own range on each side.
_WIDER = 0.5
_LEGEND = (("value", _VALUE), ("expected", _EXPECTED), ("episode", _ODD), ("learning", _GREY))


def check_picture(picture: Path) -> None:
    """Raises EddylineError ``invalid_argument`` for a file that no picture can be written to."""
    if picture.suffix.lower() not in KINDS:
        msg = f"{picture} is no kind of picture that can be drawn"
        raise EddylineError("invalid_argument", msg, hint=f"its name must end in {KINDS}")
    if not picture.absolute().parent.is_dir():
        msg = f"there is no directory {picture.absolute().parent}"
        raise EddylineError("not_found", msg, hint="make it, or choose another place")


def draw(judged: JudgedFile, picture: Path) -> str:
    """Write the picture; says what it shows."""
    shown = judged.ranked[:SERIES_MAX]
    drawing = drawn(judged, shown)
    kind = picture.suffix.lower()
    if kind == ".png":
        picture.write_bytes(drawing.png())
    elif kind == ".html":
        picture.write_text(_html(judged, drawing), "utf-8")
    else:
        picture.write_text(drawing.svg(), "utf-8")
    more = len(judged.labels) - len(shown)
    others = f", and not {more:,} other series" if more else ""
    return f"{picture} shows {', '.join(judged.label(k) for k in shown)}{others}"


def drawn(judged: JudgedFile, shown: list[int]) -> Drawing:
    """The picture of some series."""
    scored = len(shown) == 1
    panels = len(judged.columns[:PANELS_MAX]) + scored
    drawing = Drawing(LEFT + WIDTH + 20, GAP + len(shown) * (panels * (HEIGHT + GAP) + GAP))
    _legend(drawing)
    top = GAP
    for key in shown:
        _series(drawing, _Series.of(judged, key), top, scored)
        top += panels * (HEIGHT + GAP) + GAP
    return drawing


@dataclass(frozen=True, slots=True)
class _Series:
    """A series as it is drawn; places: of its rows among the verdicts; x: theirs in the picture."""

    judged: JudgedFile
    key: int
    places: Int64s
    x: Doubles
    ticks: list[Tick]

    @staticmethod
    def of(judged: JudgedFile, key: int) -> _Series:
        places = judged.of_series(key)
        rows = judged.rows[places]
        at: Doubles = rows.astype(np.float64) + 1.0
        if judged.times is not None:
            at = judged.times.ms[rows].astype(np.float64)
        elif len(judged.labels) > 1:
            at = np.arange(1, len(rows) + 1).astype(np.float64)
        low, high = (float(at.min()), float(at.max())) if len(at) else (0.0, 1.0)
        x: Doubles = (at - low) / ((high - low) or 1.0) * WIDTH + LEFT
        axis = None if judged.times is None else judged.times.axis
        return _Series(judged, key, places, x, ticks_of(low, high, axis))


def _legend(drawing: Drawing) -> None:
    x = LEFT + WIDTH - 80.0 * len(_LEGEND)
    for name, color in _LEGEND:
        drawing.shapes.append(Area(_box(x, 10, x + 12, 16), color, 0.7))
        drawing.shapes.append(Label(x + 16, 17, name))
        x += 80


def _series(drawing: Drawing, series: _Series, top: int, scored: bool) -> None:
    judged, v = series.judged, series.judged.verdicts
    places = series.places
    alerts = int(v.alert[places].sum())
    words = f"{len(places):,} rows, {alerts} alert{'' if alerts == 1 else 's'}"
    title = f"{judged.label(series.key)}: {words}"
    drawing.shapes.append(Label(LEFT, top - 16, title, color="#222"))
    for nth, name in enumerate(judged.columns[:PANELS_MAX]):
        values = judged.points[judged.rows[places], nth]
        bounds = v.expected[places, nth], v.lower[places, nth], v.upper[places, nth]
        _panel(drawing, series, name, values, top, bounds)
        top += HEIGHT + GAP
    if scored:
        _panel(drawing, series, "score", v.score[places], top, None)


def _panel(
    drawing: Drawing, series: _Series, name: str, values: Doubles, top: int,
    bounds: tuple[Doubles, Doubles, Doubles] | None,
) -> None:  # fmt: skip
    low, high = _scale(values, None if bounds is None else bounds[1:])

    def y(of: Doubles) -> Doubles:
        scaled = (of - low) / ((high - low) or 1.0)
        out: Doubles = top + HEIGHT * (1.0 - np.clip(scaled, 0.0, 1.0))
        return out

    add = drawing.shapes.append
    for tick in series.ticks:
        x = LEFT + WIDTH * tick.share
        add(Line([(x, top), (x, top + HEIGHT)], "#eeeeee", 1.0))
        add(Label(x, top + HEIGHT + 14, tick.text, "middle", "#888888", 10))
    _spans(drawing, series, top)
    at = _thinned(values)
    if bounds is not None:
        _expectation(drawing, series.x, [y(b) for b in bounds], at)
    for x_alert in series.x[series.judged.verdicts.alert[series.places]].tolist():
        add(Line([(x_alert, top), (x_alert, top + HEIGHT)], _ODD, 1.5, "alert"))
    add(Line([(LEFT, top + HEIGHT), (LEFT + WIDTH, top + HEIGHT)], "#cccccc", 1.0))
    at = at[~np.isnan(values[at])]
    points = list(zip(series.x[at].tolist(), y(values[at]).tolist(), strict=True))
    add(Line(points, _VALUE, 1.2, "value", is_series=True))
    texts = (top + 10, figure(high)), (top + HEIGHT // 2, name), (top + HEIGHT, figure(low))
    for where, text in texts:
        shown = text if len(text) <= 14 else text[:13] + "…"
        add(Label(LEFT - 8, where, shown, "end"))


def _scale(values: Doubles, bounds: tuple[Doubles, ...] | None) -> tuple[float, float]:
    """The least and the greatest value that a panel shows."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    if bounds is not None:
        lower, upper = (b[np.isfinite(b)] for b in bounds)
        room = _WIDER * (high - low)
        if len(lower) and len(upper):
            low = min(low, max(float(np.median(lower)), low - room))
            high = max(high, min(float(np.median(upper)), high + room))
    if low == high:
        room = abs(low) * 0.1 or 1.0
        return low - room, high + room
    return low, high


def _spans(drawing: Drawing, series: _Series, top: int) -> None:
    """The rows of learning, and episodes."""
    judged, v, x = series.judged, series.judged.verdicts, series.x
    learning = np.flatnonzero(v.verdict[series.places] == 0)
    if len(learning):
        words = f"learning: {len(learning)} rows"
        box = _box(LEFT, top, float(x[learning[-1]]), top + HEIGHT)
        drawing.shapes.append(Area(box, _GREY, 0.15, "learning", words))
    number = v.episode[series.places]
    for episode in np.unique(number[number > 0]).tolist():
        mine = np.flatnonzero(number == episode)
        begin, end = float(x[mine[0]]), float(x[mine[-1]])
        place = int(series.places[mine[0]])
        row = int(judged.rows[place])
        when = f"{judged.when(row)} " if judged.times is not None else f"row {row + 1:,} "
        box = _box(begin, top, max(end, begin + 2.0), top + HEIGHT)
        words = f"{when}{judged.sentence(place)}; {len(mine)} rows"
        drawing.shapes.append(Area(box, _ODD, 0.16, "episode", words))


def _expectation(drawing: Drawing, x: Doubles, lines: list[Doubles], at: Int64s) -> None:
    """The band and the line of what was expected, in runs without a gap."""
    expected, lower, upper = lines
    known = ~np.isnan(expected[at]) & ~np.isnan(lower[at]) & ~np.isnan(upper[at])
    edges = np.flatnonzero(np.diff(known.astype(np.int8)) != 0) + 1
    for run in np.split(np.arange(len(at)), edges):
        if not len(run) or not known[run[0]]:
            continue
        here = at[run]
        along = list(zip(x[here].tolist(), upper[here].tolist(), strict=True))
        back = list(zip(x[here][::-1].tolist(), lower[here][::-1].tolist(), strict=True))
        drawing.shapes.append(Area([*along, *back], _VALUE, 0.13, "band"))
        middle = list(zip(x[here].tolist(), expected[here].tolist(), strict=True))
        drawing.shapes.append(Line(middle, _EXPECTED, 1.0, "expected"))


def _box(x: float, y: float, to_x: float, to_y: float) -> list[tuple[float, float]]:
    return [(x, y), (to_x, y), (to_x, to_y), (x, to_y)]


def _thinned(series: Doubles) -> Int64s:
    """Which points are drawn: all, or the extremes of each run."""
    if len(series) <= POINTS_MAX:
        return np.arange(len(series))
    runs = np.array_split(np.arange(len(series)), POINTS_MAX // 2)
    runs = [run for run in runs if not np.isnan(series[run]).all()]
    ends = [(run[np.nanargmin(series[run])], run[np.nanargmax(series[run])]) for run in runs]
    return np.unique(np.array(ends, np.int64).ravel())


def _html(judged: JudgedFile, drawing: Drawing) -> str:
    """A page with the picture and the alerts below it; it loads nothing from elsewhere."""
    lines = []
    for at in judged.alerts()[:ALERTS_LISTED]:
        row = int(judged.rows[at])
        cells = [f"{row + 1:,}", judged.when(row), judged.sentence(at)]
        lines.append("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + "</tr>")
    rest = int(judged.verdicts.alert.sum()) - len(lines)
    more = f"<p>… and {rest:,} more</p>" if rest > 0 else ""
    none = "" if lines else "<p>No alerts.</p>"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(', '.join(judged.columns))}</title>"
        "<style>body{font-family:sans-serif;max-width:1110px;margin:1em auto}"
        "td{padding:2px 12px 2px 0;vertical-align:top}</style></head><body>\n"
        f"{drawing.svg()}<table>{''.join(lines)}</table>{more}{none}</body></html>\n"
    )
