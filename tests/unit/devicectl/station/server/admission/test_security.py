import pytest

from devicectl.station.server.admission.security import (
    CSP,
    form_refusal,
    host_refusal,
    is_loopback,
    origin_refusal,
    right_hosts,
)

LOOPBACK = ("127.0.0.1", 8000)


def headers(**named: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]


@pytest.mark.parametrize(
    ("local", "right"),
    [
        (("127.0.0.1", 8000), ("127.0.0.1:8000", "localhost:8000")),
        (("::1", 8000), ("[::1]:8000", "localhost:8000")),
        (("192.168.1.5", 8000), ("192.168.1.5:8000",)),
        (("::ffff:192.168.1.5", 8000), ("192.168.1.5:8000",)),
        (("127.0.0.1", 80), ("127.0.0.1:80", "localhost:80", "127.0.0.1", "localhost")),
    ],
)
def test_host_is_the_address_of_the_connection(local: tuple[str, int], right: tuple[str, ...]) -> None:
    assert right_hosts(local) == right
    assert all(host_refusal(headers(host=host), local) is None for host in right)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost.:8000", "LOCALHOST:8000", "localhost:8001", "localhost.evil.example:8000"),
        *("127.0.0.1.nip.io:8000", "127.1:8000", "2130706433:8000", "0x7f.0.0.1:8000", "0177.0.0.1:8000"),
        *("127.0.0.2:8000", "192.168.1.5:8000", "localhost:8000 ", " localhost:8000", "user@localhost:8000", ""),
    ],
)
def test_any_other_host_is_refused(host: str) -> None:
    refusal = host_refusal(headers(host=host), LOOPBACK)
    assert refusal is not None and refusal.status == 421


def test_two_hosts_or_none_are_refused() -> None:
    assert host_refusal([], LOOPBACK) is not None
    assert host_refusal([*headers(host="localhost:8000"), *headers(host="localhost:8000")], LOOPBACK) is not None


def test_localhost_is_no_name_of_an_address_in_the_network() -> None:
    assert host_refusal(headers(host="localhost:8000"), ("192.168.1.5", 8000)) is not None


@pytest.mark.parametrize("target", [b"http://localhost:8000/", b"//evil.example/", b"*", b"localhost:8000"])
def test_target_has_to_be_a_path(target: bytes) -> None:
    assert form_refusal("GET", target, []) is not None
    assert form_refusal("GET", b"/", []) is None


def test_target_is_a_short_path() -> None:
    assert form_refusal("GET", b"/" + b"9" * 1023, []) is None
    refusal = form_refusal("GET", b"/" + b"9" * 1024, [])
    assert refusal is not None and refusal.status == 414


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get"])
def test_other_methods_are_refused(method: str) -> None:
    refusal = form_refusal(method, b"/", [])
    assert refusal is not None and refusal.status == 405


def test_a_body_has_one_length() -> None:
    assert form_refusal("POST", b"/", headers(content_length="3", transfer_encoding="chunked")) is not None
    assert form_refusal("POST", b"/", headers(content_length="3")) is None


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "http://evil.example", "https://localhost:8000", "http://localhost:8001", "http://localhost"),
        *("http://localhost:8000/", "http://localhost:8000.evil.example", "http://127.0.0.1:8000"),
    ],
)
def test_origin_is_the_page_of_the_same_host(origin: str) -> None:
    host = headers(host="localhost:8000")
    assert origin_refusal([*host, *headers(origin=origin)], needed=False) is not None
    assert origin_refusal([*host, *headers(origin="http://localhost:8000")], needed=True) is None


def test_a_page_that_writes_has_an_origin() -> None:
    host = headers(host="localhost:8000")
    assert origin_refusal(host, needed=True) is not None
    assert origin_refusal(host, needed=False) is None


def test_policy_has_nothing_unsafe() -> None:
    assert CSP.startswith("default-src 'none'") and "unsafe" not in CSP and "*" not in CSP and "http" not in CSP


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("::", False), ("example", False)],
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
