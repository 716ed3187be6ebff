"""What Glue's operations share: the catalog, what is kept beside it, names and page tokens."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from eddyline.aws.context import ServiceContext
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.catalog.catalog import Catalog
from eddyline.catalog.glue import to_glue
from eddyline.catalog.glue_store import GlueRow, GlueStore
from eddyline.catalog.table import CatalogTable, CatalogView, ObjectPath

T = TypeVar("T")
Document = dict[str, Any]
PAGE = 100
# The kind of kept items that are connections.
CONNECTION = "connection"
# Types of Glue's models that hold instants, in the descriptions that clients send.
_INSTANTS = ("LastAccessTime", "LastAnalyzedTime", "LastModified")


class GlueContext(ServiceContext):
    """One account's data catalog."""

    @cached_property
    def catalog(self) -> Catalog:
        """The tables that SQL sees."""
        return Catalog(self.settings.data_dir / "meta.db")

    @cached_property
    def kept(self) -> GlueStore:
        """What only Glue keeps."""
        return GlueStore(self.settings.data_dir / "meta.db", self.wall)

    def resource_of(self, operation: str, request: Any) -> str:
        """The table, database or connection that a request names, else the catalog."""
        arn = getattr(request, "ResourceArn", None)
        if arn is not None:
            return str(arn)
        database = getattr(request, "DatabaseName", None)
        table = getattr(request, "TableName", None)
        table_input = getattr(request, "TableInput", None)
        if table is None and table_input is not None:
            table = table_input.Name
        if table is None and database is not None:
            table = getattr(request, "Name", None)
        if database is not None and table is not None:
            return self.arn("glue", f"table/{database}/{table}")
        if database is None and "Database" in operation:
            given = getattr(request, "DatabaseInput", None)
            database = getattr(request, "Name", None) or (given.Name if given else None)
        if database is not None:
            return self.arn("glue", f"database/{database}")
        if "Connection" in operation and getattr(request, "Name", None):
            return self.arn("glue", f"connection/{request.Name}")
        return self.arn("glue", "catalog")

    def database_named(self, name: str) -> str:
        """The database of that name, which Glue takes in any case.

        Raises:
            AwsError: ``EntityNotFoundException``.
        """
        match = _folded(name, self.catalog.list_databases())
        if match is None:
            raise AwsError("EntityNotFoundException", f"Database {name} not found.")
        return match

    def find(self, database: str, name: str) -> CatalogTable | CatalogView | None:
        """A table or view of the catalog; Glue takes its name in any case."""
        match = _folded(name, self.catalog.list_tables(database))
        if match is None:
            return None
        return self.catalog.resolve((self.catalog.current_catalog, database, match))

    def table(self, database: str, name: str) -> CatalogTable | CatalogView:
        """A table or view. Raises AwsError ``EntityNotFoundException``."""
        item = self.find(self.database_named(database), name)
        if item is None:
            raise AwsError("EntityNotFoundException", f"Table {name} not found.")
        return item

    def path(self, database: str, name: str) -> ObjectPath:
        """The path of a table."""
        return ObjectPath(self.catalog.current_catalog, database, name)

    def described(self, item: CatalogTable | CatalogView) -> Document:
        """A table as Glue answers it: as it was given, or as SQL defines it now."""
        path = item.path
        row = self.row_of(item)
        given = self.input_of(item, row)
        document: Document = {**with_instants(given), "DatabaseName": path.database}
        document |= {"CatalogId": self.settings.account_id, "IsRegisteredWithLakeFormation": False}
        if row is not None:
            document |= {
                "CreateTime": Instant(row.created_ms),
                "UpdateTime": Instant(row.updated_ms),
            }
        document["VersionId"] = str(row.version if row else 0)
        document.setdefault("Retention", 0)
        return document

    def row_of(self, item: CatalogTable | CatalogView) -> GlueRow | None:
        """What is kept of a table, if it is the table of that name still."""
        return self.kept.table(item.path.database, item.path.name)

    def input_of(self, item: CatalogTable | CatalogView, row: GlueRow | None) -> Document:
        """A table's TableInput: what was given, where SQL has not changed the table since."""
        if row is not None and row.definition == self.catalog.stored_definition(item.path):
            return row.input
        made = to_glue(item, self.arn("kinesis", "stream/"))
        if row is not None:  # an owner or a retention outlives ALTER TABLE
            kept: Document = {k: v for k, v in row.input.items() if k in ("Owner", "Retention")}
            made = {**kept, **made}
        return made


def _folded(name: str, known: list[str]) -> str | None:
    if name in known:
        return name
    return next((k for k in known if k.lower() == name.lower()), None)


def with_instants(document: Any) -> Any:
    """The members of an answer: seconds that were kept as numbers become instants."""
    if isinstance(document, dict):
        return {
            k: Instant(round(v * 1000)) if k in _INSTANTS else with_instants(v)
            for k, v in document.items()
        }
    return [with_instants(v) for v in document] if isinstance(document, list) else document


def paged(
    items: Sequence[T], request: Any, key: Callable[[T], str], members: str
) -> tuple[list[T], Document]:
    """One page of items that are in the order of their keys, and the answer's NextToken.

    Raises:
        AwsError: ``InvalidInputException`` for a token that is not ours.
    """
    token = getattr(request, "NextToken", None)
    after = None
    if token:
        try:
            after = base64.urlsafe_b64decode(token.encode()).decode()
        except ValueError:
            message = f"the NextToken of {members} is not valid"
            raise AwsError("InvalidInputException", message) from None
    rest = [i for i in items if after is None or key(i) > after]
    limit = getattr(request, "MaxResults", None) or PAGE
    page = rest[:limit]
    if len(rest) <= limit:
        return page, {}
    return page, {"NextToken": base64.urlsafe_b64encode(key(page[-1]).encode()).decode()}
