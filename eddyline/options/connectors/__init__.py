"""The table of connectors, and their names as users write them."""

from __future__ import annotations

from eddyline.errors import EddylineError, nearest
from eddyline.options.connector import Connector
from eddyline.options.connectors.blackhole import BLACKHOLE
from eddyline.options.connectors.datagen import DATAGEN
from eddyline.options.connectors.faker import FAKER
from eddyline.options.connectors.filesystem import FILESYSTEM
from eddyline.options.connectors.jdbc import JDBC
from eddyline.options.connectors.kafka import KAFKA, UPSERT_KAFKA
from eddyline.options.connectors.kinesis import KINESIS
from eddyline.options.connectors.nexmark import NEXMARK
from eddyline.options.connectors.print import PRINT

CONNECTORS: dict[str, Connector] = {
    c.name: c
    for c in (
        KINESIS, FILESYSTEM, KAFKA, UPSERT_KAFKA, JDBC, DATAGEN, FAKER, NEXMARK, PRINT, BLACKHOLE,
    )
}  # fmt: skip
ALIASES = {"kinesis-legacy": "kinesis"}
# Connectors of Flink's ecosystem that are not here, and what to use instead.
ELSEWHERE = {
    "firehose": "write to a stream, and attach a delivery channel to it",
    "dynamodb": "write to a stream or to files",
    "sqs": "write to a stream",
}


def connector_of(name: str) -> Connector:
    """The connector ``name``.

    Raises:
        EddylineError: ``sql_semantic`` if there is none, with the nearest name.
    """
    row = CONNECTORS.get(ALIASES.get(name, name))
    if row:
        return row
    if name in ELSEWHERE:
        message = f"the connector '{name}' is not supported"
        raise EddylineError("sql_unsupported", message, hint=ELSEWHERE[name])
    near = nearest(name, list(CONNECTORS))
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(CONNECTORS)}"
    raise EddylineError("sql_semantic", f"there is no connector '{name}'", hint=hint)
