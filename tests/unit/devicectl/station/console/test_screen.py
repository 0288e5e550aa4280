"""The controller's screen: what it shows, and the evidence that each change of it is."""

import pytest

from devicectl.errors import CommandFailedError, CommandRefusedError
from devicectl.session.entries import Note
from devicectl.session.machine import State
from devicectl.station.console.screen import MAX_MESSAGES, SILENCE_US, Screen, ShownCell
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, Code, DeviceState
from protocols.language.units import SECOND, Micros


class Shown:
    """A screen at a time that the test sets, and the evidence that it has given."""

    def __init__(self) -> None:
        self.now = Micros(0)
        self.evidence: list[tuple[str, str, int]] = []
        self.screen = Screen(lambda: self.now, self.see)

    def see(self, kind: str, name: str = "", number: int = 0) -> None:
        self.evidence.append((kind, name, number))

    @property
    def words(self) -> list[str]:
        return [message.words for message in self.screen.messages]


@pytest.fixture
def shown() -> Shown:
    return Shown()


def an_alarm(state: AlarmState, code: int = 401) -> M.Alarm:
    return M.Alarm(
        code=code, interlock=4, priority=AlarmPriority.HIGH, state=state, uptime_ms=9, sentence="The vacuum is low."
    )


def a_note(name: str, detail: str = "", kind: str = "warning") -> Note:
    return Note(kind, 0, name, detail, None)  # type: ignore[arg-type]


def test_an_alarm_is_shown_from_when_it_came_until_it_is_over(shown: Shown) -> None:
    shown.now = Micros(5)
    shown.screen.told(an_alarm(AlarmState.ACTIVE))
    shown.now = Micros(7)
    shown.screen.told(an_alarm(AlarmState.LATCHED))
    alarm = shown.screen.alarms[401]
    assert (alarm.state, alarm.since_us, alarm.sentence) == (AlarmState.LATCHED, 5, "The vacuum is low.")
    shown.screen.told(an_alarm(AlarmState.INACTIVE))
    assert not shown.screen.alarms
    shown.screen.told(an_alarm(AlarmState.ACTIVE))
    assert shown.evidence == [("alarm", "MC-0401", 0), ("alarm_over", "MC-0401", 0), ("alarm", "MC-0401", 0)]
    assert shown.words == ["MC-0401 The vacuum is low."] * 2


def test_alarms_that_a_device_no_longer_lists_are_over(shown: Shown) -> None:
    for code in (401, 601):
        shown.screen.told(an_alarm(AlarmState.ACTIVE, code))
    shown.screen.show_only({601})
    assert set(shown.screen.alarms) == {601} and shown.evidence[-1] == ("alarm_over", "MC-0401", 0)


def test_an_alarm_that_was_never_shown_ends_without_evidence(shown: Shown) -> None:
    shown.screen.told(an_alarm(AlarmState.INACTIVE))
    assert not shown.evidence


def test_measurements_are_shown_while_there_is_a_link(shown: Shown) -> None:
    telemetry = M.TelemetryState(
        uptime_ms=1,
        state=DeviceState.ARMED,
        depth_um=0,
        vacuum_pa=-60_000,
        temperature_mk=300_000,
        canister_ul=9,
        cartridge_cycles=5,
        cell=0,
        flagged=0,
    )
    shown.screen.link()
    shown.screen.told(telemetry)
    assert shown.screen.telemetry == telemetry
    shown.screen.noted(a_note("link_lost", "the cable was pulled"))
    assert shown.screen.telemetry is None and not shown.screen.linked
    shown.screen.link()
    assert shown.evidence == [("link_back", "", 0), ("link_lost", "", 0), ("link_back", "", 0)]
    assert shown.words == ["the link is lost: the cable was pulled"]


def test_states_are_evidence_and_those_of_a_cycle_are_its_phases(shown: Shown) -> None:
    for before, after in ((State.ARMED, State.PUNCHING), (State.PUNCHING, State.SUCTIONING)):
        shown.screen.changed(before, after, Micros(after is State.SUCTIONING))
    assert shown.screen.phase == (1, 1, "suction", 0)
    shown.screen.changed(State.SUCTIONING, State.ARMED, Micros(2))
    assert shown.screen.phase == (2, 0, "none", 0)
    assert shown.evidence == [("state", name, 0) for name in ("punching", "suctioning", "armed")]


def test_a_refusal_is_evidence_with_its_interlock_and_a_failure_is_not(shown: Shown) -> None:
    refused = M.Refused(code=Code.E_INTERLOCK, interlock=8, expected=48, actual=48, sentence="This cell is full.")
    shown.screen.answered(CommandRefusedError(M.Purge(), refused))
    failed = M.Failed(code=Code.E_INTERLOCK, interlock=16, alarm_code=1601, sentence="The motor stalled.")
    shown.screen.answered(CommandFailedError(M.Purge(), failed))
    assert shown.evidence == [("refusal", "E_INTERLOCK", 8)]
    assert [message.kind for message in shown.screen.messages] == ["refusal", "note"]
    assert shown.words == ["Purge: This cell is full. (interlock 8)", "Purge: The motor stalled. (interlock 16)"]


def test_cores_are_evidence_when_there_are_more(shown: Shown) -> None:
    shown.screen.total(3, 1)
    shown.screen.total(3, 2)
    shown.screen.total(5, 3)
    assert shown.evidence == [("cores", "", 3), ("cores", "", 5)] and shown.screen.cycles == 3


def test_a_cell_shows_what_it_has_had_and_what_it_still_takes(shown: Shown) -> None:
    shown.screen.arrived((1, 4), 16)
    shown.screen.worked((1, 4), 15)
    shown.screen.worked((1, 4), 14)
    shown.screen.arrived((1, 4), 14)
    assert shown.screen.cells == {(1, 4): ShownCell(2, 14)}
    assert shown.evidence == [("cell", "", 1), ("cell", "", 1)]


def test_the_sound_is_paused_for_two_minutes(shown: Shown) -> None:
    assert shown.screen.silent_until is None
    shown.now = Micros(3 * SECOND)
    shown.screen.silence()
    assert shown.screen.silent_until == 3 * SECOND + SILENCE_US
    shown.now = Micros(3 * SECOND + SILENCE_US)
    assert shown.screen.silent_until is None


def test_the_latest_lines_are_kept_and_numbered_from_one(shown: Shown) -> None:
    for number in range(MAX_MESSAGES + 5):
        shown.screen.say("note", f"line {number}")
    numbers = [message.no for message in shown.screen.messages]
    assert numbers == list(range(6, MAX_MESSAGES + 6))


def test_a_warning_of_the_host_is_shown_and_its_other_notes_are_not(shown: Shown) -> None:
    shown.screen.noted(a_note("held", "the handpiece is in SAFE"))
    shown.screen.noted(a_note("pause", kind="action"))
    assert shown.words == ["the handpiece is in SAFE"]
