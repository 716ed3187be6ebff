"""Objects of the facade that name what they do not have."""

from __future__ import annotations

from typing import Any


class MissingNames:
    """Says what is missing, with the way to write it instead."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        msg = f"{type(self).__name__}.{name} is not available here; write it as SQL in execute_sql"
        raise AttributeError(msg)
