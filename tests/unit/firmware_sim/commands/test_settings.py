"""PARAM_SET and ALARM_ACK, one fact at a time: what each changes, keeps and refuses."""

import pytest

from firmware_sim.commands.settings import SETTINGS
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmState, Code, Phase
from protocols.language.message import Message
from protocols.language.messages import Refused
from tests.unit.firmware_sim.boards import Bench, armed
from tests.unit.firmware_sim.memories import Store

NAME = "trigger_required"


def answer(bench: Bench, command: Message) -> Message:
    return SETTINGS[type(command)](bench.board, command, bench.now)


def refused(bench: Bench, command: Message) -> Refused:
    said = answer(bench, command)
    assert isinstance(said, Refused), said
    return said


def a_set(value: float = 1.0, name: str = NAME) -> M.ParamSet:
    return M.ParamSet(name=name, value=value)


# --- PARAM_SET ----------------------------------------------------------------------------------------------


def test_a_parameter_is_set_and_the_change_is_in_the_journal() -> None:
    bench = Bench()
    head = bench.nvm.head
    assert answer(bench, a_set()) == M.ParamSetDone(name=NAME, value=1.0)
    assert bench.parameters.trigger_required == 1
    assert bench.records(head) == [R.ParameterSet(event_no=head, uptime_ms=0, index=59, value=1.0)]


@pytest.mark.parametrize(
    ("name", "value", "code", "says"),
    [
        ("leak_kpa_s", 1.0, Code.E_AUTH, "leak_kpa_s is set at the start of the device, not by a host"),
        (NAME, 2.0, Code.E_RANGE, "trigger_required: 2 is not in 0 to 1 0/1"),
        (
            "lease_armed_ms",
            200.0,
            Code.E_RANGE,
            "lease_armed_ms: 200 is not in 300 to 2000 ms or 0 for off",
        ),
        ("leek", 1.0, Code.E_RANGE, "leek: no such parameter"),
    ],
)
def test_a_parameter_that_may_not_be_set_so_is_refused_and_stays(
    name: str, value: float, code: Code, says: str
) -> None:
    bench = Bench()
    head, values = bench.nvm.head, bench.parameters.hash
    no = refused(bench, a_set(value, name))
    assert (no.code, no.sentence) == (code, says)
    assert (bench.nvm.head, bench.parameters.hash) == (head, values)


def test_no_parameter_is_set_without_room_in_the_journal() -> None:
    bench = Bench()
    while bench.nvm.free >= 64:
        head = bench.nvm.head
        bench.nvm.append(R.Boot(event_no=head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
    no = refused(bench, a_set())
    assert (no.code, no.expected, no.actual) == (Code.E_STORAGE, 64, 63)
    assert bench.parameters.trigger_required == 0


def test_no_parameter_is_set_without_16_kib_in_the_store() -> None:
    store = Store()
    bench = Bench(store=store)
    store.full = True
    assert refused(bench, a_set()).code is Code.E_STORAGE
    assert store.reserved == [16 * 1024]
    assert bench.parameters.trigger_required == 0


def test_a_parameter_whose_record_cannot_be_kept_is_as_before() -> None:
    store = Store()
    bench = Bench(store=store)
    store.broken = True
    no = refused(bench, a_set())
    assert (no.code, "it is broken" in no.sentence) == (Code.E_STORAGE, True)
    assert bench.parameters.trigger_required == 0


# --- ALARM_ACK ----------------------------------------------------------------------------------------------


def test_an_acknowledgement_is_shown_and_hides_nothing() -> None:
    bench = Bench()
    bench.board.raise_alarm(A.HOT, bench.now)
    head = bench.nvm.head
    assert answer(bench, M.AlarmAck(code=A.HOT)) == M.AlarmAckDone(code=A.HOT, state=AlarmState.ACKNOWLEDGED)
    (record,), told = bench.records(head), bench.announced[-1]
    assert isinstance(record, R.AlarmChanged) and isinstance(told, M.Alarm)
    assert record.state is told.state is AlarmState.ACKNOWLEDGED
    assert bench.board.alarms.present(A.HOT)


def test_an_acknowledgement_that_is_no_news_is_not_told() -> None:
    bench = Bench()
    bench.board.raise_alarm(A.HOT, bench.now)
    answer(bench, M.AlarmAck(code=A.HOT))
    head, told = bench.nvm.head, len(bench.announced)
    assert answer(bench, M.AlarmAck(code=A.HOT)) == M.AlarmAckDone(code=A.HOT, state=AlarmState.ACKNOWLEDGED)
    assert answer(bench, M.AlarmAck(code=A.TOO_HOT)) == M.AlarmAckDone(code=A.TOO_HOT, state=AlarmState.INACTIVE)
    assert (bench.nvm.head, len(bench.announced)) == (head, told)


def test_there_is_no_other_alarm_than_those_of_the_list() -> None:
    no = refused(Bench(), M.AlarmAck(code=4))
    assert (no.code, no.actual, no.sentence) == (Code.E_ARGUMENT, 4, "there is no alarm MC-0004")


def test_an_acknowledgement_wants_4_kib_in_the_store() -> None:
    store = Store()
    bench = Bench(store=store)
    bench.board.raise_alarm(A.HOT, bench.now)
    store.full = True
    assert refused(bench, M.AlarmAck(code=A.HOT)).code is Code.E_STORAGE
    assert store.reserved == [4 * 1024]
    assert bench.board.alarms.state(A.HOT) is AlarmState.ACTIVE


def test_a_stopped_count_is_taken_up_again_by_its_acknowledgement() -> None:
    bench = armed()
    for code in (A.COUNT_MISMATCH, A.COUNT_STOPPED):
        bench.board.raise_alarm(code, bench.now)
    bench.board.strokes.add(0, True)
    done = answer(bench, M.AlarmAck(code=A.COUNT_STOPPED))
    assert done == M.AlarmAckDone(code=A.COUNT_STOPPED, state=AlarmState.INACTIVE)
    assert bench.board.alarms.active == {}
    assert bench.board.strokes.missing == 0


@pytest.mark.parametrize("acknowledged", [A.COUNT_MISMATCH, A.COUNT_STOPPED])
def test_a_count_that_was_not_stopped_is_watched_as_before(acknowledged: int) -> None:
    bench = armed()
    bench.board.raise_alarm(A.COUNT_MISMATCH, bench.now)
    bench.board.strokes.add(0, True)
    answer(bench, M.AlarmAck(code=acknowledged))
    assert bench.board.alarms.present(A.COUNT_MISMATCH)
    assert bench.board.strokes.missing == 1
