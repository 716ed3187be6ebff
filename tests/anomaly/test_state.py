"""Saved forests: small, checked, and never read by an older version."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from eddyline.anomaly import state
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions
from eddyline.errors import EddylineError


@pytest.fixture(scope="module")
def saved() -> bytes:
    detectors = Detectors(DetectorOptions(ForestOptions(100, 256, 100_000, 8)), 1)
    detectors.process(np.zeros(3000, np.int64), np.random.default_rng(0).normal(0, 1, (3000, 1)))
    return detectors.dumps()


def test_a_full_forest_is_small(saved: bytes) -> None:
    assert len(saved) < 560_000  # its arrays take 2.8 MB


def test_an_empty_one_is_tiny() -> None:
    assert len(Detectors(DetectorOptions(), 1).dumps()) < 2_000


def test_a_newer_format_is_refused(saved: bytes) -> None:
    newer = saved[:4] + struct.pack("<H", state.VERSION + 1) + saved[6:]
    with pytest.raises(EddylineError, match="format 2; this Eddyline reads up to 1") as caught:
        Detectors.loads(newer)
    assert caught.value.code == "newer_format"


@pytest.mark.parametrize("name", ["judges.heads", "judges.tails"])
def test_models_of_another_width_are_refused(saved: bytes, name: str) -> None:
    header, arrays = state.unpack(saved)
    other = {**arrays, name: arrays[name][:, :-1].copy()}
    with pytest.raises(EddylineError, match="another version") as caught:
        Detectors.loads(state.pack(header, other))
    assert caught.value.code == "state_mismatch"


@pytest.mark.parametrize("at", [0, 2, 5, 8, 40, 5_000, -2])
def test_a_changed_byte_is_seen(saved: bytes, at: int) -> None:
    changed = bytearray(saved)
    changed[at] ^= 0x55
    with pytest.raises(EddylineError) as caught:
        Detectors.loads(bytes(changed))
    assert caught.value.code in ("corrupt_data", "newer_format")


@pytest.mark.parametrize("length", [0, 3, 9, 500, 100_000])
def test_a_cut_is_seen(saved: bytes, length: int) -> None:
    with pytest.raises(EddylineError) as caught:
        Detectors.loads(saved[:length])
    assert caught.value.code == "corrupt_data"


@pytest.mark.parametrize("kind", [np.int16, np.int64, np.float32, np.float64, np.uint16])
def test_arrays_come_back_as_they_were(kind: type) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.integers(0, 100, (3, 4, 5)).astype(kind),
        "empty": np.zeros((0, 7), kind),
        "large": rng.integers(0, 30_000, 5000).astype(kind),
    }
    header, back = state.unpack(state.pack({"x": 1}, arrays))
    assert header == {"x": 1}
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
