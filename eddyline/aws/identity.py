"""What the operations of STS and IAM share: the users, roles and policies of the data directory."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from eddyline.auth.entities import Entities, Entity, EntityKind
from eddyline.auth.grants import Grants
from eddyline.auth.temporary import TemporaryKeys
from eddyline.auth.users import Users
from eddyline.aws.call import Caller
from eddyline.aws.context import ServiceContext

# Members that name the resource of a request, with the kind in its ARN.
_NAMES = (
    ("UserName", EntityKind.USER),
    ("RoleName", EntityKind.ROLE),
    ("GroupName", EntityKind.GROUP),
)
_ARNS = ("PolicyArn", "RoleArn")


class IdentityContext(ServiceContext):
    """One account's identities."""

    @cached_property
    def users(self) -> Users:
        """Users and their access keys."""
        return Users(self.settings.data_dir, self.wall)

    @cached_property
    def entities(self) -> Entities:
        """Users, roles and groups."""
        return Entities(self.settings.data_dir, self.wall)

    @cached_property
    def grants(self) -> Grants:
        """Inline and managed policies."""
        return Grants(self.settings.data_dir, self.settings.account_id, self.wall)

    @cached_property
    def temporary(self) -> TemporaryKeys:
        """Keys of assumed roles."""
        return TemporaryKeys(self.settings.data_dir, self.wall)

    def resource_of(self, operation: str, request: Any) -> str:
        """The user, role, group or policy that a request names."""
        account = self.settings.account_id
        for member, kind in _NAMES:
            name = getattr(request, member, None)
            if name is not None:
                entity = self.entities.find(kind, name)
                return entity.arn(account) if entity else f"arn:aws:iam::{account}:{kind}/{name}"
        for member in _ARNS:
            if getattr(request, member, None) is not None:
                return str(getattr(request, member))
        return "*"

    def user_of(self, caller: Caller) -> Entity | None:
        """The user whose key the caller used; None for another caller."""
        if ":user/" in caller.arn:
            return self.entities.find(EntityKind.USER, caller.user)
        key = self.users.key(caller.key_id)
        return None if key is None else self.entities.find(EntityKind.USER, key.user)

    def role_named(self, arn: str) -> str:
        """The name of a role in its ARN."""
        return arn.rpartition("/")[2]
