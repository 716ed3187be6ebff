"""A note and its paragraphs: the JSON that Zeppelin keeps, with names for the fields we know.

The fields are held as they came, in their order, unknown ones too, so that a note that is
imported and exported again has lost nothing. What runs and what is on screen is not in here; see
``open_note``.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from eddyline.service.notes.moment import zeppelin_text
from eddyline.service.role_check import NOTEBOOK as NOTEBOOK

READY, PENDING, RUNNING = "READY", "PENDING", "RUNNING"
FINISHED, ERROR, ABORT = "FINISHED", "ERROR", "ABORT"
# A paragraph's field while its results are those that came with an imported file.
IMPORTED = "eddylineImported"
# The notebook of notes that name none.
DEFAULT_NOTEBOOK = "default"
# A note's field with the cron expression at whose times it runs here.
SCHEDULE = "eddylineSchedule"
STATES = (READY, PENDING, RUNNING, FINISHED, ERROR, ABORT)
# What Zeppelin's note ids are made of: base 58 without look-alikes, nine of them.
_ID_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(slots=True)
class Paragraph:
    """One paragraph; ``fields`` is its JSON object."""

    fields: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.fields["id"])

    @property
    def text(self) -> str:
        return str(self.fields.get("text") or "")

    @text.setter
    def text(self, text: str) -> None:
        self.fields["text"] = text

    @property
    def title(self) -> str:
        return str(self.fields.get("title") or "")

    @title.setter
    def title(self, title: str) -> None:
        self.fields["title"] = title
        self.config["title"] = bool(title)

    @property
    def status(self) -> str:
        status = str(self.fields.get("status") or READY)
        return status if status in STATES else READY

    @property
    def enabled(self) -> bool:
        return bool(self.config.get("enabled", True))

    @property
    def editor_hidden(self) -> bool:
        """Whether its text is not shown."""
        return bool(self.config.get("editorHide", False))

    @property
    def output_hidden(self) -> bool:
        """Whether its results are not shown."""
        return bool(self.config.get("tableHide", False))

    @property
    def width(self) -> int:
        """Its width in twelfths of the page."""
        width = self.config.get("colWidth", 12)
        return int(width) if isinstance(width, int | float) and 1 <= width <= 12 else 12

    @property
    def config(self) -> dict[str, Any]:
        return _object(self.fields, "config")

    @property
    def params(self) -> dict[str, Any]:
        """The values of its dynamic forms."""
        return _object(_object(self.fields, "settings"), "params")

    @property
    def made_forms(self) -> dict[str, Any]:
        """The forms that its Python has made, by name, in Zeppelin's JSON."""
        return _object(_object(self.fields, "settings"), "forms")

    @property
    def runs_on_change(self) -> bool:
        """Whether a choice in one of its forms runs it."""
        return bool(self.config.get("runOnSelectionChange", True))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Its results: ``{"type": ..., "data": ...}`` each."""
        results = self.fields.get("results")
        messages = results.get("msg") if isinstance(results, dict) else None
        return [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []

    def graph(self, index: int) -> dict[str, Any]:
        """How result ``index`` is drawn, as Zeppelin keeps it; empty if it never was."""
        results = self.config.get("results")
        entry = results.get(str(index)) if isinstance(results, dict) else None
        graph = entry.get("graph") if isinstance(entry, dict) else None
        return graph if isinstance(graph, dict) else {}

    def set_graph(self, index: int, graph: dict[str, Any]) -> None:
        """Keep how result ``index`` is drawn; settings it does not name stay."""
        entry = _object(_object(self.config, "results"), str(index))
        entry["graph"] = {**self.graph(index), **graph}
        entry.setdefault("helium", {})


@dataclass(slots=True)
class Note:
    """A note: paragraphs in order; ``fields`` is its JSON object without them."""

    fields: dict[str, Any]
    paragraphs: list[Paragraph] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.fields["id"])

    @property
    def name(self) -> str:
        return str(self.fields["name"])

    @property
    def group(self) -> str:
        """The interpreter group of paragraphs that name none."""
        return str(self.fields.get("defaultInterpreterGroup") or "flink")

    @property
    def notebook(self) -> str:
        """The notebook whose Python, temporary objects and options it shares."""
        return str(self.fields.get(NOTEBOOK) or DEFAULT_NOTEBOOK)

    @notebook.setter
    def notebook(self, name: str) -> None:
        self.fields[NOTEBOOK] = name

    @property
    def schedule(self) -> str:
        """The cron expression at whose times it runs; empty if it does not run by itself."""
        return str(self.fields.get(SCHEDULE) or "")

    @schedule.setter
    def schedule(self, cron: str) -> None:
        config = _object(self.fields, "config")
        if cron:
            self.fields[SCHEDULE] = config["cron"] = cron
        else:
            self.fields.pop(SCHEDULE, None)
        config["isZeppelinNotebookCronEnable"] = bool(cron)

    @property
    def stored_cron(self) -> str:
        """The cron expression that its file has, whether it is in force here or not."""
        return str(_object(self.fields, "config").get("cron") or "")

    @property
    def params(self) -> dict[str, Any]:
        """The values of its note-wide dynamic forms."""
        return _object(self.fields, "noteParams")

    @property
    def made_forms(self) -> dict[str, Any]:
        """The note-wide forms that its Python has made, by name, in Zeppelin's JSON."""
        return _object(self.fields, "noteForms")


def _object(of: dict[str, Any], key: str) -> dict[str, Any]:
    value = of.get(key)
    if not isinstance(value, dict):
        value = of[key] = {}
    return value


def new_note_id() -> str:
    """A note id in Zeppelin's form."""
    bits = uuid.uuid4().int
    return "2" + "".join(_ID_LETTERS[bits >> 5 * i & 31] for i in range(8))


def new_paragraph_id(now_ms: int) -> str:
    """A paragraph id in Zeppelin's form."""
    return f"paragraph_{now_ms}_{uuid.uuid4().int % 2**31}"


def new_paragraph(text: str, now_ms: int, title: str = "") -> Paragraph:
    """A paragraph nobody has run yet."""
    id = new_paragraph_id(now_ms)
    fields: dict[str, Any] = {"title": title} if title else {}
    fields |= {
        "text": text,
        "user": "anonymous",
        "dateUpdated": zeppelin_text(now_ms),
        "progress": 0,
        "config": {
            "colWidth": 12.0,
            "fontSize": 9.0,
            "enabled": True,
            "title": bool(title),
            "editorMode": "ace/mode/sql",
            "editorSetting": {
                "language": "sql",
                "editOnDblClick": False,
                "completionKey": "TAB",
                "completionSupport": True,
            },
            "results": {},
        },
        "settings": {"params": {}, "forms": {}},
        "apps": [],
        "runtimeInfos": {},
        "progressUpdateIntervalMs": 500,
        "jobName": id,
        "id": id,
        "dateCreated": zeppelin_text(now_ms),
        "status": READY,
    }
    return Paragraph(fields)


def copy_of(paragraph: Paragraph, now_ms: int) -> Paragraph:
    """The paragraph's text and settings as one that nobody has run yet."""
    copy = new_paragraph(paragraph.text, now_ms, paragraph.title)
    copy.fields["config"] = copy_json(paragraph.config)
    copy.fields["settings"] = copy_json(_object(paragraph.fields, "settings"))
    return copy


def copy_json(value: dict[str, Any]) -> dict[str, Any]:
    """A copy that shares nothing with the original."""
    copied: dict[str, Any] = json.loads(json.dumps(value))
    return copied


def new_note(name: str) -> Note:
    """A note without paragraphs."""
    return Note(
        {
            "paragraphs": [],
            "name": name,
            "id": new_note_id(),
            "defaultInterpreterGroup": "flink",
            "version": "0.12.1",
            "noteParams": {},
            "noteForms": {},
            "angularObjects": {},
            "config": {"isZeppelinNotebookCronEnable": False},
            "info": {},
        }
    )
