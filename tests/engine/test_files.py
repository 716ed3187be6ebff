"""The filesystem connector: formats of files, partitions, metadata, buckets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from engine_kit import run
from statement_kit import Sql

from eddyline.errors import EddylineError
from eddyline.sql import statement as st
from eddyline.sql.options import SessionConfig
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner

ROWS = (
    "(VALUES (1, 'x', 2, TIMESTAMP '2026-01-01 00:00:00.5'), (2, 'y z/%:', 3, "
    "TIMESTAMP '2026-01-01 00:00:00'), (3, CAST(NULL AS STRING), 4, CAST(NULL AS TIMESTAMP(3))), "
    "(4, '', 5, TIMESTAMP '2026-01-01 00:00:00')) AS v(a, p, q, ts)"
)
# As Flink 2.3.0 wrote and read them: NULL and the empty text are the default partition.
READ = [
    (1, "x", 2, "2026-01-01 00:00:00.500000"),
    (2, "y z/%:", 3, "2026-01-01 00:00:00"),
    (3, None, 4, None),
    (4, None, 5, "2026-01-01 00:00:00"),
]
TYPES = (
    "a TINYINT, b DECIMAL(10, 2), c STRING, d DATE, e TIME, t TIMESTAMP(3), l TIMESTAMP_LTZ(3), "
    "r ARRAY<INT>, m MAP<STRING, INT>, w ROW<x INT, y STRING>, z BYTES, f DOUBLE, o BOOLEAN"
)
VALUES = (
    "(CAST(1 AS TINYINT), 1.25, 'x', DATE '2026-01-02', TIME '01:02:03', "
    "TIMESTAMP '2026-01-01 00:00:00.5', TO_TIMESTAMP_LTZ(1, 3), ARRAY[1, 2], MAP['a', 1], "
    "ROW(1, 'q'), x'4142', CAST(0.1 AS DOUBLE), TRUE)"
)
ALL = 10**9
FORMATS = ["json", "csv", "parquet", pytest.param("avro", id="avro")]


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    kit = Sql(tmp_path_factory.mktemp("files"))
    yield kit
    kit.close()


def table(sql: Sql, name: str, columns: str, path: object, form: str, **more: str) -> None:
    by = more.pop("by", "")
    options = {"connector": "filesystem", "path": str(path), "format": form, **more}
    written = ", ".join(f"'{k}' = '{v}'" for k, v in options.items())
    sql.execute(f"CREATE TABLE {name} ({columns}) {by} WITH ({written})")


@pytest.mark.parametrize("form", FORMATS)
def test_partitions_are_written_and_read(form: str, sql: Sql, tmp_path: Path) -> None:
    if form == "avro":
        pytest.importorskip("fastavro")
    columns = "a INT, p STRING, q INT, ts TIMESTAMP(3)"
    policy = {"sink.partition-commit.policy.kind": "success-file"}
    table(sql, f"p_{form}", columns, tmp_path, form, by="PARTITIONED BY (p, q)", **policy)
    sql.run(f"INSERT INTO p_{form} SELECT * FROM {ROWS}", records=ALL)
    assert sorted(sql.rows(f"SELECT * FROM p_{form}", records=ALL)) == READ
    assert sql.rows(f"SELECT a FROM p_{form} WHERE q = 3", records=ALL) == [(2,)]
    folder = tmp_path / "p=y z%2F%25%3A" / "q=3"
    (part,) = folder.glob("part-*")
    assert (folder / "_SUCCESS").exists()
    if form == "json":
        assert part.read_text() == '{"a":2,"ts":"2026-01-01 00:00:00"}\n'


@pytest.mark.parametrize("form", ["json", "parquet", "avro"])
def test_values_of_all_types_come_back(form: str, sql: Sql, tmp_path: Path) -> None:
    if form == "avro":
        pytest.importorskip("fastavro")
    table(sql, f"t_{form}", TYPES, tmp_path, form)
    sql.run(f"INSERT INTO t_{form} VALUES {VALUES}", records=ALL)
    (row,) = sql.rows(f"SELECT * FROM t_{form}", records=ALL)
    assert [str(v) for v in row] == [
        "1", "1.25", "x", "2026-01-02", "01:02:03", "2026-01-01 00:00:00.500000",
        "1970-01-01 00:00:00.001000", "[1, 2]", "[('a', 1)]", "{'x': 1, 'y': 'q'}", "b'AB'",
        "0.1", "True",
    ]  # fmt: skip


def test_a_bulk_file_may_have_fewer_columns_but_no_other_types(sql: Sql, tmp_path: Path) -> None:
    table(sql, "narrow", "a INT", tmp_path, "parquet")
    sql.run("INSERT INTO narrow VALUES (1), (2)", records=ALL)
    table(sql, "wide", "b STRING, a BIGINT", tmp_path, "parquet")
    assert sql.rows("SELECT * FROM wide", records=ALL) == [(None, 1), (None, 2)]
    table(sql, "other", "a ARRAY<INT>", tmp_path, "parquet")
    with pytest.raises(EddylineError, match="column a of the file is int32"):
        sql.rows("SELECT * FROM other", records=ALL)


def test_a_file_that_is_not_of_the_format_is_named(sql: Sql, tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_text("no such thing")
    table(sql, "broken", "a INT", tmp_path, "parquet")
    with pytest.raises(EddylineError, match=r"broken\.parquet cannot be read: it is not a Parquet"):
        sql.rows("SELECT * FROM broken", records=ALL)


def test_a_file_outside_the_partitions_is_refused(sql: Sql, tmp_path: Path) -> None:
    (tmp_path / "stray").write_text('{"a":1}\n')
    table(sql, "stray", "a INT, p STRING", tmp_path, "json", by="PARTITIONED BY (p)")
    with pytest.raises(EddylineError, match="is in no partition"):
        sql.rows("SELECT * FROM stray", records=ALL)
    (tmp_path / "stray").unlink()
    (tmp_path / "n=x").mkdir()
    (tmp_path / "n=x" / "f").write_text('{"a":1}\n')
    table(sql, "stray_n", "a INT, n INT", tmp_path, "json", by="PARTITIONED BY (n)")
    with pytest.raises(EddylineError, match="the partition n=x is no INT"):
        sql.rows("SELECT * FROM stray_n", records=ALL)


def test_metadata_of_files(sql: Sql, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"a":1}\nbroken\n{"a":3}\n')
    keys = {"n": "STRING|file.name", "s": "BIGINT|file.size", "p": "STRING|file.path",
            "m": "TIMESTAMP_LTZ(3)|file.modification-time"}  # fmt: skip
    columns = "a INT" + "".join(
        f", {c} {k.split('|')[0]} METADATA FROM '{k.split('|')[1]}' VIRTUAL"
        for c, k in keys.items()
    )
    table(sql, "meta", columns, tmp_path, "json", **{"bad-records": "dead-letter"})
    rows = sql.rows("SELECT a, n, s, p, m > TIMESTAMP '2020-01-01 00:00:00' FROM meta", records=ALL)
    rest = ("one.json", 23, str(tmp_path / "one.json"), True)
    assert rows == [(1, *rest), (3, *rest)]


def test_avro_records_of_a_stream(sql: Sql) -> None:
    pytest.importorskip("fastavro")
    sql.table("avro_stream", "a INT, b STRING", [], format="avro")
    sql.run("INSERT INTO avro_stream VALUES (1, 'x'), (2, CAST(NULL AS STRING))", records=ALL)
    rows = sql.rows("SELECT * FROM avro_stream", records=2)
    assert sorted(rows) == [(1, "x"), (2, None)]
    sql.table("not_avro", "a INT", [b"\xff\xff\xff\xff\xff\xff"], format="avro")
    with pytest.raises(EddylineError, match="not Avro in the table's schema"):
        sql.rows("SELECT * FROM not_avro", records=1)


class Bucket(BaseHTTPRequestHandler):
    """What the connector needs of S3, over real HTTP."""

    objects: dict[str, bytes]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "aws-chunked":
            body = _unchunked(body)
        self.objects[unquote(urlsplit(self.path).path)] = body
        self._answer(b"")

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if "list-type" not in parts.query:
            body = self.objects.get(unquote(parts.path))
            self._answer(body or b"", 200 if body is not None else 404)
            return
        prefix = parts.path.rstrip("/") + "/" + parse_qs(parts.query).get("prefix", [""])[0]
        listing = "".join(
            f"<Contents><Key>{k.split('/', 2)[2]}</Key><Size>{len(v)}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for k, v in self.objects.items()
            if k.startswith(prefix)
        )
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        self._answer(f'<ListBucketResult xmlns="{space}">{listing}</ListBucketResult>'.encode())

    def do_DELETE(self) -> None:
        self.objects.pop(unquote(urlsplit(self.path).path), None)
        self._answer(b"", 204)

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Be quiet."""


def _unchunked(body: bytes) -> bytes:
    out = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        count = int(size.split(b";")[0], 16)
        if not count:
            break
        out, body = out + rest[:count], rest[count + 2 :]
    return out


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    handler = type("Handler", (Bucket,), {"objects": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    yield handler.objects  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_bucket_of_an_s3_endpoint(bucket: dict[str, bytes], sql: Sql) -> None:
    columns, by = "a INT, p STRING, q INT, ts TIMESTAMP(3)", "PARTITIONED BY (p, q)"
    table(sql, "lake", columns, "s3a://lake/rows", "parquet", by=by)
    sql.run(f"INSERT INTO lake SELECT * FROM {ROWS}", records=ALL)
    assert all(k.startswith("/lake/rows/p=") for k in bucket)
    assert sorted(sql.rows("SELECT * FROM lake", records=ALL)) == READ


def test_objects_of_the_folder_alone_are_replaced(bucket: dict[str, bytes], sql: Sql) -> None:
    for name in ("rows/old", "rows/sub/old", "rows2/other", "other"):
        bucket[f"/lake/{name}"] = b'{"a":1}\n'
    table(sql, "pond", "a INT", "s3://lake/rows", "json")
    assert sql.rows("SELECT * FROM pond", records=ALL) == [(1,), (1,)]
    (statement,) = parse_script("INSERT OVERWRITE pond SELECT SUM(a) FROM pond")
    assert isinstance(statement, st.Insert)
    batch = SessionConfig({"execution.runtime-mode": "BATCH"})
    run(Planner(sql.catalog, batch).insert(statement))
    left = {k: v for k, v in bucket.items() if "/part-" not in k}
    assert set(left) == {"/lake/rows2/other", "/lake/other"}
    assert [v for k, v in bucket.items() if k not in left] == [b'{"a":2}\n']


def test_a_bucket_without_credentials_is_explained(
    bucket: dict[str, bytes], sql: Sql, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    table(sql, "closed", "a INT", "s3://lake/closed", "json")
    with pytest.raises(EddylineError, match="there are no AWS credentials for s3://lake/closed"):
        sql.rows("SELECT * FROM closed", records=ALL)


def test_a_local_bucket_is_a_folder_of_the_data_directory(sql: Sql, tmp_path: Path) -> None:
    folder = tmp_path / "buckets" / "lake" / "a"
    folder.mkdir(parents=True)
    (folder / "f").write_text('{"a":7}\n')
    table(sql, "near", "a INT", "s3://lake/a", "json")
    assert sql.rows("SELECT * FROM near", records=ALL, data_dir=tmp_path) == [(7,)]


def test_a_raw_record_is_the_line_without_its_end(sql: Sql, tmp_path: Path) -> None:
    """Flink 2.3 gave these values for this file: blank lines count, spaces stay."""
    (tmp_path / "a.txt").write_bytes(b"a\nb\n\n  c \r\n\r\r\nlast")
    table(sql, "raw_text", "line STRING", tmp_path / "a.txt", "raw")
    table(sql, "raw_bytes", "line BYTES", tmp_path / "a.txt", "raw")
    lines = ["a", "b", "", "  c ", "\r", "last"]
    assert sql.rows("SELECT line FROM raw_text", records=ALL) == [(line,) for line in lines]
    assert sql.rows("SELECT line FROM raw_bytes", records=ALL)[3] == (b"  c ",)
