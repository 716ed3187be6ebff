"""What of an operator's state differs from a statement, in words: a table, setting to words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def difference(key: str, saved: Any, now: Any) -> str:
    """`` (TUMBLE of 20 s; the state's: TUMBLE of 10 s)``; empty where words would not help."""
    words = _WORDS.get(key)
    if words is None or saved is None:
        return ""
    try:
        before, after = words(saved), words(now)
    except (TypeError, ValueError, KeyError, IndexError):  # a state of an earlier version
        return ""
    return f" ({after}; the state's: {before})" if before != after else ""


def _duration(ms: int) -> str:
    for unit, name in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if ms % unit == 0 and ms:
            return f"{ms // unit} {name}"
    return f"{ms} ms"


def _window(value: Any) -> str:
    kind, size, slide, offset = value
    parts = [f"{kind} of {_duration(int(size))}"]
    if slide:
        parts.append(f"every {_duration(int(slide))}")
    if offset:
        parts.append(f"with offset {_duration(int(offset))}")
    return " ".join(parts)


def _text(value: Any) -> str:
    """The text of an expression that is kept as (text, type), or as a tree."""
    return str(value[0]) if isinstance(value, list) else str(value)


def _call(value: Any) -> str:
    if not isinstance(value, Mapping):
        function, arguments, distinct, condition = value[:4]
    else:
        function, arguments = value["function"], value["arguments"]
        distinct, condition = value["distinct"], value["filter"]
    inner = ", ".join(_text(a) for a in arguments) or "*"
    call = f"{function}({'DISTINCT ' if distinct else ''}{inner})"
    return f"{call} with FILTER" if condition else call


def _calls(value: Any) -> str:
    return ", ".join(_call(call) for call in value) or "none"


def _keys(value: Any) -> str:
    return ", ".join(_text(key) for key in value) or "none"


def place_in_words(value: Any) -> str:
    """A source or sink that is kept as (connector, stream or path)."""
    connector, place = value
    return f"stream {place}" if connector == "kinesis" else f"{connector} {place or ''}".strip()


_WORDS: dict[str, Callable[[Any], str]] = {
    "window": _window,
    "aggregates": _calls,
    "keys": _keys,
    "source": place_in_words,
    "sink": place_in_words,
}
