"""The print connector."""

from __future__ import annotations

from eddyline.options import any_table
from eddyline.options.connector import Changes, Connector
from eddyline.options.option import BOOLEAN, STRING, Option

IDENTIFIER = Option("print-identifier", STRING, None, "What stands before each row, and '> '.")
STANDARD_ERROR = Option(
    "standard-error",
    BOOLEAN,
    "false",
    "Print to the standard error instead of the standard output.",
)

PRINT = Connector(
    "print",
    "Rows are printed in the job's output, as +I[1, a].",
    (IDENTIFIER, STANDARD_ERROR, any_table.SINK_PARALLELISM),
    source=False,
    sink=Changes.ALL,
    formatted=False,
    guarantee=any_table.AT_LEAST_ONCE,
)
