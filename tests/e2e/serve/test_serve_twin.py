"""`firmware-sim twin` as a program: recordings that programs have made, exit codes, and one line for what is none."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.text.notice import NOTICE
from tests.patience import patience
from tests.programs import environment, firmware_sim
from tests.unit.firmware_sim.twin.recorded_line import whole_session

HOST = (sys.executable, "-P", "-m", "devicectl", "run", "--target-cores", "6")
QUICK = ("--param", "anesthesia_wait_s=1", "--param", "reposition_mean_s=0.05")


def recorded(folder: Path, end: str) -> Path:
    """A session of `devicectl` with a served device, recorded at one end of a TCP connection."""
    path, log = folder / f"{end}.pcapng", folder / "log.sqlite"
    at_device = ("--record", str(path)) if end == "device" else ()
    at_host = ("--record", str(path)) if end == "host" else ()
    line = ("exec", "--tcp", "127.0.0.1:0", "--seed", "5", *QUICK, *at_device)
    done = firmware_sim(*line, "--", *HOST, "--log", str(log), *at_host)
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.parametrize("end", ["host", "device"])
def test_a_recording_of_either_end_is_of_the_same_device(end: str, tmp_path: Path) -> None:
    profile, output = tmp_path / "p.yaml", tmp_path / "twin.json"
    # A loaded machine answers late: what is judged here is what was said.
    parameters = "{anesthesia_wait_s: 1, reposition_mean_s: 0.05}"
    profile.write_text(f"device: {{parameters: {parameters}}}\ntimes: {{within_ms: 3600000}}\n")
    options = ("--profile", str(profile), "--output", str(output))
    done = firmware_sim("twin", str(recorded(tmp_path, end)), *options)
    document = json.loads(output.read_text())
    assert (done.returncode, document["verdict"]) == (0, "same"), done.stdout
    assert done.stdout.startswith(NOTICE) and done.stderr == ""
    assert document["device"]["serial"] == "SIM-00000005" and len(document["recording"]["sha256"]) == 64


def test_a_divergence_is_exit_code_1_and_json_is_for_programs(tmp_path: Path) -> None:
    path = tmp_path / "two.pcapng"
    path.write_bytes(whole_session(1, parameters={"anesthesia_wait_s": 1, "needles": 2}).file())
    done = firmware_sim("twin", str(path), "--json")
    assert done.returncode == 1 and done.stderr == ""
    document = json.loads(done.stdout)
    assert document["verdict"] == "diverges" and "DeviceInfoDone.needles" in document["divergence"]["reason"]


@pytest.mark.parametrize("kind", ["none", "text", "short", "profile", "clash"])
def test_what_is_no_recording_or_profile_is_one_line_and_exit_code_2(kind: str, tmp_path: Path) -> None:
    path, profile = tmp_path / "r.pcapng", tmp_path / "p.yaml"
    data = whole_session(1).file()
    if kind != "none":
        path.write_bytes({"text": b"# text\n", "short": data[:-9]}.get(kind, data))
    profile.write_text("feilds: {}\n")
    options = {"profile": ("--profile", str(profile)), "clash": ("--output", str(path))}.get(kind, ())
    done = firmware_sim("twin", str(path), *options)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("firmware-sim: ") and done.stderr.count("\n") == 1
    assert kind == "none" or path.exists()


def test_a_session_over_mqtt_and_one_without_a_file_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "mqtt.pcapng"
    line = [*HOST, "--device", "sim+mqtt://?anesthesia_wait_s=1", "--record", str(path), "--log", str(tmp_path / "log")]
    subprocess.run(line, capture_output=True, timeout=patience(), env=environment(), check=False)
    done = firmware_sim("twin", str(path))
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "over MQTT: a twin is made of a serial line or TCP" in done.stderr or "nothing was said in it" in done.stderr
    assert firmware_sim("twin").returncode == 2
