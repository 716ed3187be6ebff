"""Numbers as Java writes them: DOUBLE as ``1.0E30``, DECIMAL as ``1E-7``.

DuckDB writes most numbers in the same way; only the others are computed in Python, once per
distinct value.
"""

from __future__ import annotations

from decimal import Decimal

from eddyline.record.types import STRING
from eddyline.record.vector import by_distinct_row, define


def _scientific(text: str) -> str:
    """Python's spelling of a float as Java's: ``1e+30`` is ``1.0E30``."""
    value = Decimal(text).normalize()
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits))
    power = exponent + len(written) - 1
    body = f"{written[0]}.{written[1:] or '0'}E{power}"
    return f"-{body}" if sign else body


def _decimal(text: str) -> str:
    value = Decimal(text).normalize()
    return str(value) if value else "0"


_SCIENTIFIC = define("scientific_text", STRING, by_distinct_row(_scientific, STRING))
_DECIMAL = define("decimal_text", STRING, by_distinct_row(_decimal, STRING))


def approximate(value: str) -> str:
    """DuckDB text: a FLOAT or DOUBLE as Java writes it; plain from 1e-3 up to 1e7."""
    plain = f"{value} = 0 OR (abs({value}) >= 1e-3 AND abs({value}) < 1e7)"
    special = (
        f"WHEN isnan({value}) THEN 'NaN' WHEN isinf({value}) THEN "
        f"CASE WHEN {value} > 0 THEN 'Infinity' ELSE '-Infinity' END"
    )
    return (
        f"CASE WHEN {plain} THEN {value}::VARCHAR {special} "
        f"ELSE {_SCIENTIFIC}({value}::VARCHAR) END"
    )


def decimal(value: str) -> str:
    """DuckDB text: a DECIMAL without trailing zeros, as BigDecimal writes it."""
    text = f"{value}::VARCHAR"
    short = f"rtrim({text}, '0')"
    usual = f"contains({text}, '.') AND abs({value}) >= 1 AND NOT suffix({short}, '.')"
    return f"CASE WHEN {usual} THEN {short} ELSE {_DECIMAL}({text}) END"


def plain_decimal(value: str) -> str:
    """DuckDB text: a DECIMAL with all digits of its scale."""
    return f"regexp_replace({value}::VARCHAR, '^(-?)\\.', '\\10.')"
