"""The table of engines, from which the setting ``engine`` chooses.

A row is the function that makes the engine. It imports its module itself, so that a process loads
only the engine that it uses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eddyline.errors import EddylineError, nearest
from eddyline.settings import Settings

if TYPE_CHECKING:
    from eddyline.engines.engine import Engine
    from eddyline.log import LogStore


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What an engine is given. crash: a hook for tests of recovery."""

    streams: LogStore
    settings: Settings
    crash: Callable[[], Callable[[str], None] | None] = lambda: None


def _local(context: EngineContext) -> Engine:
    from eddyline.engines.local import LocalEngine

    # Jobs use the log's clock, which does not follow a wall clock that jumps.
    clock = context.streams.clock
    return LocalEngine(context.streams, context.settings, clock, context.crash)


ENGINES: dict[str, Callable[[EngineContext], Engine]] = {"local": _local}


def check_engine(name: str) -> None:
    """Refuse the name of an engine that there is not.

    Raises:
        EddylineError: ``invalid_argument``, with the nearest name.
    """
    if name in ENGINES:
        return
    near = nearest(name, list(ENGINES))
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(ENGINES)}"
    raise EddylineError("invalid_argument", f"there is no engine {name!r}", hint=hint)


def engine_for(context: EngineContext) -> Engine:
    """The engine of the settings. Raises as ``check_engine``."""
    name = context.settings.engine
    check_engine(name)
    return ENGINES[name](context)
