"""Queries, each condition by itself: what is refused, and with which numbers."""

import pytest

from firmware_sim.commands.queries import QUERIES
from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.session_steps import CloseSession, OpenSession
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, Role
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.units import Micros
from tests.unit.firmware_sim.memories import PLAN


class Full:
    """A store that has no room, and to which nothing may be added."""

    def append(self, key: str, value: object) -> None:
        raise AssertionError(key)

    def sync(self) -> None: ...

    def reserve(self, size: int) -> None:
        raise NvmFileError("path", "it is full")


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
    nvm.attach(Full())
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
