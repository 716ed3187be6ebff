"""What ``eddyline job show`` and ``top`` print: operators and shards of a job, rates of all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from eddyline.cli.terminal import moment, table, text
from eddyline.clock import SYSTEM
from eddyline.service.events import JobFigures, OperatorFigures, ShardFigures
from eddyline.service.jobs import JobFailure, JobInfo


def job_facts(info: JobInfo, dead_letters: int) -> list[tuple[str, object]]:
    """A job's figures, name and value."""
    facts: list[tuple[str, object]] = [
        ("job", info.job_id),
        ("name", info.name),
        ("state", info.actual),
        ("should be", info.desired),
        ("since (UTC)", moment(info.created_ms)),
        ("starts", info.incarnation),
        ("restarts", info.restarts),
        ("statement", info.sql),
    ]
    f = info.figures
    if f is not None:
        facts += [
            ("rows in", f.rows_in),
            ("rows out", f.rows_out),
            ("filtered", f.filtered),
            ("late", f.late),
            ("bad records", f.bad_records),
            ("lost before reading", f.lost),
            ("too far ahead", f.held),
            ("watermark (UTC)", None if f.watermark_ms is None else moment(f.watermark_ms)),
            ("records behind", f.behind_records),
            ("behind (ms)", f.behind_ms),
            ("latency (ms)", f.latency_ms),
            ("busy", share(f.busy)),
            ("waiting for its sink", share(f.blocked)),
            ("state", size(f)),
            ("last commit (UTC)", moment(f.checkpoint_at_ms)),
            ("its duration (ms)", f.checkpoint_ms),
        ]
    facts.append(("dead letters", dead_letters))
    facts += [("why", reason) for reason in info.why]
    return facts


def show_job(info: JobInfo, failures: Sequence[JobFailure], dead_letters: int) -> None:
    """Print a job: its figures, operators, shards and failures."""
    facts = job_facts(info, dead_letters)
    facts += [
        ("failure", f"{moment(x.at_ms)} start {x.incarnation}: {x.error.get('message')}")
        for x in failures
    ]
    table(["", ""], [["" if v is None else str(v) for v in fact] for fact in facts])
    f = info.figures
    if f is not None and f.operators:
        sys.stdout.write("\n")
        table(_OPERATOR_NAMES, [operator_cells(o) for o in f.operators])
    if f is not None and f.shards:
        sys.stdout.write("\n")
        table(_SHARD_NAMES, [shard_cells(s) for s in f.shards])


_OPERATOR_NAMES = (
    "operator", "takes from", "rows in", "rows out", "late", "filtered", "bad", "busy (ms)",
    "state rows", "watermark (UTC)",
)  # fmt: skip
_SHARD_NAMES = (
    "source", "shard", "position", "records behind", "behind (ms)", "idle", "watermark (UTC)", "",
)  # fmt: skip


def operator_cells(o: OperatorFigures) -> list[str]:
    """An operator's row."""
    values = (
        o.name, ", ".join(o.inputs) or None, o.rows_in, o.rows_out, o.late, o.filtered,
        o.bad_records, o.busy_ms, o.state_rows, moment(o.watermark_ms),
    )  # fmt: skip
    return [text(v) for v in values]


def shard_cells(s: ShardFigures) -> list[str]:
    """A shard's row."""
    values = (
        s.source, s.shard, s.position, s.behind_records, s.behind_ms, "yes" if s.idle else "no",
        moment(s.watermark_ms), "holds the watermark back" if s.holds_back else "",
    )  # fmt: skip
    return [text(v) for v in values]


class Top:
    """Jobs with what they did since they were looked at last."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, int, int]] = {}

    def rows(self, jobs: Sequence[JobInfo]) -> list[dict[str, Any]]:
        """One row per job that has figures, the busiest first."""
        now, rows = SYSTEM.monotonic(), []
        for job in jobs:
            f = job.figures or JobFigures()
            before = self._seen.get(job.job_id)
            self._seen[job.job_id] = (now, f.rows_in, f.rows_out)
            rates: tuple[float | None, float | None] = (None, None)
            if before is not None and now > before[0]:
                passed = now - before[0]
                rates = (
                    max(0.0, (f.rows_in - before[1]) / passed),
                    max(0.0, (f.rows_out - before[2]) / passed),
                )
            rows.append(
                {
                    "job": job.name or job.job_id,
                    "state": job.actual,
                    "rows_in_per_s": _rounded(rates[0]),
                    "rows_out_per_s": _rounded(rates[1]),
                    "records_behind": f.behind_records,
                    "behind_ms": f.behind_ms,
                    "busy": f.busy,
                    "blocked": f.blocked,
                    "state_rows": f.state_rows,
                    "state_bytes": f.state_bytes,
                    "late": f.late,
                    "bad_records": f.bad_records,
                    "restarts": job.restarts,
                }
            )
        return sorted(rows, key=lambda r: (-float(r["busy"]), str(r["job"])))


TOP_COLUMNS = (
    ("job", lambda r: r["job"]),
    ("state", lambda r: r["state"]),
    ("rows in/s", lambda r: r["rows_in_per_s"]),
    ("rows out/s", lambda r: r["rows_out_per_s"]),
    ("records behind", lambda r: r["records_behind"]),
    ("behind (ms)", lambda r: r["behind_ms"]),
    ("busy", lambda r: share(r["busy"])),
    ("blocked", lambda r: share(r["blocked"])),
    ("state rows", lambda r: r["state_rows"]),
    ("late", lambda r: r["late"]),
    ("bad", lambda r: r["bad_records"]),
    ("restarts", lambda r: r["restarts"]),
)


def share(value: float) -> str:
    """A share of time as a percentage."""
    return f"{100 * value:.1f} %"


def size(f: JobFigures) -> str:
    """The size of a job's state."""
    rows = "no rows" if f.state_rows is None else f"{f.state_rows:,} rows"
    return rows if f.state_bytes is None else f"{rows}, {f.state_bytes / 1024:,.0f} KiB"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
