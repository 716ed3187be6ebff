"""A note from a stream's own records: types on the safe side, statements that parse."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.service.notes.from_stream import create_table, draft, infer, table_of
from eddyline.service.notes.header import parse
from eddyline.sql.parse import parse_script

SENSOR = {
    "sensor_id": 7,
    "current_temperature": 21.5,
    "status": "OK",
    "event_time": "2023-08-29T12:54:35.123",
}


def rows(*values: object) -> list[bytes]:
    return [json.dumps({"x": v}).encode() for v in values]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((1, 2), "INT"),
        ((1, None), "INT"),
        ((1, 2_000_000), "BIGINT"),
        ((2**70,), "STRING"),
        ((1, 2.5), "DOUBLE"),
        ((True, False), "BOOLEAN"),
        ((True, 1), "STRING"),
        (("a", "b"), "STRING"),
        ((1, "b"), "STRING"),
        ((None,), "STRING"),
        (([1],), "STRING"),
        (({"y": 1},), "STRING"),
        (("2023-08-29T12:54:35", "2023-08-29T12:54:35.123456"), "TIMESTAMP(3)"),
        (("2023-08-29 12:54:35",), "TIMESTAMP(3)"),
        (("2023-08-29T12:54:35Z",), "TIMESTAMP_LTZ(3)"),
        (("2023-08-29T12:54:35", "2023-08-29 12:54:35"), "STRING"),
        (("2023-08-29T12:54:35", "soon"), "STRING"),
        (("2023-08-29",), "STRING"),
    ],
)
def test_types(values: tuple[object, ...], kind: str) -> None:
    assert infer(rows(*values)).columns[0].type == kind


def test_the_labs_stream() -> None:
    schema = infer([json.dumps(SENSOR).encode()] * 3)
    assert (schema.time, schema.standard) == ("event_time", "ISO-8601")
    text = create_table("my-input-stream", "us-east-1", schema)
    assert text == (
        "CREATE TABLE IF NOT EXISTS my_input_stream (\n"
        "    sensor_id INT,\n"
        "    current_temperature DOUBLE,\n"
        "    status STRING,\n"
        "    event_time TIMESTAMP(3),\n"
        "    WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND\n"
        ")\nWITH (\n"
        "    'connector' = 'kinesis',\n"
        "    'stream' = 'my-input-stream',\n"
        "    'aws.region' = 'us-east-1',\n"
        "    'scan.stream.initpos' = 'TRIM_HORIZON',\n"
        "    'format' = 'json',\n"
        "    'json.timestamp-format.standard' = 'ISO-8601'\n"
        ");"
    )


def test_without_a_time_the_arrival_is_it() -> None:
    schema = infer([b'{"browseraction": "Click", "arrival": 1}'])
    assert schema.time is None
    text = create_table("clicks", "us-east-1", schema)
    assert "arrival_time TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL" in text
    assert "WATERMARK FOR arrival_time AS arrival_time" in text
    assert "timestamp-format" not in text


@pytest.mark.parametrize("samples", [[], [b"hello"], [b'{"a": 1}', b"[1]"], [b"{}"], [b"\xff"]])
def test_records_that_are_no_json_are_read_as_text(samples: list[bytes]) -> None:
    schema = infer(samples)
    assert schema.columns == ()
    assert "'format' = 'raw'" in create_table("s", "r", schema)


def test_one_time_standard_a_table() -> None:
    schema = infer([b'{"a": "2023-08-29 12:54:35", "ts": "2023-08-29T12:54:35"}'])
    assert [c.type for c in schema.columns] == ["STRING", "TIMESTAMP(3)"]
    assert schema.time == "ts"


def test_counts_are_grouped_by_the_column_of_few_values() -> None:
    samples = [json.dumps({"id": f"u{i}", "page": f"p{i % 3}"}).encode() for i in range(50)]
    text = draft("clicks", "us-east-1", infer(samples))
    assert "GROUP BY window_start, window_end, page;" in text.texts[3]


@given(
    st.lists(
        st.dictionaries(
            st.text(st.characters(exclude_characters="`", exclude_categories=["C", "Z"]),
                    min_size=1, max_size=8),
            st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=4,
    ),
    st.from_regex(r"[a-zA-Z0-9_.-]{1,30}", fullmatch=True),
)  # fmt: skip
def test_whatever_the_records_the_statements_parse(
    records: list[dict[str, object]], stream: str
) -> None:
    refusal = draft(stream, "us-east-1", infer(json.dumps(r).encode() for r in records))
    for text in refusal.texts[1:]:
        assert len(parse_script(parse(text).body)) == 1


def test_table_names() -> None:
    assert table_of("my-input.stream") == "my_input_stream"
    assert table_of("1st") == "`1st`"
    assert table_of("order") == "`order`"
