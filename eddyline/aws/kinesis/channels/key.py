"""The names of the objects that a channel delivers, from its template.

Fields stand in braces; whatever the template says, shard and first record's offset end the name,
so that no object overwrites another one, and one that is delivered twice overwrites itself.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

DEFAULT_TEMPLATE = "{channel}/{year}/{month}/{day}/{hour}/"
FIELDS = ("channel", "stream", "shard", "year", "month", "day", "hour", "minute")
ENDINGS = {"JSON": ".json", "STRING": ".txt", "BYTE_ARRAY": ".bin"}
_FIELD = re.compile(r"\{([^{}]*)\}")


def unknown_fields(template: str) -> list[str]:
    """What stands in braces and is no field; a lone brace too."""
    wrong = [f for f in _FIELD.findall(template) if f not in FIELDS]
    return wrong + [b for b in "{}" if b in _FIELD.sub("", template)]


def object_key(
    template: str, channel: str, stream: str, shard: str, arrival_ms: int, offset: int
) -> str:
    """The key of the object whose first record arrived then; without an ending."""
    at = datetime.fromtimestamp(arrival_ms / 1000, UTC)
    values = {
        "channel": channel,
        "stream": stream,
        "shard": shard,
        "year": f"{at:%Y}",
        "month": f"{at:%m}",
        "day": f"{at:%d}",
        "hour": f"{at:%H}",
        "minute": f"{at:%M}",
    }
    start = _FIELD.sub(lambda match: values[match[1]], template)
    joint = "" if start.endswith("/") else "-"
    return f"{start}{joint}{shard}-{offset:020d}"
