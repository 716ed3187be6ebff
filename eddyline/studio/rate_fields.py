"""How a generator's rate changes over time: steady, a ramp, a wave, or by the hours of a week."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nicegui import ui

from eddyline.errors import EddylineError
from eddyline.generator.pattern import Burst, Periodic, Ramp, Sine
from eddyline.generator.spec import GeneratorSpec
from eddyline.studio.shell import labelled

STEADY, RAMP, WAVE, WEEK = "steady", "ramp", "wave", "week"
_SHAPES = {STEADY: "Steady", RAMP: "A ramp", WAVE: "A wave", WEEK: "By the hours of a week"}
_ARRIVALS = {"even": "Evenly", "poisson": "By chance (Poisson)"}
DAYS, HOURS = 7, 24
MEAN, DEVIATION = 100.0, 10.0
Table = tuple[tuple[float, ...], ...]


class RateFields:
    """The fields; ``load`` shows a spec, ``applied`` puts what they say into one."""

    def __init__(self) -> None:
        self._shape = labelled(ui.select(_SHAPES, value=STEADY, label="The rate is"))
        self._to = self._field(RAMP, "Up or down to, records/s", 200)
        self._over = self._field(RAMP, "Within, seconds", 60)
        self._share = self._field(WAVE, "Swing, % of the rate", 50)
        self._period = self._field(WAVE, "Once every, seconds", 600)
        self._arrivals = labelled(ui.select(_ARRIVALS, value="even", label="Records come"))
        self._burst_at = labelled(ui.number("Burst after, seconds", placeholder="none", min=0))
        self._burst_for = labelled(ui.number("for, seconds", value=10, min=0))
        self._burst_by = labelled(ui.number("times the rate", value=4, min=0))
        for field in (self._burst_for, self._burst_by):
            field.bind_visibility_from(self._burst_at, "value", backward=lambda v: v is not None)
        self._smooth = ui.checkbox("Even out between the hours", value=True).props("dense")
        self._smooth.bind_visibility_from(self._shape, "value", value=WEEK)
        self._mean = self._hours("Mean of each hour: a line a day, Monday first, 24 numbers", MEAN)
        self._deviation = self._hours("Standard deviation of each hour, the same way", DEVIATION)

    def _field(self, shape: str, label: str, value: float) -> ui.number:
        made = labelled(ui.number(label, value=value, min=0))
        made.bind_visibility_from(self._shape, "value", value=shape)
        return made

    def _hours(self, label: str, value: float) -> ui.textarea:
        made = ui.textarea(label, value=table_text(((value,) * HOURS,) * DAYS))
        labelled(made).props("rows=7 input-style=white-space:pre;overflow-x:auto").classes("hours")
        made.bind_visibility_from(self._shape, "value", value=WEEK)
        return made

    def load(self, spec: GeneratorSpec) -> None:
        """Show a spec."""
        self._shape.set_value(shape_of(spec))
        self._arrivals.set_value(spec.arrivals)
        if spec.ramp is not None:
            self._to.set_value(spec.ramp.to)
            self._over.set_value(spec.ramp.over_s)
        if spec.sine is not None:
            self._share.set_value(round(spec.sine.share * 100, 3))
            self._period.set_value(spec.sine.period_s)
        if spec.periodic is not None:
            self._mean.set_value(table_text(spec.periodic.mean))
            deviation = spec.periodic.deviation or ((0.0,) * HOURS,) * DAYS
            self._deviation.set_value(table_text(deviation))
            self._smooth.set_value(spec.periodic.smooth)
        burst = spec.bursts[0] if spec.bursts else None
        self._burst_at.set_value(burst.start_s if burst else None)
        if burst is not None:
            self._burst_for.set_value(burst.duration_s)
            self._burst_by.set_value(burst.factor)

    def applied(self, spec: GeneratorSpec) -> GeneratorSpec:
        """The spec with what the fields say. Raises ``invalid_argument``."""
        shape = self._shape.value
        return replace(
            spec,
            ramp=Ramp(_number(self._to), _number(self._over)) if shape == RAMP else None,
            sine=(
                Sine(_number(self._share) / 100, _number(self._period)) if shape == WAVE else None
            ),
            periodic=self._week() if shape == WEEK else None,
            arrivals="poisson" if self._arrivals.value == "poisson" else "even",
            bursts=self._bursts(spec),
        )

    def _week(self) -> Periodic:
        mean = table_of(str(self._mean.value or ""), "mean")
        deviation = table_of(str(self._deviation.value or ""), "deviation")
        return Periodic(mean, deviation, bool(self._smooth.value))

    def _bursts(self, spec: GeneratorSpec) -> tuple[Burst, ...]:
        """The first burst is the fields'; others were given elsewhere, and stay."""
        if self._burst_at.value is None:
            return ()
        first = Burst(_number(self._burst_at), _number(self._burst_for), _number(self._burst_by))
        return (first, *spec.bursts[1:])


def shape_of(spec: GeneratorSpec) -> str:
    """How a spec's rate changes."""
    if spec.periodic is not None:
        return WEEK
    if spec.sine is not None:
        return WAVE
    return RAMP if spec.ramp is not None else STEADY


def table_text(table: Table) -> str:
    """A week's table as lines of numbers."""
    return "\n".join(" ".join(f"{value:g}" for value in row) for row in table)


def table_of(text: str, what: str) -> Table:
    """A week's table of lines of numbers, with blanks, commas or tabs between them.

    Raises:
        EddylineError: ``invalid_argument`` for anything but seven lines of 24 numbers.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    hint = "one line a day, Monday first, each with 24 numbers, one an hour"
    if len(lines) != DAYS:
        msg = f"the {what} has {len(lines)} lines, not {DAYS}"
        raise EddylineError("invalid_argument", msg, hint=hint)
    return tuple(_row(line, index, what, hint) for index, line in enumerate(lines, 1))


def _row(line: str, index: int, what: str, hint: str) -> tuple[float, ...]:
    try:
        row = tuple(float(word) for word in line.replace(",", " ").split())
    except ValueError as error:
        word = str(error).rpartition(": ")[2]
        msg = f"line {index} of the {what} holds {word}, which is no number"
        raise EddylineError("invalid_argument", msg, hint=hint) from None
    if len(row) != HOURS:
        msg = f"line {index} of the {what} has {len(row)} numbers, not {HOURS}"
        raise EddylineError("invalid_argument", msg, hint=hint)
    return row


def _number(field: Any) -> float:
    if field.value is None:
        msg = f"{str(field.props.get('label', 'a field')).lower()}: the number is missing"
        raise EddylineError("invalid_argument", msg)
    return float(field.value)
