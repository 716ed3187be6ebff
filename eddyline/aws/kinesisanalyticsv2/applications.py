"""Applications: created, described, listed, changed, started, stopped, deleted."""

from __future__ import annotations

from typing import Any

from eddyline.aws.call import Answer, Call
from eddyline.aws.errors import AwsError
from eddyline.aws.instant import Instant
from eddyline.aws.kinesisanalyticsv2.context import AnalyticsContext, paged
from eddyline.aws.kinesisanalyticsv2.description import (
    described,
    maintenance,
    token_of,
    updated,
)
from eddyline.aws.members import document_of
from eddyline.service.applications.model import (
    INTERACTIVE,
    SQL,
    STREAMING,
    Application,
    Document,
    Operation,
)

TAGS_MAX = 50
_JAR = (
    "this server runs SQL and Python of a note given as TextContent, and no {kind}; run it on a "
    "Flink cluster (docs/clients.md says how its connector reads the streams here)"
)


def create_application(context: AnalyticsContext, call: Call) -> Answer:
    request = call.request
    mode = _mode(request.RuntimeEnvironment, request.ApplicationMode)
    configuration = document_of(request.ApplicationConfiguration)
    _check_code(configuration, mode)
    context.check_pass_role(call, request.ServiceExecutionRole)
    application = context.applications.create(
        request.ApplicationName,
        mode,
        request.RuntimeEnvironment,
        request.ServiceExecutionRole,
        request.ApplicationDescription or "",
        configuration,
        _tags(request.Tags or []),
        {f"{n}.1": o.LogStreamARN for n, o in enumerate(request.CloudWatchLoggingOptions or [], 1)},
        python=context.may_run_python(call),
    )
    return {"ApplicationDetail": described(context, application)}


def _mode(runtime: str, given: str | None) -> str:
    """The kind of an application. Raises AwsError ``InvalidArgumentException``."""
    kind = INTERACTIVE if runtime.startswith("ZEPPELIN") else STREAMING
    kind = SQL if runtime.startswith("SQL") else kind
    if given is not None and given != (STREAMING if kind == SQL else kind):
        message = f"ApplicationMode {given} does not go with the RuntimeEnvironment {runtime}."
        raise AwsError("InvalidArgumentException", message)
    return kind


def _check_code(configuration: Document, mode: str) -> None:
    """Refuse code that cannot run here.

    Raises:
        AwsError: ``InvalidArgumentException``, ``UnsupportedOperationException``.
    """
    code = configuration.get("ApplicationCodeConfiguration")
    if code is None:
        if mode == STREAMING:
            message = "ApplicationCodeConfiguration is required for a STREAMING application."
            raise AwsError("InvalidArgumentException", message)
        return
    content = code.get("CodeContent") or {}
    if len(content) > 1:
        message = "CodeContent has more than one of TextContent, ZipFileContent, S3ContentLocation."
        raise AwsError("InvalidArgumentException", message)
    if mode == SQL:
        return
    if "ZipFileContent" in content or "S3ContentLocation" in content:
        kind = "archive" if "ZipFileContent" in content else "jar or archive of S3"
        raise AwsError("UnsupportedOperationException", _JAR.format(kind=kind))
    if code["CodeContentType"] != "PLAINTEXT":
        message = "CodeContentType must be PLAINTEXT where CodeContent has TextContent."
        raise AwsError("InvalidArgumentException", message)


def describe_application(context: AnalyticsContext, call: Call) -> Answer:
    application = context.application(call.request.ApplicationName)
    return {"ApplicationDetail": described(context, application)}


def list_applications(context: AnalyticsContext, call: Call) -> Answer:
    page, more = paged(context.applications.list(), call.request)
    return {"ApplicationSummaries": [_summary(context, a) for a in page], **more}


def _summary(context: AnalyticsContext, application: Application) -> Document:
    summary: Document = {
        "ApplicationName": application.name,
        "ApplicationARN": context.application_arn(application.name),
        "ApplicationStatus": application.status,
        "ApplicationVersionId": application.version,
        "RuntimeEnvironment": application.runtime,
    }
    if application.mode != SQL:
        summary["ApplicationMode"] = application.mode
    return summary


def update_application(context: AnalyticsContext, call: Call) -> Answer:
    request = call.request
    before = context.application(request.ApplicationName)
    if request.CurrentApplicationVersionId is None and request.ConditionalToken is None:
        message = "Either CurrentApplicationVersionId or ConditionalToken must be provided."
        raise AwsError("InvalidArgumentException", message)
    if request.ConditionalToken is not None and request.ConditionalToken != token_of(before):
        message = "The ConditionalToken is not that of the application's current version."
        raise AwsError("ConcurrentModificationException", message)
    change = document_of(request.ApplicationConfigurationUpdate)
    configuration = updated(before.configuration, change)
    _check_code(configuration, before.mode)
    if request.ServiceExecutionRoleUpdate is not None:
        context.check_pass_role(call, request.ServiceExecutionRoleUpdate)
    if request.RuntimeEnvironmentUpdate is not None:
        _check_runtime(before, request.RuntimeEnvironmentUpdate)
    streams = dict(before.log_streams)
    for option in request.CloudWatchLoggingOptionUpdates or []:
        if option.CloudWatchLoggingOptionId not in streams:
            message = f"There is no logging option {option.CloudWatchLoggingOptionId}."
            raise AwsError("ResourceNotFoundException", message)
        streams[option.CloudWatchLoggingOptionId] = option.LogStreamARNUpdate
    run = document_of(request.RunConfigurationUpdate)
    application = context.applications.update(
        before.name,
        configuration,
        request.CurrentApplicationVersionId or before.version,
        None,
        request.ServiceExecutionRoleUpdate,
        request.RuntimeEnvironmentUpdate,
        streams,
        {**before.run, **run} if run else None,
        python=context.may_run_python(call),
    )
    return {
        "ApplicationDetail": described(context, application),
        **newest_operation(context, before.name),
    }


def _check_runtime(before: Application, runtime: str) -> None:
    if _mode(runtime, None) != before.mode or before.mode != STREAMING:
        message = f"The RuntimeEnvironment {before.runtime} cannot become {runtime}."
        raise AwsError("InvalidArgumentException", message)


def newest_operation(context: AnalyticsContext, name: str) -> Document:
    """The id of what was done last, for an answer."""
    operations = context.applications.operations(name)
    return {"OperationId": operations[0].id} if operations else {}


def delete_application(context: AnalyticsContext, call: Call) -> Answer:
    request = call.request
    application = context.application(request.ApplicationName)
    if abs(request.CreateTimestamp * 1000 - application.created_ms) >= 1000:
        message = "The CreateTimestamp is not that of the application."
        raise AwsError("InvalidArgumentException", message)
    context.applications.delete(application.name)
    return {}


def start_application(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    run = document_of(call.request.RunConfiguration)
    python = context.may_run_python(call)
    return {"OperationId": context.applications.start(name, run, python=python)}


def stop_application(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    return {"OperationId": context.applications.stop(name, force=bool(call.request.Force))}


def create_application_presigned_url(context: AnalyticsContext, call: Call) -> Answer:
    """A link that opens the studio, signed in, at the notebook."""
    application = context.application(call.request.ApplicationName)
    if call.request.UrlType == "ZEPPELIN_UI_URL" and application.mode != INTERACTIVE:
        message = "A ZEPPELIN_UI_URL is for applications in INTERACTIVE mode."
        raise AwsError("InvalidArgumentException", message)
    if application.status != "RUNNING":
        message = f"Application {application.name} is {application.status}; it must be RUNNING."
        raise AwsError("ResourceInUseException", message)
    return {"AuthorizedUrl": context.link.studio_link(context.studio_user(call))}


# versions, operations


def list_application_versions(context: AnalyticsContext, call: Call) -> Answer:
    application = context.application(call.request.ApplicationName)
    page, more = paged(context.applications.versions(application.name), call.request)
    rows = [
        {
            "ApplicationVersionId": v.version,
            "ApplicationStatus": application.status
            if v.version == application.version
            else "READY",
        }
        for v in page
    ]
    return {"ApplicationVersionSummaries": rows, **more}


def describe_application_version(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    for version in context.applications.versions(name):
        if version.version == call.request.ApplicationVersionId:
            detail = described(context, version.application)
            return {"ApplicationVersionDetail": detail}
    message = f"Application {name} has no version {call.request.ApplicationVersionId}."
    raise AwsError("ResourceNotFoundException", message)


def rollback_application(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    version = call.request.CurrentApplicationVersionId
    python = context.may_run_python(call)
    application = context.applications.rollback(name, version, python=python)
    return {"ApplicationDetail": described(context, application), **newest_operation(context, name)}


def list_application_operations(context: AnalyticsContext, call: Call) -> Answer:
    request = call.request
    name = context.application(request.ApplicationName).name
    operations = [
        o
        for o in context.applications.operations(name)
        if request.Operation in (None, o.operation) and request.OperationStatus in (None, o.status)
    ]
    page, more = paged(operations, request)
    rows = [{**_operation(o), "OperationId": o.id} for o in page]
    return {"ApplicationOperationInfoList": rows, **more}


def describe_application_operation(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    for operation in context.applications.operations(name):
        if operation.id == call.request.OperationId:
            return {"ApplicationOperationInfoDetails": _details(operation)}
    message = f"Application {name} has no operation {call.request.OperationId}."
    raise AwsError("ResourceNotFoundException", message)


def _operation(operation: Operation) -> Document:
    row: Document = {
        "Operation": operation.operation,
        "StartTime": Instant(operation.started_ms),
        "OperationStatus": operation.status,
    }
    if operation.ended_ms is not None:
        row["EndTime"] = Instant(operation.ended_ms)
    return row


def _details(operation: Operation) -> Document:
    details = _operation(operation)
    details.setdefault("EndTime", Instant(operation.started_ms))
    if operation.version_from and operation.version_from != operation.version_to:
        details["ApplicationVersionChangeDetails"] = {
            "ApplicationVersionUpdatedFrom": operation.version_from,
            "ApplicationVersionUpdatedTo": operation.version_to,
        }
    if operation.error is not None:
        details["OperationFailureDetails"] = {"ErrorInfo": {"ErrorString": operation.error}}
    return details


def update_application_maintenance_configuration(context: AnalyticsContext, call: Call) -> Answer:
    name = context.application(call.request.ApplicationName).name
    update = call.request.ApplicationMaintenanceConfigurationUpdate
    start = update.ApplicationMaintenanceWindowStartTimeUpdate
    application = context.applications.set_maintenance(name, start)
    return {
        "ApplicationARN": context.application_arn(name),
        "ApplicationMaintenanceConfigurationDescription": maintenance(application),
    }


# logging options and tags


def add_application_cloud_watch_logging_option(context: AnalyticsContext, call: Call) -> Answer:
    application = context.application(call.request.ApplicationName)
    number = 1 + max([0, *(int(key.split(".")[0]) for key in application.log_streams)])
    arn = call.request.CloudWatchLoggingOption.LogStreamARN
    return _with_streams(context, call, {**application.log_streams, f"{number}.1": arn})


def delete_application_cloud_watch_logging_option(context: AnalyticsContext, call: Call) -> Answer:
    streams = dict(context.application(call.request.ApplicationName).log_streams)
    if streams.pop(call.request.CloudWatchLoggingOptionId, None) is None:
        message = f"There is no logging option {call.request.CloudWatchLoggingOptionId}."
        raise AwsError("ResourceNotFoundException", message)
    return _with_streams(context, call, streams)


def _with_streams(context: AnalyticsContext, call: Call, streams: dict[str, str]) -> Answer:
    request = call.request
    before = context.application(request.ApplicationName)
    version = request.CurrentApplicationVersionId or before.version
    after = context.applications.update(
        before.name, before.configuration, version, None, None, None, streams
    )
    shown = described(context, after)
    answer: Document = {
        "ApplicationARN": shown["ApplicationARN"],
        "ApplicationVersionId": after.version,
        "CloudWatchLoggingOptionDescriptions": shown.get("CloudWatchLoggingOptionDescriptions", []),
    }
    return {**answer, **newest_operation(context, before.name)}


def _tags(rows: list[Any]) -> dict[str, str]:
    if len({row.Key for row in rows}) > TAGS_MAX:
        message = f"An application may have at most {TAGS_MAX} tags."
        raise AwsError("TooManyTagsException", message)
    return {row.Key: row.Value or "" for row in rows}


def tag_resource(context: AnalyticsContext, call: Call) -> Answer:
    application = context.named(call.request.ResourceARN)
    added = _tags(call.request.Tags)
    if len({**application.tags, **added}) > TAGS_MAX:
        message = f"An application may have at most {TAGS_MAX} tags."
        raise AwsError("TooManyTagsException", message)
    context.applications.change_tags(application.name, added, [])
    return {}


def untag_resource(context: AnalyticsContext, call: Call) -> Answer:
    application = context.named(call.request.ResourceARN)
    context.applications.change_tags(application.name, {}, call.request.TagKeys)
    return {}


def list_tags_for_resource(context: AnalyticsContext, call: Call) -> Answer:
    tags = context.named(call.request.ResourceARN).tags
    return {"Tags": [{"Key": k, "Value": v} for k, v in sorted(tags.items())]}


OPERATIONS = {
    "AddApplicationCloudWatchLoggingOption": add_application_cloud_watch_logging_option,
    "CreateApplication": create_application,
    "CreateApplicationPresignedUrl": create_application_presigned_url,
    "DeleteApplication": delete_application,
    "DeleteApplicationCloudWatchLoggingOption": delete_application_cloud_watch_logging_option,
    "DescribeApplication": describe_application,
    "DescribeApplicationOperation": describe_application_operation,
    "DescribeApplicationVersion": describe_application_version,
    "ListApplicationOperations": list_application_operations,
    "ListApplicationVersions": list_application_versions,
    "ListApplications": list_applications,
    "ListTagsForResource": list_tags_for_resource,
    "RollbackApplication": rollback_application,
    "StartApplication": start_application,
    "StopApplication": stop_application,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdateApplication": update_application,
    "UpdateApplicationMaintenanceConfiguration": update_application_maintenance_configuration,
}
