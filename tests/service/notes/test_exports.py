"""Other files of a note, its versions, search, and the settings of paragraphs."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_notes import Bench

from eddyline.errors import EddylineError
from eddyline.sql.parse import parse_script

DOCUMENT = {
    "name": "Sensors <1>",
    "paragraphs": [
        {
            "id": "words",
            "text": "%md\n# Sensors",
            "results": {"code": "SUCCESS", "msg": [{"type": "HTML", "data": "<h1>Sensors</h1>"}]},
            "status": "FINISHED",
        },
        {
            "id": "table",
            "title": "The table",
            "text": "%flink.ssql(type=update)\nCREATE TABLE a (x INT); -- one\nSELECT ';' FROM a",
            "results": {
                "code": "SUCCESS",
                "msg": [{"type": "TABLE", "data": "x\n<b>1</b>\nnull\n"}],
            },
            "config": {"colWidth": 6.0, "editorHide": True},
        },
        {
            "id": "python",
            "text": "%flink.pyflink\nprint(1 < 2)",
            "results": {
                "code": "ERROR",
                "msg": [
                    {"type": "IMG", "data": "aGk="},
                    {"type": "HTML", "data": "<script>alert(1)</script><b>kept</b>"},
                    {"type": "TEXT", "data": "NameError: <x>"},
                ],
            },
            "status": "ERROR",
        },
        {"id": "empty", "text": "%flink.ssql\n"},
    ],
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for note in made.notes.list():
        made.notes.cancel(note.id)


@pytest.fixture
def note(bench: Bench) -> str:
    return bench.notes.import_bytes(json.dumps(DOCUMENT).encode())


def test_a_notebook_has_a_cell_a_paragraph_with_its_results(bench: Bench, note: str) -> None:
    book = json.loads(bench.notes.export(note, "ipynb"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert [c["cell_type"] for c in book["cells"]] == ["markdown", "code", "code", "code"]
    assert book["cells"][0]["source"] == "# Sensors"
    assert book["cells"][1]["source"].startswith("%%flink.ssql\nCREATE TABLE a")
    assert book["cells"][2]["source"] == "print(1 < 2)"
    table = book["cells"][1]["outputs"][0]["data"]
    assert "&lt;b&gt;1&lt;/b&gt;" in table["text/html"]
    assert table["text/plain"] == "x\n<b>1</b>\nNone"
    kinds = [o["output_type"] for o in book["cells"][2]["outputs"]]
    assert kinds == ["display_data", "display_data", "error"]
    assert bench.notes.file_name(note, "ipynb").endswith(".ipynb")


def test_a_script_runs_as_it_is(bench: Bench, note: str) -> None:
    script = bench.notes.export(note, "sql").decode()
    assert [type(s).__name__ for s in parse_script(script)] == ["CreateTable", "Query"]
    assert "-- print(1 < 2)" in script
    program = bench.notes.export(note, "py").decode()
    calls = [n for n in ast.walk(ast.parse(program)) if isinstance(n, ast.Call)]
    texts = [c.args[0].value for c in calls if isinstance(c.args[0], ast.Constant)]
    assert texts == ["CREATE TABLE a (x INT)", "SELECT ';' FROM a"]
    assert "print(1 < 2)" in program


def test_a_report_shows_results_and_runs_nothing(bench: Bench, note: str) -> None:
    page = bench.notes.export(note, "html").decode()
    assert "<title>Sensors &lt;1&gt;</title>" in page
    assert "<h1>Sensors</h1>" in page
    assert "<td>&lt;b&gt;1&lt;/b&gt;</td>" in page
    assert "CREATE TABLE" not in page, "its code is hidden"
    assert "print(1 &lt; 2)" in page
    assert "<b>kept</b>" in page
    assert "alert" not in page
    assert "NameError: &lt;x&gt;" in page
    bench.notes.configure(note, "table", code_hidden=False, output_hidden=True)
    page = bench.notes.export(note, "html").decode()
    assert "CREATE TABLE" in page
    assert "<td>" not in page
    with pytest.raises(EddylineError, match="cannot be exported as 'pdf'"):
        bench.notes.export(note, "pdf")


def test_the_layout_of_a_paragraph_is_zeppelins(bench: Bench, note: str) -> None:
    before = bench.shown(note, 1)
    assert (before.width, before.code_hidden, before.output_hidden) == (6, True, False)
    bench.notes.configure(note, "table", width=4, code_hidden=False, enabled=False)
    kept = json.loads(bench.notes.export(note))["paragraphs"][1]["config"]
    assert kept == {"colWidth": 4.0, "editorHide": False, "enabled": False}
    with pytest.raises(EddylineError, match="1 to 12 columns"):
        bench.notes.configure(note, "table", width=13)
    copy = bench.notes.clone(note, "table")
    view = bench.notes.view(note)
    assert view.order[1:3] == ["table", copy]
    shown = bench.shown(note, 2)
    assert (shown.text, shown.title, shown.width) == (before.text, "The table", 4)
    assert shown.outputs == []


def test_versions_are_kept_compared_and_restored(bench: Bench, note: str) -> None:
    assert bench.notes.keep_version(note, "first") == 1
    assert bench.notes.keep_version(note, "again") is None, "nothing has changed"
    bench.notes.edit(note, "python", text="%flink.pyflink\nprint(3)")
    bench.notes.take_out(note, "empty")
    changes = bench.notes.compare(note, 1).split("\n")
    assert {"-print(1 < 2)", "+print(3)", "-== 4"} <= set(changes)
    bench.notes.restore(note, 1)
    view = bench.notes.view(note)
    assert view.order == ["words", "table", "python", "empty"]
    assert bench.shown(note, 2).text.endswith("print(1 < 2)")
    assert bench.shown(note, 1).outputs, "the result of the same text stays"
    assert bench.notes.compare(note, 1) == ""
    kept = [(v.number, v.message, v.paragraphs) for v in bench.notes.versions(note)]
    assert kept == [(2, "before version 1 was restored", 3), (1, "first", 4)]
    bench.notes.restore(note, 2)
    assert bench.shown(note, 2).text.endswith("print(3)")
    with pytest.raises(EddylineError, match="no version 9"):
        bench.notes.restore(note, 9)
    bench.open()  # another server
    assert len(bench.notes.versions(note)) == 3
    assert bench.notes.view(note).order == ["words", "table", "python"]
    bench.notes.remove(note)
    again = bench.notes.import_bytes(json.dumps({**DOCUMENT, "id": note}).encode())
    assert again == note
    assert bench.notes.versions(again) == []


def test_search_finds_texts_titles_and_names(bench: Bench, note: str) -> None:
    other = bench.notes.create("Clicks", ["SELECT sensors", "%md\nnothing"])
    hits = bench.notes.search("SENSORS")
    places = [(h.note_id, h.number, h.line) for h in hits]
    assert places == [(other, 1, 1), (note, 0, 0), (note, 1, 2)]
    assert [(h.paragraph, h.line, h.text) for h in bench.notes.search("the table")] == [
        ("table", 0, "The table")
    ]
    assert bench.notes.search("  ") == []
