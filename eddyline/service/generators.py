"""Generators of a data directory: kept by name, each running one in a process of its own."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from dataclasses import replace
from typing import Any

import msgspec

from eddyline.clock import Clock
from eddyline.errors import EddylineError, nearest
from eddyline.generator.counters import Counters
from eddyline.generator.spec import GeneratorSpec
from eddyline.schema_version import upgrade
from eddyline.service import messages
from eddyline.service.child import in_thread
from eddyline.service.database import read, transaction
from eddyline.service.directory import DataDirectory
from eddyline.service.jobs import FAILED, FINISHED, RESTARTING, RUNNING, STARTING, STOPPED
from eddyline.service.sending import History, Point
from eddyline.service.supervisor import BackOff, ChildProcess, Supervisor
from eddyline.service.templates import lists
from eddyline.settings import Settings

SENDER = "eddyline.service.sender"
STOP_S = 10.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS generators (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, spec TEXT NOT NULL, desired TEXT NOT NULL,
  restart INTEGER NOT NULL, created_ms INTEGER NOT NULL
)
"""
# How far those have come that are to survive a restart; the last half second may come again.
_PROGRESS = """
CREATE TABLE IF NOT EXISTS generator_progress (id TEXT PRIMARY KEY, counters TEXT NOT NULL)
"""
KEEP_S = 0.5
# Kept as the desired state of a generator that ended with the server.
INTERRUPTED = "INTERRUPTED"


class GeneratorInfo(msgspec.Struct, frozen=True):
    """A generator: its spec, whether it runs, and what was acknowledged so far.

    ended_with_server: it ran when the server ended, and was not to be restarted.
    """

    id: str
    name: str
    spec: GeneratorSpec
    desired: str
    actual: str
    counters: Counters
    started_ms: int | None
    error: dict[str, Any] | None = None
    pid: int | None = None
    ended_with_server: bool = False


class Preview(msgspec.Struct, frozen=True):
    """Records that a template gives, and sentences about what in it has no effect."""

    records: list[str]
    warnings: list[str]


GeneratorInfos = list[GeneratorInfo]
Samples = list[str]


class _Live:
    """What is known of a generator in this server's life."""

    def __init__(self, clock: Clock) -> None:
        self.child: ChildProcess | None = None
        self.actual = STOPPED
        self.counters = Counters()
        self.error: dict[str, Any] | None = None
        self.back_off = BackOff(clock)
        self.base = Counters()
        self.kept_s = 0.0
        self.history = History(clock)


class Generators:
    """Creates, starts, stops and lists generators; names are unique."""

    def __init__(
        self, directory: DataDirectory, settings: Settings, clock: Clock, supervisor: Supervisor
    ) -> None:
        self._path = directory.meta
        self._settings = settings
        self._clock = clock
        self._supervisor = supervisor
        self._live: dict[str, _Live] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        with transaction(self._path) as db:
            upgrade(db, "generators", (f"{_SCHEMA};{_PROGRESS}",))

    def start_wanted(self) -> None:
        """Start those that ran, and were to be restarted, where they were when the server ended.

        The others that ran are marked as ended with the server until they are started again.
        """
        sql = """SELECT g.id, p.counters FROM generators g LEFT JOIN generator_progress p
                 ON p.id = g.id WHERE desired = 'RUNNING' AND restart"""
        for id, counters in read(self._path, sql):
            base = msgspec.json.decode(str(counters), type=Counters) if counters else Counters()
            self._begin(self.get(str(id)), base)
        with transaction(self._path) as db:
            sql = "UPDATE generators SET desired = ? WHERE desired = 'RUNNING' AND NOT restart"
            db.execute(sql, (INTERRUPTED,))

    def close(self) -> None:
        """No more restarts; the supervisor ends the processes."""
        self._closing.set()

    def list(self) -> GeneratorInfos:
        """All generators, by name."""
        rows = read(self._path, "SELECT id, name, spec, desired FROM generators ORDER BY name")
        return [self._info(*row) for row in rows]

    def history(self, id: str) -> tuple[Point, ...]:
        """A generator's last minutes, a point a second."""
        live = self._live.get(id)
        return live.history.points if live is not None else ()

    def _info(self, id: Any, name: Any, spec: Any, desired: Any) -> GeneratorInfo:
        live = self._live.get(id) or _Live(self._clock)
        child = live.child  # its listener may set it to None at any moment
        return GeneratorInfo(
            id,
            name,
            msgspec.json.decode(spec, type=GeneratorSpec),
            STOPPED if desired == INTERRUPTED else desired,
            live.actual,
            live.counters,
            live.counters.started_ms,
            live.error,
            child.pid if child is not None else None,
            desired == INTERRUPTED,
        )

    def get(self, id: str) -> GeneratorInfo:
        """One generator, by id or name. Raises ``not_found``."""
        known = self.list()
        for info in known:
            if id in (info.id, info.name):
                return info
        near = nearest(id, [g.name for g in known])
        hint = f"did you mean {near[0]}?" if near else None
        raise EddylineError("not_found", f"there is no generator {id}", hint=hint)

    def create(self, name: str, spec: GeneratorSpec, *, restart: bool = False) -> GeneratorInfo:
        """Keep a generator, stopped. ``restart``: start it again if it dies.

        Raises:
            EddylineError: ``already_exists``, ``template_error`` or ``invalid_argument``.
        """
        from eddyline.generator.template import compile_template

        spec.check()
        compile_template(spec.template, lists(self._settings.data_dir))
        id = uuid.uuid4().hex[:12]
        text = msgspec.json.encode(spec).decode()
        row = (id, name, text, STOPPED, restart, self._clock.now_ms())
        try:
            with transaction(self._path) as db:
                db.execute("INSERT INTO generators VALUES (?, ?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            msg = f"generator {name} exists already"
            raise EddylineError("already_exists", msg, hint="give it another name") from None
        return self.get(id)

    def update(self, id: str, spec: GeneratorSpec) -> GeneratorInfo:
        """Give a stopped generator another spec. Raises ``not_found`` or ``conflict``."""
        from eddyline.generator.template import compile_template

        info = self.get(id)
        spec.check()
        compile_template(spec.template, lists(self._settings.data_dir))
        if info.pid is not None:
            raise EddylineError("conflict", f"generator {info.name} runs", hint="stop it first")
        with transaction(self._path) as db:
            text = msgspec.json.encode(spec).decode()
            db.execute("UPDATE generators SET spec = ? WHERE id = ?", (text, info.id))
        return self.get(info.id)

    def start(self, id: str) -> GeneratorInfo:
        """Start it; nothing happens if it runs. Raises ``not_found``."""
        info = self.get(id)
        self._desire(info.id, RUNNING)
        self._begin(info, Counters())
        return self.get(info.id)

    def _begin(self, info: GeneratorInfo, base: Counters) -> None:
        with self._lock:
            live = self._live.setdefault(info.id, _Live(self._clock))
            if live.child is None:
                live.counters = live.base = base
                self._spawn(live, info)

    def _spawn(self, live: _Live, info: GeneratorInfo) -> None:
        live.actual, live.error = STARTING, None

        def on_message(child: ChildProcess, message: Any) -> None:
            if isinstance(message, messages.Sent):
                self._sent(live, info, message)

        def on_exit(child: ChildProcess, how: str, expected: bool) -> None:
            self._exited(live, info, how, expected)

        live.child = self._supervisor.start(SENDER, on_message, on_exit)
        spec = _rest(info.spec, live.base)
        live.child.send(messages.Generate(spec, messages.packed(self._settings)))

    def _sent(self, live: _Live, info: GeneratorInfo, message: messages.Sent) -> None:
        live.counters = _plus(live.base, message.counters)
        live.actual = RUNNING
        live.history.add(live.counters)
        self._keep(live, info.id, message.done)
        if message.done and not self._closing.is_set():
            live.error = message.error
            live.actual = FAILED if message.error else FINISHED
            self._desire(info.id, STOPPED)

    def _keep(self, live: _Live, id: str, done: bool) -> None:
        """Remember how far one has come that is to survive a restart."""
        if not done and self._clock.monotonic() - live.kept_s < KEEP_S:
            return
        live.kept_s = self._clock.monotonic()
        row = (id, msgspec.json.encode(replace(live.counters, running=False)).decode())
        sql = """INSERT INTO generator_progress SELECT ?, ? WHERE EXISTS
                 (SELECT 1 FROM generators WHERE id = ? AND restart)
                 ON CONFLICT (id) DO UPDATE SET counters = excluded.counters"""
        with transaction(self._path) as db:
            db.execute(sql, (*row, id))

    def _exited(self, live: _Live, info: GeneratorInfo, how: str, expected: bool) -> None:
        live.child = None
        live.counters = replace(live.counters, running=False, rate=0.0)
        if live.actual in (FAILED, FINISHED):
            return
        if expected or self._closing.is_set():
            live.actual = STOPPED
            return
        error = EddylineError("internal", f"the generator's process {how}", hint="start it again")
        live.error = error.as_dict()
        if not self._restarts(info.id):
            live.actual = FAILED
            self._desire(info.id, STOPPED)
            return
        live.actual, live.base = RESTARTING, live.counters
        in_thread("restart", self._later, live, info, live.back_off.next_s())

    def _later(self, live: _Live, info: GeneratorInfo, wait_s: float) -> None:
        if self._clock.wait(self._closing, wait_s):
            return
        with self._lock:
            if live.child is None and self.get(info.id).desired == RUNNING:
                self._spawn(live, info)

    def _restarts(self, id: str) -> bool:
        sql = "SELECT 1 FROM generators WHERE id = ? AND restart AND desired = 'RUNNING'"
        return bool(read(self._path, sql, (id,)))

    def stop(self, id: str) -> GeneratorInfo:
        """Stop it after the batch under way. Raises ``not_found``."""
        info = self.get(id)
        self._desire(info.id, STOPPED)
        live = self._live.get(info.id)
        child = live.child if live is not None else None
        if live is not None and child is not None:
            child.stop(STOP_S)
            live.actual = STOPPED if live.actual != FAILED else FAILED
        return self.get(info.id)

    def remove(self, id: str) -> None:
        """Stop and forget it. Raises ``not_found``."""
        info = self.stop(id)
        with transaction(self._path) as db:
            db.execute("DELETE FROM generators WHERE id = ?", (info.id,))
            db.execute("DELETE FROM generator_progress WHERE id = ?", (info.id,))
        self._live.pop(info.id, None)

    def sample(self, template: str, n: int = 5) -> Samples:
        """``n`` records of a template, to look at. Raises ``template_error``."""
        return self.preview(template, n).records

    def preview(self, template: str, n: int = 5) -> Preview:
        """``n`` records of a template and what in it has no effect. Raises ``template_error``."""
        import numpy as np

        from eddyline.generator.template import compile_template

        compiled = compile_template(template, lists(self._settings.data_dir))
        now = np.full(n, self._clock.now_ms(), np.int64)
        data = compiled.rendering(np.random.default_rng(np.random.SeedSequence())).records(
            n, now, now
        )
        records = [record.decode() for record in data.to_pylist()]
        return Preview(records, list(compiled.warnings))

    def _desire(self, id: str, desired: str) -> None:
        with transaction(self._path) as db:
            db.execute("UPDATE generators SET desired = ? WHERE id = ?", (desired, id))


def _rest(spec: GeneratorSpec, base: Counters) -> GeneratorSpec:
    """What is left of a run that has come so far: sequence, total and duration go on."""
    if not base.sent and not base.made:
        return spec
    left_s = None if spec.duration_s is None else max(0.0, spec.duration_s - base.elapsed_s)
    made = base.made or base.sent
    return replace(
        spec,
        first_turn=base.turns,
        first_record=made,
        duration_s=left_s,
        begun_ms=base.started_ms,
        seed=base.seed if spec.seed is None else spec.seed,
    )


def _plus(base: Counters, now: Counters) -> Counters:
    """Counters over restarts: what an earlier process sent is not forgotten."""
    return replace(
        now,
        sent=base.sent + now.sent,
        accepted=base.accepted + now.accepted,
        failed=base.failed + now.failed,
        retried=base.retried + now.retried,
        bytes=base.bytes + now.bytes,
        turns=max(base.turns, now.turns),
        made=max(base.made, now.made),
        elapsed_s=base.elapsed_s + now.elapsed_s,
        started_ms=base.started_ms or now.started_ms,
        faults_missed=base.faults_missed + now.faults_missed,
    )
