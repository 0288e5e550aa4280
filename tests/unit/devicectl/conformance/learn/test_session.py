"""Devices that are learned: one of this process, one at a port, and one that nobody has allowed to move."""

import socket

import pytest

from devicectl.conformance.learn.session import opened
from devicectl.errors import LinkError
from devicectl.transports.urls import parse_url


def test_there_is_no_device() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with (
        pytest.raises(LinkError, match="no device that links"),
        opened(parse_url(f"tcp://127.0.0.1:{port}"), allow_motion=False),
    ):
        pass
