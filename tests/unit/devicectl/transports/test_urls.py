"""Device URLs: every scheme, and every way to get one wrong."""

import pkgutil
from dataclasses import replace

import pytest

from devicectl.errors import UrlError
from devicectl.session.link import CONNECT_TIMEOUT_US
from devicectl.transports import mqtt, serial_port, tcp
from devicectl.transports.line_options import MAX_WAIT_S
from devicectl.transports.simulated import MAX_SEED
from devicectl.transports.urls import (
    DEFAULT_BAUD,
    SCHEMES,
    DeviceUrl,
    SerialLine,
    Spy,
    TransportModule,
    module_of,
    parse_url,
    place_of,
)
from protocols.language.units import SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sim://", {"scheme": "sim"}),
        ("sim://?", {"scheme": "sim"}),
        ("SIM://?seed=0", {"scheme": "sim", "seed": 0}),
        (f"sim://?seed={MAX_SEED}", {"scheme": "sim", "seed": MAX_SEED}),
        ("sim://?nvm=a%20b/c.nvm", {"scheme": "sim", "nvm": "a b/c.nvm"}),
        ("sim://?nvm=a+b%2B%40@c.nvm", {"scheme": "sim", "nvm": "a+b+@@c.nvm"}),
        ("sim://?speed=max", {"scheme": "sim", "speed": None}),
        ("sim://?speed=0.5&baud=9600", {"scheme": "sim", "speed": 0.5, "baud": 9600}),
        ("sim://?baud=4800", {"scheme": "sim", "baud": 4800}),
        ("sim://?anesthesia_wait_s=1", {"scheme": "sim", "parameters": {"anesthesia_wait_s": 1.0}}),
        ("sim://?leak_kpa_s=-1.5e-3", {"scheme": "sim", "parameters": {"leak_kpa_s": -0.0015}}),
        ("sim+tcp://?seed=7", {"scheme": "sim+tcp", "seed": 7}),
        ("sim+mqtt://?seed=7&punch_ms=2", {"scheme": "sim+mqtt", "seed": 7, "parameters": {"punch_ms": 2.0}}),
        ("sim+pty://?nvm=x&punch_ms=2", {"scheme": "sim+pty", "nvm": "x", "parameters": {"punch_ms": 2.0}}),
        ("serial:///dev/ttyUSB0", {"scheme": "serial", "path": "/dev/ttyUSB0", "baud": DEFAULT_BAUD}),
        ("serial:///dev/ttyUSB0?baud=9600", {"scheme": "serial", "path": "/dev/ttyUSB0", "baud": 9600}),
        ("serial://COM3", {"scheme": "serial", "path": "COM3", "baud": DEFAULT_BAUD}),
        ("serial:///tmp/a%20b%3Fc", {"scheme": "serial", "path": "/tmp/a b?c", "baud": DEFAULT_BAUD}),
        (
            "serial:///dev/ttyUSB0?wait=2.5&dtr=0&rts=1",
            {
                "scheme": "serial",
                "path": "/dev/ttyUSB0",
                "baud": DEFAULT_BAUD,
                "line": SerialLine(wait_s=2.5, dtr=False, rts=True),
            },
        ),
        (
            "serial://COM3?rtscts=1&dtr=1&wait=8",
            {
                "scheme": "serial",
                "path": "COM3",
                "baud": DEFAULT_BAUD,
                "line": SerialLine(wait_s=8.0, dtr=True, rtscts=True),
            },
        ),
        (
            "serial://COM3?rtscts=0&rts=0",
            {"scheme": "serial", "path": "COM3", "baud": DEFAULT_BAUD, "line": SerialLine(rts=False)},
        ),
        ("tcp://127.0.0.1:4001", {"scheme": "tcp", "host": "127.0.0.1", "port": 4001}),
        ("tcp://localhost:1/", {"scheme": "tcp", "host": "localhost", "port": 1}),
        (
            "rfc2217://[::1]:4002?dtr=0&ign_set_control&wait=1",
            {
                "scheme": "rfc2217",
                "host": "::1",
                "port": 4002,
                "baud": DEFAULT_BAUD,
                "line": SerialLine(wait_s=1.0, dtr=False),
                "answer_s": 3.0,
                "ignore_control": True,
            },
        ),
        (
            "rfc2217://gate:1?timeout=0.5&baud=9600",
            {"scheme": "rfc2217", "host": "gate", "port": 1, "baud": 9600, "answer_s": 0.5},
        ),
        ("tcp://[::1]:65535", {"scheme": "tcp", "host": "::1", "port": 65535}),
        ("tcp://[fe80::1%25eth0]:4001", {"scheme": "tcp", "host": "fe80::1%eth0", "port": 4001}),
    ],
)
def test_right_urls(text: str, expected: dict[str, object]) -> None:
    scheme = str(expected["scheme"])
    brought = {"simulated": scheme.startswith("sim"), "served": SERVED.get(scheme, ())}
    assert parse_url(text) == DeviceUrl(text, **expected | brought)  # type: ignore[arg-type]


SERVED = {
    "sim+pty": ("--pty",),
    "sim+tcp": ("--tcp", "127.0.0.1:0"),
    "sim+mqtt": ("--mqtt", "mqtt://{broker}/sim/handpiece"),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_examples_are_right(scheme: str) -> None:
    url = parse_url(SCHEMES[scheme].example)
    assert url.scheme == scheme
    assert url.simulated == scheme.startswith("sim")
    assert url.in_process == (scheme == "sim")


def test_modules_are_those_of_their_rows() -> None:
    """And each is a `TransportModule` for mypy, which cannot follow a row's name."""
    modules: list[TransportModule] = [serial_port, tcp, mqtt, mqtt]
    assert [module_of(scheme) for scheme in ("serial", "tcp", "mqtt", "wss")] == modules


LONG = "9" * 5_000
WRONG = [
    ("", "scheme", "none"),
    ("sim", "scheme", "none"),
    ("sim:", "scheme", "none"),
    ("/dev/ttyUSB0", "scheme", "none"),
    ("http://host:1", "scheme", "http"),
    ("mqtt+tls://host/site/device", "scheme", "mqtt"),
    ("tcp:host:1", "scheme", "none"),
    ("\x1b[2J://", "scheme", "none"),
    ("sim://host", "address", "brings its own device"),
    ("sim://host:1?seed=7", "address", "brings its own device"),
    ("sim://7", "address", "brings its own device"),
    ("sim+tcp:///path", "address", "brings its own device"),
    ("sim+mqtt://broker:1883", "address", "brings its own device"),
    ("sim://?seed=7#x", "fragment", "#"),
    ("tcp://127.0.0.1:1#", "fragment", "#"),
    ("mqtt://127.0.0.1/a/b#", "fragment", "no id may have one"),
    ("sim://user@?seed=7", "user", "no user"),
    ("tcp://me:secret@host:1", "user", "no user"),
    ("sim://?seed", "options", "name=value"),
    ("sim://?seed=7&", "options", "name=value"),
    ("sim://?=7", "options", "name=value"),
    ("tcp:/127.0.0.1:4001", "scheme", "it begins with none of sim://"),
    ("", "scheme", "it begins with none of sim://"),
    ("serial://dev/ttyUSB0", "path", "a device file begins with a third slash"),
    ("udp://127.0.0.1:4001", "scheme", "'udp' is not one of sim://"),
    ("socket://127.0.0.1:4001", "scheme", "socket:// is pyserial's word for a raw TCP port"),
    ("loop://", "scheme", "loop:// gives back what it is sent, and no device is there"),
    ("rfc2217://host", "port", "1 to 65535"),
    ("rfc2217://host:1/path", "path", "a path means nothing"),
    ("rfc2217://host:1?logging=debug", "logging", "--trace FILE"),
    ("rfc2217://host:1?poll_modem", "poll_modem", "not needed"),
    ("rfc2217://host:1?timeout=0", "timeout", "0 is not a time up to 8 s"),
    ("rfc2217://host:1?ign_set_control=yes", "ign_set_control", "neither 0 nor 1"),
    ("rfc2217://host:1?baud=300", "baud", "300 is too slow"),
    ("rfc2217://host:1?rtscts=1&rts=0", "rts", "flow control sets it"),
    ("rfc2217://host:1?parity=even", "options", "baud, wait, dtr, rts or rtscts, ign_set_control or timeout is"),
    ("serial:///dev/ttyUSB0&dtr=0", "path", "options follow a ?"),
    ("serial:///dev/ttyUSB0;baud=9600&wait=1", "path", "options follow a ?"),
    ("sim://?Hunter%402=1", "options", "number 1 is not known here"),
    ("sim://?seed=1&a%20b=1", "options", "number 2 is not known here"),
    ("tcp://::1]:4001", "address", "brackets"),
    ("sim://?seed=1&seed=2", "options", "number 2 is given twice"),
    ("sim://?" + "&".join(f"a{n}=1" for n in range(200)), "options", "name=value"),
    ("sim://?seed=", "seed", "whole number"),
    ("sim://?seed=x", "seed", "whole number"),
    ("sim://?seed=-1", "seed", "whole number"),
    ("sim://?seed=1.5", "seed", "whole number"),
    ("sim://?seed=1e3", "seed", "whole number"),
    ("sim://?seed=0x7", "seed", "whole number"),
    ("sim://?seed=1_000", "seed", "whole number"),
    ("sim://?seed=%D9%A7", "seed", "whole number"),
    (f"sim://?seed={MAX_SEED + 1}", "seed", "whole number"),
    (f"sim://?seed={LONG}", "seed", "whole number"),
    ("sim://?nvm=", "nvm", "is no file"),
    ("sim://?nvm=a%00b", "nvm", "is no file"),
    ("sim://?speed=0", "speed", "0.01 to 10000"),
    ("sim://?speed=-1", "speed", "0.01 to 10000"),
    ("sim://?speed=20000", "speed", "0.01 to 10000"),
    ("sim://?speed=nan", "speed", "finite number"),
    ("sim://?speed=inf", "speed", "finite number"),
    ("sim://?speed=fast", "speed", "finite number"),
    ("sim://?speed=", "speed", "finite number"),
    ("sim://?baud=0", "baud", "whole number from 1"),
    ("sim://?baud=fast", "baud", "whole number from 1"),
    (
        "sim://?baud=300",
        "baud",
        "300 is too slow: a frame takes longer than the lease of an armed device; 4800 is the least",
    ),
    ("sim://?baud=4799", "baud", "4799 is too slow"),
    ("sim://?baud=4000001", "baud", "whole number from 1 to 4000000"),
    ("sim://?anesthesia_wait_s=nan", "anesthesia_wait_s", "finite number"),
    ("sim://?anesthesia_wait_s=-inf", "anesthesia_wait_s", "finite number"),
    ("sim://?anesthesia_wait_s=1e999", "anesthesia_wait_s", "finite number"),
    (f"sim://?anesthesia_wait_s={LONG}", "anesthesia_wait_s", "finite number"),
    ("sim://?anesthesia_wait_s=", "anesthesia_wait_s", "finite number"),
    ("sim+tcp://?anesthesia_wait_s=one", "anesthesia_wait_s", "finite number"),
    ("serial://", "path", "no serial port"),
    ("serial:///", "path", "no serial port"),
    ("serial:///dev/tty%00S0", "path", "no serial port"),
    ("serial:///dev/ttyS0?baud=1", "baud", "1 is too slow"),
    ("serial:///dev/ttyS0?baud=2400", "baud", "2400 is too slow"),
    ("serial:///dev/ttyS0?baud=9600.0", "baud", "whole number from 1"),
    ("serial:///dev/ttyS0?parity=even", "options", "one is not known here; baud, wait, dtr, rts or rtscts is"),
    ("serial://rfc2217://host:4001", "path", "rfc2217:// is a device URL by itself"),
    ("serial://RFC2217://me:secret@host:4001", "path", "leave serial:// out"),
    ("serial://socket://host", "path", "raw TCP port"),
    ("serial://socket://host:4001?logging=debug", "path", "raw TCP port"),
    ("serial://loop://", "path", "no device is there"),
    ("serial://hwgrep://0403:6001", "path", "list_ports"),
    ("serial://spy:///dev/ttyUSB0?file=x", "path", "with spy+ before its URL"),
    ("serial://alt:///dev/ttyUSB0?class=PosixPollSerial", "path", "name the port itself"),
    ("serial://cp2110://0:1:2", "path", "HID device"),
    ("serial://file:///dev/ttyUSB0", "path", "a URL within the URL"),
    ("serial:///dev/ttyS0?wait=-1", "wait", "0 to 8 s"),
    ("serial:///dev/ttyS0?wait=8.1", "wait", "0 to 8 s"),
    ("serial:///dev/ttyS0?wait=long", "wait", "finite number"),
    ("serial:///dev/ttyS0?dtr=on", "dtr", "neither 0 nor 1"),
    ("serial:///dev/ttyS0?rts=2", "rts", "neither 0 nor 1"),
    ("serial:///dev/ttyS0?rtscts=", "rtscts", "neither 0 nor 1"),
    ("serial:///dev/ttyS0?rtscts=1&rts=0", "rts", "flow control sets it"),
    ("tcp://", "host", "no host is named"),
    ("tcp://:4001", "host", "no host is named"),
    ("tcp://host", "port", "1 to 65535"),
    ("tcp://host:", "port", "1 to 65535"),
    ("tcp://host:0", "port", "1 to 65535"),
    ("tcp://host:65536", "port", "1 to 65535"),
    ("tcp://host:x", "port", "1 to 65535"),
    ("tcp://host:-1", "port", "1 to 65535"),
    (f"tcp://host:{LONG}", "port", "1 to 65535"),
    ("tcp://::1:4001", "host", "brackets"),
    ("tcp://[::1:4001", "address", "bracket"),
    ("tcp://[zz]:4001", "address", "brackets"),
    ("tcp://a b:4001", "host", "no host name"),
    ("tcp://a\x00b:4001", "address", "printed"),
    ("tcp://a%00b:4001", "host", "no host name"),
    ("tcp://a%1Bb:4001", "host", "no host name"),
    ("tcp://a..b:4001", "host", "no host name"),
    (f"tcp://{'a' * 300}:4001", "host", "no host name"),
    ("tcp://ho\nst:4001", "address", "printed"),
    ("tcp://host:4001/path", "path", "a path means nothing"),
    ("tcp://host:4001?nodelay=1", "options", "one is not known here"),
    ("mqtt://host", "path", "/site/device"),
    ("tcp://ho\u2100st:4001", "address", "no address may have"),
    ("mqtt://ho\u2100st/site/device", "host", "no address may have"),
    ("sim://?anesthesia_wait_s=1_0", "anesthesia_wait_s", "finite number"),
    ("sim://?anesthesia_wait_s=%EF%BC%91", "anesthesia_wait_s", "finite number"),
    ("mqtt://host/site/+", "device", "letters"),
    ("mqtt://me:secret@host/site/device", "user", "credentials=FILE"),
    ("mqtt://host/site/device?ca=ca.pem", "ca", "mqtts://"),
    ("mqtts://host/site/device?cert=own.pem", "cert", "come together"),
]


@pytest.mark.parametrize(("text", "part", "said"), WRONG, ids=[text[:30] for text, _, _ in WRONG])
def test_wrong_urls(text: str, part: str, said: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_url(text)
    error, message = caught.value, str(caught.value)
    assert error.part == part
    scheme = text.partition("://")[0].lower() if "://" in text and text[0].isalpha() else ""
    assert error.url == (f"{scheme}://..." if scheme else "..."), "nothing is shown beyond the scheme"
    assert said in error.reason
    assert message.isprintable(), "one line, and nothing for the terminal to obey"
    assert len(message) < 400, "however long the URL is"
    example = message.rpartition("for example ")[2]
    assert parse_url(example).scheme in SCHEMES


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("/dev/ttyUSB0", "serial"),
        ("COM3", "serial"),
        ("ttyACM0", "serial"),
        ("127.0.0.1:4001", "tcp"),
        ("[::1]:4001", "tcp"),
        ("tpc://127.0.0.1:4001", "tcp"),
        ("serail:///dev/ttyUSB0", "serial"),
        ("mqt://127.0.0.1/a/b", "mqtt"),
        ("http://127.0.0.1", "sim"),
        ("simulator", "sim"),
    ],
)
def test_the_example_is_of_the_scheme_that_was_probably_meant(text: str, scheme: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_url(text)
    assert str(caught.value).endswith(f"; for example {SCHEMES[scheme].example}")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("sim://?seed=7", "sim://"),
        ("tcp://127.0.0.1:4001", "tcp://127.0.0.1:4001"),
        ("tcp://[::1]:4001", "tcp://[::1]:4001"),
        ("rfc2217://127.0.0.1:4002?baud=9600", "rfc2217://127.0.0.1:4002"),
        ("serial:///dev/ttyUSB0?baud=9600", "serial:///dev/ttyUSB0"),
        ("mqtt://127.0.0.1:1883/bench/sim-7?credentials=host.txt", "mqtt://127.0.0.1:1883/bench/sim-7"),
    ],
)
def test_the_place_of_a_device_is_its_url_without_options(text: str, place: str) -> None:
    assert place_of(parse_url(text)) == place


def test_every_scheme_of_pyserials_is_told_apart() -> None:
    import serial.urlhandler

    handlers = {module.name for module in pkgutil.iter_modules(serial.urlhandler.__path__)}
    schemes = sorted(name.removeprefix("protocol_") for name in handlers if name.startswith("protocol_"))
    assert len(schemes) >= 7
    reasons = set()
    for scheme in schemes:
        with pytest.raises(UrlError) as caught:
            parse_url(f"serial://{scheme}://x")
        reasons.add(caught.value.reason)
        assert caught.value.exit_code == 2 and scheme in caught.value.reason
    assert len(reasons) == len(schemes)


def test_a_port_that_is_opened_again_in_a_session_is_there_in_time() -> None:
    assert MAX_WAIT_S * SECOND < CONNECT_TIMEOUT_US


@pytest.mark.parametrize("text", ["tcp://me:hunter2@host:1", "sim://me:hunter2@"])
def test_a_password_is_not_told(text: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_url(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "inner", "spy"),
    [
        ("spy+sim://", "sim://", Spy()),
        ("SPY+tcp://127.0.0.1:4001", "tcp://127.0.0.1:4001", Spy()),
        ("spy+sim://?seed=7&spy_only=punch,Count*&baud=9600", "sim://?seed=7&baud=9600", None),
        ("spy+sim+tcp://?spy_record=a%20b", "sim+tcp://", Spy(record="a b")),
        ("spy+mqtt://127.0.0.1:1883/bench/sim-7", "mqtt://127.0.0.1:1883/bench/sim-7", Spy()),
    ],
)
def test_a_tap_is_put_in_front_of_any_device(text: str, inner: str, spy: Spy | None) -> None:
    url = parse_url(text)
    assert spy in (None, url.spy)
    assert replace(url, text=inner, spy=None) == parse_url(inner)
    assert url.text == text


def test_the_names_of_a_tap_are_those_of_messages() -> None:
    url = parse_url("spy+sim://?spy_only=punch,count*")
    assert url.spy is not None and url.spy.names == {"Punch", "Count", "CountDone"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("spy+spy+sim://", "one spy+ is enough"),
        ("spy+sim://?spy_x=1", "of the tap spy_only or spy_record is"),
        ("spy+sim://?spy_only=Pnuch", "'Pnuch' is no message; for example Punch"),
        ("spy+sim://?spy_record=", "its value is no file"),
        ("spy+sim://?spy_only=a&spy_only=b", "given twice"),
        ("spy+tcp://127.0.0.1", "a port from 1 to 65535 is needed"),
        ("spy+nothing://", "is not one of"),
    ],
)
def test_a_wrong_tap_is_one_line(text: str, says: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_url(text)
    assert says in str(caught.value)
