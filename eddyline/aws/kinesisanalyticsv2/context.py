"""What the service's operations share: the server's applications, names and page tokens."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

from eddyline.auth.rights import ROLE_PREFIX, RUN_PYTHON
from eddyline.auth.signin import OWNER
from eddyline.aws.access import check_action
from eddyline.aws.call import Call
from eddyline.aws.context import ServiceContext
from eddyline.aws.errors import AwsError
from eddyline.aws.server_link import ServerLink
from eddyline.service.applications.applications import Applications
from eddyline.service.applications.model import Application

T = TypeVar("T")
PREFIX = "kinesisanalytics"
LIMIT = 50


class AnalyticsContext(ServiceContext):
    """One account's applications."""

    @cached_property
    def link(self) -> ServerLink:
        """The way to the server."""
        return ServerLink(self.settings.data_dir)

    @property
    def applications(self) -> Applications:
        """The server's applications."""
        return cast(Applications, self.link.component("applications", Applications))

    def application(self, name: str) -> Application:
        """One application. Raises AwsError ``ResourceNotFoundException``."""
        for application in self.applications.list():
            if application.name == name:
                return application
        arn = self.application_arn(name)
        raise AwsError("ResourceNotFoundException", f"Application {arn} does not exist.")

    def named(self, arn: str) -> Application:
        """The application that an ARN names."""
        return self.application(arn.rpartition("/")[2])

    def application_arn(self, name: str) -> str:
        """The ARN of an application."""
        return self.arn(PREFIX, f"application/{name}")

    def resource_of(self, operation: str, request: Any) -> str:
        """The application that a request names."""
        name = getattr(request, "ApplicationName", None)
        if name is not None:
            return self.application_arn(name)
        arn = getattr(request, "ResourceARN", None)
        return str(arn) if arn is not None and operation != "DiscoverInputSchema" else "*"

    def check_pass_role(self, call: Call, role: str) -> None:
        """Refuse a role that the caller may not pass on."""
        check_action(self, call.caller, "iam:PassRole", role)

    def may_run_python(self, call: Call) -> bool:
        """Whether the caller may have Python executed, which an action of its own allows."""
        try:
            check_action(self, call.caller, RUN_PYTHON, "*")
        except AwsError:
            return False
        return True

    def studio_user(self, call: Call) -> str:
        """The user or role as whom a link for the caller signs in: with its rights, not more.

        Raises:
            AwsError: ``AccessDeniedException`` for a session that has a policy of its own.
        """
        caller = call.caller
        if caller.session_policy is not None:
            message = "A session that a policy of its own limits cannot open the studio."
            raise AwsError("AccessDeniedException", message)
        if ":assumed-role/" in caller.arn and not caller.trusted:
            return ROLE_PREFIX + caller.user.partition("/")[0]
        return caller.user if caller.arn and not caller.trusted else OWNER


def paged(items: Sequence[T], request: Any) -> tuple[list[T], dict[str, Any]]:
    """One page of items, and the answer's NextToken.

    Raises:
        AwsError: ``InvalidArgumentException`` for a token that is not ours.
    """
    start = 0
    if request.NextToken is not None:
        try:
            start = int(base64.urlsafe_b64decode(request.NextToken.encode()))
        except ValueError:
            message = "The NextToken is not valid."
            raise AwsError("InvalidArgumentException", message) from None
    limit = request.Limit or LIMIT
    page = list(items[start : start + limit])
    if start + limit >= len(items):
        return page, {}
    return page, {"NextToken": base64.urlsafe_b64encode(str(start + limit).encode()).decode()}
