"""Named templates of the generator: five to begin with, others in files of the data directory.

A file is named after its template, so that it can be copied in and out by hand; what a file name
cannot hold is percent-encoded.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import quote, unquote

from eddyline.errors import EddylineError
from eddyline.generator.folder import Folder
from eddyline.service import lab

FOLDER = "templates"
LISTS = "lists"
NAME_CHARS_MAX, TEMPLATE_CHARS_MAX, TEMPLATES_MAX = 80, 1_000_000, 500
_SUFFIX = ".template"
_ORDER = """{
    "order_id": "{{random.uuid}}",
    "customer": {"id": {{random.number({"min": 1, "max": 500})}}, "name": "{{name.firstName}}"},
    "total": {{random.number({"min": 5, "max": 250, "precision": 0.01})}},
    "status": "{{random.weightedArrayElement({"weights": [0.9, 0.08, 0.02],
        "data": ["paid", "pending", "failed"]})}}",
    "at": "{{date.utc("YYYY-MM-DDTHH:mm:ss.SSS")}}"
}"""
_ACCESS = (
    '{{internet.ip}} - - [{{date.utc("DD/MMM/YYYY:HH:mm:ss")}} +0000] '
    '"GET {{random.arrayElement(["/","/books","/music","/garden","/cart"])}} HTTP/1.1" '
    '{{random.weightedArrayElement({"weights":[0.95,0.04,0.01],"data":[200,404,500]})}} '
    '{{random.number({"min":200,"max":9000})}} "-" "{{internet.userAgent}}"'
)
EXAMPLES: dict[str, str] = {
    "Sensors": lab.SENSOR_TEMPLATE,
    "Clicks": lab.CLICK_TEMPLATE,
    "Impressions": lab.IMPRESSION_TEMPLATE,
    "Orders": _ORDER,
    "Access log": _ACCESS,
}


class Templates:
    """The templates of a data directory; a kept one stands before an example of its name."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def names(self) -> list[str]:
        """All names: the examples, then those kept."""
        kept = sorted(
            (unquote(file.name.removesuffix(_SUFFIX)) for file in self._files()), key=str.casefold
        )
        return [*EXAMPLES, *(name for name in kept if name not in EXAMPLES)]

    def is_kept(self, name: str) -> bool:
        """Whether there is a file of that name, which can be removed."""
        return self._file(name).is_file()

    def read(self, name: str) -> str:
        """A template's text. Raises ``not_found`` or ``bad_file``."""
        file = self._file(name)
        try:
            return file.read_text("utf-8")
        except FileNotFoundError:
            if name in EXAMPLES:
                return EXAMPLES[name]
            hint = f"there are {', '.join(self.names()[:20])}"
            raise EddylineError("not_found", f"there is no template {name}", hint=hint) from None
        except (OSError, UnicodeDecodeError) as error:
            raise EddylineError("bad_file", f"cannot read {file}: {error}") from error

    def save(self, name: str, text: str) -> None:
        """Keep a template under a name. Raises ``invalid_argument`` or ``limit_exceeded``."""
        name = _named(name)
        if len(text) > TEMPLATE_CHARS_MAX:
            msg = f"a template has at most {TEMPLATE_CHARS_MAX:,} characters"
            raise EddylineError("limit_exceeded", msg)
        if not self.is_kept(name) and len(self._files()) >= TEMPLATES_MAX:
            msg = f"there are {TEMPLATES_MAX} templates"
            raise EddylineError("limit_exceeded", msg, hint="remove one of them first")
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self._folder, delete=False) as file:
            file.write(text)
        os.replace(file.name, self._file(name))

    def remove(self, name: str) -> None:
        """Forget a kept template; an example of its name is back then."""
        self._file(name).unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return list(self._folder.glob(f"*{_SUFFIX}"))

    def _file(self, name: str) -> Path:
        return self._folder / f"{quote(name, safe=' ')}{_SUFFIX}"


def lists_folder(data_dir: Path) -> Path:
    """The folder of the files that ``file.value`` reads in templates of a server."""
    return data_dir / LISTS


def lists(data_dir: Path) -> Folder:
    """The files that templates of a server may read."""
    return Folder((lists_folder(data_dir),))


def _named(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= NAME_CHARS_MAX or len(quote(name)) > 200 or not name.isprintable():
        msg = f"a template's name has 1 to {NAME_CHARS_MAX} printable characters"
        raise EddylineError("invalid_argument", msg)
    return name
