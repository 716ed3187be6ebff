"""Reading begins at sequence numbers: of a stream whose shards were split, here and elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from statement_kit import Sql
from test_remote_streams import table

from eddyline.engine.sources.start_numbers import ancestors
from eddyline.errors import EddylineError
from eddyline.log import Stream
from eddyline.log.sequence import sequence_number
from eddyline.testing import server

NUMBERS = "scan.stream.initpos-sequence-numbers"


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    kit = Sql(tmp_path)
    yield kit
    kit.close()


def number(stream: Stream, shard: int, offset: int) -> str:
    created_ms = stream.shards()[shard].created_ms
    return f"shardId-{shard:012d}:{sequence_number(shard, created_ms, offset)}"


def split_stream(sql: Sql) -> Stream:
    """Three records in the first shard, then six more over its two children."""
    sql.table("s", "n INT", [{"n": n} for n in range(3)])
    stream = sql.store.open("s")
    stream.split(0)
    sql.put("s", [{"n": n} for n in range(3, 9)])
    return stream


def rows_from(sql: Sql, numbers: str, records: int = 1) -> set[int]:
    hint = f"OPTIONS('scan.stream.initpos' = 'AT_SEQUENCE_NUMBER', '{NUMBERS}' = '{numbers}')"
    rows = sql.rows(f"SELECT n FROM s /*+ {hint} */", records=records)
    return {row[0] for row in rows}


def test_a_shard_that_a_named_one_came_from_is_passed_over(sql: Sql) -> None:
    stream = split_stream(sql)
    lower = {int(bytes(r)[5:-1]) for r in stream.read(1, 0, 99).data.to_pylist()}
    upper = set(range(3, 9)) - lower
    assert rows_from(sql, number(stream, 1, 1), 5) == upper | set(sorted(lower)[1:])


def test_a_shard_without_a_number_is_read_from_its_oldest_record(sql: Sql) -> None:
    stream = split_stream(sql)
    assert rows_from(sql, number(stream, 0, 2), 7) == set(range(2, 9))


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ("shardId-000000000007:4950", "has no shardId-000000000007"),
        ("shardId-000000000000:4950", "is not a sequence number"),
        ("4950", f"'{NUMBERS}'"),
    ],
)
def test_what_is_no_place_in_the_stream_is_refused(sql: Sql, numbers: str, words: str) -> None:
    split_stream(sql)
    with pytest.raises(EddylineError, match=words):
        rows_from(sql, numbers)


def test_numbers_are_needed(sql: Sql) -> None:
    sql.table("s", "n INT", [], **{"scan.stream.initpos": "AT_SEQUENCE_NUMBER"})  # type: ignore[arg-type]
    with pytest.raises(EddylineError, match=f"needs the option '{NUMBERS}'"):
        sql.rows("SELECT n FROM s", records=1)


def test_another_endpoint_begins_at_its_numbers(sql: Sql) -> None:
    with server() as far:
        table(sql, far, "t")
        client = far.client()
        answers = [
            client.put_record(StreamName="t", Data=b'{"a": %d}' % n, PartitionKey="k")
            for n in range(4)
        ]
        last = answers[2]
        sql.execute(
            f"CREATE TEMPORARY VIEW part AS SELECT a FROM t /*+ OPTIONS('scan.stream.initpos' = "
            f"'AT_SEQUENCE_NUMBER', '{NUMBERS}' = '{last['ShardId']}:{last['SequenceNumber']}') */"
        )
        assert {row[0] for row in sql.rows("SELECT a FROM part", records=2)} == {2, 3}


def test_ancestors_of_merged_and_split_shards() -> None:
    parents: dict[int, tuple[int, ...]] = {0: (), 1: (), 2: (0, 1), 3: (2,), 4: (2,)}
    assert ancestors([4], parents) == {0, 1, 2}
    assert ancestors([0, 1], parents) == set()
