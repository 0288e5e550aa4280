"""The device's end of a link: it grants the link, takes each command once, and answers.

Law: a command that comes again is answered from memory and never reported a second time.
"""

from collections.abc import Callable
from typing import ClassVar, Final

from protocols.language.enums import Code, Kind, WireEnum
from protocols.language.errors import LocalError
from protocols.language.message import Message
from protocols.language.messages import Hello, HostHeartbeat, Progress, Received, Refused, Welcome
from protocols.language.schema import schema_id
from protocols.language.sides import Side
from protocols.language.units import Micros
from protocols.language.version import MAJOR, MINOR
from protocols.link.answers import Answers
from protocols.link.exchange import Exchange
from protocols.link.happenings import Commanded, Greeted, Told
from protocols.link.header import REPLAYED, Header, fill
from protocols.link.link_state import NOBODY
from protocols.link.port import Data, Problem, Wire, sentence

_COMMAND: Final = MAJOR << 4 | Kind.COMMAND


class DeviceEnd(Exchange[Data, Greeted | Commanded]):
    """The end that answers: `welcome` or `deny` a `Greeted`, `reply` to a `Commanded`. `beat` makes its heartbeat.

    How it works: `Answers` keeps each command with its answer so far. For example PUNCH, whose first answer is
    lost, so that the host sends it again:

        receive(PUNCH, correlation 7)   => Commanded(7, Punch(...)); the owner starts the motion
        reply(7, Received(...))         -> RECEIVED, correlation 7       answers: 7 is running
        receive(PUNCH, correlation 7)   -> RECEIVED, REPLAYED            nothing is reported, nothing moves twice
        reply(7, PunchDone(...))        -> PUNCH's DONE                  answers: 7 is final
        receive(PUNCH, correlation 7)   -> PUNCH's DONE, REPLAYED

    An older correlation id with another command is refused as expired: a late ARM must not act after a STOP.
    """

    SIDE: ClassVar[Side] = Side.DEVICE

    def __init__(self, wire: Wire[Data], beat: Callable[[Micros], Message]) -> None:
        super().__init__(wire)
        self._make_beat = beat
        self._answers = Answers()
        self._greeting: tuple[int, Hello, Welcome] | None = None
        """Correlation id, HELLO and WELCOME of this link, for a HELLO that comes again."""
        self._owes_beat = False

    # --- for the owner ---------------------------------------------------------------------------------------

    def welcome(self, welcome: Welcome, greeted: Greeted, now: Micros) -> None:
        """Grant a link; it replaces any that there was, without a frame on that one.

        Raises:
            LocalError: 0 is no link's id.
        """
        if not welcome.link_id:
            raise LocalError("link id 0 means no link")
        self._unlink("the link was replaced")
        self._state.begin(welcome.link_id, now)
        self._greeting = (greeted.correlation_id, greeted.hello, welcome)
        self._send(welcome, now, greeted.correlation_id)
        self._owes_beat = self.wire.beats_at_once

    def deny(self, greeted: Greeted, code: Code, text: str, now: Micros) -> None:
        """Grant no link, for a reason of the owner's; a link that there was stays."""
        self._complain(Problem(code, text), now, greeted.seq, 0, greeted.correlation_id)

    def reply(self, correlation_id: int, message: Message, now: Micros, *, replayed: bool = False) -> None:
        """Answer a command that was `Commanded`. RECEIVED and PROGRESS are not final; anything else is.

        `replayed` tells the host that nothing was done for it: the answer is an older command's outcome.
        """
        held = self._answers.known(correlation_id)
        if held is None or held.final:
            return  # The link on which it was asked is gone, and with it the host that would listen.
        self._send(message, now, correlation_id, REPLAYED if replayed else 0)
        if message.__class__ is Received:
            held.answer = message
        elif message.__class__ is not Progress:
            self._answers.finish(correlation_id, message)

    # --- inside: frames of this link -------------------------------------------------------------------------

    def _take(self, header: Header, message: Message, now: Micros) -> None:
        """Take a command once, or a message about the link itself; a host sends nothing else."""
        if header[0] != _COMMAND:
            self._take_link_message(header, message, now)
            return
        correlation_id, answers = header[5], self._answers
        known = answers.known(correlation_id)
        if known is not None and known.command == message:
            self._state.statistics.replays += 1
            if known.answer is not None:
                self._send(known.answer, now, correlation_id, REPLAYED)
        elif not correlation_id:
            self._nak(header, Problem(Code.E_ARGUMENT, "a command needs a correlation id"), now)
        elif known is not None or answers.expired(correlation_id, message.LANE):
            text = f"correlation {correlation_id} is used up on this link; a new command needs a newer one"
            self._refuse(header, Problem(Code.E_EXPIRED, text), now)
        elif (name := _unknown_value(message)) is not None:
            text = f"{message.__class__.__name__}.{name} has a value that is not known to this version"
            self._refuse(header, Problem(Code.E_ARGUMENT, text), now)
        else:
            answers.begin(correlation_id, message)
            self._happened.append(fill(Commanded, (correlation_id, message)))

    def _take_link_message(self, header: Header, message: Message, now: Micros) -> None:
        """Take a message about the link itself."""
        if isinstance(message, HostHeartbeat):
            if self._owes_beat:
                self._owes_beat = False
                self._beat(now)
            self._happened.append(fill(Told, (message,)))
        elif isinstance(message, Hello):
            self._greet(header, message, now)
        elif not self._take_parting(message):
            self._state.statistics.strays += 1  # A NAK about a frame of this end, which asks nothing.

    # --- inside: frames that are not plainly of this link ----------------------------------------------------

    def _take_of_other_link(self, header: Header, message: Message | None, now: Micros) -> None:
        if isinstance(message, Hello):
            self._greet(header, message, now)
        else:
            self._not_this_link(header, now)

    def _take_unreadable(self, header: Header, problem: Problem, now: Micros) -> None:
        """Refuse a command that cannot be read, since its host waits for an answer."""
        if header.link_id and header.kind == Kind.COMMAND:
            self._refuse(header, problem, now)
        else:
            self._nak(header, problem, now)

    def _greet(self, header: Header, hello: Hello, now: Micros) -> None:
        """Judge a HELLO by what the two ends speak; the owner decides about the rest."""
        known, greeted = self._greeting, Greeted(hello, header.correlation_id, header.seq)
        if known is not None and (known[0], known[1]) == (header.correlation_id, hello):
            self._state.statistics.replays += 1
            self._send(known[2], now, header.correlation_id, REPLAYED)
        elif not hello.majors >> MAJOR & 1:
            text = f"this device speaks major {MAJOR} only (bits 0x{1 << MAJOR:x}), the host 0x{hello.majors:x}"
            self._nak(header, Problem(Code.E_VERSION, text), now, 1 << MAJOR, hello.majors)
        elif hello.minor <= MINOR and hello.schema_id not in (0, ours := schema_id(hello.minor)):
            # A newer host's HELLO does not say what it has at our minor: it compares when WELCOME names our schema.
            text = f"schemas differ: device 0x{ours:08x}, host 0x{hello.schema_id:08x} at minor {hello.minor}"
            self._nak(header, Problem(Code.E_SCHEMA, text), now, ours, hello.schema_id)
        elif not hello.host_id:
            text = "host_id 0 stands for no host: choose another number, and keep it"
            self._nak(header, Problem(Code.E_ARGUMENT, text), now, 1, 0)
        elif any(one[:2] == greeted[:2] for one in self._happened):
            self._state.statistics.replays += 1  # A retry in the same bytes: one WELCOME answers both.
        else:
            self._state.listens_to = NOBODY  # What follows in these bytes is of the link that is being replaced.
            self._happened.append(greeted)

    # --- inside: sending, and the link -----------------------------------------------------------------------

    def _beat(self, now: Micros) -> None:
        self._send(self._make_beat(now), now)

    def _refuse(self, header: Header, problem: Problem, now: Micros) -> None:
        refused = Refused(code=problem.code, interlock=0, expected=0, actual=0, sentence=sentence(problem.sentence))
        self._send(refused, now, header.correlation_id)

    def _unlink(self, reason: str) -> None:
        super()._unlink(reason)
        self._greeting = None
        self._owes_beat = False
        self._answers = Answers()


class _EnumFields(dict[type[Message], tuple[str, ...]]):
    """The fields of each message that are enumerations."""

    def __missing__(self, model: type[Message]) -> tuple[str, ...]:
        made = tuple(name for name, field in model.FIELDS.items() if issubclass(field.kind, WireEnum))
        self[model] = made
        return made


_enum_fields: Final = _EnumFields()


def _unknown_value(command: Message) -> str | None:
    """Return the field of a command that carries UNKNOWN, if one does. An answer may carry it, an order may not."""
    for name in _enum_fields[command.__class__]:
        if getattr(command, name).name == "UNKNOWN":
            return name
    return None
