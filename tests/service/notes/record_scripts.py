"""Records what PyFlink itself prints for the scripts of ``table_api.scripts``.

Run it with a Python that has apache-flink 2.3. What Java prints (``print_schema``, ``print``) is
not recorded, so the scripts do not use it. A script is ``### name``, its text, ``--- prints`` and
its lines. ``--again`` records those anew that have lines.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("table_api.scripts")
_SCRIPT = re.compile(r"^### (\w+)\n(.*?)^--- prints\n(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
# What every script begins with; ``source`` is a file of five rows with a row time.
BEGIN = """
import datetime
from decimal import Decimal
from pyflink.common import Row, RowKind, Configuration
from pyflink.table import *
from pyflink.table.expressions import *
from pyflink.table.expression import *
from pyflink.table.udf import *
from pyflink.table.window import *

def show(table):
    rows = sorted(repr(row) for row in table.execute().collect())
    print(table.get_schema().get_field_names(), *rows, sep="\\n  ")
"""
SOURCE = '''
env.execute_sql("""
    CREATE TEMPORARY TABLE source (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
    WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv')""")
batch = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
'''
ROWS = """a,1,2024-01-01 00:00:01
a,2,2024-01-01 00:00:04
b,3,2024-01-01 00:00:08
a,4,2024-01-01 00:00:12
b,5,2024-01-01 00:00:27
"""


def scripts() -> list[tuple[str, str, str]]:
    """Name, text and printed lines of each script."""
    return [(m[1], m[2], m[3]) for m in _SCRIPT.finditer(FILE.read_text())]


def main(folder: Path, *, again: bool) -> None:
    """Run the scripts that have not been recorded, or all ``again``, and write the file anew."""
    (folder / "source.csv").write_text(ROWS)
    names: dict[str, Any] = {}
    exec(BEGIN, names)
    from pyflink.datastream import StreamExecutionEnvironment

    stream = StreamExecutionEnvironment.get_execution_environment()
    names["env"] = names["StreamTableEnvironment"].create(stream)
    names["env"].get_config().set("parallelism.default", "1").set_local_timezone("UTC")
    exec(SOURCE.format(path=folder / "source.csv"), names)
    written, known = [], scripts()
    for name, text, recorded in known:
        if recorded and not again:
            written.append(f"### {name}\n{text}--- prints\n{recorded}")
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(text, dict(names))
        written.append(f"### {name}\n{text}--- prints\n{printed.getvalue()}")
        sys.stderr.write(name + "\n")
        rest = (f"### {n}\n{t}--- prints\n{r}" for n, t, r in known[len(written) :])
        FILE.write_text("".join(written) + "".join(rest))


if __name__ == "__main__":
    main(Path(sys.argv[1]), again="--again" in sys.argv)
