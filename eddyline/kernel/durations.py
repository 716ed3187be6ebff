"""PyFlink's ``Duration`` and ``Time``: lengths of time, which Python has as ``timedelta``."""

from __future__ import annotations

from datetime import timedelta


class Duration:
    """``Duration.of_hours(1)``."""

    @staticmethod
    def of_days(days: int) -> timedelta:
        """Days of 24 hours."""
        return timedelta(days=days)

    @staticmethod
    def of_hours(hours: int) -> timedelta:
        """Hours."""
        return timedelta(hours=hours)

    @staticmethod
    def of_minutes(minutes: int) -> timedelta:
        """Minutes."""
        return timedelta(minutes=minutes)

    @staticmethod
    def of_seconds(seconds: int) -> timedelta:
        """Seconds."""
        return timedelta(seconds=seconds)

    @staticmethod
    def of_millis(millis: int) -> timedelta:
        """Milliseconds."""
        return timedelta(milliseconds=millis)


class Time:
    """``Time.hours(1)``, the older spelling."""

    days = staticmethod(Duration.of_days)
    hours = staticmethod(Duration.of_hours)
    minutes = staticmethod(Duration.of_minutes)
    seconds = staticmethod(Duration.of_seconds)
    milliseconds = staticmethod(Duration.of_millis)
