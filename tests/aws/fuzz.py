"""Requests made from the model's shapes: valid ones, nearly valid ones, and garbage."""

from __future__ import annotations

import json
import math
import random
import string
from base64 import b64encode
from typing import Any

from eddyline.aws import cbor
from eddyline.aws.model import Shape, load

ARN = "arn:aws:kinesis:us-east-1:000000000000:"
STREAMS = [f"fuzz-{i}" for i in range(4)]
NUMBER = "49017956127848130000000000000000000000000000000000000000"
# Values by the shape's name, so that many requests find something to work on.
POOLS: dict[str, list[Any]] = {
    "StreamName": STREAMS,
    "StreamARN": [f"{ARN}stream/{s}" for s in STREAMS],
    "ResourceARN": [f"{ARN}stream/{STREAMS[0]}", f"{ARN}queue/q", f"{ARN}channel/c"],
    "ConsumerARN": [f"{ARN}stream/{STREAMS[0]}/consumer/c:1764000000"],
    "QueueARN": [f"{ARN}queue/q"],
    "ChannelARN": [f"{ARN}channel/c"],
    "ShardId": [f"shardId-{i:012d}" for i in range(3)],
    "SequenceNumber": [NUMBER, "0"],
    "HashKey": ["0", str(2**127), str(2**128 - 1), str(2**128)],
    "PartitionKey": ["k", "key " * 60],
    "Policy": ['{"Statement":{"Effect":"Deny","Principal":"*","Action":"x:y","Resource":"*"}}'],
    "KeyId": ["alias/aws/kinesis"],
    "StreamId": ["aaaaaaaaaaaaaaaaaaaa-bbb"],
    "NextToken": ["AAAA"],
    "WaitTimeSeconds": [1],
}
OPERATIONS = load("kinesis").operations
JUNK: list[Any] = [
    None, True, -1, 0, 2**31, 2**63, 2**64, 1e308, -0.5, "", "x", "\0", "\ud7ff", "ü" * 300,
    "A" * 5000, [], math.nan, math.inf, -math.inf, [None], [[[]]], {}, {"": {}}, {"a": [1]},
]  # fmt: skip


class Maker:
    """Makes requests from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.iterators: list[str] = []

    def request(self) -> tuple[str, dict[str, str], bytes]:
        """(operation, further headers, body)."""
        operation = self.random.choice(list(OPERATIONS))
        members = self._structure(OPERATIONS[operation].input)
        kind = self.random.random()
        if kind < 0.4:
            members = self._damaged(members)
        if self.random.random() < 0.25:
            body = cbor.encode(_in_cbor(members))
            headers = {"Content-Type": "application/x-amz-cbor-1.1"}
        else:
            body, headers = json.dumps(members, default=_base64).encode(), {}
        if kind > 0.95:
            body = self._torn(body)
        return operation, headers, body

    def _structure(self, shape: Shape) -> Any:
        out = {}
        for name, member in shape.members.items():
            if name in shape.required or self.random.random() < 0.4:
                out[name] = self._value(member, name)
        return out

    def _value(self, shape: Shape, name: str = "") -> Any:
        pool = POOLS.get(shape.name) or POOLS.get(name)
        if name == "ShardIterator" and self.iterators and self.random.random() < 0.8:
            return self.random.choice(self.iterators)
        if pool and self.random.random() < 0.9:
            return self.random.choice(pool)
        make = getattr(self, f"_{shape.kind}", None)
        return make(shape) if make else self._number(shape)

    def _string(self, shape: Shape) -> str:
        if shape.enum:
            return self.random.choice(shape.enum)
        length = self.random.randint(shape.low or 0, min(shape.high or 20, 40))
        return "".join(self.random.choices(string.ascii_letters + string.digits, k=length))

    def _blob(self, shape: Shape) -> bytes:
        return self.random.randbytes(self.random.choice((0, 1, 100, 5000)))

    def _list(self, shape: Shape) -> list[Any]:
        assert shape.member is not None
        return [self._value(shape.member) for _ in range(self.random.randint(1, 4))]

    def _map(self, shape: Shape) -> dict[str, Any]:
        assert shape.key is not None
        assert shape.value is not None
        return {self._string(shape.key): self._value(shape.value) for _ in range(2)}

    def _boolean(self, shape: Shape) -> bool:
        return self.random.random() < 0.3

    def _timestamp(self, shape: Shape) -> float:
        return self.random.choice((0.0, 1.5, 1_764_000_000.123, 4e9))

    def _number(self, shape: Shape) -> int:
        low = shape.low or 0
        return self.random.randint(low, min(shape.high or low + 50, low + 50))

    def _damaged(self, value: Any) -> Any:
        """The value with one thing in it replaced, added or left out."""
        if isinstance(value, dict) and value and self.random.random() < 0.9:
            out = dict(value)
            name = self.random.choice(list(out))
            chance = self.random.random()
            if chance < 0.2:
                del out[name]
            elif chance < 0.3:
                out["Unknown"] = 1
            elif isinstance(out[name], dict | list) and chance < 0.7:
                out[name] = self._damaged(out[name])
            else:
                out[name] = self.random.choice(JUNK)
            return out
        if isinstance(value, list) and value:
            return [*value[1:], self._damaged(value[0])]
        return self.random.choice(JUNK)

    def _torn(self, body: bytes) -> bytes:
        cut = body[: self.random.randint(0, len(body))]
        return cut + self.random.randbytes(self.random.randint(0, 20))


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _in_cbor(value: Any) -> Any:
    """What CBOR's head can hold: integers of 64 bits."""
    if isinstance(value, dict):
        return {k: _in_cbor(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_in_cbor(v) for v in value]
    too_large = isinstance(value, int) and not -(2**63) <= value < 2**64
    return float(value) if too_large else value
