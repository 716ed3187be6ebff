"""Tables and views of the data catalog, and their versions."""

from __future__ import annotations

import json
import re
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.glue.context import Document, GlueContext, paged, with_instants
from eddyline.aws.instant import Instant
from eddyline.aws.members import document_of
from eddyline.catalog.catalog import CatalogObject
from eddyline.catalog.glue import from_glue
from eddyline.catalog.table import CatalogTable

# Members that mean Lake Formation, Iceberg or other accounts, which are not here.
_REFUSED = ("TargetTable", "FederatedTable", "ViewDefinition")


def create_table(context: GlueContext, call: Call) -> Answer:
    request = call.request
    if getattr(request, "OpenTableFormatInput", None) is not None:
        raise AwsError("InvalidInputException", "OpenTableFormatInput is not supported here")
    database = context.database_named(request.DatabaseName)
    given = _checked(request.TableInput)
    name = str(given["Name"]).lower()
    if context.find(database, name) is not None:
        raise AwsError("AlreadyExistsException", "Table already exists.")
    item = from_glue(context.path(database, name), given)
    if isinstance(item, CatalogTable):
        context.catalog.create_table(item)
    else:
        context.catalog.create_view(item)
    context.kept.forget_table(database, name)  # of a table of that name that SQL dropped
    _keep(context, item, {**given, "Name": name}, archive=False)
    return {}


def _keep(context: GlueContext, item: CatalogObject, given: Document, *, archive: bool) -> None:
    definition = context.catalog.stored_definition(item.path) or ""
    path = item.path
    context.kept.keep_table(path.database, path.name, given, definition, archive=archive)


def get_table(context: GlueContext, call: Call) -> Answer:
    item = context.table(call.request.DatabaseName, call.request.Name)
    return {"Table": context.described(item)}


def get_tables(context: GlueContext, call: Call) -> Answer:
    request = call.request
    database = context.database_named(request.DatabaseName)
    names = context.catalog.list_tables(database)
    if request.Expression is not None:
        pattern = _pattern(request.Expression)
        names = [name for name in names if pattern.fullmatch(name)]
    page, more = paged(names, request, lambda name: name, "tables")
    items = [context.find(database, name) for name in page]
    return {"TableList": [context.described(i) for i in items if i is not None], **more}


def search_tables(context: GlueContext, call: Call) -> Answer:
    """Tables of all databases, by a text and by filters; the order is that of their names."""
    request = call.request
    words = (request.SearchText or "").strip('"').lower()
    filters = [(f.Key, f.Value or "") for f in request.Filters or []]
    unknown = [key for key, _ in filters if key not in _SEARCHED]
    if unknown:
        message = f"tables are not searched by {unknown[0]} here, but by {', '.join(_SEARCHED)}"
        raise AwsError("InvalidInputException", message)
    tables = []
    for database in sorted(context.catalog.list_databases()):
        for name in context.catalog.list_tables(database):
            item = context.find(database, name)
            table = context.described(item) if item is not None else {}
            matches = all(str(table.get(_SEARCHED[k], "")) == v for k, v in filters)
            if table and matches and words in json.dumps(table, default=str).lower():
                tables.append(table)
    page, more = paged(tables, request, lambda t: f"{t['DatabaseName']}/{t['Name']}", "tables")
    return {"TableList": page, **more}


# The filters of SearchTables, and the member of a table that each compares.
_SEARCHED = {"DatabaseName": "DatabaseName", "Name": "Name", "TableType": "TableType",
             "Description": "Description"}  # fmt: skip


def _pattern(text: str) -> re.Pattern[str]:
    """Glue's expression: a regular expression in which ``*`` alone means any characters."""
    try:
        return re.compile(re.sub(r"(?<![.\])\\])\*", ".*", text), re.IGNORECASE)
    except re.error as error:
        message = f"the expression {text[:100]!r} is not a pattern: {error}"
        raise AwsError("InvalidInputException", message) from None


def update_table(context: GlueContext, call: Call) -> Answer:
    request = call.request
    if request.TableInput is None:
        raise AwsError("InvalidInputException", "TableInput is required here")
    given = _checked(request.TableInput)
    old = context.table(request.DatabaseName, request.Name or given["Name"])
    row = context.row_of(old)
    version = str(row.version if row else 0)
    expected = getattr(request, "VersionId", None)
    if expected is not None and expected != version:
        message = f"the table has version {version}, not {expected}"
        raise AwsError("ConcurrentModificationException", message)
    name = (
        old.path.name if given["Name"].lower() == old.path.name.lower() else given["Name"].lower()
    )
    if name != old.path.name and context.find(old.path.database, name) is not None:
        raise AwsError("AlreadyExistsException", "Table already exists.")
    if row is None:  # SQL made the table: what it was until now is its version 0
        _keep(context, old, context.input_of(old, None), archive=False)
    new = from_glue(context.path(old.path.database, name), given)
    context.catalog.replace_object(old.path, new)
    if name != old.path.name:
        context.kept.forget_table(old.path.database, old.path.name)
    _keep(context, new, {**given, "Name": name}, archive=not request.SkipArchive)
    return {}


def delete_table(context: GlueContext, call: Call) -> Answer:
    _delete(context, context.table(call.request.DatabaseName, call.request.Name))
    return {}


def _delete(context: GlueContext, item: CatalogObject) -> None:
    path = item.path
    parts = (path.catalog, path.database, path.name)
    if isinstance(item, CatalogTable):
        context.catalog.drop_table(parts, if_exists=True)
    else:
        context.catalog.drop_view(parts, if_exists=True)
    context.kept.forget_table(path.database, path.name)


def batch_delete_table(context: GlueContext, call: Call) -> Answer:
    database = context.database_named(call.request.DatabaseName)
    errors = []
    for name in call.request.TablesToDelete:
        item = context.find(database, name)
        if item is None:
            detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Table not found"}
            errors.append({"TableName": name, "ErrorDetail": detail})
        else:
            _delete(context, item)
    return {"Errors": errors}


def _checked(given: Any) -> Document:
    document = document_of(given)
    for member in _REFUSED:
        if member in document:
            raise AwsError("InvalidInputException", f"{member} is not supported here")
    return document


# versions


def get_table_versions(context: GlueContext, call: Call) -> Answer:
    request = call.request
    item = context.table(request.DatabaseName, request.TableName)
    rows = sorted(_versions(context, item).items(), reverse=True)
    page, more = paged(rows, request, lambda row: f"{10**9 - row[0]:010d}", "versions")
    return {"TableVersions": [_version(n, table) for n, table in page], **more}


def get_table_version(context: GlueContext, call: Call) -> Answer:
    request = call.request
    item = context.table(request.DatabaseName, request.TableName)
    versions = _versions(context, item)
    number = max(versions) if request.VersionId is None else _number(request.VersionId)
    if number not in versions:
        raise AwsError("EntityNotFoundException", "Specified Version not found.")
    return {"TableVersion": _version(number, versions[number])}


def _number(text: str) -> int:
    if not text.isdigit():
        raise AwsError("InvalidInputException", f"Version Id {text[:40]!r} is not an integer")
    return int(text)


def _version(number: int, table: Document) -> Document:
    return {"VersionId": str(number), "Table": table}


def _versions(context: GlueContext, item: CatalogObject) -> dict[int, Document]:
    """All versions of a table, the current one included."""
    current = context.described(item)
    path = item.path
    versions = {int(current["VersionId"]): current}
    for row in context.kept.versions(path.database, path.name):
        table = {**current, **with_instants(row.input)}
        table |= {"VersionId": str(row.version), "UpdateTime": Instant(row.updated_ms)}
        versions[row.version] = table
    return versions


def delete_table_version(context: GlueContext, call: Call) -> Answer:
    request = call.request
    path = context.table(request.DatabaseName, request.TableName).path
    if not context.kept.forget_version(path.database, path.name, _number(request.VersionId)):
        raise AwsError("EntityNotFoundException", "Specified Version not found.")
    return {}


def batch_delete_table_version(context: GlueContext, call: Call) -> Answer:
    request = call.request
    path = context.table(request.DatabaseName, request.TableName).path
    errors = []
    for text in request.VersionIds:
        if not context.kept.forget_version(path.database, path.name, _number(text)):
            detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Version not found"}
            errors.append({"TableName": path.name, "VersionId": text, "ErrorDetail": detail})
    return {"Errors": errors}


OPERATIONS = {
    "BatchDeleteTable": batch_delete_table,
    "BatchDeleteTableVersion": batch_delete_table_version,
    "CreateTable": create_table,
    "DeleteTable": delete_table,
    "DeleteTableVersion": delete_table_version,
    "GetTable": get_table,
    "GetTableVersion": get_table_version,
    "GetTableVersions": get_table_versions,
    "GetTables": get_tables,
    "SearchTables": search_tables,
    "UpdateTable": update_table,
}
