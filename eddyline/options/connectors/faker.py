"""The faker connector."""

from __future__ import annotations

from eddyline.options import any_table
from eddyline.options.connector import Changes, Connector
from eddyline.options.connectors.paced import NULL_RATE, NUMBER_OF_ROWS, ROWS_PER_SECOND
from eddyline.options.option import STRING, Option, integer

EXPRESSION = Option("expression", STRING, None, "A Datafaker expression: '#{Name.fullName}'.")
LENGTH = Option(
    "length", integer(0, 10_000), "1", "The number of elements of an ARRAY, MAP or MULTISET."
)

FAKER = Connector(
    "faker",
    "Rows are made from Datafaker's expressions: 'fields.name.expression' = "
    "'#{Name.fullName}'. Each field may have a null-rate, a collection a length.",
    (
        ROWS_PER_SECOND,
        NUMBER_OF_ROWS,
        any_table.SCAN_PARALLELISM,
        *any_table.WATERMARKS_WITHOUT_ARRIVAL,
    ),
    source=True,
    sink=Changes.NONE,
    formatted=False,
    column_settings=(EXPRESSION, NULL_RATE, LENGTH),
)
