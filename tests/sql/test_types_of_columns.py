"""Types as columns and casts name them, with the types that DESCRIBE of Flink 2.3 shows."""

from __future__ import annotations

from pathlib import Path

from tests.udf.session_kit import LocalSession

TYPES = {
    "VARCHAR": "STRING",
    "VARCHAR(5)": "VARCHAR(5)",
    "CHARACTER VARYING": "STRING",
    "CHARACTER VARYING(5)": "VARCHAR(5)",
    "CHAR": "CHAR(1)",
    "VARBINARY": "BYTES",
    "BINARY VARYING": "BYTES",
    "BINARY": "BINARY(1)",
    "ARRAY<VARCHAR>": "ARRAY<STRING>",
    "MAP<VARCHAR, VARCHAR>": "MAP<STRING, STRING>",
    "ROW<x VARCHAR>": "ROW<`x` STRING>",
    "DECIMAL": "DECIMAL(10, 0)",
    "NUMERIC(5)": "DECIMAL(5, 0)",
    "TIMESTAMP": "TIMESTAMP(6)",
    "TIMESTAMP_LTZ": "TIMESTAMP_LTZ(6)",
    "TIME": "TIME(0)",
}


def test_columns_have_the_types_of_flink(tmp_path: Path) -> None:
    columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(TYPES))
    with_options = "WITH ('connector' = 'blackhole')"
    rows = LocalSession(tmp_path).rows(f"CREATE TABLE q ({columns}) {with_options}; DESCRIBE q")
    assert [row[1] for row in rows] == list(TYPES.values())
