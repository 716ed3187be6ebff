"""CBOR: whatever is written is read again; what SDKs send is read; damage is told."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.aws import cbor, wire
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant, http_date
from eddyline.aws.model import load
from eddyline.aws.shapes import Inputs

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


def posted(body: bytes) -> wire.HttpParts:
    return wire.HttpParts("POST", "/", "", {}, body)


@given(VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(VALUES, st.data())
def test_what_is_cut_short_is_told(value: Any, data: st.DataObject) -> None:
    raw = cbor.encode(value)
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(AwsError) as caught:
        cbor.decode(raw[:cut])
    assert caught.value.name == "SerializationException"


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(AwsError):
        cbor.decode(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),  # of indefinite length, as Jackson's
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("c11b000001a2e0c2f4c0", 1798.0),
        ("c1fb41d5f5e100000000", 1472.0),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("f7", None),
        ("1818", 24),
        ("3903e7", -1000),
    ],
)
def test_what_others_write(raw: str, value: Any) -> None:
    refusal = cbor.decode(bytes.fromhex(raw))
    if raw.startswith("c1"):
        assert isinstance(refusal, float)  # milliseconds become seconds
    else:
        assert refusal == value


@pytest.mark.parametrize(
    "raw", ["", "ff", "1c", "0000", "81" * 40 + "00", "9f" * 5000, "9bffffffffffffffff00"]
)
def test_what_is_no_cbor(raw: str) -> None:
    with pytest.raises(AwsError, match="the body is not CBOR"):
        cbor.decode(bytes.fromhex(raw))


def test_instants() -> None:
    raw = cbor.encode({"T": Instant(1_764_000_000_123)})
    assert cbor.decode(raw) == {"T": 1_764_000_000.123}
    assert http_date(1_764_000_000_123) == "Mon, 24 Nov 2025 16:00:00 GMT"


def nested(values: int, inside: bytes = b"\x80") -> bytes:
    """An array of so many values, which are empty arrays if not told otherwise."""
    return cbor.head(4, values) + inside * values


def test_items_are_counted_before_they_cost_anything() -> None:
    assert len(cbor.decode(nested(cbor.ITEMS_MAX - 1))) == cbor.ITEMS_MAX - 1
    endless = b"\x9f" + b"\x80" * cbor.ITEMS_MAX + b"\xff"
    for raw in (nested(16_000_000), endless, b"\xc1" * 16_000_000, b"\xa1\x80" * 16_000_000):
        started = time.process_time()
        with pytest.raises(AwsError, match=r"items|nested|a key") as caught:
            cbor.decode(raw)
        assert caught.value.name == "SerializationException"
        assert time.process_time() - started < 2


def test_a_request_as_large_as_allowed_is_not_refused() -> None:
    record = {"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": "0"}
    body = cbor.encode({"StreamName": "s", "Records": [record] * 500})
    request = wire.CBOR.parse(Inputs(load("kinesis")), "PutRecords", posted(body))
    assert len(request.Records) == 500


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_limit(number: float) -> None:
    inputs = Inputs(load("kinesis"))
    body = cbor.encode({"ShardIterator": "AAAA", "Limit": number})
    with pytest.raises(AwsError, match="can not be converted to an Integer") as caught:
        wire.CBOR.parse(inputs, "GetRecords", posted(body))
    assert caught.value.name == "SerializationException"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x5b" + b"\xff" * 8, "cut short"),
        (b"\x9b" + b"\x7f" * 8, "cut short"),
        (b"\x19\x01", "cut short"),
        (b"\x62\xff\xfe", "not UTF-8"),
        (b"\xa1\x80\x01", "a key or a tagged value"),
        (b"\xc1\x61a", "a key or a tagged value"),
    ],
)
def test_bytes_that_are_no_value_are_refused_in_words(raw: bytes, words: str) -> None:
    with pytest.raises(AwsError, match=words):
        cbor.decode(raw)


def test_a_number_of_another_type_is_refused_in_words() -> None:
    body = cbor.encode({"ShardIterator": "AAAA", "Limit": 3.0})
    with pytest.raises(AwsError, match=r"^Limit must be an integer, not a number$"):
        wire.CBOR.parse(Inputs(load("kinesis")), "GetRecords", posted(body))


def test_a_break_out_of_place_is_refused() -> None:
    for raw in (b"\x81\xff", b"\xa1\x61a\xff", b"\xa1\xff\x01", b"\xc1\xff"):
        with pytest.raises(AwsError, match="break"):
            cbor.decode(raw)


def test_json_that_is_refused_is_not_searched_without_end() -> None:
    inputs = Inputs(load("kinesis"))
    body = b'{"StreamName":"s","Records":[' + b"[]," * 1_000_000 + b"[]]}"
    started = time.process_time()
    with pytest.raises(AwsError, match="more than") as caught:
        inputs.from_json("PutRecords", body)
    assert caught.value.name == "SerializationException"
    assert time.process_time() - started < 1
