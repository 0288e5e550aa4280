"""Checks of cases: each lets through what is right and says what is not."""

from collections.abc import Callable

import pytest

from devicectl.conformance.device import checks
from devicectl.conformance.device.link import Answer
from devicectl.conformance.device.probe import BrokenRule, Heard
from devicectl.conformance.device.wires import Item
from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.language.messages import EchoDone, Failed, Nak, Refused
from protocols.language.units import Micros
from protocols.link.header import Header

REFUSED = Refused(code=Code.E_STATE, interlock=2, expected=0, actual=0, sentence="not now")
FAILED = Failed(code=Code.E_INTERLOCK, interlock=5, alarm_code=501, sentence="too deep")
NAK = Nak(code=Code.E_LINK, seq=1, expected=0, actual=0, sentence="not here")


def answer(message: Message) -> Answer:
    """The end of a command."""
    return Answer(Micros(0), Micros(0), Header(0x11, 0, 1, 1, 1, 1, 0, 0), message, (), ())


def heard(message: Message) -> Heard:
    """Something that came."""
    return Heard(Micros(0), 0, Item(None, message, ""))


def test_what_is_right_passes() -> None:
    checks.equal("x", 1, 1)
    checks.true("x", True, "y", 0)
    checks.none_of("x", [])
    assert checks.done(answer(EchoDone(data=b"")), EchoDone) == EchoDone(data=b"")
    assert checks.refused(answer(REFUSED), Code.E_STATE, interlock=2) is REFUSED
    assert checks.refused(answer(REFUSED)) is REFUSED
    assert checks.failed(answer(FAILED), 5) is FAILED
    assert checks.nak(heard(NAK), Code.E_VERSION, Code.E_LINK) is NAK


def test_what_is_not_is_said() -> None:
    wrong: list[tuple[Callable[[], object], str]] = [
        (lambda: checks.equal("x", 1, 2), "x: expected 1, found 2"),
        (lambda: checks.true("x", False, "y", 0), "x: expected y, found 0"),
        (lambda: checks.none_of("x", [heard(NAK)]), "x: expected nothing, found Nak"),
        (
            lambda: checks.done(answer(REFUSED), EchoDone),
            "expected EchoDone, found Refused E_STATE, interlock 2 (not now)",
        ),
        (lambda: checks.refused(answer(EchoDone(data=b""))), "expected REFUSED with any code, found EchoDone"),
        (lambda: checks.refused(answer(REFUSED), Code.E_RANGE), "expected REFUSED with E_RANGE, found Refused E_STATE"),
        (lambda: checks.refused(answer(REFUSED), interlock=9), "the interlock of the refusal: expected 9, found 2"),
        (lambda: checks.failed(answer(REFUSED), 5), "expected FAILED, interlock 5, found Refused E_STATE"),
        (lambda: checks.failed(answer(FAILED), 4), "the interlock of the failure: expected 4, found 5"),
        (lambda: checks.nak(heard(NAK), Code.E_VERSION), "expected NAK with E_VERSION, found Nak E_LINK (not here)"),
    ]
    for check, said in wrong:
        with pytest.raises(BrokenRule) as caught:
            check()
        assert said in str(caught.value)


@pytest.mark.parametrize(
    "no",
    [
        Nak(code=Code.E_ARGUMENT, seq=1, expected=13, actual=12, sentence=""),
        Refused(code=Code.E_ARGUMENT, interlock=0, expected=0, actual=0, sentence="12 B of 13 B"),
        Refused(code=Code.E_ARGUMENT, interlock=0, expected=13, actual=0, sentence="it has 12 B"),
    ],
)
def test_a_refusal_may_tell_numbers_as_values_or_in_its_sentence(no: Nak | Refused) -> None:
    checks.tells(no, "both sizes", 13, 12)


def test_a_refusal_that_tells_only_one_of_two_numbers_is_named() -> None:
    no = Refused(code=Code.E_ARGUMENT, interlock=0, expected=13, actual=0, sentence="cut after 120 B")
    with pytest.raises(BrokenRule) as caught:
        checks.tells(no, "both sizes", 13, 12)
    said = caught.value.difference
    assert (said.expected, said.found) == ("13 and 12", "expected 13, actual 0: cut after 120 B")
