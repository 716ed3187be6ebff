"""The studio and the Python of notes, as their user waits for them.

    python -m benchmarks studio

Pages are opened in a window of their own with a cold cache, over a server with twelve streams; the
times are medians until the browser's first contentful paint. A result of 100,000 rows needs the
setting ``result_rows_max``. Ten notes show a stream of 50 records a second each, all open in a
browser; the server's CPU counts, the browser's does not. A vectorised Python function and the
built-in one read the same million JSON records.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ours import eddyline
from benchmarks.process import cpu_s
from eddyline.service.remote import Remote
from eddyline.settings import load

RUNS = 3
PAGES = (
    "/", "/streams", "/streams/page-1", "/generator", "/notes", "/notes/{note}", "/tables", "/jobs",
    "/anomalies", "/notebooks", "/applications", "/users",
)  # fmt: skip
ROWS = 100_000
LIVE_NOTES, RATE, WATCHED_S = 10, 50, 20.0
RECORDS = 1_000_000
PAINT = """() => new Promise((found) => new PerformanceObserver((list) => {
  const entry = list.getEntriesByName("first-contentful-paint")[0];
  if (entry) found(entry.startTime);
}).observe({type: "paint", buffered: true}))"""
GENERATED = """CREATE TABLE {name} (n BIGINT, page STRING, v DOUBLE) WITH ('connector' = 'datagen',
 'rows-per-second' = '{rate}', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1',
 'fields.n.end' = '{end}', 'fields.page.length' = '6')"""
QUERY = """SELECT MOD(n, 20) AS k, COUNT(*) AS c, MAX(v) AS v FROM live_{number}
GROUP BY MOD(n, 20)"""
FUNCTIONS = """%flink.pyflink
@udf(result_type=DataTypes.BIGINT(), func_type="pandas")
def plus_one(n):
    return n + 1
st_env.create_temporary_system_function("plus_one", plus_one)
st_env.execute_sql(\"\"\"CREATE TABLE numbers (n BIGINT, page STRING)
  WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json')\"\"\")
st_env.execute_sql("CREATE TABLE nowhere (n BIGINT, page STRING) WITH ('connector' = 'blackhole')")
"""


class Studio:
    """A server that is measured, and a browser that has signed in."""

    def __init__(self, browser: Any, link: str, remote: Remote, pid: int) -> None:
        self._browser = browser
        self.base = link.split("/signin")[0]
        self.remote = remote
        self.pid = pid
        window = browser.new_context()
        page = window.new_page()
        page.goto(link)
        page.wait_for_selector("main h1")
        self._state = window.storage_state()
        window.close()

    @contextmanager
    def tab(self, path: str) -> Iterator[Any]:
        """A page in a window whose cache is empty."""
        window = self._browser.new_context(storage_state=self._state)
        page = window.new_page()
        page.goto(self.base + path)
        try:
            yield page
        finally:
            window.close()

    def note(self, *texts: str) -> str:
        """A new note; its id."""
        return self.remote.notes.create(f"note {time.time_ns()}", list(texts))

    def run(self, note: str, number: int = 0) -> float:
        """Run a paragraph to its end; the seconds that it took.

        Raises:
            RuntimeError: it failed.
        """
        paragraph = self.remote.notes.view(note).paragraphs[number].id
        began = time.perf_counter()
        self.remote.notes.run(note, paragraph)
        while True:
            view = self.remote.notes.view(note).paragraphs[number]
            if view.status == "FINISHED":
                return time.perf_counter() - began
            if view.status in ("ERROR", "ABORT"):
                raise RuntimeError(str(view.outputs))
            time.sleep(0.002)


@contextmanager
def studio() -> Iterator[Studio]:
    """A server on a scratch directory and a browser."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    executable = next((path for name in names if (path := shutil.which(name))), None)
    home = Path(tempfile.mkdtemp(prefix="eddyline-bench-"))
    with eddyline(home=home) as server, sync_playwright() as playwright:
        link = _link(home / "log")
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield Studio(browser, link, Remote(load({}, data_dir=home / "data")), server.pid)
        browser.close()


def _link(log: Path) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if match := re.search(r"http://\S+/signin\?token=\S+", log.read_text()):
            return match[0]
        time.sleep(0.1)
    msg = "the server printed no link"
    raise RuntimeError(msg)


def main() -> None:
    import os

    os.environ["EDDYLINE_RESULT_ROWS_MAX"] = str(ROWS)
    with studio() as house:
        for part in (pages, rows, python, vectorised, live):
            for row in part(house):
                print(json.dumps(row), flush=True)


def pages(house: Studio) -> Iterator[dict[str, Any]]:
    """Until the first contentful paint."""
    for number in range(12):
        house.remote.streams.create(f"page-{number}", 1)
    note = house.note("%md\n# A note", "%flink.ssql\nSHOW TABLES", "%flink.pyflink\nprint(1)")
    for path in PAGES:
        taken = []
        for _ in range(RUNS):
            with house.tab(path.format(note=note)) as page:
                taken.append(float(page.evaluate(PAINT)))
        yield {"page": path.format(note="NOTE"), "first paint, ms": round(statistics.median(taken))}


def rows(house: Studio) -> Iterator[dict[str, Any]]:
    """A long result: how long its page, another page of it, its order and a filter take."""
    ddl = GENERATED.format(name="hundred", rate=ROWS, end=ROWS)
    note = house.note(f"%flink.ssql\n{ddl};\nSELECT * FROM hundred")
    house.run(note)
    began = time.perf_counter()
    with house.tab(f"/notes/{note}") as page:
        page.wait_for_selector("table.grid tbody tr")
        yield {"result of 100,000 rows": "opened", "ms": _ms(began)}
        first = page.inner_text("table.grid tbody")
        for what, act in (
            ("next page", lambda: page.click("[aria-label='Further rows']")),
            ("sorted", lambda: page.click("table.grid thead button >> nth=1")),
            ("filtered", lambda: page.fill("[aria-label='Filter rows']", "99")),
        ):
            yield {"result of 100,000 rows": what, "ms": _changed(page, first, act)}
            first = page.inner_text("table.grid tbody")


def _changed(page: Any, before: str, act: Callable[[], Any]) -> int:
    began = time.perf_counter()
    act()
    page.wait_for_function(
        "(before) => document.querySelector('table.grid tbody').innerText !== before", arg=before
    )
    return _ms(began)


def _ms(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def live(house: Studio) -> Iterator[dict[str, Any]]:
    """Ten notes over slow streams, all of them open."""
    notes = []
    for number in range(LIVE_NOTES):
        ddl = GENERATED.format(name=f"live_{number}", rate=RATE, end=10**9)
        query = QUERY.format(number=number)
        notes.append(house.note(f"%flink.ssql\n{ddl};", f"%flink.ssql(type=update)\n{query}"))
        house.run(notes[-1])
        paragraph = house.remote.notes.view(notes[-1]).paragraphs[1].id
        house.remote.notes.run(notes[-1], paragraph)
    with ExitStack() as windows:
        for note in notes:
            page = windows.enter_context(house.tab(f"/notes/{note}"))
            page.wait_for_selector("table.grid tbody tr")
        time.sleep(5)
        before, began = cpu_s(house.pid), time.perf_counter()
        time.sleep(WATCHED_S)
        used = (cpu_s(house.pid) - before) / (time.perf_counter() - began)
    yield {"ten live notes": "the server's CPU, cores", "figure": round(used, 2)}
    for note in notes:
        for view in house.remote.notes.view(note).paragraphs:
            if view.status == "RUNNING":
                house.remote.notes.cancel(note, view.id)


def python(house: Studio) -> Iterator[dict[str, Any]]:
    """The first Python paragraph, which starts the process, and those that follow."""
    note = house.note("%flink.pyflink\nx = 1", "%flink.pyflink\nprint(x + 1)")
    yield {"Python in notes": "the first paragraph, s", "figure": round(house.run(note), 2)}
    taken = [house.run(note, 1) * 1000 for _ in range(20)]
    yield {"Python in notes": "a paragraph, median, ms", "figure": round(statistics.median(taken))}
    yield {"Python in notes": "a paragraph, slowest of 20, ms", "figure": round(max(taken))}


def vectorised(house: Studio) -> Iterator[dict[str, Any]]:
    """CPU of a query over a million records with a Python function, by that of the built-in one."""
    path = house.remote.data_dir.parent / "numbers.json"
    with path.open("w") as out:
        out.writelines(f'{{"n":{n},"page":"/p{n % 100}"}}\n' for n in range(RECORDS))
    note = house.note(
        FUNCTIONS.format(path=path),
        "%flink.bsql\nINSERT INTO nowhere SELECT n + 1, page FROM numbers",
        "%flink.bsql\nINSERT INTO nowhere SELECT plus_one(n), page FROM numbers",
    )
    house.run(note)
    used: list[list[float]] = [[], []]
    for _ in range(RUNS):
        for kind in (0, 1):
            before = cpu_s(house.pid)
            house.run(note, kind + 1)
            used[kind].append(cpu_s(house.pid) - before)
    built_in, own = (statistics.median(times) for times in used)
    yield {"Python in notes": "built-in function, 1 M records, CPU s", "figure": round(built_in, 2)}
    yield {"Python in notes": "vectorised function, 1 M records, CPU s", "figure": round(own, 2)}
    yield {"Python in notes": "the latter by the former", "figure": round(own / built_in, 2)}


if __name__ == "__main__":
    main()
