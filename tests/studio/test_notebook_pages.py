"""The pages of notebooks, applications, users and roles, used as people use them."""

from __future__ import annotations

import json

import pytest
from conftest import Studio
from studio_browser import Browser, Page

from eddyline.auth.entities import Entities, EntityKind
from eddyline.auth.grants import Grants
from eddyline.log import PutBatch
from eddyline.service.applications.model import SQL

pytestmark = pytest.mark.browser
CODE = (
    "%flink.ssql\nCREATE TABLE IF NOT EXISTS ticks (n INT) WITH ('connector' = 'datagen', "
    "'rows-per-second' = '20');\nCREATE TABLE IF NOT EXISTS gone (n INT) WITH "
    "('connector' = 'blackhole');\nINSERT INTO gone SELECT n FROM ticks WHERE n > 0;"
)


def assert_sound(page: Page, name: str) -> None:
    """Nothing failed, nothing sticks out at any width, every control has a name."""
    for width in (1440, 800, 390):
        for scheme in ("light", "dark"):
            page.look(width, scheme)
            page.picture(f"{name}-{width}-{scheme}")
        assert page.overflow <= 0, width
    page.look(1440, "light")
    assert page.unnamed() == []
    assert page.problems == []


@pytest.fixture(scope="module")
def streams(studio: Studio) -> tuple[str, str]:
    for name in ("readings", "alarms"):
        studio.services.streams.create(name, 1)
    data = [b'{"sensor": 1, "level": 2.5}'] * 5
    studio.services.streams.open("readings").put(PutBatch(["k"] * 5, data)).result()
    return ("readings", "alarms")


def test_a_notebook_is_made_from_a_stream_and_its_streams_are_ticked(
    studio: Studio, chromium: Browser, streams: tuple[str, str]
) -> None:
    with chromium.page() as page:
        tab = page.open("/notebooks")
        tab.get_by_text("No notebooks yet").wait_for()
        tab.get_by_role("button", name="New notebook").first.click()
        tab.get_by_label("Name").fill("no name!")
        tab.get_by_role("button", name="Create", exact=True).click()
        tab.get_by_text("is no name for an application").wait_for()
        tab.get_by_role("button", name="New notebook").first.click()
        tab.get_by_label("Name").fill("levels")
        tab.get_by_label("Process data of").click()
        tab.get_by_role("option", name="readings").click()
        page.picture("new-notebook")
        tab.get_by_role("button", name="Create", exact=True).click()
        tab.wait_for_url("**/notebooks/levels")
        reads, writes = (tab.get_by_label(f"{word} readings") for word in ("Reads", "Writes"))
        reads.wait_for()
        assert (reads.get_attribute("aria-checked"), writes.get_attribute("aria-checked")) == (
            "true",
            "false",
        )
        assert tab.get_by_label("Reads alarms").get_attribute("aria-checked") == "false"
        tab.get_by_label("Writes alarms").click()
        tab.get_by_role("button", name="Save the permissions").click()
        tab.get_by_text("The permissions are saved").wait_for()
        assert_sound(page, "notebook")
        tab.get_by_role("button", name="Stop").click()
        tab.get_by_role("button", name="Start").wait_for()
    document = Grants(studio.services.data_dir, "").inline(EntityKind.ROLE, "notebook-levels")[
        "streams"
    ]
    statements = {s["Sid"]: s for s in json.loads(document)["Statement"]}
    assert statements["Read"]["Resource"] == [
        "arn:aws:kinesis:us-east-1:000000000000:stream/readings"
    ]
    assert statements["Write"]["Resource"] == [
        "arn:aws:kinesis:us-east-1:000000000000:stream/alarms"
    ]
    made = studio.services.applications.get("levels")
    texts = [p.text for p in studio.services.notes.view(str(made.note)).paragraphs]
    assert "'stream' = 'readings'" in texts[1]
    with chromium.page() as page:
        tab = page.open("/notebooks")
        tab.get_by_role("link", name="levels", exact=True).first.wait_for()
        assert_sound(page, "notebooks")
        tab.get_by_role("button", name="Delete levels").click()
        tab.get_by_role("button", name="Delete the notebook").click()
        tab.get_by_text("No notebooks yet").wait_for()
        assert page.problems == []
    assert Entities(studio.services.data_dir).find(EntityKind.ROLE, "notebook-levels") is None


def test_an_application_is_started_looked_at_and_stopped_with_a_snapshot(
    studio: Studio, chromium: Browser
) -> None:
    studio.services.notes.create("Ticks", [CODE])
    with chromium.page() as page:
        tab = page.open("/applications")
        tab.get_by_role("button", name="New application").first.click()
        tab.get_by_label("Name").fill("ticking")
        tab.get_by_label("Code of the note").click()
        tab.get_by_role("option", name="Ticks").click()
        tab.get_by_role("button", name="Create", exact=True).click()
        tab.wait_for_url("**/applications/ticking")
        tab.get_by_role("button", name="Start", exact=True).click()
        tab.locator(".operator-graph .box").nth(1).wait_for(timeout=90_000)
        tab.get_by_role("button", name="Take a snapshot").click()
        tab.get_by_role("dialog").get_by_label("Name").fill("before")
        tab.get_by_role("button", name="Take it").click()
        tab.get_by_role("cell", name="before", exact=True).wait_for()
        tab.get_by_role("cell", name="CreateApplicationSnapshot").wait_for()
        tab.get_by_role("button", name="Stop", exact=True).click()
        tab.get_by_role("button", name="Start over").wait_for()
        assert tab.get_by_role("cell", name="StartApplication").count() == 1
        assert_sound(page, "application")
        page.open("/applications")
        tab.get_by_role("link", name="ticking").wait_for()
        assert_sound(page, "applications")
        tab.get_by_role("button", name="Delete ticking").click()
        tab.get_by_role("button", name="Delete the application").click()
        tab.get_by_text("No applications yet").wait_for()
        assert page.problems == []
    answer = studio.services.applications.list()
    assert "ticking" not in {a.name for a in answer}


def test_a_legacy_application_says_that_it_does_not_run_here(
    studio: Studio, chromium: Browser
) -> None:
    code = {"CodeContent": {"TextContent": 'CREATE STREAM "D" (x INT);'}}
    configuration = {"ApplicationCodeConfiguration": {**code, "CodeContentType": "PLAINTEXT"}}
    studio.services.applications.create("old", SQL, "SQL-1_0", configuration=configuration)
    with chromium.page() as page:
        tab = page.open("/applications/old")
        tab.get_by_text("Applications in the dialect of SQL-1_0 do not run here yet").wait_for()
        tab.get_by_text("CREATE STREAM").wait_for()
        assert not tab.get_by_role("button", name="Start", exact=True).is_visible()
        assert page.problems == []


def test_a_role_is_made_and_gets_a_policy(studio: Studio, chromium: Browser) -> None:
    with chromium.page() as page:
        tab = page.open("/users")
        tab.get_by_role("button", name="New role").click()
        tab.get_by_label("Name").fill("reader")
        tab.get_by_role("button", name="Create the role").click()
        tab.get_by_role("button", name="Policies of reader").click()
        tab.get_by_label("Document").fill('{"Statement": "nothing"}')
        tab.get_by_role("button", name="Save the policy").click()
        tab.get_by_role("dialog").locator(".notice").wait_for()
        allow = {"Effect": "Allow", "Action": "kinesis:Get*", "Resource": "*"}
        tab.get_by_label("Name of the policy").fill("read")
        tab.get_by_label("Document").fill(json.dumps({"Statement": allow}))
        tab.get_by_role("button", name="Save the policy").click()
        tab.get_by_text("Saved. It counts").wait_for()
        tab.get_by_label("Managed policies").click()
        tab.get_by_role("option", name="AmazonKinesisReadOnlyAccess").click()
        tab.keyboard.press("Escape")
        page.picture("policies")
        tab.get_by_role("button", name="Close").click()
        tab.get_by_role("cell", name="kinesisanalytics.amazonaws.com").wait_for()
        assert_sound(page, "roles")
    grants = Grants(studio.services.data_dir, "")
    assert json.loads(grants.inline(EntityKind.ROLE, "reader")["read"]) == {"Statement": allow}
    names = [policy.name for policy in grants.attached(EntityKind.ROLE, "reader")]
    assert names == ["AmazonKinesisReadOnlyAccess"]
    with chromium.page() as page:
        tab = page.open("/users")
        tab.get_by_role("button", name="Delete reader").click()
        tab.get_by_role("button", name="Delete the role").click()
        tab.get_by_text("No roles yet").wait_for()


@pytest.mark.parametrize("path", ["/notebooks/nothing", "/applications/nothing"])
def test_what_is_not_there_says_so(chromium: Browser, path: str) -> None:
    with chromium.page() as page:
        answer = page.page.goto(chromium.base + path)
        assert answer is not None
        assert answer.status == 404
        page.page.get_by_text("There is no application nothing").wait_for()
