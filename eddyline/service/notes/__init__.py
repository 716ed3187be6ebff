"""Notes: Zeppelin's files, their paragraphs run as Flink SQL, their results kept with them."""

from eddyline.service.notes.edits import Edited
from eddyline.service.notes.notes import NoteInfo, Notes, NoteView, ParagraphView

__all__ = ["Edited", "NoteInfo", "NoteView", "Notes", "ParagraphView"]
