"""A stream's records as a table in a file, NDJSON or Parquet, and such a file put into a stream.

A row is shard, sequence number, arrival, partition key and data. In NDJSON data is text where it
is UTF-8, and base64 under ``data_base64`` where it is not. Putting a file in takes partition key
and data: the records arrive again, in the file's order.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.log.put import PutBatch
from eddyline.log.sequence import sequence_numbers

if TYPE_CHECKING:
    from eddyline.log.reader import Slice
    from eddyline.log.shard import ShardInfo
    from eddyline.log.stream import Stream

READ_RECORDS, READ_BYTES = 50_000, 16 << 20
PUT_RECORDS, PUT_BYTES = 10_000, 16 << 20
LINE_BYTES_MAX = 32 << 20
FORMATS = {".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson", ".parquet": "parquet"}
SCHEMA = pa.schema(
    [
        ("shard", pa.string()),
        ("sequence_number", pa.string()),
        ("arrival", pa.timestamp("ms", "UTC")),
        ("partition_key", pa.string()),
        ("data", pa.binary()),
    ]
)


class ExchangedRow(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A line of NDJSON; arrival in milliseconds since 1970."""

    shard: str = ""
    sequence_number: str = ""
    arrival_ms: int = 0
    partition_key: str
    data: str | None = None
    data_base64: str | None = None

    def payload(self) -> bytes:
        """The record's data. Raises ValueError if there is none, or no base64."""
        if self.data_base64 is not None:
            return b64decode(self.data_base64, validate=True)
        if self.data is None:
            raise ValueError("it has neither data nor data_base64")
        return self.data.encode()


def format_of(path: Path, requested: str | None) -> str:
    """ndjson or parquet: what is wanted, else what the file's name says.

    Raises:
        EddylineError: ``invalid_argument``.
    """
    chosen = requested or FORMATS.get(path.suffix.lower())
    if chosen not in ("ndjson", "parquet"):
        msg = f"{path.name} does not say which format it has"
        raise EddylineError("invalid_argument", msg, hint="give --format ndjson or parquet")
    return chosen


def export(stream: Stream, file: BinaryIO, form: str) -> tuple[int, int]:
    """Write all records that are there now, shard by shard; (records, those lost to damage)."""
    tips = {s.index: stream.bounds(s.index) for s in stream.shards()}
    count = lost = 0
    with _Sink(file, form) as sink:
        for info in stream.shards():
            at, end = tips[info.index]
            while at < end:
                got = stream.read(info.index, at, min(READ_RECORDS, end - at), READ_BYTES)
                lost += min(got.first_offset, end) - at
                n = max(0, min(len(got), end - got.first_offset))
                if n:
                    sink.write(_table(got, info, n))
                count, at = count + n, got.next_offset
    return count, lost


def _table(got: Slice, info: ShardInfo, n: int) -> pa.Table:
    offsets = range(got.first_offset, got.first_offset + n)
    numbers = sequence_numbers(info.index, info.created_ms, offsets)
    columns = [
        pa.array([info.shard_id] * n),
        pa.array(numbers, pa.string()),
        pa.array(got.arrival_ms[:n]).cast(pa.timestamp("ms", "UTC")),
        got.keys.slice(0, n),
        got.data.slice(0, n),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


class _Sink:
    """A file of either format, written piece by piece."""

    def __init__(self, file: BinaryIO, form: str) -> None:
        self._file = file
        self._parquet: Any = None
        if form == "parquet":
            import pyarrow.parquet as pq

            self._parquet = pq.ParquetWriter(file, SCHEMA, compression="zstd")

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, *_: object) -> None:
        if self._parquet is not None:
            self._parquet.close()

    def write(self, table: pa.Table) -> None:
        """Some rows more."""
        if self._parquet is not None:
            self._parquet.write_table(table)
            return
        columns = (
            table["shard"].to_pylist(),
            table["sequence_number"].to_pylist(),
            table["arrival"].cast(pa.int64()).to_pylist(),
            table["partition_key"].to_pylist(),
            table["data"].to_pylist(),
        )
        rows = [_row(*fields) for fields in zip(*columns, strict=True)]
        self._file.write(msgspec.json.Encoder().encode_lines(rows))


def _row(shard: str, number: str, ms: int, key: str, data: bytes) -> ExchangedRow:
    row = ExchangedRow(shard=shard, sequence_number=number, arrival_ms=ms, partition_key=key)
    try:
        row.data = data.decode()
    except UnicodeDecodeError:
        row.data_base64 = b64encode(data).decode()
    return row


def put_file(stream: Stream, file: BinaryIO, form: str, what: str) -> int:
    """Put the records of a file, in its order; how many. ``what`` names the file.

    Raises:
        EddylineError: ``bad_file``, naming the line; what was read before it has been put.
    """
    batches = _parquet(file, what) if form == "parquet" else _ndjson(file, what)
    count, flying = 0, None
    for batch in batches:
        following = stream.put(batch)
        if flying is not None:
            flying.result()
        count, flying = count + len(batch), following
    if flying is not None:
        flying.result()
    return count


def _ndjson(file: BinaryIO, what: str) -> Iterator[PutBatch]:
    decoder = msgspec.json.Decoder(ExchangedRow)
    keys: list[str] = []
    data: list[bytes] = []
    size = 0
    for number, line in enumerate(iter(lambda: file.readline(LINE_BYTES_MAX), b""), 1):
        if not line.strip():
            continue
        try:
            row = decoder.decode(line)
            payload = row.payload()
        except (msgspec.DecodeError, ValueError) as error:
            msg = f"{what}, line {number} is no record: {error}"
            hint = "a line is an object with partition_key, and data or data_base64"
            if keys:
                yield PutBatch(keys, data)
            raise EddylineError("bad_file", msg, hint=hint) from None
        keys.append(row.partition_key)
        data.append(payload)
        size += len(payload)
        if len(keys) >= PUT_RECORDS or size >= PUT_BYTES:
            yield PutBatch(keys, data)
            keys, data, size = [], [], 0
    if keys:
        yield PutBatch(keys, data)


def _parquet(file: BinaryIO, what: str) -> Iterator[PutBatch]:
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file)
        columns = ["partition_key", "data"]
        for batch in parquet.iter_batches(PUT_RECORDS, columns=columns):
            keys, data = (batch.column(name) for name in columns)
            yield PutBatch(keys.cast(pa.string()), data.cast(pa.binary()))
    except (pa.ArrowException, KeyError, OSError) as error:
        msg = f"{what} is no Parquet file of records: {error}"
        hint = "it needs the columns partition_key (text) and data (binary)"
        raise EddylineError("bad_file", msg, hint=hint) from None
