"""Records that a stream no longer has when a job comes to read them: reported, or an error.

A job that was stopped for longer than its stream's retention, or that is slower than its stream,
has a gap in its input. ``fail-on-data-loss`` = ``true`` ends the job there; otherwise it goes on
behind the gap with a warning, at most once a minute for each shard.
"""

from __future__ import annotations

from eddyline.engine.sources.source import SourceContext
from eddyline.errors import EddylineError
from eddyline.options.connectors.kinesis import FAIL_ON_DATA_LOSS

WARN_AGAIN_S = 60.0


class MissedRecords:
    """The gaps of one source."""

    def __init__(self, context: SourceContext, stream: str) -> None:
        self._context = context
        self._stream = stream
        self._warned: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def add(self, shard: str, count: int, reason: str) -> None:
        """``count`` records of a shard cannot be read any more.

        Raises:
            EddylineError: ``data_loss`` if the table wants that.
        """
        what = f"records of stream {self._stream}, {shard}, were not read: {reason}"
        if FAIL_ON_DATA_LOSS.read(self._context.options):
            message = f"table {self._context.name}: {count:,} {what}"
            hint = (
                f"'{FAIL_ON_DATA_LOSS.name}' = 'false' lets the job go on behind them; a longer "
                "retention keeps them"
            )
            raise EddylineError("data_loss", message, hint=hint)
        self._context.figures.lost += count
        waiting = self._unsaid.pop(shard, 0) + count
        now = self._context.clock.monotonic()
        if now - self._warned.get(shard, float("-inf")) < WARN_AGAIN_S:
            self._unsaid[shard] = waiting
            return
        self._warned[shard] = now
        self._context.warn(f"table {self._context.name}: {waiting:,} {what}")
