"""What a newcomer waits for, and what an idle server costs.

    python -m benchmarks startup

Medians of several starts in fresh directories. Memory is taken twenty seconds after the start, of
all processes, pages of files that several of them use counted once.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.ours import eddyline
from benchmarks.process import cpu_s, memory_mib, tree

RUNS = 5
# The child that compiles forests ahead has ended by then.
SETTLE_S = 10.0
IDLE_S = 10.0


def main() -> None:
    command = str(Path(sys.executable).with_name("eddyline"))
    print(json.dumps({"what": "eddyline --help, s", "median": _timed([command, "--help"])}))
    starts, memory, cpu, processes = [], [], [], 0
    for _ in range(RUNS):
        began = time.perf_counter()
        with eddyline() as server:
            starts.append(time.perf_counter() - began)
            time.sleep(SETTLE_S)
            before, began = cpu_s(server.pid), time.perf_counter()
            time.sleep(IDLE_S)
            cpu.append((cpu_s(server.pid) - before) / (time.perf_counter() - began) * 100)
            memory.append(memory_mib(server.pid))
            processes = len(tree(server.pid))
    print(json.dumps({"what": "eddyline up until both ports answer, s", "median": _mid(starts)}))
    print(json.dumps({"what": "memory of an idle server, MiB", "median": _mid(memory)}))
    print(json.dumps({"what": "its processes", "median": processes}))
    print(json.dumps({"what": "its CPU, percent of a core", "median": _mid(cpu)}))


def _timed(command: list[str]) -> float:
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        taken.append(time.perf_counter() - began)
    return _mid(taken)


def _mid(values: list[float]) -> float:
    return round(statistics.median(values), 2)


if __name__ == "__main__":
    main()
