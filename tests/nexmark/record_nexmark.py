"""Write what a real Apache Flink answers to the Nexmark queries over the events of the tests.

Run by ``python -m tests.nexmark.record_nexmark [query …]``; Flink is found as by
``tests/cases/record.py``. The events are written to a file, which Flink reads. Of many rows a
digest is kept.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.nexmark_queries import EVENTS, QUERIES, VIEWS
from tests.cases.record import flink_python
from tests.nexmark.nexmark_kit import (
    ANSWERS,
    SIDE_INPUT,
    WITHOUT_ANSWER,
    digest,
    event_lines,
)

DRIVER = """
import json, sys
from pyflink.table import EnvironmentSettings, TableEnvironment
job = json.load(sys.stdin)
env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
env.get_config().set("parallelism.default", "1")
for text in job["setup"]:
    env.execute_sql(text)
answers = {}
for name, query in job["queries"].items():
    rows, result = {}, env.execute_sql(query)._j_table_result
    printed, changes = result.getRowDataToStringConverter(), result.collectInternal()
    while changes.hasNext():
        row = changes.next()
        values = [None if v.rstrip() == "<NULL>" else v for v in printed.convert(row)]
        text = json.dumps(values, ensure_ascii=False)
        added = row.getRowKind().shortString() in ("+I", "+U")
        if name in job["keyed"]:  # an update comes without the row before it
            rows = {t: n for t, n in rows.items() if json.loads(t)[0] != values[0]}
        rows[text] = rows.get(text, 0) + (1 if added else -1)
    answers[name] = sorted(t for t, times in rows.items() for _ in range(times))
print(json.dumps(answers))
"""


def main() -> int:
    python = flink_python()
    if not python.exists():
        print("no Flink here: set EDDYLINE_FLINK_PYTHON; the answers stay as they are")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        events, side = Path(folder) / "events.json", Path(folder) / "side.json"
        events.write_text("".join(line + "\n" for line in event_lines()))
        side.write_text("".join(json.dumps(row) + "\n" for row in SIDE_INPUT))
        options = "'connector' = 'filesystem', 'format' = 'json', 'path' = 'file://{}'"
        watermark = ", 'scan.watermark.emit.strategy' = 'on-event'"
        side_table = "CREATE TABLE side_input (key BIGINT, `value` VARCHAR)"
        setup = [
            f"{EVENTS} WITH ({options.format(events)}{watermark})",
            f"{side_table} WITH ({options.format(side)})",
            *VIEWS.split(";"),
        ]
        expected = sys.argv[1:] or [name for name in QUERIES if name not in WITHOUT_ANSWER]
        queries = {name: QUERIES[name] for name in expected}
        done = subprocess.run(
            [str(python), "-c", DRIVER],
            input=json.dumps({"setup": setup, "queries": queries, "keyed": ["q9"]}),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        print(done.stderr[-3000:])
        return 1
    given = json.loads(done.stdout.strip().splitlines()[-1])
    answers = json.loads(ANSWERS.read_text()) if ANSWERS.exists() else {}
    answers |= {name: digest(rows) for name, rows in given.items()}
    lines = (f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
