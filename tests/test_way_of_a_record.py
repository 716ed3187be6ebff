"""One record's way from PutRecord to an alert, one assertion a layer. Read this first.

A page answers in about a tenth of a second; one visit takes five seconds. That visit is followed
from the HTTP request of an AWS client through the log, the table, the forest and the sink to the
alert, and every layer is asked for it by its own means, on a real server.

What stands where:  eddyline/aws → eddyline/log → eddyline/engine/sources → eddyline/engine/
operators (→ eddyline/anomaly) → eddyline/engine/sinks → eddyline/log; alerts in
eddyline/service/anomalies. ARCHITECTURE.md draws the same road.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from eddyline.log.sequence import sequence_number
from eddyline.testing import server

TABLES = """
CREATE TABLE visits (page STRING, ms DOUBLE)
WITH ('connector' = 'kinesis', 'stream' = 'visits', 'aws.region' = 'us-east-1',
      'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');

CREATE TABLE slow (page STRING, ms DOUBLE, score DOUBLE)
WITH ('connector' = 'kinesis', 'stream' = 'slow', 'aws.region' = 'us-east-1',
      'scan.stream.initpos' = 'TRIM_HORIZON', 'format' = 'json');
"""
JOB = """
INSERT INTO slow
SELECT page, ms, anomaly_score
FROM DETECT_ANOMALIES(input => TABLE visits PARTITION BY page, sub_sample_size => 32)
WHERE anomaly_grade > 0
"""


def test_the_way_of_a_record() -> None:
    with server() as eddyline:
        client, services = eddyline.client(), eddyline.services
        for stream in ("visits", "slow"):
            client.create_stream(StreamName=stream, ShardCount=1)
        eddyline.sql(TABLES)
        services.sessions.submit("app:way", JOB, lambda event: None, job_name="way", detach=True)

        # An ordinary morning, for the forest to learn from.
        for n in range(64):
            put(client, "/home", 100.0 + n % 7)

        # 1. aws: PutRecord is answered with the place of the record, once it is on disk.
        answer = put(client, "/home", 5000.0)
        assert answer["ShardId"] == "shardId-000000000000"

        # 2. log: there it rests, under the sequence number the client was told.
        visits = services.streams.open("visits")
        (shard,) = visits.shards()
        stored = visits.read(shard.index, 64, 10, 1 << 20)
        assert stored.data.to_pylist() == [b'{"page": "/home", "ms": 5000.0}']
        number = sequence_number(shard.index, shard.created_ms, 64)
        assert answer["SequenceNumber"] == str(number)

        # 3. aws again: another client reads the same bytes.
        assert newest(client, "visits")["Data"] == stored.data[0].as_py()

        # 4. sources and formats: as a row of the table it has types.
        rows = eddyline.sql("SELECT page, ms FROM visits WHERE ms > 1000", limit=1)
        assert rows == [{"page": "/home", "ms": 5000.0}]

        # 5. operators and forests: the job has scored it, and it stands out.
        (series,) = until(services.anomalies.series)
        points = until(lambda: of_length(services.anomalies.points(series.series_id), 65))
        assert (series.key, series.columns) == ("/home", ["ms"])
        assert points[-1].values == [5000.0]
        assert [p.values for p in points if p.grade > 0] == [[5000.0]]

        # 6. sinks: its row is in the other stream, once.
        alerts = until(lambda: newest(client, "slow"))
        row = json.loads(alerts["Data"])
        assert (row["page"], row["ms"]) == ("/home", 5000.0)
        assert row["score"] == points[-1].score
        assert services.streams.open("slow").counters().records_total == 1

        # 7. alerts: one, and it says what was unusual.
        (alert,) = until(services.anomalies.alerts)
        assert alert.sentence.startswith("/home: ms is too high: 5,000 where about 10")

        # 8. service: the job's own figures agree.
        figures = until(lambda: figures_of(services.jobs.get("way"), 1))
        assert (figures.rows_in, figures.rows_out) == (65, 1)


def put(client: Any, page: str, ms: float) -> Any:
    """A visit, as an AWS client puts it."""
    data = json.dumps({"page": page, "ms": ms})
    return client.put_record(StreamName="visits", Data=data, PartitionKey=page)


def newest(client: Any, stream: str) -> Any:
    """The newest record of a stream of one shard, as an AWS client gets it."""
    response = client.get_shard_iterator(
        StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )
    records = client.get_records(ShardIterator=response["ShardIterator"])["Records"]
    return records[-1] if records else None


def of_length(records: list[Any], n: int) -> list[Any]:
    """The list once it is that long."""
    return records if len(records) >= n else []


def figures_of(job: Any, rows_out: int) -> Any:
    """A job's figures once they count so many rows out; they are told twice a second."""
    return job.figures if job.figures and job.figures.rows_out >= rows_out else None


def until(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What ``look`` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return value
