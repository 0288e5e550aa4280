"""Checks of cases: each passes, or raises the difference between what a rule expects and what came.

Law: pure functions of what was heard. Their words stand in reports.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

from devicectl.conformance.device.link import Answer
from devicectl.conformance.device.probe import BrokenRule, Heard, names
from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.language.messages import Failed, Nak, Refused

_Message = TypeVar("_Message", bound=Message)


def equal(what: str, expected: object, found: object) -> None:
    """Check that two values are the same.

    Raises:
        BrokenRule: they are not.
    """
    if expected != found:
        raise BrokenRule(what, _shown(expected), _shown(found))


def true(what: str, holds: bool, expected: str, found: object) -> None:
    """Check that something holds.

    Raises:
        BrokenRule: it does not.
    """
    if not holds:
        raise BrokenRule(what, expected, _shown(found))


def done(answer: Answer, model: type[_Message]) -> _Message:
    """Check that a command was carried out; returns its Done.

    Raises:
        BrokenRule: it was answered otherwise.
    """
    if not isinstance(answer.message, model):
        raise BrokenRule("the answer", model.__name__, say(answer.message))
    return answer.message


def refused(answer: Answer, *codes: Code, interlock: int | None = None) -> Refused:
    """Check that a command was refused, by one of some codes where any are given.

    Raises:
        BrokenRule: it was not, or by another code.
    """
    right = " or ".join(code.name for code in codes) or "any code"
    if not isinstance(answer.message, Refused) or (codes and answer.message.code not in codes):
        raise BrokenRule("the answer", f"REFUSED with {right}", say(answer.message))
    if interlock is not None:
        equal("the interlock of the refusal", interlock, answer.message.interlock)
    return answer.message


def failed(answer: Answer, interlock: int) -> Failed:
    """Check that a command that was taken up has failed by an interlock.

    Raises:
        BrokenRule: it was answered otherwise, or another interlock was named.
    """
    if not isinstance(answer.message, Failed):
        raise BrokenRule("the answer", f"FAILED, interlock {interlock}", say(answer.message))
    equal("the interlock of the failure", interlock, answer.message.interlock)
    return answer.message


def nak(heard: Heard, *codes: Code) -> Nak:
    """Check that something was met with NAK, by one of some codes.

    Raises:
        BrokenRule: it was not, or by another code.
    """
    right = " or ".join(code.name for code in codes) or "any code"
    if not isinstance(heard.message, Nak) or (codes and heard.message.code not in codes):
        raise BrokenRule("the answer", f"NAK with {right}", say(heard.message))
    return heard.message


def tells(no: Refused | Nak, what: str, *numbers: int) -> None:
    """Check that a refusal tells some numbers: as its two values, or in its sentence.

    Raises:
        BrokenRule: one of them is in neither.
    """
    told = {no.expected, no.actual, *(int(digits) for digits in re.findall(r"\d+", no.sentence))}
    if not told.issuperset(numbers):
        wanted = " and ".join(str(number) for number in numbers)
        raise BrokenRule(what, wanted, f"expected {no.expected}, actual {no.actual}: {no.sentence}")


def none_of(what: str, came: Sequence[Heard]) -> None:
    """Check that nothing came.

    Raises:
        BrokenRule: something did.
    """
    if came:
        raise BrokenRule(what, "nothing", names(came[:8]))


def say(message: Message | None) -> str:
    """Name an answer with what matters of it."""
    if isinstance(message, Refused | Nak):
        interlock = f", interlock {message.interlock}" if isinstance(message, Refused) and message.interlock else ""
        return f"{type(message).__name__} {message.code.name}{interlock} ({message.sentence})"
    return repr(message)[:200]


def _shown(value: object) -> str:
    return value if isinstance(value, str) else repr(value)[:300]
