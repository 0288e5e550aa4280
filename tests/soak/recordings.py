"""Recordings of every program that makes one, made in one process and executed again in another.

    python -m tests.soak.recordings make FOLDER 200 1     so many, from seed 1 on
    python -m tests.soak.recordings replay FOLDER         each again; prints the figures, and exits 1 if one differs

Law: any Python that has the package's dependencies takes either command.
"""

import json
import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from devicectl.campaign.many.campaign import Campaign
from devicectl.campaign.many.trials import Trials
from devicectl.campaign.many.usual import USUAL_PROFILE
from devicectl.campaign.replay import ReplayError, replay
from devicectl.campaign.shrinking.save import encode_scenario
from handpiece_shell.recording_file import read_recording
from protocols.capture.packet import CaptureError
from tests.e2e.sessions import PARAMETERS, QUERY
from tests.patience import patience
from tests.programs import environment, firmware_sim, serve

CYCLES: Final = 6
LINES: Final = ("sim://?anesthesia_wait_s=1", f"sim://?{QUERY}", "sim://?anesthesia_wait_s=1&baud=9600")
"""Devices of a plain run."""
FAULTS: Final = (
    {"fault": "jitter", "when": 'frame("PUNCH", 1)', "most_ms": 4, "for_ms": 9_000},
    {"fault": "drop", "when": 'frame("COUNT_DONE", 1)', "direction": "device"},
    {"fault": "brown_out", "when": 'cycle == 2 and phase == "suction"', "for_ms": 100},
    {"fault": "flip", "when": 'frame("COUNT", 2)', "bits": 2},
)
"""Faults of a served device that a host gets over."""
AT_ONCE: Final = 4
"""Sessions in real time that are held beside each other: each waits most of its time."""


def _campaign(file: Path, seed: int) -> None:
    with Trials() as trials:
        file.write_bytes(encode_scenario(Campaign(USUAL_PROFILE, 1, CYCLES, seed).scenario(seed), trials))


def _run(file: Path, seed: int) -> None:
    device = LINES[seed % len(LINES)]
    done = subprocess.run(
        [*_host(file), "--device", device, "--seed", str(seed), "--record", file],
        capture_output=True,
        text=True,
        timeout=patience(),
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _serve(file: Path, seed: int) -> None:
    with serve("--tcp", "127.0.0.1:0", "--record", str(file), "--seed", str(seed), *PARAMETERS) as device:
        line = [*_host(file), "--device", device.urls[0]]
        subprocess.run(line, capture_output=True, timeout=patience(), env=environment(), check=True)
        assert device.stop() == 0


def _exec(file: Path, seed: int, *options: str) -> None:
    line = ("--record", str(file), "--seed", str(seed), *PARAMETERS, *options)
    done = firmware_sim("exec", *line, "--", *_host(file))
    assert done.returncode == 0, done.stderr


def _exec_under_faults(file: Path, seed: int) -> None:
    scenario = Path(f"{file}.yaml")
    scenario.write_text(json.dumps({"faults": FAULTS}), encoding="utf-8")
    _exec(file, seed, "--scenario", str(scenario))


def _host(file: Path) -> list[str]:
    return [sys.executable, "-P", "-m", "devicectl", "run", "--target-cores", "6", "--log", f"{file}.sqlite"]


MAKERS: Final[tuple[Callable[[Path, int], None], ...]] = (
    *(_campaign, _run, _campaign, _serve),
    *(_campaign, _run, _exec, _exec_under_faults),
)
"""Makers of eight recordings that follow each other."""


def make(folder: Path, count: int, first_seed: int) -> None:
    """Make `count` recordings in a folder, one a seed."""
    folder.mkdir(exist_ok=True)

    def one(number: int) -> None:
        maker = MAKERS[number % len(MAKERS)]
        maker(folder / f"{number:04}{maker.__name__}.pcapng", first_seed + number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(one, range(count)):  # which raises what a maker has raised
            pass


def replay_all(folder: Path) -> list[str]:
    """Execute each recording of a folder again, and print the figures; what differs, as sentences."""
    made: Counter[tuple[str, str]] = Counter()
    packets, wrong = 0, []
    for path in sorted(folder.glob("*.pcapng")):
        with read_recording(str(path)) as capture:
            comment = capture.comment
            made[str(comment["program"]), str(comment["versions"]["python"])] += 1
            try:
                replayed = replay(capture)
            except (CaptureError, ReplayError) as error:
                wrong.append(f"{path.name}: {error}")
                continue
        packets += replayed.packets
        if replayed.difference is not None:
            wrong.append(f"{path.name}: {replayed.difference}")
    for (program, python), count in made.items():
        print(f"{count} of {program}, made by Python {python}")
    print(f"{packets:,} packets, executed again by Python {platform.python_version()}: {len(wrong)} recordings differ")
    return wrong


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        sys.exit("\n".join(replay_all(Path(sys.argv[2]))) or 0)
