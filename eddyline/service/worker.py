"""A session's worker process: runs SQL, and goes on with jobs that an earlier worker left."""

from __future__ import annotations

import sys
import threading
from typing import Any

from eddyline.errors import EddylineError
from eddyline.service import messages
from eddyline.service.channel import MessageChannel
from eddyline.service.child import in_thread, join_parent, serve

FINISH_S = 4.0


class Worker:
    """Handles the server's messages; what takes time runs in threads."""

    def __init__(self, channel: MessageChannel) -> None:
        from eddyline.service.script import Script
        from eddyline.service.session import Session

        self._script, self._session_of = Script, Session
        self._channel = channel
        self._lock = threading.Lock()
        self._scripts: dict[str, list[Script]] = {}
        self._session: Session | None = None

    def handle(self, message: Any) -> None:
        """One message of the server."""
        if isinstance(message, messages.Begin):
            self._begin(message)
        elif isinstance(message, messages.Run):
            self._run(message)
        elif isinstance(message, messages.Adopt):
            assert self._session is not None, "Begin comes first"
            self._session.adopt(message.context)
        elif isinstance(message, messages.AdoptChange):
            assert self._session is not None, "Begin comes first"
            self._session.adopt_change(message.change)
        elif isinstance(message, messages.Resume):
            self._resume(message)
        elif isinstance(message, messages.Cancel):
            for script in self._of(message.run_id):
                script.cancel()
        elif isinstance(message, messages.StopJob):
            self._stop_job(message.job_id)

    def _begin(self, message: messages.Begin) -> None:
        settings = messages.unpacked(message.settings)
        self._session = self._session_of(
            message.session, settings, self._channel.send, message.context
        )

    def _run(self, run: messages.Run) -> None:
        assert self._session is not None, "Begin comes first"
        script = self._script(self._session, run)
        self._keep(run.run_id, script)
        in_thread(f"run-{run.run_id}", self._through, run.run_id, script)

    def _through(self, run_id: str, script: Any) -> None:
        script.run()
        self._forget(run_id, script)

    def _resume(self, message: messages.Resume) -> None:
        session = self._session
        assert session is not None, "Begin comes first"
        jobs = [j for j in session.jobs.list() if j.job_id in message.job_ids]
        script = self._script(session, messages.Run(message.run_id, "", detach=message.detach))
        self._keep(message.run_id, script)

        def go_on() -> None:
            script.resume(jobs, message.start)
            self._forget(message.run_id, script)

        in_thread(f"resume-{message.run_id}", go_on)

    def _keep(self, run_id: str, script: Any) -> None:
        with self._lock:
            self._scripts.setdefault(run_id, []).append(script)

    def _forget(self, run_id: str, script: Any) -> None:
        with self._lock:
            if all(job.over.is_set() for job in script.jobs):
                self._scripts[run_id].remove(script)

    def _of(self, run_id: str) -> list[Any]:
        with self._lock:
            return list(self._scripts.get(run_id, ()))

    def _all(self) -> list[Any]:
        with self._lock:
            return [script for scripts in self._scripts.values() for script in scripts]

    def _stop_job(self, job_id: str) -> None:
        for script in self._all():
            for job in script.jobs:
                if job.job_id == job_id:
                    job.stop()

    def finish(self) -> None:
        """Stop everything after the current micro-batch; jobs are resumed later."""
        scripts = self._all()
        for script in scripts:
            script.pause()
        for script in scripts:
            for job in script.jobs:
                job.over.wait(FINISH_S)
        if self._session is not None:
            self._session.streams.close()


def main() -> None:
    """Entry of the process."""
    channel = join_parent(sys.argv[1:])
    try:
        worker = Worker(channel)
        channel.send(messages.Ready())
        serve(channel, worker.handle, worker.finish)
    except EddylineError as error:
        sys.stderr.write(error.pretty() + "\n")
        raise


if __name__ == "__main__":
    main()
