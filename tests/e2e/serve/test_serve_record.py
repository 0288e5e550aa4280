"""`firmware-sim --record`: what a served device did, again in this process, packet by packet."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from firmware_sim.replay import replay_device
from handpiece_shell.recording_file import read_recording
from protocols.capture.packet import FROM_DEVICE, TO_DEVICE, Capture
from tests.brokers import Mosquitto
from tests.client import serial_port, tcp
from tests.programs import firmware_sim, serve

SESSION = ("run", "--target-cores", "20", "--json", "--log")


def loaded(path: Path) -> Capture:
    """All of a recording."""
    with read_recording(str(path)) as capture:
        return Capture(capture.comment, capture.interfaces, list(capture.packets))


def assert_repeats(path: Path, *ports: str) -> Capture:
    """Hold a new device to it; both ends were heard on each port."""
    capture = loaded(path)
    heard = {(capture.interfaces[packet.interface].partition(":")[0], packet.direction) for packet in capture.packets}
    assert {(port, direction) for port in ports for direction in (TO_DEVICE, FROM_DEVICE)} <= heard
    assert replay_device(capture) is None
    return capture


def test_a_session_on_a_kept_memory_is_repeated_to_the_byte(tmp_path: Path) -> None:
    """The second session begins with the memory that the first one left."""
    for count in (1, 2):
        path = tmp_path / f"{count}.pcapng"
        line = ("--tcp", "127.0.0.1:0", "--nvm", str(tmp_path / "nvm"), "--param", "anesthesia_wait_s=1")
        log = str(tmp_path / "log.sqlite")
        done = firmware_sim(
            "exec", *line, "--record", str(path), "--", sys.executable, "-m", "devicectl", *SESSION, log
        )
        assert done.returncode == 0, done.stderr
        capture = assert_repeats(path, "tcp")
        assert capture.comment["memory"] is True
        assert capture.comment["parameters"] == {"anesthesia_wait_s": 1.0}
        assert capture.comment["verdict"] == {"ended": "the command that it was served for has ended", "faults": []}


def test_ports_that_come_and_go_and_what_is_no_frame_are_repeated(tmp_path: Path) -> None:
    path = tmp_path / "one.pcapng"
    with serve("--pty", "--tcp", "127.0.0.1:0", "--seed", "7", "--record", str(path), "--trace", "-") as served:
        with serial_port(served.pty, host_id=2) as one, tcp(served.tcp) as two:
            for client in (one, two):
                client.channel.send(b"\0rubbish\0")
                client.link()
                client.echo()
        with tcp(served.tcp) as three:
            three.link()
        assert served.stop() == 0
    capture = assert_repeats(path, "tcp", "pty")
    assert len(capture.interfaces) == 4
    assert capture.comment["verdict"] == {"ended": "it was asked to by a signal", "faults": []}


def test_a_session_behind_a_broker_is_repeated(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "one.pcapng"
    log = str(tmp_path / "log.sqlite")
    line = ("--mqtt", mosquitto.url(), "--param", "anesthesia_wait_s=1", "--record", str(path))
    done = firmware_sim("exec", *line, "--", sys.executable, "-m", "devicectl", *SESSION, log)
    assert done.returncode == 0, done.stderr
    assert_repeats(path, "mqtt")


def test_a_killed_device_leaves_a_recording_without_a_verdict(tmp_path: Path) -> None:
    path = tmp_path / "one.pcapng"
    with serve("--record", str(path)) as served, tcp(served.tcp) as host:
        host.link()
        host.echo()
        served.kill()
    assert assert_repeats(path, "tcp").comment["verdict"] is None


def test_a_recording_that_cannot_be_written_is_one_line() -> None:
    done = firmware_sim("serve", "--tcp", "127.0.0.1:0", "--record", "/dev/null")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--record: cannot write /dev/null: is no regular file" in done.stderr


def test_tshark_opens_it(program: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "one.pcapng"
    with serve("--record", str(path)) as served, tcp(served.tcp) as host:
        host.link()
        assert served.stop() == 0
    line = [program("tshark"), "-r", str(path), "-T", "fields", "-e", "frame.interface_name"]
    said = subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[:2] == ["events", "events"]
    assert len(said) == len(list(loaded(path).packets))
