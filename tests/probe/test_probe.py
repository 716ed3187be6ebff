"""The probe: what of Flink SQL 2.3 is accepted, and that its rows are Flink's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest
from probe_kit import (
    ProbeSession,
    answers,
    expressions,
    is_accepted,
    judge,
    judge_expressions,
    read_probes,
    write_files,
)

# Of the constructs and functions that Flink accepts, at least so many are accepted.
CONSTRUCTS_MIN, LISTS_MIN = 240, 240
# So many expressions are asked for in one query.
AT_ONCE = 25


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProbeSession:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    write_files(tmp_path)
    session = ProbeSession(tmp_path / "data")
    session.session.streams.create("probe", 1)
    for statement in read_probes(tmp_path)[0]:
        assert session.ask(statement).error is None
    return session


def check(good: int, at_least: int, faults: Iterable[str]) -> None:
    """No wrong row, no internal error, and not more refused than before."""
    message = "\n".join(faults)
    assert not re.search(r": (wrong|broken): ", message), message
    assert good >= at_least, message


def test_constructs(session: ProbeSession, tmp_path: Path) -> None:
    recorded = answers()
    good, faults = 0, []
    for probe in read_probes(tmp_path)[1]:
        if not probe.items:
            fault = judge(session, probe, recorded.get(probe.key))
            faults += [f"{probe.key}: {fault}"] if fault else []
            good += not fault and is_accepted(probe, recorded.get(probe.key))
    check(good, CONSTRUCTS_MIN, faults)


def test_functions_and_casts(session: ProbeSession, tmp_path: Path) -> None:
    probes = [p for p in read_probes(tmp_path)[1] if p.items]
    faults: dict[str, str] = {}
    ordered = sorted(expressions(probes, answers()), key=lambda e: e.kind)
    for _, same_kind in groupby(ordered, key=lambda e: e.kind):
        group = list(same_kind)
        for at in range(0, len(group), AT_ONCE):
            for probe, fault in judge_expressions(session, group[at : at + AT_ONCE]):
                faults[probe.key] = f"{probe.key}: {fault}"
    check(len(probes) - len(faults), LISTS_MIN, faults.values())
