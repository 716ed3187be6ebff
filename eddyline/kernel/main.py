"""The Python of notes: an IPython kernel that has ``st_env``, ``z`` and an importable ``pyflink``.

The server starts one per notebook when its first Python paragraph runs; see ``service/kernels.py``.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Any

MEMORY_VARIABLE = "EDDYLINE_KERNEL_MEMORY_MIB"


def limit_memory() -> None:
    """Bound the memory of the process, so that a paragraph fails and not the machine."""
    mebibytes = int(os.environ.get(MEMORY_VARIABLE, "0"))
    if mebibytes and sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (mebibytes << 20, mebibytes << 20))


def main() -> None:
    """Entry of the process; its arguments are those of ipykernel."""
    limit_memory()
    from ipykernel.kernelapp import IPKernelApp

    from eddyline.kernel.configuration import EnvironmentSettings
    from eddyline.kernel.finder import imported, install
    from eddyline.kernel.tables import StreamTableEnvironment
    from eddyline.kernel.zeppelin import ZeppelinContext

    install()
    app: Any = IPKernelApp.instance()
    app.initialize(sys.argv[1:])
    environment = StreamTableEnvironment.create()
    batch = StreamTableEnvironment.create(EnvironmentSettings.in_batch_mode())
    names = {
        **imported(),
        "st_env": environment,
        "bt_env": batch,
        "s_env": environment.stream_environment,
        "b_env": environment.stream_environment,
        "z": ZeppelinContext(),
    }
    app.shell.push(names)
    app.start()


if __name__ == "__main__":
    main()
