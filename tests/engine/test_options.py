"""Durations and Java date patterns in table options; datagen."""

from __future__ import annotations

import re

import pytest
from engine_kit import group, run, select

from eddyline.catalog.table import CatalogTable, ObjectPath, TableColumn
from eddyline.engine.build import NODES
from eddyline.errors import EddylineError
from eddyline.options.connectors.kinesis import STREAM
from eddyline.options.duration import milliseconds
from eddyline.options.java_time import parse_moment
from eddyline.record import types as t
from eddyline.record.schema import Schema
from eddyline.sql import physical as p


@pytest.mark.parametrize(
    ("text", "ms"),
    [("10 s", 10_000), ("5min", 300_000), ("200 ms", 200), ("1 d", 86_400_000), ("7", 7)],
)
def test_durations(text: str, ms: int) -> None:
    assert milliseconds(text) == ms


UNITS = {
    1: ("", "ms", "milli", "millis", "millisecond", "milliseconds"),
    1000: ("s", "sec", "secs", "second", "seconds"),
    60_000: ("m", "min", "mins", "minute", "minutes"),
    3_600_000: ("h", "hour", "hours"),
    86_400_000: ("d", "day", "days"),
}


@pytest.mark.parametrize(("unit", "ms"), [(u, ms) for ms, units in UNITS.items() for u in units])
def test_every_unit_of_a_duration(unit: str, ms: int) -> None:
    assert milliseconds(f"3 {unit.upper()}") == 3 * ms


def test_the_longest_duration_is_a_thousand_years() -> None:
    assert milliseconds("366000 d") == 366_000 * 86_400_000
    with pytest.raises(ValueError, match="thousand years"):
        milliseconds(f"{366_000 * 86_400_000 + 1} ms")


def test_a_duration_without_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match="not a duration"):
        milliseconds("soon")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("2026-01-02T03:04:05.678+00:00", None),
        ("2026-01-02T03:04:05.678+00:00", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"),
        ("2026-01-02T04:04:05.678+01:00", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"),
        ("02.01.2026 03:04:05.678", "dd.MM.yyyy HH:mm:ss.SSS"),
        ("1767323045.678", None),
    ],
)
def test_moments(text: str, pattern: str | None) -> None:
    assert parse_moment(text, pattern) == 1767323045678


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("nan", None), ("inf", None), ("1e300", None), ("253402300800", None),
        ("in 2026", "QQQQ"), ("01 01", "dd dd"), ("2026-01-02", "dd.MM.yyyy"),
    ],
)  # fmt: skip
def test_no_moments(text: str, pattern: str | None) -> None:
    form = re.escape(pattern or "yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
    with pytest.raises(EddylineError, match=f"is not a time of the form {form}$"):
        parse_moment(text, pattern)


@pytest.mark.parametrize(
    ("text", "pattern", "ms"),
    [
        ("253402300799.999", None, 253_402_300_799_999), ("-1", None, -1000),
        ("1970-01-01T00:00:00Z", "yyyy-MM-dd'T'HH:mm:ssX", 0),
        ("1970-01-01 00:00:01.000002", "yyyy-MM-dd HH:mm:ss.SSSSSS", 1000),
        ("100% 1970", "'100%' yyyy", 0), ("1970%", "yyyy%", 0),
    ],
)  # fmt: skip
def test_moments_at_the_edges(text: str, pattern: str | None, ms: int) -> None:
    assert parse_moment(text, pattern) == ms


def test_a_moment_of_another_form_is_refused() -> None:
    with pytest.raises(EddylineError, match="is not a time of the form"):
        parse_moment("yesterday", None)


def test_a_stream_by_name_or_arn() -> None:
    arn = "arn:aws:kinesis:us-east-1:000000000000:stream/clicks"
    assert STREAM.read({"stream.arn": arn}) == STREAM.read({"stream": "clicks"}) == "clicks"


def test_datagen_makes_so_many_rows() -> None:
    schema = Schema.of(n=t.INT, k=t.STRING, d=t.DOUBLE)
    options = {
        "connector": "datagen",
        "number-of-rows": "100",
        "rows-per-second": "100000",
        "fields.n.kind": "sequence",
        "fields.n.start": "1",
        "fields.n.end": "1000",
        "fields.k.length": "1",
    }
    columns = tuple(TableColumn(c.name, c.type) for c in schema)
    table = CatalogTable(ObjectPath("c", "d", "g"), columns, options=options)
    rows = run(select(p.Scan(table, schema, (), schema))).changes
    assert [r[0] for _, r in rows] == list(range(1, 101))
    assert {len(r[1]) for _, r in rows} == {1}
    assert all(r[2] >= 0 for _, r in rows)
    keys = run(select(group(p.Scan(table, schema, (), schema), ("k",)))).folded()
    assert sum(n for _, n in keys) == 100


def test_every_node_of_the_plan_has_an_operator() -> None:
    assert set(NODES) == set(p.Node.__args__)  # type: ignore[attr-defined]
