"""A catalog function: a Python function with all that is needed to call it in another process.

The function itself is kept as cloudpickle's bytes, so that a durable job calls the function that
it was submitted with, whatever becomes of the module or the note that defined it.
"""

from __future__ import annotations

import base64
import sys
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from eddyline.catalog.codec import decode_type, encode_type
from eddyline.catalog.table import ObjectPath
from eddyline.errors import EddylineError
from eddyline.record.types import DataType

VERSION = 1


class FunctionKind(StrEnum):
    """How a function is called: per row, per row with many results, or per group."""

    SCALAR = "scalar"
    TABLE = "table"
    AGGREGATE = "aggregate"
    TABLE_AGGREGATE = "table aggregate"


AGGREGATE_KINDS = (FunctionKind.AGGREGATE, FunctionKind.TABLE_AGGREGATE)


@dataclass(frozen=True, slots=True)
class CatalogFunction:
    """A Python function.

    result: the type of a value; of a table function the ROW of its columns. arguments: the types
    that arguments are cast to, or None where the function takes them as they are. vectorised: it
    takes and returns pandas Series. system: it hides a built-in function of the same name.
    reference: what ``AS '…'`` named. source: the Python text, which began at ``first_line`` of
    its file, for error messages.
    """

    path: ObjectPath
    kind: FunctionKind
    pickle: bytes
    python: str
    result: DataType
    arguments: tuple[DataType, ...] | None = None
    vectorised: bool = False
    deterministic: bool = True
    reference: str = ""
    source: str = ""
    first_line: int = 0
    temporary: bool = False
    system: bool = False

    @property
    def key(self) -> str:
        """A name for this very function: another definition has another key."""
        about = f"{self.kind}{self.vectorised}{self.result}{self.path.name}".encode()
        return sha256(about + self.pickle).hexdigest()[:16]

    def require_same_python(self) -> None:
        """Its bytecode runs in the Python version that pickled it, and in no other.

        Raises:
            EddylineError: ``conflict`` for another version.
        """
        running = python_version()
        if self.python != running:
            msg = (
                f"function {self.path.name} was defined with Python {self.python}, "
                f"and this server runs Python {running}"
            )
            hint = f"define it again here, or run the server with Python {self.python}"
            raise EddylineError("conflict", msg, hint=hint)


def python_version() -> str:
    """The part of the version that bytecode depends on, for example 3.12."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def encode_function(function: CatalogFunction) -> dict[str, Any]:
    """A function as JSON; its path is the key it is kept under."""
    arguments = function.arguments
    return {
        "version": VERSION,
        "kind": "function",
        "call": function.kind.value,
        "pickle": base64.b64encode(function.pickle).decode(),
        "python": function.python,
        "result": encode_type(function.result),
        "arguments": None if arguments is None else [encode_type(a) for a in arguments],
        "vectorised": function.vectorised,
        "deterministic": function.deterministic,
        "reference": function.reference,
        "source": function.source,
        "first_line": function.first_line,
        "system": function.system,
    }


def decode_function(path: ObjectPath, data: dict[str, Any]) -> CatalogFunction:
    """The function that ``encode_function`` wrote.

    Raises:
        EddylineError: ``newer_format``.
    """
    if data["version"] > VERSION:
        msg = f"function {path} was written by a newer Eddyline (format {data['version']})"
        raise EddylineError("newer_format", msg, hint="use that version")
    arguments = data["arguments"]
    return CatalogFunction(
        path,
        FunctionKind(data["call"]),
        base64.b64decode(data["pickle"]),
        data["python"],
        decode_type(data["result"]),
        None if arguments is None else tuple(decode_type(a) for a in arguments),
        data["vectorised"],
        data["deterministic"],
        data["reference"],
        data["source"],
        data["first_line"],
        system=data["system"],
    )
