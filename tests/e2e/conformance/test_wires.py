"""The command on each wire that our own device is served on, with its files and exit codes."""

import json
import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.e2e.processes import DEVICECTL, devicectl, one_line, started
from tests.patience import patience
from tests.programs import serve

QUICK = "seed=3&reposition_mean_s=0.3"
SOME = (
    "--case",
    "frm.*",
    "--case",
    "lnk.hello*",
    "--case",
    "cyc.count",
    "--case",
    "lse.armed-bye",
    "--case",
    "evt.power-*",
    "--case",
    "harm.write-suction",
    "--case",
    "harm.emergency",
)


@pytest.mark.parametrize("scheme", ["sim", "sim+tcp", "sim+pty"])
def test_our_own_device_passes(scheme: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    devicectl(
        "conform", "device", "--device", f"{scheme}://?{QUICK}", "--slack", "3000", *SOME, "--json", report, code=0
    )
    data = json.loads(report.read_text())
    assert data["notice"] == "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
    words = {case["word"] for case in data["cases"]}
    assert words == {"passed"} and data["verdict"] == "passed"


def test_a_line_of_one_host_has_no_second_link(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    case = ("--case", "lnk.replaced-elsewhere")
    devicectl("conform", "device", "--device", f"sim+pty://?{QUICK}", *case, "--json", report, code=0)
    (found,) = json.loads(report.read_text())["cases"]
    assert (found["word"], found["reason"]) == ("skipped", "needs a second link beside the first")


def test_our_own_device_passes_behind_a_broker(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    wanted = ("--case", "mqt.*", "--case", "cmd.again-*", "--case", "ctl.open", "--case", "harm.emergency")
    devicectl("conform", "device", "--device", f"sim+mqtt://?{QUICK}", *wanted, "--json", report, code=0)
    cases = {case["id"]: case["word"] for case in json.loads(report.read_text())["cases"]}
    assert cases.pop("mqt.born-again") == "skipped"  # which needs a hook
    assert set(cases.values()) == {"passed"}
    assert sum(name.startswith("mqt.") for name in cases) >= 12


def test_every_report_is_written_and_a_baseline_only_shrinks(tmp_path: Path) -> None:
    known, page, junit = tmp_path / "known.json", tmp_path / "page.html", tmp_path / "junit.xml"
    one = ("conform", "device", "--device", "sim://?seed=3", "--case", "frm.crc*", "--case", "frm.bad-crc")
    known.write_text('{"baseline": 1, "known": {"frm.bad-crc": "rev A"}}')
    mended = devicectl(*one[:4], "--case", "frm.bad-crc", "--baseline", known, "--html", page, "--junit", junit, code=1)
    assert "mended  frm.bad-crc" in mended.stdout
    assert "the baseline says that it fails" in page.read_text()
    root = ElementTree.parse(junit).getroot()
    assert root.get("failures") == "1"
    assert "no case is 'frm.crc*'" in devicectl(*one, code=2).stderr


def test_claims_leave_out_what_is_not_there(tmp_path: Path) -> None:
    claims, report = tmp_path / "claims.json", tmp_path / "report.json"
    claims.write_text('{"claims": 1, "links": 1, "lacks": {"frm.bad-*": "no checksum yet"}}')
    chosen = ("--case", "frm.*", "--case", "lnk.replaced-elsewhere")
    line = ("conform", "device", "--device", "sim://", *chosen, "--claims", claims)
    devicectl(*line, "--json", report, code=0)
    cases = {case["id"]: (case["word"], case["reason"]) for case in json.loads(report.read_text())["cases"]}
    assert cases["frm.bad-crc"] == ("skipped", "the claims say: no checksum yet")
    assert cases["lnk.replaced-elsewhere"] == ("skipped", "needs a second link beside the first")
    assert cases["frm.seq"][0] == "passed"
    claims.write_text('{"claims": 1, "model": "another"}')
    assert "the claims are of model 'another'; the device says" in devicectl(*line, code=1).stderr
    claims.write_text('{"claims": 1, "lacks": {"frm.gone": "x"}}')
    assert "lacks: no case is 'frm.gone'" in devicectl(*line, code=2).stderr


def test_the_list_has_each_case_with_its_rules() -> None:
    listed = devicectl("conform", "device", "--list", code=0).stdout
    assert "frm.bad-crc" in listed and "HLP-FRM-8" in listed and "TRAINING SIMULATOR" in listed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--hook", "reboot=x"), "is no hook"),
        (("--slack", "-1"), "--slack"),
        (("--limit", "0"), "--limit"),
        (("--case", "nothing"), "no case is 'nothing'; for example frm.zeros, 'frm.*' or HLP-FRM-1; --list shows all"),
        (("--case", "frm.bad_crc"), "no case is 'frm.bad_crc'; is it frm.bad-crc? --list shows all"),
        (("tcp://127.0.0.1:4001",), "a URL stands behind its option: --device URL (see `devicectl conform device"),
    ],
)
def test_a_wrong_command_line_is_one_line(options: tuple[str, ...], said: str) -> None:
    assert said in devicectl("conform", "device", "--device", "sim://", *options, code=2).stderr


def test_a_hook_takes_the_power_and_a_recording_is_kept_of_what_fails(tmp_path: Path) -> None:
    """A hook that does nothing: the device never boots, the case fails, and what went over the wire is kept."""
    folder = tmp_path / "kept"
    done = devicectl(
        *("conform", "device", "--device", f"sim+tcp://?{QUICK}", "--case", "evt.power-idle"),
        *("--hook", "power_cycle=true", "--record", folder),
        code=1,
    )
    assert "the boot count in WELCOME" in done.stdout
    assert (folder / "evt.power-idle.pcapng").read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


@pytest.mark.parametrize("option", ["--json", "--junit", "--html", "--write-baseline"])
def test_a_report_for_a_pipe_that_nobody_reads_is_one_line(option: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    one = ("conform", "device", "--device", "sim://?seed=3", "--case", "frm.bad-crc")
    said = one_line(devicectl(*one, option, tmp_path / "pipe", code=1))
    assert said.startswith(f"devicectl: {option}: cannot write {tmp_path / 'pipe'}: is a pipe that nobody reads")


def test_a_report_goes_whole_to_who_reads_the_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with started(["cat", pipe], stdout=subprocess.PIPE) as reader:
        one = ("conform", "device", "--device", "sim://?seed=3", "--case", "frm.bad-crc", "--json", pipe)
        devicectl(*one, code=0)
        assert json.loads(reader.communicate(timeout=patience())[0])["verdict"] == "passed"


@pytest.mark.parametrize("option", ["--baseline", "--claims"])
def test_what_is_known_may_come_from_a_pipe_and_not_without_end(option: str, tmp_path: Path) -> None:
    one = ("conform", "device", "--device", "sim://?seed=3", "--case", "frm.bad-crc", option)
    assert "it has more than 1048576 bytes" in one_line(devicectl(*one, "/dev/zero", code=2))
    os.mkfifo(tmp_path / "pipe")
    assert "nobody has written to it for 10 s" in one_line(devicectl(*one, tmp_path / "pipe", code=2))


def test_two_runs_at_one_device_are_two_hosts() -> None:
    """Neither throws the other's link out; what only one host can do is not among these cases."""
    with serve("--tcp", "127.0.0.1:0", "--seed", "7") as device:
        line = [*DEVICECTL, "conform", "device", "--device", device.urls[0], "--slack", "3000"]
        chosen = ["--case", "frm.bad-*", "--case", "frm.correlation", "--case", "frm.seq", "--case", "frm.longest"]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with started([*line, *chosen], **options) as one, started([*line, *chosen], **options) as other:
            said = [process.communicate(timeout=patience())[0] for process in (one, other)]
            assert (one.returncode, other.returncode) == (0, 0), said
