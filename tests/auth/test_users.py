"""Users and access keys: added, listed, changed, removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from eddyline.auth.users import KEYS_MAX, Users
from eddyline.errors import EddylineError


def test_users_are_kept(tmp_path: Path) -> None:
    users = Users(tmp_path)
    assert users.list() == []
    users.add("bob")
    users.add("ann", "correct horse", '{"Statement": []}')
    kept = Users(tmp_path).list()
    assert [(u.name, u.has_password, u.policy, u.keys) for u in kept] == [
        ("ann", True, '{"Statement": []}', 0),
        ("bob", False, None, 0),
    ]
    assert users.verify("ann", "correct horse")
    assert not users.verify("bob", "")


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a/b", "ä"])
def test_a_name_has_its_form(tmp_path: Path, name: str) -> None:
    with pytest.raises(EddylineError, match="no name for a user"):
        Users(tmp_path).add(name)


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_a_password_has_its_length(tmp_path: Path, password: str) -> None:
    with pytest.raises(EddylineError, match="is not accepted"):
        Users(tmp_path).add("ann", password)
    assert Users(tmp_path).list() == []


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ann")
    with pytest.raises(EddylineError, match="exists already") as caught:
        users.add("ann")
    assert caught.value.code == "already_exists"


def test_keys_belong_to_a_user_and_go_with_it(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ann")
    users.add("bob")
    key, other = users.add_key("ann"), users.add_key("bob")
    assert key.key_id.startswith("AKIA")
    assert len(key.key_id) == 20
    assert len(key.secret) == 40
    assert users.key(key.key_id) == key
    assert users.access_keys("ann") == [key]
    assert [k.user for k in users.access_keys()] == ["ann", "bob"]
    users.remove("ann")
    assert users.key(key.key_id) is None
    users.remove_key(other.key_id)
    assert users.access_keys() == []


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("annabel")
    for act in (users.remove, users.add_key, lambda n: users.set_password(n, "long enough")):
        with pytest.raises(EddylineError, match="user anabel does not exist") as caught:
            act("anabel")
        assert caught.value.hint == "did you mean annabel?"
    with pytest.raises(EddylineError, match="access key AKIAX does not exist"):
        users.remove_key("AKIAX")


def test_keys_are_bounded(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ann")
    for _ in range(KEYS_MAX):
        users.add_key("ann")
    with pytest.raises(EddylineError, match="20 access keys"):
        users.add_key("ann")
