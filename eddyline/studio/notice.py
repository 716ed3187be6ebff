"""What went wrong, where it went wrong: the error's sentence and hint, never a stack trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from nicegui import run, ui

from eddyline.errors import EddylineError
from eddyline.service.child import described
from eddyline.studio.markup import escape

T = TypeVar("T")


class Notice:
    """A place for one message; nothing is there until something is to be said."""

    def __init__(self) -> None:
        self._element = ui.html("", sanitize=False).props('role="status" aria-live="polite"')
        self._element.set_visibility(False)

    def error(self, error: EddylineError) -> None:
        """Say what went wrong and what to do."""
        self._say("", html_of(error))

    def say(self, words: str) -> None:
        """Say something good."""
        self._say(" calm", escape(words))

    def _say(self, tone: str, content: str) -> None:
        self._element.set_content(f'<div class="notice{tone}">{content}</div>')
        self._element.set_visibility(True)

    def clear(self) -> None:
        """Nothing is to be said."""
        if self._element.visible:
            self._element.set_visibility(False)
            self._element.set_content("")

    async def does(self, work: Callable[..., Any], *arguments: Any) -> bool:
        """Do something whose result nobody needs; whether it was done."""
        return await self.attempt(lambda: (work(*arguments), True)[1]) is True

    async def attempt(self, work: Callable[..., T], *arguments: Any) -> T | None:
        """Do something in a thread; its error is said here, and None returned."""
        try:
            done = await run.io_bound(work, *arguments)
        except Exception as failure:
            self.error(described(failure))
            return None
        self.clear()
        return done


def html_of(error: EddylineError) -> str:
    """An error as HTML."""
    first, *rest = error.pretty().split("\n")
    return _html(first, rest)


def _html(first: str, rest: list[str]) -> str:
    """The sentence, the place in the text, then what else is known and what to do."""
    words = [line for line in rest if line.startswith(("detail: ", "hint: "))]
    place = [line for line in rest if line not in words]
    parts = [f"<div>{escape(_sentence(first))}</div>"]
    if place:
        parts.append(f"<pre>{escape(chr(10).join(place))}</pre>")
    for line in words:
        parts.append(f'<div class="hint">{escape(_sentence(line.partition(": ")[2]))}</div>')
    return "".join(parts)


def text_html(pretty: str) -> str:
    """The same of an error's text, as a paragraph keeps it."""
    first, *rest = pretty.rstrip("\n").split("\n")
    return _html(first, rest)


def _sentence(text: str) -> str:
    """The text with a large first letter, unless it begins with a name."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text
