"""How an address is written, and which ones are of this machine alone."""

import pytest

from protocols.text.addresses import can_be_host, format_address, is_loopback

MAPPED = "::ffff:127.0.0.1"


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert format_address("::1", 4001) == "[::1]:4001"
    assert format_address("127.0.0.1", 0) == "127.0.0.1:0"
    assert format_address("broker.example", 8883) == "broker.example:8883"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1", MAPPED]
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "128.0.0.1",
        "fe80::1",
        "127.example",
        "127.0.0.1.example",
        "localhost4",
        "::ffff:10.0.0.1",
    ],
)
def test_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["h", "h.", "a.example", "a" * 63 + ".b", "a." * 126 + "b", "bänk.example", "127.0.0.1", "::1", "fe80::1%e.0"],
)
def test_what_can_be_a_host(host: str) -> None:
    assert can_be_host(host)


@pytest.mark.parametrize(
    "host", ["", ".", ".a", "a..b", "a..", "a" * 64, "b." + "ä" * 60, "a." * 127, "a" * 300, "a\ud800"]
)
def test_what_cannot_be_a_host(host: str) -> None:
    assert not can_be_host(host)
