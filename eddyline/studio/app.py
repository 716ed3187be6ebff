"""The studio as one ASGI application: pages behind the gate, the gate behind the host guard.

NiceGUI keeps its pages in a module of its own, so that a process has one studio at a time. What
its pages need of the server is set here before the first one is built.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from eddyline.service.services import Services
from eddyline.settings import Settings
from eddyline.studio.context import StudioContext
from eddyline.studio.gate import FAVICON, Gate
from eddyline.studio.rates import Rates


def build(services: Services, signin: Any, settings: Settings) -> ASGIApp:
    """The studio of ``services``; ``signin`` knows links, passwords and sessions."""
    from eddyline.auth.hosts import HostGuard
    from eddyline.auth.rights import Rights

    context = StudioContext(services, settings, Rates(services))
    rights = Rights(services.directory.path)
    return HostGuard(Gate(_pages(context), signin, rights=rights), settings)


@contextlib.contextmanager
def _absent(package: str) -> Iterator[None]:
    """What is imported meanwhile finds that an optional package is not installed.

    NiceGUI's sockets take aiohttp where it is there, for a client that a server never is: seven
    megabytes. Who has it already, or imports it later, has it.
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]


async def _missing(request: Request, failure: Exception) -> Response:
    """The page for a path that does not exist; files and functions get a plain answer."""
    from nicegui import Client, ui

    from eddyline.studio.shell import button, empty, page

    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse("not found", 404)
    with Client(ui.page(""), request=request) as client, page("", "Page not found"):
        words = f"There is no page {request.url.path}. It may have been renamed or deleted."
        with empty("Nothing is here", words):
            button("Go to the overview", lambda: ui.navigate.to("/"), kind="main")
    return client.build_response(request, 404)


def _pages(context: StudioContext) -> ASGIApp:
    with warnings.catch_warnings(), _absent("aiohttp"):
        # Its dependencies' deprecations are not for the people who run tests with ours.
        warnings.simplefilter("ignore")
        from fastapi import FastAPI
        from nicegui import core, ui

        from eddyline.studio import (
            anomalies,
            application,
            applications,
            generators,
            job,
            jobs,
            note,
            notebook,
            notebooks,
            notes,
            overview,
            stream,
            streams,
            tables,
            users,
        )

    pages = (
        overview, streams, stream, generators, notes, note, notebooks, notebook, applications,
        application, tables, anomalies, jobs, job, users,
    )  # fmt: skip
    for page in pages:
        page.register(context)
    core.app.add_exception_handler(404, _missing)
    core.app.user_middleware.clear()  # of a studio that this process had before
    core.app.middleware_stack = None
    app = FastAPI(openapi_url=None)
    ui.run_with(
        app,
        title="Eddyline",
        favicon=FAVICON,
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=10.0,
    )
    return app
