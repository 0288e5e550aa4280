"""Judges of a whole run: what every controller keeps in every scene, whatever the device does.

Law: pure functions of a tape. Each passes, or raises the difference between what a rule expects and what was said.
"""

from collections.abc import Callable, Iterator
from typing import Final

from devicectl.conformance.controller.scene import End, Run
from devicectl.conformance.controller.tape import Said, Tape
from devicectl.conformance.device.probe import BrokenRule
from devicectl.conformance.device.wires import payload_of
from protocols.language import messages as M
from protocols.language.enums import Code, Kind, Lane
from protocols.language.units import SECOND

MAX_TRIES: Final = 5
MAX_QUERIES: Final = 4
_ENDS: Final = (M.Refused, M.Failed, M.Aborted, M.Nak)
_OF_LINK: Final = (M.Hello, M.HostHeartbeat, M.Bye, M.Nak)
Judge = Callable[[Run], None]
Key = tuple[int, int, int]


class NotShown(Exception):
    """The run did not come to what a case is about; the text says what was missing."""


def _broken(said: Said, what: str, expected: str, found: str) -> BrokenRule:
    return BrokenRule(f"{what} at {said.at / SECOND:.3f} s", expected, found)


def key_of(said: Said) -> Key:
    """Return connection, link and correlation id, under which a request and its answers belong together."""
    return (said.line, said.header.link_id, said.header.correlation_id)


def is_end(said: Said) -> bool:
    """Return True for an answer that ends a command."""
    message = said.message
    done = said.header.kind == Kind.REPLY and not isinstance(message, M.Received)
    return isinstance(message, _ENDS) or (done and message is not None)


def ended(run: Run) -> None:
    """The command ends by itself, within its limit."""
    if run.end is not End.ITSELF:
        raise BrokenRule("the end of the command", f"by itself within {run.scene.limit_s:g} s", run.told)


def frames_are_whole(run: Run) -> None:
    """No byte of the command is outside a frame, no frame is spoiled, and a zero is in front of the first one."""
    if run.tape.bad:
        at, problem = run.tape.bad[0]
        raise BrokenRule(f"bytes of the command at {at / SECOND:.3f} s", "whole frames", problem)
    begun: set[int] = set()
    for at, line, by_host, piece in run.tape.pieces:
        if by_host and line not in begun and isinstance(piece, bytes):
            begun.add(line)
            if piece[0]:
                raise BrokenRule(f"the first byte of the command at {at / SECOND:.3f} s", "0x00", f"0x{piece[0]:02x}")


def payloads_fit(run: Run) -> None:
    """Each payload is one of the tables."""
    for one in run.tape.said:
        if one.by_host and one.message is None:
            raise _broken(one, one.name, "a payload of the tables", one.item.problem)


def payloads_are_canonical(run: Run) -> None:
    """Each payload is what the tables make of its values: a bool is 0 or 1, and a text is filled up with NUL."""
    for one in run.tape.said:
        if not one.by_host or one.message is None:
            continue
        made = payload_of(one.message)
        if one.item.payload[: len(made)] != made:
            raise _broken(one, f"the payload of {one.name}", made.hex(), one.item.payload.hex())


def seq_rises(run: Run) -> None:
    """The seq of new frames on a link rises by one."""
    last: dict[tuple[int, int], int] = {}
    for one in run.tape.said:
        if not one.by_host or one.again or isinstance(one.message, M.Hello | M.Nak):
            continue
        place = (one.line, one.header.link_id)
        if place in last and one.header.seq != last[place] + 1 & 0xFFFF:
            if _between_naks(run.tape, one):
                last[place] = one.header.seq
                continue
            raise _broken(one, f"seq of {one.name}", str(last[place] + 1 & 0xFFFF), str(one.header.seq))
        last[place] = one.header.seq


def _between_naks(tape: Tape, said: Said) -> bool:
    """Return True if a NAK, which may carry another link's id, has the seq before this one."""
    before = said.header.seq - 1 & 0xFFFF
    return any(one.header.seq == before for one, _ in tape.by_host(M.Nak))


def links_fit(run: Run) -> None:
    """Each frame after WELCOME carries its link id; a NAK may carry that of the frame it is about."""
    granted: dict[int, set[int]] = {}
    for one in run.tape.said:
        if type(one.message) is M.Welcome and not one.by_host:
            granted.setdefault(one.line, set()).add(one.message.link_id)
        elif one.by_host and not isinstance(one.message, M.Nak | M.Hello):
            right, found = granted.get(one.line, {0}), one.header.link_id
            if found not in right:
                raise _broken(one, f"link id of {one.name}", f"one of {sorted(right)}", str(found))


def unasked_is_zero(run: Run) -> None:
    """A frame that nobody asked for carries correlation id 0."""
    for one in run.tape.said:
        if one.by_host and isinstance(one.message, M.HostHeartbeat | M.Bye) and one.header.correlation_id:
            raise _broken(one, f"correlation id of {one.name}", "0", str(one.header.correlation_id))


def greets_first(run: Run) -> None:
    """Nothing comes before HELLO on a connection, and HELLO has link id 0."""
    seen: set[int] = set()
    for one in run.tape.said:
        if not one.by_host:
            continue
        if isinstance(one.message, M.Hello):
            seen.add(one.line)
            if one.header.link_id:
                raise _broken(one, "link id of HELLO", "0", str(one.header.link_id))
        elif one.line not in seen:
            raise _broken(one, "the first frame of a connection", "HELLO", one.name)


def own_messages_only(run: Run) -> None:
    """The command sends commands, HELLO, its heartbeat, BYE and NAK, and nothing of a device."""
    for one in run.tape.said:
        if one.by_host and not one.is_command and not isinstance(one.message, _OF_LINK):
            raise _broken(one, "a message of the command", "a command, HELLO, HostHeartbeat, BYE or NAK", one.name)


def correlation_rises(run: Run) -> None:
    """New correlation ids of a link rise by one and skip 0."""
    last: dict[tuple[int, int], int] = {}
    for one in run.tape.commands:
        place, found = (one.line, one.header.link_id), one.header.correlation_id
        if one.again:
            continue
        if not found:
            raise _broken(one, f"correlation id of {one.name}", "any but 0", "0")
        if place in last and found != (last[place] % 0xFFFF) + 1:
            raise _broken(one, f"correlation id of {one.name}", str(last[place] % 0xFFFF + 1), str(found))
        last[place] = found


def again_as_it_was(run: Run) -> None:
    """A command that is sent again is the one that was sent before."""
    first: dict[Key, Said] = {}
    for one in run.tape.commands:
        key = key_of(one)
        if not one.again:
            first[key] = one
            continue
        before = first.get(key)
        if before is None:
            raise _broken(one, f"{one.name} with RETRANSMIT", "a command that was sent before", "none")
        said, now = (
            (it.header.message_id, it.header.seq, it.header.flags & 0x02, it.item.payload) for it in (before, one)
        )
        if said != now:
            raise _broken(
                one, f"{one.name} that is sent again", f"seq {said[1]} {said[3].hex()}", f"seq {now[1]} {now[3].hex()}"
            )


def five_tries(run: Run) -> None:
    """A command that has met nothing but silence is sent five times at most."""
    tries: dict[Key, int] = {}
    for one in run.tape.said:
        key = key_of(one)
        if one.by_host and (one.is_command or isinstance(one.message, M.Hello)):
            tries[key] = tries.get(key, 0) + 1
            if tries[key] > MAX_TRIES:
                raise _broken(one, f"tries of {one.name} without an answer", f"{MAX_TRIES} at most", str(tries[key]))
        elif not one.by_host and one.header.correlation_id:
            tries[key] = 0
        elif type(one.message) is M.Heartbeat:  # tells that a command is over, which is then asked for again
            tries.clear()


def _lane(said: Said) -> Lane | None:
    return None if said.message is None else said.message.LANE


def _under_way(run: Run) -> Iterator[tuple[Said, list[type]]]:
    """Give each new command with those of its link that have no end yet."""
    open_: dict[Key, type] = {}
    for one in run.tape.said:
        if one.by_host and one.is_command and not one.again:
            before = [kind for key, kind in open_.items() if key[:2] == key_of(one)[:2]]
            yield one, before
            open_[key_of(one)] = type(one.message)
        elif not one.by_host and is_end(one):
            open_.pop(key_of(one), None)


def one_motion(run: Run) -> None:
    """One motion is under way at a time."""
    for one, before in _under_way(run):
        moving = [kind.__name__ for kind in before if getattr(kind, "LANE", None) is Lane.MOTION]
        if moving and _lane(one) is Lane.MOTION:
            raise _broken(one, f"motions under way beside {one.name}", "none", " ".join(moving))


def four_queries(run: Run) -> None:
    """No more than four queries are under way."""
    for one, before in _under_way(run):
        asked = sum(getattr(kind, "LANE", None) is Lane.QUERY for kind in before)
        if _lane(one) is Lane.QUERY and asked >= MAX_QUERIES:
            raise _broken(one, "queries under way", f"{MAX_QUERIES} at most", str(asked + 1))


def acknowledges_what_it_read(run: Run) -> None:
    """An acknowledgement covers records that have come in pages, all of them, and none goes back."""
    read: dict[int, int] = {}
    acked: dict[int, int] = {}
    for one in run.tape.said:
        message = one.message
        if not one.by_host and type(message) is M.Welcome:
            read.setdefault(message.journal_epoch, message.journal_head)  # what is older is of an earlier session
        elif not one.by_host and type(message) is M.JournalPage:
            end = message.first + len(message.records) // 32
            known = read.get(message.epoch, message.first)
            if message.first <= max(known, message.tail):
                read[message.epoch] = max(known, end)
        elif one.by_host and type(message) is M.JournalAck and not one.again:
            before = acked.get(message.epoch, 0)
            if message.upto > read.get(message.epoch, 0):
                found = f"up to {message.upto}"
                raise _broken(one, "JOURNAL_ACK", f"up to {read.get(message.epoch, 0)}, which was read", found)
            if message.upto < before:
                raise _broken(one, "JOURNAL_ACK", f"not below {before}", str(message.upto))
            acked[message.epoch] = message.upto


def punches_when_armed(run: Run) -> None:
    """PUNCH comes behind an ARM that was done, with nothing after it that disarms."""
    armed, used = False, 0
    for one in run.tape.said:
        message = one.message
        if not one.by_host:
            if isinstance(message, M.ArmDone):
                armed = True
            elif isinstance(message, M.Welcome | M.StopDone | M.DisarmDone):
                armed = False
            if isinstance(message, M.Welcome | M.Heartbeat | M.PunchDone | M.CountDone):
                used = max(used, message.cycle_no)
        elif type(message) is M.Punch and not one.again:
            if not armed:
                raise _broken(one, f"PUNCH of cycle {message.cycle_no}", "behind ARM", "not armed")
            if message.cycle_no != used + 1:
                raise _broken(one, "cycle number of PUNCH", str(used + 1), str(message.cycle_no))


def counts_agree(run: Run) -> None:
    """No SESSION_CLOSE is refused for its counts."""
    closes = {key_of(one): one for one, _ in run.tape.by_host(M.SessionClose)}
    for answer, refused in run.tape.heard(M.Refused):
        close = closes.get(key_of(answer))
        if close is not None and refused.code is Code.E_INTERLOCK and refused.expected != refused.actual:
            raise _broken(close, "counts of SESSION_CLOSE", "those of the journal", refused.sentence)


EVERYWHERE: Final[tuple[Judge, ...]] = (
    ended,
    frames_are_whole,
    payloads_fit,
    greets_first,
    own_messages_only,
    correlation_rises,
    again_as_it_was,
    one_motion,
    four_queries,
    acknowledges_what_it_read,
    punches_when_armed,
    counts_agree,
)


def sound(run: Run) -> None:
    """All that holds in every scene."""
    for judge in EVERYWHERE:
        judge(run)
