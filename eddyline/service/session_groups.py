"""Groups of sessions that share what their statements SET, USE and make temporary."""

from __future__ import annotations

from eddyline.service.context_change import ContextChange, changed
from eddyline.service.jobs import JobContext


class SessionGroups:
    """Which session belongs to which group, and what each group has; callers hold a lock."""

    def __init__(self) -> None:
        self._groups: dict[str, str] = {}
        self._contexts: dict[str, JobContext] = {}

    def join(self, session: str, group: str) -> JobContext | None:
        """Put a session into a group; what it is to take on, None if nothing."""
        if self._groups.get(session) == group:
            return None
        self._groups[session] = group
        return self._contexts.get(group)

    def leave(self, session: str) -> None:
        """The session has ended; its group keeps what it has."""
        self._groups.pop(session, None)

    def share(
        self, session: str, context: JobContext, change: ContextChange | None
    ) -> tuple[JobContext, list[str]]:
        """A session's statement has changed its context, which is that after the statement.

        Returns what the session, and its whole group, has from now on, and the other sessions that
        are to take on the change.
        """
        group = self._groups.get(session)
        if group is None:
            return context, []
        known = self._contexts.get(group)
        if known is not None and change is None:
            return known, []
        merged = context if known is None or change is None else changed(known, change)
        self._contexts[group] = merged
        return merged, [s for s, its in self._groups.items() if its == group and s != session]
