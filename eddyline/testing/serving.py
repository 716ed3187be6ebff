"""A real server for tests: on free ports, in a directory of its own, gone afterwards.

It runs in the process of the test; its workers are processes of their own.
"""

from __future__ import annotations

import queue
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.settings import Settings, load

if TYPE_CHECKING:
    from eddyline.service.remote import Remote


class TestServer:
    """A running server. ``services``: SQL, jobs, generators, notes, as the commands have them."""

    __test__ = False  # not a test class, though its name says so to pytest

    def __init__(self, settings: Settings, endpoint_url: str, studio_url: str | None) -> None:
        from eddyline.service.remote import Remote

        self.settings = settings
        self.data_dir = settings.data_dir
        self.endpoint_url = endpoint_url
        self.studio_url = studio_url
        self.services: Remote = Remote(settings)
        self._session: str | None = None

    def client(self, service: str = "kinesis") -> Any:
        """A botocore client of this server, with keys that need not be true."""
        from botocore.config import Config

        return _aws_session().create_client(
            service,
            region_name=self.settings.region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}),
        )

    def sql(
        self,
        text: str,
        *,
        for_s: float | None = None,
        limit: int | None = None,
        timeout_s: float = 60.0,
    ) -> list[dict[str, Any]]:
        """Run statements; the rows of the last table they gave, by column name.

        All calls share one session, as the paragraphs of a note do.

        A SELECT over a stream does not end by itself: ``for_s`` ends it after so many seconds of
        reading, ``limit`` once so many rows are there. Values are Python's own
        (``testing.values``): whole numbers, floats, ``Decimal``, booleans, dates and times; None
        for NULL.

        Raises:
            EddylineError: what a statement met; ``conflict`` if the statements are not over after
                ``timeout_s``.
        """
        from eddyline.service import events as e
        from eddyline.testing.values import value_of

        arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        if self._session is None:
            self._session = f"kit:{uuid.uuid4().hex[:12]}"
        began = SYSTEM.monotonic()
        run_id = self.services.sessions.submit(self._session, text, arrived.put, refresh_ms=50)
        table: e.TableSnapshot | None = None
        cancelled = timed_out = False
        reads_at: float | None = None
        while True:
            with suppress(queue.Empty):
                event = arrived.get(timeout=0.02)
                if isinstance(event, e.TableSnapshot):
                    table = event
                if isinstance(event, e.StatementReads):
                    reads_at = reads_at or SYSTEM.monotonic()
                if isinstance(event, e.RunFinished):
                    break
            now = SYSTEM.monotonic()
            complete = limit is not None and table is not None and table.row_count >= limit
            due = for_s is not None and reads_at is not None and now - reads_at >= for_s
            timed_out = timed_out or (not cancelled and not complete and now - began >= timeout_s)
            if not cancelled and (complete or due or timed_out):
                cancelled = True
                self.services.sessions.cancel(run_id)
        if timed_out:
            raise _endless(timeout_s, table.row_count if table else 0)
        if event.error is not None:
            code, message = event.error["code"], event.error["message"]
            hint, detail = event.error.get("hint"), event.error.get("detail")
            raise EddylineError(code, message, hint=hint, detail=detail)
        if table is None:
            return []
        rows = [map(value_of, table.types, row) for row in table.rows[:limit]]
        return [dict(zip(table.columns, row, strict=True)) for row in rows]

    def clear(self) -> None:
        """End the session; remove all jobs, generators, notes, tables and streams."""
        if self._session is not None:
            self.services.sessions.close(self._session)
            self._session = None
        for note in self.services.notes.list():
            self.services.notes.remove(note.id)
        for job in self.services.jobs.list():
            self.services.jobs.remove(job.job_id)
        for generator in self.services.generators.list():
            self.services.generators.remove(generator.id)
        for name in self.services.catalog.list_views():
            self.services.catalog.drop_view((name,))
        for name in self.services.catalog.list_tables():
            self.services.catalog.drop_table((name,))
        for stream in self.services.streams.list():
            self.services.streams.delete(stream.name)


@lru_cache(maxsize=1)
def _aws_session() -> Any:
    """One for all clients: a session reads the services' models, which takes far longer than
    making a client."""
    import botocore.session

    return botocore.session.get_session()


def _endless(timeout_s: float, rows: int) -> EddylineError:
    msg = f"the statements are not over after {timeout_s:g} s; {rows:,} rows so far"
    hint = "a query over a stream does not end by itself: give limit=... or for_s=..."
    return EddylineError("conflict", msg, hint=hint)


@contextmanager
def server(*, studio: bool = False, **settings: Any) -> Iterator[TestServer]:
    """A running server; settings as in ``eddyline.settings`` (``data_dir`` is kept if given).

    >>> with server() as eddyline:                                   # doctest: +SKIP
    ...     eddyline.client().create_stream(StreamName="s", ShardCount=1)
    """
    from eddyline.server import Server

    scratch = None if "data_dir" in settings else Path(tempfile.mkdtemp(prefix="eddyline-"))
    free = {"port": 0, "api_port": 0, "stream_delay_ms": 0}
    settings_ = load(**{**free, "data_dir": scratch, **settings})
    running = Server(settings_, studio=studio, warm=False)
    running.start()
    try:
        served = TestServer(settings_, running.endpoint_url, running.studio_url)
        yield served
        served.services.stop()
    finally:
        running.stop()
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
