"""Templates: text with ``{{module.method(argument)}}`` tags, compiled once, rendered by column.

The language is the one of the public Kinesis generator, so its templates work as they are, and so
do those on which it breaks: spaces inside the braces, empty parentheses, ``}}`` of nested JSON
outside of a tag, arguments with parentheses or braces, several arguments. Newlines of the template
are removed, indentation stays, and each record is trimmed. What this language adds is described in
``tag.py`` and ``compiler.py``. All errors are found when compiling, before anything is sent, and
point at their tag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from eddyline.clock import SYSTEM, Clock
from eddyline.errors import EddylineError
from eddyline.generator.column import Integers
from eddyline.generator.compiler import TemplateCompiler
from eddyline.generator.folder import NO_FILES, Folder
from eddyline.generator.tag import Tag, find_tags
from eddyline.generator.turn import Rendering, Turn

TEMPLATE_CHARS_MAX = 1_000_000
# What one Kinesis record may hold.
RECORD_BYTES_MAX = 10 * 1024 * 1024
TURN_BYTES_MAX = 4 * RECORD_BYTES_MAX
# Bounds on one rendering step; more rows are rendered in several.
STEP_BYTES_MAX = 64 * 1024 * 1024
STEP_UNIFORMS_MAX = 2_000_000
STEP_ROWS_MAX = 16_384


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template: ``text`` as the user wrote it, ``warnings`` what has no effect in it."""

    text: str
    tags: tuple[Tag, ...]
    turn: Turn
    warnings: tuple[str, ...] = ()

    @property
    def record_bytes_max(self) -> int:
        """No record is longer than this."""
        return self.turn.width

    @property
    def outputs(self) -> tuple[str, ...]:
        """Where records go: ``""`` is the run's target, others are named by ``record.next``."""
        return self.turn.outputs

    def rendering(
        self, rng: np.random.Generator, first: int = 0, origin_ms: int | None = None
    ) -> Rendering:
        """The records of one run, ``first`` turns of which were rendered since ``origin_ms``."""
        return Rendering(self.turn, rng, self._step_rows(), first, origin_ms)

    def render(
        self,
        n: int,
        rng: np.random.Generator,
        now_ms: Integers | int,
        *,
        sim_ms: Integers | int | None = None,
        first: int = 0,
    ) -> Any:
        """``n`` records as a pyarrow BinaryArray, without trailing newlines.

        ``now_ms`` is the instant of all records, or of each, shape (n,), not decreasing. The
        same generator state gives the same records however ``n`` is divided over calls, as long
        as a turn makes one record; several are divided rightly by a ``rendering`` only.
        """
        now = np.broadcast_to(np.asarray(now_ms, np.int64), (n,))
        sim = now if sim_ms is None else np.broadcast_to(np.asarray(sim_ms, np.int64), (n,))
        rendering = Rendering(self.turn, rng, self._step_rows())
        rendering.begin(first)
        return rendering.records(n, now, sim)

    def _step_rows(self) -> int:
        by_bytes = STEP_BYTES_MAX // max(1, self.turn.turn_width)
        by_uniforms = STEP_UNIFORMS_MAX // max(1, self.turn.slots)
        return max(1, min(STEP_ROWS_MAX, by_bytes, by_uniforms))


def compile_template(text: str, files: Folder = NO_FILES) -> Template:
    """Compile a template's text; ``files`` are the lists it may read.

    Raises:
        EddylineError: ``template_error`` for an empty template, an unknown or malformed tag, a
            bad argument, or records that could be too long for a stream.
    """
    if not text.strip():
        raise EddylineError(
            "template_error",
            "the template is empty",
            hint='write the record\'s text with tags, as in {"id": {{random.number(150)}}}',
        )
    if len(text) > TEMPLATE_CHARS_MAX:
        message = f"the template has {len(text)} characters, at most {TEMPLATE_CHARS_MAX} may be"
        raise EddylineError("template_error", message)
    tags = tuple(find_tags(text))
    compiler = TemplateCompiler(text, tags, files)
    turn = compiler.turn()
    if turn.width > RECORD_BYTES_MAX:
        message = f"a record could have {turn.width} bytes, a stream takes {RECORD_BYTES_MAX}"
        raise EddylineError("template_error", message, hint="shorten the counts in its tags")
    if turn.turn_width > TURN_BYTES_MAX:
        message = f"the records of a turn could have {turn.turn_width} bytes together"
        hint = f"at most {TURN_BYTES_MAX}: shorten the counts in its tags"
        raise EddylineError("template_error", message, hint=hint)
    return Template(text, tags, turn, tuple(dict.fromkeys(compiler.warnings)))


def samples(
    template: str,
    n: int = 5,
    seed: int | None = None,
    *,
    clock: Clock = SYSTEM,
    files: Folder = NO_FILES,
) -> list[str]:
    """``n`` records of a template's text: *Test template*. Raises as ``compile_template``."""
    compiled = compile_template(template, files)
    records = compiled.rendering(np.random.default_rng(seed)).records(
        n, *(np.full(n, clock.now_ms(), np.int64),) * 2
    )
    return [bytes(r).decode("utf-8") for r in records.to_pylist()]
