"""Somebody else's host in class: a real program at a real transport of a real station, here our own in its place."""

import json
import re
import select
import socket
import subprocess
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.brokers import Mosquitto
from tests.e2e.processes import DEVICECTL, devicectl, one_line, started
from tests.e2e.station.pages import View
from tests.e2e.station.served import Served, served
from tests.integration.station.test_foreign_host import HELLO
from tests.patience import patience
from tests.programs import firmware_sim

TARGET: Final = 12
LONG: Final = 90
"""Cores of a session that takes seconds."""
LESSON: Final = """\
seed: 5
start:
  parameters: {anesthesia_wait_s: 1, clog_hazard: 0}
plan:
  target_cores: 12
  zones: [{name: cheek, area_cm2: 2}]
  operator: {anesthesia_age_s: 600}
lesson: {title: Another host, task: A cheek}
"""
OFF: Final = "somebody else's host works here"


def url_of(station: Served) -> str:
    """The URL that the station has printed for the host."""
    found = re.search(r"^host +1 +(\S+)$", station.said, re.MULTILINE)
    assert found is not None, station.said
    return found[1]


def files(folder: Path, text: str = LESSON) -> tuple[Path, Path]:
    """A lesson, and the plan of its session."""
    lesson, plan = folder / "lesson.yaml", folder / "plan.yaml"
    lesson.write_text(text)
    plan.write_text(text[text.index("plan:") + 6 : text.index("lesson:")].replace("\n  ", "\n").strip() + "\n")
    return lesson, plan


def session(url: str, folder: Path, plan: Path) -> dict[str, Any]:
    """Hold a whole session from elsewhere; its summary."""
    done = devicectl("run", "--json", "--device", url, "--plan", plan, "--log", folder / "theirs.sqlite", code=0)
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


def is_over(view: View) -> bool:
    """True once a view shows that the lesson has ended."""
    return bool(view.document.get("clock", {}).get("ended"))


@pytest.fixture(params=["tcp", "pty", "mqtt"])
def transport(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The options of a transport; behind a broker, of one that runs."""
    if request.param == "mqtt":
        mosquitto: Mosquitto = request.getfixturevalue("mosquitto")
        return "--mqtt", mosquitto.url()
    return ("--tcp", "127.0.0.1:0") if request.param == "tcp" else ("--pty",)


def test_every_view_counts_as_the_host_does(transport: tuple[str, ...], tmp_path: Path) -> None:
    lesson, plan = files(tmp_path)
    with (
        served(tmp_path / "log.sqlite", "--lesson", str(lesson), *transport) as station,
        station.socket("presenter") as presenter,
        station.socket("trainee") as trainee,
    ):
        station.done("POST", "/api/stations/1/pace", {"running": True})
        summary = session(url_of(station), tmp_path, plan)
        cores = summary["cores_counted"]
        assert cores >= TARGET and summary["reconciled"]
        views = [View(presenter), View(trainee)]
        for view in views:
            view.until(partial(is_over, view), "the end")
            assert view.document["counts"]["cores"] == cores
        assert views[1].document["end"]["reconciled"]
        assert {control["why"] for control in views[1].document["controls"].values()} == {OFF}
        row = station.done("GET", "/api/stations/1")
        assert row["ended"] and row["state"]["name"] == "completed"
        report = station.ask("GET", "/api/stations/1/report")
        assert report.status == 200 and "The session was closed as completed." in report.body.decode()
        assert f"<td>{cores}</td>" in report.body.decode()


def test_to_go_back_breaks_the_link_and_the_next_host_finds_the_session_as_it_was_then(
    transport: tuple[str, ...], tmp_path: Path
) -> None:
    lesson, plan = files(tmp_path)
    with served(tmp_path / "log.sqlite", "--lesson", str(lesson), *transport) as station:
        station.done("POST", "/api/stations/1/pace", {"running": True})
        session(url_of(station), tmp_path, plan)
        with station.socket("trainee") as trainee:
            view = View(trainee)
            view.until(partial(is_over, view), "the end")
            row = station.done("POST", "/api/stations/1/rewind", {"to_ms": view.document["clock"]["t_ms"] - 3_000})
            assert not row["ended"] and row["state"]["name"] != "completed"
            station.done("POST", "/api/stations/1/pace", {"running": True})
            devicectl("run", "--abandon", "--device", url_of(station), "--log", tmp_path / "next.sqlite", code=0)
            view.until(lambda: view.document["state"]["name"] == "aborted", "the end of the session")
            assert not view.document["end"]["reconciled"]


def test_a_host_behind_a_broker_that_is_at_work_comes_back_when_the_lesson_has_gone_back(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    lesson, plan = files(tmp_path, LESSON.replace(str(TARGET), str(LONG)))
    with served(tmp_path / "log.sqlite", "--lesson", str(lesson), "--mqtt", mosquitto.url()) as station:
        station.done("POST", "/api/stations/1/pace", {"running": True})
        line: list[str | Path] = [*DEVICECTL, "run", "--json", "--device", url_of(station), "--plan", plan]
        line += ["--log", tmp_path / "theirs.sqlite"]
        with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as host:
            with station.socket("trainee") as trainee:
                view = View(trainee)
                view.until(lambda: view.document.get("counts", {}).get("cores", 0) > 0, "the first cores")
            station.done("POST", "/api/stations/1/rewind", {"to_ms": view.document["clock"]["t_ms"]})
            station.done("POST", "/api/stations/1/pace", {"running": True})
            said, why = host.communicate(timeout=patience())
        assert host.returncode == 0, why
        summary = json.loads(said.splitlines()[-1])
        with station.socket("trainee") as trainee:
            view = View(trainee)
            view.until(partial(is_over, view), "the end")
        assert view.document["counts"]["cores"] == summary["cores_counted"] >= LONG and summary["reconciled"]


def test_while_the_lesson_is_held_the_device_is_silent(tmp_path: Path) -> None:
    lesson, _ = files(tmp_path)
    with (
        served(tmp_path / "log.sqlite", "--lesson", str(lesson), "--tcp", "127.0.0.1:0") as station,
        station.socket("instructor") as instructor,
    ):
        view = View(instructor)
        view.until(lambda: "Waits for a host" in view.document.get("host", ""), "the view")
        address = url_of(station).removeprefix("tcp://").split(":")
        with socket.create_connection((address[0], int(address[1])), timeout=patience()) as host:
            host.sendall(HELLO)
            view.until(lambda: "the device is silent" in view.document["host"], "the host's connection")
            assert not select.select([host], [], [], 0)[0]
            station.done("POST", "/api/stations/1/pace", {"running": True})
            assert host.recv(4096)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--tcp", "nowhere"), "is not HOST:PORT"),
        (("--tcp", "127.0.0.1:70000"), "port 0 takes a free one"),
        (("--tcp", "0.0.0.0:0"), "--allow-network lets every machine of this network drive the handpiece"),
        (("--tcp", "127.0.0.1:0", "--pty"), "a station has one host: give one of them"),
        (("--tcp", "127.0.0.1:0", "--demo"), "leave one out"),
        (("--mqtt", "mqtt://127.0.0.1:1883/bench"), "for example mqtt://127.0.0.1:1883/bench/sim-7"),
        (("--mqtt", "mqtt://127.0.0.1/bench/sim-7", "--tcp", "127.0.0.1:0"), "a station has one host"),
        (("--mqtt", "mqtt://192.0.2.1/bench/sim-7"), "--allow-network lets every machine of this network drive"),
        (("--mqtt", "mqtts://127.0.0.1/bench/sim-7?ca=no.pem"), "no.pem"),
    ],
)
def test_wrong_place_of_a_host_is_said_in_one_line(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    said = one_line(devicectl("station", *arguments, "--no-open", "--port", "0", "--log", tmp_path / "l", code=2))
    assert words in said


def test_where_no_broker_is_the_station_ends_as_a_served_device_does(tmp_path: Path) -> None:
    lesson, _ = files(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"mqtt://127.0.0.1:{taken.getsockname()[1]}/bench/sim-7"
        said = one_line(
            devicectl(
                "station",
                "--lesson",
                lesson,
                "--mqtt",
                url,
                "--no-open",
                "--port",
                "0",
                "--log",
                tmp_path / "l",
                code=3,
            )
        )
        device = firmware_sim("serve", "--mqtt", url)
    assert device.returncode == 3 and said.partition("--mqtt")[2] == device.stderr.strip().partition("--mqtt")[2]
