"""User-defined functions of databases, and connections: kept for the tools that read them."""

from __future__ import annotations

import re

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.glue.context import CONNECTION, Document, GlueContext, paged, with_instants
from eddyline.aws.glue.tags import add_tags, forget_tags
from eddyline.aws.instant import Instant
from eddyline.aws.members import document_of
from eddyline.catalog.glue_store import GlueItem

FUNCTION = "function"
_SECRETS = ("PASSWORD", "ENCRYPTED_PASSWORD")


def create_user_defined_function(context: GlueContext, call: Call) -> Answer:
    database = context.database_named(call.request.DatabaseName)
    given = document_of(call.request.FunctionInput)
    name = str(given.get("FunctionName") or "").lower()
    if not name:
        raise AwsError("InvalidInputException", "FunctionName is required")
    if not context.kept.add_item(FUNCTION, database, "", name, given):
        raise AwsError("AlreadyExistsException", "UserDefinedFunction already exists.")
    return {}


def get_user_defined_function(context: GlueContext, call: Call) -> Answer:
    database = context.database_named(call.request.DatabaseName)
    kept = context.kept.item(FUNCTION, database, "", call.request.FunctionName.lower())
    if kept is None:
        raise _no_function(call.request.FunctionName)
    return {"UserDefinedFunction": _function(context, kept)}


def get_user_defined_functions(context: GlueContext, call: Call) -> Answer:
    request = call.request
    database = context.database_named(request.DatabaseName) if request.DatabaseName else None
    try:
        pattern = re.compile(re.sub(r"(?<![.\])\\])\*", ".*", request.Pattern), re.IGNORECASE)
    except re.error as error:
        raise AwsError("InvalidInputException", f"the pattern is not valid: {error}") from None
    kept = [i for i in context.kept.items(FUNCTION, database) if pattern.fullmatch(i.name)]
    page, more = paged(kept, request, lambda i: f"{i.database}/{i.name}", "functions")
    return {"UserDefinedFunctions": [_function(context, i) for i in page], **more}


def update_user_defined_function(context: GlueContext, call: Call) -> Answer:
    request = call.request
    database, name = context.database_named(request.DatabaseName), request.FunctionName.lower()
    given = document_of(request.FunctionInput)
    new_name = str(given.get("FunctionName") or name).lower()
    if not context.kept.change_item(FUNCTION, database, "", name, new_name, given):
        raise _no_function(request.FunctionName)
    return {}


def delete_user_defined_function(context: GlueContext, call: Call) -> Answer:
    database = context.database_named(call.request.DatabaseName)
    name = call.request.FunctionName.lower()
    if not context.kept.remove_item(FUNCTION, database, "", name):
        raise _no_function(call.request.FunctionName)
    return {}


def _no_function(name: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"UserDefinedFunction {name} not found.")


def _function(context: GlueContext, kept: GlueItem) -> Document:
    document: Document = {**with_instants(kept.input), "FunctionName": kept.name}
    document |= {"DatabaseName": kept.database, "CreateTime": Instant(kept.created_ms)}
    return {**document, "CatalogId": context.settings.account_id}


def create_connection(context: GlueContext, call: Call) -> Answer:
    given = document_of(call.request.ConnectionInput)
    if not context.kept.add_item(CONNECTION, "", "", given["Name"], given):
        raise AwsError("AlreadyExistsException", "Connection already exists.")
    if call.request.Tags:
        add_tags(context, "", f"connection/{given['Name']}", call.request.Tags)
    return {"CreateConnectionStatus": "READY"}


def get_connection(context: GlueContext, call: Call) -> Answer:
    kept = context.kept.item(CONNECTION, "", "", call.request.Name)
    if kept is None:
        raise _no_connection(call.request.Name)
    return {"Connection": _connection(kept, hide=bool(call.request.HidePassword))}


def get_connections(context: GlueContext, call: Call) -> Answer:
    request, kept = call.request, context.kept.items(CONNECTION, "")
    if request.Filter is not None and request.Filter.ConnectionType is not None:
        kind = request.Filter.ConnectionType
        kept = [i for i in kept if i.input.get("ConnectionType") == kind]
    if request.Filter is not None and request.Filter.MatchCriteria:
        criteria = set(request.Filter.MatchCriteria)
        kept = [i for i in kept if criteria <= set(i.input.get("MatchCriteria", []))]
    page, more = paged(kept, request, lambda i: i.name, "connections")
    hide = bool(request.HidePassword)
    return {"ConnectionList": [_connection(i, hide=hide) for i in page], **more}


def update_connection(context: GlueContext, call: Call) -> Answer:
    given, name = document_of(call.request.ConnectionInput), call.request.Name
    if not context.kept.change_item(CONNECTION, "", "", name, given["Name"], given):
        raise _no_connection(name)
    return {}


def delete_connection(context: GlueContext, call: Call) -> Answer:
    name = call.request.ConnectionName
    if not context.kept.remove_item(CONNECTION, "", "", name):
        raise _no_connection(name)
    forget_tags(context, "", f"connection/{name}")
    return {}


def _no_connection(name: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"Connection {name} not found.")


def _connection(kept: GlueItem, *, hide: bool) -> Document:
    document = dict(kept.input)
    document.pop("ValidateCredentials", None)
    document.pop("ValidateForComputeEnvironments", None)
    document.pop("AuthenticationConfiguration", None)
    if hide:
        properties = document.get("ConnectionProperties", {})
        shown = {k: v for k, v in properties.items() if k not in _SECRETS}
        document["ConnectionProperties"] = shown
    document |= {"CreationTime": Instant(kept.created_ms), "Status": "READY"}
    return {**document, "LastUpdatedTime": Instant(kept.updated_ms)}


OPERATIONS = {
    "CreateConnection": create_connection,
    "CreateUserDefinedFunction": create_user_defined_function,
    "DeleteConnection": delete_connection,
    "DeleteUserDefinedFunction": delete_user_defined_function,
    "GetConnection": get_connection,
    "GetConnections": get_connections,
    "GetUserDefinedFunction": get_user_defined_function,
    "GetUserDefinedFunctions": get_user_defined_functions,
    "UpdateConnection": update_connection,
    "UpdateUserDefinedFunction": update_user_defined_function,
}
