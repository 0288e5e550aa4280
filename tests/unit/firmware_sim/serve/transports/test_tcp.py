"""Addresses at which the device listens; what is done there is in tests/e2e/serve."""

import pytest

from firmware_sim.serve.errors import OptionError
from firmware_sim.serve.transports.tcp import Address, parse_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("localhost:4001", "localhost", 4001),
        ("0.0.0.0:65535", "0.0.0.0", 65535),
        ("[::1]:4001", "::1", 4001),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
    ],
)
def test_an_address_is_parsed_and_formatted(text: str, host: str, port: int) -> None:
    address = parse_address(text, "--tcp")
    assert address == Address(host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "4001",
        "127.0.0.1",
        ":0",
        "a b:1",
        "a:-1",
        "a:65536",
        "::1:0",
        "[::1]",
        "[]:1",
        "[::1:0",
        "a:1/",
        "a:1\n",
        "a..b:1",
        "a" * 64 + ":1",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_address(text, "--tcp")
    assert caught.value.option == "--tcp" and caught.value.exit_code == 2
