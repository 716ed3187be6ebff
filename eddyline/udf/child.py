"""The process in which a worker's Python functions run: it loads them and calls them.

It is started with a socket's descriptor, its parent's process id and a memory limit in MiB. It
answers one message at a time and ends with its parent. What a function does to this process, an
endless loop or all memory taken, costs the worker nothing but this process.
"""

from __future__ import annotations

import importlib
import os
import pickle
import resource
import signal
import socket
import sys
from types import FrameType
from typing import Any

from eddyline.udf.wire import Message, receive, send

_PR_SET_PDEATHSIG = 1


class TimeIsUp(BaseException):
    """The parent has waited long enough."""


class FunctionWorker:
    """Functions by their keys, and the channel to the worker."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._functions: dict[str, Any] = {}
        self._calling = False
        # Modules of the user's, which are read again for each definition.
        self._own_modules: set[str] = set()
        signal.signal(signal.SIGUSR1, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._calling:
            self._calling = False
            raise TimeIsUp

    def serve(self) -> None:
        """Answer until the worker ends."""
        while True:
            try:
                message = receive(self._channel)
            except EOFError:
                return
            send(self._channel, self._answer(message))

    def _answer(self, message: Message) -> Message:
        from eddyline.udf.calls import CallError

        header = message.header
        try:
            self._calling = True
            try:
                return _ACTIONS[header["action"]](self, message)
            finally:
                self._calling = False
        except CallError as error:
            if error.memory:
                return Message({"memory": True, "place": str(error)})
            return Message({"error": str(error), "detail": error.detail})
        except TimeIsUp as error:
            function = self._functions.get(header.get("key", ""))
            place = function.interrupted(error.__traceback__) if function else ""
            return Message({"late": True, "place": place})
        except MemoryError:
            return Message({"memory": True, "place": ""})
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            return Message(
                {"error": f"function {header.get('name', '')} cannot be loaded: {words}"}
            )

    def _load(self, message: Message) -> Message:
        """Make a function ready; its pickle is the only column's only value."""
        from eddyline.udf.calls import LoadedFunction

        header = message.header
        function = pickle.loads(message.columns[0][0].as_py())
        self._functions[header["key"]] = LoadedFunction(function, header)
        return Message({})

    def _call(self, message: Message) -> Message:
        header = message.header
        function = self._functions[header["key"]]
        return Message({}, (function(message.columns, header["rows"]),))

    def _describe(self, message: Message) -> Message:
        """The definition of ``module.function``, found in ``paths`` or installed."""
        import cloudpickle

        from eddyline.udf.definition import defined

        reference, paths = message.header["name"], message.header["paths"]
        for path in reversed(paths):
            folder = os.path.dirname(path) if path.endswith((".py",)) else path
            if folder not in sys.path:
                sys.path.insert(0, folder)
        for name in self._own_modules:
            cloudpickle.unregister_pickle_by_value(sys.modules.pop(name))
        self._own_modules.clear()
        importlib.invalidate_caches()
        module_name, _, attribute = reference.rpartition(".")
        module = importlib.import_module(module_name)
        # A module of the user's is pickled by value, with those of its folders that it imports,
        # so that a job does not need its file again.
        folders = tuple(
            {os.path.dirname(os.path.abspath(getattr(module, "__file__", None) or "."))}
        )
        for loaded in list(sys.modules.values()):
            file = getattr(loaded, "__file__", None)
            own = file and os.path.abspath(file).startswith(folders) and "site-packages" not in file
            if own and not loaded.__name__.startswith(("eddyline", "__main__")):
                cloudpickle.register_pickle_by_value(loaded)
                self._own_modules.add(loaded.__name__)
        return Message({"definition": defined(getattr(module, attribute)).as_dict()})


_ACTIONS = {
    "load": FunctionWorker._load,
    "call": FunctionWorker._call,
    "describe": FunctionWorker._describe,
}


def main() -> None:
    """Entry of the process."""
    import ctypes

    descriptor, parent, memory_mib = (int(a) for a in sys.argv[1:4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if memory_mib:
            resource.setrlimit(resource.RLIMIT_DATA, (memory_mib << 20, memory_mib << 20))
    if os.getppid() != parent:
        os._exit(1)
    from eddyline.udf.finder import install

    install()
    channel = socket.socket(fileno=descriptor)
    FunctionWorker(channel).serve()


if __name__ == "__main__":
    main()
