"""A table of the catalog as Glue describes it, and a Glue table as one of the catalog.

Glue's form follows AWS's Studio: columns and location in the storage descriptor, the connector's
options as parameters, and for time ``managed-flink.proctime``, ``managed-flink.rowtime`` and
``managed-flink.watermark.<column>.milliseconds``. What that form cannot express (computed and
metadata columns, keys, exact types) is kept in the parameter ``eddyline.schema``, so that a table
that is read and written back stays the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from eddyline.catalog.codec import decode_object, encode_object
from eddyline.catalog.hive_types import hive_type, read_hive_type
from eddyline.catalog.options import is_option
from eddyline.catalog.table import (
    CatalogTable,
    CatalogView,
    ColumnKind,
    ObjectPath,
    TableColumn,
    WatermarkSpec,
)
from eddyline.errors import EddylineError
from eddyline.options.connectors import connector_of
from eddyline.record.schema import Column, Schema
from eddyline.record.types import Root, timestamp_ltz

Document = dict[str, Any]
SCHEMA = "eddyline.schema"
_KEPT = ("columns", "watermark", "primary_key", "distribution")
# The newer spelling of the parameters of time, and the one before 2023.
PREFIXES = ("managed-flink.", "kinesisanalytics.")
VIEW = "VIRTUAL_VIEW"
_PROCTIME = re.compile(r"\s*PROCTIME\s*\(\s*\)\s*", re.IGNORECASE)
_DELAY = re.compile(
    r"\s*`?(\w+)`?\s*(?:-\s*INTERVAL\s*'(\d+(?:\.\d{1,3})?)'\s*(SECOND|MINUTE))?\s*", re.I
)
_SERDES = {
    "json": "org.openx.data.jsonserde.JsonSerDe",
    "csv": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
}


def to_glue(item: CatalogTable | CatalogView, arn_prefix: str) -> Document:
    """A table or view as Glue's TableInput. ``arn_prefix``: of a stream's ARN, up to its name."""
    document: Document = {"Name": item.path.name}
    if item.comment:
        document["Description"] = item.comment
    if isinstance(item, CatalogView):
        columns = [_column(c.name, hive_type(c.type), None) for c in item.schema.columns]
        return {
            **document,
            "StorageDescriptor": {"Columns": columns, "SerdeInfo": {}},
            "ViewOriginalText": item.query,
            "ViewExpandedText": item.query,
            "TableType": VIEW,
            "Parameters": {"comment": "a view of Eddyline"},
        }
    physical = [c for c in item.columns if c.kind is ColumnKind.PHYSICAL]
    columns = [_column(c.name, hive_type(c.type), c.comment) for c in physical]
    keys = [c for c in columns if c["Name"] in item.partitioned_by]
    parameters = {**item.options, **_time_parameters(item)}
    format_name = item.options.get("format")
    if format_name:
        parameters.setdefault("classification", format_name)
    descriptor: Document = {"Columns": [c for c in columns if c not in keys]}
    location = _location(item.options, arn_prefix)
    if location:
        descriptor["Location"] = location
    if format_name in _SERDES:
        serde = _SERDES[format_name or ""]
        descriptor["SerdeInfo"] = {"SerializationLibrary": serde, "Parameters": {}}
    plain = {**document, "StorageDescriptor": descriptor, "PartitionKeys": keys}
    plain |= {"TableType": "EXTERNAL_TABLE", "Parameters": parameters}
    if _same(from_glue(item.path, plain), item):
        return plain
    encoded = encode_object(item)
    kept = {key: encoded.get(key) for key in _KEPT}
    parameters[SCHEMA] = json.dumps(kept, separators=(",", ":"))
    return plain


def _same(made: CatalogTable | CatalogView, item: CatalogTable) -> bool:
    """Whether a table made of Glue's form is the table itself, whatever its options."""
    assert isinstance(made, CatalogTable)
    one, other = ({**encode_object(t), "options": {}} for t in (made, item))
    if made.watermark and item.watermark and made.watermark.column == item.watermark.column:
        delay_ms = _delay_ms(made.watermark)
        if delay_ms is not None and delay_ms == _delay_ms(item.watermark):
            one["watermark"] = other["watermark"]
    return one == other


def _column(name: str, kind: str, comment: str | None) -> Document:
    return {"Name": name, "Type": kind, **({"Comment": comment} if comment else {})}


def _location(options: dict[str, str], arn_prefix: str) -> str | None:
    name = options.get("connector", "")
    if name.startswith("kinesis"):
        stream = options.get("stream.arn") or options.get("stream")
        if stream and not stream.startswith("arn:"):
            return arn_prefix + stream
        return stream
    return options.get("path") if name == "filesystem" else None


def _time_parameters(table: CatalogTable) -> dict[str, str]:
    out: dict[str, str] = {}
    prefix = PREFIXES[0]
    for column in table.columns:
        if column.kind is ColumnKind.COMPUTED and _PROCTIME.fullmatch(column.expression or ""):
            out[f"{prefix}proctime"] = column.name
    if table.watermark is not None:
        out[f"{prefix}rowtime"] = table.watermark.column
        delay_ms = _delay_ms(table.watermark)
        if delay_ms is not None:
            out[f"{prefix}watermark.{table.watermark.column}.milliseconds"] = str(delay_ms)
    return out


def _delay_ms(watermark: WatermarkSpec) -> int | None:
    """How far a watermark is behind its column; None for another expression."""
    match = _DELAY.fullmatch(watermark.expression)
    if match is None or match[1] != watermark.column:
        return None
    unit_ms = 60_000 if (match[3] or "").upper() == "MINUTE" else 1000
    return round(float(match[2] or 0) * unit_ms)


def from_glue(path: ObjectPath, given: Document) -> CatalogTable | CatalogView:
    """A TableInput as a table or view of the catalog.

    Raises:
        EddylineError: ``invalid_argument`` for a column's type.
    """
    descriptor = given.get("StorageDescriptor") or {}
    rows = [*(descriptor.get("Columns") or ()), *(given.get("PartitionKeys") or ())]
    columns = tuple(_read_column(row) for row in rows)
    comment = given.get("Description")
    if given.get("TableType") == VIEW:
        schema = Schema(tuple(Column(c.name, c.type) for c in columns))
        return CatalogView(path, given.get("ViewOriginalText") or "", schema, comment)
    parameters: dict[str, str] = dict(given.get("Parameters") or {})
    keys = tuple(str(row["Name"]) for row in given.get("PartitionKeys") or ())
    table = CatalogTable(path, columns, None, (), keys, _options(parameters, descriptor), comment)
    if SCHEMA in parameters:
        table = _completed(table, json.loads(parameters[SCHEMA]))
    return _with_time(table, parameters)


def _read_column(row: Document) -> TableColumn:
    kind = read_hive_type(str(row.get("Type") or "string"), str(row["Name"]))
    return TableColumn(str(row["Name"]), kind, comment=row.get("Comment"))


def _options(parameters: dict[str, str], descriptor: Document) -> dict[str, str]:
    """The options of the connector that the parameters and the location mean."""
    of_storage = descriptor.get("Parameters") or {}
    location = str(descriptor.get("Location") or "")
    name = (
        parameters.get("connector") or parameters.get("typeOfData") or of_storage.get("typeOfData")
    )
    if not name:
        name = "kinesis" if location.startswith("arn:") else None
        name = "filesystem" if location.startswith(("s3:", "file:", "/")) else name
    if name is None:
        return {}
    try:
        row = connector_of(name)
    except EddylineError:  # a table of another engine; a statement that uses it says so
        return {"connector": name}
    options = {"connector": name}
    format_name = parameters.get("format") or parameters.get("classification")
    if format_name and row.formatted and "value.format" not in parameters:
        options["format"] = format_name.lower()
    plain = CatalogTable(ObjectPath("", "", ""), (), options={**parameters, **options})
    try:
        options |= {key: value for key, value in parameters.items() if is_option(plain, key)}
    except EddylineError:  # an unknown format
        options = {**parameters, **options}
    stream = of_storage.get("streamARN") or of_storage.get("streamName")
    if row.name == "kinesis" and not {"stream", "stream.arn"} & set(options):
        place = location or stream or ""
        if place:
            options["stream.arn" if place.startswith("arn:") else "stream"] = place
    if row.name == "filesystem" and location:
        options.setdefault("path", location)
    return options


def _completed(table: CatalogTable, kept: Document) -> CatalogTable:
    """The table with what only ``eddyline.schema`` has, where it still fits Glue's columns."""
    document = {"version": 1, "kind": "table", "partitioned_by": [], "options": {}, "comment": None}
    before = decode_object(table.path, {**document, **kept})
    assert isinstance(before, CatalogTable)
    now = {c.name: c for c in table.columns}
    columns: list[TableColumn] = []
    for column in before.columns:
        if column.kind is not ColumnKind.PHYSICAL:
            columns.append(column)
        elif (given := now.pop(column.name, None)) is not None:
            exact = hive_type(column.type) == hive_type(given.type)
            columns.append(replace(column, comment=given.comment) if exact else given)
    columns += now.values()
    names = {c.name for c in columns}
    watermark = before.watermark if before.watermark and before.watermark.column in names else None
    keys = before.primary_key if names.issuperset(before.primary_key) else ()
    return replace(
        table,
        columns=tuple(columns),
        watermark=watermark,
        primary_key=keys,
        distribution=before.distribution,
    )


def _with_time(table: CatalogTable, parameters: dict[str, str]) -> CatalogTable:
    """The table with the time attributes of the parameters."""
    for prefix in PREFIXES:
        name = parameters.get(f"{prefix}proctime")
        if name and name not in {c.name for c in table.columns}:
            kind = timestamp_ltz(3).not_null()
            column = TableColumn(name, kind, ColumnKind.COMPUTED, expression="PROCTIME()")
            table = replace(table, columns=(*table.columns, column))
        rowtime = parameters.get(f"{prefix}rowtime")
        if rowtime is None:
            continue
        delay = parameters.get(f"{prefix}watermark.{rowtime}.milliseconds")
        before = table.watermark
        if before and before.column == rowtime and (delay is None or _delay_is(before, delay)):
            continue
        expression = f"`{rowtime}`"
        if delay and int(delay):
            seconds, ms = divmod(int(delay), 1000)
            expression += f" - INTERVAL '{seconds}{f'.{ms:03d}' if ms else ''}' SECOND"
        table = replace(table, watermark=WatermarkSpec(rowtime, expression))
    if table.watermark is not None:
        table = _with_row_time_type(table, table.watermark.column)
    return table


def _delay_is(watermark: WatermarkSpec, delay: str) -> bool:
    return delay.isdigit() and _delay_ms(watermark) == int(delay)


def _with_row_time_type(table: CatalogTable, name: str) -> CatalogTable:
    """A row time that Glue calls bigint or string is left as it is; the SQL planner refuses it."""
    columns = tuple(
        replace(c, type=replace(c.type, precision=min(c.type.precision, 3)))
        if c.name == name and c.type.root is Root.TIMESTAMP and c.type.precision > 3
        else c
        for c in table.columns
    )
    return replace(table, columns=columns)
