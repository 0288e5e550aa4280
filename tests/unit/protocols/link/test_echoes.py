"""Frames that come back to the end that sent them: known by their kind, or by all of their numbers."""

import pytest

from protocols.language.enums import ByeReason, Code
from protocols.language.message import Message
from protocols.language.messages import Arm, ArmDone, Bye, Heartbeat, HostHeartbeat, Nak
from protocols.language.sides import Side, model_key
from protocols.link.echoes import REMEMBERED_OWN, Echoes
from protocols.link.header import Header

NAK = Nak(code=Code.E_LINK, seq=5, expected=0, actual=7, sentence="no")
BYE = Bye(reason=ByeReason.CLOSING)


def header_of(message: Message, seq: int = 1, link_id: int = 7, correlation_id: int = 3) -> Header:
    key = model_key(type(message))
    return Header(key >> 16, 0, key & 0xFFFF, seq, link_id, correlation_id, 0, 0)


def is_own(echoes: Echoes, message: Message, **changes: int) -> bool:
    return echoes.is_own(model_key(type(message)), header_of(message, **changes), message)


@pytest.mark.parametrize(
    ("side", "own", "foreign"),
    [
        (Side.HOST, (Arm, HostHeartbeat), (ArmDone, Heartbeat)),
        (Side.DEVICE, (ArmDone, Heartbeat), (Arm, HostHeartbeat)),
    ],
)
def test_an_end_suspects_what_it_may_have_sent_itself(
    side: Side, own: tuple[type[Message], ...], foreign: tuple[type[Message], ...]
) -> None:
    suspects = Echoes(side).suspects
    assert {model_key(model) for model in own} | {model_key(Nak), model_key(Bye)} <= suspects
    assert not suspects & {model_key(model) for model in foreign}


def test_what_only_this_end_sends_is_its_own_whatever_the_numbers_are() -> None:
    echoes = Echoes(Side.HOST)
    assert is_own(echoes, Arm()) and is_own(echoes, Arm(), seq=9, link_id=0)


def test_what_cannot_be_read_is_no_echo() -> None:
    assert not Echoes(Side.HOST).is_own(model_key(Arm), header_of(Arm()), None)


@pytest.mark.parametrize("message", [NAK, BYE], ids=["nak", "bye"])
def test_what_either_end_sends_is_its_own_only_if_all_of_it_is_the_same(message: Nak | Bye) -> None:
    echoes = Echoes(Side.DEVICE)
    assert not is_own(echoes, message)
    echoes.note(message, 1, 7, 3)
    assert is_own(echoes, message) and is_own(echoes, message), "it may come back twice"
    for changes in ({"seq": 2}, {"link_id": 8}, {"correlation_id": 4}):
        assert not is_own(echoes, message, **changes)
    assert not is_own(echoes, BYE if message is NAK else NAK)


def test_the_last_sixteen_are_remembered() -> None:
    echoes = Echoes(Side.HOST)
    for seq in range(REMEMBERED_OWN + 1):
        echoes.note(NAK, seq, 7, 3)
    assert not is_own(echoes, NAK, seq=0)
    assert all(is_own(echoes, NAK, seq=seq) for seq in range(1, 17))
