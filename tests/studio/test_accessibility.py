"""Every page under axe-core, dark and light; nothing serious is left.

Opt-in, because axe-core is large and has another licence: ``pip install axe-playwright-python``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Studio
from studio_browser import Browser, Page

from eddyline.studio import lab

axe_package = pytest.importorskip("axe_playwright_python")
pytestmark = pytest.mark.browser

PAGES = (
    "/", "/streams", "/generator", "/notes", "/notebooks", "/applications", "/tables", "/anomalies",
    "/jobs", "/users", "/nowhere",
)  # fmt: skip
AXE = Path(axe_package.__file__).parent / "axe.min.js"
# The two kinds of findings that keep somebody from using a page.
GRAVE = ("serious", "critical")


def findings(page: Page, scheme: str, width: int) -> list[str]:
    """What axe-core finds, one line each."""
    page.look(width, scheme)
    page.page.wait_for_timeout(300)  # the server turns the editors' colours
    if not page.page.evaluate("() => 'axe' in window"):
        page.page.evaluate(AXE.read_text())
    report: dict[str, Any] = page.page.evaluate("() => axe.run()")
    return [
        f"{scheme} {width}: {rule['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for rule in report["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


@pytest.fixture(scope="module")
def note(studio: Studio) -> str:
    """A lab with streams, generators and a note."""
    return lab.set_up(studio.services, next(iter(lab.LABS)))


@pytest.mark.parametrize("path", [*PAGES, "note", "stream", "signin"])
def test_nothing_serious(studio: Studio, chromium: Browser, note: str, path: str) -> None:
    stream = studio.services.streams.list()[0].name
    place = {"note": f"/notes/{note}", "stream": f"/streams/{stream}"}.get(path, path)
    with chromium.stranger() if path == "signin" else chromium.page() as page:
        if path == "signin":
            page.page.goto(chromium.base + "/signin")
        else:
            page.open(place)
            page.page.wait_for_timeout(500)
        lines = []
        for width in (1440, 800, 390):
            for scheme in ("light", "dark"):
                page.picture(f"axe-{path.strip('/') or 'overview'}-{width}-{scheme}")
                lines += findings(page, scheme, width)
        assert not lines, "\n".join(lines)
