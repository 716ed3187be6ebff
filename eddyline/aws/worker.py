"""One process of the AWS endpoint: granian, the protocol and the services, on an inherited socket.

It ends when its parent ends: by the kernel's parent-death signal on Linux, and by the end of
standard input, which also requests a graceful shutdown.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import uvloop

from eddyline.aws.workers import BACKLOG, BEAT, BEAT_S, READY
from eddyline.errors import EddylineError
from eddyline.service.child import die_with
from eddyline.settings import PRIVATE_UMASK, Settings

# Headers of a signed request take about a kilobyte.
HEADER_BYTES_MAX = 32 << 10
# A body is buffered until it is complete; HTTP/2 may send this much before flow control stops it.
WINDOW_BYTES = 4 << 20
FINISH_S = 2.0
SWITCH_S = 0.0005


def main() -> None:
    """Serve until standard input ends."""
    descriptor, parent, number, settings_json = sys.argv[1:5]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server handles the terminal's Ctrl-C
    os.umask(PRIVATE_UMASK)
    die_with(int(parent))
    settings = _settings(settings_json)
    try:
        uvloop.run(_serve(settings, int(descriptor), int(number)))
    except EddylineError as error:
        _leave(error.pretty() + "\n", 1)
    except Exception:
        _leave(traceback.format_exc(), 1)
    _leave("", 0)


def _leave(words: str, code: int) -> None:
    """End at once, without waiting for threads of libraries."""
    sys.stderr.write(words)
    sys.stderr.flush()
    os._exit(code)


def _settings(settings_json: str) -> Settings:
    import msgspec

    def converted(kind: Any, value: Any) -> Any:
        return Path(value) if kind is Path else value

    return msgspec.json.decode(settings_json, type=Settings, dec_hook=converted)


async def _serve(settings: Settings, descriptor: int, number: int) -> None:
    from eddyline.aws.application import WorkerApplication
    from eddyline.aws.idle import IdleConnections

    application = WorkerApplication(settings, number)
    server = _server(application.endpoint, settings, descriptor)
    loop = asyncio.get_running_loop()

    def ended() -> None:
        while os.read(0, 1024):
            pass
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(server.stop)
        # A connection that stays open would keep the server waiting.
        threading.Event().wait(FINISH_S)
        os._exit(0)

    threading.Thread(target=ended, name="parent", daemon=True).start()
    # The log's writer and the event loop must not wait long for each other to release the GIL.
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()  # objects made so far stay for good; the collector need not scan them
    IdleConnections(_port(descriptor), settings.request_s_max).start()
    loop.call_later(0.05, _say_ready, loop)
    await server.serve()
    application.close()


def _port(descriptor: int) -> int:
    """The port that is listened on."""
    with socket.socket(fileno=os.dup(descriptor)) as listener:
        return int(listener.getsockname()[1])


def _say_ready(loop: asyncio.AbstractEventLoop) -> None:
    os.write(1, READY)
    os.set_blocking(1, False)
    loop.call_later(BEAT_S, _beat, loop)


def _beat(loop: asyncio.AbstractEventLoop) -> None:
    """Send a heartbeat from the event loop; the server kills a worker without one."""
    with contextlib.suppress(OSError):  # nobody reads, or the server is gone
        os.write(1, BEAT)
    loop.call_later(BEAT_S, _beat, loop)


def _server(app: Any, settings: Settings, descriptor: int) -> Any:
    from granian._granian import SocketHolder
    from granian.constants import HTTPModes, Interfaces, SSLProtocols
    from granian.http import HTTP1Settings, HTTP2Settings
    from granian.server.embed import Server

    from eddyline.aws.certificate import files

    holder: Any = SocketHolder

    class OnSocket(Server):
        """Granian on a socket that is there already."""

        def _init_shared_socket(self) -> None:
            self._ssp = None
            self._shd: Any = holder(descriptor, False, BACKLOG)

    certificate, key = files(settings) if settings.tls else (None, None)
    return OnSocket(
        app,
        address=settings.host,
        interface=Interfaces.RSGI,
        http=HTTPModes.auto,
        websockets=False,
        backpressure=settings.connections_max,
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.request_s_max * 1000, max_buffer_size=512 << 10
        ),
        http2_settings=HTTP2Settings(
            initial_connection_window_size=WINDOW_BYTES,
            initial_stream_window_size=WINDOW_BYTES,
            max_concurrent_streams=200,
            max_headers_size=HEADER_BYTES_MAX,
        ),
        log_enabled=False,
        ssl_cert=certificate,
        ssl_key=key,
        ssl_protocol_min=SSLProtocols.tls12,
    )


if __name__ == "__main__":
    main()
