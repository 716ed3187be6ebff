"""A paragraph's life on screen: the events of its run so far, folded into what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eddyline.service import events as e
from eddyline.service.events import JobFigures, RunEvent
from eddyline.service.notes.interpreters import ParagraphTask
from eddyline.service.notes.moment import epoch_ms, zeppelin_text
from eddyline.service.notes.note import (
    ABORT,
    ERROR,
    FINISHED,
    IMPORTED,
    PENDING,
    READY,
    RUNNING,
    Paragraph,
)
from eddyline.service.notes.output import (
    FAILURE,
    HTML,
    TABLE,
    TEXT,
    WARNING,
    Output,
    Outputs,
    OutputTable,
    filled,
    message,
    outputs,
)

# What a paragraph shows is kept this often while it runs.
SAVE_MS = 5000
# Outputs that are there before the first statement tells anything.
_BEFORE = -1


# Lines of the print connector that a paragraph shows.
PRINTED_LINES_MAX = 1000


@dataclass(slots=True)
class Live:
    """One paragraph and its run. ``version`` grows whenever something of it changes.

    under_way: a statement of it works that does not end by itself, so that the next paragraph need
    not wait.
    """

    paragraph: Paragraph
    version: int = 0
    run_id: str | None = None
    task: ParagraphTask = field(default_factory=ParagraphTask)
    parts: dict[int, Outputs] = field(default_factory=dict)
    figures: JobFigures | None = None
    why: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    under_way: bool = False
    # Names of the forms that the run has made so far.
    made: set[str] = field(default_factory=set)
    saved_ms: int = 0
    # Who runs it; None for a schedule or the command line.
    user: str | None = None

    @property
    def status(self) -> str:
        return self.paragraph.status

    @property
    def busy(self) -> bool:
        return self.status in (RUNNING, PENDING)

    @property
    def outputs(self) -> Outputs:
        return [output for index in sorted(self.parts) for output in self.parts[index]]

    def load(self) -> None:
        """Show what the note keeps."""
        failed = self.status == ERROR
        self.parts = {_BEFORE: outputs(self.paragraph.messages, failed=failed)}

    def begin(self, run_id: str | None, task: ParagraphTask, now_ms: int) -> None:
        """A run begins: nothing of the one before is shown any longer."""
        self.run_id, self.task = run_id, task
        self.parts = {_BEFORE: [Output(WARNING, text) for text in task.warnings]}
        self.parts[_BEFORE] += [Output(TEXT, text) for text in task.texts]
        self.jobs, self.why = [], []
        self.figures, self.under_way, self.made = None, False, set()
        fields = self.paragraph.fields
        fields["status"], fields["progress"] = RUNNING, 0
        fields["dateStarted"] = zeppelin_text(now_ms)
        for key in ("dateFinished", "results", "errorMessage", IMPORTED):
            fields.pop(key, None)

    def resume(self, run_id: str) -> None:
        """The run of an earlier server goes on."""
        self.run_id, self.under_way = run_id, True
        self.paragraph.fields["status"] = RUNNING
        self.paragraph.fields.pop("dateFinished", None)

    def wait(self) -> None:
        """It is to run when those before it are done."""
        self.paragraph.fields["status"] = PENDING

    def rest(self) -> None:
        """It is not to run after all."""
        self.paragraph.fields["status"] = READY

    def end(self, status: str, now_ms: int, error: str | None = None) -> None:
        """The run is over."""
        self.run_id, self.under_way = None, False
        fields = self.paragraph.fields
        if status == FINISHED and self.task.python is not None:
            for name in self.paragraph.made_forms.keys() - self.made:
                del self.paragraph.made_forms[name]
        fields["status"] = status
        fields["progress"] = 100 if status == FINISHED else 0
        fields["dateFinished"] = fields["dateUpdated"] = zeppelin_text(now_ms)
        if error is not None:
            self.parts.setdefault(max(self.parts, default=0), []).append(Output(FAILURE, error))
        self.why = []
        self.keep()

    def keep(self) -> None:
        """Write what is shown into the note's own fields."""
        code = "ERROR" if self.status in (ERROR, ABORT) else "SUCCESS"
        messages = [message(output) for output in self.outputs]
        self.paragraph.fields["results"] = {"code": code, "msg": messages}

    def hear(self, event: RunEvent, now_ms: int) -> None:
        """Take in what the run tells."""
        takes: Callable[[Live, Any, int], None] | None = _TAKES.get(type(event))
        if takes is not None:
            takes(self, event, now_ms)

    def _started(self, event: e.StatementStarted, now_ms: int) -> None:
        self.under_way = False

    def _text(self, event: e.Text, now_ms: int) -> None:
        self.parts.setdefault(event.index, []).append(Output(TEXT, event.text))

    def _warned(self, event: e.Warning_, now_ms: int) -> None:
        warning = Output(WARNING, event.text)
        shown = self.parts.setdefault(event.index, [])
        if warning not in shown:
            shown.append(warning)

    def _printed(self, event: e.Printed, now_ms: int) -> None:
        """The newest lines of the print connector are one output of the paragraph."""
        shown = self.parts.setdefault(event.index, [])
        before = shown.pop().text.split("\n") if shown and shown[-1].kind == TEXT else []
        lines = [*before, *event.lines][-PRINTED_LINES_MAX:]
        shown.append(Output(TEXT, "\n".join(lines)))

    def _output(self, event: e.Shown, now_ms: int) -> None:
        self.parts[event.index] = [Output(event.kind, event.text)]

    def _form(self, event: e.FormMade, now_ms: int) -> None:
        name = str(event.form["name"])
        self.made.add(name)
        self.paragraph.made_forms[name] = event.form

    def _table(self, event: e.TableSnapshot, now_ms: int) -> None:
        output = self._shown(event)
        shown = self.parts.setdefault(event.index, [])
        self.parts[event.index] = [o for o in shown if o.kind not in (TABLE, HTML)] + [output]
        self.under_way |= event.is_unbounded

    def _shown(self, event: e.TableSnapshot) -> Output:
        if self.task.mode == "single" and self.task.template is not None:
            row = event.rows[-1] if event.rows else None
            return Output(HTML, filled(self.task.template, row))
        table = OutputTable(event.columns, event.rows, event.types, event.row_count, event.skipped)
        return Output(TABLE, table=table)

    def _job(self, event: e.JobStarted, now_ms: int) -> None:
        self.jobs.append(event.job_id)

    def _moved(self, event: e.Progress, now_ms: int) -> None:
        self.figures, self.why = event.metrics, event.why
        self.under_way |= event.is_unbounded

    def _over(self, event: e.RunFinished, now_ms: int) -> None:
        self.end(event.status, now_ms, event.error_text)

    @property
    def started_ms(self) -> int | None:
        return epoch_ms(self.paragraph.fields.get("dateStarted"))

    @property
    def finished_ms(self) -> int | None:
        return epoch_ms(self.paragraph.fields.get("dateFinished"))


_TAKES: dict[type, Callable[[Live, Any, int], None]] = {
    e.StatementStarted: Live._started,
    e.Text: Live._text,
    e.Warning_: Live._warned,
    e.Printed: Live._printed,
    e.Shown: Live._output,
    e.FormMade: Live._form,
    e.TableSnapshot: Live._table,
    e.JobStarted: Live._job,
    e.Progress: Live._moved,
    e.RunFinished: Live._over,
}
