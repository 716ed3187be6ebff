"""What every format promises, and the table of formats.

Decoding never raises for a record: it gives all rows, and beside them what did not fit. The
caller knows what the table's options want (fail, skip, put aside), the format does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.record.plain_rows import PlainRows
from eddyline.record.schema import Schema

TEXT_SHOWN_MAX = 200

Kinds = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class BadField:
    """A value that does not fit: row index, column (None: the whole record), text, reason."""

    row: int
    column: str | None
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """The rows of n payloads; a field (or all fields) named in ``errors`` is NULL.

    table: m rows. origin: (m,) int64, the payload of each row in ascending order; None where each
    payload is one row. kinds: (m,) int8 of Kind; None for new rows. metadata: the format's, by key.
    """

    table: pa.Table
    errors: tuple[BadField, ...] = ()
    kinds: Kinds | None = None
    origin: npt.NDArray[np.int64] | None = None
    metadata: Mapping[str, pa.Array] = field(default_factory=dict)


class Decoder(Protocol):
    """Bytes to rows; keeps what it needs between batches, belongs to one thread."""

    def decode(self, payload: pa.BinaryArray) -> Decoded:
        """The rows of the payloads, in order, in the types of the schema."""


@runtime_checkable
class PlainDecoder(Protocol):
    """A decoder that reads a few plain records into Python values."""

    def decode_plain(self, payload: pa.BinaryArray) -> PlainRows | None:
        """As ``Decoder.decode``, one row a payload; None if the records are not plain."""


@runtime_checkable
class PlainEncoder(Protocol):
    """An encoder that writes a few rows of Python values."""

    def encode_plain(self, columns: Sequence[list[Any]]) -> list[bytes] | None:
        """As ``Encoder.encode`` for new rows, given as the columns of the schema; None where that
        takes a statement."""


class Encoder(Protocol):
    """Rows to bytes; belongs to one thread."""

    def encode(self, rows: pa.Table, kinds: Kinds | None = None) -> pa.BinaryArray:
        """One payload per row, in order; kinds: (n,) of Kind, None for new rows."""


def decoder(
    name: str,
    schema: Schema,
    options: Mapping[str, str],
    threads: int = 1,
    metadata: tuple[str, ...] = (),
) -> Decoder:
    """The decoder of format ``name``; ``options`` without the format's prefix.

    metadata: keys of the format's metadata that are read.

    Raises:
        EddylineError: ``sql_unsupported`` for an unknown format or a type it cannot hold.
    """
    return _made(name).decoder(schema, options, threads, metadata)


def encoder(name: str, schema: Schema, options: Mapping[str, str]) -> Encoder:
    """The encoder of format ``name``; as ``decoder``."""
    return _made(name).encoder(schema, options)


@dataclass(frozen=True, slots=True)
class Makers:
    """What makes the decoder and the encoder of a format."""

    decoder: Callable[[Schema, Mapping[str, str], int, tuple[str, ...]], Decoder]
    encoder: Callable[[Schema, Mapping[str, str]], Encoder]


def _json(name: str) -> Makers:
    from eddyline.record.formats.json import JsonDecoder, JsonEncoder

    return Makers(lambda s, o, n, m: JsonDecoder(s, o, n), JsonEncoder)


def _csv(name: str) -> Makers:
    from eddyline.record.formats.csv import CsvDecoder, CsvEncoder

    return Makers(lambda s, o, n, m: CsvDecoder(s, o, n), CsvEncoder)


def _raw(name: str) -> Makers:
    from eddyline.record.formats.raw import Raw

    return Makers(lambda s, o, n, m: Raw(s, o), Raw)


def _avro(name: str) -> Makers:
    from eddyline.record.formats.avro import AvroDecoder, AvroEncoder

    return Makers(lambda s, o, n, m: AvroDecoder(s, o), AvroEncoder)


def _changelog(name: str) -> Makers:
    from eddyline.record.formats.changelog import ChangelogDecoder, ChangelogEncoder, envelope_of

    envelope = envelope_of(name)
    return Makers(
        lambda s, o, n, m: ChangelogDecoder(envelope, s, o, n, m),
        lambda s, o: ChangelogEncoder(envelope, s, o),
    )


_MAKERS: dict[str, Callable[[str], Makers]] = {
    "json": _json,
    "csv": _csv,
    "raw": _raw,
    "avro": _avro,
    **dict.fromkeys(("debezium-json", "canal-json", "maxwell-json", "ogg-json"), _changelog),
}


def _made(name: str) -> Makers:
    if name not in _MAKERS:
        msg = f"there is no format '{name}' for single records"
        hint = "formats are " + ", ".join(_MAKERS)
        raise EddylineError("sql_unsupported", msg, hint=hint)
    return _MAKERS[name](name)


def shown(text: str) -> str:
    """A record's text, cut to what a message can hold."""
    return text if len(text) <= TEXT_SHOWN_MAX else text[:TEXT_SHOWN_MAX] + "…"


def array_of(values: Any) -> pa.Array:
    """One contiguous array."""
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
