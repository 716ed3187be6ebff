"""Python paragraphs on a running server: real Python, SQL through the facade, tables, errors."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eddyline.service.notes import ParagraphView
from eddyline.testing import TestServer, server

TABLES = """
for name in {names}:
    st_env.execute_sql(f'''
        CREATE TABLE {{name}} (n INT, page STRING) WITH ('connector' = 'kinesis',
          'stream' = '{{name}}', 'aws.region' = 'us-east-1',
          'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json')''')
print(st_env.list_tables())
"""


@pytest.fixture(scope="module")
def running() -> Iterator[TestServer]:
    with server() as running:
        for name in ("clicks", "hot"):
            running.services.streams.create(name, 1)
        Note(running).text(TABLES.format(names=("clicks", "hot")))
        yield running


class Note:
    """A note of Python paragraphs, run one by one."""

    def __init__(self, running: TestServer) -> None:
        self.notes = running.services.notes
        self.id = self.notes.create(f"Python {os.urandom(4).hex()}", ["%md\nbegin"])

    def begin(self, code: str, header: str = "%flink.pyflink") -> str:
        paragraph = self.notes.add(self.id, f"{header}\n{code}")
        self.notes.run(self.id, paragraph)
        return paragraph

    def view(self, paragraph: str) -> ParagraphView:
        (view,) = [p for p in self.notes.view(self.id).paragraphs if p.id == paragraph]
        return view

    def until(self, paragraph: str, *states: str) -> ParagraphView:
        end = time.monotonic() + 120
        while (view := self.view(paragraph)).status not in states:
            assert time.monotonic() < end, view
            time.sleep(0.05)
        return view

    def run(self, code: str, header: str = "%flink.pyflink") -> ParagraphView:
        return self.until(self.begin(code, header), "FINISHED", "ERROR", "ABORT")

    def text(self, code: str, header: str = "%flink.pyflink") -> str:
        view = self.run(code, header)
        assert view.status == "FINISHED", view.outputs
        return "".join(o.text for o in view.outputs)

    def error(self, code: str) -> str:
        view = self.run(code)
        assert view.status == "ERROR", view.outputs
        return view.outputs[-1].text


@pytest.fixture(scope="module")
def note(running: TestServer) -> Note:
    return Note(running)


@pytest.mark.timeout(300)
def test_variables_functions_and_loops_are_pythons_own(note: Note) -> None:
    assert note.text("def twice(x):\n    return 2 * x\ny = twice(21)\nprint(y)") == "42\n"
    assert note.text("print(twice(y)); twice(1)", "%flink.ipyflink") == "84\n2"
    assert note.text("y + 1", "%python") == "43"


def test_sql_from_a_loop_and_what_it_gives(running: TestServer, note: Note) -> None:
    made = note.text(TABLES.format(names=("early", "late")))
    assert made == "['clicks', 'early', 'hot', 'late']\n"
    assert note.text("for t in ('early', 'late'):\n    st_env.execute_sql('DROP TABLE ' + t)") == ""
    query = "SELECT n * 2 FROM (VALUES (1), (2)) AS t (n)"
    rows = f"[(r, r.get_row_kind()) for r in st_env.execute_sql({query!r}).collect()]"
    assert note.text(rows) == ("[(<Row(2)>, <RowKind.INSERT: 0>), (<Row(4)>, <RowKind.INSERT: 0>)]")
    printed = note.text("st_env.execute_sql(\"SELECT 1 AS a, 'x' AS b\").print()")
    assert printed.splitlines()[1] == f"| op |           a |{'b':>31} |"
    assert printed.splitlines()[3:] == [
        f"| +I |           1 |{'x':>31} |",
        printed.splitlines()[0],
        "1 row in set",
    ]
    # The note's SQL paragraphs see the same session.
    view = note.run("SHOW TABLES;", "%flink.ssql")
    assert [o.table.rows for o in view.outputs if o.table] == [[["clicks"], ["hot"]]]


def test_an_insert_is_a_job_of_the_note(running: TestServer, note: Note) -> None:
    boto = """
import boto3
kinesis = boto3.client("kinesis")
for n in range(3):
    kinesis.put_record(StreamName="clicks", Data=f'{{"n":{n},"page":"/"}}', PartitionKey="k")
job = st_env.execute_sql("INSERT INTO hot SELECT n, page FROM clicks WHERE n > 0").get_job_client()
"""
    assert "job " in note.text(boto)
    end = time.monotonic() + 60
    while running.services.streams.open("hot").counters().records_total < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert note.run("job.cancel()").status == "FINISHED"


def test_a_table_is_shown_and_kept_in_the_file(running: TestServer, note: Note) -> None:
    view = note.run("z.show(st_env.sql_query('SELECT n FROM (VALUES (1), (2)) AS t (n)'))")
    assert view.status == "FINISHED", view.outputs
    (table,) = [o.table for o in view.outputs if o.table]
    assert (table.columns, table.rows) == (["n"], [["1"], ["2"]])
    document = json.loads(running.services.notes.export(note.id))
    kept = [m for p in document["paragraphs"] for m in p.get("results", {}).get("msg", [])]
    assert {"type": "TABLE", "data": "n\n1\n2\n"} in kept


def test_an_endless_table_is_live_and_stops(running: TestServer, note: Note) -> None:
    paragraph = note.begin("z.show(st_env.from_path('clicks'))")
    end = time.monotonic() + 60
    while not any(o.table and len(o.table.rows) == 3 for o in note.view(paragraph).outputs):
        assert time.monotonic() < end, note.view(paragraph)
        time.sleep(0.05)
    assert note.text("print(2)") == "2\n", "other Python does not wait for it"
    running.services.notes.cancel(note.id, paragraph)
    view = note.until(paragraph, "ABORT", "ERROR", "FINISHED")
    assert view.status == "ABORT"
    assert any(o.table for o in view.outputs), "the last table stays"
    assert note.text("print(1)") == "1\n"


def test_notes_of_a_notebook_share_python_views_and_options(
    running: TestServer, note: Note
) -> None:
    other = Note(running)
    note.text("shared = 7")
    note.run("SET 'table.local-time-zone' = 'Asia/Tokyo';", "%flink.ssql")
    assert other.text("print(shared)") == "7\n"
    other.run("CREATE TEMPORARY VIEW seven AS SELECT 7 AS n;", "%flink.ssql")
    assert "Tokyo" in str(other.run("SET;", "%flink.ssql").outputs)
    assert note.text("[r[0] for r in st_env.execute_sql('SELECT n FROM seven').collect()]") == "[7]"
    note.run("DROP TEMPORARY VIEW seven; RESET;", "%flink.ssql")
    assert "seven" in other.error("st_env.from_path('seven')")


def test_errors_name_their_line_and_leave_the_kernel_alive(note: Note) -> None:
    assert note.error("a = 1\nb = a / 0").startswith("ZeroDivisionError: division by zero (line 3")
    assert "SyntaxError" in note.error("a = 1\nb = = 2")
    assert "(line 3" in note.error("a = 1\nb = = 2")
    wrong = note.error("st_env.execute_sql('SELECT nosuch FROM clicks')")
    assert "nosuch" in wrong
    assert note.text("a") == "1"


def test_pyflink_can_be_imported_and_says_what_it_lacks(note: Note) -> None:
    code = (
        "from pyflink.table import EnvironmentSettings, TableEnvironment\n"
        "env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())\n"
        "print(len(env.list_tables()))"
    )
    assert note.text(code) == "2\n"
    assert note.text("from pyflink.ml import Pipeline; import pyflink.dataset; print(1)") == "1\n"
    assert "pyflink.ml.Pipeline is not available here" in note.error("Pipeline([])")
    assert "pyflink.ml.Pipeline is not" in note.error("class Mine(Pipeline): pass")
    assert "pyflink.dataset.Old is not" in note.error("pyflink.dataset.Old.new()")
    assert "execute_sql" in note.error("st_env.no_such_method()")
    assert note.error("st_env.use_database('clickz')").split("\n")[1].startswith("hint: ")


def test_the_environment_reaches_this_server_only(running: TestServer, note: Note) -> None:
    code = "import os; print(os.environ['AWS_ENDPOINT_URL'])"
    assert note.text(code).strip() == running.endpoint_url


def test_pyflink_is_not_importable_outside_kernels() -> None:
    from importlib.util import find_spec

    assert find_spec("pyflink") is None


def test_restart_forgets_and_a_death_is_told(running: TestServer, note: Note) -> None:
    note.text("kept = 1")
    running.services.notes.restart_python(note.id)
    begun = note.begin("never = 1")
    running.services.notes.cancel(note.id, begun)
    assert note.until(begun, "ABORT", "ERROR", "FINISHED").status == "ABORT"
    assert "NameError" in note.error("kept")
    assert "Python for this notebook has ended" in note.error("import os; os._exit(1)")
    assert note.text("print('again')") == "again\n"


def test_memory_is_bounded(running: TestServer, note: Note) -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_DATA)[0] >> 20)"
    limit = note.text(code).strip()
    assert limit == str(running.settings.kernel_memory_mib)
    assert "MemoryError" in note.error("x = bytearray(16 << 30)")


TABLE_API = """
from pyflink.common import Row
from pyflink.table import DataTypes, EnvironmentSettings, Schema, TableDescriptor, TableEnvironment
from pyflink.table.expressions import call, col, concat, lit
from pyflink.table.udf import AggregateFunction, TableAggregateFunction, udaf, udf, udtaf, udtf
from pyflink.table.window import Slide, Tumble

orders = st_env.from_elements(
    [("Jack", 10), ("Rose", 30), ("Jack", 20), ("Bob", 40)], ["name", "revenue"])
def rows(table):
    print(sorted(tuple(row) for row in table.execute().collect()))
"""


def test_table_api_calls_become_sql(note: Note) -> None:
    note.text(TABLE_API)
    text = """
paid = orders.filter((col("revenue") > 10) & ~(col("name") == "Bob"))
rows(paid.select(col("name").upper_case, (col("revenue") / 2).alias("half")))
rows(orders.group_by(col("name")).select(col("name"), col("revenue").sum.alias("s")))
rows(orders.order_by(col("revenue").desc).fetch(1).select(concat(col("name"), "!")))
rows(orders.add_columns(lit(1.5).alias("x")).drop_columns(col("revenue")).distinct())
other = orders.select(col("name").alias("n"), col("revenue").alias("r"))
rows(orders.join(other, col("revenue") == col("r")).select(col("n"), col("r")).limit(9))
orders.print_schema()
"""
    assert note.text(text).splitlines() == [
        "[('JACK', 10), ('ROSE', 15)]",
        "[('Bob', 40), ('Jack', 30), ('Rose', 30)]",
        "[('Bob!',)]",
        "[('Bob', 1.5), ('Jack', 1.5), ('Rose', 1.5)]",
        "[('Bob', 40), ('Jack', 10), ('Jack', 20), ('Rose', 30)]",
        "(",
        "  `name` STRING NOT NULL,",
        "  `revenue` BIGINT NOT NULL",
        ")",
    ]


# AWS's sample of a sliding window, over columns whose names SQL reserves.
RESERVED_NAMES = """
from pyflink.table.window import Slide
st_env.execute_sql('''CREATE TEMPORARY VIEW quotes AS SELECT * FROM (VALUES
    (TIMESTAMP '2024-01-01 00:00:01', 'A', 5, 'x'), (TIMESTAMP '2024-01-01 00:00:02', 'A', 20, 'y'),
    (TIMESTAMP '2024-01-01 00:00:03', 'B', 30, 'x')) AS t (`timestamp`, ticker, `value`, `user`)''')
quotes = st_env.from_path("quotes")
rows(quotes.select("sum(value)"))
rows(quotes.group_by("ticker").select("ticker, value.sum as total"))
rows(quotes.filter("value > 10 and user = 'x'").select("value as user, timestamp as time"))
rows(quotes.group_by("user, ticker").select("user, ticker, value.max as value"))
rows(quotes.order_by("value desc").fetch(1).select("ticker"))
print(Slide.over("10.seconds").every("5.seconds").on("timestamp").alias("w").key)
"""


def test_names_that_sql_reserves_are_columns_in_text(note: Note) -> None:
    note.text(TABLE_API)
    assert note.text(RESERVED_NAMES).splitlines() == [
        "[(55,)]",
        "[('A', 25), ('B', 30)]",
        "[(30, datetime.datetime(2024, 1, 1, 0, 0, 3))]",
        "[('x', 'A', 5), ('x', 'B', 30), ('y', 'A', 20)]",
        "[('B',)]",
        "HOP(`timestamp`, INTERVAL '5' SECOND, INTERVAL '10' SECOND)",
    ]


def test_functions_of_a_note_are_called_from_python_and_from_sql(note: Note) -> None:
    note.text(TABLE_API)
    text = """
plus = udf(lambda i: i + 1, result_type=DataTypes.BIGINT())
st_env.create_temporary_system_function("plus1", plus)
rows(orders.select(plus(col("revenue")).alias("p"), call("plus1", 1)).where(col("p") > 30))

@udtf(result_types=[DataTypes.STRING(), DataTypes.INT()])
def letters(name):
    for letter in name[:1]:
        yield letter, ord(letter)
rows(orders.join_lateral(letters(col("name")).alias("l", "o")).select(col("name"), col("o")))

class CountAndSum(AggregateFunction):
    def create_accumulator(self):
        return Row(0, 0)
    def accumulate(self, accumulator, value):
        accumulator[0] += 1
        accumulator[1] += value
    def get_value(self, accumulator):
        return Row(accumulator[0], accumulator[1])
    def get_result_type(self):
        return "ROW<a BIGINT, b BIGINT>"
both = udaf(CountAndSum())(col("revenue")).alias("n", "s")
rows(orders.group_by(col("name")).aggregate(both).select(col("name"), col("n"), col("s")))

class Top(TableAggregateFunction):
    def create_accumulator(self):
        return [0]
    def accumulate(self, accumulator, value):
        accumulator[0] = max(accumulator[0], value)
    def emit_value(self, accumulator):
        yield Row(accumulator[0])
    def get_result_type(self):
        return "ROW<top BIGINT>"
top = udtaf(Top())(col("revenue")).alias("top")
rows(orders.group_by(col("name")).flat_aggregate(top).select(col("name"), col("top")))
"""
    assert note.text(text).splitlines() == [
        "[(31, 2), (41, 2)]",
        "[('Bob', 66), ('Jack', 74), ('Jack', 74), ('Rose', 82)]",
        "[('Bob', 1, 40), ('Jack', 2, 30), ('Rose', 1, 30)]",
        "[('Bob', 40), ('Jack', 20), ('Rose', 30)]",
    ]
    view = note.run("SELECT plus1(41) AS x;", "%flink.ssql")
    assert [o.table.rows for o in view.outputs if o.table] == [[["42"]]]
    assert "st_env, a table or an open file" in note.error(
        "st_env.create_temporary_function('bad', udf(lambda i: st_env, result_type='INT'))"
    )
    assert "Java does not run here" in note.error(
        "st_env.create_java_temporary_function('f', 'com.example.F')"
    )


def test_what_the_facade_lacks_names_itself(note: Note) -> None:
    note.text(TABLE_API)
    assert "is not available here: write a source" in note.error(
        "from pyflink.datastream.connectors.kafka import FlinkKafkaConsumer\nFlinkKafkaConsumer()"
    )
    assert "Table.fly is not available here" in note.error("orders.fly()")
    assert "write & for and" in note.error("orders.where(col('name') == 'a' and True)")
    batch = "TableEnvironment.create(EnvironmentSettings.in_batch_mode())"
    assert note.text(f"print(next({batch}.execute_sql('SELECT 1').collect()))") == "<Row(1)>\n"


OLD_INSERTS = """
st_env.execute_sql(
    "CREATE TEMPORARY TABLE nowhere (n INT, page STRING) WITH ('connector' = 'blackhole')"
)
numbers = st_env.from_elements([(1, "a"), (2, "b")], ["n", "page"])
numbers = numbers.select(numbers.n.cast(DataTypes.INT()).alias("n"), numbers.page)
numbers.insert_into("nowhere")
st_env.sql_update("INSERT INTO nowhere VALUES (3, 'c')")
st_env.execute("old")
"""
STATEMENT_SET = """
both = st_env.create_statement_set()
both.add_insert("nowhere", numbers).add_insert_sql("INSERT INTO nowhere VALUES (1, 'a')")
both.add(numbers.insert_into("nowhere"))
print(both.explain(ExplainDetail.CHANGELOG_MODE).count("Sink("))
job = both.execute().get_job_client()
job.get_job_execution_result().result()
print(job.get_job_status().result().name)
"""


def test_inserts_start_together_or_as_before_flink_1_11(running: TestServer, note: Note) -> None:
    assert "started" in note.text(OLD_INSERTS)
    assert [j.name for j in running.services.jobs.list()].count("old") == 1
    assert "there is nothing to execute" in note.error("st_env.execute('old')")
    lines = note.text(STATEMENT_SET).splitlines()
    assert (lines[0], lines[-1]) == ("3", "FINISHED")
    assert "the statement set is empty" in note.error("st_env.create_statement_set().execute()")


def test_printed_text_may_be_one_of_zeppelins_displays(note: Note) -> None:
    view = note.run("print('before')\nprint('%html <b>x</b>')\nprint('%table a\\tb\\n1\\t2')")
    assert [(o.kind, o.text) for o in view.outputs[:2]] == [
        ("TEXT", "before\n"),
        ("HTML", "<b>x</b>\n"),
    ]
    assert view.outputs[2].table is not None
    assert (view.outputs[2].table.columns, view.outputs[2].table.rows) == (["a", "b"], [["1", "2"]])


def test_the_newest_row_is_shown_by_a_template(note: Note) -> None:
    view = note.run(
        "z.show(st_env.from_elements([(1, '<')], ['n', 's']), stream_type='single', "
        "template='<b>{0}</b> {1}', refreshInterval=100)"
    )
    assert [(o.kind, o.text) for o in view.outputs] == [("HTML", "<b>1</b> &lt;")]
    assert "%html" in note.error("z.angularBind('a', 1)")
    assert "no option colour here" in note.error("z.show('SELECT 1', colour='red')")


def test_awss_own_way_to_cancel_a_stuck_job(running: TestServer, note: Note) -> None:
    code = """
import requests
st_env.execute_sql(
    "CREATE TEMPORARY TABLE gone (n INT, page STRING) WITH ('connector' = 'blackhole')"
)
stuck = st_env.execute_sql("INSERT INTO gone SELECT * FROM clicks").get_job_client()
address = "https://zeppelin-flink:8082/jobs"
jobs = requests.get(address, verify=False).json()["jobs"]
print(stuck.get_job_id() in [job["id"] for job in jobs if job["status"] != "CANCELED"])
print(requests.patch(address + "/" + stuck.get_job_id(), verify=False).status_code)
print(requests.get(address + "/" + stuck.get_job_id()).json()["state"])
print(requests.get(address + "/nosuch").status_code, requests.post(address).json())
"""
    lines = note.text(code).splitlines()
    assert lines[-4:-1] == ["True", "202", "CANCELED"]
    assert lines[-1].startswith("404 {'errors': ['POST /jobs is not available here; there are GET")


FORMS = """
limit = z.input("limit", 5)
kind = z.select("kind", [("b", "Big"), ("s", "Small")], "s")
days = z.checkbox("days", ["mon", "tue", "sun"], ["sun"])
secret = z.password("secret")
zone = z.noteTextbox("zone", "UTC")
print(limit, kind, days, repr(secret), zone)
"""


def test_forms_that_python_makes_keep_their_values(note: Note) -> None:
    paragraph = note.begin(FORMS)
    view = note.until(paragraph, "FINISHED", "ERROR")
    assert view.outputs[-1].text == "5 s ['sun'] '' UTC\n"
    assert view.runs_on_change
    kinds = {form.name: (form.kind, form.default, form.note_wide) for form in view.forms}
    assert kinds == {
        "limit": ("textbox", "5", False),
        "kind": ("select", "s", False),
        "days": ("checkbox", "sun", False),
        "secret": ("password", "", False),
        "zone": ("textbox", "UTC", True),
    }
    assert view.forms[1].options == (("b", "Big"), ("s", "Small"))
    values = {"limit": "7", "kind": "b", "days": ["mon", "tue"], "secret": "x"}
    note.notes.edit(note.id, paragraph, params=values)
    note.notes.fill(note.id, {"zone": "CET"})
    note.notes.run(note.id, paragraph)
    view = note.until(paragraph, "FINISHED", "ERROR")
    assert view.outputs[-1].text == "7 b ['mon', 'tue'] 'x' CET\n"
    exported = json.loads(note.notes.export(note.id))
    (kept,) = [p for p in exported["paragraphs"] if p["id"] == paragraph]
    assert kept["settings"]["forms"]["kind"]["type"] == "Select"
    assert kept["settings"]["params"]["kind"] == "b"
    assert exported["noteForms"]["zone"]["displayName"] == "zone"
    note.notes.edit(note.id, paragraph, text='%flink.pyflink\nz.input("other")')
    note.notes.run(note.id, paragraph)
    view = note.until(paragraph, "FINISHED", "ERROR")
    assert [form.name for form in view.forms] == ["other"]


def test_braces_in_python_are_forms_only_where_its_header_says_so(note: Note) -> None:
    plain = note.run("print('${name=world}')")
    assert (plain.outputs[-1].text, plain.forms) == ("${name=world}\n", [])
    simple = note.run("print('${name=world}')", "%flink.pyflink(form=simple)")
    assert simple.outputs[-1].text == "world\n"
    assert [form.name for form in simple.forms] == ["name"]


def test_pyflinks_names_are_there_without_an_import(note: Note) -> None:
    """As Zeppelin imports them; so public notes are written."""
    functions = """
class Shout(ScalarFunction):
    def eval(self, s):
        return s.upper()

bt_env.register_function("shout", udf(Shout(), DataTypes.STRING(), DataTypes.STRING()))
env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(10 * 1000)
env.get_checkpoint_config().set_checkpointing_mode(CheckpointingMode.EXACTLY_ONCE)
env.get_checkpoint_config().set_min_pause_between_checkpoints(500)
st_env.get_config().get_configuration().set_string("restart-strategy", "fixed-delay")
print(env.get_checkpoint_config().get_checkpointing_mode().name, Tumble.__name__, Row(1))
"""
    printed = note.text(functions)
    assert printed.endswith("EXACTLY_ONCE Tumble <Row(1)>\n")
    assert "CheckpointConfig.set_min_pause_between_checkpoints() has no effect here" in printed
    sql = note.run("SELECT shout(x) FROM (VALUES ('a')) AS t (x)", "%flink.bsql")
    assert sql.status == "FINISHED", sql.outputs
    assert sql.outputs[-1].table is not None
    assert sql.outputs[-1].table.rows == [["A"]]


def test_temporary_views_are_listed_apart_from_the_others(note: Note) -> None:
    code = """
st_env.execute_sql("CREATE VIEW lasting AS SELECT 1 AS n")
st_env.create_temporary_view("passing", st_env.sql_query("SELECT 2 AS n"))
print("lasting" in st_env.list_temporary_views(), "passing" in st_env.list_temporary_views())
print("lasting" in st_env.list_temporary_tables(), "passing" in st_env.list_temporary_tables())
st_env.drop_temporary_view("passing")
st_env.execute_sql("DROP VIEW lasting")
print("passing" in st_env.list_temporary_views())
"""
    assert note.text(code).splitlines()[-3:] == ["False True", "False True", "False"]


def test_statements_leave_no_threads_behind(note: Note) -> None:
    """A note that runs hundreds of statements would end with "can't start new thread"."""
    code = """
import threading
for _ in range(3):
    list(st_env.execute_sql("SELECT 1").collect())
before = threading.active_count()
for _ in range(12):
    list(st_env.execute_sql("SELECT 1").collect())
    st_env.execute_sql("SHOW TABLES").collect()
print(threading.active_count() - before)
"""
    assert int(note.text(code)) < 5


def test_waiting_ends_with_the_time_that_was_given(note: Note) -> None:
    begin = """
st_env.execute_sql(
    "CREATE TEMPORARY TABLE unread (n INT, page STRING) WITH ('connector' = 'blackhole')"
)
result = st_env.execute_sql("INSERT INTO unread SELECT * FROM clicks")
"""
    note.text(begin)
    assert "TimeoutError: the statement is not over after 50 ms" in note.error("result.wait(50)")
    note.text("result.get_job_client().cancel().result()")
    note.text(
        "st_env.execute_sql('INSERT INTO unread VALUES (1, CAST(NULL AS STRING))').wait(30000)"
    )
    code = """
import boto3
boto3.client("kinesis").put_record(StreamName="clicks", Data='{"n": 1}', PartitionKey="k")
query = st_env.execute_sql("SELECT * FROM clicks")
client = query.get_job_client()
rows = query.collect()
print(len(next(rows)), client.get_job_status().result().name)
client.cancel().result()
print(client.get_job_status().result().name, len(list(query.collect())))
"""
    assert note.text(code).splitlines() == ["2 RUNNING", "CANCELED 0"]


def test_functions_import_from_python_files(note: Note, tmp_path: Path) -> None:
    (tmp_path / "prices_of_ours.py").write_text("def gross(x):\n    return x * 2\n")
    code = f"""
st_env.add_python_file({str(tmp_path / "prices_of_ours.py")!r})
@udf(result_type=DataTypes.BIGINT())
def gross(x):
    import prices_of_ours
    return prices_of_ours.gross(x)
numbers = st_env.from_elements([(4,)], ["n"])
print(next(numbers.select(gross(numbers.n)).execute().collect()))
import prices_of_ours
"""
    assert note.text(code) == "<Row(8)>\n"


def test_jars_and_batch_mode_of_the_stream_environment(note: Note) -> None:
    code = """
env = StreamExecutionEnvironment.get_execution_environment()
env.add_jars("file:///flink-sql-connector-kinesis.jar")
env.set_runtime_mode(RuntimeExecutionMode.BATCH)
table_env = StreamTableEnvironment.create(env)
table_env.execute_sql("SELECT 'a' AS k").print()
"""
    printed = note.text(code)
    assert "add_jars() has no effect here: connectors and formats are built in" in printed
    assert "| op |" not in printed
    assert "install the packages" in note.error("st_env.set_python_requirements('r.txt')")
    assert "Hive's dialect" in note.error("st_env.get_config().set_sql_dialect(SqlDialect.HIVE)")


def test_what_pyflink_refuses_in_a_schema_is_named(note: Note) -> None:
    note.text("from pyflink.table.expressions import col")
    code = "st_env.from_elements([(1,)], ['n']).select(col('n').flatten)"
    assert "flatten takes a column that is a ROW; `n` is BIGINT NOT NULL" in note.error(code)
    assert "+ cannot be applied to (BOOLEAN" in note.error(
        "st_env.sql_query('SELECT TRUE AS b').select(col('b') + col('b')).print_schema()"
    )
