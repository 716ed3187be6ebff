"""Partitions of tables: kept as they are given, found by their values."""

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
from eddyline.catalog.glue_store import GlueItem
from eddyline.catalog.table import CatalogTable

KIND = "partition"
_TEST = re.compile(r"\s*(\w+)\s*(=|<>|!=|<=|>=|<|>)\s*(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?))\s*")
_OPERATORS = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def create_partition(context: GlueContext, call: Call) -> Answer:
    item = context.table(call.request.DatabaseName, call.request.TableName)
    error = _create(context, item, document_of(call.request.PartitionInput))
    if error is not None:
        raise error
    return {}


def batch_create_partition(context: GlueContext, call: Call) -> Answer:
    item = context.table(call.request.DatabaseName, call.request.TableName)
    errors = []
    for given in call.request.PartitionInputList:
        document = document_of(given)
        error = _create(context, item, document)
        if error is not None:
            errors.append(_failed(document.get("Values", []), error))
    return {"Errors": errors}


def _create(context: GlueContext, item: CatalogObject, given: Document) -> AwsError | None:
    values = _checked(item, given.get("Values", []))
    path = item.path
    if context.kept.add_item(KIND, path.database, path.name, values, given):
        return None
    return AwsError("AlreadyExistsException", "Partition already exists.")


def _checked(item: CatalogObject, values: list[str]) -> str:
    """The key of a partition. Raises AwsError ``InvalidInputException``."""
    keys = item.partitioned_by if isinstance(item, CatalogTable) else ()
    if len(values) != len(keys):
        message = "The number of partition keys do not match the number of partition values"
        raise AwsError("InvalidInputException", message)
    return json.dumps(values)


def get_partition(context: GlueContext, call: Call) -> Answer:
    item = context.table(call.request.DatabaseName, call.request.TableName)
    return {"Partition": _described(context, item, _partition(context, item, call))}


def _partition(context: GlueContext, item: CatalogObject, call: Call) -> GlueItem:
    path = item.path
    values = json.dumps(call.request.PartitionValues)
    kept = context.kept.item(KIND, path.database, path.name, values)
    if kept is None:
        raise AwsError("EntityNotFoundException", "Cannot find partition.")
    return kept


def get_partitions(context: GlueContext, call: Call) -> Answer:
    request = call.request
    item = context.table(request.DatabaseName, request.TableName)
    path = item.path
    kept = context.kept.items(KIND, path.database, path.name)
    if request.Expression:
        keys = item.partitioned_by if isinstance(item, CatalogTable) else ()
        tests = _tests(request.Expression, keys)
        kept = [p for p in kept if all(_holds(t, keys, json.loads(p.name)) for t in tests)]
    page, more = paged(kept, request, lambda p: p.name, "partitions")
    return {"Partitions": [_described(context, item, p) for p in page], **more}


def _tests(expression: str, keys: tuple[str, ...]) -> list[tuple[str, str, Any]]:
    """The comparisons of an expression. Raises AwsError ``InvalidInputException``."""
    tests = []
    for part in re.split(r"\band\b", expression.strip().strip("()"), flags=re.IGNORECASE):
        match = _TEST.fullmatch(part.strip().strip("()"))
        if match is None or match[1] not in keys:
            message = (
                f"the expression {expression[:200]!r} is not supported: write comparisons of "
                f"{', '.join(keys) or 'partition keys'} with values, joined by AND"
            )
            raise AwsError("InvalidInputException", message)
        text = match[3]
        value: Any = float(match[4]) if text is None else text.replace("''", "'")
        tests.append((match[1], match[2], value))
    return tests


def _holds(test: tuple[str, str, Any], keys: tuple[str, ...], values: list[str]) -> bool:
    name, operator, expected = test
    given: Any = values[keys.index(name)]
    if isinstance(expected, float):
        try:
            given = float(given)
        except ValueError:
            return False
    return bool(_OPERATORS[operator](given, expected))


def batch_get_partition(context: GlueContext, call: Call) -> Answer:
    request = call.request
    item = context.table(request.DatabaseName, request.TableName)
    path = item.path
    there, missing = [], []
    for requested in request.PartitionsToGet:
        values = json.dumps(requested.Values)
        kept = context.kept.item(KIND, path.database, path.name, values)
        if kept is None:
            missing.append({"Values": requested.Values})
        else:
            there.append(_described(context, item, kept))
    return {"Partitions": there, "UnprocessedKeys": missing}


def update_partition(context: GlueContext, call: Call) -> Answer:
    request = call.request
    item = context.table(request.DatabaseName, request.TableName)
    given, path = document_of(request.PartitionInput), item.path
    old = json.dumps(request.PartitionValueList)
    new = _checked(item, given.get("Values") or request.PartitionValueList)
    if not context.kept.change_item(KIND, path.database, path.name, old, new, given):
        raise AwsError("EntityNotFoundException", "Partition not found.")
    return {}


def delete_partition(context: GlueContext, call: Call) -> Answer:
    request = call.request
    path = context.table(request.DatabaseName, request.TableName).path
    values = json.dumps(request.PartitionValues)
    if not context.kept.remove_item(KIND, path.database, path.name, values):
        raise AwsError("EntityNotFoundException", "Partition not found.")
    return {}


def batch_delete_partition(context: GlueContext, call: Call) -> Answer:
    request = call.request
    path = context.table(request.DatabaseName, request.TableName).path
    errors = []
    for requested in request.PartitionsToDelete:
        values = json.dumps(requested.Values)
        if not context.kept.remove_item(KIND, path.database, path.name, values):
            error = AwsError("EntityNotFoundException", "Partition not found.")
            errors.append(_failed(requested.Values, error))
    return {"Errors": errors}


def _failed(values: list[str], error: AwsError) -> Document:
    detail = {"ErrorCode": error.name, "ErrorMessage": error.message}
    return {"PartitionValues": values, "ErrorDetail": detail}


def _described(context: GlueContext, item: CatalogObject, kept: GlueItem) -> Document:
    document: Document = {**with_instants(kept.input), "Values": json.loads(kept.name)}
    document |= {"DatabaseName": item.path.database, "TableName": item.path.name}
    document |= {"CreationTime": Instant(kept.created_ms)}
    return {**document, "CatalogId": context.settings.account_id}


def get_partition_indexes(context: GlueContext, call: Call) -> Answer:
    """None: nothing here needs an index of partitions, and none can be made."""
    context.table(call.request.DatabaseName, call.request.TableName)
    return {"PartitionIndexDescriptorList": []}


OPERATIONS = {
    "BatchCreatePartition": batch_create_partition,
    "BatchDeletePartition": batch_delete_partition,
    "BatchGetPartition": batch_get_partition,
    "CreatePartition": create_partition,
    "DeletePartition": delete_partition,
    "GetPartition": get_partition,
    "GetPartitionIndexes": get_partition_indexes,
    "GetPartitions": get_partitions,
    "UpdatePartition": update_partition,
}
