"""Hooks by which a note's Python changes what a function does when it is called there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# The kernel puts a callable here that makes a call with columns an expression of the Table API.
CALL_WITH_COLUMNS: list[Callable[[Any, tuple[Any, ...]], Any]] = []
