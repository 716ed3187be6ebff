"""What one method of the template language is: a row of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eddyline.generator.arguments import Arguments
from eddyline.generator.column import Column


@dataclass(frozen=True, slots=True)
class Method:
    """Name, how it may be called, what it gives, and how its arguments become a column.

    ``example`` is a tag that works, without its braces; ``shape`` a regular expression that
    each of its texts matches in full. Documentation, the page's help and tests read the row.
    """

    name: str
    forms: str
    doc: str
    compile: Callable[[Arguments], Column]
    example: str
    shape: str


def constant(column: Column) -> Callable[[Arguments], Column]:
    """The compiler of a method without arguments; what is passed all the same is ignored."""
    return lambda _: column
