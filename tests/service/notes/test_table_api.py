"""PyFlink's Table API in notes prints what PyFlink 2.3 printed (``record_scripts.py``)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from record_scripts import BEGIN, ROWS, SOURCE, scripts
from test_python import Note

from eddyline.testing import server


@pytest.fixture(scope="module")
def note(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Note]:
    file = tmp_path_factory.mktemp("source") / "source.csv"
    file.write_text(ROWS)
    with server() as running:
        note = Note(running)
        begin = "\nenv = st_env\nenv.get_config().set_local_timezone('UTC')\n"
        note.text(BEGIN + begin + SOURCE.format(path=file))
        yield note


@pytest.mark.parametrize(("text", "expected"), [(t, e) for _, t, e in scripts()],
                         ids=[name for name, _, _ in scripts()])  # fmt: skip
def test_a_script_prints_what_it_does_in_pyflink(note: Note, text: str, expected: str) -> None:
    body = "".join(f"    {line}\n" if line else "\n" for line in text.splitlines())
    assert note.text(f"def _script():\n{body}\n_script()") == expected
