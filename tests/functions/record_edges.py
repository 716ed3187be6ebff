"""Write the types and values of the recorded calls of functions from a real Apache Flink.

    python tests/functions/record_edges.py [AREA …]

A new call is a line ``["NAME", "CALL"]`` in a file of ``eddyline/functions/edges``. Flink lives in
a Python environment of its own (see ``tests/cases/record.py``); without it nothing is changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from eddyline.functions.edges import FOLDER
from tests.cases.record import DEFAULT
from tests.functions.functions_kit import COLUMNS

DRIVER = Path(__file__).parent / "flink_edges.py"


def main() -> int:
    python = Path(os.environ.get("EDDYLINE_FLINK_PYTHON", DEFAULT))
    if not python.exists():
        print("no Flink here: set EDDYLINE_FLINK_PYTHON; the recorded calls stay as they are")
        return 0
    paths = [p for p in sorted(FOLDER.glob("*.jsonl")) if p.stem in (sys.argv[1:] or [p.stem])]
    for path in paths:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(_text(line) for line in _recorded(python, lines)))
        print(f"{path.stem}: {len(lines)} calls")
    return 0


def _recorded(python: Path, lines: list[list[str]]) -> list[list[str]]:
    calls = [[line[4] if len(line) > 4 else "UTC", line[1]] for line in lines]
    columns = [[name, str(kind), value] for name, (kind, _, value) in COLUMNS.items()]
    done = subprocess.run(
        [str(python), str(DRIVER)],
        input=json.dumps({"columns": columns, "calls": calls}),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout.strip().splitlines()[-1])
    out = []
    for line, (zone, _), answer in zip(lines, calls, answers, strict=True):
        rest = [zone] if zone != "UTC" else []
        out.append(
            [line[0], line[1], *answer, *([None] * (2 - len(answer)) if rest else []), *rest]
        )
    return out


def _text(line: list[str]) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
