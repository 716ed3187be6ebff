"""Every golden case, run in every way that must not change its result."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eddyline.errors import EddylineError
from eddyline.record.formats import kernel
from eddyline.testing.casebook import CaseLayout, run
from eddyline.testing.cases import Case, discover, fold, same

CASES = discover(Path(__file__).parent / "cases")
ANSWERED = [c for c in CASES if c.fail is None]
# Queries whose rows may be taken back, but never are with the rows of the case.
NEVER_CHANGED = {
    "join_left", "join_right", "intersect", "not_in_query_number", "not_exists_query",
    "in_groups", "not_in_correlated", "quantified_any",
}  # fmt: skip
_TIME = re.compile(r'"(\d{4}-\d{2}-\d{2}[T ][^"]*)"')
_WINDOWED = re.compile(r"TUMBLE|HOP|CUMULATE|SESSION|INTERVAL '[^']+' SECOND( AND|$)", re.M)

# Where the order of arrival decides or a table must be files; where rows go in order of time.
_ARRIVAL = re.compile(r"ORDER BY pt\b|FOR SYSTEM_TIME|COLLECT\(|ARRAY_AGG\(")
_BY_TIME = re.compile(r"ORDER BY (ts|window_time)\b")


# Flink leaves the mark of a row time on times computed from it, where it means nothing.
MARKED_BEYOND_MEANING = {"temporal"}


def by_name(case: Case) -> str:
    return case.name


def check(case: Case, layout: CaseLayout, tmp_path: Path) -> None:
    outcome = run(case, layout, tmp_path)
    assert case.types is not None
    marked = case.name in MARKED_BEYOND_MEANING
    assert outcome.types == (case.types.replace(" *ROWTIME*", "") if marked else case.types)
    if outcome.insert_only:
        assert case.changelog == "insert-only"
        assert {kind for kind, _ in outcome.changes} <= {"+I"}
    else:  # what could have changed did not: the rows of the case gave no cause
        assert case.changelog == "updating" or case.name in NEVER_CHANGED
    got = fold(outcome.changes)
    assert same(got, case.expect), f"{layout}:\n" + "\n".join(
        [f"  want {row}" for row in case.expect if row not in got]
        + [f"  got  {row}" for row in got if row not in case.expect]
    )


def test_there_are_cases() -> None:
    assert len(ANSWERED) >= 40
    assert all(c.recorded or c.derived for c in CASES), "a case must say where its rows come from"


@pytest.mark.parametrize("case", ANSWERED, ids=by_name)
def test_straight_by_statements(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As large batches run; the other ways of running take the ways of small batches."""
    monkeypatch.setattr(kernel, "FEW_ROWS", 0)
    check(case, CaseLayout(), tmp_path)


@pytest.mark.parametrize("case", ANSWERED, ids=by_name)
def test_one_row_a_batch(case: Case, tmp_path: Path) -> None:
    check(case, CaseLayout(batch_rows=1), tmp_path)


@pytest.mark.parametrize("case", [c for c in ANSWERED if c.tables()], ids=by_name)
def test_killed_and_taken_up_again(case: Case, tmp_path: Path) -> None:
    check(case, CaseLayout(batch_rows=3, restart=True), tmp_path)


def in_any_order(case: Case) -> bool:
    """Whether the result is the same when shards mix the rows: where there are windows or joins
    in time, a row that comes late in one order is not late in another."""
    if case.name == "aggregate_types" or not case.tables():  # LISTAGG shows the order
        return False
    text = case.setup + case.query
    if _ARRIVAL.search(text):
        return False
    if not _WINDOWED.search(text) and not _BY_TIME.search(text):
        return True
    times = [_TIME.findall("\n".join(case.rows(table))) for table in case.tables()]
    return all(ordered == sorted(ordered) for ordered in times)


def test_some_cases_run_over_shards_with_windows() -> None:
    windowed = [c for c in ANSWERED if in_any_order(c) and _WINDOWED.search(c.setup + c.query)]
    assert len(windowed) >= 5


@pytest.mark.parametrize("case", [c for c in ANSWERED if in_any_order(c)], ids=by_name)
def test_over_three_shards(case: Case, tmp_path: Path) -> None:
    check(case, CaseLayout(shards=3), tmp_path)


@pytest.mark.parametrize("case", [c for c in ANSWERED if in_any_order(c)], ids=by_name)
def test_over_two_shards_without_plain_rows(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As batches of some hundred rows run; fewer are plain Python values."""
    monkeypatch.setattr(kernel, "PLAIN_ROWS", 0)
    check(case, CaseLayout(shards=2), tmp_path)


@pytest.mark.parametrize("case", [c for c in CASES if c.fail], ids=by_name)
def test_refused_with_its_sentence(case: Case, tmp_path: Path) -> None:
    assert case.fail is not None
    with pytest.raises(EddylineError) as refused:
        run(case, CaseLayout(), tmp_path)
    assert case.fail in refused.value.message
