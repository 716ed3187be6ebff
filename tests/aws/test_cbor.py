"""CBOR: whatever is written is read again; what SDKs send is read; damage is told."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.aws import cbor
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant, http_date

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
    found = cbor.decode(bytes.fromhex(raw))
    if raw.startswith("c1"):
        assert isinstance(found, float)  # milliseconds become seconds
    else:
        assert found == value


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
