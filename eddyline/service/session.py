"""One session inside its worker: its catalog view, its options, its runs and jobs.

Runs are threads of the worker. They share what the session has SET, USEd and made temporary, as
paragraphs of one note do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from eddyline.catalog.catalog import Catalog, CatalogObject
from eddyline.catalog.codec import decode_object, encode_object
from eddyline.catalog.databases import IN_MEMORY
from eddyline.catalog.function import CatalogFunction, decode_function, encode_function
from eddyline.catalog.functions import SYSTEM_FUNCTIONS
from eddyline.catalog.table import CatalogTable, ObjectPath
from eddyline.clock import SYSTEM, Clock
from eddyline.engines.engine import Prepared, StatementSet
from eddyline.engines.registry import EngineContext, engine_for
from eddyline.log import LogStore
from eddyline.service.anomalies import Monitor
from eddyline.service.aws_environment import aws_environment
from eddyline.service.context_change import ContextChange, changed
from eddyline.service.crash import crash_on_request
from eddyline.service.directory import DataDirectory
from eddyline.service.jobs import JobContext, JobStore
from eddyline.service.role_check import RoleCheck
from eddyline.service.savepoints import Savepoints
from eddyline.settings import Settings
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.statement import Insert, Query
from eddyline.udf.process import PROCESS, Limits

Send = Callable[[Any], bool]


class SessionCatalog(Catalog):
    """The session's view of all tables; remembers which ones planning has resolved."""

    def __init__(self, directory: DataDirectory | None) -> None:
        super().__init__(directory.meta if directory else None)
        self.resolved: dict[ObjectPath, CatalogObject] = {}
        self.called: dict[ObjectPath, CatalogFunction] = {}

    def function(self, name: str, *, system: bool) -> CatalogFunction | None:
        """The function of that name; it is kept in ``called``."""
        function = super().function(name, system=system)
        if function is not None:
            self.called[function.path] = function
        return function

    def used(self) -> list[CatalogObject | CatalogFunction]:
        """What planning has resolved since ``forget``."""
        return [*self.resolved.values(), *self.called.values()]

    def forget(self) -> None:
        """Forget what planning has resolved."""
        self.resolved.clear()
        self.called.clear()

    def resolve(self, parts: tuple[str, ...]) -> CatalogObject:
        """The object of that name; it is kept in ``resolved``."""
        catalog_object = super().resolve(parts)
        self.resolved[catalog_object.path] = catalog_object
        return catalog_object

    def forget_temporary(self) -> None:
        """Have no objects and functions of the session's own."""
        self._temporary.clear()
        self.functions.forget_temporary()

    def temporary(self) -> list[CatalogObject | CatalogFunction]:
        """The session's own objects and functions."""
        return [*self._temporary.values(), *self.functions.temporary()]


class Session:
    """What all runs of a session share."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        send: Send,
        context: JobContext | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self.name = name
        self.settings = settings
        self.clock = clock
        self.send = send
        self.directory = DataDirectory(settings.data_dir)
        self.catalog = SessionCatalog(self.directory)
        self.config = SessionConfig()
        self.jobs = JobStore(self.directory, clock)
        self.savepoints = Savepoints(self.directory, settings, clock)
        self.monitor = Monitor(self.directory.monitor, settings.alert_cool_down_ms)
        self.streams = LogStore(settings.data_dir, settings, clock)
        self.engine = engine_for(EngineContext(self.streams, settings, crash_on_request))
        self._roles = RoleCheck(self.directory, settings, clock)
        PROCESS.environment = lambda: aws_environment(settings, self.directory)
        PROCESS.limits = Limits(settings.function_timeout_ms / 1000, settings.function_memory_mib)
        # Planning reads and marks the catalog view: one statement at a time.
        self.planning = threading.RLock()
        if context is not None:
            self._restore(context)

    def prepare(
        self, statement: Query | Insert | st.StatementSet, catalog: Catalog, config: SessionConfig
    ) -> Prepared:
        """A statement as the session's engine will run it.

        Raises:
            EddylineError: as the engine does, and ``access_denied`` of the session's role.
        """
        (prepared,) = self.engine.prepare(StatementSet((statement,), catalog, config))
        self._roles.check(self.name, prepared)
        return prepared

    def _restore(self, context: JobContext) -> None:
        """Take on what an earlier worker of this session had."""
        self.config = SessionConfig(context.options)
        catalog = self.catalog
        known = context.catalog in catalog.list_catalogs()
        if known and context.database in catalog.list_databases(context.catalog):
            catalog.use_database((context.catalog, context.database))
        for entry in context.objects:
            keep(self.catalog, unpack(entry))

    def adopt(self, context: JobContext) -> None:
        """Take on what a group has; what it has not is gone here."""
        with self.planning:
            self.catalog.forget_temporary()
            self._restore(context)

    def adopt_change(self, change: ContextChange) -> None:
        """Take on what a statement of another session of the group has changed."""
        with self.planning:
            self.adopt(changed(self.context(), change))

    def context(self) -> JobContext:
        """What the next worker of this session is to know."""
        objects = [pack(catalog_object) for catalog_object in self.catalog.temporary()]
        catalog = self.catalog
        options = dict(self.config.values)
        return JobContext(catalog.current_database, options, objects, catalog.current_catalog)


def pack(catalog_object: CatalogObject | CatalogFunction) -> dict[str, Any]:
    """A catalog object or function as JSON values, with its path."""
    path = catalog_object.path
    is_function = isinstance(catalog_object, CatalogFunction)
    encode: Callable[[Any], dict[str, Any]] = encode_function if is_function else encode_object
    return {"path": [path.catalog, path.database, path.name], "object": encode(catalog_object)}


def unpack(entry: dict[str, Any]) -> CatalogObject | CatalogFunction:
    """What ``pack`` made of it; temporary, so that it lives in one catalog view only."""
    path, data = ObjectPath(*entry["path"]), entry["object"]
    if data["kind"] == "function":
        return replace(decode_function(path, data), temporary=True)
    return replace(decode_object(path, data), temporary=True)


def keep(catalog: Catalog, catalog_object: CatalogObject | CatalogFunction) -> None:
    """Put an object into a catalog view, together with its database."""
    path = catalog_object.path
    if path.catalog != SYSTEM_FUNCTIONS[0]:
        require_database(catalog, path.catalog, path.database)
    if isinstance(catalog_object, CatalogFunction):
        catalog.functions.create(catalog_object, if_not_exists=True)
        return
    if isinstance(catalog_object, CatalogTable):
        catalog.create_table(catalog_object, if_not_exists=True)
    else:
        catalog.create_view(catalog_object, if_not_exists=True)


def catalog_of(context: JobContext) -> SessionCatalog:
    """The tables as a job saw them when it was submitted, whatever became of them since."""
    catalog = SessionCatalog(None)
    for entry in context.objects:
        keep(catalog, unpack(entry))
    require_database(catalog, context.catalog, context.database)
    catalog.use_database((context.catalog, context.database))
    return catalog


def require_database(catalog: Catalog, name: str, database: str) -> None:
    """Make a catalog and a database of it, unless they are there."""
    catalog.create_catalog(name, {"type": IN_MEMORY}, if_not_exists=True)
    catalog.create_database(database, if_not_exists=True, catalog=name)
