"""An instant in an answer: each protocol writes it in its own way."""

from __future__ import annotations


class Instant:
    """Milliseconds since 1970; JSON has it as seconds, CBOR as tagged milliseconds."""

    __slots__ = ("ms",)

    def __init__(self, ms: int) -> None:
        self.ms = ms
