"""Python functions of a note on their way into SQL.

The kernel pickles a function and leaves its definition in the data directory; a CREATE FUNCTION
statement in the note's session then reads it. Defining a function again replaces it, so that a
paragraph can run twice.
"""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

from eddyline.settings import PRIVATE_UMASK
from eddyline.udf.handover import FROM_KERNEL, folder

# Folders of ``add_python_file``, in which functions may import modules when they are called.
FOLDERS: list[str] = []


def create_statement(name: str, function: Any, words: str) -> str:
    """The statement that registers a function under ``name``; ``words``: TEMPORARY, SYSTEM.

    Raises:
        TypeError: it is no function with a result type, or it cannot be pickled.
    """
    from eddyline.udf.definition import as_wrapper, defined

    wrapper = as_wrapper(function)
    try:
        definition = defined(wrapper, tuple(FOLDERS))
    except Exception as error:
        msg = (
            f"function {wrapper.name} cannot be sent to the process of functions: "
            f"{type(error).__name__}: {error}; does it use st_env, a table or an open file?"
        )
        raise TypeError(msg) from error
    directory = folder(Path(os.environ["EDDYLINE_DATA_DIR"]))
    directory.mkdir(mode=0o777 & ~PRIVATE_UMASK, exist_ok=True)
    key = uuid.uuid4().hex
    file = directory / f"{key}.json"
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(definition.as_dict(), out)
    path = ".".join(f"`{part.replace('`', '``')}`" for part in name.split("."))
    return f"CREATE OR REPLACE {words}FUNCTION {path} AS '{FROM_KERNEL}{key}' LANGUAGE PYTHON"
