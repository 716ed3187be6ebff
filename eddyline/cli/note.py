"""``eddyline note``: Zeppelin notes of a data directory, imported, run and exported."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eddyline.cli.names import example_names, note_names
from eddyline.cli.opening import DataDir, Json, need_server, opened
from eddyline.cli.terminal import line, listing, moment, outcome, say, table
from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError

if TYPE_CHECKING:
    from eddyline.service.notes import NoteView, ParagraphView
    from eddyline.service.notes.output import Output, OutputTable
    from eddyline.service.services import Services

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Import, list, run, export and delete notes.

\b
Examples:
  eddyline note import example:Sensors
  eddyline note run Sensors --for 60s
  eddyline note run Sensors --paragraph 3 --for 10s --json
  eddyline note export Sensors Sensors.zpln""",
)
Name = Annotated[str, typer.Argument(help="The note's name or id.", autocompletion=note_names)]
POLL_S = 0.2
END_S = 15.0
BUSY = ("RUNNING", "PENDING")
# How a paragraph's end is printed; ABORT is Zeppelin's word for a statement that was ended.
_STATES = {"ABORT": "stopped", "FINISHED": "finished", "ERROR": "failed"}
_NUMBERS = ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE")


@app.command("import")
def import_note(
    file: Annotated[
        str, typer.Argument(help="A .zpln file, or example:NAME.", autocompletion=example_names)
    ],
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Keep the note of a .zpln file, or one of the examples.

    \b
    Examples:
      eddyline note import example:Sensors
      eddyline note import Sensors.zpln
      eddyline note import Sensors.zpln --name "My sensors"
    """
    data, file_name = _note_file(file)
    with opened(data_dir, make=True) as services:
        view = services.notes.view(services.notes.import_bytes(data, file_name, name))
    count = len(view.order)
    paragraphs = f"{count} paragraph{'' if count == 1 else 's'}"
    result = {"note": view.name, "id": view.id, "paragraphs": count}
    outcome(result, f"note {view.name} with {paragraphs}, id {view.id}", as_json)


def _note_file(given: str) -> tuple[bytes, str]:
    """The bytes of a note and its file's name. Raises ``not_found``, ``bad_file``."""
    from eddyline.service.lab import example_notes, note_bytes
    from eddyline.service.notes.notes import read_file

    kind, _, name = given.partition(":")
    if kind != "example" or Path(given).exists():
        return read_file(Path(given)), Path(given).name
    if name not in example_notes():
        hint = f"there are {', '.join(example_notes())}"
        raise EddylineError("not_found", f"there is no example note {name}", hint=hint)
    return note_bytes(name), name


@app.command("list")
def list_notes(data_dir: DataDir = None, as_json: Json = False) -> None:
    """All notes.

    \b
    Examples:
      eddyline note list
      eddyline note list --json
    """
    with opened(data_dir) as services:
        notes = services.notes.list()
    columns = (
        ("note", lambda n: n.name),
        ("id", lambda n: n.id),
        ("paragraphs", lambda n: n.paragraphs),
        ("running", lambda n: n.running),
        ("changed (UTC)", lambda n: moment(n.modified_ms)),
    )
    listing(notes, columns, as_json, "no notes; eddyline note import FILE brings one")


@app.command()
def export(
    note: Name,
    file: Annotated[str, typer.Argument(help="The file to write; - is standard output.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write a note as a .zpln file, results included; or as .ipynb, .sql, .py or .html.

    \b
    Examples:
      eddyline note export Sensors Sensors.zpln
      eddyline note export Sensors report.html
    """
    from eddyline.service.notes.exports import KINDS

    ending = Path(file).suffix.removeprefix(".").lower()
    with opened(data_dir) as services:
        data = services.notes.export(note, ending if ending in KINDS else "zpln")
    if file == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        msg = f"cannot write {file}: {error.strerror}"
        raise EddylineError("bad_file", msg, hint="give another path, or -") from None
    result = {"note": note, "file": file, "bytes": len(data)}
    outcome(result, f"{file}: {len(data):,} bytes", as_json)


@app.command()
def schedule(
    note: Name,
    cron: Annotated[str, typer.Argument(help="Quartz or Unix fields, in UTC; off ends it.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run a note's paragraphs at the times of a cron expression, while a server runs.

    \b
    Examples:
      eddyline note schedule Sensors "0 0/5 * * * ?"
      eddyline note schedule Sensors "30 7 * * 1-5"
      eddyline note schedule Sensors off
    """
    with opened(data_dir) as services:
        following = services.notes.schedule(note, "" if cron == "off" else cron)
    words = f"note {note} runs next at {moment(following)} UTC" if following else ""
    result = {"note": note, "cron": None if cron == "off" else cron, "next_ms": following}
    outcome(result, words or f"note {note} has no further time", as_json)


@app.command()
def delete(note: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Stop what runs of a note and delete it.

    \b
    Examples:
      eddyline note delete Sensors
    """
    with opened(data_dir) as services:
        services.notes.remove(note)
    outcome({"note": note, "deleted": True}, f"note {note} is deleted", as_json)


@app.command()
def run(
    note: Annotated[
        str,
        typer.Argument(
            help="The note's name or id, a .zpln file, or example:NAME.", autocompletion=note_names
        ),
    ],
    paragraph: Annotated[
        int | None, typer.Option("--paragraph", "-p", help="Run this one only; the first is 1.")
    ] = None,
    for_: Annotated[str | None, typer.Option("--for", help="End after 30s, 5m, 2h.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave it to the server and return.")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run a note's paragraphs in order, and show their results.

    No server is needed: what the paragraphs need is started, and ended with the command. Streaming
    statements run until --for is over or Ctrl-C; their tables are shown as they are then. With
    --json each row, each message and each paragraph's start and end is one object. The exit
    status is 1 if a paragraph failed, or if one of them did not run because of that.

    \b
    Examples:
      eddyline note run Sensors --for 60s
      eddyline note run Sensors.zpln --paragraph 3 --for 10s --json
      eddyline note run Sensors --detach
    """
    from eddyline.generator.spec import parse_duration

    for_s = parse_duration(for_) if for_ else None
    if detach:
        need_server(data_dir)
    with opened(data_dir, make=True, kernels=True) as services:
        followed = NoteRunView(services, _note_id(services, note), as_json)
        followed.start(paragraph)
        if not detach and not followed.until_over(for_s):
            raise typer.Exit(1)


def _note_id(services: Services, note: str) -> str:
    """The id of a note; a file is imported first, unless its note is here and unchanged."""
    if not note.endswith(".zpln") and not note.startswith("example:"):
        return services.notes.find(note)
    from eddyline.service.notes import zpln

    data, file_name = _note_file(note)
    imported = zpln.read(data, file_name, 0)
    for known in services.notes.list():
        if known.name == imported.name:
            texts = [p.text for p in services.notes.view(known.id).paragraphs]
            if texts == [p.text for p in imported.paragraphs]:
                return known.id
    return services.notes.import_bytes(data, file_name)


class NoteRunView:
    """A note's run, polled a few times per second until its paragraphs are over."""

    def __init__(self, services: Services, note_id: str, as_json: bool) -> None:
        self._notes = services.notes
        self._id = note_id
        self._as_json = as_json
        self._watched: list[str] = []
        self._shown: set[str] = set()
        self._begun: set[str] = set()

    def start(self, number: int | None) -> None:
        """Begin with paragraph ``number``, or with all."""
        view = self._notes.view(self._id)
        if number is None:
            self._watched = [p.id for p in view.paragraphs if p.status != "RUNNING" and p.enabled]
            self._notes.run_all(self._id)
            return
        if not 1 <= number <= len(view.order):
            msg = f"note {view.name} has no paragraph {number}; it has {len(view.order)}"
            raise EddylineError("not_found", msg, hint="the first one is 1")
        self._watched = [view.order[number - 1]]
        self._notes.run(self._id, self._watched[0])

    def until_over(self, for_s: float | None) -> bool:
        """Show each paragraph as it ends; after ``for_s`` end them all. False if one failed."""
        try:
            view = self._until_quiet(for_s)
            if view.round or any(p.status in BUSY for p in self._of(view)):
                self._stop()
                view = self._until_quiet(END_S)
        except KeyboardInterrupt:
            self._stop()
            self._until_quiet(END_S)
            raise
        self._show_not_run(view)
        return all(p.status != "ERROR" for p in self._of(view))

    def _show_not_run(self, view: NoteView) -> None:
        """Name the paragraphs that the run did not come to."""
        numbers = [view.order.index(p) + 1 for p in view.not_run if p in self._watched]
        if self._as_json:
            for number in numbers:
                line({"paragraph": number, "status": "NOT_RUN", "why": view.why_not_run})
        elif numbers:
            words = ", ".join(map(str, numbers))
            one = len(numbers) == 1
            say(f"paragraph{'' if one else 's'} {words} did not run: {view.why_not_run}")

    def _of(self, view: NoteView) -> list[ParagraphView]:
        return [p for p in view.paragraphs if p.id in self._watched]

    def _until_quiet(self, wait_s: float | None) -> NoteView:
        pause, end = threading.Event(), None if wait_s is None else SYSTEM.monotonic() + wait_s
        while True:
            view = self._notes.view(self._id)
            for paragraph in self._of(view):
                if paragraph.status == "RUNNING" and paragraph.id not in self._begun:
                    self._show_begin(view, paragraph)
                if paragraph.status not in BUSY and paragraph.id not in self._shown:
                    self._show(view, paragraph)
            busy = view.round or any(p.status in BUSY for p in self._of(view))
            if not busy or (end is not None and SYSTEM.monotonic() >= end):
                return view
            SYSTEM.wait(pause, POLL_S)

    def _stop(self) -> None:
        for paragraph in self._watched:
            with suppress(EddylineError):  # removed in the meantime
                self._notes.cancel(self._id, paragraph)
        if len(self._watched) > 1:
            self._notes.cancel(self._id)

    def _show_begin(self, view: NoteView, paragraph: ParagraphView) -> None:
        """Progress: on a terminal, and as an object with --json."""
        self._begun.add(paragraph.id)
        number = view.order.index(paragraph.id) + 1
        if self._as_json:
            line({"paragraph": number, "title": paragraph.title, "status": "RUNNING"})
        elif sys.stderr.isatty():
            say(f"paragraph {number} of {len(view.order)} runs ...")

    def _show(self, view: NoteView, paragraph: ParagraphView) -> None:
        if paragraph.status == "READY":  # a round that ended before it
            return
        self._shown.add(paragraph.id)
        number = view.order.index(paragraph.id) + 1
        for output in paragraph.outputs:
            if output.table is not None:
                _print_rows(number, output.table, self._as_json)
            elif self._as_json:
                line({"paragraph": number, "kind": output.kind, "text": output.text})
            else:
                _print_text(output)
        if self._as_json:
            line({"paragraph": number, "title": paragraph.title, "status": paragraph.status})
        elif paragraph.outputs or paragraph.status != "FINISHED":
            title = f" {paragraph.title}" if paragraph.title else ""
            say(f"paragraph {number}{title}: {_STATES.get(paragraph.status, paragraph.status)}\n")


def _print_text(output: Output) -> None:
    if output.kind in ("HTML", "ANGULAR", "IMG", "SVG", "NETWORK"):  # for a page
        return
    mark = {"ERROR": "error: ", "WARNING": "warning: "}.get(output.kind, "")
    say(mark + output.text.rstrip("\n"))


def _print_rows(number: int, result: OutputTable, as_json: bool) -> None:
    if not as_json:
        table(result.columns, [["NULL" if v is None else v for v in row] for row in result.rows])
        return
    types = result.types or ["STRING"] * len(result.columns)
    for row in result.rows:
        values = {c: _value(t, v) for c, t, v in zip(result.columns, types, row, strict=True)}
        line({"paragraph": number, "row": values})


def _value(kind: str, text: str | None) -> Any:
    """A printed value as JSON: numbers and truth values as such, all else as text."""
    base = kind.removesuffix(" NOT NULL")
    if text is None or (base not in _NUMBERS and base != "BOOLEAN"):
        return text
    try:
        return json.loads(text.lower())
    except ValueError:  # NaN, Infinity
        return text


def register(to: typer.Typer) -> None:
    """Add the commands."""
    to.add_typer(app, name="note")
