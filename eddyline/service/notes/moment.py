"""Points in time as notes write them: Zeppelin's own form and that of the older exports."""

from __future__ import annotations

from datetime import UTC, datetime

_FORMS = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z")
# Gson's default form, which notes of the oldest versions have.
_OLDEST = "%b %d, %Y %I:%M:%S %p"


def zeppelin_text(ms: int) -> str:
    """Epoch ms as ``2026-11-24 10:00:00.000``, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def epoch_ms(text: object) -> int | None:
    """Epoch ms of a note's date in any of its forms; None for what is none.

    A date without an offset is taken as UTC: the file does not say where it was written.
    """
    if not isinstance(text, str):
        return None
    for form in (*_FORMS, _OLDEST):
        try:
            instant = datetime.strptime(text.strip(), form)  # noqa: DTZ007 - offset is added below
        except ValueError:
            continue
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        return round(instant.timestamp() * 1000)
    return None
