"""Durations and Java date patterns in table options; datagen."""

from __future__ import annotations

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
