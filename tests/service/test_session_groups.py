"""Sessions of a group work at the same time, and none takes away what another has just made."""

from __future__ import annotations

import threading
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eddyline.service.context_change import change_between, changed
from eddyline.service.events import RunFinished
from eddyline.service.jobs import JobContext
from eddyline.service.session_groups import SessionGroups
from eddyline.testing import TestServer, server

ENTRIES = st.builds(
    lambda name, kind, text: {"path": ["c", "d", name], "object": {"kind": kind, "text": text}},
    st.sampled_from("abc"), st.sampled_from(["view", "function"]), st.sampled_from("xy"),
)  # fmt: skip
CONTEXTS = st.builds(
    JobContext,
    st.sampled_from(["d", "e"]),
    st.dictionaries(st.sampled_from("kl"), st.sampled_from("12")),
    st.lists(ENTRIES, unique_by=lambda e: (e["object"]["kind"] == "function", *e["path"])),
    st.sampled_from(["c", "default_catalog"]),
)


def view(name: str) -> dict[str, Any]:
    return {"path": ["c", "d", name], "object": {"kind": "view", "text": name}}


def meaning(context: JobContext) -> tuple[Any, ...]:
    """A context without the order of its objects."""
    objects = sorted(map(str, context.objects))
    return context.catalog, context.database, context.options, objects


@given(CONTEXTS, CONTEXTS)
def test_a_change_leads_from_a_context_to_another(before: JobContext, after: JobContext) -> None:
    change = change_between(before, after)
    reached = before if change is None else changed(before, change)
    assert meaning(reached) == meaning(after)


def test_a_session_that_heard_nothing_yet_takes_nothing_away() -> None:
    groups, nothing = SessionGroups(), JobContext("d", {}, [], "c")
    for name in ("a", "b"):
        assert groups.join(name, "g") is None
    made = JobContext("d", {}, [view("v")], "c")
    assert groups.share("a", made, change_between(nothing, made)) == (made, ["b"])
    assert groups.share("b", nothing, None) == (made, [])
    option = JobContext("d", {"k": "1"}, [], "c")
    both, others = groups.share("b", option, change_between(nothing, option))
    assert meaning(both) == meaning(JobContext("d", {"k": "1"}, [view("v")], "c"))
    assert others == ["a"]


def finished(running: TestServer, session: str, text: str) -> threading.Event:
    """Run a text; the event is set at its end, which must be a good one."""
    over = threading.Event()

    def hear(event: Any) -> None:
        if isinstance(event, RunFinished):
            ends[session] = event
            over.set()

    running.services.sessions.submit(session, text, hear)
    return over


ends: dict[str, RunFinished] = {}


def test_two_sessions_make_views_at_the_same_time() -> None:
    scripts = {
        name: "".join(
            f"CREATE TEMPORARY VIEW {name}{i} AS SELECT {i} AS n;"
            f"CREATE TABLE t{name}{i} (n INT) WITH ('connector' = 'blackhole');"
            f"SELECT n FROM {name}{i};"
            for i in range(12)
        )
        for name in ("a", "b")
    }
    with server() as running:
        for name in scripts:
            running.services.sessions.join(name, "g")
        for over in [finished(running, name, text) for name, text in scripts.items()]:
            assert over.wait(60)
        assert [ends[name].error_text for name in scripts] == [None, None]
        everything = ";".join(f"SELECT n FROM {n}{i}" for n in scripts for i in range(12))
        for name in scripts:
            assert finished(running, name, everything).wait(60)
            assert ends[name].error_text is None
