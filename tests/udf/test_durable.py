"""A durable job keeps the Python function that it was submitted with, over kill -9 as well."""

from __future__ import annotations

import os
import queue
import signal
from pathlib import Path
from typing import Any

import pytest

from eddyline.catalog.function import CatalogFunction, FunctionKind, python_version
from eddyline.catalog.table import ObjectPath
from eddyline.errors import EddylineError
from eddyline.log import PutBatch
from eddyline.record.types import BIGINT
from eddyline.service.events import RunFinished
from eddyline.service.services import Services
from eddyline.settings import Settings
from eddyline.testing import server
from tests.process_kit import until

MODULE = """
from pyflink.table.udf import udf

@udf(result_type="BIGINT")
def weighed(x):
    return x * FACTOR
FACTOR = 10
"""
TABLES = """
CREATE TABLE clicks (n BIGINT) WITH ('connector' = 'kinesis', 'stream' = 'clicks',
  'format' = 'json', 'scan.stream.initpos' = 'TRIM_HORIZON');
CREATE TABLE copies (n BIGINT) WITH ('connector' = 'kinesis', 'stream' = 'copies',
  'format' = 'json');
SET 'python.files' = '{folder}';
CREATE TEMPORARY FUNCTION weighed AS 'shop_durable.weighed' LANGUAGE PYTHON;
INSERT INTO copies SELECT weighed(n) FROM clicks;
"""


@pytest.mark.timeout(180)
def test_a_job_resumes_with_its_function_after_kill_9(tmp_path: Path) -> None:
    module = tmp_path / "shop_durable.py"
    module.write_text(MODULE)
    data = tmp_path / "data"
    services = Services(Settings(data_dir=data, map_gib=1, stream_delay_ms=0, worker_threads=1))
    services.start()
    try:
        for name in ("clicks", "copies"):
            services.streams.create(name, 1)
        events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        services.sessions.submit(
            "app:a", TABLES.format(folder=tmp_path), events.put, job_name="weigh", detach=True
        )
        while not isinstance(event := events.get(timeout=60), RunFinished):
            pass
        assert event.status == "FINISHED", event.error_text
        copies = services.streams.open("copies")
        put(services, 1)
        until(lambda: copies.bounds(0)[1] == 1, "the first row", 60)
        module.unlink()
        (worker,) = [s.pid for s in services.sessions.list() if s.name == "app:a"]
        assert worker is not None
        os.kill(worker, signal.SIGKILL)
        put(services, 2)
        until(lambda: copies.bounds(0)[1] == 2, "the row after the kill", 90)
        rows = copies.read(0, 0).data.to_pylist()
        assert rows == [b'{"n":10}', b'{"n":20}']
    finally:
        services.stop()


def put(services: Services, n: int) -> None:
    services.streams.open("clicks").put(PutBatch(["k"], [f'{{"n": {n}}}'.encode()])).result()


def test_a_function_of_another_python_is_refused_by_name() -> None:
    path = ObjectPath("c", "d", "old")
    CatalogFunction(path, FunctionKind.SCALAR, b"", python_version(), BIGINT).require_same_python()
    old = CatalogFunction(path, FunctionKind.SCALAR, b"", "2.7", BIGINT)
    with pytest.raises(EddylineError, match=r"old was defined with Python 2\.7") as caught:
        old.require_same_python()
    assert caught.value.hint is not None
    assert "define it again" in caught.value.hint


ENVIRONMENT = """
import os
from pyflink.table.udf import udf

@udf(result_type="STRING")
def variable(name):
    return os.environ.get(name)
"""


def test_a_functions_aws_clients_reach_the_server(tmp_path: Path) -> None:
    (tmp_path / "shop_environment.py").write_text(ENVIRONMENT)
    with server() as running:
        (row,) = running.sql(
            f"SET 'python.files' = '{tmp_path}';"
            "CREATE TEMPORARY FUNCTION variable AS 'shop_environment.variable' LANGUAGE PYTHON;"
            "SELECT variable('AWS_ENDPOINT_URL') AS url, variable('AWS_DEFAULT_REGION') AS region;"
        )
        assert row == {"url": running.endpoint_url, "region": "us-east-1"}
