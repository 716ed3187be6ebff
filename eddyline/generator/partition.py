"""Partition keys: random, from a field of the record, or one for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from eddyline.errors import EddylineError
from eddyline.generator.arguments import text_of

# A key has 1 … 256 characters in Kinesis.
KEY_CHARS_MAX = 256
# Enough keys to spread evenly over any number of shards, few enough to hash once each.
RANDOM_KEYS = 65_536

# The keys of a batch of records (BinaryArray, shape (n,)), as a StringArray.
Keys = Callable[[Any], Any]

_RANDOM = "random"


def compile_key(text: str, rng: np.random.Generator) -> Keys:
    """Compile ``random``, ``field:NAME`` or ``fixed:TEXT``.

    Raises:
        EddylineError: ``invalid_argument`` for any other text.
    """
    kind, _, value = text.partition(":")
    if text == _RANDOM:
        return _random(rng)
    if kind == "field" and value:
        return _field(value)
    if kind == "fixed" and 0 < len(value) <= KEY_CHARS_MAX:
        return lambda data: pa.repeat(value, len(data))
    raise EddylineError(
        "invalid_argument",
        f"partition key {text!r} is none of random, field:NAME, fixed:TEXT",
        hint="a fixed key has 1 to 256 characters",
    )


def _random(rng: np.random.Generator) -> Keys:
    table = pa.array([str(k) for k in range(RANDOM_KEYS)])
    return lambda data: table.take(pa.array((rng.random(len(data)) * RANDOM_KEYS).astype(np.int64)))


def _field(name: str) -> Keys:
    struct = msgspec.defstruct("Keyed", [("key", Any, None)], rename={"key": name})
    decode = msgspec.json.Decoder(struct).decode

    def keys(data: Any) -> Any:
        return pa.array([_key_of(decode, record) for record in data.to_pylist()], pa.string())

    return keys


def _key_of(decode: Callable[[bytes], Any], record: bytes) -> str:
    """The field as a text; ``-`` where the record is no JSON object or has no such field."""
    try:
        value = decode(record).key
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "-"
    return text_of(value)[:KEY_CHARS_MAX] if value not in (None, "") else "-"
