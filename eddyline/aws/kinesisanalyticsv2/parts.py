"""Parts of an application that calls of their own add and delete.

Inputs, outputs and reference data belong to SQL-1_0 applications, which are kept and described; a
VPC configuration is kept without effect, since everything runs on this machine. A part's id is kept
with it, so that it stays the same when others are deleted.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.kinesisanalyticsv2.applications import newest_operation
from eddyline.aws.kinesisanalyticsv2.context import AnalyticsContext
from eddyline.aws.kinesisanalyticsv2.description import described, token_of
from eddyline.aws.members import document_of
from eddyline.service.applications.model import SQL, STREAMING, Application, Document

SQL_PART = "SqlApplicationConfiguration"
# list of parts: (name of its id, how many there may be)
LISTS = {
    "Inputs": ("InputId", 1),
    "Outputs": ("OutputId", 3),
    "ReferenceDataSources": ("ReferenceId", 1),
    "VpcConfigurations": ("VpcConfigurationId", 1),
}


def add_application_input(context: AnalyticsContext, call: Call) -> Answer:
    after = _add(context, call, "Inputs", document_of(call.request.Input))
    return _answer(context, after, "InputDescriptions")


def add_application_output(context: AnalyticsContext, call: Call) -> Answer:
    after = _add(context, call, "Outputs", document_of(call.request.Output))
    return _answer(context, after, "OutputDescriptions")


def add_application_reference_data_source(context: AnalyticsContext, call: Call) -> Answer:
    part = document_of(call.request.ReferenceDataSource)
    after = _add(context, call, "ReferenceDataSources", part)
    return _answer(context, after, "ReferenceDataSourceDescriptions")


def delete_application_output(context: AnalyticsContext, call: Call) -> Answer:
    return _answer(context, _delete(context, call, "Outputs", call.request.OutputId))


def delete_application_reference_data_source(context: AnalyticsContext, call: Call) -> Answer:
    after = _delete(context, call, "ReferenceDataSources", call.request.ReferenceId)
    return _answer(context, after)


def add_application_input_processing_configuration(context: AnalyticsContext, call: Call) -> Answer:
    part = document_of(call.request.InputProcessingConfiguration)
    after = _process(context, call, part)
    shown = _inputs(context, after)
    row = next(r for r in shown if r["InputId"] == call.request.InputId)
    name = "InputProcessingConfigurationDescription"
    return {**_answer(context, after), "InputId": row["InputId"], name: row[name]}


def delete_application_input_processing_configuration(
    context: AnalyticsContext, call: Call
) -> Answer:
    return _answer(context, _process(context, call, None))


def add_application_vpc_configuration(context: AnalyticsContext, call: Call) -> Answer:
    part = document_of(call.request.VpcConfiguration)
    digest = sha256(",".join(sorted(part["SubnetIds"])).encode()).hexdigest()
    part["VpcId"] = f"vpc-{digest[:17]}"
    after = _add(context, call, "VpcConfigurations", part)
    shown = described(context, after)["ApplicationConfigurationDescription"]
    row = shown["VpcConfigurationDescriptions"][-1]
    answer = {**_answer(context, after), "VpcConfigurationDescription": row}
    return {**answer, **newest_operation(context, after.name)}


def delete_application_vpc_configuration(context: AnalyticsContext, call: Call) -> Answer:
    after = _delete(context, call, "VpcConfigurations", call.request.VpcConfigurationId)
    return {**_answer(context, after), **newest_operation(context, after.name)}


def _add(context: AnalyticsContext, call: Call, name: str, part: Document) -> Application:
    """Add a part to a list of an application. Raises AwsError ``InvalidArgumentException``."""
    before = _checked(context, call, name)
    rows = _rows(before, name)
    key, most = LISTS[name]
    if len(rows) >= most:
        message = f"Application {before.name} has {most} of {name}, and may not have more."
        raise AwsError("InvalidArgumentException", message)
    number = 1 + max((int(str(row[key]).partition(".")[0]) for row in rows), default=0)
    return _with(context, call, before, name, [*rows, {**part, key: f"{number}.1"}])


def _delete(context: AnalyticsContext, call: Call, name: str, part: str) -> Application:
    """Delete a part of a list. Raises AwsError ``ResourceNotFoundException``."""
    before = _checked(context, call, name)
    rows, key = _rows(before, name), LISTS[name][0]
    kept = [row for row in rows if row[key] != part]
    if len(kept) == len(rows):
        raise _no_part(before, key, part)
    return _with(context, call, before, name, kept)


def _process(context: AnalyticsContext, call: Call, part: Document | None) -> Application:
    """Give an input a preprocessor, or take it away."""
    before = _checked(context, call, "Inputs")
    rows = _rows(before, "Inputs")
    row = next((r for r in rows if r["InputId"] == call.request.InputId), None)
    if row is None:
        raise _no_part(before, "InputId", call.request.InputId)
    name = "InputProcessingConfiguration"
    if part is None and name not in row:
        message = f"Input {row['InputId']} has no {name}."
        raise AwsError("ResourceNotFoundException", message)
    changed = {k: v for k, v in row.items() if k != name} | ({name: part} if part else {})
    after = [changed if r is row else r for r in rows]
    return _with(context, call, before, "Inputs", after)


def _checked(context: AnalyticsContext, call: Call, name: str) -> Application:
    """The application, once it can have such parts and the caller has seen its version."""
    request = call.request
    before = context.application(request.ApplicationName)
    if before.mode != (STREAMING if name == "VpcConfigurations" else SQL):
        message = f"{call.operation} is not for an application of {before.runtime}."
        raise AwsError("InvalidArgumentException", message)
    token = getattr(request, "ConditionalToken", None)
    if request.CurrentApplicationVersionId is None and token is None:
        message = "Either CurrentApplicationVersionId or ConditionalToken must be provided."
        raise AwsError("InvalidArgumentException", message)
    if token is not None and token != token_of(before):
        message = "The ConditionalToken is not that of the application's current version."
        raise AwsError("ConcurrentModificationException", message)
    return before


def _rows(application: Application, name: str) -> list[Document]:
    """The parts of a list, each with its id."""
    configuration = application.configuration
    if name != "VpcConfigurations":
        configuration = configuration.get(SQL_PART) or {}
    key = LISTS[name][0]
    rows: list[Document] = configuration.get(name) or []
    return [{key: f"{number}.1", **row} for number, row in enumerate(rows, 1)]


def _with(
    context: AnalyticsContext, call: Call, before: Application, name: str, rows: list[Document]
) -> Application:
    configuration: dict[str, Any] = dict(before.configuration)
    if name == "VpcConfigurations":
        configuration[name] = rows
    else:
        configuration[SQL_PART] = {**(configuration.get(SQL_PART) or {}), name: rows}
    version = call.request.CurrentApplicationVersionId or before.version
    return context.applications.update(before.name, configuration, version)


def _inputs(context: AnalyticsContext, application: Application) -> list[Document]:
    shown = described(context, application)["ApplicationConfigurationDescription"]
    rows: list[Document] = shown["SqlApplicationConfigurationDescription"]["InputDescriptions"]
    return rows


def _answer(context: AnalyticsContext, after: Application, listed: str | None = None) -> Document:
    answer: Document = {
        "ApplicationARN": context.application_arn(after.name),
        "ApplicationVersionId": after.version,
    }
    if listed is not None:
        shown = described(context, after)["ApplicationConfigurationDescription"]
        answer[listed] = shown["SqlApplicationConfigurationDescription"].get(listed, [])
    return answer


def _no_part(application: Application, key: str, part: str) -> AwsError:
    message = f"Application {application.name} has no {key} {part}."
    return AwsError("ResourceNotFoundException", message)


OPERATIONS = {
    "AddApplicationInput": add_application_input,
    "AddApplicationInputProcessingConfiguration": add_application_input_processing_configuration,
    "AddApplicationOutput": add_application_output,
    "AddApplicationReferenceDataSource": add_application_reference_data_source,
    "AddApplicationVpcConfiguration": add_application_vpc_configuration,
    "DeleteApplicationInputProcessingConfiguration": (
        delete_application_input_processing_configuration
    ),
    "DeleteApplicationOutput": delete_application_output,
    "DeleteApplicationReferenceDataSource": delete_application_reference_data_source,
    "DeleteApplicationVpcConfiguration": delete_application_vpc_configuration,
}
