"""`firmware-sim serve --report`: real hosts do well or badly, and the report says so, however the device ends."""

import json
import signal
import socket
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.cli import call
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.serial.framing import pack_crc, pack_header, stuff
from protocols.text.notice import NOTICE
from tests.client import Client, TcpChannel, serial_port, tcp
from tests.patience import patience
from tests.programs import firmware_sim, kill_parent_of, serve

QUICK = ("--param", "anesthesia_wait_s=0", "--param", "reposition_mean_s=0.01")
OPEN = M.SessionOpen(target_cores=30, coverage_bp=400, depth_um=3000, zones_cm2=(1,))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def arm(host: Client) -> None:
    host.link()
    host.ask(OPEN)
    host.ask(M.AnesthesiaStart(zone=0, age_s=0, method="cream"))
    host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="me"))
    assert isinstance(host.ask(M.Arm()), M.ArmDone)


def test_a_good_host(tmp_path: Path) -> None:
    path, log = tmp_path / "report.json", tmp_path / "log.sqlite"
    run = (
        "import os, subprocess, sys; "
        "sys.exit(subprocess.call([sys.executable, '-m', 'devicectl', 'run', '--device', os.environ['HANDPIECE_URL'], "
        f"'--target-cores', '30', '--log', {str(log)!r}]))"
    )
    done = firmware_sim("exec", "--seed", "7", "--report", str(path), *QUICK, "--", sys.executable, "-c", run)
    assert done.returncode == 0, done.stderr
    report = read(path)
    assert report["notice"] == NOTICE and report["simulated"] is True
    assert report["seed"] == 7 and report["serial"] == "SIM-00000007"
    assert report["verdict"] == []
    (host,) = report["hosts"]
    device = report["device"]
    counted, cycles = device["cores_counted"], device["cycles"]["completed"]
    assert counted >= 30 and cycles >= 10
    assert host["verdict"][0] == f"Good: {counted} cores in {cycles} cycles, closed and reconciled."
    assert host["role"] == "controller" and host["transports"] == ["tcp"] and host["links"] == 1
    assert host["bad_frames"] == {} and host["commands"]["Count"] == cycles
    assert host["commands"]["JournalAck"] > 0
    assert 0 < host["linked_s"] < report["uptime_s"]
    assert device["session_open"] is None and device["sessions_closed"][0]["reason"] == "completed"
    assert device["truth"]["cores_evacuated"] > 0


def test_a_host_with_the_wrong_checksum(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with serve("--report", str(path)) as served, socket.create_connection(served.tcp, patience()) as host:
        body = pack_header(0x17, 2, 1, 1, 0, 1, 0, 25) + bytes(25)
        host.sendall(b"\0" + stuff(body + pack_crc(zlib.crc32(body))) + b"\0")
        host.shutdown(socket.SHUT_WR)
        host.settimeout(patience())
        assert host.recv(1) == b"", "a frame with a wrong checksum was answered"
        assert served.stop() == 0
    report = read(path)
    assert report["verdict"] == ["No host ever said HELLO."] and report["hosts"] == []
    (one,) = report["never_linked"]
    assert one["bad_frames"] == {"crc": 1}
    assert any("CRC is wrong in 1 of 1" in said and "zlib" in said for said in one["verdict"])


def test_a_host_that_goes_silent_while_armed_and_a_viewer_who_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with (
        serve("--report", str(path), "--tcp", "127.0.0.1:0", "--pty", *QUICK) as served,
        tcp(served.tcp, host_id=2) as watcher,
        serial_port(served.pty) as host,
    ):
        watcher.link()
        arm(host)
        assert watcher.await_told(M.Alarm)
        assert served.stop() == 0
    report = read(path)
    hosts = {host["host_id"]: host for host in report["hosts"]}
    assert hosts[1]["leases_expired"] == {"while_armed": 1, "at_rest": 0}
    assert "The lease expired once: heartbeats came too late (every 200 ms while armed)." in hosts[1]["verdict"]
    assert "It left the session open: session 1." in hosts[1]["verdict"]
    assert hosts[1]["transports"] == ["pty"] and hosts[2]["transports"] == ["tcp"]
    assert hosts[2]["leases_expired"] == {"while_armed": 0, "at_rest": 0}
    assert [one["alarm"] for one in report["device"]["alarms"]] == ["MC-1501"]
    assert report["device"]["session_open"] == 1 and report["device"]["state"] == "SAFE"


def test_a_host_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    with serve("--report", str(path), *QUICK) as served, tcp(served.tcp) as host:
        arm(host)
        for _ in range(3):
            answer = host.ask(M.Punch(cycle_no=5, depth_um=3000, deadline_ms=0x7FFF_FFFF))
            assert isinstance(answer, M.Refused) and answer.code is Code.E_CYCLE_GAP
        assert served.stop() == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith(NOTICE)
    assert "3 commands were refused E_CYCLE_GAP: use last cycle_no + 1." in text
    assert "cycle 5 leaves a gap: the next cycle is 1" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_report_is_written_after_a_signal_with_the_host_still_there(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("of an earlier run")
    with serve("--report", str(path)) as served, tcp(served.tcp) as host:
        assert not path.exists()
        host.link()
        served.process.send_signal(number)
        assert served.process.wait(patience()) == 0
    (one,) = read(path)["hosts"]
    assert one["links"] == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_is_written_when_the_time_is_over(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    assert firmware_sim("serve", "--json", "--max-seconds", "0.1", "--report", str(path)).returncode == 0
    assert read(path)["verdict"] == ["Nobody said anything to the device."]
    assert read(path)["uptime_s"] >= 0.1


def test_a_report_is_written_when_the_parent_dies(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    kill_parent_of("--report", str(path))
    assert read(path)["hosts"] == []


def test_beside_a_trace(tmp_path: Path) -> None:
    path, trace = tmp_path / "report.json", tmp_path / "trace.txt"
    with serve("--report", str(path), "--trace", str(trace)) as served, tcp(served.tcp) as host:
        host.link()
        assert served.stop() == 0
    assert read(path)["hosts"][0]["links"] == 1
    text = trace.read_text(encoding="utf-8")
    assert "Hello" in text and "Welcome" in text and text.rstrip().endswith("closed")


def test_over_a_memory_of_before_it_tells_of_this_run_alone(tmp_path: Path) -> None:
    memory, path = str(tmp_path / "memory"), tmp_path / "report.json"
    for _ in range(2):
        with serve("--nvm", memory, "--report", str(path)) as served, tcp(served.tcp) as host:
            number = host.link().session_no
            if not number:
                host.ask(OPEN)
            assert served.stop() == 0
    assert read(path)["device"]["sessions_opened"] == 0
    assert read(path)["device"]["session_open"] == 1


def test_a_device_that_cannot_be_served_leaves_none(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = firmware_sim("serve", "--report", str(path), "--tcp", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["-", ".", "no-such-folder/report.txt", "a-file/report.txt", "\0"])
def test_a_path_that_cannot_be_written_is_one_line_and_exit_2(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()
    assert call(["serve", "--report", path]) == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1 and "--report" in said.err and said.out == ""
    assert [found.name for found in tmp_path.iterdir()] == ["a-file"]


def test_a_report_that_cannot_be_written_at_the_end_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    with serve("--report", str(folder / "report.txt")) as served:
        folder.rmdir()
        assert served.stop() == 1
        assert served.process.stderr is not None
        said = served.process.stderr.read()
    assert len(said.splitlines()) == 1 and "--report" in said


def test_a_connection_without_a_word_is_no_host(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with serve("--report", str(path)) as served:
        channel = TcpChannel(served.tcp)
        channel.socket.close()
        assert served.stop() == 0
    assert read(path)["verdict"] == ["Nobody said anything to the device."]
