"""`devicectl run` at a device that is no simulator, as a process of its own."""

from pathlib import Path

from protocols.text.notice import NOTICE
from tests.e2e.processes import devicectl, one_line
from tests.programs import hardware_served

QUICK = ("--param", "anesthesia_wait_s=0", "--param", "reposition_mean_s=0.01")


def test_a_device_that_is_no_simulator_is_refused_and_named_until_it_is_allowed(tmp_path: Path) -> None:
    with hardware_served(tmp_path, "--seed", "7", *QUICK) as url:
        line = ("run", "--device", url, "--log", str(tmp_path / "log.sqlite"), "--target-cores", "6")
        refused = devicectl(*line, code=3)
        assert "SIM-00000007 is no simulator" in one_line(refused) and "--allow-hardware" in one_line(refused)
        assert "SIM-00000007 is HARDWARE: it is no simulator" in refused.stdout.splitlines()
        assert "session 1" not in refused.stdout
        for held in ("--abandon", "--resume"):
            devicectl(
                "run",
                "--device",
                url,
                "--log",
                str(tmp_path / "log.sqlite"),
                held,
                code=0 if held == "--abandon" else 1,
            )
        done = devicectl(*line, "--allow-hardware", code=0)
        assert done.stdout.startswith(NOTICE)
        assert "SIM-00000007 is HARDWARE: it is no simulator" in done.stdout.splitlines()
        shown = devicectl("sessions", "show", "1", "--log", str(tmp_path / "log.sqlite"), code=0)
        assert "simulated\tno, seed -" in shown.stdout
