"""What a paragraph asks for, interpreter by interpreter."""

from __future__ import annotations

import pytest

from eddyline.errors import EddylineError
from eddyline.service.notes.interpreters import (
    INTERPRETERS,
    PYTHON,
    UNSUPPORTED,
    ParagraphTask,
    interpreter_of,
    python_of,
    task_of,
)
from eddyline.service.notes.note import new_note, new_paragraph


def task(text: str, group: str = "flink") -> ParagraphTask:
    note = new_note("n")
    note.fields["defaultInterpreterGroup"] = group
    return task_of(new_paragraph(text, 0), note)


@pytest.mark.parametrize(
    "text", ["", "\n", "/* only\n words */", "-- a\n-- b", "%flink.ssql\n-- nothing", "%flink.conf"]
)
def test_nothing_to_run_is_no_error(text: str) -> None:
    assert task(text).sql is None


def test_sql_keeps_its_lines() -> None:
    parsed = task("%flink.ssql(type=append, refreshInterval=500, jobName=j)\n\nSELECT 1;")
    assert parsed.sql is not None
    assert parsed.sql.index("SELECT") == len(
        "%flink.ssql(type=append, refreshInterval=500, jobName=j)\n\n"
    )
    assert (parsed.mode, parsed.refresh_ms, parsed.job_name) == ("append", 500, "j")


@pytest.mark.parametrize(
    ("properties", "named", "start"),
    [
        ("savepointDir=/x", True, "fresh"),
        ("savepointDir=/x, resumeFromSavepoint=true", True, "state"),
        ("enableSavePoint=true, runWithSavePoint=true", True, "state"),
        ("enableSavePoint=true", True, "fresh"),
        ("resumeFromLatestCheckpoint=true", True, "state"),
        ("jobName=j, resumeFromSavepoint=false", True, "fresh"),
        ("jobName=j", True, "state"),
        ("type=update", False, "state"),
    ],
)
def test_properties_of_savepoints(properties: str, named: bool, start: str) -> None:
    job = task(f"%flink.ssql({properties})\nINSERT INTO t SELECT 1")
    assert (job.job_name is not None, job.start) == (named, start)
    assert job.warnings == ()
    assert job.job_name == "j" if "jobName" in properties else job.job_name != "j"


def test_a_savepoint_is_named_for_one_run() -> None:
    job = task("%flink.ssql(execution.savepoint.path=before)\nINSERT INTO t SELECT 1")
    assert job.options == {"execution.savepoint.path": "before"}


def test_a_paragraph_without_interpreter_is_sql_in_a_flink_note() -> None:
    assert task("SELECT 1").sql == "SELECT 1"
    assert task("# Title", group="md").html == "<h1>Title</h1>\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("%flink.ssql(type=upsert)\nS", "type=upsert is none of single, update, append"),
        ("%flink.ssql(refreshInterval=soon)\nS", "refreshInterval=soon is no number"),
        ("%flink.sql\nS", "there is no interpreter %flink.sql"),
        ("%python.sql\nS", "%python.sql does not run here"),
        ("%flink\nval x = senv.fromElements(1)", "val x = senv.fromElements(1) is Scala"),
    ],
)
def test_refusals(text: str, says: str) -> None:
    with pytest.raises(EddylineError) as caught:
        task(text)
    assert says in caught.value.message
    assert caught.value.hint


def test_bsql_is_batch_whose_statements_wait_for_each_other() -> None:
    parsed = task("%flink.bsql\nSELECT 1")
    assert parsed.sql is not None
    assert parsed.options == {"execution.runtime-mode": "batch", "table.dml-sync": "true"}
    assert task("%flink.ssql\nSELECT 1").options == {}


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("ssql", "flink.ssql"),
        ("bsql", "flink.bsql"),
        ("pyflink", "flink.pyflink"),
        ("ipyflink", "flink.ipyflink"),
        ("ipython", "python"),
        ("angular", "html"),
    ],
)
def test_short_names_stand_for_the_full_ones(short: str, full: str) -> None:
    assert interpreter_of(f"%{short}\nx", "flink") == full
    paragraph = new_paragraph(f"%{short}\nx", 0)
    python = python_of(paragraph, new_note("n"))
    assert (python is None) == (full not in PYTHON)


def test_html_text_and_shell() -> None:
    assert task("%html\n<b>x</b>").html == "     \n<b>x</b>"
    assert task("%text\nplain").texts == ("plain",)
    assert str(task("%sh\nls -l").shell).strip() == "ls -l"
    assert not task("%sh\n").runs


def test_a_form_in_python_is_filled_where_its_properties_say_so() -> None:
    note = new_note("n")
    simple = python_of(new_paragraph("%flink.ipyflink(form=simple)\nprint('${x=1}')", 0), note)
    assert simple is not None
    assert str(simple.python).endswith("print('1')")
    native = python_of(new_paragraph("%flink.ipyflink\nprint('${x=1}')", 0), note)
    assert native is not None
    assert str(native.python).endswith("print('${x=1}')")


SCALA = """%flink
import org.apache.flink.table.api._
// the detector
stenv.registerFunction("RANDOM_CUT_FOREST", new com.example.Forest())
btenv.createTemporarySystemFunction("upper", classOf[com.example.Upper]);
val ddl = \"\"\"CREATE TABLE a
  |(x INT)\"\"\".stripMargin
stenv.executeSql(ddl)
val r = stenv.executeSql("SELECT \\"x\\" FROM a").print()
val t = stenv.sqlQuery("SELECT 1 AS one")
z.show(t, streamType="update")
"""


def test_scala_that_only_registers_what_is_built_in_or_runs_sql() -> None:
    parsed = task(SCALA)
    assert [text.split(" ")[0] for text in parsed.texts] == ["RANDOM_CUT_FOREST", "upper"]
    assert "com.example.Forest is not needed" in parsed.texts[0]
    statements = str(parsed.sql).split("\n")
    assert statements[7] == "CREATE TABLE a"
    assert statements[8] == '(x INT);SELECT "x" FROM a;'
    assert statements[-1] == "SELECT 1 AS one;"


def test_options_that_scala_sets() -> None:
    parsed = task(
        '%flink\nstenv.getConfig.getConfiguration.setString("pipeline.name", "it\'s")\n'
        'stenv.getConfig().set("table.exec.state.ttl", "1 h")'
    )
    assert str(parsed.sql).split("\n")[1:] == [
        "SET 'pipeline.name' = 'it''s';",
        "SET 'table.exec.state.ttl' = '1 h';",
    ]


def test_a_java_function_that_is_not_there_is_named() -> None:
    with pytest.raises(EddylineError) as caught:
        task('%flink\nstenv.registerFunction("geohash", new com.example.GeoHash())')
    assert "geohash is the Java class com.example.GeoHash" in caught.value.message
    assert caught.value.span is not None
    assert caught.value.span.line == 2
    assert "@udf" in str(caught.value.hint)


def test_conf_becomes_set() -> None:
    parsed = task(
        "%flink.conf\nexecution.checkpointing.interval\t5000\n# x\npipeline.name it's\n"
        "flink.execution.packages a:b:1"
    )
    assert parsed.sql is not None
    assert parsed.sql.split("\n")[1] == "SET 'execution.checkpointing.interval' = '5000';"
    assert parsed.sql.split("\n")[3] == "SET 'pipeline.name' = 'it''s';"
    assert "flink.execution.packages" in parsed.warnings[0]


def test_forms_are_filled() -> None:
    note = new_note("n")
    paragraph = new_paragraph("%flink.ssql\nSELECT * FROM t LIMIT ${n=5}", 0)
    assert str(task_of(paragraph, note).sql).endswith("LIMIT 5")
    paragraph.params["n"] = 7.0
    assert str(task_of(paragraph, note).sql).endswith("LIMIT 7")


def test_python_that_only_runs_sql() -> None:
    parsed = task(
        "%flink.pyflink\n"
        "from pyflink.table import EnvironmentSettings\n"
        "# the table\n"
        "ddl = '''CREATE TABLE a (x INT)'''\n"
        "st_env.execute_sql(ddl)\n"
        "table_env.execute_sql(\n"
        '    """\n'
        "    SELECT * FROM a;\n"
        '    """).print()\n'
        "r = st_env.execute_sql('DROP ' + 'TABLE a').wait()\n"
    )
    assert parsed.sql is not None
    lines = parsed.sql.split("\n")
    assert lines[4] == "CREATE TABLE a (x INT);"
    assert lines[7].strip() == "SELECT * FROM a;"
    assert lines[-1] == "DROP TABLE a;"


@pytest.mark.parametrize(
    ("code", "says", "line"),
    [
        ("x = 1\n", "this assignment", 2),
        ("\nst_env.execute_sql(f'SELECT {x}')\n", "put together while running", 3),
        ("class F(ScalarFunction):\n  pass", "a class", 2),
        ("def f(): pass", "a function", 2),
        ("for i in x: pass", "a loop", 2),
        ("st_env.sql_query('SELECT 1')", "this call", 2),
        ("st_env.execute_sql('a', 'b')", "other than one text", 2),
        ("def (", "not Python", 2),
    ],
)
def test_other_python_is_named_with_its_line(code: str, says: str, line: int) -> None:
    with pytest.raises(EddylineError) as caught:
        task("%flink.pyflink\n" + code)
    assert says in caught.value.message
    assert caught.value.span is not None
    assert caught.value.span.line == line


def test_no_interpreter_is_both() -> None:
    assert not set(INTERPRETERS) & set(UNSUPPORTED)
