"""Runs golden cases inside Flink's own Python environment; JSON in, JSON out.

Stands alone but for ``eddyline/testing/cases.py``, loaded by its path, since Flink's environment
does not hold Eddyline.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

from pyflink.table import EnvironmentSettings, TableEnvironment
from pyflink.version import __version__ as flink_version

SOURCE = Path(__file__).parents[2] / "eddyline" / "testing" / "cases.py"
spec = importlib.util.spec_from_file_location("cases", SOURCE)
cases = importlib.util.module_from_spec(spec)
sys.modules["cases"] = cases
spec.loader.exec_module(cases)

OPTIONS = (
    "'connector'='filesystem','path'='file://{path}','format'='json',"
    "'json.timestamp-format.standard'='ISO-8601','scan.watermark.emit.strategy'='on-event'"
)


def statements(text: str) -> list[str]:
    return [s.strip() for s in text.split(";\n") if s.strip()] if text.strip() else []


def with_options(ddl: str, paths: dict[str, str]) -> str:
    match = re.match(r"CREATE TABLE (\w+)", ddl)
    if not match:
        return ddl
    path = paths.get(match[1], "/nonexistent")
    ddl = re.sub(r"\) PARTITIONED BY \([^)]*\)", ")", ddl)  # folders, to this connector
    return f"{ddl.rstrip().rstrip(';')} WITH ({OPTIONS.format(path=path)})"


def plain(value: object) -> object:
    from pyflink.common import Row

    if isinstance(value, Row):
        return [plain(v) for v in value]
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def run(case: dict) -> dict:
    env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    config = env.get_config()
    config.set("parallelism.default", "1")
    config.set("table.local-time-zone", "UTC")
    try:
        for ddl in statements(case["setup"].strip() + "\n"):
            env.execute_sql(with_options(ddl.rstrip(";"), case["paths"]))
        query = case["query"].strip()
        if case["sink"]:
            env.execute_sql(query).wait()
            query = f"SELECT * FROM {case['sink']}"
        result = env.execute_sql(query)
        columns = result._j_table_result.getResolvedSchema().getColumns()
        types = [columns.get(i).getDataType().toString() for i in range(columns.size())]
        changes = []
        with result.collect() as rows:
            for row in rows:
                kind = ("+I", "-U", "+U", "-D")[row.get_row_kind().value]
                changes.append((kind, [plain(v) for v in row]))
    except Exception as e:  # the reason is the last line of Java's chain of causes
        lines = [s for s in str(e).splitlines() if "Exception" in s and not s.startswith("\tat")]
        return {"error": " | ".join(lines[-2:]) or str(e)[:500]}
    kinds = {k for k, _ in changes}
    return {
        "types": ", ".join(types),
        "changelog": "insert-only" if kinds <= {"+I"} else "updating",
        "rows": cases.fold(changes),
    }


def main() -> None:
    jobs = json.load(sys.stdin)
    out = {job["name"]: run(job) for job in jobs}
    print(json.dumps({"version": flink_version, "cases": out}, ensure_ascii=False))


main()
