"""Flink's REST address of AWS's studio, ``https://zeppelin-flink:8082``, for ``requests`` in notes.

AWS's instructions list and cancel jobs by it. Here its answers come from this server's jobs; the
adapter is mounted when ``requests`` is imported, since most notes never do.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from eddyline.errors import EddylineError
from eddyline.kernel.job_client import status_of
from eddyline.kernel.running import remote

HOST = "zeppelin-flink"


def answer(method: str, path: str) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of a request."""
    match method, path.strip("/").split("/"):
        case "GET", ["jobs"]:
            jobs = remote().jobs.list()
            return 200, {"jobs": [{"id": j.job_id, "status": status_of(j)} for j in jobs]}
        case "GET", ["jobs", "overview"]:
            return 200, {"jobs": [_overview(job) for job in remote().jobs.list()]}
        case (("GET" | "PATCH"), ["jobs", job_id]):
            try:
                if method == "GET":
                    return 200, _overview(remote().jobs.get(job_id))
                remote().jobs.stop(job_id)
            except EddylineError as error:
                return 404, {"errors": [error.message]}
            return 202, {}
    known = "GET /jobs, /jobs/overview, /jobs/ID and PATCH /jobs/ID"
    return 404, {"errors": [f"{method} {path} is not available here; there are {known}"]}


def _overview(job: Any) -> dict[str, Any]:
    return {
        "jid": job.job_id,
        "name": job.name or job.sql.strip().split("\n")[0],
        "state": status_of(job),
        "start-time": job.created_ms,
    }


def _mount(requests: Any) -> None:
    """Have every session of ``requests`` answer for the host itself."""

    class Adapter(requests.adapters.BaseAdapter):  # type: ignore[misc]
        def send(self, request: Any, **_: Any) -> Any:
            status, body = answer(request.method, urlsplit(request.url).path)
            response = requests.Response()
            response.status_code, response.url, response.request = status, request.url, request
            response.headers["Content-Type"] = "application/json"
            response.raw = io.BytesIO(json.dumps(body).encode())
            return response

        def close(self) -> None:
            pass

    class RoutedSession(requests.sessions.Session):  # type: ignore[misc]
        def get_adapter(self, url: str) -> Any:
            return Adapter() if urlsplit(url).hostname == HOST else super().get_adapter(url)

    requests.Session = requests.sessions.Session = RoutedSession


class _Finder(MetaPathFinder):
    """Finds the installed ``requests``, and mounts the adapter once it is loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "requests":
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            loader, execute = spec.loader, spec.loader.exec_module

            def load(module: ModuleType) -> None:
                execute(module)
                _mount(module)

            loader.exec_module = load  # type: ignore[method-assign]
        return spec


def install() -> None:
    """Have ``import requests`` know the host."""
    sys.meta_path.insert(0, _Finder())
