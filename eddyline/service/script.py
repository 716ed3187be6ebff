"""A run: the statements of one text, one after the other, in a thread of the session's worker.

An INSERT becomes a job and the script goes on; the run ends when its jobs have. The first
statement that fails ends the run.
"""

from __future__ import annotations

import threading

from eddyline.engines.engine import Prepared, StartFrom
from eddyline.errors import EddylineError
from eddyline.service import messages
from eddyline.service.child import described
from eddyline.service.compiled_plan import CompiledInsert, plan_exists, read_plan, write_plan
from eddyline.service.context_change import change_between
from eddyline.service.events import (
    JobStarted,
    RunFinished,
    StatementFinished,
    StatementStarted,
    TableSnapshot,
    Text,
    Warning_,
)
from eddyline.service.job_work import JobWork, alert_of_failure
from eddyline.service.jobs import FAILED, JobContext, JobInfo
from eddyline.service.session import Session, catalog_of, pack
from eddyline.service.statements import answer, kind_of
from eddyline.service.work import StatementWork
from eddyline.sql import statement as s
from eddyline.sql.options import OPTIONS, SessionConfig
from eddyline.sql.parse import parse_script, statements
from eddyline.sql.planner import Planner
from eddyline.sql.statement import Statement


class Script:
    """One run of a text."""

    def __init__(self, session: Session, run: messages.Run) -> None:
        self._session = session
        self._run = run
        self.jobs: list[JobWork] = []
        self._cancelled = threading.Event()
        self._query: StatementWork | None = None
        self._named: dict[str, int] = {}
        self._began = session.clock.monotonic()

    def cancel(self) -> None:
        """End the run and the jobs it waits for."""
        self._cancelled.set()
        query = self._query
        if query is not None:
            query.stop.set()
        for job in self.jobs:
            job.stop()

    def pause(self) -> None:
        """The worker ends: queries stop, jobs are to run again."""
        for job in self.jobs:
            job.pause()
        self.cancel()

    def run(self) -> None:
        """All statements, then all jobs."""
        error = None
        try:
            for index, statement in enumerate(statements(self._run.text)):
                if self._cancelled.is_set():
                    break
                self._one(index, statement)
        except Exception as failure:
            error = described(failure)
        if error is not None:
            for job in self.jobs:
                job.stop()
        self._finish(error)

    def resume(self, jobs: list[JobInfo], start: str) -> None:
        """Go on with jobs that began earlier. start: what of their saved states they use."""
        error = None
        for job in jobs:
            try:
                self._resume(job, StartFrom(start))
            except Exception as failure:
                error = described(failure)
                self._session.jobs.reached(job.job_id, FAILED, error.as_dict())
                report = messages.JobReport(job.job_id, FAILED, None, [], error.as_dict())
                self._session.send(report)
                alert_of_failure(self._session, job.job_id, error)
        self._finish(error)

    def _resume(self, job: JobInfo, start: StartFrom) -> None:
        context = self._session.jobs.context(job.job_id)
        # It was accepted when it began.
        config = SessionConfig({"table.exec.sink.require-on-conflict": "false", **context.options})
        statement = parse_script(job.sql)[0]
        if isinstance(statement, s.CreateTable) and statement.query is not None:
            statement = filling(statement)
        if not isinstance(statement, s.Insert | s.StatementSet):
            raise EddylineError("internal", f"job {job.job_id} is no INSERT")
        plan = self._session.prepare(statement, catalog_of(context), config)
        index = job.statement_index
        work = JobWork(self._session, self._run, index, plan, job.job_id, config)
        work.same_statement, work.start_from = True, start
        self._start(work)

    def _finish(self, error: EddylineError | None) -> None:
        if not self._run.detach:
            ids = [job.job_id for job in self.jobs]
            self._session.send(messages.Waiting(self._run.run_id, ids))
            for job in self.jobs:
                job.over.wait()
                error = error or job.error
        elif error is None and not self._cancelled.is_set():
            for job in self.jobs:
                error = error or job.first_failure()
        cancelled = self._cancelled.is_set()
        status = "ABORT" if cancelled else "ERROR" if error else "FINISHED"
        ms = self._ms(self._began)
        problem = error.as_dict() if error else None
        text = error.pretty() if error else None
        self._session.send(RunFinished(self._run.run_id, status, problem, text, ms))

    def _ms(self, since: float) -> int:
        return round((self._session.clock.monotonic() - since) * 1000)

    def _config(self) -> SessionConfig:
        """The session's options, with those of this run alone."""
        config = self._session.config
        for key, value in self._run.parameters.items():
            if key in OPTIONS:
                config, _ = config.with_option(key, value)
        return config

    def _one(self, index: int, statement: Statement) -> None:
        run_id, began = self._run.run_id, self._session.clock.monotonic()
        line = statement.source.span.line
        self._session.send(StatementStarted(run_id, index, kind_of(statement), line))
        if isinstance(statement, s.Query):
            self._select(index, statement)
        elif isinstance(statement, s.Insert | s.StatementSet):
            return self._insert(index, statement)
        elif isinstance(statement, s.ExecutePlan):
            return self._execute_plan(index, statement.path)
        elif isinstance(statement, s.CompilePlan):
            self._compile(index, statement)
        elif isinstance(statement, s.Explain):
            session, config = self._session, self._config()
            self._text(index, session.engine.explain(statement, session.catalog, config))
        else:
            self._do(index, statement)
        self._session.send(StatementFinished(run_id, index, self._ms(began)))
        return None

    def _planner(self) -> Planner:
        return Planner(self._session.catalog, self._config())

    def _do(self, index: int, statement: Statement) -> None:
        with self._session.planning:
            before = self._session.context()
            result = answer(self._session, self._planner(), statement)
            context = self._session.context()
        self._session.send(messages.Remember(context, change_between(before, context)))
        run_id = self._run.run_id
        for warning in result.warnings:
            self._session.send(Warning_(run_id, index, warning))
        if result.text is not None:
            self._text(index, result.text)
        else:
            rows = [list(row) for row in result.rows]
            types = ["STRING"] * len(result.columns)
            head = (run_id, index, list(result.columns), types)
            self._session.send(TableSnapshot(*head, rows, len(rows), 0))
        if isinstance(statement, s.CreateTable) and statement.query is not None:
            self._fill(index, statement)

    def _fill(self, index: int, statement: s.CreateTable) -> None:
        """The INSERT of a CREATE TABLE ... AS SELECT."""
        self._insert(index, filling(statement))

    def _text(self, index: int, text: str) -> None:
        self._session.send(Text(self._run.run_id, index, text))

    def _select(self, index: int, statement: s.Query) -> None:
        with self._session.planning:
            config = self._config()
            plan = self._session.prepare(statement, self._session.catalog, config)
        self._warn(index, plan)
        self._query = StatementWork(self._session, self._run, index, plan, config=config)
        if self._cancelled.is_set():
            self._query.stop.set()
        self._query.run()
        self._query = None

    def _warn(self, index: int, plan: Prepared) -> None:
        for warning in plan.warnings:
            self._session.send(Warning_(self._run.run_id, index, warning))

    def _insert(self, index: int, statement: s.Insert | s.StatementSet) -> None:
        plan, context = self._planned(statement)
        self._submit(index, statement.source.text, plan, context, self._config())

    def _planned(self, statement: s.Insert | s.StatementSet) -> tuple[Prepared, JobContext]:
        """The plan of an INSERT or a statement set, and what planning it again needs."""
        catalog, config = self._session.catalog, self._config()
        with self._session.planning:
            catalog.forget()
            plan = self._session.prepare(statement, catalog, config)
            objects = [pack(used) for used in catalog.used()]
        place = (catalog.current_database, dict(config.values), objects, catalog.current_catalog)
        return plan, JobContext(*place)

    def _submit(
        self, index: int, sql: str, plan: Prepared, context: JobContext, config: SessionConfig
    ) -> None:
        """Make a job of a planned INSERT and start it."""
        session = self._session
        self._warn(index, plan)
        name = self._name_of_job(self._run.job_name or config.get("pipeline.name"))
        savepoint = config.get("execution.savepoint.path")
        same_statement = session.jobs.has_statement(name, sql, context)
        if not same_statement or savepoint:  # a refused change leaves the job as it was
            self._check_state(name, savepoint, plan, config)
        job_id = session.jobs.create(
            name=name,
            session=session.name,
            run_id=self._run.run_id,
            index=index,
            sql=sql,
            context=context,
            fresh=self._run.start == StartFrom.FRESH or bool(savepoint),
        )
        if savepoint:
            session.savepoints.restore(savepoint, job_id)
        session.send(JobStarted(self._run.run_id, index, job_id))
        job = JobWork(session, self._run, index, plan, job_id, config)
        job.same_statement, job.start_from = same_statement, StartFrom(self._run.start)
        self._start(job)
        if config.value("table.dml-sync"):
            job.over.wait()
            if job.error:
                raise job.error

    def _check_state(
        self, name: str | None, savepoint: str | None, plan: Prepared, config: SessionConfig
    ) -> None:
        """Refuse a statement that cannot take the state it is to begin with."""
        session = self._session
        directory = session.savepoints.folder(savepoint) if savepoint else None
        if directory is None and name is not None and self._run.start == StartFrom.STATE:
            job_id = session.jobs.ended(name)
            directory = session.directory.job(job_id) if job_id else None
        if directory is not None and not config.ignores_unclaimed_state:
            session.engine.check_state(plan, directory)

    def _name_of_job(self, name: str) -> str | None:
        """The name of the next job; the second one of a run is told apart by a number."""
        if not name:
            return None
        self._named[name] = self._named.get(name, 0) + 1
        return name if self._named[name] == 1 else f"{name} {self._named[name]}"

    def _compile(self, index: int, statement: s.CompilePlan) -> None:
        """COMPILE PLAN, and COMPILE AND EXECUTE PLAN."""
        inner = statement.statement
        if not (statement.if_not_exists and plan_exists(statement.path)):
            compiled = [CompiledInsert(_text_of(inner), self._planned(inner)[1])]
            force = bool(self._config().value("table.plan.force-recompile"))
            write_plan(statement.path, compiled, force=force)
        if statement.execute:
            self._execute_plan(index, statement.path)
        else:
            self._text(index, "Plan has been compiled.")

    def _execute_plan(self, index: int, path: str) -> None:
        for compiled in read_plan(path):
            context = compiled.context
            statement = parse_script(compiled.sql)[0]
            if not isinstance(statement, s.Insert | s.StatementSet):
                raise EddylineError(
                    "bad_file", f"the plan {path} holds a statement other than INSERT"
                )
            config = SessionConfig(context.options)
            plan = self._session.prepare(statement, catalog_of(context), config)
            self._submit(index, compiled.sql, plan, context, config)

    def _start(self, job: JobWork) -> None:
        self.jobs.append(job)
        self._session.send(messages.JobReport(job.job_id, "STARTING"))
        if self._cancelled.is_set():
            job.stop()
        job.start()


def _text_of(statement: s.Insert | s.StatementSet) -> str:
    """The text of a statement that stands within another."""
    if isinstance(statement, s.Insert):
        return statement.source.text
    inserts = ";\n".join(insert.source.text for insert in statement.inserts)
    return f"EXECUTE STATEMENT SET BEGIN\n{inserts};\nEND"


def filling(statement: s.CreateTable) -> s.Insert:
    """The INSERT of a CREATE TABLE … AS SELECT: each column of the query goes to its own."""
    assert statement.query is not None
    return s.Insert(statement.source, statement.name, (), statement.query, by_name=True)
