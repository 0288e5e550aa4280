"""Declarations of cases, and frames made by hand."""

import pytest

from devicectl.conformance.case import Need
from devicectl.conformance.device.cases.declare import case, craft, echoes, silence
from devicectl.conformance.device.ground import Stage
from devicectl.conformance.device.probe import BrokenRule
from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.language.messages import Echo, EchoDone, Nak
from protocols.serial.framing import Frame, FrameDecoder
from tests.unit.devicectl.conformance.device.benches import LINK_ID, Scripted, a_ground, welcomes


def test_a_case_that_moves_needs_leave() -> None:
    made = case("a.b", "t", "FRM-1 CYC-2", lambda ground: iter(()), Need.BYTES, stage=Stage.ARMED)  # type: ignore[arg-type, return-value]
    assert made.rules == ("HLP-FRM-1", "HLP-CYC-2")
    assert made.needs == {Need.BYTES, Need.MOTION}
    assert case("a.b", "t", "FRM-1", lambda ground: iter(())).needs == frozenset()  # type: ignore[arg-type, return-value]


def test_each_part_of_a_header_can_be_another() -> None:
    ground = a_ground()
    Scripted(ground, welcomes).drive(ground.reach(Stage.LINKED))
    made = craft(ground.link, Echo(data=b"x"), major=2, kind=6, node=9, link_id=LINK_ID + 1, message_id=0x777)
    (frame,) = FrameDecoder().feed(made.data)
    assert isinstance(frame, Frame)
    header = frame.header
    assert (header.major, header.kind, header.node, header.link_id, header.message_id) == (2, 6, 9, LINK_ID + 1, 0x777)
    assert (header.seq, header.correlation_id) == (made.seq, made.correlation)


def test_silence_is_broken_by_an_answer_and_an_echo_by_other_bytes() -> None:
    ground = a_ground()
    Scripted(ground, welcomes).drive(ground.reach(Stage.LINKED))

    def naks(message: Message, correlation: int) -> list[Message]:
        return [Nak(code=Code.E_LINK, seq=1, expected=0, actual=0, sentence="")]

    Scripted(ground, lambda message, correlation: []).drive(silence(ground, "answers"))
    ground.link.send(Echo(data=b""))
    with pytest.raises(BrokenRule, match="answers: expected nothing, found Nak"):
        Scripted(ground, naks).drive(silence(ground, "answers"))
    with pytest.raises(BrokenRule, match="the bytes of ECHO's answer"):
        Scripted(ground, lambda message, correlation: [EchoDone(data=b"other")]).drive(echoes(ground))
