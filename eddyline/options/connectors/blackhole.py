"""The blackhole connector."""

from __future__ import annotations

from eddyline.options.connector import Changes, Connector

BLACKHOLE = Connector(
    "blackhole",
    "Rows are counted and dropped.",
    (),
    source=False,
    sink=Changes.ALL,
    formatted=False,
    guarantee="nothing is kept",
)
