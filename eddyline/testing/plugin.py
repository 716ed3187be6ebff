"""A pytest plugin: the fixture ``eddyline_server``, for people who test their own code with us.

It is loaded at the start of every pytest run, so it imports nothing until the fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from eddyline.testing.serving import TestServer


@pytest.fixture(scope="session")
def _eddyline_session_server() -> Iterator[TestServer]:
    from eddyline.testing.serving import server

    with server() as running:
        yield running


@pytest.fixture
def eddyline_server(_eddyline_session_server: TestServer) -> Iterator[TestServer]:
    """A running Eddyline for one test: no streams, tables or jobs are left from the last one."""
    yield _eddyline_session_server
    _eddyline_session_server.clear()
