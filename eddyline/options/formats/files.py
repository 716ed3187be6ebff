"""Formats of Avro and Parquet."""

from __future__ import annotations

from enum import StrEnum

from eddyline.options.connector import Format
from eddyline.options.option import BOOLEAN, Option, choice, without_effect


class AvroCodec(StrEnum):
    """How the blocks of an Avro file are compressed."""

    NULL = "null"
    DEFLATE = "deflate"
    BZIP2 = "bzip2"
    XZ = "xz"


class ParquetCompression(StrEnum):
    """How the pages of a Parquet file are compressed."""

    UNCOMPRESSED = "UNCOMPRESSED"
    SNAPPY = "SNAPPY"
    GZIP = "GZIP"
    ZSTD = "ZSTD"
    LZ4 = "LZ4"


AVRO_CODEC = Option("codec", choice(AvroCodec), "deflate", "The compression of files.")
LEGACY_TIMESTAMPS = Option(
    "timestamp_mapping.legacy",
    BOOLEAN,
    "true",
    "Whether a TIMESTAMP is written as timestamp-millis (true) or as local-timestamp-millis.",
)
COMPRESSION = Option(
    "compression", choice(ParquetCompression), "SNAPPY", "The compression of pages."
)
UTC_TIMEZONE = Option(
    "utc-timezone",
    BOOLEAN,
    "false",
    "Whether times are stored in UTC.",
    no_effect="times are always stored in UTC here",
)

AVRO = Format(
    "avro",
    "Avro: whole files with their schema, or single records in the schema of the table.",
    (AVRO_CODEC, LEGACY_TIMESTAMPS),
    extra="avro",
)
PARQUET = Format(
    "parquet",
    "Parquet files.",
    (
        COMPRESSION, UTC_TIMEZONE,
        *without_effect(
            "Arrow chooses the layout of files here", "write.int64.timestamp",
            "timestamp.time.unit", "batch-size", "enable.dictionary", "block.size", "page.size",
        ),
    ),
    records=False,
)  # fmt: skip
