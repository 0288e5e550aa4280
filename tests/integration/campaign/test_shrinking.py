"""Shrinking of real sessions on a broken host: its smallest list of faults, two recordings, and their replay."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devicectl.campaign.many.trials import Trials
from devicectl.campaign.replay import replay
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.shrinking.save import encode_scenario, shrink_trial
from devicectl.campaign.shrinking.shrink import Shrunk
from devicectl.log.store import SessionLog
from devicectl.session.entries import Batch, Note, StoredSession
from firmware_sim.faults.fault import declare
from handpiece_shell.recording_file import read_recording
from tests.unit.devicectl.campaign.trials import CORES, a_scenario

FAULTS = (
    declare("drop", 'at("0 s")', share=0.1, pieces=0, for_ms=8_000),
    declare("mute", 'cycle == 2 and phase == "suction"', for_ms=300),
    declare("host_crash", 'cycle == 3 and phase == "suction"'),
    declare("reboot", 'cycle == 5 and phase == "punch"'),
    declare("duplicate", 'frame("COUNT", 4)', pieces=3),
)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that loses the last record of each batch after a session of it was resumed."""
    resumed: set[int] = set()
    find, store, clear = SessionLog.find, SessionLog.store, SessionLog.clear

    def found(log: SessionLog, device: str, epoch: int, session_no: int) -> StoredSession | None:
        resumed.add(id(log))
        return find(log, device, epoch, session_no)

    def stored(log: SessionLog, key: int, batch: Batch, notes: tuple[Note, ...] = ()) -> None:
        if id(log) in resumed and batch.records:
            batch = Batch(
                epoch=batch.epoch,
                first_event_no=batch.first_event_no,
                next_event_no=batch.next_event_no,
                records=batch.records[:-1],
            )
        store(log, key, batch, notes)

    def cleared(log: SessionLog) -> None:
        resumed.discard(id(log))
        clear(log)

    monkeypatch.setattr(SessionLog, "find", found)
    monkeypatch.setattr(SessionLog, "store", stored)
    monkeypatch.setattr(SessionLog, "clear", cleared)


@pytest.fixture
def trials() -> Iterator[Trials]:
    with Trials() as trials:
        yield trials


def shrunk(scenario: Scenario, trials: Trials) -> Shrunk:
    trial = trials.run(scenario)
    assert trial.verdict.breaches
    return shrink_trial(trial, trials)


def test_of_many_faults_the_one_that_shows_the_defect_is_left(forgetful: None, trials: Trials) -> None:
    found = shrunk(a_scenario(*FAULTS), trials)
    assert [fault.kind.name for fault in found.scenario.faults] == ["host_crash"]
    assert found.scenario.faults[0].text.startswith('at("'), "it began by a state, and is kept at that time"
    assert found.scenario.plan.target_cores < CORES
    again = trials.run(found.scenario).verdict
    assert again.failure == found.failure and not again.unfired
    assert found.nearest is not None
    assert trials.run(found.nearest).verdict.good


def test_both_recordings_replay_to_the_packet(forgetful: None, trials: Trials, tmp_path: Path) -> None:
    found = shrunk(a_scenario(*FAULTS[1:3]), trials)
    assert found.nearest is not None
    for scenario, word in ((found.scenario, "wrong"), (found.nearest, "right")):
        path = tmp_path / f"{word}.pcapng"
        path.write_bytes(encode_scenario(scenario, trials))
        with read_recording(str(path)) as capture:
            replayed = replay(capture)
        assert replayed.difference is None
        assert replayed.verdict in (word, "unmet")
