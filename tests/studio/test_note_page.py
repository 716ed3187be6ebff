"""A note's page in a browser: typing, two windows at once, long results, narrow screens."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from conftest import Studio
from studio_browser import Browser

from eddyline.log import PutBatch, StreamMode

pytestmark = pytest.mark.browser
STREAM = "long-results"
TABLE = (
    f"%flink.ssql\nCREATE TABLE IF NOT EXISTS long_results (n INT) WITH ('connector'='kinesis', "
    f"'stream'='{STREAM}', 'aws.region'='us-east-1', 'scan.stream.initpos'='TRIM_HORIZON', "
    "'format'='json');"
)
ROWS = 350


@pytest.fixture
def long_note(studio: Studio) -> str:
    services = studio.services
    if STREAM not in services.streams.names():
        services.streams.create(STREAM, 1, StreamMode.PROVISIONED)
        data = [f'{{"n":{n}}}'.encode() for n in range(ROWS)]
        services.streams.open(STREAM).put(PutBatch(["k"] * ROWS, data)).result()
    names = {note.name for note in services.notes.list()}
    name = next(f"Long {n}" for n in range(99) if f"Long {n}" not in names)
    return services.notes.create(
        name, [TABLE, "%flink.ssql\nSELECT n FROM long_results;"], ["", ""]
    )


def test_typing_into_a_new_paragraph_goes_behind_its_header(
    studio: Studio, chromium: Browser
) -> None:
    note = studio.services.notes.create("Typed", ["%md\nhello"])
    with chromium.page() as page:
        tab = page.open(f"/notes/{note}")
        tab.get_by_role("button", name="Add a paragraph").last.click()
        tab.locator(".cm-focused").wait_for()
        tab.keyboard.type("SHOW TABLES;")
        tab.wait_for_timeout(1500)
        assert page.problems == []
    texts = [p.text for p in studio.services.notes.view(note).paragraphs]
    assert texts[-1] == "%flink.ssql\nSHOW TABLES;"


def test_two_windows_that_write_in_one_paragraph_lose_nothing(
    studio: Studio, chromium: Browser
) -> None:
    note = studio.services.notes.create("Shared", ["%flink.ssql\nfirst\n\n\nlast"])
    with chromium.page() as one, chromium.page() as two:
        for page, key in ((one, "Control+Home"), (two, "Control+End")):
            tab = page.open(f"/notes/{note}")
            tab.locator(".cm-content").click()
            tab.keyboard.press(key)
        one.page.keyboard.press("ArrowDown")
        one.page.keyboard.type("one ")
        two.page.keyboard.type(" two")
        for page in (one, two):
            page.page.locator(".cm-content", has_text="one first").wait_for()
            page.page.locator(".cm-content", has_text="last two").wait_for()
        one.page.wait_for_timeout(1000)
    (paragraph,) = studio.services.notes.view(note).paragraphs
    assert paragraph.text == "%flink.ssql\none first\n\n\nlast two"


def test_a_long_result_is_paged_sorted_filtered_and_saved(
    studio: Studio, chromium: Browser, long_note: str
) -> None:
    studio.services.notes.run_all(long_note)
    with chromium.page() as page:
        tab = page.open(f"/notes/{long_note}")
        tab.get_by_text(f"{ROWS} rows", exact=True).wait_for()
        body = tab.locator(".grid tbody tr")
        assert body.count() == 100
        tab.get_by_role("button", name="Further rows").click()
        tab.get_by_text("101–200").wait_for()
        tab.locator("th button", has_text="n").click()
        tab.locator("th[aria-sort=ascending]").wait_for()
        assert body.first.inner_text() == "0"
        assert body.nth(2).inner_text() == "2"  # as numbers, not as text
        tab.get_by_label("Filter rows").fill("34")
        tab.get_by_text("14 with “34”").wait_for()
        with tab.expect_download() as saved:
            tab.get_by_role("button", name="Save").click()
            tab.get_by_text("All rows as CSV").click()
        text = Path(saved.value.path()).read_text()
        assert saved.value.suggested_filename == "result-1.csv"
        header, *rows = csv.reader(io.StringIO(text))
        assert header == ["n"]
        assert [int(n) for (n,) in rows] == list(range(ROWS))
        assert page.problems == []
    studio.services.notes.cancel(long_note)


def test_the_menu_of_a_paragraph_is_on_the_screen_of_a_telephone(
    studio: Studio, chromium: Browser, long_note: str
) -> None:
    with chromium.page() as page:
        for width in (390, 800):
            page.look(width, "light")
            tab = page.open(f"/notes/{long_note}")
            tab.locator(".paragraph .more-menu").last.click()
            box = tab.get_by_text("Move up", exact=True).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            tab.keyboard.press("Escape")
            for bar in tab.locator(".paragraph .bar").all():
                parts = bar.locator("> :visible").all()
                boxes = [b for b in (part.bounding_box() for part in parts) if b is not None]
                for i, a in enumerate(boxes):
                    for b in boxes[i + 1 :]:
                        apart = (
                            a["x"] + a["width"] <= b["x"] + 1 or b["x"] + b["width"] <= a["x"] + 1
                            or a["y"] + a["height"] <= b["y"] + 1
                            or b["y"] + b["height"] <= a["y"] + 1
                        )  # fmt: skip
                        assert apart, (a, b)


def test_one_main_landmark_and_buttons_with_their_rows_names(
    studio: Studio, chromium: Browser, long_note: str
) -> None:
    with chromium.page() as page:
        tab = page.open("/notes")
        assert tab.locator("main").count() == 1
        name = studio.services.notes.view(long_note).name
        tab.get_by_role("button", name=f"Delete {name}", exact=True).wait_for()
        stored = tab.get_by_role("button", name="System theme")
        assert stored.count() == 1


def test_a_dialog_whose_tab_is_closed_leaves_no_error(studio: Studio, chromium: Browser) -> None:
    note = studio.services.notes.create("Asked", ["%md\nhello"])
    before = len(studio.output)
    with chromium.page() as page:
        tab = page.open(f"/notes/{note}")
        tab.get_by_role("button", name="More about the note").click()
        tab.get_by_text("Delete the note", exact=True).click()
        tab.get_by_role("alertdialog").wait_for()
    with chromium.page() as page:
        page.open("/").wait_for_timeout(3000)
    assert b"Traceback" not in studio.output[before:]
    assert note in {n.id for n in studio.services.notes.list()}


def test_a_stored_result_of_another_run_is_marked(studio: Studio) -> None:
    data = {"name": "Elsewhere", "paragraphs": [{
        "text": "%flink.ssql\nSELECT 1", "status": "FINISHED",
        "results": {"code": "SUCCESS", "msg": [{"type": "TABLE", "data": "a\n1\n"}]},
    }]}  # fmt: skip
    notes = studio.services.notes
    note = notes.import_bytes(json.dumps(data).encode(), "x.zpln")
    assert notes.view(note).paragraphs[0].imported
    assert b"eddylineImported" not in notes.export(note)


def test_paragraphs_are_laid_out_and_versions_come_back(studio: Studio, chromium: Browser) -> None:
    notes = studio.services.notes
    note = notes.create(
        "Laid out", ["%flink.ssql\nSELECT 1 AS n", "%md\nwords", "%flink.ssql\nX Y"]
    )
    first, words, wrong = notes.view(note).order
    notes.keep_version(note, "as it began")
    with chromium.page() as page:
        tab = page.open(f"/notes/{note}?paragraph={first}")
        tab.locator(".paragraph .cm-focused").wait_for()
        tab.keyboard.press("Control+Alt+c")
        tab.locator(".paragraph").nth(3).wait_for()
        tab.keyboard.press("Control+Alt+-")
        tab.locator(".paragraph.wide-11").wait_for()
        tab.keyboard.press("Control+Alt+e")
        tab.locator(".paragraph").first.locator(".editor-frame").wait_for(state="hidden")

        def choose(index: int, words: str) -> None:
            tab.get_by_role("button", name="More", exact=True).nth(index).click()
            tab.get_by_role("menuitem", name=words).or_(
                tab.locator(".q-menu .q-item", has_text=words)
            ).first.click()
            # A menu that is closing still has the same items for a moment, and takes no click.
            tab.locator(".q-menu").first.wait_for(state="detached")

        choose(0, "Show the code")
        tab.locator(".paragraph").first.locator(".editor-frame").wait_for()
        choose(3, "Leave out of Run all")
        tab.locator(".paragraph.left-out").wait_for()
        choose(3, "Run with all")
        choose(2, "Run all from here")
        tab.get_by_text("there is no", exact=False).or_(tab.get_by_role("alert")).first.wait_for()
        tab.get_by_role("button", name="More about the note").click()
        tab.locator(".q-menu .q-item", has_text="Versions").click()
        tab.get_by_role("button", name="Compare with version 1").click()
        tab.locator(".changes .added").first.wait_for()
        page.picture("note-versions")
        tab.get_by_role("button", name="Restore version 1").click()
        tab.get_by_role("button", name="Restore it").click()
        tab.locator(".paragraph").nth(3).wait_for(state="detached")
        with tab.expect_download() as download:
            tab.get_by_role("button", name="Export").click()
            tab.locator(".q-menu .q-item", has_text="Report").click()
        assert download.value.suggested_filename.endswith(".html")
        for width, scheme in ((1440, "dark"), (390, "light")):
            page.look(width, scheme)
            assert page.overflow <= 0
            assert page.unnamed() == []
            page.picture(f"note-laid-out-{width}-{scheme}")
        tab = page.open("/notes")
        tab.get_by_label("Search all notes").fill("words")
        tab.locator(".hits a", has_text="Laid out, 2").wait_for()
        page.picture("notes-search")
        assert page.problems == []
    assert notes.view(note).order == [first, words, wrong]


def test_forms_of_python_are_fields_that_run_it_again(studio: Studio, chromium: Browser) -> None:
    code = 'x = z.input("size", 3)\ny = z.select("shop", [("a", "North"), ("b", "South")], "a")\n'
    notes = studio.services.notes
    note = notes.create("Forms of Python", [f"%flink.pyflink\n{code}print('it is', x, y)"])
    with chromium.page() as page:
        tab = page.open(f"/notes/{note}")
        tab.get_by_role("button", name="Run (Shift+Enter)").click()
        tab.get_by_text("it is 3 a").wait_for()
        tab.get_by_label("size").fill("8")
        tab.get_by_label("size").press("Enter")
        tab.get_by_text("it is 8 a").wait_for()
        tab.get_by_label("shop").click()
        tab.get_by_role("option", name="South").click()
        tab.get_by_text("it is 8 b").wait_for()
        assert page.problems == []
    (paragraph,) = notes.view(note).paragraphs
    assert paragraph.params == {"size": "8", "shop": "b"}
