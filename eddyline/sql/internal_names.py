"""Functions that no script calls by name, named as Flink names its internal ones."""

from __future__ import annotations

# The plus of Python's Table API, which joins texts, too.
TABLE_API_PLUS = "$PLUS$1"
