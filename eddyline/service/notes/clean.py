"""HTML of a note made harmless: what is not on the list is left out, its text stays.

A note comes from anywhere. Nothing of it may run, load from another place, send a form, leave its
box or look like the studio's own controls. The browser's own sanitiser runs after this one.
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _words(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 "
    "h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody "
    "td tfoot th thead tr tt u ul var"
)
_EMPTY = _words("br col hr img")
# What is between these tags is no text to be read.
_DROPPED = _words("script style template noscript iframe object svg math title select")
_ATTRIBUTES = {
    "a": ("href", "title"),
    "abbr": ("title",),
    "img": ("src", "alt", "width", "height"),
    "li": ("value",),
    "ol": ("start",),
    "td": ("colspan", "rowspan", "align"),
    "th": ("colspan", "rowspan", "align", "scope"),
}
_LINK = re.compile(r"(?:https?://|mailto:|#|/(?![/\\]))", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z")
_NUMBER = re.compile(r"\d{1,4}\Z")
_NUMBERS = _words("width height value start colspan rowspan")
DEPTH_MAX, CHARS_MAX = 64, 1_000_000


def clean(text: str) -> str:
    """Harmless HTML of any text."""
    cleaner = _Cleaner()
    cleaner.feed(text[:CHARS_MAX])
    cleaner.close()
    return cleaner.finished()


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping or tag in _DROPPED:
            if tag in _DROPPED:
                self._dropping.append(tag)
            return
        if tag not in _TAGS or len(self._open) >= DEPTH_MAX:
            return
        self._out.append(f"<{tag}{_kept(tag, attrs)}>")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            return
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.pop()
            return
        if tag not in self._open:
            return
        while self._open:
            last = self._open.pop()
            self._out.append(f"</{last}>")
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._out.append(escape(data))

    def finished(self) -> str:
        """What was kept, all tags closed."""
        return "".join(self._out) + "".join(f"</{tag}>" for tag in reversed(self._open))


def _kept(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    out = ""
    for name, value in attrs:
        if name not in _ATTRIBUTES.get(tag, ()) or value is None:
            continue
        if _harmless(name, value.strip()):
            out += f' {name}="{escape(value.strip())}"'
    return out + (' rel="noopener noreferrer" target="_blank"' if tag == "a" else "")


def _harmless(name: str, value: str) -> bool:
    if name == "href":
        return _LINK.match(value) is not None
    if name == "src":
        return _PICTURE.match(value) is not None
    if name in _NUMBERS:
        return _NUMBER.match(value) is not None
    return True
