"""A session in this process: statements in, rows, texts or the error out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eddyline.service import events as e
from eddyline.service import messages
from eddyline.service.script import Script
from eddyline.service.session import Session
from eddyline.settings import Settings


class LocalSession:
    """Runs statements one after the other."""

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self._events: list[Any] = []
        kept = Settings(data_dir=data_dir, worker_threads=1, **settings)
        self.session = Session("test", kept, self._send)

    def _send(self, event: Any) -> bool:
        self._events.append(event)
        return True

    def events(self, text: str) -> list[Any]:
        """What a text reports."""
        self._events.clear()
        Script(self.session, messages.Run(run_id="r", text=text)).run()
        return list(self._events)

    def rows(self, text: str) -> list[list[str | None]]:
        """The rows of a text's last result; an error fails the test."""
        events = self.events(text)
        errors = [x.error_text for x in events if isinstance(x, e.RunFinished) and x.error_text]
        assert not errors, errors[0]
        snapshots = [x for x in events if isinstance(x, e.TableSnapshot)]
        if snapshots:
            return snapshots[-1].rows
        return [[x.text] for x in events if isinstance(x, e.Text)]

    def error(self, text: str) -> str:
        """What a text fails with."""
        errors = [x.error_text for x in self.events(text) if isinstance(x, e.RunFinished)]
        assert errors[-1], f"{text} does not fail"
        return str(errors[-1])
