"""The server: assembles and starts the services, the AWS endpoint and the studio.

The order matters: first everything that can be refused (platform, address, directory, ports),
then everything that works (API workers, services), last what answers people (control socket,
studio). The server stops in reverse order and leaves no process behind.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eddyline.clock import SYSTEM, Clock
from eddyline.engines.registry import check_engine
from eddyline.errors import EddylineError
from eddyline.service.child import in_thread
from eddyline.service.control import ControlServer
from eddyline.service.directory import check_port, free_port
from eddyline.service.services import Services
from eddyline.service.supervisor import BackOff
from eddyline.service.warming import warm
from eddyline.settings import PRIVATE_UMASK, Settings

if TYPE_CHECKING:
    import asyncio

    from eddyline.aws import ApiWorkers

WATCH_S = 0.25
FULL = (
    "the disk is full: streams can be read, but nothing can be stored until there is room; "
    "free space, or shorten the retention of streams"
)
STUDIO_START_S = 30.0
# How long the studio's requests in progress have for their end, and then what is cancelled.
TASKS_END_S = 0.5
# A worker's end may take two waits of five seconds, the endpoint's and the studio's one each.
STOP_LONGEST_S = 45.0


class Server:
    """A running Eddyline: ``start``, then ``stop``; or ``run`` until it is told to end."""

    def __init__(
        self,
        settings: Settings,
        *,
        studio: bool = True,
        warm: bool = True,
        clock: Clock = SYSTEM,
    ) -> None:
        self.settings = settings
        self.services = Services(settings, clock)
        self.api_port = 0
        self.studio_port = 0
        # Set when the forests' machine code is there.
        self.warmed = threading.Event()
        self._warm = warm
        self._clock = clock
        self._api: ApiWorkers | None = None
        self._control: ControlServer | None = None
        self._studio = Studio(self.services, settings) if studio else None
        self._stopping = threading.Event()
        self._words = threading.Lock()

    @property
    def endpoint_url(self) -> str:
        """What AWS clients are given."""
        return url(self.settings.host, self.api_port, tls=self.settings.tls)

    @property
    def studio_url(self) -> str | None:
        """The studio's address, without a link to sign in."""
        if self._studio is None:
            return None
        return url(self.settings.host, self.studio_port, tls=self.settings.tls)

    def start(self) -> None:
        """Begin to serve.

        Raises:
            EddylineError: ``platform``, ``directory_locked``, ``port_in_use``, ``access_denied``,
                ``not_found`` or ``invalid_argument`` for a certificate that is given,
                ``invalid_argument`` for an unknown engine.
        """
        check_platform()
        settings = self.settings
        check_engine(settings.engine)
        self.services.directory.prepare()
        self._check_address()
        self._check_certificate()
        try:
            self.services.start()
        except EddylineError as error:
            if error.code != "disk_full":
                raise
            self._serve_streams_alone(error)
            return
        try:
            if self._warm:
                self.warmed = warm(self.services.supervisor)
            check_port(settings.host, settings.api_port, "--api-port")
            if self._studio:
                check_port(settings.host, settings.port, "--port")
            self._serve()
        except BaseException:
            self.stop()
            raise

    def _serve_streams_alone(self, why: EddylineError) -> None:
        """Serve streams for reading when there is no room for the databases of notes and jobs."""
        self.say(why.pretty())
        self.say("only streams are served; start the server again once there is room")
        self._studio, settings = None, self.settings
        self.services.directory.lock()
        try:
            check_port(settings.host, settings.api_port, "--api-port")
            self._serve_streams()
        except BaseException:
            self.stop()
            raise

    def _check_address(self) -> None:
        from eddyline.auth.binding import check_binding

        check_binding(self.settings)

    def _check_certificate(self) -> None:
        """Make or find it here, where a fault is told in its own words."""
        from eddyline.aws.certificate import files

        if self.settings.tls:
            files(self.settings)

    def _serve_streams(self) -> None:
        from eddyline.aws import ApiWorkers

        self._api = ApiWorkers(self.settings)
        self.api_port = self._api.start()
        in_thread("watch-api", self._watch, self._api)
        in_thread("retention", self._sweep)

    def _serve(self) -> None:
        self._serve_streams()
        if self._studio:
            self.studio_port = self._studio.start()
        self._control = ControlServer(self.services, self.services.directory)
        host = self.settings.host
        self.services.directory.note(host=host, port=self.studio_port, api_port=self.api_port)

    def _watch(self, api: ApiWorkers) -> None:
        """Say when a worker of the AWS endpoint has died; start it again."""
        back_off = BackOff(self._clock, first_s=WATCH_S)
        pause_s = WATCH_S
        while not self._clock.wait(self._stopping, pause_s):
            pause_s = WATCH_S
            for pid in api.end_hung(WATCH_S):
                self.say(f"worker {pid} of the AWS endpoint does not answer; it was killed")
            if not api.alive() and not self._stopping.is_set():
                self.say("a worker of the AWS endpoint died; starting it again")
                try:
                    api.restart()
                except EddylineError as error:
                    self.say(error.pretty())
                    pause_s = back_off.next_s()

    def _sweep(self) -> None:
        """Trim what is older than the streams' retention, now and then."""
        self.services.directory.keep_reserve()
        while not self._clock.wait(self._stopping, self.settings.retention_sweep_s):
            self.services.directory.keep_reserve()
            if not self.services.directory.has_streams():
                continue  # to load the log costs more memory than an idle server needs
            try:
                self.services.streams.sweep()
            except EddylineError as error:
                self.say(error.pretty())

    def stop(self) -> None:
        """End everything, in the other order; no process is left."""
        self._stopping.set()
        if self._control is not None:
            self._control.close()
        if self._studio is not None:
            self._studio.stop()
        if self._api is not None:
            self._api.stop()
        self.services.stop()

    def run(self, announce: Callable[[], None] | None = None) -> None:
        """Start, print the addresses or call ``announce``, serve until SIGINT or SIGTERM, stop."""
        os.umask(PRIVATE_UMASK)
        with told_to_end() as ended:
            self.start()
            if self.services.directory.is_full:
                self.say(FULL)
            if announce is not None:
                announce()
            else:
                for line in self.greeting():
                    self.say(line)
            ended()
            self.say("stopping")
            # What cannot end in good order says where it stands, and ends.
            faulthandler.dump_traceback_later(STOP_LONGEST_S, exit=True)
            self.stop()
            faulthandler.cancel_dump_traceback_later()

    def addresses(self) -> dict[str, str | None]:
        """What a script needs: the studio's one-time link, its address, the endpoint, the data."""
        link = self._studio.link(self.studio_url or "") if self._studio is not None else None
        return {
            "studio": self.studio_url,
            "studio_link": link,
            "endpoint": self.endpoint_url,
            "region": self.settings.region,
            "data_dir": str(self.services.directory.path),
        }

    def greeting(self, afterwards: str = "streams, notes and jobs remain") -> list[str]:
        """What a person needs: where the studio is, what to export, how to stop.

        ``afterwards``: what becomes of the data once the server has stopped.
        """
        lines = []
        if self._studio is not None:
            lines.append(f"studio        {self._studio.link(self.studio_url or '')}")
        lines += [
            f"AWS endpoint  {self.endpoint_url}",
            f"              export AWS_ENDPOINT_URL={self.endpoint_url}",
            *self._credentials(),
            *self._trust(),
            f"data          {self.services.directory.path}",
            f"Ctrl-C stops it; {afterwards}.",
        ]
        return lines

    def _credentials(self) -> list[str]:
        """What a client needs besides the address: a region, and keys."""
        from eddyline.auth.binding import enforced

        if enforced(self.settings):
            from eddyline.auth.metrics_token import MetricsToken

            token = MetricsToken(self.services.directory.path).ensure()
            return [
                "              with the keys that eddyline user key add NAME prints",
                f"metrics       {self.endpoint_url}/metrics, with the bearer token in {token}",
            ]
        region = f"AWS_DEFAULT_REGION={self.settings.region}"
        keys = "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any"
        return [f"              export {region} {keys}"]

    def _trust(self) -> list[str]:
        """How a client comes to trust a self-made certificate."""
        if not self.settings.tls or self.settings.tls_certificate:
            return []
        from eddyline.aws.certificate import files

        return [f"              export AWS_CA_BUNDLE={files(self.settings)[0].absolute()}"]

    def say(self, words: str) -> None:
        """A line for the person at the terminal."""
        with self._words:
            sys.stderr.write(words + "\n")
            sys.stderr.flush()


class KernelEndpoint:
    """What the Python of notes needs where no server runs: AWS endpoint and control socket."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._api: ApiWorkers | None = None
        self._control: ControlServer | None = None
        services.serve_kernels = self._start

    def _start(self) -> None:
        if self._api is not None:
            return
        from eddyline.aws import ApiWorkers

        settings = replace(self._services.settings, api_port=0, host="127.0.0.1")
        self._api = ApiWorkers(settings)
        port = self._api.start()
        self._control = ControlServer(self._services, self._services.directory)
        self._services.directory.note(host=settings.host, port=0, api_port=port)

    def stop(self) -> None:
        """Answer no more."""
        if self._control is not None:
            self._control.close()
        if self._api is not None:
            self._api.stop()


class Studio:
    """The web studio under granian in a thread of this process: one worker, one loop."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._services = services
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Any = None
        self._serving: Any = None
        self._thread: threading.Thread | None = None
        self._failed: BaseException | None = None
        self._signin: Any = None

    def start(self) -> int:
        """Begin to serve; returns the port.

        Raises:
            EddylineError: ``internal`` when it does not come up.
        """
        from eddyline.auth.signin import SignIn
        from eddyline.studio.app import build

        port = self._settings.port or free_port(self._settings.host)
        self._signin = SignIn(self._services.directory.path)
        app = build(self._services, self._signin, self._settings)
        self._thread = in_thread("studio", self._serve, app, port)
        self._until_it_answers(port)
        return port

    def link(self, address: str) -> str:
        """The address with a token that signs in once."""
        return str(self._signin.link(address))

    def _serve(self, app: Any, port: int) -> None:
        import asyncio

        from granian.constants import Interfaces
        from granian.server.embed import Server as Embedded

        from eddyline.aws.certificate import files

        certificate, key = files(self._settings) if self._settings.tls else (None, None)

        loop = asyncio.new_event_loop()

        async def serve() -> None:
            self._loop = loop
            self._server = Embedded(
                app,
                address=self._settings.host,
                port=port,
                interface=Interfaces.ASGI,
                log_enabled=False,
                ssl_cert=certificate,
                ssl_key=key,
            )
            self._serving = asyncio.ensure_future(self._server.serve())
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving

        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            self._failed = error
        finally:
            _close(loop)

    def _until_it_answers(self, port: int) -> None:
        end = SYSTEM.monotonic() + STUDIO_START_S
        pause = threading.Event()
        while SYSTEM.monotonic() < end and self._failed is None:
            try:
                socket.create_connection((self._settings.host, port), 1).close()
            except OSError:
                SYSTEM.wait(pause, 0.02)
            else:
                return
        raise EddylineError("internal", "the studio does not start", detail=str(self._failed))

    def stop(self) -> None:
        """Serve no more."""
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end, self._loop)
            self._thread.join(5)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take no further requests; those in progress have a moment."""
        self._server.stop()
        loop.call_later(TASKS_END_S, self._serving.cancel)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """End what still runs in a loop, as ``asyncio.run`` does, but without waiting for long.

    Whatever waits for a websocket of granian, which has ended by now, does so forever, even when
    it is cancelled.
    """
    import asyncio

    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=TASKS_END_S))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.set_exception_handler(lambda *_: None)  # a task that waits forever is not news
    loop.close()


@contextlib.contextmanager
def told_to_end() -> Iterator[Callable[[], None]]:
    """Gives a wait for SIGINT or SIGTERM, whenever and to whichever thread it came.

    The system writes the signal into a socket. An event set by a handler would not do: the handler
    runs in the very thread that waits, and finds the event's lock held if it comes at the start
    of the wait.
    """
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    before = {n: signal.signal(n, lambda *_: None) for n in (signal.SIGINT, signal.SIGTERM)}
    wakeup = signal.set_wakeup_fd(writing.fileno())

    def wait() -> None:
        while not set(reading.recv(64)) & set(before):
            pass

    with reading, writing:
        try:
            yield wait
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)


def check_platform() -> None:
    """Linux and macOS are served. Raises ``platform``."""
    if sys.platform not in ("linux", "darwin"):
        msg = f"Eddyline runs on Linux and macOS, not on {sys.platform}"
        hint = "on Windows run it in WSL: https://learn.microsoft.com/windows/wsl/install"
        raise EddylineError("platform", msg, hint=hint)


def url(host: str, port: int, *, tls: bool = False) -> str:
    """An address for a browser or a client on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    shown = f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown
    return f"{'https' if tls else 'http'}://{shown}:{port}"
