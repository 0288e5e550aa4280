"""`devicectl monitor` before a device behind RFC 2217: our own gateway, ser2net, and gateways that the test plays."""

import contextlib
import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from devicectl.cli.program import call
from protocols.language.messages import Echo
from protocols.serial.payload import encode_message
from protocols.telnet.codec import TelnetDecoder, Verb, escape, negotiate
from protocols.telnet.com_port import ANSWER, Word, say
from protocols.telnet.options import Option
from tests.client import serial_port, tcp
from tests.e2e.gateways import ser2net
from tests.e2e.monitor.watched import Watched, listening, received, watched
from tests.e2e.sessions import PARAMETERS
from tests.patience import patience
from tests.programs import serve

ANY = "tcp://127.0.0.1:0"
GATEWAY = ("--rfc2217", "127.0.0.1:0", "--seed", "7")
ECHO = encode_message(Echo(data=b"hi"), 1, 1, 1)
AGREED = b"".join(
    negotiate(verb, option)
    for verb, option in ((Verb.DO, Option.COM_PORT), (Verb.DO, Option.BINARY), (Verb.WILL, Option.BINARY))
)
SET = b"".join(say(word + ANSWER, value) for word, value in ((1, 115200), (2, 8), (3, 1), (4, 1)))
NOISE = random.Random(7).randbytes(20_000)
IS_SET = "the gateway has set its port to 115200 baud"


def patient(url: str) -> str:
    """A gateway's URL that bears a machine which is busy."""
    return f"{url}?timeout={min(8, patience(3)):g}"


def of(server: socket.socket, seconds: float | None = None) -> str:
    """The URL of a gateway that the test plays."""
    url = f"rfc2217://127.0.0.1:{server.getsockname()[1]}"
    return patient(url) if seconds is None else f"{url}?timeout={seconds:g}"


@contextlib.contextmanager
def behind(server: socket.socket, monitor: Watched, says: bytes = AGREED + SET) -> Iterator[tuple[socket.socket, ...]]:
    """A host's connection through the monitor, and the gateway's end of it, which has said `says`."""
    with socket.create_connection(monitor.address, patience()) as host:
        gateway, _ = server.accept()
        with gateway:
            gateway.settimeout(patience())
            gateway.sendall(says)
            yield host, gateway


class Heard:
    """Data that comes at a gateway, without what the monitor says in Telnet's words."""

    def __init__(self, gateway: socket.socket) -> None:
        self._gateway = gateway
        self._decoder = TelnetDecoder()
        self.data = b""
        self.ended = False

    def up_to(self, size: int) -> bytes:
        """All of it, once there is so much or the end has come."""
        while len(self.data) < size and not self.ended:
            piece = self._gateway.recv(65536)
            self.ended = not piece
            self.data += b"".join(item for item in self._decoder.feed(piece) if isinstance(item, bytes))
        return self.data


def test_a_session_through_our_gateway_is_right_and_recorded_without_telnet(tmp_path: Path) -> None:
    file, log = tmp_path / "line.pcapng", str(tmp_path / "log.sqlite")
    with (
        serve(*GATEWAY, *PARAMETERS) as device,
        watched(ANY, patient(device.urls[0]), "--record", str(file)) as monitor,
    ):
        assert call(["run", "--device", monitor.url, "--target-cores", "6", "--log", log]) == 0
        monitor.line_with("closed: ")
        said = "".join([*monitor.said, monitor.end()])
    assert IS_SET in said and "host>device  COMMAND   Punch" in said and "device>host  REPLY     PunchDone" in said
    assert "BAD FRAME" not in said and "no frames" not in said
    assert call(["check", str(file)]) == 0


def test_pyserial_at_a_pseudo_terminal_talks_to_a_device_behind_our_gateway(tmp_path: Path) -> None:
    near = tmp_path / "near"
    with serve(*GATEWAY) as device, watched(f"pty://{near}", patient(device.urls[0]), "--json") as monitor:
        with serial_port(str(near)) as host:
            host.link()
            host.echo(bytes(range(256))[-100:])
            host.echo(b"\xff" * 100)
        said = monitor.statistics()
    assert said["host"]["messages"]["Echo"] == said["device"]["messages"]["EchoDone"] == 2
    assert said["latencies_us"]["Echo"]["end"]["count"] == 2
    assert not said["host"]["errors"] and not said["device"]["errors"]


def test_ser2net_is_the_gateway(tmp_path: Path, program: Callable[[str], str]) -> None:
    near, log = tmp_path / "near", str(tmp_path / "log.sqlite")
    with serve("--pty", "--seed", "7", *PARAMETERS) as device:
        line = f"serialdev(nouucplock),{device.pty},115200n81,local"
        with (
            ser2net(program("ser2net"), tmp_path, "telnet(rfc2217),tcp", line) as port,
            watched(f"pty://{near}", patient(f"rfc2217://127.0.0.1:{port}")) as monitor,
        ):
            monitor.line_with(IS_SET)
            assert call(["run", "--device", monitor.url, "--target-cores", "6", "--log", log]) == 0
            shown = monitor.end()
    assert "host>device  COMMAND   Punch" in shown and "no frames" not in shown


def test_a_second_host_hears_from_ser2net_that_its_port_is_in_use(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    with serve("--pty", "--seed", "7") as device:
        line = f"serialdev(nouucplock),{device.pty},115200n81,local"
        with (
            ser2net(program("ser2net"), tmp_path, "telnet(rfc2217),tcp", line) as port,
            watched(ANY, patient(f"rfc2217://127.0.0.1:{port}")) as monitor,
            tcp(monitor.address) as host,
        ):
            host.link()
            with socket.create_connection(monitor.address, patience()) as second:
                assert second.recv(1) == b""
            reason = "the gateway closed the connection: Port already in use"
            assert f"cannot open the serial port at 127.0.0.1:{port}: {reason}" in monitor.line_with("closed: ")
            host.echo()


def test_hosts_have_ports_of_our_gateway_each() -> None:
    with serve(*GATEWAY) as device, watched(ANY, patient(device.urls[0]), "--json") as monitor:
        with tcp(monitor.address) as one, tcp(monitor.address, host_id=2) as other:
            one.link()
            other.link()
            other.echo()
            one.echo()
        said = monitor.statistics()
    assert said["lines"] == 2 and said["latencies_us"]["Echo"]["end"]["count"] == 2


def test_whatever_bytes_pass_untouched_in_both_directions() -> None:
    with listening() as server, watched(ANY, of(server), "--json") as monitor:
        with behind(server, monitor) as (host, gateway):
            heard = Heard(gateway)
            host.sendall(NOISE)
            assert heard.up_to(len(NOISE)) == NOISE
            gateway.sendall(escape(NOISE))
            assert received(host, len(NOISE)) == NOISE
        said = monitor.statistics()
    assert (said["host"]["bytes"], said["device"]["bytes"]) == (len(NOISE), len(NOISE))


def test_what_a_host_says_before_the_port_is_set_comes_after_that_and_its_end_behind_it() -> None:
    with (
        listening() as server,
        watched(ANY, of(server)) as monitor,
        behind(server, monitor, AGREED) as (host, gateway),
    ):
        heard = Heard(gateway)
        host.sendall(NOISE)
        host.shutdown(socket.SHUT_WR)
        monitor.line_with("the host has closed its end; the other direction is open")
        assert heard.data == b""
        gateway.sendall(SET)
        monitor.line_with(IS_SET)
        assert heard.up_to(len(NOISE) + 1) == NOISE and heard.ended
        gateway.sendall(ECHO)
        gateway.close()
        assert received(host, 1000) == ECHO


def test_a_gateway_that_takes_no_data_is_sent_it_later_and_its_host_waits() -> None:
    many = NOISE * 50
    with (
        listening() as server,
        watched(ANY, of(server), "--quiet") as monitor,
        behind(server, monitor) as (host, gateway),
    ):
        heard = Heard(gateway)
        host.sendall(ECHO)
        assert heard.up_to(len(ECHO)) == ECHO
        gateway.sendall(say(Word.FLOWCONTROL_SUSPEND + ANSWER) + ECHO)
        assert received(host, len(ECHO)) == ECHO
        host.settimeout(patience(0.5))
        with pytest.raises(TimeoutError):
            for _ in range(20):  # more than the system and the monitor keep
                host.sendall(many)
        gateway.sendall(say(Word.FLOWCONTROL_RESUME + ANSWER))
        assert heard.up_to(len(ECHO) + len(many))[len(ECHO) :].startswith(many)


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"Welcome\r\nlogin: ", "no answer to WILL COM-PORT within {} s: Welcome login:"),
        (AGREED, "no answer to SET-BAUDRATE 115200 within {} s"),
        (negotiate(Verb.DONT, Option.COM_PORT), "it refuses RFC 2217 (COM-PORT-OPTION): is it a plain Telnet port?"),
        (AGREED + say(Word.SET_BAUDRATE + ANSWER, 9600), "it refuses baud 115200 and has 9600"),
    ],
    ids=["a login", "no settings", "plain", "baud"],
)
def test_a_port_that_cannot_be_opened_is_said_and_the_next_host_is_tried_again(says: bytes, reason: str) -> None:
    limit = min(8, patience(0.3 if "{}" in reason else 8))
    with listening() as server, watched(ANY, of(server, limit)) as monitor:
        for _ in range(2):
            with behind(server, monitor, says) as (host, _):
                assert host.recv(1) == b""
                where = f"127.0.0.1:{server.getsockname()[1]}"
                said = monitor.line_with("closed: ").partition("closed: ")[2]
                assert said == f"cannot open the serial port at {where}: {reason.format(f'{limit:g}')}\n"


def test_a_gateway_that_asks_on_and_reads_no_answer_is_left() -> None:
    with listening() as server, watched(ANY, of(server)) as monitor:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with behind(server, monitor) as (_, gateway), contextlib.suppress(ConnectionError):
            for _ in range(500):  # 75 MB of answers
                gateway.sendall(say(Word.SIGNATURE + ANSWER) * 10_000)
        assert "the device's connection: it takes no answers" in monitor.line_with("closed: ")


def test_a_gateway_that_comes_back_is_set_again_while_the_hosts_port_stays(tmp_path: Path) -> None:
    near = tmp_path / "near"
    with listening() as server, watched(f"pty://{near}", of(server)) as monitor:
        for _ in range(2):
            gateway, _ = server.accept()
            with gateway:
                gateway.settimeout(patience())
                gateway.sendall(AGREED + SET)
                monitor.line_with(IS_SET)
                with serial.Serial(str(near), exclusive=True, timeout=patience()) as host:
                    host.write(ECHO)
                    assert Heard(gateway).up_to(len(ECHO)) == ECHO
                    gateway.sendall(ECHO)
                    assert host.read(len(ECHO)) == ECHO
            monitor.line_with("closed: the device has closed the connection")


def test_nobody_listens_at_the_gateways_address() -> None:
    with listening() as server:
        url = of(server)
    with watched(ANY, url) as monitor:
        with socket.create_connection(monitor.address, patience()) as host:
            assert host.recv(1) == b""
        assert "Connection refused" in monitor.line_with("closed: ")
