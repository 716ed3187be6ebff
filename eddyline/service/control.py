"""The control socket: the methods of a running server's ``Services``, called from outside.

One connection per call. The methods' own signatures are the protocol: arguments are converted to
their annotated types, results to the annotated return type; an argument that is a callback
becomes a stream of events on that connection. Whoever may open the socket file (its owner) may
call. A call says which version of the protocol it speaks. At most ``CALLS_MAX`` calls are performed
at a time; further ones wait for ``TURN_S`` and are then refused. A caller may limit its wait.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import socket
import threading
import typing
from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from eddyline.errors import EddylineError, Span
from eddyline.service.channel import MessageChannel
from eddyline.service.child import described, in_thread
from eddyline.service.directory import DataDirectory

# To be raised when a message changes so that the other side could misread it.
PROTOCOL = 1
CALLS_MAX = 64
TURN_S = 10.0


class RemoteCall(msgspec.Struct, tag="Call", frozen=True):
    """``method`` is "component.name"; ``listen``: send what its callback is given."""

    method: str
    arguments: dict[str, Any]
    listen: bool = False
    protocol: int = PROTOCOL


class Result(msgspec.Struct, tag=True, frozen=True):
    """What the method returned."""

    value: msgspec.Raw


class Failure(msgspec.Struct, tag=True, frozen=True):
    """The ``EddylineError`` the method raised."""

    code: str
    message: str
    detail: str | None = None
    hint: str | None = None
    span: tuple[int, int, int] | None = None
    source: str | None = None


class RemoteEvent(msgspec.Struct, tag="Event", frozen=True):
    """What the method's callback was given."""

    value: msgspec.Raw


COMPONENTS = ("sessions", "jobs", "generators", "anomalies", "notes", "applications", "server")


class ControlServer:
    """Answers calls on ``<data_dir>/control.sock`` until it is closed."""

    def __init__(self, services: Any, directory: DataDirectory) -> None:
        self._services = services
        self._turns = threading.BoundedSemaphore(CALLS_MAX)
        self._path = directory.new_socket_path()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(self._path))
        os.chmod(self._path, 0o600)
        self._socket.listen(64)
        in_thread("control", self._accept)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            in_thread("control-call", self._serve, MessageChannel(connection, RemoteCall))

    def _serve(self, channel: MessageChannel) -> None:
        try:
            call = channel.receive()
            if isinstance(call, RemoteCall):
                self._answer(channel, call)
        except EddylineError as error:
            channel.send(_failure(error))
        finally:
            channel.close()

    def _answer(self, channel: MessageChannel, call: RemoteCall) -> None:
        if call.protocol != PROTOCOL:
            msg = f"the server speaks version {PROTOCOL} of the control protocol, not"
            hint = "server and caller are of different versions: restart the server"
            raise EddylineError("newer_format", f"{msg} {call.protocol}", hint=hint)
        method = _method(self._services, call.method)
        encode = msgspec.msgpack.encode

        def listener(event: Any) -> None:
            channel.send(RemoteEvent(msgspec.Raw(encode(event))))

        if not self._turns.acquire(timeout=TURN_S):
            msg = f"the server is busy with {CALLS_MAX} other calls"
            raise EddylineError("busy", msg, hint="try again in a moment")
        try:
            arguments = _arguments(method, call, listener)
            value = method(**arguments)
        except Exception as error:
            channel.send(_failure(described(error)))
            return
        finally:
            self._turns.release()
        shown = None if callable(value) else value
        channel.send(Result(msgspec.Raw(encode(shown))))
        if call.listen:
            channel.receive()  # until the caller hangs up
            self._hung_up(call, value)

    def _hung_up(self, call: RemoteCall, value: Any) -> None:
        if callable(value):
            value()
        elif call.method == "sessions.submit" and str(call.arguments["session"]).startswith("cli:"):
            self._services.sessions.close(call.arguments["session"])

    def close(self) -> None:
        """Answer no more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)


def _method(services: Any, name: str) -> Callable[..., Any]:
    component, _, method = name.partition(".")
    target = getattr(services, component, None) if component in COMPONENTS else None
    function = None if method.startswith("_") else getattr(target, method, None)
    if not callable(function):
        hint = "server and command line may be of different versions: restart the server"
        raise EddylineError("not_found", f"the server knows no method {name}", hint=hint)
    result: Callable[..., Any] = function
    return result


@lru_cache(maxsize=512)
def _hints(function: Any) -> dict[str, Any]:
    return typing.get_type_hints(function)


def _is_callback(kind: Any) -> bool:
    return typing.get_origin(kind) is Callable or "Callable" in str(kind)


def _arguments(
    method: Callable[..., Any], call: RemoteCall, listener: Callable[[Any], None]
) -> dict[str, Any]:
    hints = _hints(getattr(method, "__func__", method))
    out: dict[str, Any] = {}
    for name in inspect.signature(method).parameters:
        kind = hints.get(name, Any)
        if _is_callback(kind):
            out[name] = listener
        elif name in call.arguments:
            try:
                out[name] = msgspec.convert(call.arguments[name], kind)
            except msgspec.ValidationError as error:
                msg = f"{call.method}: argument {name}: {error}"
                raise EddylineError("invalid_argument", msg) from None
    return out


class Component:
    """A component of a running server, by its class; its methods are called over the socket.

    timeout_s: how long a call may take; it then raises ``timed_out``. None: without limit.
    """

    def __init__(
        self, directory: DataDirectory, name: str, kind: type, timeout_s: float | None = None
    ) -> None:
        self._timeout_s = timeout_s
        self._directory = directory
        self._name = name
        self._kind = kind

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self._kind, name)
        hints = _hints(function)
        signature = inspect.signature(function)
        method = f"{self._name}.{name}"

        def call(*given: Any, **named: Any) -> Any:
            bound = signature.bind(None, *given, **named).arguments
            bound.pop(next(iter(signature.parameters)))
            callbacks = [n for n in bound if _is_callback(hints.get(n))]
            listener = bound.pop(callbacks[0]) if callbacks else None
            return self._call(RemoteCall(method, bound, listener is not None), hints, listener)

        return call

    def _call(self, call: RemoteCall, hints: dict[str, Any], listener: Any) -> Any:
        channel = dial(self._directory, self._timeout_s)
        channel.send(call)
        returns = hints.get("return", Any)
        if listener is None:
            try:
                return _outcome(channel, returns)
            finally:
                channel.close()
        return _listen(channel, returns, hints, listener)


def dial(directory: DataDirectory, timeout_s: float | None = None) -> MessageChannel:
    """A connection to the server that runs on a directory, whose reads may take ``timeout_s``.

    Raises:
        EddylineError: ``not_running``.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        connection.connect(str(directory.socket_path()))
    except OSError:
        connection.close()
        msg = f"no server answers on {directory.path}"
        raise EddylineError("not_running", msg, hint="start one: eddyline up") from None
    return MessageChannel(connection, Result | Failure | RemoteEvent)


def _outcome(channel: MessageChannel, returns: Any) -> Any:
    answer = channel.receive()
    if isinstance(answer, Failure):
        raise _error(answer)
    if not isinstance(answer, Result):
        raise _went_away()
    if _is_callback(returns):
        return None
    return msgspec.msgpack.decode(answer.value, type=returns)


def _listen(channel: MessageChannel, returns: Any, hints: dict[str, Any], listener: Any) -> Any:
    """Wait for the result, passing on what comes before it; then pass on the rest in a thread.

    The thread and its connection last until the server goes away or the listener returns False.
    """
    kind = _event_type(hints)
    answer = channel.receive()
    early = []
    while isinstance(answer, RemoteEvent):
        early.append(answer)
        answer = channel.receive()
    if isinstance(answer, Failure):
        channel.close()
        raise _error(answer)
    if not isinstance(answer, Result):
        raise _went_away()

    def pump() -> None:
        for event in chain(early, channel):
            if listener(msgspec.msgpack.decode(event.value, type=kind)) is False:
                channel.close()
                return
        channel.close()
        gone = getattr(listener, "gone", None)
        if gone is not None:
            gone(_went_away())

    in_thread("events", pump)
    if _is_callback(returns):
        return channel.close
    return msgspec.msgpack.decode(answer.value, type=returns)


def _event_type(hints: dict[str, Any]) -> Any:
    for kind in hints.values():
        if _is_callback(kind):
            parameters = typing.get_args(kind)
            if parameters and parameters[0]:
                return parameters[0][0]
    return Any


def _went_away() -> EddylineError:
    hint = "see its logs; eddyline up starts it again, INSERT jobs go on by themselves"
    return EddylineError("not_running", "the server went away in the middle of the call", hint=hint)


def _failure(error: EddylineError) -> Failure:
    span = (error.span.line, error.span.column, error.span.length) if error.span else None
    return Failure(error.code, error.message, error.detail, error.hint, span, error.source)


def _error(failure: Failure) -> EddylineError:
    span = Span(*failure.span) if failure.span else None
    return EddylineError(
        failure.code,
        failure.message,
        detail=failure.detail,
        hint=failure.hint,
        span=span,
        source=failure.source,
    )
