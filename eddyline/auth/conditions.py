"""The Condition block of IAM policies: operators over keys of the request.

A key that the request does not have makes a condition false, unless the operator ends in IfExists
or is a negated one, as in IAM.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

Context = Mapping[str, str]
Test = Callable[[str, str], bool]


@lru_cache(4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


def like(pattern: str, text: str) -> bool:
    """Whether the text fits a pattern with ``*`` and ``?``."""
    # Runs of * would make the search take its time; one says the same.
    return _pattern(re.sub(r"\*+", "*", pattern)).match(text) is not None


def _arn_like(pattern: str, text: str) -> bool:
    expected, given = pattern.split(":", 5), text.split(":", 5)
    return len(expected) == len(given) and all(map(like, expected, given))


def _number(test: Callable[[float, float], bool]) -> Test:
    return lambda expected, given: test(float(given), float(expected))


def _instant(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _date(test: Callable[[float, float], bool]) -> Test:
    return lambda expected, given: test(_instant(given), _instant(expected))


def _address(expected: str, given: str) -> bool:
    return ipaddress.ip_address(given) in ipaddress.ip_network(expected, strict=False)


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}
# operator -> test (wanted, given); a negated one is the same test turned round
_TESTS: dict[str, Test] = {
    "StringEquals": lambda expected, given: expected == given,
    "StringEqualsIgnoreCase": lambda expected, given: expected.lower() == given.lower(),
    "StringLike": like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda expected, given: expected.lower() == given.lower(),
    "IpAddress": _address,
    **{f"Numeric{name}": _number(test) for name, test in _COMPARE.items()},
    **{f"Date{name}": _date(test) for name, test in _COMPARE.items()},
}
_NEGATED: dict[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
# A value of each kind, to try what a document wants before it is kept.
_SAMPLES = {"Numeric": "0", "Date": "0", "IpAddress": "127.0.0.1", "NotIpAddress": "127.0.0.1"}


def check_condition(condition: Any) -> str | None:
    """What is wrong with a Condition block; None if nothing is."""
    if not isinstance(condition, dict):
        return "Condition is not an object"
    for operator, block in condition.items():
        base = operator.removesuffix("IfExists")
        if base not in _TESTS and base not in _NEGATED and operator != "Null":
            return f"condition operator {operator} is not supported"
        if not isinstance(block, dict):
            return f"condition {operator} is not an object"
        sample = next((v for k, v in _SAMPLES.items() if base.startswith(k)), "")
        for key, values in block.items():
            for expected in _texts(values):
                why = _tried(operator, base, expected, sample)
                if why:
                    return f"condition {operator} of {key}: {why}"
    return None


def _tried(operator: str, base: str, expected: str, sample: str) -> str | None:
    if operator == "Null":
        return None if expected in ("true", "false") else f"{expected!r} is neither true nor false"
    try:
        _TESTS[_NEGATED.get(base, base)](expected, sample)
    except ValueError as error:
        return str(error)
    return None


def holds(condition: Mapping[str, Any], context: Context) -> bool:
    """Whether all conditions of a block are met."""
    lower = {k.lower(): v for k, v in context.items()}
    return all(
        _holds(operator, lower.get(key.lower()), _texts(values))
        for operator, block in condition.items()
        for key, values in block.items()
    )


def _holds(operator: str, given: str | None, expected: list[str]) -> bool:
    if operator == "Null":
        return (given is None) == (expected == ["true"])
    base = operator.removesuffix("IfExists")
    if given is None:
        return base != operator or base in _NEGATED
    test = _TESTS[_NEGATED.get(base, base)]
    try:
        met = any(test(w, given) for w in expected)
    except ValueError:  # what the request has is not of this kind
        return False
    return met is not (base in _NEGATED)


def _texts(values: Any) -> list[str]:
    rows = values if isinstance(values, list) else [values]
    return [str(r).lower() if isinstance(r, bool) else str(r) for r in rows]
