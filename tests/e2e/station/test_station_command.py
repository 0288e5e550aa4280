import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.text.notice import NOTICE
from tests.e2e.processes import devicectl, interrupt, one_line
from tests.e2e.station.pages import View
from tests.e2e.station.served import served
from tests.patience import patience


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "a.example"])
def test_other_machines_are_let_in_only_by_name(host: str, tmp_path: Path) -> None:
    said = one_line(devicectl("station", "--host", host, "--log", tmp_path / "log.sqlite", code=2))
    assert "--host" in said and "--allow-network lets everybody in this network read along" in said


def test_links_for_other_machines_name_an_address_of_this_one(tmp_path: Path) -> None:
    with served(tmp_path / "log.sqlite", "--host", "0.0.0.0", "--allow-network") as station:
        assert not [link for link in station.links.values() if "0.0.0.0" in link or "localhost" in link]
        assert station.done("GET", "/api/stations")["stations"]


def test_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = one_line(devicectl("station", "--port", str(port), "--log", tmp_path / "log.sqlite", code=2))
    assert f"cannot listen at 127.0.0.1 port {port}" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--stations", "0"), "1 to 8"),
        (("--stations", "9"), "1 to 8"),
        (("--port", "65536"), "0 to 65535"),
        (("--seed", "-1"), "0 to 9223372036854775807"),
        (("--stations", "2", "--seed", str(2**63 - 1)), f"0 to {2**63 - 2}"),
        (("--lesson", "suction-leek"), "suction-leak"),
        (("--lesson", "none.yaml"), "none.yaml"),
    ],
)
def test_wrong_argument_is_said_in_one_line(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    said = one_line(devicectl("station", *arguments, "--no-open", "--log", tmp_path / "log.sqlite", code=2))
    assert words in said


def test_lesson_that_would_be_the_log_is_refused(tmp_path: Path) -> None:
    lesson = tmp_path / "lesson.yaml"
    lesson.write_text("seed: 7\n")
    assert str(lesson) in one_line(devicectl("station", "--lesson", lesson, "--log", lesson, code=2))


def test_missing_packages_are_named_with_the_command_that_installs_them() -> None:
    program = "import sys; sys.modules['segno'] = None; from devicectl.cli import main; sys.exit(main())"
    line = [sys.executable, "-c", program, "station"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=patience())
    assert done.returncode == 2
    assert one_line(done) == "devicectl: the station needs segno: pip install 'devicectl[station]'"


def test_ctrl_c_ends_it_in_order_with_pages_open(tmp_path: Path) -> None:
    with served(tmp_path / "log.sqlite") as station, station.socket("trainee") as socket:
        page = View(socket)
        page.until(lambda: page.document != {}, "the view")
        interrupt(station.process)
        out, err = station.process.communicate(timeout=patience())
    assert (station.process.returncode, out, err) == (0, "the station has ended\n", "")
    assert station.said.startswith(NOTICE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_supervisor_or_a_closed_terminal_ends_it_as_ctrl_c_does(number: signal.Signals, tmp_path: Path) -> None:
    with served(tmp_path / "log.sqlite") as station, station.socket("trainee") as socket:
        page = View(socket)
        page.until(lambda: page.document != {}, "the view")
        station.process.send_signal(number)
        out, err = station.process.communicate(timeout=patience())
    assert (station.process.returncode, out, err) == (0, "the station has ended\n", "")


def test_demonstration_is_armed_and_driven_by_the_automatic_operator(tmp_path: Path) -> None:
    with served(tmp_path / "log.sqlite", "--demo", "--seed", "7") as station, station.socket("presenter") as socket:
        page = View(socket)
        page.until(lambda: page.document != {}, "the view")
        assert page.document["state"]["name"] in ("armed", "repositioning") and page.document["automatic"]
        assert page.document["counts"]["cores"] == 0 and not page.document["clock"]["running"]
        station.done("POST", "/api/stations/1/pace", {"running": True}, who="presenter-1")
        page.until(lambda: page.document["counts"]["cores"] > 40, "cores")
        assert page.document["clock"]["t_ms"] < 60_000


def test_user_has_a_lesson_of_his_own(tmp_path: Path) -> None:
    lesson = tmp_path / "mine.yaml"
    lesson.write_text("name: my own\nseed: 7\n")
    with served(tmp_path / "log.sqlite", "--lesson", str(lesson), "--stations", "2") as station:
        rows = station.done("GET", "/api/stations")["stations"]
        assert [row["title"] for row in rows] == ["my own", "my own"]
        assert "mine" in [one["scenario"] for one in station.done("GET", "/api/scenarios")["scenarios"]]
