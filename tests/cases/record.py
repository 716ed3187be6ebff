"""Write the expected rows of every golden case from a real Apache Flink.

Flink lives in a Python environment of its own (``pip install apache-flink==2.3.0``, Java 17);
name its interpreter in EDDYLINE_FLINK_PYTHON. Each table becomes a filesystem table of one JSON
file, parallelism 1, a watermark after every row. Without Flink this says so and changes nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from eddyline.testing.cases import Case, discover

HERE = Path(__file__).parent
DEFAULT = Path.home() / ".cache" / "eddyline-flink" / "venv" / "bin" / "python"


def flink_python() -> Path:
    """The interpreter of Flink's environment; it may not be there."""
    return Path(os.environ.get("EDDYLINE_FLINK_PYTHON", DEFAULT))


def main() -> int:
    python = flink_python()
    if not python.exists():
        print("no Flink here: set EDDYLINE_FLINK_PYTHON; the golden files stay as they are")
        return 0
    expected = sys.argv[1:]
    cases = [c for c in discover(HERE) if not c.derived and (not expected or c.name in expected)]
    with tempfile.TemporaryDirectory() as folder:
        job = [_job(c, Path(folder)) for c in cases]
        done = subprocess.run(
            [str(python), str(HERE / "flink_driver.py")],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        print(done.stderr[-3000:])
        return 1
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    for case in cases:
        _write(case, answer["cases"][case.name], answer["version"])
    return 0


def _job(case: Case, folder: Path) -> dict[str, object]:
    paths = {}
    for table in case.tables():
        path = folder / case.name / f"{table}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(line + "\n" for line in case.rows(table)))
        paths[table] = str(path)
    if case.sink is not None:
        paths[case.sink] = str(folder / case.name / "sink")
    texts = {"name": case.name, "setup": case.setup, "query": case.query}
    return {**texts, "sink": case.sink, "paths": paths}


def _write(case: Case, got: dict[str, object], version: str) -> None:
    if "error" in got:
        print(f"{case.name}: Flink refuses: {got['error']}")
        return
    before = case.text()
    case.recorded = f"Apache Flink {version}"
    case.types = str(got["types"])
    case.changelog = str(got["changelog"])
    case.expect = list(got["rows"])  # type: ignore[call-overload]
    case.path.write_text(case.text())
    print(f"{case.name}: {len(case.expect)} rows" + ("" if before == case.text() else " (changed)"))


if __name__ == "__main__":
    sys.exit(main())
