"""Notes kept, edited and run: against sessions that tell exactly what a test has them tell."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from eddyline.clock import ManualClock
from eddyline.errors import EddylineError
from eddyline.service import events as e
from eddyline.service.directory import DataDirectory
from eddyline.service.notes import Notes, ParagraphView
from eddyline.service.notes.output import Output, OutputTable, filled, from_tsv, tsv
from eddyline.service.shells import Shells

ZEPPELIN_RUNNING = {
    "paragraphs": [{"id": "p", "text": "%flink.ssql\nSELECT 1", "status": "RUNNING"}],
    "name": "Sensors",
    "id": "2EYT7Q6R8",
}


class ScriptedSessions:
    """Keeps what was submitted; the test plays the worker."""

    def __init__(self) -> None:
        self.runs: dict[str, SimpleNamespace] = {}
        self.watched: dict[str, Callable[[Any], None]] = {}
        self.alive: set[str] = set()
        self.closed: list[str] = []
        self.groups: dict[str, str] = {}
        self.came = threading.Condition()

    def submit(self, session: str, text: str, on_event: Any, *, run_id: str, **how: Any) -> str:
        with self.came:
            self.runs[run_id] = SimpleNamespace(
                session=session, text=text.strip(), tell=on_event, id=run_id, **how
            )
            self.came.notify_all()
        return run_id

    def cancel(self, run_id: str) -> None:
        if run_id not in self.runs:
            raise EddylineError("not_found", "no such run")
        self.runs[run_id].tell(e.RunFinished(run_id, "ABORT"))

    def join(self, session: str, group: str) -> None:
        self.groups[session] = group

    def watch(self, run_id: str, on_event: Any) -> bool:
        self.watched[run_id] = on_event
        return run_id in self.alive

    def close(self, session: str) -> None:
        self.closed.append(session)

    def run_of(self, text: str) -> SimpleNamespace:
        """The newest run of a text, once it has been submitted."""

        def there() -> list[SimpleNamespace]:
            return [r for r in self.runs.values() if r.text == text]

        with self.came:
            assert self.came.wait_for(there, 5), f"{text} was never submitted"
            return there()[-1]


class Bench:
    """Notes over a directory, which can be closed and opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock()
        self.jobs: list[SimpleNamespace] = []
        self.shell = False
        self.open()

    def open(self, *alive: str) -> None:
        self.sessions = ScriptedSessions()
        self.sessions.alive = set(alive)
        directory = DataDirectory(self.path)
        directory.prepare()
        services: Any = SimpleNamespace(
            clock=self.clock,
            directory=directory,
            sessions=self.sessions,
            jobs=SimpleNamespace(list=lambda: self.jobs),
            kernels=SimpleNamespace(
                available=lambda: False,
                cancel=lambda run_id: False,
                close=lambda note: None,
                environment=lambda session: dict(os.environ),
            ),
            settings=SimpleNamespace(shell=self.shell),
        )
        services.shells = Shells(services)
        self.notes = Notes(services)

    def shown(self, note: str, index: int = 0) -> ParagraphView:
        return self.notes.view(note).paragraphs[index]

    def until(self, note: str, index: int, status: str) -> ParagraphView:
        for _ in range(500):
            shown = self.shown(note, index)
            if shown.status == status:
                return shown
            threading.Event().wait(0.01)
        pytest.fail(f"paragraph {index} is {shown.status}, not {status}")

    def run(self, note: str, index: int = 0) -> None:
        self.notes.run(note, self.shown(note, index).id)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for note in made.notes.list():
        made.notes.cancel(note.id)


def table(run: Any, *rows: list[str | None], count: int | None = None) -> e.TableSnapshot:
    return e.TableSnapshot(run.id, 0, ["k", "n"], ["STRING", "BIGINT"], list(rows),
                           len(rows) if count is None else count, 0)  # fmt: skip


def test_a_note_is_made_listed_renamed_and_removed(bench: Bench) -> None:
    notes = bench.notes
    first = notes.create("b")
    notes.create("A", ["SELECT 1", "SELECT 2"])
    assert [(n.name, n.paragraphs) for n in notes.list()] == [("A", 2), ("b", 1)]
    notes.rename("b", "c")
    assert notes.find("c") == first
    with pytest.raises(EddylineError, match="named A already"):
        notes.rename("c", "A")
    assert notes.view(first).name == "c"
    notes.remove("c")
    assert [n.name for n in notes.list()] == ["A"]
    assert bench.sessions.closed == [f"note:{first}"]
    with pytest.raises(EddylineError, match="there is no note c"):
        notes.view("c")


def test_a_note_belongs_to_a_notebook_which_a_file_does_not_name(bench: Bench) -> None:
    here = bench.notes.create("a", ["SELECT a"], notebook="mine")
    bench.run(here)
    run = bench.sessions.run_of("SELECT a")
    assert bench.sessions.groups == {run.session: "notebook:mine"}
    copy = bench.notes.duplicate(here)
    data = bench.notes.export(here)
    assert b"mine" not in data
    there = bench.notes.import_bytes(data)
    notebooks = {note.id: note.notebook for note in bench.notes.list()}
    assert notebooks == {here: "mine", copy: "mine", there: "default"}


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_a_note_needs_a_name(bench: Bench, name: str) -> None:
    with pytest.raises(EddylineError, match="1 to 200"):
        bench.notes.create(name)


def test_paragraphs_are_added_moved_edited_and_taken_out(bench: Bench) -> None:
    notes = bench.notes
    note = notes.create("n", ["a"])
    a = bench.shown(note).id
    c = notes.add(note, "c")
    b = notes.add(note, "b", after=a)
    assert notes.view(note).order == [a, b, c]
    notes.move(note, c, -2)
    assert notes.view(note).order == [c, a, b]
    before = notes.view(note).version
    notes.edit(note, a, text="A", title="T", params={"x": 1})
    changed = notes.view(note, before).paragraphs
    assert [(p.id, p.text, p.title) for p in changed] == [(a, "A", "T")]
    notes.take_out(note, b)
    bench.open()
    assert [p.text for p in bench.notes.view(note).paragraphs] == ["c", "A"]
    with pytest.raises(EddylineError, match="has no paragraph"):
        bench.notes.edit(note, b, text="x")


def test_import_keeps_the_id_if_it_is_free_and_makes_names_unlike(bench: Bench) -> None:
    data = json.dumps(ZEPPELIN_RUNNING).encode()
    assert bench.notes.import_bytes(data) == "2EYT7Q6R8"
    second = bench.notes.import_bytes(data)
    assert second != "2EYT7Q6R8"
    assert [n.name for n in bench.notes.list()] == ["Sensors", "Sensors 2"]
    assert bench.shown(second).status == "ABORT"  # it does not run here


def test_import_of_a_file_that_is_none(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(EddylineError, match="there is no file"):
        bench.notes.import_file(tmp_path / "none.zpln")
    with pytest.raises(EddylineError, match="cannot read"):
        bench.notes.import_file(tmp_path)
    assert bench.notes.list() == []


def test_a_paragraph_runs_and_its_result_is_kept(bench: Bench) -> None:
    note = bench.notes.create("n", ["%flink.ssql(type=append,refreshInterval=200)\nSELECT *"])
    bench.run(note)
    run = bench.sessions.run_of("SELECT *")
    assert (run.session, run.mode, run.refresh_ms) == (f"note:{note}", "append", 200)
    with pytest.raises(EddylineError, match="runs already"):
        bench.run(note)
    run.tell(e.StatementStarted(run.id, 0, "SELECT", 2))
    run.tell(e.Warning_(run.id, 0, "careful"))
    run.tell(table(run, ["a", "1"]))
    run.tell(table(run, ["a", "1"], ["b", None], count=7))
    shown = bench.shown(note)
    assert shown.status == "RUNNING"
    assert [o.kind for o in shown.outputs] == ["WARNING", "TABLE"]
    assert shown.outputs[1].table is not None
    assert shown.outputs[1].table.row_count == 7
    run.tell(e.Progress(run.id, 0, e.JobFigures(rows_in=3), ["no rows yet"]))
    assert bench.shown(note).why == ["no rows yet"]
    bench.clock.advance(1500)
    run.tell(e.RunFinished(run.id, "FINISHED"))
    shown = bench.shown(note)
    assert shown.status == "FINISHED"
    assert shown.why == []
    assert shown.finished_ms is not None
    assert shown.started_ms is not None
    assert shown.finished_ms - shown.started_ms == 1500
    kept = json.loads(bench.notes.export(note))["paragraphs"][0]
    assert kept["results"] == {
        "code": "SUCCESS",
        "msg": [
            {"type": "TEXT", "data": "warning: careful\n"},
            {"type": "TABLE", "data": "k\tn\na\t1\nb\tnull\n"},
        ],
    }
    bench.open()
    assert [o.kind for o in bench.shown(note).outputs] == ["WARNING", "TABLE"]


def test_an_error_is_shown_and_kept(bench: Bench) -> None:
    note = bench.notes.create("n", ["SELECT x"])
    bench.run(note)
    run = bench.sessions.run_of("SELECT x")
    run.tell(e.RunFinished(run.id, "ERROR", {"code": "sql_semantic"}, "there is no column x"))
    for _ in range(2):
        shown = bench.shown(note)
        assert shown.status == "ERROR"
        assert shown.outputs == [Output("ERROR", "there is no column x")]
        bench.open()


@pytest.mark.parametrize(
    ("text", "status", "kinds"),
    [
        ("/* words */", "FINISHED", []),
        ("%md\n# Hi", "FINISHED", ["HTML"]),
        ("%sh\nls", "ERROR", ["ERROR"]),
        ("%flink.ssql(type=\nSELECT 1", "ERROR", ["ERROR"]),
    ],
)
def test_paragraphs_that_need_no_session(
    bench: Bench, text: str, status: str, kinds: list[str]
) -> None:
    note = bench.notes.create("n", [text])
    bench.run(note)
    shown = bench.shown(note)
    assert shown.status == status
    assert [o.kind for o in shown.outputs] == kinds
    assert bench.sessions.runs == {}


def test_a_cancelled_paragraph_keeps_its_table(bench: Bench) -> None:
    note = bench.notes.create("n", ["SELECT *"])
    bench.run(note)
    run = bench.sessions.run_of("SELECT *")
    run.tell(table(run, ["a", "1"]))
    bench.notes.cancel(note, bench.shown(note).id)
    shown = bench.shown(note)
    assert shown.status == "ABORT"
    assert shown.outputs[0].table is not None
    assert json.loads(bench.notes.export(note))["paragraphs"][0]["results"]["code"] == "ERROR"


def test_a_run_its_worker_has_forgotten_is_cancelled_too(bench: Bench) -> None:
    note = bench.notes.create("n", ["SELECT *"])
    bench.run(note)
    bench.sessions.run_of("SELECT *")
    bench.sessions.runs.clear()
    bench.notes.cancel(note)
    assert bench.shown(note).status == "ABORT"


def test_what_a_run_tells_after_its_end_changes_nothing(bench: Bench) -> None:
    note = bench.notes.create("n", ["SELECT *"])
    bench.run(note)
    old = bench.sessions.run_of("SELECT *")
    bench.notes.cancel(note)
    bench.run(note)
    old.tell(table(old, ["old", "1"]))
    assert bench.shown(note).outputs == []
    assert bench.shown(note).status == "RUNNING"


def test_all_run_in_order_and_streams_do_not_block(bench: Bench) -> None:
    texts = ["/* c */", "CREATE", "SELECT 1", "INSERT", "%md\nend"]
    note = bench.notes.create("n", texts)
    bench.notes.run_all(note)
    create = bench.sessions.run_of("CREATE")
    assert bench.shown(note, 2).status == "PENDING"
    assert bench.notes.view(note).round
    with pytest.raises(EddylineError, match="being run already"):
        bench.notes.run_all(note)
    create.tell(e.StatementStarted(create.id, 0, "CREATE TABLE", 1))
    create.tell(e.Text(create.id, 0, "Table has been created."))
    assert not any(r.text == "SELECT 1" for r in bench.sessions.runs.values())
    create.tell(e.RunFinished(create.id, "FINISHED"))
    select = bench.sessions.run_of("SELECT 1")
    select.tell(e.StatementStarted(select.id, 0, "SELECT", 1))
    select.tell(structs.replace(table(select), is_unbounded=True))
    insert = bench.sessions.run_of("INSERT")
    insert.tell(e.StatementStarted(insert.id, 0, "INSERT", 1))
    insert.tell(e.JobStarted(insert.id, 0, "job1"))
    insert.tell(e.Progress(insert.id, 0, e.JobFigures(), [], is_unbounded=True))
    bench.until(note, 4, "FINISHED")
    states = [p.status for p in bench.notes.view(note).paragraphs]
    assert states == ["FINISHED", "FINISHED", "RUNNING", "RUNNING", "FINISHED"]
    assert bench.shown(note, 3).jobs == ["job1"]
    bench.notes.cancel(note)
    states = [p.status for p in bench.notes.view(note).paragraphs]
    assert states == ["FINISHED", "FINISHED", "ABORT", "ABORT", "FINISHED"]


def test_a_statement_that_ends_is_waited_for(bench: Bench) -> None:
    note = bench.notes.create("n", ["SELECT 1; SELECT 2", "SELECT 3"])
    bench.notes.run_all(note)
    both = bench.sessions.run_of("SELECT 1; SELECT 2")
    both.tell(e.StatementStarted(both.id, 0, "SELECT", 1))
    both.tell(table(both))
    both.tell(e.Progress(both.id, 0, e.JobFigures(), []))
    bench.clock.advance(5000)
    assert bench.shown(note, 1).status == "PENDING"
    both.tell(e.RunFinished(both.id, "ERROR", {}, "no"))
    bench.until(note, 1, "READY")
    assert bench.notes.view(note).why_not_run == "paragraph 1 failed"


def test_a_round_ends_with_the_first_error(bench: Bench) -> None:
    note = bench.notes.create("n", ["CREATE", "SELECT 1"])
    bench.notes.run_all(note)
    create = bench.sessions.run_of("CREATE")
    create.tell(e.RunFinished(create.id, "ERROR", {}, "it exists already"))
    bench.until(note, 1, "READY")
    assert len(bench.sessions.runs) == 1
    view = bench.notes.view(note)
    assert (view.not_run, view.why_not_run) == ([view.order[1]], "paragraph 1 failed")
    bench.notes.run_all(note, since=view.order[1])
    bench.sessions.run_of("SELECT 1")
    assert len(bench.sessions.runs) == 2
    assert bench.notes.view(note).not_run == []


def test_a_shell_runs_only_where_a_setting_allows_it(bench: Bench) -> None:
    text = "%sh\necho one; echo two >&2; exit ${code=3}"
    note = bench.notes.create("n", [text, "%sh\nsleep 60"])
    bench.run(note)
    refused = bench.until(note, 0, "ERROR")
    assert "%sh paragraphs are off" in refused.outputs[-1].text
    bench.shell = True
    bench.open()
    bench.run(note)
    failed = bench.until(note, 0, "ERROR")
    assert [o.text for o in failed.outputs] == ["one\ntwo\n", "the shell ended with exit value 3"]
    bench.notes.edit(note, bench.shown(note).id, params={"code": 0})
    bench.run(note)
    assert bench.until(note, 0, "FINISHED").outputs[0].text == "one\ntwo\n"
    bench.run(note, 1)
    bench.until(note, 1, "RUNNING")
    bench.notes.cancel(note)
    bench.until(note, 1, "ABORT")


def test_a_round_skips_what_is_disabled_and_what_runs(bench: Bench) -> None:
    document = {
        "name": "n",
        "paragraphs": [
            {"id": "a", "text": "SELECT a"},
            {"id": "b", "text": "SELECT b", "config": {"enabled": False}},
            {"id": "c", "text": "SELECT c"},
        ],
    }
    note = bench.notes.import_bytes(json.dumps(document).encode())
    bench.notes.run(note, "a")
    bench.notes.run_all(note)
    bench.sessions.run_of("SELECT c")
    assert sorted(r.text for r in bench.sessions.runs.values()) == ["SELECT a", "SELECT c"]


def test_a_cancelled_round_ends(bench: Bench) -> None:
    note = bench.notes.create("n", ["SELECT a", "SELECT b"])
    bench.notes.run_all(note)
    bench.sessions.run_of("SELECT a")
    bench.notes.cancel(note)
    bench.until(note, 1, "READY")
    assert bench.shown(note, 0).status == "ABORT"
    assert len(bench.sessions.runs) == 1


def test_ten_at_once_are_enough(bench: Bench) -> None:
    note = bench.notes.create("n", [f"SELECT {i}" for i in range(11)])
    for i in range(10):
        bench.run(note, i)
    with pytest.raises(EddylineError, match="10 paragraphs"):
        bench.run(note, 10)
    bench.notes.run_all(note)
    assert bench.shown(note, 10).status == "PENDING"
    bench.notes.cancel(note, bench.shown(note, 3).id)
    bench.sessions.run_of("SELECT 10")
    assert bench.shown(note, 10).status == "RUNNING"


def test_after_a_restart_inserts_go_on_and_selects_are_over(bench: Bench) -> None:
    note = bench.notes.create("n", ["INSERT", "SELECT 1", "SELECT 2"])
    bench.run(note, 0)
    bench.run(note, 1)
    insert, select = bench.sessions.run_of("INSERT"), bench.sessions.run_of("SELECT 1")
    insert.tell(e.JobStarted(insert.id, 0, "job1"))
    bench.clock.advance(10_000)
    select.tell(table(select, ["a", "1"]))
    bench.jobs = [SimpleNamespace(run_id=insert.id, desired="RUNNING", job_id="job1")]
    bench.open(insert.id)
    states = [p.status for p in bench.notes.view(note).paragraphs]
    assert states == ["RUNNING", "ABORT", "READY"]
    shown = bench.shown(note, 1)
    assert shown.outputs[0].table is not None
    assert shown.outputs[0].table.rows == [["a", "1"]]
    assert bench.shown(note, 0).jobs == ["job1"]
    tell = bench.sessions.watched[insert.id]
    tell(e.Progress(insert.id, 0, e.JobFigures(rows_out=5), []))
    assert bench.shown(note, 0).figures == e.JobFigures(rows_out=5)
    tell(e.RunFinished(insert.id, "ABORT"))
    assert bench.shown(note, 0).status == "ABORT"
    bench.jobs = []
    bench.open()
    assert bench.shown(note, 0).status == "ABORT"


def test_a_job_nobody_resumed_yet_waits_for_the_next_server(bench: Bench) -> None:
    note = bench.notes.create("n", ["INSERT"])
    bench.run(note)
    run = bench.sessions.run_of("INSERT")
    bench.jobs = [SimpleNamespace(run_id=run.id, desired="RUNNING", job_id="job1")]
    bench.open()  # as the command line does: nothing is resumed
    bench.open(run.id)
    assert bench.shown(note).status == "RUNNING"


def test_a_table_saved_under_a_name_is_had_from_all_notes_of_its_notebook(bench: Bench) -> None:
    note = bench.notes.create("n", ["%flink.ssql(saveAs=counts)\nSELECT k"])
    other = bench.notes.create("other", ["%md\nx"])
    with pytest.raises(EddylineError, match="no paragraph has saved a table as counts"):
        bench.notes.saved_table(note, "counts")
    bench.run(note)
    run = bench.sessions.run_of("SELECT k")
    run.tell(table(run, ["a", "2"]))
    for asking in (note, other):
        saved = bench.notes.saved_table(asking, "counts")
        assert (saved.columns, saved.rows) == (["k", "n"], [["a", "2"]])
    stranger = bench.notes.create("stranger", notebook="another")
    with pytest.raises(EddylineError, match="no paragraph"):
        bench.notes.saved_table(stranger, "counts")


def test_single_with_a_template(bench: Bench) -> None:
    note = bench.notes.create("n", ["%flink.ssql(type=single,template=<b>{1}</b>{9})\nSELECT *"])
    bench.run(note)
    run = bench.sessions.run_of("SELECT *")
    run.tell(table(run, ["a", "<1>"]))
    assert bench.shown(note).outputs == [Output("HTML", "<b>&lt;1&gt;</b>")]
    assert filled("{0}", None) == ""


def test_how_a_result_is_drawn_is_kept_in_the_note(bench: Bench) -> None:
    note = bench.notes.create("n", ["SELECT 1"])
    paragraph = bench.shown(note).id
    bench.notes.draw(note, paragraph, 0, {"mode": "lineChart", "keys": [{"name": "t"}]})
    bench.notes.draw(note, paragraph, 0, {"mode": "table"})
    kept = json.loads(bench.notes.export(note))["paragraphs"][0]["config"]["results"]["0"]["graph"]
    assert kept == {"mode": "table", "keys": [{"name": "t"}]}


def test_a_copy_has_its_own_id_and_the_results(bench: Bench) -> None:
    note = bench.notes.create("n", ["%md\nhi"])
    bench.run(note)
    copy = bench.notes.duplicate(note)
    assert copy != note
    assert bench.notes.view(copy).name == "n copy"
    assert bench.shown(copy).outputs == bench.shown(note).outputs
    bench.notes.clear(copy)
    assert bench.shown(copy).outputs == []
    assert bench.shown(note).outputs != []


def test_tables_survive_their_text_form() -> None:
    table = OutputTable(["a b", "n"], [["x", None], ["", "1.0"]], [], 2, 0)
    assert from_tsv(tsv(table)) == table
    assert tsv(OutputTable(["a"], [["x\ty\nz"]])) == "a\nx y z\n"
    assert from_tsv("a\tb\n1\n").rows == [["1", ""]]
