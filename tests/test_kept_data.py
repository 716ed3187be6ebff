"""Data directories of released versions are opened, and their jobs go on with correct results.

Each directory was written by ``fixtures/make_data_directory.py`` with the version in its name; the
results that the jobs must give were written by that version too.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eddyline.auth.users import Users
from eddyline.aws.kinesis.consumers.lease import Lease
from eddyline.aws.kinesis.queues.store import Queues
from eddyline.aws.service import AwsService
from eddyline.aws.services import definition
from eddyline.catalog.catalog import Catalog
from eddyline.log import LogStore
from eddyline.service.anomalies import Anomalies
from eddyline.service.services import Services
from tests.aws.local_kit import perform
from tests.fixtures import kept_jobs as kept

FIXTURES = Path(__file__).parent / "fixtures"

VERSIONS = ("0.1.0",)
LATER_MS = kept.MADE_MS + 3_600_000
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/"


@pytest.fixture(scope="module", params=VERSIONS)
def extracted(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    with tarfile.open(FIXTURES / f"data_{request.param}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    shutil.copy(FIXTURES / f"data_{request.param}.json", folder / "expected.json")
    return folder


@pytest.fixture
def data(extracted: Path, tmp_path: Path) -> Path:
    target = tmp_path / "data"
    shutil.copytree(extracted / "data", target)
    return target


@pytest.fixture
def streams(data: Path) -> Iterator[LogStore]:
    store = LogStore(data, kept.settings_for(data), kept.MovedClock(LATER_MS))
    yield store
    store.close()


@pytest.fixture
def services(data: Path) -> Iterator[Services]:
    """Nothing runs by itself: jobs and generators are looked at only."""
    opened = Services(kept.settings_for(data))
    opened.start(resume=False)
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def continued(
    extracted: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[kept.Continued]:
    target = tmp_path_factory.mktemp("continued") / "data"
    shutil.copytree(extracted / "data", target)
    with closing(kept.Continued(target)) as opened:
        yield opened


@pytest.mark.parametrize("name", [name for name in kept.QUERIES if name not in kept.EMPTIED])
def test_a_job_goes_on_with_its_state(
    continued: kept.Continued, extracted: Path, name: str
) -> None:
    expected = json.loads((extracted / "expected.json").read_text())
    assert continued.result(name) == expected[name]


EMPTY = "read on from its positions with empty state"


@pytest.mark.parametrize("name", kept.SEMI_JOINS)
def test_a_job_with_another_layout_reads_on_with_empty_state(
    continued: kept.Continued, name: str
) -> None:
    lines = continued.result(name)
    assert any(EMPTY in line for line in lines), lines
    expected = continued.expected_of_emptied(name)
    assert kept.folded(lines) == expected
    assert expected or name == "not_exists"


def test_a_forest_of_an_earlier_detector_reads_on_with_empty_state(
    continued: kept.Continued,
) -> None:
    before = continued.written("scored")
    lines = continued.result("scored")
    assert any(EMPTY in line for line in lines), lines
    rows = continued.written("scored")
    assert len(before) == 12
    assert rows[:12] == before
    windows = [(row["k"], row["v"]) for row in rows[12:]]
    assert sorted(windows) == continued.counts_of_unread()
    assert {row["score"] for row in rows[12:]} == {0.0}  # no key has ten rows


def test_a_scalar_forest_of_an_earlier_detector_reads_on_with_empty_state(
    continued: kept.Continued,
) -> None:
    lines = continued.result("forest_scalar")
    assert any(EMPTY in line for line in lines), lines
    rows = [line[3:-1].split(", ") for line in lines if line.startswith("+I[")]
    unread = continued.unread("orders")
    assert sorted(k for k, _ in rows) == sorted(row["k"] for row in unread)
    scores = [float(score) for _, score in rows]
    assert len(scores) == len(kept.later_rows("orders")) + 1
    assert scores[:10] == [0.0] * 10  # one forest for all rows; its sample is empty, not kept
    assert min(scores[10:]) > 0.0


def test_streams_keep_their_records_and_shards(streams: LogStore) -> None:
    for name in kept.SOURCES:
        assert set(kept.contents(streams, name)) >= set(kept.first_rows(name))
    assert len(streams.open("orders").shards()) == 2
    closed, *children = streams.open("prices").shards()
    assert closed.closed_offset == len(kept.first_rows("prices"))
    assert len(children) == 2
    kept.put(streams, "prices", ['{"k": "new"}'])
    assert '{"k": "new"}' in kept.contents(streams, "prices")


def test_queues_channels_and_consumers_are_there(data: Path, streams: LogStore) -> None:
    settings = kept.settings_for(data)
    kinesis = AwsService(definition("kinesis"), streams, settings)
    context: Any = kinesis.context

    def call(operation: str, **members: Any) -> Any:
        return perform(kinesis, operation, members)

    (queue,) = Queues(context).all()
    received = Queues(context).receive(queue, streams.open("queued"), 100, 30, False)
    assert len({r.data for r in received}) == 19
    assert sorted(r.receives for r in received) == [1] * 15 + [2] * 4
    (channel,) = call("ListChannels")["ChannelSummaries"]
    assert channel["ChannelName"] == "lake"
    consumers = call("ListStreamConsumers", StreamARN=STREAM + "orders")["Consumers"]
    assert [c["ConsumerName"] for c in consumers] == ["reader"]
    assert call("ListTagsForStream", StreamName="orders")["Tags"] == [
        {"Key": "team", "Value": "lab"}
    ]
    assert Lease.take(context, "reader", "orders/0") is not None


def test_users_and_their_keys_are_there(data: Path) -> None:
    users = Users(data)
    assert users.verify("ada", "correct horse battery")
    key_id, secret = (data / "kept_key.txt").read_text().split()
    key = users.key(key_id)
    assert key is not None
    assert (key.user, key.secret) == ("ada", secret)


def test_tables_notes_generators_points_and_jobs_are_there(services: Services) -> None:
    catalog = Catalog(services.directory.meta)
    assert {"orders", "prices", "enriched"} <= set(catalog.list_tables())
    assert set(catalog.list_views()) == {"both_of", "counts", "fired_counts"}
    (note,) = services.notes.list()
    texts = [p.text for p in services.notes.view(note.id).paragraphs]
    assert texts == ["%md\n# Kept", "%flink.ssql\nSELECT k, v FROM orders"]
    generators = {g.name: g.spec for g in services.generators.list()}
    assert {name: spec.target for name, spec in generators.items()} == {
        "clicks": "stream:orders",
        "once": "stream:orders",
    }
    series = Anomalies(services.directory.monitor).series()
    assert {s.key for s in series} >= {"a", "b", "c"}
    jobs = {job.name: job for job in services.jobs.list()}
    assert {n: jobs[n].actual for n in ("was_stopped", "was_failed", "was_finished")} == {
        "was_stopped": "STOPPED",
        "was_failed": "FAILED",
        "was_finished": "FINISHED",
    }
    assert jobs["was_failed"].error == {"code": "sql_runtime", "message": "division by zero"}
    assert jobs["enriched"].desired == "RUNNING"


def test_a_server_lets_out_what_was_committed_and_goes_on(data: Path) -> None:
    """The job was killed between its commit and the delivery of the row of key q."""
    services = Services(kept.settings_for(data))
    services.start(resume=False)
    store = services.jobs._store
    for job in store.list():
        if job.name != "enriched":
            store.desire(job.job_id, "STOPPED")
    services.stop()
    services = Services(kept.settings_for(data))
    services.start()
    try:
        row = '{"k": "new", "v": 7, "ts": "2026-01-01 11:00:50.000"}'
        kept.put(services.streams, "orders", [row])
        kept.until(lambda: '"new"' in kept.contents(services.streams, "enriched")[-1], "the row")
        rows = kept.contents(services.streams, "enriched")
    finally:
        services.stop()
    assert [json.loads(row) for row in rows[-2:]] == [{"k": "q", "v": 10}, {"k": "new", "v": 70}]
