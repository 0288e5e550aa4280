"""Reading and writing of an address, and which ones are of this machine alone."""

import pytest

from protocols.text.addresses import AddressError, Flaw, can_be_host, format_address, is_loopback, split_address

MAPPED = "::ffff:127.0.0.1"


def test_an_ipv6_address_has_brackets() -> None:
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


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:4001", "127.0.0.1", 4001),
        ("h:0", "h", 0),
        ("h:65535", "h", 65535),
        ("h", "h", None),
        ("[::1]", "::1", None),
        ("[fe80::1%eth0.1]:7", "fe80::1%eth0.1", 7),
    ],
)
def test_an_address_is_split(text: str, host: str, port: int | None) -> None:
    assert split_address(text) == (host, port)


@pytest.mark.parametrize(
    ("text", "flaw", "part"),
    [
        ("::1:4001", Flaw.BARE, "host"),
        ("a b:1", Flaw.FORM, "host"),
        ("tcp://h:1", Flaw.FORM, "host"),
        ("u@h:1", Flaw.FORM, "host"),
        ("[h]:1", Flaw.FORM, "host"),
        ("h\x01:1", Flaw.FORM, "host"),
        ("", Flaw.NO_HOST, "host"),
        (":1", Flaw.NO_HOST, "host"),
        ("a..b:1", Flaw.HOST, "host"),
        ("h:", Flaw.PORT, "port"),
        ("h:http", Flaw.PORT, "port"),
        ("h:+1", Flaw.PORT, "port"),
        ("h:\u0661", Flaw.PORT, "port"),
        ("h:000001", Flaw.PORT, "port"),
        ("h:65536", Flaw.HIGH_PORT, "port"),
    ],
)
def test_the_flaw_of_what_is_no_address_is_named(text: str, flaw: Flaw, part: str) -> None:
    with pytest.raises(AddressError) as caught:
        split_address(text)
    assert (caught.value.flaw, caught.value.part) == (flaw, part)


def test_only_in_a_url_is_a_host_escaped_and_never_a_port() -> None:
    assert split_address("b%C3%A4nk.example:1", of_url=True) == ("bänk.example", 1)
    assert split_address("[fe80::1%25eth0]:1", of_url=True) == ("fe80::1%eth0", 1)
    assert split_address("[fe80::1%25]:1") == ("fe80::1%25", 1)
    for text, flaw in (("h:%31", Flaw.PORT), ("h%3A1", Flaw.FORM), ("h%2F:1", Flaw.FORM)):
        with pytest.raises(AddressError) as caught:
            split_address(text, of_url=True)
        assert caught.value.flaw is flaw


def test_an_error_does_not_quote_what_may_be_a_password() -> None:
    with pytest.raises(AddressError) as caught:
        split_address("p%ss..word:1")
    assert "word" not in str(caught.value)
