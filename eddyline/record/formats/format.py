"""What every format promises, and the table of formats.

Decoding never raises for a record: it gives all rows, and beside them what did not fit. The
caller knows what the table's options want (fail, skip, put aside), the format does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Protocol

import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.record.schema import Schema

TEXT_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class BadField:
    """A value that does not fit: row index, column (None: the whole record), text, reason."""

    row: int
    column: str | None
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """n rows for n payloads; a field (or all fields) named in ``errors`` is NULL."""

    table: pa.Table
    errors: tuple[BadField, ...] = ()


class Decoder(Protocol):
    """Bytes to rows; keeps what it needs between batches, belongs to one thread."""

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """One row a payload, in order, in the types of the schema."""


class Encoder(Protocol):
    """Rows to bytes; belongs to one thread."""

    def encode(self, rows: pa.Table) -> pa.BinaryArray:
        """One payload a row, in order."""


_MODULES = {
    "json": "eddyline.record.formats.json",
    "csv": "eddyline.record.formats.csv",
    "raw": "eddyline.record.formats.raw",
}


def decoder(name: str, schema: Schema, options: Mapping[str, str], threads: int = 1) -> Decoder:
    """The decoder of format ``name``; ``options`` without the format's prefix.

    Raises:
        EddylineError: ``sql_unsupported`` for an unknown format or a type it cannot hold.
    """
    make: Callable[[Schema, Mapping[str, str], int], Decoder] = _module(name).make_decoder
    return make(schema, options, threads)


def encoder(name: str, schema: Schema, options: Mapping[str, str]) -> Encoder:
    """The encoder of format ``name``; as ``decoder``."""
    make: Callable[[Schema, Mapping[str, str]], Encoder] = _module(name).make_encoder
    return make(schema, options)


def options_of(name: str, table_options: Mapping[str, str]) -> dict[str, str]:
    """The format's options out of a table's: ``json.x`` becomes ``x``."""
    prefix = name + "."
    return {k[len(prefix) :]: v for k, v in table_options.items() if k.startswith(prefix)}


def flag(options: Mapping[str, str], name: str) -> bool:
    """A boolean option, false by default."""
    return options.get(name, "false").lower() == "true"


def _module(name: str) -> ModuleType:
    if name not in _MODULES:
        msg = f"there is no format '{name}'"
        hint = "formats are " + ", ".join(_MODULES)
        raise EddylineError("sql_unsupported", msg, hint=hint)
    return import_module(_MODULES[name])


def shown(text: str) -> str:
    """A record's text, cut to what a message can hold."""
    return text if len(text) <= TEXT_SHOWN_MAX else text[:TEXT_SHOWN_MAX] + "…"
