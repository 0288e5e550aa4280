"""Queries, each condition by itself: what is refused, and with which numbers."""

import pytest

from firmware_sim.commands.queries import QUERIES
from firmware_sim.commands.statements import identity
from firmware_sim.device import ABOUT_FAULTS, Device
from firmware_sim.memory.session_steps import CloseSession, OpenSession, PowerOn
from firmware_sim.model.plant import Truth
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, Lane, Role, Stream
from protocols.language.message import REGISTRY, Message
from protocols.language.messages import Refused
from protocols.language.units import MILLISECOND, Micros
from tests.unit.firmware_sim.memories import PLAN, Store


class Asked:
    """A device, and a controller's link at it."""

    def __init__(self) -> None:
        self.device = Device(seed=7)
        self.port = self.device.attach("port")
        self.port.role = Role.CONTROLLER

    def answer(self, command: Message) -> Message:
        return QUERIES[type(command)](self.device.control, self.port, command, Micros(0))

    def refusal(self, command: Message) -> Refused:
        answer = self.answer(command)
        assert isinstance(answer, Refused), answer
        return answer


@pytest.fixture
def asked() -> Asked:
    return Asked()


def test_a_journal_of_another_epoch_is_not_read(asked: Asked) -> None:
    nvm = asked.device.nvm
    page = asked.answer(M.JournalRead(epoch=nvm.epoch, first=1, max_records=6))
    assert isinstance(page, M.JournalPage) and page.head == nvm.head
    no = asked.refusal(M.JournalRead(epoch=nvm.epoch ^ 1, first=1, max_records=6))
    assert (no.code, no.expected, no.actual) == (Code.E_ARGUMENT, nvm.epoch, nvm.epoch ^ 1)


@pytest.mark.parametrize(("epoch_off", "beyond"), [(1, 0), (0, 1)])
def test_what_was_not_written_cannot_be_acknowledged(asked: Asked, epoch_off: int, beyond: int) -> None:
    nvm = asked.device.nvm
    no = asked.refusal(M.JournalAck(epoch=nvm.epoch ^ epoch_off, upto=nvm.head + beyond))
    assert (no.code, no.expected, no.actual) == (Code.E_RANGE, nvm.head, nvm.head + beyond)
    assert nvm.tail < nvm.head
    assert asked.answer(M.JournalAck(epoch=nvm.epoch, upto=nvm.head)) == M.JournalAckDone(tail=nvm.head)


def test_an_acknowledgement_needs_room_in_the_memory(asked: Asked) -> None:
    nvm = asked.device.nvm
    store = Store()
    store.full = store.broken = True
    nvm.attach(store)
    tail = nvm.tail
    no = asked.refusal(M.JournalAck(epoch=nvm.epoch, upto=nvm.head))
    assert (no.code, nvm.tail) == (Code.E_STORAGE, tail)


def test_an_alarm_list_ends_with_an_empty_answer(asked: Asked) -> None:
    asked.device.board.raise_alarm(A.HOT, Micros(0))
    one, none = (asked.answer(M.AlarmList(index=index)) for index in (0, 1))
    assert isinstance(one, M.AlarmListDone) and isinstance(none, M.AlarmListDone)
    assert (one.count, one.code, none.count, none.code, none.sentence) == (1, A.HOT, 1, 0, "")


def test_the_truth_is_for_after_the_close(asked: Asked) -> None:
    assert asked.refusal(M.TruthGet()).code is Code.E_STATE, "no session was closed yet"


def test_the_truth_is_not_told_while_a_session_is_open(asked: Asked) -> None:
    nvm = asked.device.nvm
    nvm.keep(OpenSession(PLAN.to_json(), 0))
    nvm.keep(CloseSession(CloseReason.ABANDONED, 0))
    assert asked.refusal(M.TruthGet()).code is Code.E_UNSUPPORTED, "this process has not seen it"
    nvm.keep(OpenSession(PLAN.to_json(), 0))
    assert asked.refusal(M.TruthGet()).code is Code.E_STATE


@pytest.mark.parametrize("size", [131, 224])
def test_an_echo_is_the_same_bytes_as_long_as_the_host_takes_them(asked: Asked, size: int) -> None:
    asked.port.max_payload_size = size
    assert asked.answer(M.Echo(data=b"e" * 131)) == M.EchoDone(data=b"e" * 131)


def test_an_echo_that_the_host_could_not_take_is_out_of_range(asked: Asked) -> None:
    asked.port.max_payload_size = 131
    no = asked.refusal(M.Echo(data=b"e" * 132))
    assert (no.code, no.expected, no.actual) == (Code.E_RANGE, 131, 132)
    assert no.sentence == "132 B to echo: this host's HELLO allows payloads of 131 B"


def test_parameters_are_listed_by_index_up_to_their_number(asked: Asked) -> None:
    count = asked.device.parameters.count
    last = asked.answer(M.ParamList(index=count - 1))
    assert isinstance(last, M.ParamListDone) and (last.index, last.count) == (count - 1, count)
    no = asked.refusal(M.ParamList(index=count))
    assert (no.code, no.expected, no.actual) == (Code.E_RANGE, count, count)


def test_a_parameter_is_read_by_its_name(asked: Asked) -> None:
    assert asked.answer(M.ParamGet(name="vacuum_tau_s")) == M.ParamGetDone(name="vacuum_tau_s", value=0.8)
    no = asked.refusal(M.ParamGet(name="leek_kpa_s"))
    assert (no.code, "did you mean leak_kpa_s?" in no.sentence) == (Code.E_ARGUMENT, True)


@pytest.mark.parametrize(("wanted", "given"), [(5, 20), (20, 20), (70, 70), (0, 0)])
def test_telemetry_comes_at_the_interval_that_is_asked_for_20_ms_at_least(
    asked: Asked, wanted: int, given: int
) -> None:
    done = asked.answer(M.StreamSet(stream=Stream.STATE, interval_ms=wanted))
    assert done == M.StreamSetDone(stream=Stream.STATE, interval_ms=given)
    assert asked.port.stream_us == given * MILLISECOND


@pytest.mark.parametrize(("payload", "records"), [(131, 3), (224, 6)])
def test_a_page_holds_as_many_records_as_the_host_takes_whatever_is_asked_for(
    asked: Asked, payload: int, records: int
) -> None:
    nvm = asked.device.nvm
    for _ in range(9):
        nvm.keep(PowerOn(0))
    asked.port.max_payload_size = payload
    page = asked.answer(M.JournalRead(epoch=nvm.epoch, first=2, max_records=200))
    assert isinstance(page, M.JournalPage)
    assert (page.first, page.tail, page.head, len(page.records)) == (2, 1, nvm.head, records * 32)
    few = asked.answer(M.JournalRead(epoch=nvm.epoch, first=2, max_records=2))
    assert isinstance(few, M.JournalPage) and len(few.records) == 2 * 32


def test_only_the_controllers_acknowledgement_moves_the_tail(asked: Asked) -> None:
    nvm = asked.device.nvm
    asked.port.role = Role.VIEWER
    assert asked.refusal(M.JournalAck(epoch=nvm.epoch, upto=nvm.head)).code is Code.E_AUTH
    asked.port.role = Role.CONTROLLER
    asked.device.control.holder = asked.device.attach("the holder")
    assert asked.refusal(M.JournalAck(epoch=nvm.epoch, upto=nvm.head)).code is Code.E_AUTH
    assert nvm.tail == 1


def test_an_acknowledgement_that_cannot_be_kept_moves_nothing(asked: Asked) -> None:
    nvm, store = asked.device.nvm, Store()
    nvm.attach(store)
    store.broken = True
    assert asked.refusal(M.JournalAck(epoch=nvm.epoch, upto=nvm.head)).code is Code.E_STORAGE
    assert nvm.tail == 1


def test_the_truth_of_a_closed_session_is_what_the_plant_knows(asked: Asked) -> None:
    nvm, device = asked.device.nvm, asked.device
    nvm.keep(OpenSession(PLAN.to_json(), 0))
    nvm.keep(CloseSession(CloseReason.ABORTED, 0))
    device.board.truth_session_no = 1
    device.plant.truth = Truth(6, 5, 18, 14, 13, 2)
    assert asked.answer(M.TruthGet()) == M.TruthGetDone(
        session_no=1,
        cycles_commanded=6,
        cycles_completed=5,
        punctures=18,
        cores_evacuated=14,
        cores_counted=13,
        clogs=2,
    )


def test_the_identity_is_the_devices_own(asked: Asked) -> None:
    assert asked.answer(M.DeviceInfo()) == identity(asked.device.board)


def test_only_queries_are_answered_here() -> None:
    asking = {model for model in REGISTRY.values() if model.LANE is Lane.QUERY}
    assert set(QUERIES) == asking - set(ABOUT_FAULTS)
