"""CREATE FUNCTION and DROP FUNCTION: Python functions enter the catalog with all they need.

A function comes from an importable module (``AS 'module.name'``), or from a note: then the note's
kernel has put its definition into a file of the data directory, and the statement names it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from eddyline.catalog.function import CatalogFunction, FunctionKind
from eddyline.catalog.functions import SYSTEM_FUNCTIONS
from eddyline.catalog.table import ObjectPath
from eddyline.errors import EddylineError
from eddyline.service.session import Session
from eddyline.sql import statement as s
from eddyline.sql.parse import parse_type
from eddyline.udf.definition import Definition
from eddyline.udf.handover import FROM_KERNEL, folder
from eddyline.udf.process import PROCESS

# A reference to a definition that a kernel has written, followed by the file's name.
_FILE_NAME = re.compile(r"[0-9a-f]{32}")


def create_function(session: Session, statement: s.CreateFunction) -> bool:
    """Keep the function that a statement names; False if there is one already.

    Raises:
        EddylineError: ``sql_unsupported`` for another language; ``sql_runtime`` for a module that
            cannot be imported; ``already_exists``.
    """
    parts = statement.name.parts
    if statement.language != "PYTHON":
        raise _other_language(statement)
    if statement.reference.startswith(FROM_KERNEL):
        definition = _from_kernel(session, statement.reference.removeprefix(FROM_KERNEL))
        reference = ""
    else:
        definition, reference = _imported(session, statement.reference), statement.reference
    if statement.system:
        path = ObjectPath(*SYSTEM_FUNCTIONS, parts[-1])
    else:
        path = session.catalog.path_of(parts)
    function = CatalogFunction(
        path,
        FunctionKind(definition.kind),
        definition.pickle,
        definition.python,
        parse_type(definition.result),
        None if definition.arguments is None else tuple(map(parse_type, definition.arguments)),
        definition.vectorised,
        definition.deterministic,
        reference,
        definition.source,
        definition.first_line,
        temporary=statement.temporary,
        system=statement.system,
    )
    return session.catalog.functions.create(function, statement.if_not_exists, statement.or_replace)


def drop_function(session: Session, statement: s.DropFunction) -> bool:
    """Remove a function; False if there was none and that is allowed.

    Raises:
        EddylineError: ``not_found``.
    """
    parts = statement.name.parts
    path = (
        ObjectPath(*SYSTEM_FUNCTIONS, parts[-1])
        if statement.system
        else session.catalog.path_of(parts)
    )
    return session.catalog.functions.drop(path, statement.if_exists, statement.temporary)


def _imported(session: Session, reference: str) -> Definition:
    if "." not in reference:
        msg = f"{reference!r} is no Python function: it is written 'module.function'"
        raise EddylineError("sql_semantic", msg, hint="for example AS 'prices.parse'")
    files = [f.strip() for f in session.config.get("python.files").split(",") if f.strip()]
    paths = [str(Path(f.removeprefix("file://")).absolute()) for f in files]
    try:
        return Definition.of(PROCESS.describe(reference, paths))
    except EddylineError as error:
        if error.hint is None:
            error.hint = (
                "the module must be installed, or in a file or folder of SET 'python.files'; the "
                "function is decorated: @udf(result_type=DataTypes.BIGINT())"
            )
        raise


def _from_kernel(session: Session, name: str) -> Definition:
    """The definition that this note's kernel has just written; its file is removed."""
    file = folder(session.directory.path) / f"{name}.json"
    if not _FILE_NAME.fullmatch(name) or not file.is_file():
        msg = "this definition of a Python function is used up"
        raise EddylineError("not_found", msg, hint="run the Python paragraph again")
    definition = Definition.of(json.loads(file.read_text()))
    file.unlink()
    return definition


def _other_language(statement: s.CreateFunction) -> EddylineError:
    name, class_name = statement.name.parts[-1], statement.reference
    msg = f"function {name} is written in {statement.language.title()}, which does not run here"
    hint = (
        f"write {class_name.rpartition('.')[2]} in Python: "
        f"CREATE FUNCTION {name} AS 'module.function' LANGUAGE PYTHON, or @udf in a note"
    )
    return EddylineError("sql_unsupported", msg, hint=hint)
