"""Waiting for writes to files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eddyline.clock import SYSTEM
from eddyline.log import file_changes
from eddyline.log.file_changes import FileChanges

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="files are watched on Linux")


def test_a_write_of_another_process_and_an_interrupt_end_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_changes, "UNNOTICED_S_MAX", 30.0)
    file = tmp_path / "file"
    file.write_bytes(b"")
    changes = FileChanges(pause_s=0.001)
    assert changes.watch([(str(file), file.stat().st_ino)])
    began = SYSTEM.monotonic()
    subprocess.run([sys.executable, "-c", f"open({str(file)!r}, 'ab').write(b'x')"], check=True)
    changes.wait()
    changes.interrupt()
    changes.wait()
    assert SYSTEM.monotonic() - began < 25
    changes.close()


def test_a_file_made_anew_is_watched_anew_and_a_missing_one_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_changes, "UNNOTICED_S_MAX", 30.0)
    changes, file = FileChanges(pause_s=0.001), tmp_path / "file"
    assert not changes.watch([(str(file), 1)])
    file.write_bytes(b"")
    assert changes.watch([(str(file), 1)])
    file.unlink()
    file.write_bytes(b"")
    assert changes.watch([(str(file), 2)])
    file.write_bytes(b"x")
    began = SYSTEM.monotonic()
    changes.wait()
    assert SYSTEM.monotonic() - began < 25
    changes.close()
