"""Tables and views as JSON, for the catalog's file."""

from __future__ import annotations

from typing import Any

from eddyline.catalog.table import (
    CatalogTable,
    CatalogView,
    ColumnKind,
    ObjectPath,
    TableColumn,
    WatermarkSpec,
)
from eddyline.errors import EddylineError
from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType, Root

VERSION = 1


def encode_type(t: DataType) -> dict[str, Any]:
    """A type; time attributes are not kept, they follow from the watermark."""
    out: dict[str, Any] = {"root": t.root.value}
    if t.precision:
        out["precision"] = t.precision
    if t.scale:
        out["scale"] = t.scale
    if not t.nullable:
        out["not_null"] = True
    if t.children:
        out["children"] = [encode_type(c) for c in t.children]
    if t.names:
        out["names"] = list(t.names)
    if t.alias:
        out["alias"] = t.alias
    return out


def decode_type(data: dict[str, Any]) -> DataType:
    """The type that ``encode_type`` wrote."""
    return DataType(
        Root(data["root"]),
        data.get("precision", 0),
        data.get("scale", 0),
        not data.get("not_null", False),
        tuple(decode_type(c) for c in data.get("children", ())),
        tuple(data.get("names", ())),
        alias=data.get("alias", ""),
    )


def encode_object(item: CatalogTable | CatalogView) -> dict[str, Any]:
    """A table or view; its path is the key it is kept under."""
    if isinstance(item, CatalogView):
        columns = [[c.name, encode_type(c.type)] for c in item.schema]
        return {
            "version": VERSION,
            "kind": "view",
            "query": item.query,
            "columns": columns,
            "comment": item.comment,
        }
    watermark = item.watermark
    return _without_none(
        "distribution",
        {
            "version": VERSION,
            "kind": "table",
            "columns": [_encode_column(c) for c in item.columns],
            "watermark": [watermark.column, watermark.expression] if watermark else None,
            "primary_key": list(item.primary_key),
            "partitioned_by": list(item.partitioned_by),
            "options": item.options,
            "comment": item.comment,
            "distribution": item.distribution,
        },
    )


def _without_none(key: str, data: dict[str, Any]) -> dict[str, Any]:
    """``data`` without ``key`` if that is None: an older Eddyline reads the rest."""
    return {k: v for k, v in data.items() if k != key or v is not None}


def _encode_column(c: TableColumn) -> dict[str, Any]:
    out: dict[str, Any] = {"name": c.name, "type": encode_type(c.type), "kind": c.kind.value}
    for key in ("metadata_key", "expression", "comment"):
        if getattr(c, key) is not None:
            out[key] = getattr(c, key)
    if c.virtual:
        out["virtual"] = True
    return out


def decode_object(path: ObjectPath, data: dict[str, Any]) -> CatalogTable | CatalogView:
    """The table or view that ``encode_object`` wrote.

    Raises:
        EddylineError: ``newer_format``.
    """
    if data["version"] > VERSION:
        msg = f"{path} was written by a newer Eddyline (catalog format {data['version']})"
        raise EddylineError("newer_format", msg, hint="use that version")
    if data["kind"] == "view":
        columns = tuple(Column(n, decode_type(t)) for n, t in data["columns"])
        return CatalogView(path, data["query"], Schema(columns), data["comment"])
    watermark = data["watermark"]
    return CatalogTable(
        path,
        tuple(_decode_column(c) for c in data["columns"]),
        WatermarkSpec(*watermark) if watermark else None,
        tuple(data["primary_key"]),
        tuple(data["partitioned_by"]),
        dict(data["options"]),
        data["comment"],
        distribution=data.get("distribution"),
    )


def _decode_column(data: dict[str, Any]) -> TableColumn:
    return TableColumn(
        data["name"],
        decode_type(data["type"]),
        ColumnKind(data["kind"]),
        data.get("metadata_key"),
        data.get("virtual", False),
        data.get("expression"),
        data.get("comment"),
    )
