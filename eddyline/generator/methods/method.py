"""What one method of the template language is: a row of a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from eddyline.generator.arguments import Arguments, shown
from eddyline.generator.column import GeneratedColumn

_WORD = re.compile(r"[A-Za-z]\w*")


@dataclass(frozen=True, slots=True)
class Method:
    """Name, how it may be called, what it gives, and how its arguments become a column.

    ``forms`` are alternatives such as ``(min, max) or ({min,max})``: what a call may pass, by
    position and by name. ``example`` is a tag that works, without its braces; ``shape`` a regular
    expression that each of its texts matches in full. Documentation, the page's help and tests
    read the row.
    """

    name: str
    forms: str
    doc: str
    compile: Callable[[Arguments], GeneratedColumn]
    example: str
    shape: str

    @property
    def names(self) -> set[str]:
        """The arguments that can be passed by name."""
        return set(_WORD.findall(self.forms)) - {"or"}

    @property
    def positions(self) -> int:
        """Most arguments that can be passed by position."""
        return max((_items(form) for form in self.forms.split(" or ")), default=0)

    @property
    def takes_any_name(self) -> bool:
        """Whether an object of the user's own is an argument."""
        return "{…}" in self.forms


def constant(column: GeneratedColumn) -> Callable[[Arguments], GeneratedColumn]:
    """The compiler of a method without arguments."""
    return lambda _: column


def unused(method: Method, args: Arguments) -> list[str]:
    """A sentence for each argument of a call that the method does not read.

    The public generator ignores such arguments, and published templates hold some, so they are no
    error; but whoever writes one should know that it has no effect.
    """
    extra = args.values[max(method.positions, bool(method.names)) :]
    warnings = [f"{args.tag}: the argument {shown(v)} has no effect" for v in extra]
    if method.takes_any_name or extra:
        return warnings
    only = args.first() if len(args.values) == 1 else None
    options = only if isinstance(only, dict) else args.options(method.names)
    unknown = [name for name in options if name not in method.names]
    return warnings + [f"{args.tag}: the argument {name} has no effect" for name in unknown]


def _items(form: str) -> int:
    """Arguments of one form: commas outside of brackets and quotes, and one."""
    depth, count, quoted = 0, 1, False
    inner = form.strip().removeprefix("(").removesuffix(")").strip()
    for char in inner:
        quoted ^= char == '"'
        if not quoted:
            depth += (char in "([{") - (char in ")]}")
            count += char == "," and depth == 0
    return count if inner else 0
