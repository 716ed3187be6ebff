"""A STATEMENT SET is one job, in every spelling and after a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eddyline.log import PutBatch
from eddyline.service.events import JobStarted, RunFinished
from eddyline.service.messages import Run
from eddyline.service.script import Script
from eddyline.service.session import Session
from eddyline.settings import Settings

OPTIONS = "'connector' = 'kinesis', 'aws.region' = 'us-east-1', 'format' = 'json'"
TABLES = "".join(
    f"CREATE TABLE {name} (v INT) WITH ({OPTIONS}, 'stream' = '{name}', "
    "'scan.stream.initpos' = 'TRIM_HORIZON');\n"
    for name in ("t", "few", "whole")
)
ROWS = (
    "CREATE TABLE made (v INT) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'json');"
)
INSERTS = "INSERT INTO few SELECT v FROM made WHERE v < 2; INSERT INTO whole SELECT v FROM made;"


class Texts:
    """A session of this process that runs texts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Any] = []
        settings = Settings(data_dir=folder / "data", fsync=False, map_gib=1)
        settings.data_dir.mkdir()
        self.session = Session("s", settings, self._keep)
        for name in ("t", "few", "whole"):
            self.session.streams.create(name, 1)
        (folder / "made.json").write_text("".join(json.dumps({"v": v}) + "\n" for v in range(4)))
        self.run(TABLES + ROWS % (folder / "made.json"))

    def _keep(self, event: Any) -> bool:
        self.events.append(event)
        return True

    def run(self, text: str) -> list[str]:
        """The ids of the jobs that a text has started; they have ended."""
        self.events.clear()
        Script(self.session, Run("run", text)).run()
        (finished,) = [e for e in self.events if isinstance(e, RunFinished)]
        assert finished.status == "FINISHED", finished.error_text
        return [e.job_id for e in self.events if isinstance(e, JobStarted)]

    def count(self, name: str) -> int:
        first, after = self.session.streams.open(name).bounds(0)
        return after - first


@pytest.fixture
def texts(tmp_path: Path) -> Texts:
    return Texts(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        f"EXECUTE STATEMENT SET BEGIN {INSERTS} END;",
        f"BEGIN STATEMENT SET; {INSERTS} END;",
        f"COMPILE PLAN '{{folder}}/plan' FOR STATEMENT SET BEGIN {INSERTS} END;"
        "EXECUTE PLAN '{folder}/plan';",
        f"COMPILE AND EXECUTE PLAN '{{folder}}/plan' FOR STATEMENT SET BEGIN {INSERTS} END;",
    ],
)
def test_every_spelling_is_one_job(texts: Texts, text: str) -> None:
    (job_id,) = texts.run(text.replace("{folder}", str(texts.folder)))
    assert (texts.count("few"), texts.count("whole")) == (2, 4)
    figures = texts.session.jobs.get(job_id)
    assert figures.actual == "FINISHED"


def test_a_set_is_named_once_and_goes_on_from_its_state(texts: Texts) -> None:
    inserts = INSERTS.replace("FROM made", "FROM t")
    stream = texts.session.streams.open("t")
    stream.put(PutBatch(["k"] * 3, [b'{"v":%d}' % v for v in range(3)])).result()
    text = f"SET 'pipeline.name' = 'both'; EXECUTE STATEMENT SET BEGIN {inserts} END"
    for expected in (3, 4):
        script = Script(texts.session, Run("run", text, detach=True))
        script.run()
        (work,) = script.jobs
        for _ in range(2000):
            if texts.count("whole") >= expected:
                break
            work.over.wait(0.005)
        work.stop()
        assert work.over.wait(20)
        assert work.error is None
        assert texts.count("whole") == expected
        stream.put(PutBatch(["k"], [b'{"v":9}'])).result()
    (job,) = texts.session.jobs.list()
    assert job.name == "both"
