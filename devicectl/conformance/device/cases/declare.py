"""Declaration of a case for a device, and what cases of several groups do alike."""

from collections.abc import Callable
from typing import Final, NamedTuple

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.checks import done, equal, none_of
from devicectl.conformance.device.ground import MOVES, Ground, Stage
from devicectl.conformance.device.link import ANSWER_MS, Answer, Link
from devicectl.conformance.device.probe import Heard, Steps, is_reply
from devicectl.conformance.device.wires import frame, header_of, payload_of
from devicectl.conformance.rules import Duty
from protocols.language.message import Message
from protocols.language.messages import Echo, EchoDone, Heartbeat
from protocols.language.version import MAJOR
from protocols.link.header import REPLY_WANTED

Run = Callable[[Ground], Steps[None]]

QUIET_MS: Final = 150
"""Time in which what must not be answered is not; the answers of ours come within a few."""


def case(name: str, title: str, rules: str, run: Run, *needs: Need, stage: Stage = Stage.LINKED) -> Case:
    """Make a case for a device; `rules` are numbers without their HLP-. One that moves something needs leave."""
    numbers = tuple(f"HLP-{rule}" for rule in rules.split())
    wanted = {*needs, Need.MOTION} if stage >= MOVES else {*needs}
    return Case(name, title, numbers, Duty.DEVICE, run, frozenset(wanted), int(stage))


class Crafted(NamedTuple):
    """A frame made by hand, with what its answer has to carry."""

    data: bytes
    correlation: int
    seq: int


def craft(
    link: Link,
    message: Message,
    *,
    payload: bytes | None = None,
    flags: int = REPLY_WANTED,
    correlation: int | None = None,
    **parts: int,
) -> Crafted:
    """Make a frame of a message in which some part is another one.

    `parts` are those of the header, by its names; `major` and `kind` are the halves of its first byte.
    """
    body = payload_of(message) if payload is None else payload
    used = link.next_correlation() if correlation is None else correlation
    link.seq = link.seq + 1 & 0xFFFF
    right = header_of(message, link.seq, link.link_id, used, flags, len(body))
    first = parts.pop("major", MAJOR) << 4 | parts.pop("kind", right.kind)
    header = right._replace(major_and_kind=first, **parts)
    return Crafted(frame(header, body), used, link.seq)


def answer_to(ground: Ground, crafted: Crafted, what: str) -> Steps[Heard]:
    """Send a frame made by hand and wait for what carries its correlation id."""
    yield from ground.nak_room()
    ground.probe.send(0, crafted.data)
    return (
        yield from ground.probe.wait(
            what, lambda one: is_reply(one) and one.header.correlation_id == crafted.correlation, ANSWER_MS
        )
    )


def as_answer(heard: Heard) -> Answer:
    """Return something heard as the end of a command, for checks."""
    assert heard.message is not None or heard.item.problem
    return Answer(heard.at, heard.at, heard.header, heard.message or Echo(data=b""), (), ())


def silence(ground: Ground, what: str, ms: float = QUIET_MS) -> Steps[None]:
    """See that nothing answers; heartbeats, events and telemetry are no answers.

    Raises:
        BrokenRule: something does.
    """
    came = yield from ground.probe.pause(ms)
    none_of(what, [one for one in came if is_reply(one) and not isinstance(one.message, Heartbeat)])


def echoes(ground: Ground, data: bytes = b"still here") -> Steps[None]:
    """See that the link still answers, by an ECHO."""
    answer = yield from ground.ask(Echo(data=data))
    equal("the bytes of ECHO's answer", data, done(answer, EchoDone).data)
