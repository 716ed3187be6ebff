"""Printed SQL values as Python's own: numbers, truth values, dates and times."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

_TYPES: dict[str, Callable[[str], Any]] = {
    "TINYINT": int,
    "SMALLINT": int,
    "INT": int,
    "BIGINT": int,
    "FLOAT": float,
    "DOUBLE": float,
    "DECIMAL": decimal.Decimal,
    "BOOLEAN": lambda text: text == "TRUE",
    "DATE": dt.date.fromisoformat,
    "TIME": dt.time.fromisoformat,
    "TIMESTAMP": dt.datetime.fromisoformat,
    "TIMESTAMP_LTZ": dt.datetime.fromisoformat,
}


def value_of(kind: str, text: str | None) -> Any:
    """A value of an SQL type from its printed text; None for NULL.

    Whole numbers are ``int``, FLOAT and DOUBLE ``float``, DECIMAL ``decimal.Decimal``, dates and
    times of ``datetime`` (to the microsecond). Arrays, maps, rows and everything else stay text.

    >>> value_of("DECIMAL(5, 2) NOT NULL", "1.50")
    Decimal('1.50')
    >>> value_of("BOOLEAN", "TRUE"), value_of("STRING", "TRUE"), value_of("INT", None)
    (True, 'TRUE', None)
    """
    convert = _TYPES.get(kind.removesuffix(" NOT NULL").partition("(")[0].strip())
    if text is None or convert is None:
        return text
    try:
        return convert(text[:26] if convert is dt.datetime.fromisoformat else text)
    except ValueError:  # a year beyond 9999, for example
        return text
