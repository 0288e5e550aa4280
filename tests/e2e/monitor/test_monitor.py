"""`devicectl monitor` between real programs: bytes untouched, half-open ends, slow readers, an end in order."""

import os
import random
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from devicectl.cli.program import call
from protocols.capture.packet import FROM_DEVICE, TO_DEVICE
from protocols.language.messages import Echo
from protocols.serial.payload import encode_message
from tests.client import serial_port, tcp
from tests.e2e.monitor.watched import address_of, both_ends, listening, received, watched
from tests.e2e.processes import devicectl, one_line, wait_until
from tests.e2e.sessions import PARAMETERS
from tests.patience import patience
from tests.programs import environment, serve

ANY = "tcp://127.0.0.1:0"
ECHO = encode_message(Echo(data=b"hi"), 1, 1, 1)


def test_a_session_through_it_is_shown_counted_recorded_and_right(
    tmp_path: Path, program: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "line.pcapng"
    with (
        serve("--tcp", "127.0.0.1:0", "--seed", "7", *PARAMETERS) as device,
        watched(ANY, device.urls[0], "--record", str(file)) as monitor,
    ):
        log = str(tmp_path / "log.sqlite")
        assert call(["run", "--device", monitor.url, "--target-cores", "6", "--log", log]) == 0
        monitor.line_with("closed: both ends have closed")
        lines = monitor.said + monitor.end().splitlines()
    shown = "\n".join(lines)
    assert "host>device  COMMAND   Punch" in shown and "device>host  REPLY     PunchDone" in shown
    assert any(line.split()[:2] == ["Punch", "2"] for line in lines), shown
    capsys.readouterr()
    assert call(["check", str(file)]) == 0
    assert "made by devicectl monitor" in capsys.readouterr().out
    fields = ["-T", "fields", "-e", "frame.packet_flags_direction"]
    done = subprocess.run([program("tshark"), "-r", str(file), *fields], capture_output=True, text=True, check=True)
    directions = {int(line, 0) for line in done.stdout.split()}
    assert directions == {TO_DEVICE, FROM_DEVICE}


def test_a_pseudo_terminal_for_the_host_and_a_serial_port_for_the_device(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    with serve("--tcp", "127.0.0.1:0", "--seed", "7") as device:
        ends = [f"pty,raw,echo=0,link={far}", f"tcp:127.0.0.1:{device.tcp[1]}"]
        with subprocess.Popen([program("socat"), *ends]) as socat:
            try:
                wait_until(far.exists, "the port that socat makes")
                with watched(f"pty://{near}", f"serial://{far}", "--json") as monitor:
                    assert monitor.url == f"serial://{near}"
                    with serial_port(str(near)) as host:
                        host.link()
                        host.echo()
                    said = monitor.statistics()
            finally:
                socat.terminate()
    assert said["host"]["messages"]["Echo"] == said["device"]["messages"]["EchoDone"] == 1
    assert said["latencies_us"]["Echo"]["end"]["count"] == 1
    assert not near.exists()


def test_whatever_bytes_pass_untouched_in_both_directions() -> None:
    noise = random.Random(7).randbytes(300_000)
    with listening() as server, watched(ANY, address_of(server), "--json") as monitor:
        with both_ends(monitor, server) as (host, device):
            for one, other in ((host, device), (device, host)):
                for at in range(0, len(noise), 50_000):
                    one.sendall(noise[at : at + 50_000])
                    assert received(other, 50_000) == noise[at : at + 50_000]
        said = monitor.statistics()
    assert (said["host"]["bytes"], said["device"]["bytes"]) == (len(noise), len(noise))
    assert said["unwatched"] == 0 and sum(said["host"]["errors"].values()) > 100


def test_garbage_and_the_beginning_of_a_frame_are_shown() -> None:
    with (
        listening() as server,
        watched(ANY, address_of(server)) as monitor,
        both_ends(monitor, server) as (host, device),
    ):
        device.sendall(b"boot 1.2\r\n\0" + ECHO)
        assert b"boot".hex() in monitor.line_with("BAD FRAME")
        monitor.line_with("device>host")
        host.sendall(ECHO[:9])
        assert ECHO[1:9].hex() in monitor.line_with("UNFINISHED 8 bytes")
        host.sendall(ECHO[9:])
        monitor.line_with("host>device  COMMAND   Echo")


def test_names_and_a_direction_select_what_is_shown() -> None:
    with listening() as server, watched(ANY, address_of(server), "--only", "echo", "--from", "host") as monitor:
        with both_ends(monitor, server) as (host, device):
            device.sendall(ECHO)
            assert received(host, len(ECHO)) == ECHO
            host.sendall(b"\0noise\0" + ECHO)
            assert received(device, len(ECHO) + 7)
        out = monitor.end()
    messages = [line for line in out.splitlines() if ">" in line]
    assert len(messages) == 1 and "host>device  COMMAND   Echo" in messages[0]
    assert "device: 1 frames" in out


def test_an_end_that_says_no_more_is_still_answered() -> None:
    with listening() as server, watched(ANY, address_of(server)) as monitor:
        with both_ends(monitor, server) as (host, device):
            host.sendall(ECHO)
            host.shutdown(socket.SHUT_WR)
            assert received(device, 10_000) == ECHO
            monitor.line_with("the host has closed its end; the other direction is open")
            device.sendall(ECHO * 3)
            assert received(host, 3 * len(ECHO)) == ECHO * 3
            device.close()
            assert host.recv(1) == b""
        monitor.line_with("closed: both ends have closed")


def test_a_device_that_resets_the_connection_takes_the_hosts_with_it() -> None:
    with listening() as server, watched(ANY, address_of(server)) as monitor:
        with both_ends(monitor, server) as (host, device):
            host.sendall(ECHO)
            wait_until(lambda: len(device.recv(len(ECHO), socket.MSG_PEEK)) == len(ECHO), "what the host sent")
            device.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            device.close()
            assert host.recv(1) == b""
        monitor.line_with("closed: the device's connection: Connection reset by peer")


def test_a_device_that_is_not_there_is_said_and_the_next_host_is_tried_again() -> None:
    with listening() as server:
        url = address_of(server)
    with watched(ANY, url) as monitor:
        for _ in range(2):
            with socket.create_connection(monitor.address, patience()) as host:
                assert host.recv(1) == b""
            assert "Connection refused" in monitor.line_with("closed: ")


def test_hosts_have_lines_of_their_own() -> None:
    with serve("--tcp", "127.0.0.1:0") as device, watched(ANY, device.urls[0], "--json") as monitor:
        with tcp(monitor.address) as one, tcp(monitor.address, host_id=2) as other:
            one.link()
            other.link()
            other.echo()
            one.echo()
        said = monitor.statistics()
    assert said["lines"] == 2 and said["latencies_us"]["Echo"]["end"]["count"] == 2


def test_a_device_that_comes_back_is_called_again_while_the_hosts_port_stays(tmp_path: Path) -> None:
    port = tmp_path / "port"
    with listening() as server, watched(f"pty://{port}", address_of(server)) as monitor:
        first, _ = server.accept()
        first.close()
        monitor.line_with("closed: ")
        second, _ = server.accept()
        with second:
            second.settimeout(patience())
            fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
            os.write(fd, ECHO)
            assert received(second, len(ECHO)) == ECHO
            os.close(fd)


def test_a_reader_of_the_screen_that_reads_nothing_keeps_no_byte_waiting(tmp_path: Path) -> None:
    file = tmp_path / "line.pcapng"
    frames = 20_000
    with listening() as server, watched(ANY, address_of(server), "--record", str(file)) as monitor:
        with both_ends(monitor, server) as (host, device):
            for _ in range(frames // 100):  # its lines are far more than a pipe holds
                host.sendall(ECHO * 100)
                assert len(received(device, 100 * len(ECHO))) == 100 * len(ECHO)
        out = monitor.end()
    assert f"host: {frames} frames" in out
    assert file.read_bytes().count(ECHO) == frames


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_ends_it_in_order(number: int) -> None:
    with (
        listening() as server,
        watched(ANY, address_of(server), "--quiet") as monitor,
        both_ends(monitor, server) as (host, device),
    ):
        host.sendall(ECHO)
        assert received(device, len(ECHO)) == ECHO
        out = monitor.end(number)
        assert host.recv(1) == b"" and device.recv(1) == b""
    assert "host: 1 frames" in out and "Echo  " not in out.partition("statistics")[0]


def test_one_that_is_killed_leaves_its_recording_and_nobody_who_passes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "line.pcapng"
    with (
        serve("--tcp", "127.0.0.1:0") as device,
        watched(ANY, device.urls[0], "--record", str(file)) as monitor,
        tcp(monitor.address) as host,
    ):
        host.link()
        host.echo()
        monitor.line_with("EchoDone")
        monitor.process.kill()
        heard = host.channel.receive(patience())
        while heard:
            heard = host.channel.receive(patience())
        assert heard is None
    assert call(["check", str(file)]) == 0
    assert "messages from the device" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["sim://", "tcp://127.0.0.1:1"], 2, "the host's end of a line of bytes is one of tcp://, pty://, serial://"),
        ([ANY, "mqtt://127.0.0.1/a/b"], 2, "a broker is no line between two ends"),
        ([ANY, "tcp://127.0.0.1:1", "--only", "Pnuch"], 2, "for example Punch"),
        ([ANY, "tcp://127.0.0.1:1", "--from", "nobody"], 2, "neither host nor device"),
        ([ANY, "tcp://127.0.0.1:1", "--record", "/nowhere/x"], 2, "--record"),
        ([ANY, "serial:///dev/nowhere"], 3, "cannot open serial port /dev/nowhere"),
        (["tcp://192.0.2.1:5", "tcp://127.0.0.1:1"], 3, "cannot listen at 192.0.2.1:5"),
        (["pty:///nowhere/x", "tcp://127.0.0.1:1"], 3, "cannot make /nowhere/x"),
    ],
)
def test_what_cannot_be_watched_is_one_line(arguments: list[str], code: int, says: str) -> None:
    done = devicectl("monitor", *arguments, code=code, env=environment())
    assert says in one_line(done) and not done.stdout


def test_it_ends_with_whoever_reads_it() -> None:
    with listening() as device, watched(ANY, address_of(device), "--json") as monitor:
        assert monitor.process.stdout is not None and monitor.process.stderr is not None
        monitor.process.stdout.close()
        assert monitor.process.wait(patience()) == 1, "standard output could not be written"
        assert monitor.process.stderr.read() == ""


def test_a_recording_goes_on_without_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    with (
        listening() as device,
        watched(ANY, address_of(device), "--quiet", "--record", str(path)) as monitor,
    ):
        assert monitor.process.stdout is not None
        monitor.process.stdout.close()
        with socket.create_connection(monitor.address, patience()) as host, device.accept()[0] as end:
            end.settimeout(patience())
            host.sendall(b"abc")
            assert end.recv(3) == b"abc"
            wait_until(lambda: b"abc" in path.read_bytes(), "what passed is recorded")
        monitor.process.send_signal(signal.SIGINT)
        monitor.process.wait(patience())
