"""The print connector's lines, as Flink's print; values of datagen by type and option."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from statement_kit import Sql

from eddyline.errors import EddylineError

ALL = 10**9
TYPES = (
    "a INT, b STRING, o BOOLEAN, d DOUBLE, e DECIMAL(10, 2), dt DATE, tm TIME, t TIMESTAMP(3), "
    "l TIMESTAMP_LTZ(3), ar ARRAY<INT>, m MAP<STRING, INT>, r ROW<x INT, y STRING>, z BYTES"
)
VALUES = (
    "(1, 'x', TRUE, 1e30, 1.50, DATE '2026-01-02', TIME '01:02:03', "
    "TIMESTAMP '2026-01-01 00:00:00', TO_TIMESTAMP_LTZ(1, 3), ARRAY[1, CAST(NULL AS INT)], "
    "MAP['a', 1], ROW(1, 'q'), x'41FF')"
)


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    kit = Sql(tmp_path_factory.mktemp("print"))
    yield kit
    kit.close()


def test_values_are_printed_as_java_prints_them(sql: Sql) -> None:
    sql.execute(f"CREATE TABLE p ({TYPES}) WITH ('connector' = 'print', 'print-identifier' = 'P')")
    assert sql.run(f"INSERT INTO p VALUES {VALUES}", records=ALL).words == [
        "P> +I[1, x, true, 1.0E30, 1.50, 2026-01-02, 01:02:03, 2026-01-01T00:00, "
        "1970-01-01T00:00:00.001Z, [1, null], {a=1}, +I[1, q], [65, -1]]"
    ]
    sql.execute("CREATE TABLE q (a STRING, t TIME, s TIMESTAMP(3)) WITH ('connector' = 'print')")
    row = "CAST(NULL AS STRING), TIME '01:02:00', TIMESTAMP '2026-01-01 01:02:03.5'"
    words = sql.run(f"INSERT INTO q VALUES ({row})", records=ALL).words
    assert words == ["+I[null, 01:02, 2026-01-01T01:02:03.500]"]


def made(sql: Sql, columns: str, count: int = 20, **options: str) -> list[tuple[Any, ...]]:
    """Rows of a datagen table; ``a__max_past`` stands for the option fields.a.max-past."""
    written = {
        "connector": "datagen", "number-of-rows": str(count), "rows-per-second": "1000000",
        **{f"fields.{k.replace('__', '.').replace('_', '-')}": v for k, v in options.items()},
    }  # fmt: skip
    name = f"g{len(sql.catalog.list_tables())}"
    text = ", ".join(f"'{k}' = '{v}'" for k, v in written.items())
    sql.execute(f"CREATE TABLE {name} ({columns}) WITH ({text})")
    return sql.rows(f"SELECT * FROM {name}", records=ALL)


def test_datagen_makes_every_type(sql: Sql) -> None:
    columns = (
        "a BOOLEAN, b TINYINT, c SMALLINT, d INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(5, 2), "
        "i CHAR(4), j VARCHAR(5), k STRING, l DATE, m TIME, n TIMESTAMP(3), o TIMESTAMP_LTZ(3), "
        "p ARRAY<INT>, q MAP<STRING, INT>, r ROW<x INT>, s BINARY(3), t VARBINARY(4)"
    )
    rows = made(sql, columns, q__key__length="9")
    values = dict(zip("abcdefghijklmnopqrst", zip(*rows, strict=True), strict=True))
    assert {len(v) for v in values["i"]} == {4}
    assert {len(v) for v in values["j"]} == {5}
    assert {len(v) for v in values["k"]} == {100}
    assert {len(v) for c in "pq" for v in values[c]} == {3}
    assert all(abs(v) < 1000 and isinstance(v, Decimal) for v in values["h"])
    assert min(values["b"]) < 0 < max(values["b"])
    assert len(set(values["n"])) == 1  # without max-past a time is now


def test_options_of_columns(sql: Sql) -> None:
    columns = "a INT, b DOUBLE, c DECIMAL(5, 2), v VARCHAR(20), n INT, t TIMESTAMP(3)"
    bounds = {f"{c}__{w}": v for c in "abc" for w, v in (("min", "3"), ("max", "4"))}
    rows = made(
        sql, columns, 50, **bounds, v__var_len="true", n__null_rate="0.5", t__max_past="1 h"
    )  # fmt: skip
    assert all(3 <= value <= 4 for row in rows for value in row[:3])
    assert len({len(row[3]) for row in rows}) > 5
    assert 0 < sum(row[4] is None for row in rows) < 50
    assert len({row[5] for row in rows}) > 20


def test_the_shortest_sequence_ends_the_rows(sql: Sql) -> None:
    sequence = {f"{c}__{w}": v for c in "ab" for w, v in (("kind", "sequence"), ("start", "1"))}
    rows = made(sql, "a STRING, b DECIMAL(5, 2)", **sequence, a__end="3", b__end="9")
    assert rows == [("1", Decimal(1)), ("2", Decimal(2)), ("3", Decimal(3))]


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ("a CHAR(4)", {"a__length": "2"}, "says the length"),
        ("a VARCHAR(4)", {"a__length": "9"}, "at most 4"),
        ("a INT", {"a__min": "x"}, "'x'"),
        ("a TINYINT", {"a__max": "300"}, "not a TINYINT"),
        ("a INT", {"a__min": "5", "a__max": "4"}, "greater than"),
        ("a TIMESTAMP(3)", {"a__kind": "sequence"}, "no sequence"),
        ("a INT", {"a__kind": "sequence", "a__start": "1"}, "'fields.a.end' is missing"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    columns: str, options: dict[str, str], words: str, sql: Sql
) -> None:
    with pytest.raises(EddylineError, match=words):
        made(sql, columns, **options)
