"""The two labs as data: their streams, their senders, their notes, and the burst to be found.

The demo and the tests set up the same lab from here; the studio offers the notes as examples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import resources

from eddyline.generator.pattern import Burst
from eddyline.generator.spec import GeneratorSpec

SENSOR_STREAM = "my-input-stream"
STATE_STREAM = "my-output-stream"
CLICK_STREAM = "click-stream"
ANOMALY_STREAM = "anomaly-stream"
WEB_STREAM = "web-requests"
WEB_ANOMALY_STREAM = "web-anomalies"
STREAMS = (SENSOR_STREAM, STATE_STREAM, CLICK_STREAM, ANOMALY_STREAM)

SENSOR_NOTE = "Sensors"
CLICK_NOTE = "Click-through rate"
WEB_NOTE = "Web log"

SENSOR_TEMPLATE = """{
    "sensor_id": {{random.number(150)}},
    "current_temperature": {{random.number(
        {
            "min":10,
            "max":150
        }
    )}},
    "status": "{{random.arrayElement(
        ["OK","FAIL","WARN"]
    )}}",
    "event_time": "{{date.utc("YYYY-MM-DDTHH:mm:ss.SSS")}}"
}"""
SITES = '["/home","/books","/music","/garden"]'
CLICK_TEMPLATE = f'{{"browseraction":"Click","site":"{{{{random.arrayElement({SITES})}}}}"}}'
IMPRESSION_TEMPLATE = CLICK_TEMPLATE.replace("Click", "Impression")
# A view and a click on it, again and again.
VISIT_TEMPLATE = IMPRESSION_TEMPLATE + "{{record.next}}" + CLICK_TEMPLATE
BURST_SENDER = "more clicks"

SENSORS_PER_S = 5.0
CLICKS_PER_S = 50.0
WINDOW_MS = 1000
BURST_FACTOR = 4.0
# Windows of a second: a dozen to fill the sub-sample, some more to know what is ordinary.
WARM_UP_S = 20.0
BURST_S = 6.0
BURST_LATEST_S = 38.0
# After the burst its windows must close and be scored, on a busy machine, too.
SHORTEST_S = BURST_LATEST_S + 6.0


@dataclass(frozen=True, slots=True)
class LabSender:
    """A generator of a lab: its name, and what it is told."""

    name: str
    spec: GeneratorSpec


def burst(seed: int) -> Burst:
    """A burst at a time that only the seed knows, in seconds since the senders started."""
    import numpy as np

    start = np.random.default_rng(seed).uniform(WARM_UP_S, BURST_LATEST_S - BURST_S)
    return Burst(round(float(start), 3), BURST_S, BURST_FACTOR)


def senders(seed: int | None = None, burst: Burst | None = None) -> tuple[LabSender, ...]:
    """What sends in both labs: sensors, visitors, and for a ``burst`` more clicks.

    One sender makes both the views and their clicks, so that a moment in which a busy machine
    does not let it run takes both along: the rate of a window is the visitors', not the machine's.
    """

    def spec(nth: int, template: str, stream: str, rate: float) -> GeneratorSpec:
        own = None if seed is None else seed + nth
        return GeneratorSpec(template, f"stream:{stream}", rate=rate, seed=own)

    running = [
        LabSender("sensors", spec(0, SENSOR_TEMPLATE, SENSOR_STREAM, SENSORS_PER_S)),
        LabSender("visitors", spec(1, VISIT_TEMPLATE, CLICK_STREAM, 2 * CLICKS_PER_S)),
    ]
    if burst is not None:
        more = CLICKS_PER_S * (burst.factor - 1)
        clicks = spec(2, CLICK_TEMPLATE, CLICK_STREAM, more)
        silent_before = (Burst(0.0, burst.start_s, 0.0),)
        total = round(more * burst.duration_s)
        running.append(LabSender(BURST_SENDER, replace(clicks, bursts=silent_before, total=total)))
    return tuple(running)


def note_bytes(name: str) -> bytes:
    """The text of an example note, a ``.zpln`` file."""
    folder = resources.files("eddyline.service.notes") / "examples"
    return (folder / f"{name.replace(' ', '_')}.zpln").read_bytes()


def example_notes() -> tuple[str, ...]:
    """The names of all example notes."""
    return (SENSOR_NOTE, CLICK_NOTE, WEB_NOTE)
