"""The services of a running server, called over its control socket: the same names, from outside.

Streams and tables are opened directly: the log and the catalog are made for many processes.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from eddyline.clock import SYSTEM, Clock
from eddyline.service.control import Component
from eddyline.service.directory import DataDirectory
from eddyline.settings import Settings

if TYPE_CHECKING:
    from eddyline.catalog.catalog import Catalog
    from eddyline.log import LogStore
    from eddyline.service.anomalies import Anomalies
    from eddyline.service.applications.applications import Applications
    from eddyline.service.dead_letters import JobDeadLetters
    from eddyline.service.generators import Generators
    from eddyline.service.jobs import Jobs
    from eddyline.service.notes import Notes
    from eddyline.service.savepoints import Savepoints
    from eddyline.service.sessions import Sessions


class Remote:
    """What ``Services`` is, for another process than the server."""

    def __init__(self, settings: Settings, clock: Clock = SYSTEM) -> None:
        self.settings = settings
        self.clock = clock
        self.data_dir: Path = settings.data_dir
        self.directory = DataDirectory(settings.data_dir)

    def _component(self, name: str, kind: type) -> Any:
        return Component(self.directory, name, kind)

    @cached_property
    def sessions(self) -> Sessions:
        """SQL."""
        from eddyline.service.sessions import Sessions

        return cast("Sessions", self._component("sessions", Sessions))

    @cached_property
    def jobs(self) -> Jobs:
        """INSERT jobs."""
        from eddyline.service.jobs import Jobs

        return cast("Jobs", self._component("jobs", Jobs))

    @cached_property
    def savepoints(self) -> Savepoints:
        """Savepoints of jobs: files, which any process may read and copy."""
        from eddyline.service.savepoints import Savepoints

        return Savepoints(self.directory, self.settings, self.clock)

    @cached_property
    def dead_letters(self) -> JobDeadLetters:
        """Records that jobs have set aside: files, which any process may read."""
        from eddyline.service.dead_letters import JobDeadLetters

        return JobDeadLetters(self.directory, lambda: self.streams)

    @cached_property
    def generators(self) -> Generators:
        """Generators."""
        from eddyline.service.generators import Generators

        return cast("Generators", self._component("generators", Generators))

    @cached_property
    def anomalies(self) -> Anomalies:
        """Scored series and alerts."""
        from eddyline.service.anomalies import Anomalies

        return cast("Anomalies", self._component("anomalies", Anomalies))

    @cached_property
    def applications(self) -> Applications:
        """Notebooks and applications."""
        from eddyline.service.applications.applications import Applications

        return cast("Applications", self._component("applications", Applications))

    @cached_property
    def notes(self) -> Notes:
        """Notes."""
        from eddyline.service.notes import Notes

        return cast("Notes", self._component("notes", Notes))

    @cached_property
    def streams(self) -> LogStore:
        """The log, opened by this process."""
        from eddyline.log import LogStore

        return LogStore(self.data_dir, self.settings, self.clock)

    @cached_property
    def catalog(self) -> Catalog:
        """The tables, as one more session sees them."""
        from eddyline.catalog.catalog import Catalog

        return Catalog(self.directory.meta)

    def stop(self) -> None:
        """Let go of what this process has opened; the server goes on."""
        if "streams" in self.__dict__:
            self.streams.close()
