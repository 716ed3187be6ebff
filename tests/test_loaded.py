"""What a process does not load before it is needed: an idle server is to stay small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SERVER = """
import sys, time
from pathlib import Path
from eddyline.server import Server
from eddyline.settings import Settings

settings = Settings(data_dir=Path(sys.argv[1]), port=0, api_port=0, retention_sweep_s=1)
server = Server(settings, warm=False)
server.start()
time.sleep(1.5)  # the sweep has had its turn
server.stop()
"""
# Columns, the log and what else belongs to records at work.
COLUMNS = ("numpy", "pyarrow", "pyarrow.compute", "duckdb", "numba", "lmdb", "sqlglot", "faker")
# requests is not among them: the studio's socket library loads it wherever it is installed.
CLIENTS = ("botocore", "boto3", "aiohttp", "httpx")


def loaded(code: str, names: tuple[str, ...], *arguments: str) -> list[str]:
    """Which of the names are modules of a fresh interpreter that has run the code."""
    code += f"\nimport sys; print(*[m for m in {names} if m in sys.modules])"
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_server_without_streams_has_loaded_neither_columns_nor_the_log(tmp_path: Path) -> None:
    assert loaded(SERVER, (*COLUMNS, *CLIENTS), str(tmp_path / "data")) == []


def test_the_endpoint_has_the_log_and_nothing_that_computes() -> None:
    code = "import eddyline.aws.worker, eddyline.aws.application"
    heavy = ("pyarrow.compute", "duckdb", "numba", "sqlglot", "nicegui", "faker", *CLIENTS)
    assert loaded(code, heavy) == []
    assert loaded(code, ("lmdb",)) == ["lmdb"]


def test_python_of_a_note_begins_without_the_engine() -> None:
    code = "import eddyline.kernel.finder, eddyline.kernel.tables, eddyline.kernel.zeppelin"
    assert loaded(code, (*COLUMNS, *CLIENTS, "pandas", "eddyline.service.session")) == []
