"""Databases of the data catalog."""

from __future__ import annotations

from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.glue.context import Document, GlueContext, paged
from eddyline.aws.glue.tags import add_tags
from eddyline.aws.instant import Instant
from eddyline.aws.members import document_of
from eddyline.errors import EddylineError


def create_database(context: GlueContext, call: Call) -> Answer:
    given = _checked(call.request.DatabaseInput)
    name = str(given["Name"]).lower()
    if name in (known.lower() for known in context.catalog.list_databases()):
        raise AwsError("AlreadyExistsException", "Database already exists.")
    context.catalog.create_database(name, comment=given.get("Description"))
    context.kept.keep_database(name, given)
    if call.request.Tags:
        add_tags(context, name, f"database/{name}", call.request.Tags)
    return {}


def get_database(context: GlueContext, call: Call) -> Answer:
    return {"Database": _described(context, context.database_named(call.request.Name))}


def get_databases(context: GlueContext, call: Call) -> Answer:
    names = sorted(context.catalog.list_databases())
    page, more = paged(names, call.request, lambda name: name, "databases")
    return {"DatabaseList": [_described(context, name) for name in page], **more}


def update_database(context: GlueContext, call: Call) -> Answer:
    name = context.database_named(call.request.Name)
    given = _checked(call.request.DatabaseInput)
    if str(given["Name"]).lower() != name.lower():
        message = "a database cannot be renamed: create another one and move its tables"
        raise AwsError("InvalidInputException", message)
    context.catalog.comment_database(name, given.get("Description"))
    context.kept.keep_database(name, given)
    return {}


def delete_database(context: GlueContext, call: Call) -> Answer:
    """Delete a database and, as in Glue, its tables."""
    name = context.database_named(call.request.Name)
    try:
        context.catalog.drop_database(name, cascade=True)
    except EddylineError as error:
        if error.code != "conflict":
            raise
        message = f"database {name} is where SQL sessions begin and cannot be deleted"
        raise AwsError("InvalidInputException", message) from None
    context.kept.forget_database(name)
    return {}


# Members that mean other AWS accounts or services, which are not here.
_REFUSED = ("TargetDatabase", "FederatedDatabase")


def _checked(given: Any) -> Document:
    document = document_of(given)
    for member in _REFUSED:
        if member in document:
            raise AwsError("InvalidInputException", f"{member} is not supported here")
    return document


def _described(context: GlueContext, name: str) -> Document:
    kept = context.kept.database(name)
    given, created_ms = kept or ({}, None)
    document: Document = {**given, "Name": name, "CatalogId": context.settings.account_id}
    options, comment = context.catalog.database(name)
    if comment:
        document["Description"] = comment
    if options:
        document["Parameters"] = {**options, **document.get("Parameters", {})}
    if created_ms is not None:
        document["CreateTime"] = Instant(created_ms)
    return document


OPERATIONS = {
    "CreateDatabase": create_database,
    "DeleteDatabase": delete_database,
    "GetDatabase": get_database,
    "GetDatabases": get_databases,
    "UpdateDatabase": update_database,
}
