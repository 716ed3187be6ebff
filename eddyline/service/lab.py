"""The two labs as data: their streams, their senders, their notes, and the burst to be found.

The demo and the tests set up the same lab from here; the studio offers the notes as examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np

SENSOR_STREAM = "my-input-stream"
STATE_STREAM = "my-output-stream"
CLICK_STREAM = "click-stream"
ANOMALY_STREAM = "anomaly-stream"
STREAMS = (SENSOR_STREAM, STATE_STREAM, CLICK_STREAM, ANOMALY_STREAM)

SENSOR_NOTE = "Sensors"
CLICK_NOTE = "Click-through rate"

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

SENSORS_PER_S = 5.0
CLICKS_PER_S = 50.0
BURST_FACTOR = 4.0
# Windows of a second: a dozen to fill the sub-sample, as many again to know what is ordinary.
WARM_UP_S = 26.0
BURST_S = 6.0
BURST_LATEST_S = 44.0
SHORTEST_S = 58.0


@dataclass(frozen=True, slots=True)
class Burst:
    """When more clicks come: seconds since the senders started."""

    start_s: float
    duration_s: float
    factor: float = BURST_FACTOR


def burst(seed: int) -> Burst:
    """A burst at a time that only the seed knows."""
    start = np.random.default_rng(seed).uniform(WARM_UP_S, BURST_LATEST_S - BURST_S)
    return Burst(round(float(start), 3), BURST_S)


def note_bytes(name: str) -> bytes:
    """The text of an example note, a ``.zpln`` file."""
    folder = resources.files("eddyline.service.notes") / "examples"
    return (folder / f"{name.replace(' ', '_')}.zpln").read_bytes()
