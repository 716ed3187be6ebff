"""Where a server may listen: on loopback freely, elsewhere only with users and access keys."""

from __future__ import annotations

from eddyline.auth.hosts import is_loopback
from eddyline.auth.users import Users
from eddyline.errors import EddylineError
from eddyline.settings import Settings


def enforced(settings: Settings) -> bool:
    """Whether signatures and policies are checked: always where other machines can call."""
    return settings.require_keys or not is_loopback(settings.host)


def check_binding(settings: Settings) -> None:
    """Refuse to serve where nobody could be told from anybody.

    Raises:
        EddylineError: ``access_denied``.
    """
    if not enforced(settings):
        return
    users = Users(settings.data_dir)
    lacking = []
    if not is_loopback(settings.host) and not any(u.has_password for u in users.list()):
        lacking.append("a user with a password")
    if not users.access_keys():
        lacking.append("an access key")
    if not lacking:
        return
    where = "require_keys" if is_loopback(settings.host) else f"address {settings.host}"
    msg = f"{where} needs {' and '.join(lacking)}"
    hint = "eddyline user add NAME, then eddyline user key add NAME"
    raise EddylineError("access_denied", msg, hint=hint)
