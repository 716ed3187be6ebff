"""All that the product does, in one object: built by the server, by tests, by the command line.

Whoever starts it holds the directory's lock until it is stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from eddyline.clock import SYSTEM, Clock
from eddyline.service.anomalies import Anomalies
from eddyline.service.child import in_thread
from eddyline.service.dead_letters import JobDeadLetters
from eddyline.service.directory import DataDirectory
from eddyline.service.generators import Generators
from eddyline.service.job_metrics import JobMetricsFile
from eddyline.service.jobs import Jobs, JobStore
from eddyline.service.savepoints import Savepoints
from eddyline.service.sessions import Sessions
from eddyline.service.supervisor import Supervisor
from eddyline.settings import Settings

if TYPE_CHECKING:
    from eddyline.catalog.catalog import Catalog
    from eddyline.log import LogStore
    from eddyline.service.applications.applications import Applications
    from eddyline.service.kernels import Kernels
    from eddyline.service.notes import Notes
    from eddyline.service.shells import Shells


# How often the jobs' figures are written for Prometheus, where they have changed.
METRICS_S = 5.0


class Services:
    """The services of one data directory.

    Everything is there once ``start`` has returned; ``stop`` ends all children.
    """

    sessions: Sessions
    jobs: Jobs
    generators: Generators
    anomalies: Anomalies
    savepoints: Savepoints
    dead_letters: JobDeadLetters

    def __init__(self, settings: Settings, clock: Clock = SYSTEM) -> None:
        self.settings = settings
        self.clock = clock
        self.data_dir: Path = settings.data_dir
        self.directory = DataDirectory(settings.data_dir)
        self.supervisor = Supervisor(self.directory.path / "logs")
        # Has this process answer kernels, which a server does from its start.
        self.serve_kernels: Callable[[], None] = lambda: None
        self._stopping = threading.Event()
        self._on_stop: list[Callable[[], None]] = []
        self._streams: LogStore | None = None
        self._streams_lock = threading.Lock()

    @property
    def streams(self) -> LogStore:
        """The log of this process, loaded when it is first needed, by whichever thread."""
        with self._streams_lock:
            if self._streams is None:
                from eddyline.log import LogStore

                self._streams = LogStore(self.data_dir, self.settings, self.clock)
                self._on_stop.append(self._streams.close)
            return self._streams

    @cached_property
    def catalog(self) -> Catalog:
        """The tables, as one more session sees them."""
        from eddyline.catalog.catalog import Catalog

        return Catalog(self.directory.meta)

    @cached_property
    def notes(self) -> Notes:
        """The notes."""
        from eddyline.service.notes import Notes

        return Notes(self)

    @cached_property
    def applications(self) -> Applications:
        """Notebooks, and code of notes that runs apart from them."""
        from eddyline.service.applications.applications import Applications

        return Applications(self)

    @cached_property
    def kernels(self) -> Kernels:
        """The Python of notes."""
        from eddyline.service.kernels import Kernels

        kernels = Kernels(self)
        self._on_stop.insert(0, kernels.stop)
        return kernels

    @cached_property
    def shells(self) -> Shells:
        """The shell paragraphs of notes."""
        from eddyline.service.shells import Shells

        shells = Shells(self)
        self._on_stop.insert(0, shells.stop)
        return shells

    def start(self, *, resume: bool = True) -> None:
        """Take the directory and begin.

        resume: go on with the jobs and generators that are to run.

        Raises:
            EddylineError: ``directory_locked``, ``newer_format``, ``access_denied``, ``disk_full``.
        """
        self.directory.prepare()
        self.directory.lock()
        try:
            self._build()
            self.sessions.start(resume=resume)
            in_thread("job-metrics", self._write_metrics)
            if resume:
                self.generators.start_wanted()
                self.notes.schedules.start()  # and paragraphs that ran are watched again
                self._on_stop.insert(0, self.notes.schedules.stop)
        except BaseException:
            self.stop()
            raise

    def _build(self) -> None:
        store = JobStore(self.directory, self.clock)
        self.anomalies = Anomalies(self.directory.monitor)
        self.sessions = Sessions(
            self.settings, self.clock, self.supervisor, store, self.anomalies.tell
        )
        self.savepoints = Savepoints(self.directory, self.settings, self.clock)
        self.dead_letters = JobDeadLetters(self.directory, lambda: self.streams)
        self.jobs = Jobs(store, self.sessions, self.anomalies.remove)
        self.generators = Generators(self.directory, self.settings, self.clock, self.supervisor)

    def _write_metrics(self) -> None:
        """Write the jobs' figures for ``/metrics`` now and then."""
        file = JobMetricsFile(self.directory.path)
        while not self.clock.wait(self._stopping, METRICS_S):
            file.write(self.jobs.list())

    def stop(self) -> None:
        """End all children in good order and let the directory go."""
        self._stopping.set()
        if hasattr(self, "sessions"):
            self.sessions.stop()
        if hasattr(self, "generators"):
            self.generators.close()
        self.supervisor.close()
        for close in self._on_stop:
            close()
        self._on_stop.clear()
        self.directory.unlock()
