"""Tables are listed with what they read and who uses them, renamed, dropped and inferred."""

from __future__ import annotations

from pathlib import Path

import pytest

from eddyline.catalog.catalog import Catalog
from eddyline.clock import ManualClock
from eddyline.errors import EddylineError
from eddyline.service.directory import DataDirectory
from eddyline.service.jobs import STOPPED, JobContext, JobStore
from eddyline.service.session import pack
from eddyline.service.tables import Tables, location_of, parts_of

DDL = (
    "CREATE TABLE clicks (page STRING) "
    "WITH ('connector'='kinesis', 'stream'='web', 'format'='json')"
)


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    directory = DataDirectory(tmp_path / "data")
    directory.prepare()
    return directory


@pytest.fixture
def jobs(directory: DataDirectory) -> JobStore:
    return JobStore(directory, ManualClock(0))


@pytest.fixture
def tables(directory: DataDirectory, jobs: JobStore) -> Tables:
    return Tables(Catalog(directory.meta), jobs)


def test_a_created_table_is_listed_with_its_stream(tables: Tables) -> None:
    path = tables.create(DDL)
    [row] = tables.list()
    assert (row.path, row.kind, row.connector, row.location) == (path, "table", "kinesis", "web")
    assert (row.columns, row.jobs) == (1, [])
    assert tables.columns("clicks") == [("page", "STRING")]
    assert "'stream' = 'web'" in tables.definition("default_database.clicks")


def test_a_job_uses_its_tables_until_it_has_ended(
    tables: Tables, jobs: JobStore, directory: DataDirectory
) -> None:
    tables.create(DDL)
    objects = [pack(Catalog(directory.meta).resolve(("clicks",)))]
    context = JobContext("default_database", {}, objects)
    job = jobs.create(name=None, session="s", run_id="r", index=0, sql="INSERT", context=context)
    assert tables.list()[0].jobs == [job]
    jobs.reached(job, STOPPED)
    assert tables.info("clicks").jobs == []


def test_a_table_is_renamed_and_dropped(tables: Tables) -> None:
    tables.create(DDL)
    tables.rename("clicks", "old_clicks")
    assert [row.name for row in tables.list()] == ["old_clicks"]
    tables.drop("old_clicks")
    assert tables.list() == []


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda t: t.list("nosuch"), "not_found"),
        (lambda t: t.drop("nosuch"), "not_found"),
        (lambda t: t.rename("clicks", ""), "invalid_argument"),
        (lambda t: t.rename("clicks", "a.b"), "invalid_argument"),
        (lambda t: t.create("SHOW TABLES"), "invalid_argument"),
        (lambda t: t.create(DDL), "already_exists"),
    ],
)
def test_what_cannot_be_done_is_refused(tables: Tables, call: object, code: str) -> None:
    tables.create(DDL)
    with pytest.raises(EddylineError) as refused:
        call(tables)  # type: ignore[operator]
    assert refused.value.code == code
    assert [row.name for row in tables.list()] == ["clicks"]


def test_names_are_taken_apart() -> None:
    assert parts_of("a") == ("a",)
    assert parts_of("c.d.`x.y`") == ("c", "d", "x.y")
    assert parts_of("`a``b`") == ("a`b",)
    for text in ("", ".", "a.", ".a", "a..b", "`"):
        with pytest.raises(EddylineError):
            parts_of(text)


def test_the_location_is_what_the_connector_reads() -> None:
    arn = "arn:aws:kinesis:us-east-1:000000000000:stream/web"
    assert location_of({"connector": "kinesis", "stream.arn": arn}) == "web"
    assert location_of({"connector": "filesystem", "path": "/data"}) == "/data"
    assert location_of({"connector": "datagen"}) == ""
