"""The exceptions of the host.

    DevicectlError
    |-- UrlError                 a device URL is wrong; nothing was opened            exit 2
    |-- LinkError                no device, or the link could not be made             exit 3
    |   |-- LinkLostError        a link that stood is gone                            recovered from, else exit 3
    |   |-- LinkDeniedError      the device cannot speak with this host               exit 3
    |   |-- UnendedError         the device took a command and never ended it         exit 3
    |   |-- UnfinishedError      the program was to end, and the device ended nothing a note on that
    |   `-- LinkForbiddenError   what carries the link has this host kept out of it   exit 3
    |-- HardwareError            the device is no simulator, and nobody allowed that     exit 3
    |-- CommandError             the device answered, and not with DONE               exit 1
    |   |-- CommandRefusedError  nothing was begun
    |   |-- CommandFailedError   it was begun and could not be finished
    |   `-- CommandAbortedError  it was stopped from outside
    |-- SessionError             the session cannot continue                          exit 1
    |   `-- SessionFoundError    the device holds a session that is not this one      exit 1
    |-- PlanError (session.plan) a plan cannot be taken                               exit 2
    |-- ScenarioFileError (campaign.scenario_file)   a scenario cannot be taken    exit 2
    |-- OutputError (cli)        standard output is full or closed                    exit 1
    `-- LogError (log)                                                                exit 4

Callers branch on classes and attributes, never on the text.
"""

from typing import TYPE_CHECKING

from protocols.text.url_text import show_scheme

if TYPE_CHECKING:  # the messages take longer to import than a command line that only prints its help
    from protocols.language.enums import Code, Ending
    from protocols.language.message import Message
    from protocols.language.messages import Aborted, Failed, Nak, Refused


class DevicectlError(Exception):
    """Base of every exception that `devicectl` raises on purpose. `exit_code` is of a program that it ends."""

    exit_code: int = 1


class UrlError(DevicectlError, ValueError):
    """`part` of the device URL `url` is wrong; the text shows a right one, and of the wrong one only its scheme."""

    exit_code = 2

    def __init__(self, url: str, part: str, reason: str, example: str) -> None:
        self.url = show_scheme(url)
        self.part = part
        self.reason = reason
        super().__init__(f"device URL {self.url}: {part}: {reason}; for example {example}")


class LinkError(DevicectlError):
    """No device, or the link could not be made."""

    exit_code = 3


class LinkLostError(LinkError):
    """A link that stood is gone."""


class LinkDeniedError(LinkError):
    """The device answered HELLO with a no."""

    def __init__(self, code: "Code", sentence: str) -> None:
        self.code = code
        super().__init__(f"the device refuses the link: {sentence} ({code.name})")


class UnendedError(LinkError):
    """The device took `command` and did not end it as the protocol wants: on another link it would do the same."""

    def __init__(self, command: "Message", reason: str) -> None:
        self.command = command
        super().__init__(reason)


class UnfinishedError(LinkError):
    """The program was to end, and the device did not end `command`, or what was done besides, for too long."""

    def __init__(self, command: str) -> None:
        self.command = command
        super().__init__(f"the device did not end {command or 'what was under way'} for too long and was left by BYE")


class LinkForbiddenError(LinkError):
    """A broker's access list forbids what the host has to say or hear: to try again would end the same way."""


class HardwareError(DevicectlError):
    """The device does not say that it is simulated, and nobody has allowed a session on such a one."""

    exit_code = 3

    def __init__(self, device: str) -> None:
        self.device = device
        allowed = "--allow-hardware, or connect(..., allow_hardware=True), allows it"
        super().__init__(f"device {device} is no simulator, and nothing was begun on it: {allowed}")


class CommandError(DevicectlError):
    """A command was answered, and not with DONE. `code` and `interlock` say why."""

    def __init__(self, command: "Message", code: "Code", interlock: int, sentence: str) -> None:
        self.command = command
        self.code = code
        self.interlock = interlock
        self.sentence = sentence
        what = f"interlock {interlock}" if interlock else code.name
        super().__init__(f"{command.__class__.__name__}: {sentence} ({what})")


class CommandRefusedError(CommandError):
    """A lawful no: nothing was begun. `expected` and `actual` are the two values that disagree, else 0."""

    def __init__(self, command: "Message", answer: "Refused | Nak") -> None:
        self.expected = answer.expected
        self.actual = answer.actual
        interlock = getattr(answer, "interlock", 0)  # a NAK names none
        super().__init__(command, answer.code, interlock, answer.sentence)


class CommandFailedError(CommandError):
    """It was begun and the device could not finish it. `alarm_code` is what it raised, 0 if nothing."""

    def __init__(self, command: "Message", answer: "Failed") -> None:
        self.alarm_code = answer.alarm_code
        super().__init__(command, answer.code, answer.interlock, answer.sentence)


class CommandAbortedError(CommandError):
    """It was stopped from outside; `ending` is that of its cycle, OPEN if it was none."""

    def __init__(self, command: "Message", answer: "Aborted") -> None:
        self.ending: Ending = answer.ending
        super().__init__(command, answer.code, 0, answer.sentence)


class SessionError(DevicectlError):
    """The session cannot continue."""


class SessionFoundError(SessionError):
    """The device holds an open session. `known` tells whether this log has it, so that it can be resumed."""

    def __init__(self, session_no: int, device: str, *, known: bool) -> None:
        self.session_no = session_no
        self.known = known
        first = "--resume continues it," if known else "this log does not know it;"
        super().__init__(f"device {device} holds open session {session_no}: {first} --abandon closes it")
