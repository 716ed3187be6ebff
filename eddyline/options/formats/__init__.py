"""The table of formats."""

from __future__ import annotations

from collections.abc import Mapping

from eddyline.errors import EddylineError, nearest
from eddyline.options.connector import Format
from eddyline.options.formats.changelog import (
    CANAL_JSON,
    DEBEZIUM_JSON,
    MAXWELL_JSON,
    OGG_JSON,
)
from eddyline.options.formats.csv import CSV
from eddyline.options.formats.files import AVRO, PARQUET
from eddyline.options.formats.json import JSON
from eddyline.options.formats.raw import RAW

FORMATS: dict[str, Format] = {
    f.name: f
    for f in (JSON, CSV, RAW, AVRO, PARQUET, DEBEZIUM_JSON, CANAL_JSON, MAXWELL_JSON, OGG_JSON)
}


def format_of(name: str) -> Format:
    """The format ``name``.

    Raises:
        EddylineError: ``sql_semantic`` if there is none, with the nearest name.
    """
    row = FORMATS.get(name)
    if row:
        return row
    near = nearest(name, list(FORMATS))
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(FORMATS)}"
    raise EddylineError("sql_semantic", f"there is no format '{name}'", hint=hint)


def own_options(name: str, table_options: Mapping[str, str], prefix: str = "") -> dict[str, str]:
    """The options of format ``name`` out of a table's: ``json.x`` becomes ``x``.

    prefix: ``key.`` or ``value.`` where the table has two formats; ``value.`` may be left out.
    """
    start = f"{prefix}{name}."
    return {k[len(start) :]: v for k, v in table_options.items() if k.startswith(start)}
