"""The code of a note that runs as an application, by the rules of AWS's Studio.

Only ``%flink.ssql``, ``%flink.pyflink`` and ``%flink.ipyflink`` paragraphs run, in order; ``%md``
and disabled ones are skipped. A paragraph has its DDL before its DML, and one paragraph of the note
has DML. Nothing may ask a reader (forms, ``z``) or show something (a SELECT).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eddyline.errors import EddylineError
from eddyline.service.notes import header
from eddyline.service.notes.note import Note, Paragraph
from eddyline.sql import statement as s
from eddyline.sql.parse import parse_script

SQL_INTERPRETERS = ("flink.ssql",)
PYTHON_INTERPRETERS = ("flink.pyflink", "flink.ipyflink", "ipyflink")
SKIPPED = ("md",)
_FORM = re.compile(r"\$\{[^}]*\}")
_Z = re.compile(r"(?<![\w.])z\s*\.\s*\w+")
_MAGIC = re.compile(r"^\s*[!%]", re.MULTILINE)
_BATCH = re.compile(r"(?<![\w.])(bt_env|b_env)\b")
_EXECUTED = re.compile(r"\.execute_(?:sql|insert)\s*\(|\.execute\s*\(\s*\)")
_INSERTS = re.compile(r"insert\s+(?:into|overwrite)\b|\.execute_insert\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParagraphStep:
    """A paragraph's work: SQL statements, or Python."""

    title: str
    sql: str | None = None
    python: str | None = None


Steps = list[ParagraphStep]


def steps_of(note: Note) -> Steps:
    """The work of a note's paragraphs.

    Raises:
        EddylineError: ``not_deployable`` naming each paragraph and the rule that it breaks.
    """
    steps: list[ParagraphStep] = []
    wrong: list[str] = []
    with_dml: list[str] = []
    for number, paragraph in enumerate(note.paragraphs, 1):
        where = f"paragraph {number}" + (f" ({paragraph.title})" if paragraph.title else "")
        if not paragraph.enabled:
            continue
        try:
            step, has_dml = _step(paragraph, note, where)
        except EddylineError as error:
            wrong.append(f"{where}: {error.message}")
            continue
        if has_dml:
            with_dml.append(where)
        if step is not None:
            steps.append(step)
    if len(with_dml) > 1:
        wrong.append(f"{', '.join(with_dml)}: only one paragraph may have INSERT statements")
    if not with_dml and not wrong:
        wrong.append("the note has no INSERT statement, so there is nothing to run")
    if wrong:
        hint = "an application runs without a reader: keep such paragraphs in another note"
        message = "the note cannot run as an application: " + "; ".join(wrong)
        raise EddylineError("not_deployable", message, hint=hint)
    return steps


def _step(paragraph: Paragraph, note: Note, where: str) -> tuple[ParagraphStep | None, bool]:
    """A paragraph's step, and whether it has DML."""
    parsed = header.parse(paragraph.text)
    name = parsed.interpreter or ("md" if note.group in ("md", "markdown") else "flink.ssql")
    if name in SKIPPED or not parsed.body.strip():
        return None, False
    if _FORM.search(parsed.body):
        raise _rule("dynamic forms (${…}) are not allowed")
    if name in PYTHON_INTERPRETERS:
        return _python(parsed.body, where)
    if name in SQL_INTERPRETERS:
        return ParagraphStep(where, sql=parsed.body), sql_has_dml(parsed.body)
    raise _rule(f"%{name} is not allowed; write %flink.ssql or %flink.pyflink")


def _python(body: str, where: str) -> tuple[ParagraphStep, bool]:
    for pattern, rule in (
        (_Z, "the ZeppelinContext z is not allowed"),
        (_MAGIC, "lines that begin with ! or % are not allowed"),
        (_BATCH, "batch environments (b_env, bt_env) are not allowed"),
    ):
        if pattern.search(body):
            raise _rule(rule)
    has_dml = bool(_INSERTS.search(body) and _EXECUTED.search(body))
    return ParagraphStep(where, python=body), has_dml


def sql_has_dml(text: str) -> bool:
    """Whether SQL has INSERT statements, behind its DDL.

    Raises:
        EddylineError: ``not_deployable`` for a SELECT, or for DDL behind DML; parse errors.
    """
    has_dml = False
    for statement in parse_script(text):
        if is_dml(statement):
            has_dml = True
        elif isinstance(statement, s.Query):
            raise _rule("a SELECT shows rows to nobody; write INSERT INTO")
        elif isinstance(statement, _DDL):
            if has_dml:
                raise _rule("CREATE, ALTER, DROP, USE, SET and RESET must precede INSERT")
        else:
            line = statement.source.span.line
            raise _rule(f"the statement in line {line} is neither DDL nor INSERT")
    return has_dml


def require_no_python(steps: Steps) -> None:
    """Refuse work that executes Python of its author.

    Functions that the catalog has already were made by somebody who may, so calling one is allowed.

    Raises:
        EddylineError: ``python_denied`` naming the paragraph.
    """
    for step in steps:
        statements = parse_script(step.sql or "")
        if step.python is not None or any(isinstance(x, s.CreateFunction) for x in statements):
            what = "is Python" if step.python is not None else "creates a function in Python"
            message = f"{step.title} {what}, which the caller may not have executed"
            hint = "a policy that allows the action eddyline:RunNotes on * gives that right"
            raise EddylineError("python_denied", message, hint=hint)


def is_dml(statement: s.Statement) -> bool:
    """Whether a statement begins jobs; so does CREATE TABLE ... AS SELECT."""
    if isinstance(statement, s.CreateTable):
        return statement.query is not None
    return isinstance(statement, s.Insert | s.StatementSet)


_DDL = (
    s.CreateTable,
    s.CreateView,
    s.DropTable,
    s.DropView,
    s.CreateDatabase,
    s.DropDatabase,
    s.CreateFunction,
    s.DropFunction,
    s.CreateCatalog,
    s.AlterCatalog,
    s.DropCatalog,
    s.AlterTable,
    s.AlterView,
    s.AlterDatabase,
    s.UseModules,
    s.UseDatabase,
    s.UseCatalog,
    s.SetOption,
    s.ResetOption,
)


def _rule(rule: str) -> EddylineError:
    return EddylineError("not_deployable", rule)
