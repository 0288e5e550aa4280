"""`firmware-sim serve --rfc2217` under pyserial's client, and under peers that are none."""

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from firmware_sim.clock import monotonic
from firmware_sim.replay import replay_device
from handpiece_shell.recording_file import read_recording
from protocols.language import messages as M
from protocols.telnet.codec import TelnetDecoder, escape
from protocols.telnet.com_port import Control, Word, say
from tests.client import Client, TcpChannel
from tests.patience import deadline, patience
from tests.programs import Served, firmware_sim, serve

pytestmark = pytest.mark.filterwarnings(r"ignore:set(Daemon|Name)\(:DeprecationWarning")  # pyserial's own thread
OFFER = b"\xff\xfb\x2c"


class Rfc2217Channel:
    """A port of pyserial's, which has a thread of its own."""

    def __init__(self, served: Served, **settings: Any) -> None:
        self.port = serial.serial_for_url(f"{served.urls[0]}?timeout={patience(3)}", timeout=patience(0.05), **settings)

    def send(self, data: bytes) -> None:
        self.port.write(data)

    def receive(self, seconds: float) -> bytes | None:
        # By the timeout of its opening: to set another one has pyserial set the whole line again.
        data: bytes = self.port.read(1)
        return data + self.port.read(self.port.in_waiting)


class TelnetChannel(TcpChannel):
    """A socket that doubles and undoubles 0xFF, and negotiates nothing."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address)
        self._decoder = TelnetDecoder()

    def send(self, data: bytes) -> None:
        super().send(escape(data))

    def receive(self, seconds: float) -> bytes | None:
        data = super().receive(seconds)
        return data and b"".join(item for item in self._decoder.feed(data) if isinstance(item, bytes))


@pytest.fixture
def served() -> Iterator[Served]:
    with serve("--rfc2217", "127.0.0.1:0", "--seed", "7") as device:
        yield device


@contextlib.contextmanager
def traced(tmp_path: Path, *options: str) -> Iterator[tuple[Served, Callable[[str], None]]]:
    """A device with a trace, and what waits for a text in it."""
    path = tmp_path / "trace"

    def until(text: str) -> None:
        last = deadline()
        while text not in path.read_text(encoding="utf-8"):
            assert monotonic() < last, path.read_text(encoding="utf-8")
            time.sleep(0.01)  # noqa: TID251 - between two looks

    with serve("--rfc2217", "127.0.0.1:0", "--seed", "7", "--trace", str(path), *options) as device:
        yield device, until


def address(served: Served) -> tuple[str, int]:
    host, _, port = served.urls[0].removeprefix("rfc2217://").rpartition(":")
    return host, int(port)


def linked(channel: Rfc2217Channel | TelnetChannel) -> Client:
    client = Client(channel)
    client.link()
    return client


def test_pyserial_sets_the_line_and_talks(tmp_path: Path) -> None:
    with traced(tmp_path) as (served, until):
        channel = Rfc2217Channel(served, baudrate=115200, parity="E")
        with channel.port as port:
            port.parity, port.stopbits, port.bytesize = "N", 2, 8
            port.stopbits = 1
            port.rtscts = True
            port.rtscts = False
            port.dtr = port.rts = False
            port.rts = True
            for text in ("baud 115200", "parity EVEN", "parity NONE", "stop bits 2", "stop bits 1", "RTS/CTS"):
                until(text)
            for text in ("flow control none", "DTR off", "RTS off", "RTS on", "purged what the device has said"):
                until(text)
            assert (port.cts, port.dsr, port.ri, port.cd) == (True, True, False, True)
            with pytest.raises(ValueError, match="rejected value for option 'datasize'"):
                port.bytesize = 5
            until("refused data bits 5: 7 and 8 are possible; it stays at 8")
            port.bytesize = 8
            with pytest.raises(ValueError, match="rejected value for option 'control'"):
                port.xonxoff = True
            port.xonxoff = False
            until("refused flow control XON/XOFF: frames hold every byte; it stays at none")
            client = linked(channel)
            client.echo(bytes(range(256))[-100:])
            client.echo(b"\xff" * 100)
        until("closed")


def test_a_break_spoils_the_frame_that_was_under_way(tmp_path: Path) -> None:
    with traced(tmp_path) as (served, until):
        channel = Rfc2217Channel(served, baudrate=115200)
        with channel.port as port:
            client = linked(channel)
            client.echo()
            channel.send(b"\0half a frame")
            port.break_condition = True
            channel.send(b"\0nothing of this gets out\0")
            port.break_condition = False
            until("BAD FRAME")
            client.echo()
        text = (tmp_path / "trace").read_text(encoding="utf-8")
        assert b"half a frame".hex() in text and b"nothing".hex() not in text
        assert "break on" in text and "break off" in text


def test_the_report_and_the_recording_know_it_as_a_port_like_others(tmp_path: Path) -> None:
    report, recording = tmp_path / "report.json", tmp_path / "line.pcapng"
    options = ("--report", str(report), "--record", str(recording))
    with serve("--rfc2217", "127.0.0.1:0", "--seed", "7", *options) as served:
        channel = Rfc2217Channel(served)
        with channel.port as port:
            linked(channel).echo(b"\xff\x00\xff")
            port.send_break(0)
            port.parity = "O"
        served.stop()
    (host,) = json.loads(report.read_text(encoding="utf-8"))["hosts"]
    assert host["transports"] == ["rfc2217"]
    assert b'"event":"line"' in recording.read_bytes().replace(b" ", b"") and b"parity ODD" in recording.read_bytes()


def test_a_host_that_negotiates_nothing_is_answered(served: Served) -> None:
    channel = TelnetChannel(address(served))
    with channel.socket:
        linked(channel).echo(b"\xff\xff\xff")


def test_a_host_that_takes_it_for_raw_reads_what_it_is(served: Served, tmp_path: Path) -> None:
    host, port = address(served)
    with socket.create_connection((host, port), patience()) as raw:
        assert raw.recv(100).startswith(b"\xff\xfb\x00")


def test_a_flood_of_requests_is_answered_and_hurts_no_other_host(served: Served) -> None:
    with socket.create_connection(address(served), patience()) as flood:
        flood.settimeout(patience())
        flood.sendall(OFFER + say(Word.SET_BAUDRATE, 0) * 2000 + b"\xff\xfb\x63" * 2000 + b"\xff\xfa" + b"x" * 50_000)
        channel = TelnetChannel(address(served))
        with channel.socket:
            linked(channel).echo()
        answers = b""
        while answers.count(say(Word.SET_BAUDRATE + 100, 9600)) < 2000 or answers.count(b"\xff\xfe\x63") < 2000:
            answers += flood.recv(65536)


def test_a_host_that_wants_no_data_is_sent_it_later(served: Served) -> None:
    channel = TelnetChannel(address(served))
    with channel.socket as sock:
        client = linked(channel)
        sock.sendall(OFFER + say(Word.FLOWCONTROL_SUSPEND) + say(Word.SIGNATURE))
        answers: list[object] = []
        decoder = TelnetDecoder()
        while not any(b"NOT A MEDICAL DEVICE" in getattr(item, "body", b"") for item in answers):
            answers += decoder.feed(sock.recv(4096))
        request = client.exchange.submit(M.Echo(data=b"later"), monotonic())
        for frame in client.exchange.take():
            channel.send(frame)
        sock.sendall(say(Word.SET_CONTROL, Control.DTR_OFF))
        said = b""
        while say(Word.SET_CONTROL + 100, Control.DTR_OFF) not in said:
            said += sock.recv(4096)
        assert not [item for item in TelnetDecoder().feed(said) if isinstance(item, bytes)]
        sock.sendall(say(Word.FLOWCONTROL_RESUME))
        client.pump(lambda: any(answer.request is request and answer.final for answer in client._answers))


def test_a_recorded_session_of_its_is_executed_again(tmp_path: Path) -> None:
    recording = tmp_path / "line.pcapng"
    with serve("--rfc2217", "127.0.0.1:0", "--seed", "7", "--record", str(recording)) as served:
        channel = Rfc2217Channel(served)
        with channel.port as port:
            client = linked(channel)
            channel.send(b"\0half a frame")
            port.break_condition = True
            port.break_condition = False
            client.echo(b"\xff")
        served.stop()
    with read_recording(str(recording)) as capture:
        assert replay_device(capture) is None


def test_an_address_that_is_none_names_the_option(tmp_path: Path) -> None:
    done = firmware_sim("serve", "--rfc2217", "nowhere")
    assert done.returncode == 2 and "--rfc2217" in done.stderr and "--tcp" not in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = firmware_sim("serve", "--rfc2217", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 3 and done.stderr.startswith("firmware-sim: --rfc2217 127.0.0.1:")


def test_exec_gives_its_url() -> None:
    done = firmware_sim("exec", "--rfc2217", "127.0.0.1:0", "--", "sh", "-c", "echo $HANDPIECE_URL")
    assert done.returncode == 0 and done.stdout.startswith("rfc2217://127.0.0.1:"), os.linesep + done.stderr
