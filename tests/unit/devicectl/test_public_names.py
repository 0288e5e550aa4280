"""The names that `devicectl` gives: all of its errors among them, so that whoever catches one can name it."""

import pytest

import devicectl
from devicectl import errors


def test_every_error_has_a_public_name() -> None:
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert kinds <= set(devicectl.__all__)


def test_every_public_name_is_there() -> None:
    assert set(devicectl.__all__) == set(devicectl._HOME)
    for name in devicectl.__all__:
        assert getattr(devicectl, name).__name__ == name


def test_no_other_name_is() -> None:
    with pytest.raises(AttributeError, match="module 'devicectl' has no attribute 'Nobody'"):
        _ = devicectl.Nobody
