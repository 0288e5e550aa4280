"""Refusals of the firmware: a code or an interlock's number, and one sentence that fits the wire."""

from firmware_sim.errors import NvmFileError
from protocols.language.enums import Code
from protocols.language.messages import Refused
from protocols.link.port import sentence


def refusal(code: Code, text: str, *, interlock: int = 0, expected: int = 0, actual: int = 0) -> Refused:
    """Make a refusal; `text` is one sentence, cut to 120 bytes."""
    return Refused(code=code, interlock=interlock, expected=expected, actual=actual, sentence=sentence(text))


def not_kept(error: NvmFileError) -> Refused:
    """Refuse what the memory cannot keep."""
    return refusal(Code.E_STORAGE, f"the memory takes no more ({error.reason}): nothing was begun")


def interlocked(interlock: int, text: str, *, expected: int = 0, actual: int = 0) -> Refused:
    """Make a refusal by an interlock."""
    return refusal(Code.E_INTERLOCK, text, interlock=interlock, expected=expected, actual=actual)
