"""Cases of power and memory: power that is lost at rest, in a session or a cycle, writes that are, and a full disk."""

from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import case
from devicectl.conformance.device.cases.faults import broken, mended, vacuum_stands
from devicectl.conformance.device.cases.journals import (
    close_by_records,
    cycle_records,
    head_of,
    listed_alarms,
    records_from,
)
from devicectl.conformance.device.checks import equal, refused, true
from devicectl.conformance.device.ground import OFF_MS, Ground, Stage
from devicectl.conformance.device.link import ANSWER_MS
from devicectl.conformance.device.probe import Steps
from devicectl.conformance.device.standing import NEXT_PHASE
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmState, Code, Ending, NeedleOutcome, Phase
from protocols.language.enums import DeviceState as S
from protocols.language.interlocks import LINK, POWER
from protocols.language.message import Message

_BEHIND: Final = {1: Phase.SUCTION, 2: Phase.ADVANCE}
"""Phases behind PUNCH that are done -> the last of them."""
LOST_MS: Final = 200
"""Time in which a write that loses the power comes."""
FULL_FOR_MS: Final = 60_000
LINKS: Final = 3
"""Links before a loss of power."""


def _at_rest(ground: Ground) -> Steps[None]:
    before = ground.link.welcome.boot_count
    head = yield from head_of(ground)
    yield from ground.power_cycle()
    yield from ground.reach(Stage.LINKED)
    equal("the boot count in WELCOME", before + 1, ground.link.welcome.boot_count)
    boots = [one for one in (yield from records_from(ground, head)) if isinstance(one, R.Boot)]
    equal("boots in the journal", [(before + 1, 0)], [(one.boot_count, one.open_cycle_no) for one in boots])


def _links_go_on(ground: Ground) -> Steps[None]:
    """Link some times, and see that none of their numbers is given again after a loss of power."""
    given = [ground.link.link_id]
    for _ in range(LINKS - 1):
        given.append((yield from ground.open_link()).link_id)
    yield from ground.power_cycle()
    yield from ground.reach(Stage.LINKED)
    true("the link id after a loss of power", ground.link.link_id not in given, f"none of {given}", ground.link.link_id)


def _session_is_held(ground: Ground) -> Steps[None]:
    session_no = ground.session_no
    yield from ground.power_cycle()
    yield from ground.reach(Stage.LINKED)
    equal("session and state in WELCOME", (session_no, S.SAFE), (ground.session_no, ground.state))


def _alarm_stays(ground: Ground) -> Steps[None]:
    """Leave an armed device: its latched alarm is there after a loss of power, and goes by FAULT_RESET."""
    ground.leave(ground.link)
    yield from ground.reach(Stage.LINKED)
    before = {(one.code, one.state) for one in (yield from listed_alarms(ground)) if one.interlock == LINK}
    true("the alarm of the lost link", {state for _, state in before} == {AlarmState.LATCHED}, "LATCHED", before)
    yield from ground.power_cycle()
    yield from ground.reach(Stage.LINKED)
    after = {(one.code, one.state) for one in (yield from listed_alarms(ground)) if one.interlock == LINK}
    equal("the alarm of the lost link after a loss of power", before, after)
    yield from ground.reach(Stage.OPEN)
    left = [one.code for one in (yield from listed_alarms(ground)) if one.interlock == LINK]
    equal("alarms of the lost link after FAULT_RESET", [], left)


# --- in a cycle ---------------------------------------------------------------------------------------------------


def _behind_suction(ground: Ground) -> Steps[None]:
    yield from ground.begin_cycle()
    yield from ground.next_phase()
    head = yield from head_of(ground)
    yield from ground.power_cycle()
    yield from cycle_was_cut(ground, head, Phase.SUCTION)


def _in_the_stroke(ground: Ground) -> Steps[None]:
    """Cut the power half-way through PUNCH, or behind it where the way to the switch takes longer."""
    head = yield from head_of(ground)
    punch, asked = ground.punch(), ground.probe.now
    used = ground.link.command(punch)
    heard = yield from ground.probe.wait("RECEIVED of PUNCH", lambda one: one.header.correlation_id == used, ANSWER_MS)
    if not isinstance(heard.message, M.Received):  # as where the suction has to recover first
        yield from ground.begin_cycle()
    else:
        yield from ground.probe.pause(heard.message.expected_ms / 2 - (ground.probe.now - asked) / 1_000)
        ground.cycle_no = punch.cycle_no
    yield from ground.power_cycle()
    yield from cycle_was_cut(ground, head, Phase.PUNCH)


def cycle_was_cut(ground: Ground, head: int, shown: Phase) -> Steps[None]:
    """See what a device that has lost its power in a cycle makes of it; `shown` is the phase that it has told of."""
    cycle_no = ground.cycle_no
    yield from ground.reach(Stage.LINKED)
    equal("the state after the boot", S.SAFE, ground.state)
    equal("the last cycle in WELCOME", cycle_no, ground.link.welcome.cycle_no)
    records = yield from records_from(ground, head)
    boots = [(one.open_cycle_no, one.phase) for one in records if isinstance(one, R.Boot)]
    equal("cycles that the boot found open", [cycle_no], [number for number, _ in boots])
    true("the phase that the boot found it in", boots[0][1] >= shown, f"{shown.name} or later", boots[0][1])
    found = yield from cycle_records(ground, cycle_no)
    ends = [one.ending for one in found]
    true(f"endings of cycle {cycle_no}", ends in ([Ending.ABORTED], [Ending.AMBIGUOUS]), "one, not COMPLETED", ends)
    outcomes = R.unpack_outcomes(found[0].outcomes, found[0].needles)
    true("needles of a stroke that was begun", NeedleOutcome.NOT_PUNCTURED not in outcomes, "punctured", outcomes)
    alarms = [one.state for one in records if isinstance(one, R.AlarmChanged) and one.interlock == POWER]
    true("the alarm of the boot", AlarmState.LATCHED in alarms, "LATCHED", alarms)
    yield from ground.reach(Stage.NUMB)
    no = refused((yield from ground.ask(ground.punch(cycle_no=cycle_no + 50))), Code.E_CYCLE_GAP)
    equal("the number of the next cycle", cycle_no + 1, no.expected)


# --- memory -------------------------------------------------------------------------------------------------------


def _latch_is_lost(ground: Ground) -> Steps[None]:
    """Lose the power in a stroke, and the latch with it: its needles count, and the session closes on that."""
    yield from vacuum_stands(ground)
    yield from broken(ground, "latch_unreadable", when='phase == "punch"')
    cycle_no = ground.cycle_no + 1
    yield from _until_power_is_back(ground, ground.punch())
    found = yield from cycle_records(ground, cycle_no)
    equal(f"records of cycle {cycle_no}", 1, len(found))
    ground.restore.clear()
    outcomes = R.unpack_outcomes(found[0].outcomes, found[0].needles)
    true(
        "needles of a stroke of which nobody knows", NeedleOutcome.NOT_PUNCTURED not in outcomes, "punctured", outcomes
    )
    yield from close_by_records(ground)


def _until_power_is_back(ground: Ground, command: Message) -> Steps[None]:
    """Give a command in which the power is lost, and link with the device again."""
    ground.link.command(command)
    yield from ground.probe.pause(LOST_MS, channel=-1)
    ground.placed = False
    yield from ground.close_channel(0)
    yield from ground.probe.pause(OFF_MS, channel=-1)
    yield from ground.reach(Stage.LINKED)


def _write_is_lost(ground: Ground, phases: int) -> Steps[None]:
    """Lose the power at the first write behind DONE, with all that is not on the medium: what DONE has shown stands."""
    yield from ground.begin_cycle()
    for _ in range(phases):
        yield from ground.next_phase()
    head = yield from head_of(ground)
    yield from broken(ground, "lost_write")
    command, number = NEXT_PHASE[ground.state], ground.cycle_no
    last = M.Advance(cycle_no=number, steps=1) if command is M.Advance else command(cycle_no=number)
    yield from _until_power_is_back(ground, last)
    ground.restore.clear()
    yield from cycle_was_cut(ground, head, _BEHIND[phases])


def _session_is_kept(ground: Ground) -> Steps[None]:
    """Lose the power at the first write behind SESSION_OPEN's DONE: the session is there."""
    yield from ground.do(ground.plan())
    session_no = ground.session_no
    yield from broken(ground, "lost_write")
    yield from _until_power_is_back(ground, M.AnesthesiaStart(zone=0, age_s=0, method="conformance"))
    ground.restore.clear()
    equal("session and state in WELCOME", (session_no, S.SAFE), (ground.session_no, ground.state))


def _disk_is_full(ground: Ground) -> Steps[None]:
    """Fill the memory's disk in a cycle: it goes to its end, nothing new begins, and what is done is not used up."""
    yield from ground.begin_cycle()
    clear = yield from broken(ground, "disk_full", FULL_FOR_MS)
    while ground.state in NEXT_PHASE:
        yield from ground.next_phase()
    yield from vacuum_stands(ground)
    refused((yield from ground.ask(ground.punch())), Code.E_STORAGE)
    refused((yield from ground.ask(M.Reposition(zone=0, cell=1))), Code.E_STORAGE)
    yield from ground.look()
    equal("the state afterwards", S.ARMED, ground.state)
    yield from ground.do(M.Disarm())
    refused((yield from ground.ask(M.Arm())), Code.E_STORAGE)
    yield from mended(ground, clear)
    yield from ground.reach(Stage.ARMED)
    yield from ground.begin_cycle()


def _cases() -> list[Case]:
    power, placed = Need.POWER, Stage.PLACED
    of_a_cycle = "EVT-15 EVT-1 EVT-18 EVT-19 EVT-21 CYC-1"
    return [
        case(
            "harm.session",
            "a write that is lost behind SESSION_OPEN",
            "EVT-18 EVT-22",
            _session_is_kept,
            Need.FAULTS,
            stage=Stage.IDLE,
        ),
        case("evt.power-idle", "a loss of power at rest", "EVT-15 CMD-24", _at_rest, power, stage=Stage.IDLE),
        case("lnk.power", "link ids go on after a loss of power", "LNK-3", _links_go_on, power, stage=Stage.IDLE),
        case(
            "evt.power-session",
            "a loss of power in a session",
            "EVT-18 EVT-22",
            _session_is_held,
            power,
            stage=Stage.OPEN,
        ),
        case("evt.power-alarm", "a loss of power with an alarm", "EVT-20", _alarm_stays, power, stage=Stage.ARMED),
        case("evt.power-stroke", "a loss of power in a stroke", of_a_cycle, _in_the_stroke, power, stage=placed),
        case("evt.power-suction", "a loss of power behind SUCTION", of_a_cycle, _behind_suction, power, stage=placed),
        *(
            case(
                f"harm.write-{phase.name.lower()}",
                f"a write that is lost behind {phase.name}",
                "EVT-18 EVT-15",
                partial(_write_is_lost, phases=number),
                Need.FAULTS,
                stage=placed,
            )
            for number, phase in _BEHIND.items()
        ),
        case("harm.disk-full", "a full disk in a cycle", "EVT-23", _disk_is_full, Need.FAULTS, stage=placed),
        case(
            "harm.latch",
            "power and latch are lost in a stroke",
            "EVT-19 EVT-12",
            _latch_is_lost,
            Need.FAULTS,
            stage=placed,
        ),
    ]


CASES: Final = tuple(_cases())
