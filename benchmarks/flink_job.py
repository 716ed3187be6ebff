"""The reference window job inside Flink's own Python environment, run a few times in one process.

    python flink_job.py DATA.json ROWS RUNS

Prints one JSON line a run. Stands alone, since Flink's environment does not hold Eddyline. The
first run is cold; the later ones are what a long job would see. CPU is the whole process tree's.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from pyflink.table import EnvironmentSettings, TableEnvironment
from pyflink.version import __version__ as version

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.process import cpu_s, memory_mib

SOURCE = """
CREATE TABLE t (sensor_id INT, current_temperature INT, status STRING, event_time TIMESTAMP(3),
  WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND)
WITH ('connector'='filesystem', 'path'='file://{path}', 'format'='json',
  'json.timestamp-format.standard'='ISO-8601')"""
SINK = """
CREATE TABLE o (window_start TIMESTAMP(3), window_end TIMESTAMP(3), sensor_id INT, n BIGINT,
  avg_temp INT) WITH ('connector'='blackhole')"""
INSERT = """
INSERT INTO o SELECT window_start, window_end, sensor_id, COUNT(*), AVG(current_temperature)
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(event_time), INTERVAL '10' SECOND))
WHERE status = 'FAIL' GROUP BY window_start, window_end, sensor_id"""


def main() -> None:
    path, rows, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    table = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    table.get_config().set("parallelism.default", "1")
    table.execute_sql(SOURCE.format(path=path))
    table.execute_sql(SINK)
    for run in range(runs):
        cpu, began = cpu_s(os.getpid()), time.perf_counter()
        table.execute_sql(INSERT).wait()
        wall, cpu = time.perf_counter() - began, cpu_s(os.getpid()) - cpu
        options = {
            "what": f"Apache Flink {version}, " + ("cold" if run == 0 else "warm"),
            "rows": rows,
            "wall_s": round(wall, 3),
            "cpu_s": round(cpu, 3),
            "rows_per_s": round(rows / wall),
            "rows_per_cpu_s": round(rows / cpu),
            "memory_mib": round(memory_mib(os.getpid())),
        }
        print(json.dumps(options), flush=True)


main()
