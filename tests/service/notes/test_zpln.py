"""Note files: what Zeppelin wrote comes back as it was; what is no note is refused in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline.errors import EddylineError
from eddyline.service import lab
from eddyline.service.notes import zpln
from eddyline.service.notes.moment import epoch_ms, zeppelin_text
from eddyline.service.notes.note import new_note, new_paragraph

NOW = 1_764_000_000_000
NOTE: dict[str, Any] = {
    "paragraphs": [
        {
            "title": "Per minute",
            "text": "%flink.ssql(type=update)\nSELECT 1",
            "user": "anonymous",
            "dateUpdated": "2023-04-12T14:44:45+0000",
            "progress": 0,
            "config": {"colWidth": 12.0, "fontSize": 9.0, "enabled": True, "somethingNew": [1]},
            "settings": {"params": {"n": 5.0}, "forms": {}},
            "results": {"code": "SUCCESS", "msg": [{"type": "TABLE", "data": "a\tb\n1\tnull\n"}]},
            "apps": [],
            "runtimeInfos": {"jobUrl": {"values": [{"jobUrl": "http://localhost:8081#/job/7fb3"}]}},
            "progressUpdateIntervalMs": 500,
            "jobName": "paragraph_1578910004762_-286113604",
            "id": "paragraph_1578910004762_-286113604",
            "dateCreated": "2020-01-13 10:06:44.762",
            "status": "ABORT",
            "$$hashKey": "object:4",
        },
        {"text": "/* a comment\n*/", "id": "p2", "status": "FINISHED", "config": {}},
        {"id": "p3", "status": "READY"},
    ],
    "name": "Streaming/Sensors ≥ 1",
    "id": "2EYT7Q6R8",
    "defaultInterpreterGroup": "flink",
    "version": "0.10.0",
    "noteParams": {},
    "noteForms": {},
    "angularObjects": {},
    "config": {"looknfeel": "default", "personalizedMode": "false"},
    "info": {},
    "path": "/Streaming/Sensors",
}


def test_nothing_is_lost_on_the_way_through() -> None:
    note = zpln.read(json.dumps(NOTE).encode(), "Sensors.zpln", NOW)
    written = json.loads(zpln.write(note))
    assert written == NOTE
    assert list(written) == list(NOTE)
    assert list(written["paragraphs"][0]) == list(NOTE["paragraphs"][0])
    assert b"12.0" in zpln.write(note)


def test_a_byte_order_mark_is_no_obstacle() -> None:
    note = zpln.read(b"\xef\xbb\xbf" + json.dumps(NOTE).encode(), "x.zpln", NOW)
    assert note.name == "Streaming/Sensors ≥ 1"
    assert not zpln.write(note).startswith(b"\xef\xbb\xbf")


def test_a_note_without_name_and_ids_gets_them() -> None:
    text = json.dumps({"paragraphs": [{"text": "a"}, {"text": "b"}]})
    note = zpln.read(text.encode(), "dir/Mine.zpln", NOW)
    assert note.name == "Mine"
    assert len(note.id) == 9
    assert len({p.id for p in note.paragraphs}) == 2


def test_two_paragraphs_of_one_id_become_two() -> None:
    text = json.dumps({"paragraphs": [{"id": "p", "text": "a"}, {"id": "p", "text": "b"}]})
    note = zpln.read(text.encode(), "x.zpln", NOW)
    assert [p.text for p in note.paragraphs] == ["a", "b"]
    assert len({p.id for p in note.paragraphs}) == 2


@pytest.mark.parametrize(
    ("data", "says", "place"),
    [
        (b"", "it is empty", None),
        (b"  \n", "it is empty", None),
        (b'{"paragraphs": [\n  {"text": }]}', "it is not JSON: expecting value", (2, 12)),
        (b"hello", "it is not JSON", (1, 1)),
        (b"\xff\xfe{", "it is not UTF-8 text (byte 0)", None),
        (b"[1]", "not an object", None),
        (b'{"name": "x"}', "no list of paragraphs", None),
        (b'{"paragraphs": [1]}', "paragraph 1 is not an object", None),
        (b'{"paragraphs": [{}, {"text": 7}]}', '"text" of paragraph 2 is not a text', None),
        (b'{"paragraphs": [{"config": []}]}', '"config" of paragraph 1 is not an object', None),
        (b'{"paragraphs": [], "name": 3}', '"name" is not a text', None),
        (b'{"paragraphs": [{"x": NaN}]}', "NaN", None),
        (b'{"paragraphs": [], "x": "\\ud800"}', "half of a character", None),
        (b'{"paragraphs":' * 5000, "it is not JSON", None),
    ],
)
def test_what_is_no_note_is_refused(data: bytes, says: str, place: tuple[int, int] | None) -> None:
    with pytest.raises(EddylineError) as caught:
        zpln.read(data, "Sensors.zpln", NOW)
    error = caught.value
    assert error.code == "bad_file"
    assert error.message.startswith("Sensors.zpln cannot be imported: ")
    assert says in error.message
    assert error.hint
    if place is not None:
        assert error.span is not None
        assert (error.span.line, error.span.column) == place


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_unknown_fields_survive_whatever_they_hold(value: Any) -> None:
    document = {"paragraphs": [{"id": "p", "x": value}], "name": "n", "id": "i", "x": value}
    note = zpln.read(json.dumps(document).encode(), "n.zpln", NOW)
    assert json.loads(zpln.write(note)) == json.loads(json.dumps(document))


def test_a_note_of_ours_reads_as_one_of_theirs() -> None:
    note = new_note("Mine")
    note.paragraphs = [new_paragraph("%md\nhello", NOW, "Title")]
    again = zpln.read(zpln.write(note), "x", NOW)
    assert again.fields == note.fields
    assert again.paragraphs == note.paragraphs
    assert again.paragraphs[0].title == "Title"
    assert again.paragraphs[0].fields["dateCreated"] == "2025-11-24 16:00:00.000"


@pytest.mark.parametrize("name", [lab.SENSOR_NOTE, lab.CLICK_NOTE, lab.WEB_NOTE])
def test_the_example_notes_are_notes(name: str) -> None:
    data = lab.note_bytes(name)
    note = zpln.read(data, name, NOW)
    assert note.paragraphs
    assert json.loads(zpln.write(note)) == json.loads(data.decode("utf-8-sig"))


def test_file_name_is_zeppelins() -> None:
    note = zpln.read(json.dumps({**NOTE, "name": "a/b: c?"}).encode(), "x", NOW)
    assert zpln.file_name(note) == "b_ c__2EYT7Q6R8.zpln"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2020-01-13 10:06:44.762", 1_578_910_004_762),
        ("2023-04-12T14:44:45+0000", 1_681_310_685_000),
        ("2023-04-12T16:44:45+0200", 1_681_310_685_000),
        ("Jan 13, 2020 10:06:44 AM", 1_578_910_004_000),
        ("soon", None),
        (None, None),
        (5, None),
    ],
)
def test_dates_of_all_ages(text: object, ms: int | None) -> None:
    assert epoch_ms(text) == ms


@given(st.integers(0, 4_000_000_000_000))
def test_dates_of_ours_read_back(ms: int) -> None:
    assert epoch_ms(zeppelin_text(ms)) == ms
