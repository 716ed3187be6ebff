"""Tags of databases, tables and connections, which Terraform reads after it has made one."""

from __future__ import annotations

from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.glue.context import CONNECTION, GlueContext

TAGS = "tags"
TAGS_MAX = 50


def tag_resource(context: GlueContext, call: Call) -> Answer:
    database, key = _resource(context, call.request.ResourceArn)
    add_tags(context, database, key, call.request.TagsToAdd)
    return {}


def untag_resource(context: GlueContext, call: Call) -> Answer:
    database, key = _resource(context, call.request.ResourceArn)
    removed = set(call.request.TagsToRemove)
    _keep(context, database, key, {k: v for k, v in _tags(context, database, key).items()
                                   if k not in removed})  # fmt: skip
    return {}


def get_tags(context: GlueContext, call: Call) -> Answer:
    return {"Tags": _tags(context, *_resource(context, call.request.ResourceArn))}


def add_tags(context: GlueContext, database: str, key: str, added: dict[str, str]) -> None:
    """Add tags to a resource. key: the end of its ARN, as ``table/shop/orders``.

    Raises:
        AwsError: ``InvalidInputException`` for too many.
    """
    tags = {**_tags(context, database, key), **added}
    if len(tags) > TAGS_MAX:
        message = f"a resource has at most {TAGS_MAX} tags"
        raise AwsError("InvalidInputException", message)
    _keep(context, database, key, tags)


def forget_tags(context: GlueContext, database: str, key: str) -> None:
    """Forget the tags of a resource that is gone."""
    context.kept.remove_item(TAGS, database, "", key)


def _keep(context: GlueContext, database: str, key: str, tags: dict[str, str]) -> None:
    if not context.kept.add_item(TAGS, database, "", key, tags):
        context.kept.change_item(TAGS, database, "", key, key, tags)


def _tags(context: GlueContext, database: str, key: str) -> dict[str, Any]:
    kept = context.kept.item(TAGS, database, "", key)
    return {} if kept is None else kept.input


def _resource(context: GlueContext, arn: str) -> tuple[str, str]:
    """A resource's database, empty for a connection, and the end of its ARN.

    Raises:
        AwsError: ``InvalidInputException``, or ``EntityNotFoundException``.
    """
    begin = context.arn("glue", "")
    kind, _, name = arn.removeprefix(begin).partition("/")
    if not arn.startswith(begin) or not name or kind not in ("database", "table", "connection"):
        message = f"{arn} is no ARN of a database, a table or a connection of this catalog"
        raise AwsError("InvalidInputException", message)
    if kind == "connection":
        if context.kept.item(CONNECTION, "", "", name) is None:
            raise AwsError("EntityNotFoundException", f"Connection {name} not found.")
        return "", f"{kind}/{name}"
    database, _, table = name.partition("/")
    database = context.database_named(database)
    if kind == "table":
        context.table(database, table)
    return database, f"{kind}/{name}".lower()


OPERATIONS = {"GetTags": get_tags, "TagResource": tag_resource, "UntagResource": untag_resource}
