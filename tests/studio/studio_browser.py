"""A browser for the studio's tests: the one that the machine has, driven over its own protocol."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Two frames: what the page has changed by then has been laid out.
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Charts take their new width a moment after the window has.
SETTLED_MS = 1000
# What no page of ours causes: the browser's own words when a page is left while it loads.
HARMLESS = re.compile(r"net::ERR_ABORTED|ERR_CONNECTION_RESET")


def executable() -> str:
    """The browser's path; the test is skipped without one, and fails in CI."""
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    if program is None:
        words = f"NO BROWSER: none of {', '.join(NAMES)} is here; the studio was not looked at"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(words)
        pytest.skip(words)
    return program


class Page:
    """One tab. It remembers what went wrong in it."""

    def __init__(self, page: Any, base: str) -> None:
        self.page = page
        self.base = base
        self.problems: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("response", self._response)
        page.set_default_timeout(60_000)

    def _console(self, message: Any) -> None:
        if message.type == "error" and not HARMLESS.search(message.text):
            self.problems.append(f"console: {message.text}")

    def _response(self, response: Any) -> None:
        if response.status >= 500:
            self.problems.append(f"{response.status} of {response.url}")

    def look(self, width: int, scheme: str) -> None:
        """Make the window that wide, and the system dark or light."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme)
        self.page.evaluate(FRAMES)

    def open(self, path: str) -> Any:
        """Go to a page of the studio and wait until it is alive."""
        self.page.goto(self.base + path)
        self.wait_alive()
        return self.page

    def wait_alive(self) -> None:
        """Wait until the page talks with its server."""
        self.page.wait_for_selector("main h1")
        self.page.wait_for_function(_ALIVE)
        self.page.evaluate(FRAMES)

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window, once it has settled."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        from playwright.sync_api import TimeoutError as TooLong

        with suppress(TooLong):
            self.page.wait_for_function(f"() => {script} <= 0", timeout=SETTLED_MS)
        return int(self.page.evaluate(script))

    def unnamed(self) -> list[str]:
        """Controls that have no name a screen reader could say."""
        elements: list[str] = self.page.evaluate(_UNNAMED)
        return elements

    def unseen_focus(self, tabs: int = 30) -> list[str]:
        """Of the first controls that the Tab key reaches, those that do not show the focus."""
        self.page.evaluate("() => document.activeElement.blur()")
        unseen: list[str] = []
        for _ in range(tabs):
            self.page.keyboard.press("Tab")
            control = self.page.evaluate(_UNSEEN_FOCUS)
            if control is not None:
                unseen.append(control)
        return unseen

    def picture(self, name: str) -> None:
        """Keep a picture of the whole page, if pictures are wanted."""
        folder = os.environ.get("EDDYLINE_SCREENSHOTS")
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size
        height = self.page.evaluate("document.documentElement.scrollHeight")
        # As tall as the page, so that editors below the fold are measured, too.
        self.page.set_viewport_size({"width": size["width"], "height": min(height, 6000)})
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=str(Path(folder) / f"{name}.png"))
        self.page.set_viewport_size(size)


_ALIVE = "() => window.did_handshake === true"
# The focused control, unless it or what it lies in has an outline, a ring or the accent's border.
_UNSEEN_FOCUS = """() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body || !focused.getClientRects().length) return null;
  const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
  const probe = document.createElement("i");
  probe.style.color = accent;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  for (let e = focused, n = 0; e && e !== document.body && n < 6; e = e.parentElement, n++) {
    const style = getComputedStyle(e);
    if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) return null;
    if (style.boxShadow.includes(color) || style.borderTopColor === color) return null;
  }
  return focused.outerHTML.slice(0, 300);
}"""
_UNNAMED = """() => {
  const named = (e) => (e.getAttribute("aria-label") || e.title || e.textContent.trim() ||
    e.placeholder || e.getAttribute("aria-labelledby") || (e.labels && e.labels.length) ||
    e.closest("label")?.textContent.trim());
  const all = document.querySelectorAll(
    "button, a[href], input:not([type=file]):not([type=hidden]), select, textarea, " +
    "[role=textbox], [role=combobox]");
  return [...all].filter((e) => e.getClientRects().length && !named(e))
    .map((e) => e.outerHTML.slice(0, 160));
}"""


class Browser:
    """A running browser with the cookies of somebody who has signed in."""

    def __init__(self, browser: Any, base: str, state: Any) -> None:
        self._browser = browser
        self.base = base
        self._shared = self.window(state)

    def window(self, state: Any = None) -> Any:
        """A window with cookies of its own."""
        return self._browser.new_context(
            storage_state=state,
            viewport={"width": 1440, "height": 900},
            timezone_id="Asia/Tokyo",  # times are UTC wherever the reader sits
            accept_downloads=True,
        )

    @contextmanager
    def page(self) -> Iterator[Page]:
        """A tab of somebody who has signed in."""
        tab = self._shared.new_page()
        try:
            yield Page(tab, self.base)
        finally:
            tab.close()

    @contextmanager
    def stranger(self) -> Iterator[Page]:
        """A tab of somebody who has not."""
        window = self.window()
        try:
            yield Page(window.new_page(), self.base)
        finally:
            window.close()


@contextmanager
def browser(link: str) -> Iterator[Browser]:
    """A browser that has signed in by the link that the server printed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=executable(), args=["--no-sandbox", "--force-prefers-reduced-motion"]
        )
        try:
            context = running.new_context()
            page = context.new_page()
            page.goto(link)
            page.wait_for_selector("main h1")
            state = context.storage_state()
            context.close()
            yield Browser(running, link.split("/signin")[0], state)
        finally:
            running.close()
