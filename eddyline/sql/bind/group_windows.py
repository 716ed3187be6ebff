"""The older way to group by time: ``GROUP BY TUMBLE(time, size)`` and its auxiliary functions."""

from __future__ import annotations

from dataclasses import replace

from eddyline.record.types import TimeAttribute, timestamp
from eddyline.sql import syntax as s
from eddyline.sql.bind.expressions import AUXILIARY, ExpressionBinder
from eddyline.sql.bind.grouping import LegacyWindow, milliseconds, refuse_zoned
from eddyline.sql.bind.scope import Environment
from eddyline.sql.physical import Window, WindowKind
from eddyline.sql.typed import Ref, Typed

# What an auxiliary function is called until the window has columns: place among their names.
BOUNDS = {"\0bound_START": 0, "\0bound_END": 1, "\0bound_ROWTIME": 2}
_SIZES = {"TUMBLE": (1, "size"), "HOP": (2, "slide and size"), "SESSION": (1, "gap")}


def legacy_window(call: s.FunctionCall, binder: ExpressionBinder, env: Environment) -> LegacyWindow:
    """``TUMBLE(time, size)``, ``HOP(time, slide, size)`` or ``SESSION(time, gap)``.

    Raises:
        EddylineError: ``sql_semantic``.
    """
    if call.name not in _SIZES:
        hint = f"write FROM TABLE({call.name}(TABLE t, DESCRIPTOR(time), …))"
        raise env.error(f"{call.name} is a table function only", call.name_span, hint)
    count, what = _SIZES[call.name]
    if len(call.args) != 1 + count:
        msg = f"{call.name} takes a time and {what} here"
        raise env.error(msg, call.span, f"for example {call.name}(ts{', INTERVAL …' * count})")
    time = binder.bind(call.args[0])
    by_clock = time.type.time_attribute is TimeAttribute.PROCTIME
    if not by_clock and not (isinstance(time, Ref) and time.type.is_rowtime):
        msg = f"{call.name} needs a row-time column, this is {time.type}"
        hint = "give its table WATERMARK FOR that column"
        if time.type.is_timestamp:
            hint += "; a join or IN (SELECT …) not bounded in time ends it: take the window first"
        raise env.error(msg, call.args[0].span, hint)
    refuse_zoned(call.name, time.type, call.args[0].span, env)
    sizes = tuple(
        milliseconds(binder.bind(a), env, a.span, f"{call.name}'s {what}") for a in call.args[1:]
    )
    return LegacyWindow(_window(call, sizes, env), time, call.name, sizes)


def _window(call: s.FunctionCall, sizes: tuple[int, ...], env: Environment) -> Window:
    """The window; only the table function needs a size that is a multiple of the slide."""
    kind = WindowKind(call.name)
    if min(sizes) <= 0:
        raise env.error(f"{call.name}: an interval must be longer than 0", call.span)
    if kind is not WindowKind.HOP:
        return Window(kind, sizes[0])
    slide, size = sizes
    return Window(kind, size, slide)


def auxiliary(
    call: s.FunctionCall, window: LegacyWindow, binder: ExpressionBinder, env: Environment
) -> Typed:
    """``TUMBLE_START(time, size)`` and its like, as a mark for the window's column.

    Raises:
        EddylineError: ``sql_semantic`` if it is of another window than the query's.
    """
    if call.name not in AUXILIARY:
        msg = f"{call.name}(…) stands in GROUP BY"
        raise env.error(msg, call.span, f"here use {call.name}_START, _END or _ROWTIME")
    function, part = AUXILIARY[call.name]
    if function != window.function or len(call.args) != 1 + len(window.sizes):
        msg = f"{call.name} does not fit the query's {window.function}"
        raise env.error(msg, call.span, f"use {window.function}_{part} with the same arguments")
    saved, binder.auxiliary = binder.auxiliary, None
    bound = [binder.bind(a) for a in call.args]
    binder.auxiliary = saved
    values = tuple(getattr(a, "value", None) for a in bound[1:])
    if bound[0] != window.time or values != window.sizes:
        msg = f"{call.name} has other arguments than the {window.function} of GROUP BY"
        raise env.error(msg, call.span, "write the same arguments in both places")
    by_clock = window.time.type.time_attribute is TimeAttribute.PROCTIME
    if part == "PROCTIME" and not by_clock:
        msg = f"{call.name} needs a window over processing time, this is over a row time"
        raise env.error(msg, call.span, f"use {function}_ROWTIME")
    if part == "ROWTIME" and by_clock:
        msg = f"{call.name} needs a window over a row time, this is over processing time"
        raise env.error(msg, call.span, f"use {function}_PROCTIME")
    if part in ("ROWTIME", "PROCTIME"):
        return Ref("\0bound_ROWTIME", window.time.type.null())
    return Ref(f"\0bound_{part}", replace(timestamp(3), nullable=False))
