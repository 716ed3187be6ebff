"""Glue's data catalog through boto3: what SQL makes is there, and what Glue makes SQL reads."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eddyline.catalog.catalog import Catalog
from eddyline.catalog.glue import PREFIXES, SCHEMA, from_glue, to_glue
from eddyline.catalog.hive_types import hive_type, read_hive_type
from eddyline.catalog.table import CatalogTable, ObjectPath, WatermarkSpec
from eddyline.errors import EddylineError
from eddyline.record.types import BIGINT, STRING, decimal, row, timestamp
from eddyline.service.showing import definition
from eddyline.sql.parse import parse_script
from eddyline.sql.planner import Planner
from eddyline.sql.statement import CreateTable
from tests.aws.test_services import client

STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/"
# A table of the kind that stacks write for a notebook.
SENSORS = {
    "Name": "Sensors",
    "Description": "readings",
    "Owner": "ops",
    "TableType": "EXTERNAL_TABLE",
    "PartitionKeys": [{"Name": "day", "Type": "string"}],
    "Parameters": {
        "classification": "json",
        "typeOfData": "kinesis",
        "format": "json",
        "aws.region": "us-east-1",
        "scan.stream.initpos": "TRIM_HORIZON",
        "managed-flink.rowtime": "event_time",
        "managed-flink.watermark.event_time.milliseconds": "5000",
        "managed-flink.proctime": "seen_at",
    },
    "StorageDescriptor": {
        "Columns": [
            {"Name": "sensor_id", "Type": "bigint", "Comment": "which"},
            {"Name": "event_time", "Type": "timestamp"},
            {"Name": "place", "Type": "struct<lat:double,names:array<string>>"},
        ],
        "Location": STREAM + "sensors",
        "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
    },
}
DDL = """
CREATE TABLE orders (
  id BIGINT NOT NULL, price DECIMAL(10, 2), ts TIMESTAMP(3),
  arrived TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  doubled AS price * 2,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED
) WITH ('connector' = 'kinesis', 'stream' = 'orders', 'aws.region' = 'us-east-1',
        'format' = 'json')
"""
PLAIN = """
CREATE TABLE plain (a STRING, ts TIMESTAMP(3), b AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '1.5' SECOND)
WITH ('connector' = 'kinesis', 'stream' = 'p', 'aws.region' = 'us-east-1', 'format' = 'csv')
"""


@pytest.fixture(scope="module")
def glue(endpoint: str) -> Any:
    return client(endpoint, "glue")


@pytest.fixture(scope="module")
def catalog(endpoint: str, data_dir: Path) -> Catalog:
    return Catalog(data_dir / "meta.db")


def code(operation: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        operation(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def created(catalog: Catalog, ddl: str) -> CatalogTable:
    statement = parse_script(ddl)[0]
    assert isinstance(statement, CreateTable)
    catalog.create_table(Planner(catalog).table(statement))
    return catalog.table(statement.name.parts)


def test_databases(glue: Any, catalog: Catalog) -> None:
    glue.create_database(
        DatabaseInput={"Name": "Lab", "Description": "d", "Parameters": {"a": "b"}}
    )
    kept = glue.get_database(Name="lab")["Database"]
    assert (kept["Name"], kept["Description"], kept["Parameters"]) == ("lab", "d", {"a": "b"})
    assert kept["CatalogId"] == "000000000000"
    assert "lab" in catalog.list_databases()
    catalog.create_database("by_sql", comment="sql")
    names = [d["Name"] for d in glue.get_databases()["DatabaseList"]]
    assert {"by_sql", "default_database", "lab"} <= set(names)
    first = glue.get_databases(MaxResults=1)
    second = glue.get_databases(MaxResults=100, NextToken=first["NextToken"])
    assert [d["Name"] for d in first["DatabaseList"] + second["DatabaseList"]] == names
    assert "NextToken" not in second
    glue.update_database(Name="lab", DatabaseInput={"Name": "lab", "Description": "new"})
    assert glue.get_database(Name="lab")["Database"]["Description"] == "new"
    there = "AlreadyExistsException", "Database already exists."
    assert code(glue.create_database, DatabaseInput={"Name": "lab"}) == there
    missing = "EntityNotFoundException", "Database nowhere not found."
    assert code(glue.get_database, Name="nowhere") == missing
    assert code(glue.delete_database, Name="default_database")[0] == "InvalidInputException"
    glue.delete_database(Name="by_sql")
    assert "by_sql" not in catalog.list_databases()


def test_a_table_of_glue_is_a_table_of_sql(glue: Any, catalog: Catalog) -> None:
    glue.create_database(DatabaseInput={"Name": "studio"})
    glue.create_table(DatabaseName="studio", TableInput=SENSORS)
    table = catalog.table(("studio", "sensors"))
    assert {c.name: str(c.type.plain()) for c in table.columns} == {
        "sensor_id": "BIGINT",
        "event_time": "TIMESTAMP(3)",
        "place": "ROW<`lat` DOUBLE, `names` ARRAY<STRING>>",
        "day": "STRING",
        "seen_at": "TIMESTAMP_LTZ(3) NOT NULL",
    }
    assert table.watermark == WatermarkSpec("event_time", "`event_time` - INTERVAL '5' SECOND")
    assert table.options == {
        "connector": "kinesis",
        "stream.arn": STREAM + "sensors",
        "format": "json",
        "aws.region": "us-east-1",
        "scan.stream.initpos": "TRIM_HORIZON",
    }
    # The planner takes the definition back: it is SQL of Flink.
    again = Planner(catalog).table(_parsed(definition(table)))
    assert again.watermark is not None
    assert [c.name for c in again.columns] == [c.name for c in table.columns]
    kept = glue.get_table(DatabaseName="studio", Name="SENSORS")["Table"]
    for member in ("Description", "Owner", "Parameters", "StorageDescriptor", "PartitionKeys"):
        assert kept[member] == SENSORS[member], member
    assert (kept["Name"], kept["VersionId"]) == ("sensors", "0")
    assert code(glue.create_table, DatabaseName="studio", TableInput=SENSORS) == (
        "AlreadyExistsException",
        "Table already exists.",
    )


def _parsed(ddl: str) -> CreateTable:
    statement = parse_script(ddl)[0]
    assert isinstance(statement, CreateTable)
    return statement


def test_a_table_of_sql_is_a_table_of_glue_and_stays_what_it_is(
    glue: Any, catalog: Catalog
) -> None:
    glue.create_database(DatabaseInput={"Name": "sql"})
    catalog.use_database(("sql",))
    table = created(catalog, DDL)
    kept = glue.get_table(DatabaseName="sql", Name="orders")["Table"]
    assert kept["StorageDescriptor"]["Location"] == STREAM + "orders"
    types = {c["Name"]: c["Type"] for c in kept["StorageDescriptor"]["Columns"]}
    assert types == {"id": "bigint", "price": "decimal(10,2)", "ts": "timestamp"}
    parameters = kept["Parameters"]
    assert parameters["managed-flink.rowtime"] == "ts"
    assert parameters["managed-flink.watermark.ts.milliseconds"] == "5000"
    assert (parameters["connector"], parameters["classification"]) == ("kinesis", "json")
    # What a stack reads, changes and writes back loses nothing that Glue has no words for.
    members = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
    given = {m: kept[m] for m in members}
    given["StorageDescriptor"]["Columns"].append({"Name": "note", "Type": "string"})
    given["Parameters"]["managed-flink.watermark.ts.milliseconds"] = "7000"
    glue.update_table(DatabaseName="sql", TableInput=given)
    changed = catalog.table(("orders",))
    assert changed.columns == (*table.columns, changed.columns[-1])
    assert changed.columns[-1].name == "note"
    assert changed.watermark == WatermarkSpec("ts", "`ts` - INTERVAL '7' SECOND")
    assert changed.primary_key == ("id",)
    versions = glue.get_table_versions(DatabaseName="sql", TableName="orders")["TableVersions"]
    assert [v["VersionId"] for v in versions] == ["1", "0"]
    columns = [len(v["Table"]["StorageDescriptor"]["Columns"]) for v in versions]
    assert columns == [4, 3]
    # SQL changes it: Glue tells what it is now.
    catalog.alter_options(("orders",), {"scan.stream.initpos": "LATEST"})
    now = glue.get_table(DatabaseName="sql", Name="orders")["Table"]["Parameters"]
    assert now["scan.stream.initpos"] == "LATEST"
    catalog.use_database(("default_database",))


def test_what_glue_can_say_needs_no_parameter_of_ours(catalog: Catalog) -> None:
    table = created(catalog, PLAIN)
    given = to_glue(table, STREAM)
    assert SCHEMA not in given["Parameters"]
    assert given["Parameters"]["managed-flink.watermark.ts.milliseconds"] == "1500"
    assert given["Parameters"]["managed-flink.proctime"] == "b"
    back = from_glue(table.path, given)
    assert isinstance(back, CatalogTable)
    assert back.columns == table.columns
    newer, older = PREFIXES
    old = {k.replace(newer, older): v for k, v in given["Parameters"].items()}
    assert from_glue(table.path, {**given, "Parameters": old}) == back


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("string", STRING),
        ("BIGINT", BIGINT),
        ("decimal( 12 , 3 )", decimal(12, 3)),
        ("timestamp", timestamp(3)),
        ("struct<a:bigint,b:struct<c:string>>", row(("a", "b"), (BIGINT, row(("c",), (STRING,))))),
    ],
)
def test_types_are_those_of_hive(text: str, kind: Any) -> None:
    assert read_hive_type(text, "c") == kind
    assert read_hive_type(hive_type(kind), "c") == kind


@pytest.mark.parametrize("text", ["varint", "array<>", "map<int>", "struct<>", "decimal(a)"])
def test_an_unknown_type_names_its_column(text: str) -> None:
    with pytest.raises(EddylineError, match="column c has the type"):
        read_hive_type(text, "c")
    path = ObjectPath("default_catalog", "d", "t")
    with pytest.raises(EddylineError, match="column x has"):
        from_glue(path, {"StorageDescriptor": {"Columns": [{"Name": "x", "Type": text}]}})


def test_views_lists_and_deletion(glue: Any, catalog: Catalog) -> None:
    glue.create_database(DatabaseInput={"Name": "many"})
    view = {
        "Name": "v",
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": "SELECT 1 AS a",
        "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "int"}]},
    }
    glue.create_table(DatabaseName="many", TableInput=view)
    for name in ("t1", "t2", "u"):
        glue.create_table(DatabaseName="many", TableInput={**SENSORS, "Name": name})
    assert catalog.list_views("many") == ["v"]
    listed = glue.get_tables(DatabaseName="many", Expression="t*")["TableList"]
    assert [t["Name"] for t in listed] == ["t1", "t2"]
    pages = glue.get_paginator("get_tables").paginate(
        DatabaseName="many", PaginationConfig={"PageSize": 3}
    )
    assert [t["Name"] for page in pages for t in page["TableList"]] == ["t1", "t2", "u", "v"]
    failed = glue.batch_delete_table(DatabaseName="many", TablesToDelete=["t1", "none"])
    assert [e["TableName"] for e in failed["Errors"]] == ["none"]
    glue.delete_table(DatabaseName="many", Name="v")
    assert catalog.list_tables("many") == ["t2", "u"]
    missing = "EntityNotFoundException", "Table v not found."
    assert code(glue.delete_table, DatabaseName="many", Name="v") == missing
    assert code(glue.get_tables, DatabaseName="many", Expression="(")[0] == "InvalidInputException"
    wrong = {**view, "Name": "w", "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "x"}]}}
    error, message = code(glue.create_table, DatabaseName="many", TableInput=wrong)
    assert error == "InvalidInputException"
    assert "column a has the type 'x'" in message
    glue.delete_database(Name="many")
    assert code(glue.get_tables, DatabaseName="many")[0] == "EntityNotFoundException"


def test_partitions(glue: Any) -> None:
    glue.create_database(DatabaseInput={"Name": "parts"})
    glue.create_table(DatabaseName="parts", TableInput=SENSORS)
    table = {"DatabaseName": "parts", "TableName": "sensors"}
    days = ["2026-11-24", "2026-11-25", "2026-11-26"]
    inputs = [{"Values": [day], "StorageDescriptor": {"Location": f"s3://b/{day}"}} for day in days]
    assert glue.batch_create_partition(**table, PartitionInputList=inputs)["Errors"] == []
    failed = glue.batch_create_partition(**table, PartitionInputList=inputs[:1])["Errors"]
    assert failed[0]["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException"
    later = glue.get_partitions(**table, Expression="day > '2026-11-24' AND day<>'2026-11-26'")
    assert [p["Values"] for p in later["Partitions"]] == [["2026-11-25"]]
    one = glue.get_partition(**table, PartitionValues=[days[0]])["Partition"]
    assert one["StorageDescriptor"]["Location"] == "s3://b/2026-11-24"
    glue.delete_partition(**table, PartitionValues=[days[0]])
    assert len(glue.get_partitions(**table)["Partitions"]) == 2
    several = {"Values": ["a", "b"]}
    refused = code(glue.create_partition, **table, PartitionInput=several)
    assert refused[0] == "InvalidInputException"
    assert code(glue.get_partitions, **table, Expression="day LIKE 'x'")[0] == refused[0]


def test_functions_connections_and_what_is_not_here(glue: Any) -> None:
    glue.create_database(DatabaseInput={"Name": "udfs"})
    given = {"FunctionName": "Fn", "ClassName": "a.B", "OwnerName": "me", "OwnerType": "USER"}
    glue.create_user_defined_function(DatabaseName="udfs", FunctionInput=given)
    (kept,) = glue.get_user_defined_functions(DatabaseName="udfs", Pattern="*")[
        "UserDefinedFunctions"
    ]
    assert (kept["FunctionName"], kept["ClassName"]) == ("fn", "a.B")
    glue.delete_user_defined_function(DatabaseName="udfs", FunctionName="fn")
    gone = code(glue.get_user_defined_function, DatabaseName="udfs", FunctionName="fn")
    assert gone[0] == "EntityNotFoundException"
    kafka = {
        "Name": "msk",
        "ConnectionType": "KAFKA",
        "ConnectionProperties": {"KAFKA_BOOTSTRAP_SERVERS": "b:9092", "PASSWORD": "secret"},
    }
    glue.create_connection(ConnectionInput=kafka)
    shown = glue.get_connection(Name="msk", HidePassword=True)["Connection"]
    assert shown["ConnectionProperties"] == {"KAFKA_BOOTSTRAP_SERVERS": "b:9092"}
    assert [c["Name"] for c in glue.get_connections()["ConnectionList"]] == ["msk"]
    glue.delete_connection(ConnectionName="msk")
    error, message = code(glue.get_crawlers)
    assert error == "UnsupportedOperationException"
    assert "GetCrawlers is not supported" in message


def test_tags_and_partition_indexes(glue: Any) -> None:
    """Terraform reads them right after it has made a database and a table."""
    glue.create_database(DatabaseInput={"Name": "tagged"}, Tags={"team": "a"})
    kind = {"Name": "c", "ConnectionType": "NETWORK", "ConnectionProperties": {}}
    glue.create_connection(ConnectionInput=kind, Tags={"x": "1"})
    glue.create_table(DatabaseName="tagged", TableInput={"Name": "t"})
    prefix = "arn:aws:glue:us-east-1:000000000000:"
    database, table = prefix + "database/tagged", prefix + "table/tagged/t"
    glue.tag_resource(ResourceArn=database, TagsToAdd={"team": "b", "env": "test"})
    glue.untag_resource(ResourceArn=database, TagsToRemove=["env", "nosuch"])
    glue.tag_resource(ResourceArn=table, TagsToAdd={"of": "table"})
    assert glue.get_tags(ResourceArn=database)["Tags"] == {"team": "b"}
    assert glue.get_tags(ResourceArn=table)["Tags"] == {"of": "table"}
    assert glue.get_tags(ResourceArn=prefix + "connection/c")["Tags"] == {"x": "1"}
    glue.delete_table(DatabaseName="tagged", Name="t")
    assert code(glue.get_tags, ResourceArn=table)[0] == "EntityNotFoundException"
    glue.create_table(DatabaseName="tagged", TableInput={"Name": "t"})
    assert glue.get_tags(ResourceArn=table)["Tags"] == {}
    of_table = {"DatabaseName": "tagged", "TableName": "t"}
    assert glue.get_partition_indexes(**of_table)["PartitionIndexDescriptorList"] == []
    of_table["TableName"] = "nosuch"
    assert code(glue.get_partition_indexes, **of_table)[0] == "EntityNotFoundException"
    many = {f"k{i}": "v" for i in range(50)}
    for refused, expected in (
        (code(glue.tag_resource, ResourceArn=database, TagsToAdd=many), "at most 50 tags"),
        (code(glue.get_tags, ResourceArn=prefix + "crawler/x"), "no ARN of a database"),
    ):
        assert refused[0] == "InvalidInputException"
        assert expected in refused[1]
    glue.delete_database(Name="tagged")
    glue.create_database(DatabaseInput={"Name": "tagged"})
    assert glue.get_tags(ResourceArn=database)["Tags"] == {}


def test_tables_are_searched_in_all_databases(glue: Any) -> None:
    for database, table in (("one", "needles"), ("two", "needles"), ("two", "hay")):
        with suppress(ClientError):
            glue.create_database(DatabaseInput={"Name": f"search_{database}"})
        glue.create_table(DatabaseName=f"search_{database}", TableInput={"Name": table})

    def names(**request: Any) -> list[tuple[str, str]]:
        listed = glue.search_tables(**request)["TableList"]
        return [(t["DatabaseName"], t["Name"]) for t in listed]

    assert names(SearchText="NEEDLE") == [("search_one", "needles"), ("search_two", "needles")]
    of_two = [{"Key": "DatabaseName", "Value": "search_two"}]
    assert names(SearchText="needle", Filters=of_two) == [("search_two", "needles")]
    assert names(Filters=of_two, MaxResults=1) == [("search_two", "hay")]
    refused = code(glue.search_tables, Filters=[{"Key": "Owner", "Value": "x"}])
    assert refused[0] == "InvalidInputException"
    assert "not searched by Owner here, but by DatabaseName, Name" in refused[1]
