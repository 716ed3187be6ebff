"""The names of a ROW type's fields, read from its text."""

from __future__ import annotations

import re


def row_names(text: str) -> list[str]:
    """The fields of a ROW type that is given as text; none if it is no ROW."""
    match = re.fullmatch(r"\s*ROW\s*[<(](.*)[>)]\s*(NOT NULL)?", text, re.IGNORECASE | re.DOTALL)
    if match is None:
        return []
    parts, depth, start = [], 0, 0
    inner = match[1]
    for place, character in enumerate(inner):
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append(inner[start:place])
            start = place + 1
    parts.append(inner[start:])
    return [p.strip().split()[0].strip("`") for p in parts]
