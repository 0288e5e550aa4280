"""The exceptions of the host: what a user reads, what a caller branches on, and how a program ends."""

import pytest

from devicectl import errors
from devicectl.errors import (
    CommandAbortedError,
    CommandError,
    CommandFailedError,
    CommandRefusedError,
    DevicectlError,
    HardwareError,
    LinkDeniedError,
    LinkError,
    SessionFoundError,
    UnendedError,
    UnfinishedError,
    UrlError,
)
from protocols.language import messages as M
from protocols.language.enums import Code, Ending, Phase

EXIT_CODES = {
    "DevicectlError": 1,
    "UrlError": 2,
    "LinkError": 3,
    "LinkLostError": 3,
    "LinkDeniedError": 3,
    "UnendedError": 3,
    "UnfinishedError": 3,
    "LinkForbiddenError": 3,
    "HardwareError": 3,
    "CommandError": 1,
    "CommandRefusedError": 1,
    "CommandFailedError": 1,
    "CommandAbortedError": 1,
    "SessionError": 1,
    "SessionFoundError": 1,
}
"""1: a session that did not succeed. 2: a mistake in the command line. 3: no device that can be used."""


def test_each_class_ends_a_program_with_its_code() -> None:
    found = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, DevicectlError)
    }
    assert found == EXIT_CODES


def test_a_url_is_shown_by_its_scheme_alone_since_it_may_hold_a_password() -> None:
    error = UrlError("mqtt://me:secret@host/a/b", "address", "is none", "mqtt://host/a/b")
    assert str(error) == "device URL mqtt://...: address: is none; for example mqtt://host/a/b"
    assert (error.part, error.reason) == ("address", "is none") and "secret" not in error.url


def test_a_denial_has_the_devices_sentence_and_code() -> None:
    error = LinkDeniedError(Code.E_BUSY, "hosts enough")
    assert str(error) == "the device refuses the link: hosts enough (E_BUSY)" and error.code is Code.E_BUSY
    assert isinstance(error, LinkError)


def test_a_command_that_was_never_ended_is_named() -> None:
    assert UnendedError(M.Arm(), "why").command == M.Arm()
    left = "for too long and was left by BYE"
    assert str(UnfinishedError("ARM")) == f"the device did not end ARM {left}"
    assert str(UnfinishedError("")) == f"the device did not end what was under way {left}"


def test_hardware_is_named_with_what_would_allow_it() -> None:
    assert str(HardwareError("HP-3")) == (
        "device HP-3 is no simulator, and nothing was begun on it: "
        "--allow-hardware, or connect(..., allow_hardware=True), allows it"
    )


@pytest.mark.parametrize(("interlock", "shown"), [(8, "interlock 8"), (0, "E_INTERLOCK")])
def test_a_refusal_names_command_sentence_and_interlock_or_else_its_code(interlock: int, shown: str) -> None:
    refused = M.Refused(code=Code.E_INTERLOCK, interlock=interlock, expected=48, actual=51, sentence="full")
    error = CommandRefusedError(M.Pause(), refused)
    assert str(error) == f"Pause: full ({shown})"
    assert (error.expected, error.actual, error.code, error.interlock) == (48, 51, Code.E_INTERLOCK, interlock)


def test_a_nak_is_a_refusal_without_an_interlock() -> None:
    nak = M.Nak(code=Code.E_UNKNOWN_MESSAGE, seq=1, expected=1, actual=2, sentence="not known")
    error = CommandRefusedError(M.Pause(), nak)
    assert (str(error), error.interlock) == ("Pause: not known (E_UNKNOWN_MESSAGE)", 0)


def test_a_failure_has_its_alarm_and_an_abort_its_ending() -> None:
    failed = M.Failed(code=Code.E_INTERLOCK, interlock=16, alarm_code=1601, sentence="stalled")
    aborted = M.Aborted(code=Code.E_LINK, ending=Ending.ABORTED, phase=Phase.PUNCH, sentence="stopped")
    failure, abort = CommandFailedError(M.Arm(), failed), CommandAbortedError(M.Arm(), aborted)
    assert (failure.alarm_code, failure.interlock, str(failure)) == (1601, 16, "Arm: stalled (interlock 16)")
    assert (abort.ending, abort.interlock, str(abort)) == (Ending.ABORTED, 0, "Arm: stopped (E_LINK)")
    assert all(isinstance(error, CommandError) and error.command == M.Arm() for error in (failure, abort))


@pytest.mark.parametrize(("known", "first"), [(True, "--resume continues it,"), (False, "this log does not know it;")])
def test_a_session_that_was_found_says_what_can_be_done_about_it(known: bool, first: str) -> None:
    error = SessionFoundError(3, "SIM-0007", known=known)
    assert str(error) == f"device SIM-0007 holds open session 3: {first} --abandon closes it"
    assert (error.session_no, error.known) == (3, known)
