"""Columns of texts as JSON: strings in quotes, ``null`` where there is no value."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# What has to be escaped within a JSON string.
_SPECIAL = r'["\\\x00-\x1f]'


def quoted(texts: Any) -> Any:
    """A StringArray as JSON strings; null stays null."""
    special = pc.match_substring_regex(texts, _SPECIAL)
    if pc.any(special).as_py():
        rows = pc.fill_null(special, False)
        escaped = [json.dumps(t, ensure_ascii=False)[1:-1] for t in texts.filter(rows).to_pylist()]
        texts = pc.replace_with_mask(texts, rows, pa.array(escaped, pa.string()))
    return pc.binary_join_element_wise('"', texts, '"', "")


def or_null(texts: Any) -> Any:
    """JSON texts with ``null`` where there is none."""
    return pc.fill_null(texts, "null")
