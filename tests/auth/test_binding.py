"""Where other machines can call, nobody is served without users and keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from eddyline.auth.binding import check_binding, enforced
from eddyline.auth.users import Users
from eddyline.errors import EddylineError
from eddyline.settings import Settings


def test_loopback_is_free(tmp_path: Path) -> None:
    check_binding(Settings(data_dir=tmp_path))
    assert not enforced(Settings())
    assert enforced(Settings(require_keys=True))
    assert enforced(Settings(host="0.0.0.0"))


def test_another_address_needs_a_password_and_a_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, host="0.0.0.0")
    users = Users(tmp_path)
    with pytest.raises(EddylineError, match="a user with a password and an access key") as caught:
        check_binding(settings)
    assert caught.value.code == "access_denied"
    users.add("ann", "correct horse")
    with pytest.raises(EddylineError, match="needs an access key"):
        check_binding(settings)
    users.add_key("ann")
    check_binding(settings)


def test_checked_keys_must_exist(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, require_keys=True)
    with pytest.raises(EddylineError, match="require_keys needs an access key"):
        check_binding(settings)
    Users(tmp_path).add("ann")
    Users(tmp_path).add_key("ann")
    check_binding(settings)
