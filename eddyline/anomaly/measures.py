"""Columns of whole numbers that are no measures by their name: row numbers, identifiers, times."""

from __future__ import annotations

import re

_NUMBERED = re.compile(
    r"(?i)#|nr\.?|no\.?|idx|index|row|row_?(num|number|id|no|nr|index)|seq|sequence|offset|"
    r"unnamed: ?\d+|level_0"
)
_IDENTIFIES = re.compile(
    r"(?i)(.*[_\s-])?(id|ids|uuid|guid)|(user|session|request|order|customer|item|product|device|"
    r"account|event|record|message)id"
)
_CAMEL_ID = re.compile(r".*[a-z](Id|ID)")
_TIME = re.compile(
    r"(?i)(.*_)?(time|timestamp|ts|at|date|datetime|epoch|when)(_?(s|ms|us|ns|utc))?"
)


def identifies_rows(name: str) -> bool:
    """Whether whole numbers of this name number or identify rows."""
    return any(p.fullmatch(name) for p in (_NUMBERED, _IDENTIFIES, _CAMEL_ID))


def names_a_time(name: str) -> bool:
    """Whether numbers of this name may be times."""
    return _TIME.fullmatch(name) is not None
