"""Options that several connectors share."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

from eddyline.options.option import COUNT, DURATION, STRING, Option, choice


class BadRecords(StrEnum):
    """What becomes of a record that does not fit its table."""

    FAIL = "fail"
    DEAD_LETTER = "dead-letter"


class EmitStrategy(StrEnum):
    """When Flink emits watermarks."""

    ON_PERIODIC = "on-periodic"
    ON_EVENT = "on-event"


FORMAT = Option("format", STRING, None, "How a record's bytes become a row.", required=True)
BAD_RECORDS = Option(
    "bad-records",
    choice(BadRecords),
    "fail",
    "What happens to a record that does not fit: the job fails, or the record is set aside.",
    extension=True,
)
IDLE_TIMEOUT = Option(
    "scan.watermark.idle-timeout",
    DURATION,
    None,
    "A shard without records is idle after this time and no longer holds the watermark back.",
)
MAX_AHEAD = Option(
    "scan.watermark.max-ahead",
    DURATION,
    "26 h",  # local times are up to 14 hours ahead of UTC, and clocks of devices are wrong by hours
    "A row moves the watermark only if its event time is at most this long after its arrival, or "
    "after the watermark so far; 0: always, as in Flink.",
    extension=True,
)
EMIT_STRATEGY = Option(
    "scan.watermark.emit.strategy",
    choice(EmitStrategy),
    "on-event",
    "When a watermark is emitted.",
    no_effect="watermarks are always exact here, as with on-event",
)
_ALIGNMENT = "one job reads all shards here, in the order of their arrival"
ALIGNMENT = tuple(
    Option(f"scan.watermark.alignment.{name}", STRING, None, "Watermark alignment.",
           no_effect=_ALIGNMENT)
    for name in ("group", "max-drift", "update-interval")
)  # fmt: skip
WATERMARKS: tuple[Option[Any], ...] = (IDLE_TIMEOUT, MAX_AHEAD, EMIT_STRATEGY, *ALIGNMENT)
# Of sources whose rows have no arrival time of their own.
WATERMARKS_WITHOUT_ARRIVAL: tuple[Option[Any], ...] = tuple(
    replace(o, no_effect="rows of this connector have no arrival time") if o is MAX_AHEAD else o
    for o in WATERMARKS
)
_PARALLELISM = "one worker runs a job here"
SCAN_PARALLELISM = Option(
    "scan.parallelism", COUNT, None, "Parallelism of the source.", no_effect=_PARALLELISM
)
SINK_PARALLELISM = Option(
    "sink.parallelism", COUNT, None, "Parallelism of the sink.", no_effect=_PARALLELISM
)
EXACTLY_ONCE = "exactly once"
AT_LEAST_ONCE = "at least once"
