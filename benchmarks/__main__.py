"""Runs what is measured, one part after the other, and writes BENCHMARKS.md.

    python -m benchmarks [part ...]        (make bench)

Each part is a module whose ``main`` prints one JSON object per line; it runs in a process of its
own. What a part printed last is kept in ``benchmarks/results``, so that one part can be measured
anew alone; a ``note`` written there by hand stands on the page until then.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent
LONG = 60
PARTS = {
    "kinesis": "The AWS endpoint",
    "routing": "The AWS endpoint: finding a service",
    "depth": "A hundred million records",
    "log": "The log, in process",
    "engine": "The engine",
    "nexmark": "The engine: Nexmark beside Flink",
    "state": "Operators over large state",
    "live": "Jobs on slow streams",
    "cliffs": "Where a job's cost could jump",
    "latency": "From a record to its row",
    "generator": "The generator",
    "forest": "Random cut forests",
    "faults": "Detection: faults of clickstreams",
    "quiet": "Detection: ordinary input",
    "nab": "Detection: NAB",
    "studio": "The studio, and Python in notes",
    "startup": "Starting, and doing nothing",
}


def main() -> None:
    expected = sys.argv[1:] or list(PARTS)
    unknown = [p for p in expected if p not in PARTS]
    if unknown:
        sys.exit(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    for part in expected:
        print(f"measuring {part} ...", file=sys.stderr, flush=True)
        measure(part)
    (HOME.parent / "BENCHMARKS.md").write_text(page())


def measure(part: str) -> None:
    """Run one part and keep what it printed."""
    began = time.time()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{part}"],
        cwd=HOME.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    kept = {"at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(began)), "rows": rows}
    (HOME / "results").mkdir(exist_ok=True)
    (HOME / "results" / f"{part}.json").write_text(json.dumps(kept, indent=1) + "\n")


def page() -> str:
    """BENCHMARKS.md, from what is kept."""
    parts = [
        "# Benchmarks\n",
        "Written by `make bench`; one part alone: `make bench ARGS=kinesis`. Figures are medians "
        "of several runs, peers are measured in the same run, CPU is the whole process tree's. "
        "The machine is shared: ratios say more than single figures.\n",
        f"Machine: {os.cpu_count()} cores ({_processor()}), Linux {platform.release()}, "
        f"Python {platform.python_version()}.\n",
    ]
    for part, title in PARTS.items():
        kept = HOME / "results" / f"{part}.json"
        if kept.exists():
            parsed = json.loads(kept.read_text())
            parts.append(f"## {title}\n")
            parts.append(f"`make bench ARGS={part}`, {parsed['at']}. {_about(part)}\n")
            parts += [parsed["note"] + "\n"] if "note" in parsed else []
            parts += tables(parsed["rows"])
    return "\n".join(parts)


def _about(part: str) -> str:
    """The module's own words, its first paragraph and what follows the command."""
    import ast

    text = ast.get_docstring(ast.parse((HOME / f"{part}.py").read_text())) or ""
    blocks = [b for b in text.split("\n\n") if not b.startswith("    ")]
    return " ".join(" ".join(b.split()) for b in blocks)


def tables(rows: list[dict[str, Any]]) -> list[str]:
    """Rows of the same columns share a table; nested figures become columns."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in map(_flat, rows):
        groups.setdefault(tuple(row), []).append(row)
    merged: list[list[dict[str, Any]]] = []
    for columns, members in groups.items():
        for group in merged:  # a peer that lacks some figures joins the table that has them
            if set(columns) < set(group[0]):
                group += members
                break
        else:
            merged.append(list(members))
    return [_table(group) for group in merged]


def _table(rows: list[dict[str, Any]]) -> str:
    columns = list(rows[0])
    turned = len(columns) > 7
    if turned:  # many figures of few things: figures go down, things go across
        head, things = columns[0], [str(r[columns[0]]) for r in rows]
        lines = ["| " + " | ".join([head, *things]) + " |", "|---|" + "---:|" * len(things)]
        for c in columns[1:]:
            lines.append("| " + " | ".join([c, *(_shown(r.get(c)) for r in rows)]) + " |")
    else:
        lines = ["| " + " | ".join(columns) + " |", "|---|" + "---:|" * (len(columns) - 1)]
        lines += ["| " + " | ".join(_shown(r.get(c)) for c in columns) + " |" for r in rows]
    text = "\n".join(lines) + "\n"
    if len(rows) > LONG:  # folded, so that the page can be read
        return f"<details><summary>{len(rows)} rows</summary>\n\n{text}\n</details>\n"
    return text


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in row.items():
        if key == "cannot":
            continue
        if isinstance(value, dict):
            out.update({f"{key} {k}": v for k, v in value.items()})
        elif value is not None:
            out[key] = value
    return out


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float) and abs(value) < 100:
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
