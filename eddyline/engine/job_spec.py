"""What a job is started with: its plan, its identity, and what of a saved state it uses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from eddyline.sql.physical import Plan


class StartFrom(StrEnum):
    """What of its saved state a job begins with."""

    STATE = "state"
    POSITIONS = "positions"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What to run and as whom.

    incarnation: grows with every start of the job; an append of an older one is refused.
    directory: where the state rests; None keeps it in memory, and it is lost with the process.
    zone: the session's time zone. idle_timeout_ms: after how long at its tip a shard is idle; None
    for the setting's value, 0 for never. same_statement: the plan was made from the statement that
    wrote the state. start: what of a saved state is used. allow_unclaimed: state that belongs to no
    operator of the plan is dropped, and operators without state begin without it.
    """

    plan: Plan
    job_id: str
    incarnation: int
    directory: Path | None = None
    zone: str = "UTC"
    idle_timeout_ms: int | None = None
    same_statement: bool = False
    start: StartFrom = StartFrom.STATE
    allow_unclaimed: bool = False
