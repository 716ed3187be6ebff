"""Small things of each request: its time to arrive, its id, the log's answer on the loop."""

from __future__ import annotations

import asyncio
import threading
import uuid
from pathlib import Path

import pytest

from eddyline.aws.put_results import put_results
from eddyline.aws.request_ids import MANY, RequestIds
from eddyline.aws.request_timeout import RequestTimeout
from eddyline.clock import SYSTEM
from tests.aws.local_kit import Local


async def wait_within(timeout: RequestTimeout, seconds: float) -> str:
    try:
        with timeout.limit():
            await asyncio.sleep(seconds)
    except TimeoutError:
        return "late"
    await asyncio.sleep(0.05)  # what comes after it has all the time
    return "in time"


def test_what_takes_too_long_is_given_up_and_nothing_else() -> None:
    async def all_of_them() -> list[str]:
        timeout = RequestTimeout(0.2, SYSTEM)
        first = await asyncio.gather(*(wait_within(timeout, s) for s in (0, 60, 0.01, 60)))
        return [*first, await wait_within(timeout, 60), await wait_within(timeout, 0)]

    outcomes = asyncio.run(all_of_them())
    assert outcomes == ["in time", "late", "in time", "late", "late", "in time"]


def test_who_is_cancelled_meanwhile_is_not_late() -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(wait_within(RequestTimeout(30, SYSTEM), 60))
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_each_request_has_an_id_of_its_own() -> None:
    ids = RequestIds()
    request_ids = [ids.next() for _ in range(2 * MANY + 1)]
    assert len(set(request_ids)) == len(request_ids)
    assert all(str(uuid.UUID(i)) == i for i in request_ids)


def test_results_from_many_threads_all_arrive() -> None:
    async def posted() -> tuple[list[object], BaseException | None]:
        results = put_results()
        assert put_results() is results
        pending = [results.pending() for _ in range(400)]
        gone = results.pending()
        gone.answer.cancel()

        def post(mine: int) -> None:
            for put in pending[mine::4]:
                put.set_result(pending.index(put))  # type: ignore[arg-type]
            gone.set_exception(ValueError())

        threads = [threading.Thread(target=post, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        outcomes: list[object] = [await put.answer for put in pending]
        refused = results.pending()
        refused.set_exception(ValueError("no"))
        error = (await asyncio.gather(refused.answer, return_exceptions=True))[0]
        return outcomes, error if isinstance(error, BaseException) else None

    outcomes, error = asyncio.run(posted())
    assert outcomes == list(range(400))
    assert str(error) == "no"


def test_a_stream_made_anew_elsewhere_gets_the_next_record(tmp_path: Path) -> None:
    kinesis = Local(tmp_path)
    put = {"StreamName": "s", "Data": "eA==", "PartitionKey": "k"}
    kinesis.store.create("s", 1)
    first = kinesis.call("PutRecord", **put)
    other = Local(tmp_path)
    other.store.delete("s")
    for clock in (other.clock, kinesis.clock):
        clock.advance(1)
    other.store.create("s", 1)
    second = kinesis.call("PutRecord", **put)
    assert second["SequenceNumber"] != first["SequenceNumber"]
    assert other.store.open("s").counters().records_total == 1
