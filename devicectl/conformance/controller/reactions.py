"""Judges of what a command did about one thing: a frame that was put in, a loss, an answer that never came.

Law: pure functions of a tape. What the run did not come to is not shown, and never passes.
"""

from typing import Final

from devicectl.conformance.controller.checks import MAX_TRIES, Judge, NotShown, key_of
from devicectl.conformance.controller.scene import End, Run
from devicectl.conformance.controller.tape import Said
from devicectl.conformance.device.probe import BrokenRule
from devicectl.conformance.outcome import Timing
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, SECOND, Micros

EARLY_MS: Final = 1_000
"""By which a link may seem to end early: two heartbeats, the device's last and the command's, and some lateness."""
RESTS_MS: Final = 2_000
"""Time at the beginning of a silence in which nothing may be asked, if the lease is to be seen."""

CROSSING_MS: Final = 250
"""Time for which a repetition may be on its way, behind a broker of a busy machine, and so cross RECEIVED."""
REPEAT_MS: Final = 150
"""By which a repetition may seem to come early."""


def _put(run: Run, name: str) -> list[Said]:
    found = [one for one in run.tape.said if one.put_in == name]
    if name not in run.tape.put_in:
        raise NotShown(f"the run did not come to it: {name}; {run.told}")
    return found


def nak_to(name: str, *codes: Code) -> Judge:
    """Return the judge of NAKs to the frames that a tamper has put in."""

    def judge(run: Run) -> None:
        for one in _put(run, name):
            naks = [nak for _, nak in run.tape.by_host(M.Nak) if nak.seq == one.header.seq]
            right = f"NAK with {' or '.join(code.name for code in codes)}"
            if not naks:
                raise BrokenRule(f"the answer to seq {one.header.seq} ({name})", right, "nothing")
            if naks[0].code not in codes:
                raise BrokenRule(f"the answer to seq {one.header.seq} ({name})", right, naks[0].code.name)

    return judge


def tells(name: str, expected: int, actual: int) -> Judge:
    """Return the judge of the two values in the NAKs to the frames that a tamper has put in."""

    def judge(run: Run) -> None:
        for one in _put(run, name):
            found = [(nak.expected, nak.actual) for _, nak in run.tape.by_host(M.Nak) if nak.seq == one.header.seq]
            if found[:1] != [(expected, actual)]:
                told = f"{found[0][0]}, {found[0][1]}" if found else "no NAK"
                raise BrokenRule(f"expected and actual of the NAK ({name})", f"{expected}, {actual}", told)

    return judge


def borne(name: str) -> Judge:
    """Return the judge of what is to be passed over or taken: no answer, and the link goes on."""

    def judge(run: Run) -> None:
        seqs = {one.header.seq for one in _put(run, name)}
        for one, nak in run.tape.by_host(M.Nak):
            if nak.seq in seqs or (not seqs and one.at >= run.tape.put_in[name]):
                raise BrokenRule(f"the answer to {name}", "none", f"NAK {nak.code.name}, {nak.sentence}")
        goes_on(name)(run)

    return judge


def goes_on(name: str) -> Judge:
    """Return the judge of a link that goes on: commands follow, and no HELLO."""

    def judge(run: Run) -> None:
        _put(run, name)
        since = run.tape.put_in[name]
        if not any(one.at > since for one in run.tape.commands):
            raise BrokenRule(f"what follows {name}", "commands on the same link", run.told)
        for one, _ in run.tape.by_host(M.Hello):
            if one.at > since:
                raise BrokenRule(f"what follows {name}", "the same link", f"HELLO at {one.at / SECOND:.3f} s")

    return judge


def closed_well(run: Run) -> None:
    """The session is closed, and the device has agreed to its counts."""
    if not any(True for _ in run.tape.heard(M.SessionCloseDone)):
        raise BrokenRule("the end of the session", "SESSION_CLOSE that is done", run.told)
    if run.end is not End.ITSELF or run.code:
        raise BrokenRule("the end of the command", "by itself, with exit code 0", run.told)


def refused_link(name: str) -> Judge:
    """Return the judge of a HELLO that may not become a link: nothing is asked, and the command ends with an error."""

    def judge(run: Run) -> None:
        _put(run, name)
        if run.tape.commands:
            raise BrokenRule(f"what follows {name}", "no command", run.tape.commands[0].name)
        if run.end is not End.ITSELF or run.code == 0:
            raise BrokenRule("the end of the command", "by itself, with an exit code that is not 0", run.told)

    return judge


def asked_again(model: type[Message]) -> Judge:
    """Return the judge of a command without an answer: it comes again, with RETRANSMIT, under its numbers."""

    def judge(run: Run) -> None:
        sent = [one for one, _ in run.tape.by_host(model)]
        if not sent:
            raise NotShown(f"it never sent {model.__name__}; {run.told}")
        if not any(one.again for one in sent):
            raise BrokenRule(f"{model.__name__} without an answer", "the same again, with RETRANSMIT", run.told)

    return judge


def patient(run: Run) -> None:
    """A command that was received is sent again only when a heartbeat does not name it, or nothing has come of it."""
    received: dict[tuple[int, int, int], tuple[Micros, int]] = {}
    first: dict[tuple[int, int, int], Micros] = {}
    beat_ms, over = 0, set[tuple[int, int, int]]()
    for one in run.tape.said:
        key, message = key_of(one), one.message
        if isinstance(message, M.Welcome):
            beat_ms = max(message.heartbeat_idle_ms, message.heartbeat_armed_ms)
        elif isinstance(message, M.Received):
            received[key] = (one.at, message.expected_ms)
            first.setdefault(key, one.at)
        elif isinstance(message, M.Progress) and key in received:
            received[key] = (one.at, received[key][1])
        elif isinstance(message, M.Heartbeat):
            over |= {it for it in received if it[2] != message.running_correlation_id}
        elif one.by_host and one.is_command and one.again and key in received and key not in over:
            if one.at - first[key] < CROSSING_MS * MILLISECOND:
                continue
            since, expected = received[key]
            left_ms = (since - one.at) / MILLISECOND + 2 * expected + min(3 * beat_ms, 600)
            if left_ms > REPEAT_MS:
                found = f"{(one.at - since) / MILLISECOND:.0f} ms after it was received"
                raise BrokenRule(f"{one.name} that moves", "not sent again before it is overdue", found)
    if not received:
        raise NotShown(f"no command was received and took time; {run.told}")


def _spoke_until(run: Run, name: str) -> float:
    """Return the milliseconds for which a command went on to speak on its link, once a tamper had begun.

    Raises:
        NotShown: it asked something, and so may have left for want of an answer.
    """
    begun = next(one for one in run.tape.said if one.by_host and one.at >= run.tape.put_in[name])
    link = (begun.line, begun.header.link_id)
    of_link = [one for one in run.tape.said if one.by_host and (one.line, one.header.link_id) == link]
    spoke = [one for one in of_link if not isinstance(one.message, M.Nak)]  # which has the link of what it is about
    since, last = run.tape.put_in[name], spoke[-1].at
    if any(one.is_command and since < one.at < since + RESTS_MS * MILLISECOND for one in spoke):
        raise NotShown("it asked something while the device was silent, and so its lease is not seen")
    return (last - since) / MILLISECOND


def lost_in_time(name: str, lease_ms: int) -> Judge:
    """Return the judge of a link that has fallen silent: it is left when the lease is over, and not before."""

    def judge(run: Run) -> None:
        _put(run, name)
        took_ms = _spoke_until(run, name)
        run.timings.append(Timing("spoken on without a sign of life", took_ms, lease_ms + run.slack_ms))
        if took_ms > lease_ms + run.slack_ms:
            limit = f"left within {lease_ms} ms and {run.slack_ms:g} ms of slack"
            raise BrokenRule("a link on which nothing valid comes", limit, f"spoken on for {took_ms:.0f} ms")
        if took_ms < lease_ms - EARLY_MS:
            raise BrokenRule(
                "a link that is silent", f"held for its lease, {lease_ms} ms", f"silent after {took_ms:.0f} ms"
            )

    return judge


def held_for(name: str, for_ms: int) -> Judge:
    """Return the judge of a link that is not to be left for a time."""

    def judge(run: Run) -> None:
        _put(run, name)
        took_ms = _spoke_until(run, name)
        if took_ms < for_ms - EARLY_MS:
            raise BrokenRule(f"the link ({name})", f"held for {for_ms} ms", f"silent after {took_ms:.0f} ms")

    return judge


def beats(run: Run) -> None:
    """A command that has nothing to say sends a heartbeat: no silence on a link is longer than its heartbeat time."""
    last: dict[int, Micros] = {}
    beat_ms, armed_ms, armed = 0, 0, False
    longest: dict[bool, Timing] = {}
    for one in run.tape.said:
        message = one.message
        if not one.by_host:
            if isinstance(message, M.Welcome):
                beat_ms, armed_ms = message.heartbeat_idle_ms, message.heartbeat_armed_ms
                last[one.line] = one.at
            armed = isinstance(message, M.ArmDone) or (armed and not isinstance(message, M.DisarmDone | M.StopDone))
            continue
        if one.line in last:
            silence, limit = (one.at - last[one.line]) / MILLISECOND, armed_ms if armed else beat_ms
            what = f"longest silence, {'armed' if armed else 'at rest'}"
            longest[armed] = max(
                longest.get(armed, Timing(what, 0.0, limit + run.slack_ms)),
                Timing(what, silence, limit + run.slack_ms),
                key=lambda timing: timing.value_ms,
            )
            run.timings[:] = longest.values()
            if silence > limit + run.slack_ms:
                found = f"{silence:.0f} ms, until {one.name} at {one.at / SECOND:.3f} s"
                raise BrokenRule(
                    "silence of the command", f"{limit} ms and {run.slack_ms:g} ms of slack at most", found
                )
            last[one.line] = one.at
    if not last:
        raise NotShown(f"no link; {run.told}")


def reads_before_it_punches(run: Run) -> None:
    """A command that comes back to a session reads the journal before it punches again."""
    back, read = False, True
    for one in run.tape.said:
        message = one.message
        if not one.by_host and isinstance(message, M.Welcome):
            back = back or bool(message.session_no)
            read = read and not message.session_no
        elif not one.by_host and isinstance(message, M.JournalPage):
            read = True
        elif one.by_host and isinstance(message, M.Punch) and not read:
            raise BrokenRule("PUNCH after a lost link", "behind a page of the journal", "no JOURNAL_READ before it")
    if not back:
        raise NotShown(f"it did not come back to its session; {run.told}")


def says_bye(run: Run) -> None:
    """A command that closes its session takes leave."""
    if not any(True for _ in run.tape.by_host(M.Bye)):
        raise BrokenRule("the last frame", "BYE", run.told)


def tried_five_times(model: type[Message]) -> Judge:
    """Return the judge of a request that nothing answers: five tries, and the end of the link."""

    def judge(run: Run) -> None:
        tries: dict[tuple[int, int, int], int] = {}
        for one, _ in run.tape.by_host(model):
            tries[key_of(one)] = tries.get(key_of(one), 0) + 1
        if not tries:
            raise NotShown(f"it never sent {model.__name__}; {run.told}")
        first = next(iter(tries.values()))
        if first != MAX_TRIES:
            raise BrokenRule(f"tries of {model.__name__}", f"{MAX_TRIES}, and the link is lost", str(first))

    return judge
