"""Which field of a file holds its event times: the requested one, or the first candidate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from eddyline.errors import EddylineError, nearest
from eddyline.generator.replay.batch import Facts
from eddyline.generator.replay.instant import NAMES, detect_field
from eddyline.generator.replay.time_guess import are_dates, guessed
from eddyline.generator.replay.time_pattern import TimePattern

SAMPLE_LINES = 100
FORMS = "ISO 8601 or epoch seconds or ms"


def find_time(
    facts: Facts,
    path: Path,
    names: list[str],
    texts: Callable[[str], list[str]],
    *,
    noun: str = "column",
    place: str = "",
    forms: str = FORMS,
) -> None:
    """Add the time's field and style to ``facts``; ``texts`` gives a sample of a field's values.

    ``place`` says where among the file the names were looked for.

    Raises:
        EddylineError: ``bad_file`` if the requested field is not there or holds no times.
    """
    requested = facts.time_field
    if requested is not None and requested not in names:
        near = nearest(requested, names) or names[:5]
        message = f"no {noun} {requested} in {place}{path}"
        raise EddylineError("bad_file", message, hint=f"there is {', '.join(near)}")
    if isinstance(facts.style, TimePattern):
        _by_pattern(
            facts, facts.style, path, [requested] if requested else _by_likelihood(names), texts
        )
        return
    candidates = [requested] if requested else _by_likelihood(names)
    for name in candidates:
        style = detect_field(name, texts(name), requested=requested is not None)
        if style is not None:
            facts.time_field, facts.style = name, style
            return
    for name in candidates:
        is_named = requested is not None or name.lower() in NAMES
        patterns = guessed(texts(name), lambda: [texts(n) for n in names], dates=is_named)
        if len(patterns) == 1:
            facts.time_field, facts.style = name, patterns[0]
            return
        if patterns:
            choices = " or ".join(f"--time-format '{p.value}'" for p in patterns)
            words = f"the times of {name} may have the day or the month first: give {choices}"
            facts.notes.append(words)
            return
    dates = [name for name in candidates if name.lower() in NAMES and are_dates(texts(name))]
    if dates:
        words = f"{dates[0]} has dates, and another {noun} the times of day: they are not joined"
        facts.notes.append(words)
    if requested is not None:
        message = f"the {noun} {requested} of {path} holds no times that can be read"
        raise EddylineError("bad_file", message, hint=forms)


def _by_pattern(
    facts: Facts,
    pattern: TimePattern,
    path: Path,
    names: list[str],
    texts: Callable[[str], list[str]],
) -> None:
    """The first field most of whose values have the form that the user wrote."""
    for name in names:
        sample = [t for t in texts(name) if t]
        if sample and pattern.parse(pa.array(sample, pa.string()))[1].mean() > 0.5:
            facts.time_field = name
            return
    message = f"no times like {pattern.value!r} were found in {path}"
    raise EddylineError("bad_file", message, hint="name the field with --time-field")


def _by_likelihood(names: list[str]) -> list[str]:
    """Field names, those that a time usually goes by first."""
    rank = {name: i for i, name in enumerate(NAMES)}
    return sorted(names, key=lambda n: rank.get(n.lower(), len(rank)))
