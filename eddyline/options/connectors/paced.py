"""Options of connectors that make rows themselves, at a rate."""

from __future__ import annotations

from eddyline.options.option import Option, integer, number

ROWS_PER_SECOND = Option(
    "rows-per-second", integer(1), "10000", "How many rows are made per second."
)
NUMBER_OF_ROWS = Option("number-of-rows", integer(0), None, "How many rows are made in all.")
NULL_RATE = Option("null-rate", number(0, 1), "0", "The share of NULLs.")
