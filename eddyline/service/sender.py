"""A generator's own process: it receives a spec once, sends records and reports its counters."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cache
from typing import Any

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.generator.counters import Counters
from eddyline.generator.job import Generator
from eddyline.generator.spec import GeneratorSpec
from eddyline.generator.target import Target, open_labels, open_target
from eddyline.service.channel import MessageChannel
from eddyline.service.child import described, in_thread, join_parent, serve
from eddyline.service.messages import Generate, Sent, unpacked
from eddyline.service.templates import lists
from eddyline.settings import Settings

REPORT_S = 0.25


class Sender:
    """Runs one generator and reports its counters to the server four times per second."""

    def __init__(self, channel: MessageChannel) -> None:
        self._channel = channel
        self._stop = threading.Event()
        self._over = threading.Event()
        self._over.set()
        self._telling = threading.Lock()

    def handle(self, message: Any) -> None:
        """Begin the work that ``Generate`` describes."""
        assert isinstance(message, Generate)
        self._over.clear()
        in_thread("generator", self._run, message.spec, unpacked(message.settings))

    def finish(self) -> None:
        """Stop after the batch under way."""
        self._stop.set()
        self._over.wait()

    def _run(self, spec: GeneratorSpec, settings: Settings) -> None:
        counters, error = Counters(), None
        try:
            with ExitStack() as opened:
                generator = _generator(spec, settings, opened)
                in_thread("report", self._report, generator)
                try:
                    generator.run(self._stop)
                finally:
                    counters = generator.counters
        except Exception as failure:
            error = described(failure)
        with self._telling:  # the last counters are the last message
            self._channel.send(Sent(counters, True, error.as_dict() if error else None))
            self._over.set()
        self._channel.close()

    def _report(self, generator: Generator) -> None:
        while not self._over.is_set():
            with self._telling:
                if not self._over.is_set():
                    self._channel.send(Sent(generator.counters))
            SYSTEM.wait(self._over, REPORT_S)


def _generator(spec: GeneratorSpec, settings: Settings, opened: ExitStack) -> Generator:
    """The generator with its targets, all of which are closed with ``opened``."""

    @cache
    def streams() -> Any:
        from eddyline.log import LogStore

        return LogStore(settings.data_dir, settings, SYSTEM)

    def open_output(text: str) -> Target:
        return opened.enter_context(closing(open_target(replace(spec, target=text), streams)))

    target = open_output(spec.target)
    labels = open_labels(spec, streams)
    if labels is not None:
        opened.enter_context(closing(labels))
    files = lists(settings.data_dir)
    return Generator(spec, target, labels=labels, open_output=open_output, files=files)


def main() -> None:
    """Entry of the process."""
    channel = join_parent(sys.argv[1:])
    sender = Sender(channel)
    try:
        serve(channel, sender.handle, sender.finish)
    except EddylineError as error:
        sys.stderr.write(error.pretty() + "\n")


if __name__ == "__main__":
    main()
