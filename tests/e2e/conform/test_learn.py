"""`devicectl conform learn` as a process, and words that are spelled on a device behind a port."""

import json
import socket
import subprocess
from pathlib import Path

import pytest

from devicectl.conformance.learn.session import opened
from devicectl.transports.urls import parse_url
from protocols.text.notice import NOTICE
from tests.e2e.processes import FIRMWARE_SIM, devicectl, one_line, read_until, started

pytest.importorskip("aalpy")

NUMB = ("SESSION_OPEN", "ANESTHESIA_START", "ANESTHESIA_CONFIRM")


def test_a_device_at_a_port_is_led_back_to_idle() -> None:
    with started([*FIRMWARE_SIM, "serve", "--json", "--seed", "7"], stdout=subprocess.PIPE) as process:
        url = json.loads(read_until(process, "{").splitlines()[-1])["urls"][0]
        with opened(parse_url(url), allow_motion=False) as query:
            assert query(("SESSION_OPEN", "ARM")) == ["DONE", "interlock 2"]
            assert query((*NUMB, "DISARM")) == ["DONE", "DONE", "DONE", "E_STATE"], "it was led back to idle"


def test_the_shortest_difference_is_the_report(tmp_path: Path) -> None:
    """This device wants to wait longer than any right one: its confirmation comes too early."""
    report, machine = tmp_path / "learned.json", tmp_path / "device.dot"
    url = "sim://?anesthesia_wait_s=3000&clog_hazard=0&seed=7"
    done = devicectl("conform", "learn", "--device", url, "--json", report, "--dot", machine, code=1)
    assert done.stdout.startswith(NOTICE)
    assert "the shortest difference: SESSION_OPEN ANESTHESIA_START ANESTHESIA_CONFIRM\n" in done.stdout
    told = json.loads(report.read_text())
    assert (told["notice"], told["difference"]["word"], told["difference"]["expected"]) == (NOTICE, list(NUMB), "DONE")
    assert "digraph" in machine.read_text()


def test_files_that_cannot_be_written_are_refused_before(tmp_path: Path) -> None:
    done = devicectl("conform", "learn", "--dot", tmp_path / "no" / "device.dot", code=2)
    assert "--dot" in done.stderr and "words" not in done.stderr
    assert one_line(devicectl("conform", "learn", "--device", "tcp://127.0.0.1:1", code=3))


def test_the_environment_names_the_device_where_no_option_does() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
    done = devicectl("conform", "learn", code=3, env={"HANDPIECE_URL": url})
    assert "no device that links" in one_line(done)


def test_a_simulator_that_the_url_asks_for_is_started() -> None:
    with opened(parse_url("sim+tcp://?seed=7"), allow_motion=False) as query:
        assert query(("SESSION_OPEN", "ARM")) == ["DONE", "interlock 2"]
