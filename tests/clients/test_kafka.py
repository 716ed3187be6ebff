"""Tables of Kafka over a real broker: Apache Kafka from Maven, one node, on loopback.

``make kafka`` runs them (``EDDYLINE_CLIENTS=1``); what it fetched stays in ``.clients/``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import toolchain

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]
HERE = Path(__file__).parent / "kafka"
PORT = 19192
BROKER = f"127.0.0.1:{PORT}"
PROPERTIES = f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{PORT + 1}
listeners=PLAINTEXT://{BROKER},CONTROLLER://127.0.0.1:{PORT + 1}
advertised.listeners=PLAINTEXT://{BROKER}
controller.listener.names=CONTROLLER
offsets.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An admin client of a running broker."""
    admin = pytest.importorskip("confluent_kafka.admin")
    libs = toolchain.CACHE / "kafka"
    if not libs.exists():
        fetch = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={libs}"]
        subprocess.run(fetch, cwd=HERE, check=True, timeout=toolchain.FETCH_S)
    folder = tmp_path_factory.mktemp("kafka")
    config = folder / "server.properties"
    config.write_text(PROPERTIES + f"log.dirs={folder}/data\n")
    java = [shutil.which("java") or "java", "-Xmx400m", "-cp", f"{libs}/*"]
    form = ["kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", config]
    subprocess.run([*java, *form], check=True, capture_output=True)
    process = subprocess.Popen(
        [*java, "kafka.Kafka", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield _ready(admin.AdminClient({"bootstrap.servers": BROKER}))
    finally:
        process.terminate()
        process.wait(30)


def _ready(client: Any) -> Any:
    for _ in range(60):
        try:
            client.list_topics(timeout=1)
            return client
        except Exception:
            time.sleep(0.5)  # the broker needs some seconds
    pytest.fail("the broker does not answer")


def _create(broker: Any, *names: str) -> None:
    from confluent_kafka.admin import NewTopic

    for created in broker.create_topics([NewTopic(n, 2) for n in names]).values():
        created.result(10)


def _rows(statements: str, folder: Path) -> list[dict[str, Any]]:
    """The rows that statements show, by the command line."""
    text = f"SET 'table.dml-sync' = 'true';\n{statements}"
    program = Path(sys.executable).parent / "eddyline"
    command = [str(program), "sql", "--json", "--data-dir", str(folder)]
    done = subprocess.run([*command, "-e", text], capture_output=True, text=True, timeout=120)
    assert not done.returncode, done.stderr
    assert '"error"' not in done.stdout + done.stderr, done.stdout + done.stderr
    lines = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    return [{k: v for k, v in line.items() if k != "op"} for line in lines if "op" in line]


def _table(name: str, columns: str, options: str) -> str:
    return (
        f"CREATE TABLE {name} ({columns}) WITH ('topic' = '{name}', "
        f"'properties.bootstrap.servers' = '{BROKER}', 'scan.bounded.mode' = 'latest-offset', "
        f"{options});\n"
    )


def test_rows_go_out_and_come_back_with_key_and_metadata(broker: Any, tmp_path: Path) -> None:
    _create(broker, "orders")
    meta = "p INT METADATA FROM 'partition' VIRTUAL, o BIGINT METADATA FROM 'offset' VIRTUAL"
    options = (
        "'connector' = 'kafka', 'format' = 'json', 'key.format' = 'raw', 'key.fields' = 'k', "
        "'scan.startup.mode' = 'earliest-offset'"
    )
    table = _table("orders", f"id INT, k STRING, {meta}", options)
    rows = _rows(
        table + "INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (3, 'a');\n"
        "SELECT id, k, p, o FROM orders;",
        tmp_path,
    )
    assert sorted((r["id"], r["k"]) for r in rows) == [(1, "a"), (2, "b"), (3, "a")]
    of_a = [(r["p"], r["o"]) for r in sorted(rows, key=lambda r: r["id"]) if r["k"] == "a"]
    assert of_a[0][0] == of_a[1][0]  # one key, one partition
    assert of_a[0][1] < of_a[1][1]  # in order


def test_the_last_value_of_a_key_counts_and_no_value_deletes_it(
    broker: Any, tmp_path: Path
) -> None:
    from confluent_kafka import Producer

    _create(broker, "totals")
    options = "'connector' = 'upsert-kafka', 'key.format' = 'json', 'value.format' = 'json'"
    table = _table("totals", "k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED", options)
    source = "(VALUES ('a'), ('b'), ('a')) AS t (k)"
    write = f"INSERT INTO totals SELECT k, COUNT(*) FROM {source} GROUP BY k;"
    rows = _rows(f"{table}{write}\nSELECT * FROM totals;", tmp_path / "one")
    assert sorted((r["k"], r["n"]) for r in rows) == [("a", 2), ("b", 1)]
    producer = Producer({"bootstrap.servers": BROKER})
    producer.produce("totals", None, b'{"k":"a"}')
    producer.produce("totals", b'{"k":"b","n":7}', b'{"k":"b"}')
    producer.flush()
    rows = _rows(f"{table}SELECT * FROM totals;", tmp_path / "two")
    assert [(r["k"], r["n"]) for r in rows] == [("b", 7)]
