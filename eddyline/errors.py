"""The one error family: every failure a user can meet carries a code, a sentence and a hint.

Codes are rows of ``ERRORS`` so that the documentation and the tests read the same table.
Messages follow PostgreSQL's style: lower-case primary, no full stop, no internals; the hint
says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# Of a longer line an excerpt shows this much, and so much before the place of the error.
EXCERPT_CHARS = 120
EXCERPT_BEFORE = 50


class Domain(StrEnum):
    """Whose move it is: the user's, the outside world's, or ours."""

    USER = "user"
    EXTERNAL = "external"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of the error table: HTTP status, whose fault, and what it means."""

    status: int
    domain: Domain
    meaning: str


ERRORS: dict[str, ErrorCode] = {
    # input
    "invalid_argument": ErrorCode(400, Domain.USER, "An argument is outside what is allowed."),
    "not_found": ErrorCode(404, Domain.USER, "A named thing does not exist."),
    "already_exists": ErrorCode(409, Domain.USER, "A thing of this name exists already."),
    "limit_exceeded": ErrorCode(400, Domain.USER, "A limit would be passed."),
    "too_many_requests": ErrorCode(429, Domain.USER, "Too many attempts; wait, then try again."),
    "access_denied": ErrorCode(403, Domain.USER, "The caller may not do this."),
    "python_denied": ErrorCode(403, Domain.USER, "The caller may not have Python executed."),
    "conflict": ErrorCode(409, Domain.USER, "The thing is not in a state that allows this."),
    "in_use": ErrorCode(409, Domain.USER, "The thing is busy with something else, or taken."),
    "malformed_policy": ErrorCode(400, Domain.USER, "A policy document is not valid."),
    "not_deployable": ErrorCode(400, Domain.USER, "The code cannot run as an application."),
    # sql
    "sql_syntax": ErrorCode(400, Domain.USER, "The statement cannot be parsed."),
    "sql_semantic": ErrorCode(400, Domain.USER, "The statement parses but has no valid meaning."),
    "sql_unsupported": ErrorCode(400, Domain.USER, "Valid Flink SQL that is not supported here."),
    "sql_runtime": ErrorCode(400, Domain.USER, "A running statement met a value it cannot take."),
    "bad_record": ErrorCode(400, Domain.USER, "A record does not fit the table's schema."),
    "data_loss": ErrorCode(409, Domain.USER, "Records were gone before a job had read them."),
    "state_mismatch": ErrorCode(409, Domain.USER, "Saved state belongs to another statement."),
    # generator and files
    "template_error": ErrorCode(400, Domain.USER, "A generator template cannot be rendered."),
    "bad_file": ErrorCode(400, Domain.USER, "A file is not what it should be."),
    # machine
    "port_in_use": ErrorCode(409, Domain.EXTERNAL, "Another program listens on the port."),
    "directory_locked": ErrorCode(409, Domain.EXTERNAL, "Another server holds the directory."),
    "disk_full": ErrorCode(507, Domain.EXTERNAL, "There is no room for the data."),
    "corrupt_data": ErrorCode(500, Domain.EXTERNAL, "Stored data fails its checksum."),
    "newer_format": ErrorCode(409, Domain.EXTERNAL, "Data was written by a newer Eddyline."),
    "not_running": ErrorCode(503, Domain.EXTERNAL, "No server is running where one is needed."),
    "busy": ErrorCode(503, Domain.EXTERNAL, "The server is busy with other calls."),
    "timed_out": ErrorCode(504, Domain.EXTERNAL, "An answer did not come in time."),
    "endpoint_error": ErrorCode(502, Domain.EXTERNAL, "A remote endpoint refused or failed."),
    "platform": ErrorCode(501, Domain.EXTERNAL, "The platform cannot do this."),
    "internal": ErrorCode(500, Domain.INTERNAL, "A fault in Eddyline itself."),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text: 1-based line and column, and how many characters it covers."""

    line: int
    column: int
    length: int = 1


class EddylineError(Exception):
    """What goes wrong, where, and what to do about it.

    ``code`` is a key of ``ERRORS``. ``span`` points into ``source`` (the statement or template
    the user wrote); ``detail`` holds further facts; ``hint`` is an action.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        detail: str | None = None,
        hint: str | None = None,
        span: Span | None = None,
        source: str | None = None,
    ) -> None:
        if code not in ERRORS:  # a typo here would hide the real error
            msg = f"unknown error code {code!r}"
            raise AssertionError(msg)
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail
        self.hint = hint
        self.span = span
        self.source = source

    @property
    def domain(self) -> Domain:
        """Whose move it is."""
        return ERRORS[self.code].domain

    @property
    def status(self) -> int:
        """The HTTP status that fits."""
        return ERRORS[self.code].status

    def __str__(self) -> str:
        return self.message

    def as_dict(self) -> dict[str, Any]:
        """The one JSON shape of an error, the same on every interface."""
        out: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.detail:
            out["detail"] = self.detail
        if self.hint:
            out["hint"] = self.hint
        if self.span:
            out["line"], out["column"] = self.span.line, self.span.column
        return out

    def pretty(self) -> str:
        """The error as a person reads it: sentence, place with ``^^^``, detail, hint."""
        lines = [self.message]
        if self.span:
            lines[0] += f" (line {self.span.line}, column {self.span.column})"
            lines += self._excerpt()
        if self.detail:
            lines.append(f"detail: {self.detail}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)

    def _excerpt(self) -> list[str]:
        if self.source is None or self.span is None:
            return []
        rows = self.source.splitlines()
        if not 1 <= self.span.line <= len(rows):
            return []
        row, before = rows[self.span.line - 1], self.span.column - 1
        width = max(1, min(self.span.length, len(row) - before))
        start = max(0, before - EXCERPT_BEFORE) if len(row) > EXCERPT_CHARS else 0
        shown = row[start : start + EXCERPT_CHARS]
        width = min(width, max(1, len(shown) - (before - start)))
        left, right = "…" * (start > 0), "…" * (start + len(shown) < len(row))
        return [
            f"  {left}{shown}{right}",
            "  " + " " * (len(left) + before - start) + "^" * width,
        ]

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.code, self.message, self.detail, self.hint, self.span, self.source))


def _rebuild(
    code: str,
    message: str,
    detail: str | None,
    hint: str | None,
    span: Span | None,
    source: str | None,
) -> EddylineError:
    return EddylineError(code, message, detail=detail, hint=hint, span=span, source=source)


def nearest(word: str, known: list[str], limit: int = 3) -> list[str]:
    """The known words most like ``word``, for "did you mean" hints."""
    import difflib

    lower = {k.lower(): k for k in known}
    return [lower[m] for m in difflib.get_close_matches(word.lower(), lower, n=limit, cutoff=0.6)]
