"""The rule of each command of the procedure, judged by a list written by hand, and the words of a refusal elsewhere."""

import pytest

from firmware_sim.board.states import Event
from firmware_sim.commands.rules import RULES
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import Code, DeviceState, Kind, Lane, Phase
from protocols.language.message import REGISTRY, Message
from tests.unit.firmware_sim.boards import PLAN, Bench, armed, held, numbed, opened
from tests.unit.firmware_sim.memories import Store

S = DeviceState
PROCEDURE = 0x03
"""Page of the procedure's commands."""

MAY = """
SessionOpen: IDLE
AnesthesiaStart: SESSION_OPEN ANESTHESIA_WAIT ANESTHESIA_CONFIRMED
AnesthesiaConfirm: ANESTHESIA_WAIT
Arm: ANESTHESIA_CONFIRMED
Disarm: ARMED PAUSED
Reposition: ARMED
Purge: ARMED
Pause: ARMED
Resume: PAUSED
FaultReset: SAFE FAULT
SessionClose: SESSION_OPEN ANESTHESIA_WAIT ANESTHESIA_CONFIRMED SAFE FAULT LOCKED IDLE
"""
"""Command by command the states in which it is lawful, written by hand from docs/model.md and docs/protocol.md.

STOP is lawful anywhere after the self-test. A command of a cycle judges its own state, since a late one is answered
from memory: it is refused by its rule in a hold alone.
"""

NO_HOLD = set(S) - {S.OFF, S.SELF_TEST, S.SAFE, S.FAULT, S.LOCKED, S.UNKNOWN}
OF_A_CYCLE: set[type[Message]] = {M.Punch, M.Suction, M.Advance, M.Count}
WITHOUT_A_SESSION: set[type[Message]] = {M.SessionOpen, M.Stop, M.FaultReset, M.SessionClose}
JOURNALED: set[type[Message]] = {M.Arm, M.Disarm, M.Purge, M.Pause, M.Resume, M.Stop, M.FaultReset}
"""Those that leave a record that they were carried out and have none of their own."""
NEEDS_ROOM: set[type[Message]] = {M.SessionOpen, M.AnesthesiaStart, M.AnesthesiaConfirm, M.Arm, M.Reposition}
"""E_STORAGE before the journal runs out of room: protocol.md, section 5; PUNCH and PARAM_SET ask for themselves."""
WANTS_16_KIB = {*NEEDS_ROOM, M.Purge}
"""Space in the store, from model.md, "A full disk"; PUNCH and PARAM_SET ask for themselves."""
WANTS_4_KIB: set[type[Message]] = {M.FaultReset, M.SessionClose}


def written() -> dict[str, set[DeviceState]]:
    lines = (line.split(": ") for line in MAY.strip().splitlines())
    found = {name: {DeviceState[state] for state in states.split()} for name, states in lines}
    found["Stop"] = NO_HOLD | {S.SAFE, S.FAULT, S.LOCKED}
    return found | {command.__name__: NO_HOLD for command in OF_A_CYCLE}


def test_every_command_of_the_procedure_has_its_rule() -> None:
    page = {model for (kind, number), model in REGISTRY.items() if kind is Kind.COMMAND and number >> 8 == PROCEDURE}
    assert set(RULES) == page
    assert {command.__name__ for command in page} == set(written())


@pytest.mark.parametrize("command", RULES, ids=lambda command: command.__name__)
def test_a_command_is_lawful_in_the_states_that_are_written_and_in_no_other(command: type[Message]) -> None:
    assert set(RULES[command].states) == written()[command.__name__]


@pytest.mark.parametrize("command", RULES, ids=lambda command: command.__name__)
def test_a_command_needs_what_is_written(command: type[Message]) -> None:
    rule = RULES[command]
    assert rule.command is command
    assert rule.needs_session is (command not in WITHOUT_A_SESSION)
    assert rule.journaled is (command in JOURNALED)
    assert rule.needs_room is (command in NEEDS_ROOM)
    wanted = 16 * 1024 if command in WANTS_16_KIB else 4 * 1024 if command in WANTS_4_KIB else 0
    assert rule.store_room == wanted
    assert (rule.check is not None) is (command in (M.Arm, M.FaultReset))


def test_stop_alone_waits_for_nothing() -> None:
    assert [command for command in RULES if command.LANE is Lane.STOP] == [M.Stop]


# --- the refusal elsewhere ----------------------------------------------------------------------------------


def test_while_the_self_test_fails_it_is_the_reason() -> None:
    bench = Bench()
    bench.board.enter(Event.FAULTED)
    bench.plant.inputs.self_test_failure = "the pressure sensor reads 3 kPa"
    no = bench.refused(PLAN)
    assert (no.code, no.interlock, no.actual) == (Code.E_INTERLOCK, 23, S.FAULT)
    assert no.sentence == "SessionOpen is refused: the self-test fails: the pressure sensor reads 3 kPa"


@pytest.mark.parametrize(
    ("event", "remedy"),
    [
        (Event.MADE_SAFE, "SAFE: FAULT_RESET comes first"),
        (Event.FAULTED, "FAULT: FAULT_RESET comes first"),
        (Event.LOCKED, "LOCKED: only a restart leads out"),
    ],
)
def test_in_a_hold_the_way_out_is_told(event: Event, remedy: str) -> None:
    bench = armed()
    bench.board.enter(event)
    no = bench.refused(M.Disarm())
    assert (no.code, no.interlock, no.actual) == (Code.E_STATE, 0, bench.board.state)
    assert no.sentence == f"Disarm is refused in {remedy}"


def test_in_a_hold_with_an_alarm_the_refusal_is_by_the_interlock_of_the_highest() -> None:
    bench = held()
    bench.board.raise_alarm(A.HOT, bench.now)
    bench.board.raise_alarm(A.LINK_LOST, bench.now)
    no = bench.refused(M.Arm())
    assert (no.code, no.interlock, no.actual) == (Code.E_INTERLOCK, 15, S.SAFE)
    assert no.sentence == "Arm is refused in SAFE (MC-1501): FAULT_RESET comes first"


def test_in_a_hold_an_information_is_not_what_refuses() -> None:
    bench = held()
    bench.board.raise_alarm(A.ANESTHESIA_MISSING, bench.now)
    no = bench.refused(M.Arm())
    assert (no.code, no.interlock, no.actual) == (Code.E_STATE, 0, S.SAFE)
    assert no.sentence == "Arm is refused in SAFE: FAULT_RESET comes first"


@pytest.mark.parametrize("started", [False, True])
def test_arming_before_the_anesthesia_is_confirmed_is_refused_by_interlock_2(started: bool) -> None:
    bench = opened()
    if started:
        bench.said(M.AnesthesiaStart(zone=0, age_s=0, method="cream"), M.AnesthesiaStartDone)
    no = bench.refused(M.Arm())
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 2)
    assert no.sentence == "Arm is refused: anesthesia is not confirmed for every zone that was numbed"


def test_a_command_that_needs_a_session_says_that_there_is_none() -> None:
    no = Bench().refused(M.Arm())
    assert (no.code, no.actual) == (Code.E_STATE, S.IDLE)
    assert no.sentence == "Arm needs an open session; there is none"


def test_a_second_session_is_refused_with_the_number_of_the_open_one() -> None:
    no = numbed().refused(PLAN)
    assert (no.code, no.actual) == (Code.E_STATE, 1)
    assert no.sentence == "session 1 is open: resume or close it first"


def test_where_nothing_else_is_wrong_the_states_that_a_command_needs_are_told() -> None:
    no = numbed().refused(M.Disarm())
    assert (no.code, no.actual) == (Code.E_STATE, S.ANESTHESIA_CONFIRMED)
    assert no.sentence == "Disarm needs ARMED or PAUSED; the device is in ANESTHESIA_CONFIRMED"


def test_a_command_that_needs_no_session_is_not_refused_for_want_of_one() -> None:
    assert Bench().refused(M.FaultReset()).sentence == "FaultReset needs SAFE or FAULT; the device is in IDLE"


def test_of_many_states_three_are_told() -> None:
    bench = armed()
    no = bench.refused(bench.close())
    told = "SESSION_OPEN or ANESTHESIA_WAIT or ANESTHESIA_CONFIRMED"
    assert no.sentence == f"SessionClose needs {told}; the device is in ARMED"


# --- room ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [M.Arm(), M.AnesthesiaStart(zone=0, age_s=0, method="cream")])
def test_what_begins_something_is_refused_before_the_journal_runs_out_of_room(command: Message) -> None:
    bench = numbed()
    while bench.nvm.free >= 64:
        head = bench.nvm.head
        bench.nvm.append(R.Boot(event_no=head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
    no = bench.refused(command)
    assert (no.code, no.expected, no.actual) == (Code.E_STORAGE, 64, 63)
    assert bench.board.state is S.ANESTHESIA_CONFIRMED


def test_arm_of_a_cartridge_that_may_not_be_used_leaves_no_record_of_having_acted() -> None:
    bench = numbed()
    bench.plant.cartridge.sterile = False
    head = bench.nvm.head
    assert bench.refused(M.Arm()).interlock == 11
    assert [type(record) for record in bench.records(head)] == [R.AlarmChanged]


def test_what_ends_something_wants_less_of_a_full_store_than_what_begins_it() -> None:
    store = Store()
    bench = held(store=store)
    store.reserved.clear()
    bench.said(bench.close(), M.SessionCloseDone)
    assert store.reserved == [4 * 1024]
    bench.said(M.FaultReset(), M.FaultResetDone)
    store.full = True
    no = bench.refused(PLAN)
    assert no.code is Code.E_STORAGE and bench.nvm.session is None
