"""The datagen connector."""

from __future__ import annotations

from enum import StrEnum

from eddyline.options import any_table
from eddyline.options.connector import Changes, Connector
from eddyline.options.connectors.paced import NULL_RATE, NUMBER_OF_ROWS, ROWS_PER_SECOND
from eddyline.options.option import BOOLEAN, DURATION, STRING, Option, choice, integer


class ValueGenerator(StrEnum):
    """How the values of a column are made."""

    RANDOM = "random"
    SEQUENCE = "sequence"


KIND = Option("kind", choice(ValueGenerator), "random", "Random values, or a sequence that ends.")
MIN = Option("min", STRING, None, "The least random value of a number; by default the type's.")
MAX = Option("max", STRING, None, "The greatest random value of a number; by default the type's.")
MAX_PAST = Option("max-past", DURATION, "0", "How long before now a random time is at most.")
LENGTH = Option(
    "length",
    integer(0, 1_000_000),
    None,
    "The length of a text (100), of bytes, or of a collection (3); of CHAR and BINARY the type's.",
)
VAR_LEN = Option(
    "var-len", BOOLEAN, "false", "Whether the length of a VARCHAR or VARBINARY varies, from 1."
)
START = Option("start", STRING, None, "The first value of a sequence.")
END = Option("end", STRING, None, "The last value of a sequence.")

DATAGEN = Connector(
    "datagen",
    "Rows are made: random values or sequences. A column without options gets random values.",
    (
        ROWS_PER_SECOND,
        NUMBER_OF_ROWS,
        any_table.SCAN_PARALLELISM,
        *any_table.WATERMARKS_WITHOUT_ARRIVAL,
    ),
    source=True,
    sink=Changes.NONE,
    formatted=False,
    column_settings=(KIND, MIN, MAX, MAX_PAST, LENGTH, VAR_LEN, START, END, NULL_RATE),
)
