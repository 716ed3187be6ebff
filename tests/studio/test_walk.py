"""Every page walked in a real browser: both widths, dark and light, nothing amiss on any.

The tests of this module go in order, as a newcomer goes: the later ones look at what the earlier
ones have made.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import Studio, pause
from studio_browser import Browser, Page

from eddyline.auth.signin import SignIn
from eddyline.generator.spec import Fault, Simulated
from eddyline.log import PutBatch
from eddyline.service import lab
from eddyline.service.anomalies import Monitor, Point
from eddyline.service.tables import tables_of

pytestmark = pytest.mark.browser

PAGES = (
    "/", "/streams", "/generator", "/notes", "/notebooks", "/applications", "/tables", "/anomalies",
    "/jobs", "/users",
)  # fmt: skip
WIDTHS, SCHEMES = (1440, 800), ("light", "dark")
STREAM = "walk-stream"
EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'


def assert_sound(page: Page, name: str) -> None:
    """Nothing failed, nothing sticks out, every control has a name."""
    page.picture(name)
    assert page.problems == []
    assert page.overflow <= 0
    assert page.unnamed() == []
    assert page.page.evaluate("window.pwned") is None


def walk(chromium: Browser, path: str, name: str) -> None:
    with chromium.page() as page:
        page.open(path)
        assert_sound_everywhere(page, name)


def assert_sound_everywhere(page: Page, name: str) -> None:
    for width in WIDTHS:
        for scheme in SCHEMES:
            page.look(width, scheme)
            assert_sound(page, f"{name}-{width}-{scheme}")


def test_the_sign_in_page(studio: Studio, chromium: Browser) -> None:
    with chromium.stranger() as page:
        page.page.goto(chromium.base + "/notes")
        assert "/signin?next=/notes" in page.page.url
        assert_sound_everywhere(page, "signin")


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_studio_says_what_to_do_next(chromium: Browser, path: str) -> None:
    with chromium.page() as page:
        page.open(path)
        assert_sound(page, f"empty{path.replace('/', '-')}")
        assert page.page.title().endswith(" · Eddyline")
        assert page.page.get_by_role("button").count() >= 2
        section = page.page.locator(f'a.rail-item[href="{path}"]').inner_text()
        assert page.page.locator("h1").inner_text() in section


def test_long_names_end_within_their_column(studio: Studio, chromium: Browser) -> None:
    name = "a-name-as-long-as-companies-have-them-prod-eu-central-1-clickstream-of-the-shop-v2"
    studio.services.streams.create(name, 1)
    right = "getBoundingClientRect().right"
    room = f"(a) => a.closest('td').{right} - a.{right}"
    with chromium.page() as page:
        for path in ("/streams", "/"):
            tab = page.open(path)
            page.look(390, "light")
            link = tab.locator(f'td a[href="/streams/{name}"]')
            assert link.evaluate(room) >= 0
            assert page.overflow <= 0
    studio.services.streams.delete(name)


@pytest.mark.parametrize("path", ["/streams", "/generator"])
def test_the_focus_is_always_seen(chromium: Browser, path: str) -> None:
    with chromium.page() as page:
        page.open(path)
        assert page.unseen_focus() == []


def test_a_stream_is_created_and_shown(studio: Studio, chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open("/streams")
        tab.keyboard.press("n")
        tab.get_by_label("Name").fill("bad name!")
        tab.get_by_role("button", name="Create", exact=True).click()
        tab.get_by_text("Bad name!").or_(tab.locator(".notice")).first.wait_for()
        tab.get_by_label("Name").fill(STREAM)
        tab.get_by_role("button", name="Create", exact=True).click()
        tab.wait_for_url(f"**/streams/{STREAM}")
        tab.get_by_text("There are none yet").wait_for()
        assert page.problems == []
    assert STREAM in {s.name for s in studio.services.streams.list()}


def test_a_generator_is_written_tested_started_and_stopped(
    studio: Studio, chromium: Browser
) -> None:
    with chromium.page() as page:
        tab = page.open(f"/generator?stream={STREAM}")
        tab.get_by_label("Template", exact=True).first.wait_for()
        tab.get_by_role("button", name="Test template").click()
        tab.get_by_text("5 records").wait_for()
        assert tab.locator(".preview .record").count() == 5
        tab.get_by_role("button", name="Send data").click()
        tab.get_by_role("button", name="Stop", exact=True).wait_for()
        for _ in range(150):  # its process takes long to start on a busy machine
            (running,) = studio.services.generators.list()
            if running.counters.accepted:
                break
            pause(0.2)
        assert running.actual == "RUNNING"
        assert running.counters.accepted > 0
        pause(1)  # the charts have something to show
        assert_sound(page, "generator-sending")
        tab.get_by_role("button", name="Stop", exact=True).click()
        tab.get_by_role("button", name="Send data").wait_for()
        (stopped,) = studio.services.generators.list()
        assert stopped.pid is None
        assert tab.locator(".tile .figure").nth(2).inner_text() == f"{stopped.counters.accepted:,}"


def test_a_rate_that_changes_is_kept_as_it_was_written(studio: Studio, chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open(f"/generator?stream={STREAM}")
        tab.get_by_role("button", name="New generator").click()
        tab.get_by_label("Name").fill("waves")
        tab.get_by_role("button", name="Expand").or_(tab.locator(".more .q-item")).first.click()
        for shape in ("A ramp", "By the hours of a week", "A wave"):
            tab.get_by_label("The rate is").click()
            tab.get_by_role("option", name=shape).click()
            pause(0.4)
            assert_sound(page, f"generator-{shape.replace(' ', '-').lower()}")
        tab.get_by_label("Swing, % of the rate").fill("30")
        tab.get_by_label("Records in all").fill("5")
        tab.get_by_label("Simulated clock").fill("2020-01-01@60x")
        tab.get_by_label("Faults", exact=True).fill("late:0.5:delay=0.1s duplicat:1")
        pause(0.3)
        tab.get_by_role("button", name="Send data").click()
        tab.get_by_text("is no fault").first.wait_for()
        tab.get_by_label("Faults", exact=True).fill("torn:0.5 duplicate:1:for=0s")
        pause(0.3)
        tab.get_by_role("button", name="Send data").click()
        tab.get_by_text("finished").first.wait_for()
        assert_sound(page, "generator-faults")
    generator = studio.services.generators.get("waves")
    assert generator.spec.sine is not None
    assert (generator.spec.sine.share, generator.spec.total) == (0.3, 5)
    assert generator.spec.simulated == Simulated(1_577_836_800_000, None, 60.0)
    assert generator.spec.faults == (Fault("torn", 0.5), Fault("duplicate", 1.0, duration_s=0.0))
    assert generator.counters.accepted == 5
    studio.services.generators.remove("waves")


def test_a_generator_sends_to_another_endpoint(studio: Studio, chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open("/generator")
        tab.get_by_role("button", name="New generator").click()
        tab.get_by_label("Name").fill("elsewhere")
        tab.get_by_label("Send to").click()
        tab.get_by_role("option", name="AWS or an endpoint").click()
        tab.get_by_label("Stream", exact=True).last.fill("no-such-stream")
        assert tab.get_by_label("Region").input_value() == "us-east-1"
        tab.get_by_label("Endpoint URL").fill(studio.api)
        pause(0.3)
        assert_sound(page, "generator-elsewhere")
        tab.get_by_role("button", name="Send data").click()
        tab.get_by_text("ResourceNotFoundException").first.wait_for()
        tab.get_by_label("Stream", exact=True).last.fill(STREAM)
        tab.get_by_label("Region").fill("eu-west-1")
        pause(0.3)
        tab.get_by_role("button", name="Send data").click()
        for _ in range(100):
            if studio.services.generators.get("elsewhere").counters.accepted:
                break
            pause(0.2)
        tab.get_by_role("button", name="Stop", exact=True).click()
        tab.get_by_role("button", name="Send data").wait_for()
    generator = studio.services.generators.get("elsewhere")
    assert (generator.spec.region, generator.spec.endpoint) == ("eu-west-1", studio.api)
    assert generator.counters.accepted > 0
    studio.services.generators.remove("elsewhere")


def test_a_template_that_is_wrong_is_shown_where(chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open(f"/generator?stream={STREAM}")
        editor = tab.locator(".cm-content").first
        editor.click()
        tab.keyboard.press("Control+a")
        tab.keyboard.type("a {{random.nummer}} b")
        tab.get_by_text("Unknown tag random.nummer (line 1, column 3)").wait_for()
        tab.get_by_text("Did you mean random.number").wait_for()
        assert tab.locator(".error-line").count() == 1
        page.picture("generator-error")
        tab.get_by_role("button", name="Send data").click()
        tab.locator("main > .nicegui-html .notice, .notice").first.wait_for()
        assert page.problems == []


def test_a_template_is_kept_under_a_name(studio: Studio, chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open("/generator")
        tab.get_by_role("button", name="Save as").click()
        tab.get_by_role("dialog").get_by_label("Name").fill("Mine")
        tab.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
        tab.get_by_role("button", name="Remove the kept template", disabled=False).wait_for()
        kept = studio.services.data_dir / "templates" / "Mine.template"
        assert "sensor_id" in kept.read_text()


def test_records_are_text_whatever_they_hold(studio: Studio, chromium: Browser) -> None:
    stream = studio.services.streams.open(STREAM)
    stream.put(PutBatch(["<b>key</b>"], [EVIL.encode()])).result(10)
    with chromium.page() as page:
        tab = page.open(f"/streams/{STREAM}")
        assert_sound_everywhere(page, "stream")
        assert EVIL in tab.locator("td.data").first.inner_text()
        assert tab.locator("td.data img").count() == 0


def test_a_tab_that_nobody_looks_at_is_sent_nothing(studio: Studio, chromium: Browser) -> None:
    stream = studio.services.streams.open(STREAM)
    with chromium.page() as page:
        tab = page.open(f"/streams/{STREAM}")
        tab.evaluate("""() => { window.shown = "hidden"; Object.defineProperty(document,
            "visibilityState", {get: () => window.shown, configurable: true}); }""")
        pause(2)  # the page is looked after each second, and hears that nobody looks
        stream.put(PutBatch(["k"], [b"while nobody looked"])).result(10)
        pause(2)
        assert tab.get_by_text("while nobody looked").count() == 0
        tab.evaluate("() => { window.shown = 'visible'; }")
        tab.get_by_text("while nobody looked").wait_for()
        assert page.problems == []


def test_from_a_stream_to_a_note_that_shows_its_records(studio: Studio, chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open(f"/streams/{STREAM}")
        tab.keyboard.press("p")
        tab.wait_for_url("**/notes/*")
        tab.get_by_role("button", name="Run all").click()
        rows = tab.locator(".paragraph").nth(2).locator(".grid tbody tr")
        rows.first.wait_for(timeout=90_000)
        assert_sound(page, "note-from-stream")
        tab.get_by_role("button", name="Stop all").click()
        tab.get_by_text("4 paragraphs", exact=True).wait_for(timeout=60_000)


def note_bytes() -> bytes:
    """A note as it comes from elsewhere: stored results, graphs, forms, an attack."""
    return (Path(__file__).parent / "stored.zpln").read_bytes()


def test_a_note_is_imported_and_shows_its_stored_results(
    studio: Studio, chromium: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "stored.zpln"
    file.write_bytes(note_bytes())
    with chromium.page() as page:
        tab = page.open("/notes")
        with tab.expect_file_chooser() as chosen:
            tab.keyboard.press("i")
        chosen.value.set_files(str(file))
        tab.wait_for_url("**/notes/*")
        tab.locator("h1", has_text="Stored results").wait_for()
        page.wait_alive()
        assert_sound_everywhere(page, "note-stored")
        # Paragraphs without a result have the mark as well, hidden.
        tab.get_by_text("it came with the note").locator("visible=true").first.wait_for()
        from playwright.sync_api import expect

        folded = tab.get_by_role("button", name="Show it").locator("visible=true")
        while folded.count():
            count = folded.count()
            folded.first.click()
            expect(folded).to_have_count(count - 1)
        tab.locator(".chart svg").nth(3).wait_for()
        assert tab.locator(".words script").count() == 0
        assert tab.locator(".words [onerror]").count() == 0
        assert tab.locator(".error-line").count() == 1
        assert tab.locator(".chart svg").count() == 4
        assert tab.locator(".grid").first.inner_text().count("\n") > 10


def test_a_file_that_is_no_note_says_so(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text("{not json")
    with chromium.page() as page:
        tab = page.open("/notes")
        with tab.expect_file_chooser() as chosen:
            tab.keyboard.press("i")
        chosen.value.set_files(str(file))
        tab.locator(".notice").wait_for()
        assert "broken.json" in tab.locator(".notice").inner_text()


def test_files_dropped_on_the_page_are_imported(studio: Studio, chromium: Browser) -> None:
    text = json.dumps({**json.loads(note_bytes()), "name": "Dropped", "id": "2DROPPED1"})
    with chromium.page() as page:
        tab = page.open("/notes")
        data = tab.evaluate_handle(
            """(text) => {
              const d = new DataTransfer();
              d.items.add(new File([text], "dropped.zpln", {type: "application/json"}));
              return d;
            }""",
            text,
        )
        tab.dispatch_event("main", "drop", {"dataTransfer": data})
        tab.get_by_text("Dropped is imported.").wait_for()
    studio.services.notes.remove("Dropped")


def test_a_note_written_by_hand_runs_and_is_exported(studio: Studio, chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open("/notes")
        tab.keyboard.press("n")
        tab.get_by_role("dialog").get_by_label("Name").fill("By hand")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/notes/2*")
        tab.locator(".cm-content").first.click()
        tab.keyboard.press("Control+a")
        tab.keyboard.insert_text('%md\n## Hello <b onclick="alert(1)">there</b>')
        tab.keyboard.press("Shift+Enter")
        tab.locator(".words h2").wait_for()
        assert tab.locator(".words h2").inner_text() == "Hello there"
        assert tab.locator(".words [onclick]").count() == 0
        tab.get_by_role("button", name="Add a paragraph").click()
        tab.locator(".paragraph").nth(1).wait_for()
        pause(0.5)
        tab.locator(".cm-content:visible").last.click()
        tab.keyboard.press("Control+a")
        tab.keyboard.type("%flink.ssql\nSELEKT 1;")
        tab.keyboard.press("Shift+Enter")
        tab.locator(".paragraph").nth(1).locator(".out .notice").wait_for(timeout=60_000)
        assert "line 2" in tab.locator(".out .notice").inner_text()
        assert_sound(page, "note-by-hand")
        tab.get_by_role("button", name="Export").click()
        with tab.expect_download() as download:
            tab.get_by_role("menu").get_by_text("Zeppelin note (.zpln)", exact=True).click()
        exported = json.loads(Path(download.value.path()).read_bytes())
        assert exported["name"] == "By hand"
        assert "SELEKT 1;" in exported["paragraphs"][1]["text"]


def test_a_table_is_shown_and_dropped(studio: Studio, chromium: Browser) -> None:
    tables_of(studio.services).create(
        f"CREATE TABLE walked (n INT) WITH ('connector'='kinesis','stream'='{STREAM}',"
        "'aws.region'='us-east-1','format'='json')"
    )
    with chromium.page() as page:
        tab = page.open("/tables")
        tab.get_by_text("walked", exact=True).wait_for()
        assert_sound_everywhere(page, "tables")
        tab.get_by_role("button", name="Show the DDL of walked").click()
        tab.locator("pre", has_text="CREATE TABLE").wait_for()
        assert_sound(page, "tables-ddl")
        tab.get_by_role("button", name="Close").click()
        tab.get_by_role("button", name="Drop walked").click()
        tab.get_by_role("button", name="Drop the table").click()
        tab.get_by_text("walked", exact=True).wait_for(state="detached")
        assert page.problems == []
    assert "walked" not in {table.name for table in tables_of(studio.services).list()}


def test_a_job_shows_its_operators(studio: Studio, chromium: Browser) -> None:
    texts = [
        "%flink.ssql\nCREATE TABLE IF NOT EXISTS ticks (n INT) WITH ('connector' = 'datagen', "
        "'rows-per-second' = '50');\nCREATE TABLE IF NOT EXISTS gone (n INT) WITH "
        "('connector' = 'blackhole');\nINSERT INTO gone SELECT n FROM ticks WHERE n > 0;"
    ]
    notes = studio.services.notes
    note = notes.create("Operators", texts)
    notes.run(note, notes.view(note).order[0])
    with chromium.page() as page:
        tab = page.open("/jobs")
        tab.get_by_role("link", name="into gone").click()
        tab.wait_for_url("**/jobs/*")
        tab.locator(".operator-graph .box").nth(1).wait_for(timeout=90_000)
        assert_sound_everywhere(page, "job")
        tab.get_by_role("button", name="Stop").click()
        tab.get_by_text("stopped", exact=True).first.wait_for()
        tab.get_by_role("button", name="Start", exact=True).click()
        tab.get_by_text("running", exact=True).first.wait_for(timeout=30_000)
        tab.get_by_role("button", name="Remove").click()
        tab.get_by_role("button", name="Remove the job").click()
        tab.wait_for_url("**/jobs")
        assert page.problems == []
    assert "into gone" not in [job.name for job in studio.services.jobs.list()]


def test_a_user_for_the_generator_is_made_and_reaches_nothing_else(
    studio: Studio, chromium: Browser
) -> None:
    with chromium.page() as page:
        tab = page.open("/users")
        tab.get_by_role("button", name="New user").first.click()
        tab.get_by_label("Name", exact=True).fill("student")
        tab.get_by_label("Password", exact=True).fill("correct horse battery")
        page.picture("new-user")
        tab.get_by_role("button", name="Add the user").click()
        tab.get_by_role("cell", name="the generator only").wait_for()
        assert_sound(page, "users")
    with chromium.stranger() as page:
        tab = page.page
        tab.goto(chromium.base + "/signin")
        tab.get_by_label("User").fill("student")
        tab.get_by_label("Password").fill("correct horse battery")
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_url("**/generator")
        tab.locator("main h1").wait_for()
        assert tab.locator(".rail a.rail-item").all_inner_texts() == ["bolt\nGenerator"]
        assert tab.get_by_role("button", name="New", exact=True).count() == 0, "no new stream"
        page.picture("generator-only")
        answer = tab.goto(chromium.base + "/notes")
        assert answer is not None
        assert answer.status == 403
        tab.get_by_text("does not allow this page").wait_for()
        page.picture("not-allowed")


def test_series_with_scores_and_marked_anomalies(studio: Studio, chromium: Browser) -> None:
    monitor = Monitor(studio.services.directory.monitor, 60_000)
    start = 1_764_072_000_000
    why = {"rate": {"DIRECTION": "HIGH", "STRENGTH": "1.0", "ATTRIBUTION_SCORE": "3.0"}}
    points = [
        Point(start + i * 1000, [400.0 if 60 <= i < 66 else 100.0], 3.0 if 60 <= i < 66 else 0.9,
              0.9 if 60 <= i < 66 else 0.0, i == 60, [100.0], why if 60 <= i < 66 else None)
        for i in range(100)
    ]  # fmt: skip
    monitor.add("walkjob", "forest", f"/books{EVIL}", ["rate"], points)
    monitor.add("walkjob", "forest", "/home", ["rate"], [p for p in points if not p.grade])
    with chromium.page() as page:
        tab = page.open("/anomalies")
        assert_sound_everywhere(page, "anomalies")
        assert (
            "rate is too high: 400 where about 100 was expected"
            in tab.locator(".alert-row").inner_text()
        )
        assert tab.locator(".grid img").count() == 0
        tab.get_by_label("Filter by key").fill("home")
        tab.locator("main h2:visible", has_text="/home").wait_for()
        assert tab.locator(".alert-row").count() == 0
        tab.get_by_label("Filter by key").fill("")
        tab.locator(".alert-row").click()
        tab.wait_for_url("**at=*")
        tab.get_by_role("button", name="Newest").wait_for()
        assert page.problems == []


def test_a_word_about_an_anomaly_and_other_options_tried(studio: Studio, chromium: Browser) -> None:
    """Feedback, a rule, what-if, the band and an incident, on the page of anomalies."""
    monitor = Monitor(studio.services.directory.monitor, 0)
    anomalies, start = studio.services.anomalies, 1_764_072_000_000
    facts = {
        "id": 1, "start_ms": start, "column": "rate", "direction": "high", "keys": 182, "of": 200,
        "change": 3.0, "explained_by": {}, "sentence": "182 of 200 keys rose by 300 % at 12:00",
    }  # fmt: skip
    values = [100.0 + (i * 7) % 5 for i in range(400)]
    values[300] = 400.0
    points = [
        Point(start + i * 60_000, [x], 1.0, 0.9 if i == 300 else 0.0, i == 300, [102.0], None,
              lower=[90.0], upper=[114.0], rarity=5.0 if i == 300 else 0.3,
              event="begin" if i == 300 else "",
              incident=json.dumps(facts) if i == 300 else "")
        for i, x in enumerate(values)
    ]  # fmt: skip
    monitor.add("wordjob", "forest", "spoken", ["rate"], points)
    (series,) = [s for s in anomalies.series() if s.key == "spoken"]
    with chromium.page() as page:
        tab = page.open(f"/anomalies?series={quote(series.series_id, safe='')}")
        tab.get_by_text("182 of 200 keys rose by 300 % at 12:00").wait_for()
        tab.get_by_label("False alarms").fill("10/10000 rows")
        tab.get_by_role("button", name="Try over what is kept").click()
        tab.get_by_text("with these options, 1 alert as it runs").wait_for()
        page.picture("what-if")
        tab.get_by_role("button", name="This is normal").click()
        tab.get_by_text("was said to be normal; it acts from").wait_for()
        tab.get_by_role("button", name="Mute this key").click()
        tab.get_by_text("key spoken").wait_for()
        tab.get_by_role("button", name="Remove", exact=True).click()
        tab.get_by_text("key spoken").wait_for(state="hidden")
        assert page.problems == []
    (word,) = anomalies.feedback(series.series_id)
    assert (word.is_anomaly, word.point_ms) == (False, points[300].time_ms)
    assert anomalies.mutes() == []
    assert not [a for a in anomalies.alerts() if a.key == "spoken"]


def test_keys_lead_from_page_to_page_and_turn_dark(studio: Studio, chromium: Browser) -> None:
    with chromium.stranger() as page:
        page.page.goto(SignIn(studio.services.data_dir).link(chromium.base))
        tab = page.open("/")
        for key, path in (("s", "/streams"), ("r", "/generator"), ("n", "/notes"), ("j", "/jobs")):
            tab.keyboard.press("g")
            tab.keyboard.press(key)
            tab.wait_for_url(f"**{path}")
            page.wait_alive()
        tab.keyboard.press("?")
        tab.get_by_role("dialog").get_by_text("Dark, light or the system's theme").wait_for()
        page.picture("keys")
        tab.keyboard.press("Escape")
        tab.get_by_role("dialog").wait_for(state="hidden")
        for mode in ("body--light", "body--dark"):
            tab.keyboard.press("t")
            tab.locator(f"body.{mode}").wait_for()
        assert page.problems == []


def test_signing_out_leads_to_the_sign_in_page(studio: Studio, chromium: Browser) -> None:
    link = SignIn(studio.services.data_dir).link(chromium.base)
    with chromium.stranger() as page:
        page.page.goto(link)
        other = Page(page.page.context.new_page(), chromium.base)
        other.open("/streams")
        page.page.get_by_role("button", name="Sign out").click()
        page.page.wait_for_url("**/signin")
        other.page.wait_for_url("**/signin?next=/streams")
        page.page.goto(chromium.base + "/")
        assert "/signin" in page.page.url


@pytest.mark.parametrize("path", PAGES)
def test_pages_with_things_on_them(chromium: Browser, path: str) -> None:
    walk(chromium, path, f"full{path.replace('/', '-')}")


def test_a_page_that_is_not_there(chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open("/streams/no-such")
        assert "no-such" in tab.locator(".notice").first.inner_text()
        tab = page.open("/notes/no-such")
        tab.get_by_text("There is no note no-such").wait_for()
        page.picture("not-there")
        for path in ("/streams/no-such", "/notes/no-such", "/no-such"):
            answer = tab.goto(page.base + path)
            assert answer is not None
            assert (path, answer.status) == (path, 404)
        tab.get_by_role("button", name="Go to the overview").click()
        tab.wait_for_url(page.base + "/")


def test_the_lab_runs_from_one_click(studio: Studio, chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open("/notes")
        tab.get_by_role("button", name="Set up the lab").first.click()
        tab.wait_for_url("**/notes/2*")
        tab.get_by_role("button", name="Run all").click()
        rate = tab.locator(".paragraph", has=tab.locator('input[value="The rate as it runs"]'))
        rate.locator(".grid tbody tr").first.wait_for(timeout=90_000)
        rate.get_by_role("button", name="Line").click()
        rate.locator(".chart svg").wait_for()
        assert_sound(page, "lab-running")
        tab.get_by_role("button", name="Stop all").click()
        tab.get_by_text("7 paragraphs", exact=True).wait_for(timeout=30_000)
    states = {g.name: g.actual for g in studio.services.generators.list()}
    assert states["visitors"] == "RUNNING"
    assert states[lab.BURST_SENDER] not in ("RUNNING", "STARTING")  # waits to be started
    assert {lab.CLICK_STREAM, lab.ANOMALY_STREAM} <= {
        s.name for s in studio.services.streams.list()
    }
    studio.services.generators.stop("visitors")
