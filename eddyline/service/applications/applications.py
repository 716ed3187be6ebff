"""The applications of a data directory: created, started, stopped, restored, kept over restarts.

An application is a notebook (INTERACTIVE), whose code is a note that people run, or code of a note
that runs apart from it as jobs of its own (STREAMING). Starting and stopping take time and happen
in a thread; the status says where it is. Every method may be called from any thread.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from eddyline.errors import EddylineError, nearest
from eddyline.service.applications import model as m
from eddyline.service.applications.deployment import (
    ParagraphStep,
    Steps,
    require_no_python,
    sql_has_dml,
    steps_of,
)
from eddyline.service.applications.model import Application, Document, Operation, Snapshot
from eddyline.service.applications.running import CodeRun, jobs_of, remove_jobs, stop_jobs
from eddyline.service.applications.store import ApplicationStore
from eddyline.service.child import described, in_thread
from eddyline.service.jobs import STOPPED, JobInfos
from eddyline.service.notes import zpln
from eddyline.service.notes.runner import session_of as note_session

if TYPE_CHECKING:
    from eddyline.service.services import Services

SNAPSHOTS_MAX = 1000
ERROR_CHARACTERS_MAX = 512
Keys = list[str]
_replace = msgspec.structs.replace


class Applications:
    """Applications by name. Methods that take a name raise ``not_found``."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._clock = services.clock
        self._store = ApplicationStore(services.directory)
        self._lock = threading.RLock()
        for application in self._store.all():  # what a killed server left half done
            status = m.UNSETTLED.get(application.status)
            if status is not None:
                error = f"the server ended while the application was {application.status.lower()}"
                self._store.save(_replace(application, status=status, error=error))

    # reading

    def list(self) -> m.Applications:
        """All applications, by name."""
        return self._store.all()

    def get(self, name: str) -> Application:
        """One application. Raises ``not_found``."""
        application = self._store.get(name)
        if application is None:
            near = nearest(name, [a.name for a in self._store.all()])
            hint = f"did you mean {near[0]}?" if near else "eddyline application list shows them"
            raise EddylineError("not_found", f"there is no application {name}", hint=hint)
        return application

    def versions(self, name: str) -> m.Versions:
        """The versions of an application, newest first."""
        return self._store.versions(self.get(name).name)

    def operations(self, name: str) -> m.Operations:
        """What was done to an application, newest first."""
        return self._store.operations(self.get(name).name)

    def snapshots(self, name: str) -> m.Snapshots:
        """The snapshots of an application, newest first."""
        return self._store.snapshots(self.get(name).name)

    def jobs(self, name: str) -> JobInfos:
        """The jobs of an application with their figures."""
        return jobs_of(self._services, self.get(name).name)

    # changing

    def create(
        self,
        name: str,
        mode: str,
        runtime: str,
        role: str = "",
        description: str = "",
        configuration: Document | None = None,
        tags: dict[str, str] | None = None,
        log_streams: dict[str, str] | None = None,
        *,
        python: bool = True,
    ) -> Application:
        """A new application, READY to start.

        python: whether the caller may have Python executed.

        configuration: AWS's ApplicationConfiguration. A notebook's code is a note in Zeppelin's
        format; it becomes the notebook's note.

        Raises:
            EddylineError: ``in_use`` for a name that is taken, ``bad_file``, ``not_deployable`` or
                ``python_denied`` for its code.
        """
        m.check_name(name)
        now_ms = self._clock.now_ms()
        application = Application(
            name, mode, runtime, role, m.READY, 1, now_ms, now_ms, description,
            configuration or {}, {}, tags or {}, log_streams or {},
        )  # fmt: skip
        with self._lock:
            if self._store.get(name) is not None:
                raise EddylineError("in_use", f"there is an application {name} already")
            if mode == m.STREAMING:
                self._steps(application, python)
            elif mode == m.INTERACTIVE:
                application = _replace(application, note=self._new_note(application))
            self._store.add(application)
            self._done("CreateApplication", application)
        return application

    def _new_note(self, application: Application) -> str:
        """The note of a new notebook: its code, or an empty one."""
        text = m.code_of(application)
        if text is None:
            name = _free(application.name, self._note_names())
            return self._services.notes.create(name, notebook=application.name)
        return self._services.notes.import_bytes(text.encode(), application.name, application.name)

    def _note_names(self) -> set[str]:
        return {note.name for note in self._services.notes.list()}

    def update(
        self,
        name: str,
        configuration: Document,
        version: int | None = None,
        description: str | None = None,
        role: str | None = None,
        runtime: str | None = None,
        log_streams: dict[str, str] | None = None,
        run: Document | None = None,
        operation: str = "UpdateApplication",
        *,
        python: bool = True,
    ) -> Application:
        """Change an application; a running one is restarted with its state.

        version: the version that the caller has seen. python: as for ``create``.

        Raises:
            EddylineError: ``conflict`` for another version, ``in_use`` while it changes,
                ``not_deployable`` or ``python_denied`` for its code.
        """
        with self._lock:
            before = self.get(name)
            self._check_version(before, version)
            self._check_settled(before)
            after = _replace(
                before,
                configuration=configuration,
                version=before.version + 1,
                updated_ms=self._clock.now_ms(),
                description=before.description if description is None else description,
                role=before.role if role is None else role,
                runtime=runtime or before.runtime,
                log_streams=before.log_streams if log_streams is None else log_streams,
                run=before.run if run is None else run,
            )
            running = before.status == m.RUNNING and after.mode == m.STREAMING
            if after.mode == m.STREAMING:
                self._steps(after, python)
            if running:
                after = _replace(after, status=m.UPDATING)
            self._store.save(after, version=True)
            begun = self._begin(operation, after, before.version)
        if running:
            self._in_thread(after, begun, lambda: self._restart(after), m.RUNNING)
        else:
            self._end(after.name, begun, None)
        return after

    def change_tags(self, name: str, added: dict[str, str], removed: Keys) -> None:
        """Add and remove tags."""
        with self._lock:
            application = self.get(name)
            kept = {**application.tags, **added}
            tags = {key: value for key, value in kept.items() if key not in removed}
            self._store.save(_replace(application, tags=tags))

    def set_maintenance(self, name: str, start: str) -> Application:
        """Change the beginning (``HH:MM``) of the maintenance window."""
        with self._lock:
            application = _replace(self.get(name), maintenance=start)
            self._store.save(application)
            return application

    def rollback(self, name: str, version: int, *, python: bool = True) -> Application:
        """Go back to the configuration of the version before. Raises as ``update``."""
        application = self.get(name)
        older = [v for v in self._store.versions(name) if v.version < application.version]
        if not older:
            message = f"application {name} has no earlier version"
            raise EddylineError("invalid_argument", message)
        target = older[0].application
        return self.update(
            name, target.configuration, version, target.description, target.role, target.runtime,
            operation="RollbackApplication", python=python,
        )  # fmt: skip

    def delete(self, name: str) -> None:
        """Stop an application and forget it with its snapshots. Its note stays."""
        with self._lock:
            application = self.get(name)
            self._check_settled(application)
            self._store.save(_replace(application, status=m.DELETING))
        in_thread("delete-application", self._delete, application)

    def _delete(self, application: Application) -> None:
        name = application.name
        remove_jobs(self._services, name)
        for snapshot in self._store.snapshots(name):
            self._remove_savepoints(snapshot)
        self._store.remove(name)

    # starting and stopping

    def start(self, name: str, run: Document | None = None, *, python: bool = True) -> str:
        """Begin to start an application; returns the operation's id.

        run: AWS's RunConfiguration. python: as for ``create``.

        Raises:
            EddylineError: ``in_use`` unless it is READY, ``not_deployable``, ``python_denied``,
                ``sql_unsupported``.
        """
        with self._lock:
            application = self.get(name)
            if application.status != m.READY:
                raise _in_use(application, m.READY)
            if application.mode == m.SQL:
                raise EddylineError("sql_unsupported", m.DIALECT_LATER, hint=m.DIALECT_INSTEAD)
            steps = self._steps(application, python) if application.mode == m.STREAMING else []
            snapshot = self._to_restore(application, run or {})
            starting = _replace(application, status=m.STARTING, run=run or {}, error=None)
            self._store.save(starting)
            begun = self._begin("StartApplication", starting, application.version)
        if application.mode == m.INTERACTIVE:
            self._settle(name, begun, m.RUNNING, None)
        else:
            code = CodeRun(self._services, starting)
            self._in_thread(starting, begun, lambda: code.start(steps, snapshot), m.READY)
        return begun.id

    def stop(self, name: str, *, force: bool = False) -> str:
        """Begin to stop an application; returns the operation's id.

        A streaming one leaves a snapshot, unless snapshots are off or it is forced.

        Raises:
            EddylineError: ``in_use`` unless it runs (or, forced, is about to).
        """
        with self._lock:
            application = self.get(name)
            stoppable = (m.RUNNING, m.STARTING, m.UPDATING) if force else (m.RUNNING,)
            if application.status not in stoppable:
                raise _in_use(application, m.RUNNING)
            status = m.FORCE_STOPPING if force else m.STOPPING
            self._store.save(_replace(application, status=status))
            begun = self._begin("StopApplication", application, application.version)
        if application.mode == m.INTERACTIVE:
            in_thread("stop-notebook", self._stop_notebook, application, begun)
        else:
            snapshot = not force and m.snapshots_enabled(application)
            work = lambda: self._stop_jobs(application, snapshot)  # noqa: E731
            self._in_thread(application, begun, work, m.RUNNING, after=m.READY)
        return begun.id

    def _stop_notebook(self, application: Application, begun: Operation) -> None:
        note = application.note
        if note is not None and note in {n.id for n in self._services.notes.list()}:
            self._services.notes.cancel(note)
            self._services.kernels.close(application.name)
            self._services.sessions.close(note_session(note))
        self._settle(application.name, begun, m.READY, None)

    def _stop_jobs(self, application: Application, snapshot: bool) -> None:
        stop_jobs(self._services, application.name)
        if snapshot:
            self._take(application, f"stop-{self._clock.now_ms()}")

    def _restart(self, application: Application) -> None:
        """Restart a running application with its new configuration and its state."""
        stop_jobs(self._services, application.name)
        snapshot = self._take(application, f"update-{self._clock.now_ms()}")
        CodeRun(self._services, application).start(self._steps(application), snapshot)

    def _in_thread(
        self,
        application: Application,
        begun: Operation,
        work: Callable[[], object],
        failed: str,
        after: str = m.RUNNING,
    ) -> None:
        """Do the work, then settle: ``after``, or ``failed`` with the reason."""

        def run() -> None:
            try:
                work()
            except Exception as failure:
                error = described(failure)
                reason = f"{error.message} ({error.hint})" if error.hint else error.message
                if failed == m.READY:
                    stop_jobs(self._services, application.name)
                self._settle(application.name, begun, failed, reason)
            else:
                self._settle(application.name, begun, after, None)

        in_thread("application", run)

    def _settle(self, name: str, begun: Operation, status: str, error: str | None) -> None:
        self._end(name, begun, error)  # whoever sees the new status finds the operation ended
        with self._lock:
            application = self._store.get(name)
            # A forced stop has overtaken a start.
            if application is not None and not (
                application.status == m.FORCE_STOPPING and begun.operation != "StopApplication"
            ):
                self._store.save(_replace(application, status=status, error=error))

    # snapshots

    def take_snapshot(self, name: str, snapshot: str) -> None:
        """Take a snapshot of a running application, which pauses for it.

        Raises:
            EddylineError: ``in_use`` for a name that is taken, or unless it runs;
                ``invalid_argument`` where snapshots are off; ``limit_exceeded``.
        """
        with self._lock:
            application = self.get(name)
            if application.mode != m.STREAMING or not m.snapshots_enabled(application):
                message = f"application {name} has no snapshots: they are not enabled"
                raise EddylineError("sql_unsupported", message)
            if application.status != m.RUNNING:
                raise _in_use(application, m.RUNNING)
            kept = self._store.snapshots(name)
            if snapshot in {s.name for s in kept}:
                raise EddylineError("in_use", f"there is a snapshot {snapshot} already")
            if len(kept) >= SNAPSHOTS_MAX:
                message = f"an application may have at most {SNAPSHOTS_MAX} snapshots"
                raise EddylineError("limit_exceeded", message)
            creating = Snapshot(
                snapshot, "CREATING", application.version, self._clock.now_ms(),
                application.runtime,
            )  # fmt: skip
            self._store.keep_snapshot(name, creating)
            begun = self._begin("CreateApplicationSnapshot", application, application.version)
            self._store.save(_replace(application, status=m.UPDATING))
        work = lambda: self._snapshot(application, snapshot)  # noqa: E731
        self._in_thread(application, begun, work, m.RUNNING)

    def _snapshot(self, application: Application, name: str) -> None:
        stop_jobs(self._services, application.name)
        snapshot = self._take(application, name)
        CodeRun(self._services, application).start(self._steps(application), snapshot)

    def _take(self, application: Application, name: str) -> Snapshot:
        """Copy the states of the application's stopped jobs."""
        now_ms = self._clock.now_ms()
        savepoints: dict[str, str] = {}
        for job in jobs_of(self._services, application.name):
            number = (job.name or "").rpartition("-")[2]
            if job.actual == STOPPED and number.isdigit():
                folder = f"{application.name}-{number}-{now_ms}"
                savepoints[number] = self._services.savepoints.take(job, folder).name
        snapshot = Snapshot(
            name, m.READY, application.version, now_ms, application.runtime, savepoints
        )
        self._store.keep_snapshot(application.name, snapshot)
        return snapshot

    def delete_snapshot(self, name: str, snapshot: str) -> None:
        """Delete a snapshot. Raises ``not_found``."""
        self._remove_savepoints(self.snapshot(name, snapshot))
        self._store.remove_snapshot(name, snapshot)

    def snapshot(self, name: str, snapshot: str) -> Snapshot:
        """One snapshot. Raises ``not_found``."""
        for kept in self.snapshots(name):
            if kept.name == snapshot:
                return kept
        message = f"application {name} has no snapshot {snapshot}"
        raise EddylineError("not_found", message)

    def _remove_savepoints(self, snapshot: Snapshot) -> None:
        known = {info.name for info in self._services.savepoints.list()}
        for savepoint in snapshot.savepoints.values():
            if savepoint in known:
                self._services.savepoints.remove(savepoint)

    def _to_restore(self, application: Application, run: Document) -> Snapshot | None:
        """The snapshot that a start restores."""
        restore = run.get("ApplicationRestoreConfiguration") or {}
        kind = restore.get("ApplicationRestoreType", m.LATEST_SNAPSHOT)
        if application.mode != m.STREAMING or kind == m.SKIP_RESTORE:
            return None
        if kind == m.CUSTOM_SNAPSHOT:
            name = restore.get("SnapshotName")
            if not name:
                message = "RESTORE_FROM_CUSTOM_SNAPSHOT needs a SnapshotName"
                raise EddylineError("invalid_argument", message)
            return self.snapshot(application.name, str(name))
        ready = [s for s in self._store.snapshots(application.name) if s.status == m.READY]
        return ready[0] if ready else None

    # inside

    def _steps(self, application: Application, python: bool = True) -> Steps:
        """The work of an application's code. Raises ``not_deployable``, ``python_denied``."""
        steps = self._read_steps(application)
        if not python:
            require_no_python(steps)
        return steps

    def _read_steps(self, application: Application) -> Steps:
        text = m.code_of(application)
        if not text:
            message = "the application has no code"
            hint = "give ApplicationCodeConfiguration.CodeContent.TextContent: SQL, or a note"
            raise EddylineError("not_deployable", message, hint=hint)
        if text.lstrip().startswith("{"):
            return steps_of(zpln.read(text.encode(), application.name, self._clock.now_ms()))
        if not sql_has_dml(text):
            message = "the code has no INSERT statement, so there is nothing to run"
            raise EddylineError("not_deployable", message)
        return [ParagraphStep("the code", sql=text)]

    def _check_version(self, application: Application, version: int | None) -> None:
        if version is not None and version != application.version:
            message = (
                f"application {application.name} has version {application.version}, not {version}"
            )
            raise EddylineError("conflict", message, hint="read it again, then change it")

    def _check_settled(self, application: Application) -> None:
        if application.status in m.UNSETTLED:
            raise _in_use(application, f"{m.READY} or {m.RUNNING}")

    def _begin(self, name: str, application: Application, version_from: int) -> Operation:
        begun = Operation(
            uuid.uuid4().hex, name, m.IN_PROGRESS, self._clock.now_ms(), None, version_from,
            application.version,
        )  # fmt: skip
        self._store.keep_operation(application.name, begun)
        return begun

    def _end(self, name: str, begun: Operation, error: str | None) -> None:
        if self._store.get(name) is None:  # deleted meanwhile
            return
        status = m.SUCCESSFUL if error is None else m.FAILED
        reason = None if error is None else error[:ERROR_CHARACTERS_MAX]
        ended = _replace(begun, status=status, ended_ms=self._clock.now_ms(), error=reason)
        self._store.keep_operation(name, ended)

    def _done(self, operation: str, application: Application) -> None:
        self._end(application.name, self._begin(operation, application, 0), None)


def _in_use(application: Application, needed: str) -> EddylineError:
    message = (
        f"application {application.name} is {application.status}; it must be {needed} for that"
    )
    return EddylineError("in_use", message, hint="wait until it has settled, then try again")


def _free(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name} {number}"
    return candidate
