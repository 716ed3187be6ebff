"""The Nexmark benchmark's generator and queries, against the answers of Apache Flink."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from nexmark_kit import (
    ANSWERS,
    OPTIONS,
    SIDE_INPUT,
    WITHOUT_ANSWER,
    NexmarkSession,
    digest,
    event_lines,
)

from benchmarks.nexmark_queries import QUERIES

RECORDED: dict[str, Any] = json.loads(ANSWERS.read_text())


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> NexmarkSession:
    return NexmarkSession(tmp_path_factory.mktemp("nexmark"))


@pytest.mark.parametrize("name", RECORDED)
def test_queries_answer_as_flink(name: str, session: NexmarkSession) -> None:
    assert digest(session.run(QUERIES[name])) == RECORDED[name]


def test_all_queries_but_two_are_recorded() -> None:
    assert set(QUERIES) - set(RECORDED) == set(WITHOUT_ANSWER)


def test_each_bid_finds_its_side_input(session: NexmarkSession) -> None:
    bids = [json.loads(line)["bid"] for line in event_lines()]
    keys = {row["key"] for row in SIDE_INPUT}
    matching = sum(1 for bid in bids if bid and bid["auction"] % 10_000 in keys)
    rows = [json.loads(row) for row in session.run(QUERIES["q13"])]
    assert len(rows) == matching
    assert all(row[-1] == f"side-{row[0]}" for row in rows)


def test_the_query_by_the_clock_counts_every_bid(session: NexmarkSession) -> None:
    rows = [json.loads(row) for row in session.run(QUERIES["q12"])]
    assert sum(int(row[1]) for row in rows) == 600 * 46 // 50


def test_proportions_and_hot_ones() -> None:
    events = [json.loads(line) for line in event_lines(20_000, OPTIONS | {"events.num": "20000"})]
    assert Counter(e["event_type"] for e in events) == {0: 400, 1: 1200, 2: 18_400}
    bids = [e["bid"] for e in events if e["bid"]]
    hot = sum(bid["auction"] % 100 == 0 for bid in bids)
    assert 0.48 < hot / len(bids) < 0.54
    sellers = [e["auction"]["seller"] for e in events if e["auction"]]
    assert 0.72 < sum(seller % 100 == 0 for seller in sellers) / len(sellers) < 0.79
    assert 40 < sum(len(bid["extra"]) for bid in bids) / len(bids) + 32 < 65
    channels = Counter(bid["channel"] for bid in bids).most_common(4)
    assert {name for name, _ in channels} == {"Google", "Facebook", "Baidu", "Apple"}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("person.proportion", "5"), ("auction.proportion", "9"), ("bid.proportion", "9"),
        ("bid.hot-ratio.auctions", "1"), ("bid.hot-ratio.bidders", "1"),
        ("auction.hot-ratio.sellers", "1"), ("first-event.rate", "7"),
        ("person.avg-size", "1 kb"), ("auction.avg-size", "1 kb"), ("bid.avg-size", "1 kb"),
    ],
)  # fmt: skip
def test_options_change_the_events(option: str, value: str) -> None:
    assert event_lines(200, OPTIONS | {option: value}) != event_lines(200)
