"""A generator's simulated clock and its faults on purpose, written as the command takes them."""

from __future__ import annotations

from dataclasses import replace

from nicegui import ui

from eddyline.generator.options import clock_text, fault_text, parse_clock, parse_fault
from eddyline.generator.spec import GeneratorSpec
from eddyline.studio.shell import labelled

_CLOCK_TIP = "From, to, how many times as fast; @max does not wait. Rates count its seconds."
_FAULTS_TIP = "drop, duplicate, late, torn or outlier; the chance of a record; settings"


class FaultFields:
    """The fields; ``load`` shows a spec, ``applied`` puts what they say into one."""

    def __init__(self) -> None:
        self._clock = labelled(
            ui.input("Simulated clock", placeholder="2020-01-01..2020-01-08@3600x")
        ).classes("wide-field")
        self._faults = labelled(
            ui.input("Faults", placeholder="outlier:0.01:field=t:factor=10 drop:0.001")
        ).classes("wide-field")
        self._labels = labelled(ui.input("Tell of faults and bursts", placeholder="stream:labels"))
        for field, tip in ((self._clock, _CLOCK_TIP), (self._faults, _FAULTS_TIP)):
            with field:
                ui.tooltip(tip)

    def load(self, spec: GeneratorSpec) -> None:
        """Show a spec."""
        self._clock.set_value(clock_text(spec.simulated) if spec.simulated else "")
        self._faults.set_value(" ".join(fault_text(f) for f in spec.faults))
        self._labels.set_value(spec.labels or "")

    def applied(self, spec: GeneratorSpec) -> GeneratorSpec:
        """The spec with what the fields say. Raises ``invalid_argument``."""
        clock = str(self._clock.value or "").strip()
        faults = str(self._faults.value or "").split()
        return replace(
            spec,
            simulated=parse_clock(clock) if clock else None,
            faults=tuple(parse_fault(text) for text in faults),
            labels=str(self._labels.value or "").strip() or None,
        )
