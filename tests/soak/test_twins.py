"""Twins: a device with a defect is named as a divergence, and one without gives none, whatever its seed and plan."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from firmware_sim.twin.conversation import read_conversation
from firmware_sim.twin.profile import Profile
from firmware_sim.twin.twin import Twin, compare, lines
from firmware_sim.twin_program import read_profile
from protocols.capture.reader import read_capture
from tests.architecture.tree import ROOT
from tests.patience import patience
from tests.soak.mutants.mutant import Mutant
from tests.soak.mutants.runner import MUTANTS, misplaced
from tests.soak.twins.probe import PARAMETERS, probe
from tests.soak.twins.sessions import record_session

NAMED: Final = {
    "a PUNCH that is refused has used up its number": "Refused.code is E_STATE in the recording, E_RANGE in the twin",
    "PUNCH is done before the needles are home": "Alarm.code is 101 in the recording",
    "COUNT answers one core too many": "CountDone.cores_counted is 3 in the recording, 2 in the twin",
    "COUNT's answer has the cores of the session before the cycle": "CountDone.total_cores_counted is 0 in the record",
    "a core that the sensor did not see is counted": "CountDone.cores_counted is 2 in the recording, 3 in the twin",
    "an aborted cycle is counted as completed": "Alarm was recorded, the twin says nothing more",
    "a cell's density grows by one a cycle": "CountDone.cell_punctures is 1 in the recording, 3 in the twin",
    "the totals of a close are those before it": "SessionCloseDone.cores_counted is",
    "a stop does not vent": "ArmDone.vacuum_pa is",
    "a lost link is no matter between two motions": "Welcome.journal_head is",
    "a lost link raises no alarm": "Welcome.journal_head is",
    "STOP stops a motion and nothing else": "StopDone.state is ARMED in the recording, SAFE in the twin",
    "STOP needs control": "Refused was recorded, StopDone was found",
    "a cell takes one cycle more than its plan": "RepositionDone.cycles_left is 17 in the recording, 16 in the twin",
    "an armed device keeps the long lease": "ArmDone.vacuum_pa is",
    "an alarm is told and not journaled": "Heartbeat.journal_head is",
    "an alarm without a latch is latched": "Alarm.state is LATCHED in the recording, INACTIVE in the twin",
    "a cleared alarm is not noted": "Alarm.code is 701 in the recording, 802 in the twin",
    "a viewer's acknowledgement moves the tail": "JournalAckDone was recorded, Refused was found",
    "the tail is where the journal was read to": "JournalPage.tail is",
    "a page begins one record late": "JournalPage.first is 2 in the recording, 1 in the twin",
    "a command that comes again is carried out again": "Refused was recorded, the twin says nothing more",
    "an answer that is given again does not say so": "PunchDone was recorded, the twin says nothing more",
    "no answer is remembered": "Refused was recorded, the twin says nothing more",
    "the window of answers is off by one and forgets the newest": "Refused was recorded, the twin says nothing more",
    "a late command is carried out": "PauseDone was recorded, Refused was found",
    "spoiled frames renew the lease": "Heartbeat.state is PUNCHING in the recording, SAFE in the twin",
    "frames of another link are taken": "EchoDone was recorded, Nak was found",
    "the lease is twenty times as long": "Heartbeat.state is ARMED in the recording",
    "the lease does not run while nothing was heard yet": "Nak was recorded, the twin says nothing more",
    "the heartbeat is ten times as slow": "heartbeats: ",
    "BYE is passed over": "ArmDone.vacuum_pa is",
    "the checksum is not looked at": "EchoDone was recorded, the twin says nothing more",
}
"""Mutant whose change a host can see on a line without faults -> part of the divergence that it is named by."""
QUICK: Final = (
    "COUNT answers one core too many",
    "STOP needs control",
    "a page begins one record late",
    "a late command is carried out",
    "the heartbeat is ten times as slow",
)
LEAST: Final = 20
STRANGER: Final = 99_000
"""Seeds of twins from here on are none of the recorded devices'."""
ALL: Final = 200
FEW: Final = 6
MIN_COMMANDS: Final = 25
MIN_ANSWERS: Final = 35
"""Of a session that chance has ended in its first zone, which happens to some; the longest ones have a thousand."""
MIN_IN_ALL: Final = 40_000
"""Commands of all recordings together."""


def twin_of(recording: bytes, seed: int | None, **parameters: float) -> Twin:
    """The twin of a recording, with a device of another seed."""
    own = Profile.model_validate({"device": {"seed": seed, "parameters": parameters}})
    return compare(read_conversation(read_capture(io.BytesIO(recording).read)), own.over(read_profile(None)))


def recorded(mutant: Mutant, folder: Path) -> bytes:
    """A probe of a device with one defect, recorded in a process of its own."""
    path = folder / "probe.pcapng"
    done = subprocess.run(
        [sys.executable, "-B", "-m", "tests.soak.twins.mutated", str(path)],
        input=json.dumps([mutant.file, mutant.text, mutant.replacement]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return path.read_bytes()


def _check(name: str, folder: Path) -> None:
    (mutant,) = (one for one in MUTANTS if one.name == name)
    twin = twin_of(recorded(mutant, folder), STRANGER, **PARAMETERS)
    assert twin.verdict == "diverges" and twin.aligned.divergence is not None
    assert NAMED[name] in twin.aligned.divergence.reason


def _same(number: int) -> int:
    """Hold a recording against twins of its own seed and of another; returns its commands."""
    recording = record_session(number)
    own, other = (twin_of(recording, seed) for seed in (None, STRANGER + number))
    for twin in (own, other):
        assert twin.verdict == "same", "\n".join(lines(twin))
    assert own.aligned.commands == other.aligned.commands > MIN_COMMANDS
    assert own.aligned.answers == other.aligned.answers > MIN_ANSWERS
    return own.aligned.commands


@pytest.mark.parametrize("seed", [7, STRANGER])
def test_the_probe_of_a_device_without_a_defect_gives_no_divergence(seed: int) -> None:
    twin = twin_of(probe().file(), seed, **PARAMETERS)
    assert twin.verdict == "same", "\n".join(lines(twin))
    assert twin.aligned.commands > 250 and twin.aligned.unasked > 10 and twin.aligned.heartbeats > 250


def test_each_of_so_many_mutants_is_one_that_there_is() -> None:
    assert len(NAMED) >= LEAST and set(QUICK) <= set(NAMED)
    named = [one for one in MUTANTS if one.name in NAMED]
    assert len(named) == len(NAMED) and not misplaced(named)


@pytest.mark.parametrize("name", QUICK)
def test_a_device_with_a_defect_is_named(name: str, tmp_path: Path) -> None:
    _check(name, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("name", sorted(set(NAMED) - set(QUICK)))
def test_each_device_with_a_defect_is_named(name: str, tmp_path: Path) -> None:
    _check(name, tmp_path)


@pytest.mark.parametrize("number", range(FEW))
def test_a_device_without_a_defect_gives_no_divergence(number: int) -> None:
    _same(number)


@pytest.mark.nightly
@pytest.mark.timeout(1_800)
def test_no_device_without_a_defect_gives_a_divergence() -> None:
    assert sum(_same(number) for number in range(FEW, ALL)) > MIN_IN_ALL


def test_a_mutant_that_changes_nothing_of_the_probe_is_not_named(tmp_path: Path) -> None:
    same = Mutant("none", "firmware_sim/commands/cycle.py", "_ARMED: Final = DeviceState.ARMED", "_ARMED: Final = "
                  "DeviceState.ARMED  # as it was", "")  # fmt: skip
    assert twin_of(recorded(same, tmp_path), STRANGER, **PARAMETERS).verdict == "same"
