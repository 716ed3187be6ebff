"""The Nexmark queries inside Flink's own Python environment: reads what to run as JSON.

Prints one JSON line a query, with the CPU seconds of each of its runs. Stands alone, since Flink's
environment does not hold Eddyline.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pyflink.table import EnvironmentSettings, TableEnvironment

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.process import cpu_s

OPTIONS = {
    "parallelism.default": "1",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "2 s",
    "table.exec.mini-batch.size": "5000",
}


def main() -> None:
    job = json.load(sys.stdin)
    table = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for key, value in OPTIONS.items():
        table.get_config().set(key, value)
    for text in job["setup"]:
        table.execute_sql(text)
    for name, query in job["queries"].items():
        table.execute_sql(f"CREATE TEMPORARY VIEW v_{name} AS {query}")
        # The cold run also makes the table.
        sink = f"CREATE TABLE out_{name} WITH ('connector' = 'blackhole')"
        table.execute_sql(f"{sink} AS SELECT * FROM v_{name}").wait()
        seconds = []
        for _ in range(job["runs"] - 1):
            began = cpu_s(os.getpid())
            table.execute_sql(f"INSERT INTO out_{name} SELECT * FROM v_{name}").wait()
            seconds.append(round(cpu_s(os.getpid()) - began, 3))
        print(json.dumps({"query": name, "cpu_s": seconds}), flush=True)


main()
