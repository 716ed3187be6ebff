"""Structures of a request as plain members, for what is kept as it was given."""

from __future__ import annotations

from typing import Any

import msgspec


def document_of(struct: Any) -> dict[str, Any]:
    """A structure as members, without those that were not sent; empty for None."""
    if struct is None:
        return {}
    cleaned = _without_none(msgspec.to_builtins(struct))
    assert isinstance(cleaned, dict)
    return cleaned


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return [_without_none(v) for v in value] if isinstance(value, list) else value
