"""The README's picture, made from the running product.

Starts the demo, waits until it has found the burst, and takes the Anomalies page:

    python tests/studio/picture.py docs/studio.png
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from studio_browser import browser

FOUND_S, AFTER_S = 180.0, 12.0
SEED = "1"
_LINK = re.compile(r"(http://\S+/signin\?token=\S+)")


class Demo:
    """A running demo, and what it says."""

    def __init__(self, folder: str) -> None:
        command = [sys.executable, "-m", "eddyline.cli.main", "demo", "--seed", SEED]
        self.process = subprocess.Popen(
            [*command, "--data-dir", folder], stderr=subprocess.PIPE, text=True
        )
        self.link = ""
        self.detected = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            link = _LINK.search(line)
            self.link = link[1] if link else self.link
            if "ANOMALY" in line:
                self.detected.set()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def take(file: Path) -> None:
    """Take the picture."""
    with tempfile.TemporaryDirectory(prefix="eddyline-picture-") as folder:
        demo = Demo(folder)
        try:
            if not demo.detected.wait(FOUND_S):
                raise SystemExit("the demo found nothing; is the machine very busy?")
            with browser(demo.link) as chromium, chromium.page() as page:
                page.page.set_viewport_size({"width": 1440, "height": 940})
                page.open("/anomalies")
                page.page.wait_for_timeout(AFTER_S * 1000)
                file.parent.mkdir(parents=True, exist_ok=True)
                page.page.screenshot(path=str(file))
        finally:
            demo.stop()


if __name__ == "__main__":
    take(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/studio.png"))
