"""A data directory for a command: through the server that runs on it, or opened directly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from eddyline.clock import SYSTEM
from eddyline.errors import EddylineError
from eddyline.settings import PRIVATE_UMASK, Settings, load

if TYPE_CHECKING:
    from eddyline.log import LogStore
    from eddyline.service.directory import DataDirectory
    from eddyline.service.services import Services

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="The data directory; EDDYLINE_DATA_DIR, ./eddyline-data."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON: one object per line, errors too.")]
# A server that has just locked the directory may need this long until it answers.
ANSWER_S = 10.0


def settings_of(data_dir: Path | None) -> Settings:
    """The settings, with the directory a command was given."""
    return load(data_dir=data_dir)


def need_server(data_dir: Path | None) -> None:
    """Check that a server is running. Raises ``not_running``."""
    from eddyline.service.directory import DataDirectory

    if DataDirectory(settings_of(data_dir).data_dir).holder() is None:
        msg = "no server runs that it could be left to"
        raise EddylineError("not_running", msg, hint="start one: eddyline up")


@contextmanager
def opened(
    data_dir: Path | None, *, make: bool = False, kernels: bool = False
) -> Iterator[Services]:
    """The services of a directory; of its server if one runs. ``make``: create the directory.

    kernels: without a server, start what Python in notes needs when it is first needed.

    Raises:
        EddylineError: ``not_found`` when there is no such directory.
    """
    settings = settings_of(data_dir)
    from eddyline.service.directory import DataDirectory

    directory = DataDirectory(settings.data_dir)
    if not make:
        existing(settings)
    if directory.holder() is not None:
        from eddyline.service.remote import Remote

        _until_it_answers(directory)
        remote = Remote(settings)
        try:
            yield cast("Services", remote)
        finally:
            remote.stop()
        return
    from eddyline.service.services import Services

    with ExitStack() as at_end:
        # Whatever the command makes meanwhile holds a user's records, exported files as well.
        at_end.callback(os.umask, os.umask(PRIVATE_UMASK))
        services = Services(settings)
        services.start(resume=False)
        at_end.callback(services.stop)
        if kernels:
            from eddyline.server import KernelEndpoint

            at_end.callback(KernelEndpoint(services).stop)
        yield services


def _until_it_answers(directory: DataDirectory) -> None:
    """Wait for the control socket of a server that has just locked the directory."""
    import threading

    from eddyline.service.control import dial

    never = threading.Event()
    end = SYSTEM.monotonic() + ANSWER_S
    while True:
        try:
            dial(directory).close()
        except EddylineError:
            if SYSTEM.monotonic() >= end or directory.holder() is None:
                raise
            SYSTEM.wait(never, 0.05)
        else:
            return


@contextmanager
def streams(data_dir: Path | None, *, make: bool = False) -> Iterator[LogStore]:
    """The streams of a directory. Any process may open the log, so no server is needed."""
    settings = settings_of(data_dir)
    if make:
        from eddyline.service.directory import DataDirectory

        DataDirectory(settings.data_dir).prepare()
    else:
        existing(settings)
    from eddyline.log import LogStore

    store = LogStore(settings.data_dir, settings, SYSTEM)
    try:
        yield store
    finally:
        store.close()


def existing(settings: Settings) -> None:
    """Check that the data directory exists. Raises ``not_found``."""
    if not settings.data_dir.is_dir():
        msg = f"there is no data directory {settings.data_dir}"
        hint = "eddyline up makes one; or name another with --data-dir"
        raise EddylineError("not_found", msg, hint=hint)
