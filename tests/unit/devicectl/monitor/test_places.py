from collections.abc import Callable

import pytest

from devicectl.errors import UrlError
from devicectl.monitor.places import Way, parse_device_place, parse_host_place
from devicectl.transports.urls import SerialLine


def test_the_ends_of_a_line() -> None:
    place = parse_host_place("tcp://[::1]:0")
    assert (place.way, place.host, place.port) == (Way.LISTEN, "::1", 0)
    assert parse_host_place("pty://").path == ""
    assert parse_host_place("pty:///tmp/x").path == "/tmp/x"
    serial = parse_host_place("serial:///dev/ttyUSB1?baud=9600&dtr=0")
    assert (serial.way, serial.path, serial.baud) == (Way.SERIAL, "/dev/ttyUSB1", 9600)
    assert serial.line == SerialLine(dtr=False)
    device = parse_device_place("tcp://127.0.0.1:4001")
    assert (device.way, device.port) == (Way.CONNECT, 4001)
    gateway = parse_device_place("rfc2217://[::1]:4002?baud=9600&ign_set_control")
    assert (gateway.way, gateway.host, gateway.port) == (Way.GATEWAY, "::1", 4002)


def test_the_text_of_a_place_gives_the_same_place() -> None:
    host, device = parse_host_place("pty:///tmp/x"), parse_device_place("serial:///dev/ttyUSB0?rtscts=1&wait=2")
    assert (parse_host_place(host.text), parse_device_place(device.text)) == (host, device)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sim://", "scheme: the host's end of a line of bytes is one of tcp://, pty://, serial://"),
        ("nothing", "scheme"),
        ("tcp://127.0.0.1", "a port to listen at is needed"),
        ("tcp://127.0.0.1:99999", "above 65535"),
        ("tcp://127.0.0.1:1/x", "nothing after it"),
        ("tcp://127.0.0.1:1?x=1", "no option"),
        ("pty://tmp/x", "three slashes"),
        ("pty:///tmp/x?a=1", "no option"),
        ("rfc2217://127.0.0.1:4002", "the monitor is no gateway"),
    ],
)
def test_what_is_no_end_for_a_host_is_one_line(text: str, says: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_host_place(text)
    assert says in str(caught.value) and "for example" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "mqtt://127.0.0.1/a/b",
        "pty://",
        "tcp://127.0.0.1:0",
        "rfc2217://127.0.0.1:0",
        "rfc2217://127.0.0.1:4002?parity=E",
        "sim+tcp://",
        "",
    ],
)
def test_what_is_no_device_on_a_line_is_one_line(text: str) -> None:
    with pytest.raises(UrlError, match="for example"):
        parse_device_place(text)


@pytest.mark.parametrize("parse", [parse_host_place, parse_device_place])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mqtt://127.0.0.1/a/b", "a broker is no line between two ends: put the tap into the host, spy+mqtt://"),
        ("wss://127.0.0.1/a/b", "a broker is no line"),
    ],
)
def test_a_broker_is_refused_with_what_is_right(parse: Callable[[str], object], text: str, says: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse(text)
    assert says in str(caught.value) and "\n" not in str(caught.value)
