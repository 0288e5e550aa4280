"""Cases of commands: how each ends, what waits for what, and what is answered from memory."""

from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import QUIET_MS, Run, case
from devicectl.conformance.device.checks import done, equal, refused, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.link import ANSWER_MS, Answer
from devicectl.conformance.device.probe import Heard, Steps, UnmetError
from protocols.language import messages as M
from protocols.language.enums import Code, Kind, Stream
from protocols.language.enums import DeviceState as S
from protocols.language.message import Message
from protocols.language.units import Micros
from protocols.link.header import REPLAYED, REPLY_WANTED, RETRANSMIT

AT_ONCE_MS: Final = 100.0
"""Time for what waits for nothing."""
PROGRESS_MS: Final = 1_000.0
PROGRESS_LATE_MS: Final = 150.0
REMEMBERED: Final = 16
STEPS: Final = 8
"""Steps of one ADVANCE, the most: the phase that lasts longest."""

_QUERIES: Final[dict[str, tuple[Message, type[Message]]]] = {
    "device-info": (M.DeviceInfo(), M.DeviceInfoDone),
    "param-list": (M.ParamList(index=0), M.ParamListDone),
    "param-get": (M.ParamGet(name="heartbeat_idle_ms"), M.ParamGetDone),
    "alarm-list": (M.AlarmList(index=0), M.AlarmListDone),
    "stream-set": (M.StreamSet(stream=Stream.STATE, interval_ms=0), M.StreamSetDone),
    "echo": (M.Echo(data=b"e"), M.EchoDone),
}


def _query(ground: Ground, command: Message, model: type[Message]) -> Steps[None]:
    answer = yield from ground.ask(command)
    done(answer, model)
    equal("the answer's kind and id", (Kind.REPLY, command.ID), (answer.header.kind, answer.header.message_id))
    equal("RECEIVED and PROGRESS of a query", (0, 0), (len(answer.received), len(answer.progress)))
    ground.probe.timing(f"{type(command).__name__} answered", answer.took_us, AT_ONCE_MS)


def _ends_once(ground: Ground) -> Steps[None]:
    asked = [ground.link.command(message) for message, _ in _QUERIES.values()]
    asked.append(ground.link.command(M.FaultReset()))
    came = yield from ground.probe.pause(300)
    ends = [one.header.correlation_id for one in came if _is_end(one)]
    equal("correlation ids of the ends that came", asked, sorted(ends))


def _is_end(heard: Heard) -> bool:
    return heard.header.kind == Kind.REPLY and not isinstance(heard.message, M.Received)


def _received_first(ground: Ground) -> Steps[None]:
    asked = ground.probe.now
    used = ground.link.command(M.Arm())
    first = yield from ground.probe.wait("RECEIVED", lambda one: one.header.correlation_id == used, ANSWER_MS)
    true("the first answer to ARM", isinstance(first.message, M.Received), "RECEIVED", first.message)
    ground.probe.timing("RECEIVED after ARM", first.at - asked, AT_ONCE_MS)
    answer = yield from ground.link.end_of(M.Arm(), used, asked, limit_ms=20_000)
    ground.follow(M.Arm(), done(answer, M.ArmDone))
    later = yield from ground.probe.pause(QUIET_MS)
    equal("answers behind the end", 0, sum(one.header.correlation_id == used for one in later))


def _progress(ground: Ground) -> Steps[None]:
    """Move for more than a second: PROGRESS comes each second, and heartbeats meanwhile that name what moves."""
    beats: list[tuple[Micros, M.Heartbeat]] = []

    def keep(heard: Heard) -> None:
        if isinstance(heard.message, M.Heartbeat):
            beats.append((heard.at, heard.message))

    ground.probe.watch = keep
    answer, state = (yield from ground.ask(M.Reposition(zone=0, cell=1))), S.REPOSITIONING
    if answer.took_us < 1.2 * PROGRESS_MS * 1_000:  # a quick hand: blowing a needle free takes longer
        answer, state = (yield from ground.ask(M.Purge())), S.PURGING
    if answer.took_us < PROGRESS_MS * 1_000:
        raise UnmetError("a device with a hand or a PURGE that takes more than a second")
    wanted = int(answer.took_us / 1_000 // PROGRESS_MS)
    slack = 1 if answer.took_us / 1_000 % PROGRESS_MS < PROGRESS_LATE_MS + ground.probe.slack_ms else 0
    true("PROGRESS of the motion", wanted - slack <= len(answer.progress) <= wanted, f"{wanted}", len(answer.progress))
    last = answer.received[0].at if answer.received else answer.asked
    moving = {(beat.state, beat.running_correlation_id) for at, beat in beats if last < at < answer.at}
    equal("states and commands of the heartbeats meanwhile", {(state, answer.header.correlation_id)}, moving)
    for number, heard in enumerate(answer.progress, 1):
        ground.probe.timing(
            f"PROGRESS {number} after what came before", heard.at - last, PROGRESS_MS + PROGRESS_LATE_MS
        )
        last = heard.at


def _gaps(ground: Ground) -> Steps[None]:
    link = ground.link
    for jump in (0x1000, 0x3FFF, 0x3FFF, 0x3FFF, 0x3FFF, 0x3FFF, 1):
        link.correlation = (link.correlation + jump) & 0xFFFF or 1
        answer = yield from link.ask(M.FaultReset(), correlation=link.correlation)
        no = refused(answer, Code.E_STATE, Code.E_INTERLOCK)
        true(f"the refusal at correlation id {link.correlation}", no.code is not Code.E_EXPIRED, "not expired", no.code)


def _wraps(ground: Ground) -> Steps[None]:
    ground.leave(ground.link)  # on a link of its own no id is used yet
    yield from ground.reach(Stage.LINKED)
    link = ground.link
    link.correlation = 0x7000
    yield from link.ask(M.FaultReset(), correlation=0x7000)
    yield from link.ask(M.FaultReset(), correlation=0xE000)
    for correlation in (0xFFFF, 1, 2):
        refused((yield from link.ask(M.FaultReset(), correlation=correlation)), Code.E_STATE, Code.E_INTERLOCK)
        done((yield from link.ask(M.Echo(data=b"w"), correlation=correlation + 100 & 0xFFFF)), M.EchoDone)
    link.correlation = 200


def _second_motion(ground: Ground) -> Steps[None]:
    used, asked = ground.link.command(M.Arm()), ground.probe.now
    for command in (M.Disarm(), M.Arm(), M.Reposition(zone=0, cell=0), ground.punch()):
        refused((yield from ground.link.ask(command)), Code.E_STATE, Code.E_INTERLOCK)
    answer = yield from _end(ground, used, M.Arm(), asked)
    ground.follow(M.Arm(), done(answer, M.ArmDone))


def _end(ground: Ground, used: int, command: Message, asked: int) -> Steps[Answer]:
    """Wait for the end of a motion, behind which other answers may have come."""
    return (yield from ground.link.end_of(command, used, Micros(asked), limit_ms=20_000))


def _four_queries(ground: Ground, *, moving: bool) -> Steps[None]:
    used, begun = 0, ground.probe.now
    if moving:
        used = ground.link.command(M.Arm())
    queries = [M.DeviceInfo(), M.AlarmList(index=0), M.Echo(data=b"4"), M.ParamList(index=0)]
    asked = [ground.link.command(message) for message in queries]
    missing = set(asked)
    while missing:
        heard = yield from ground.probe.wait(
            "four answers", lambda one: _is_end(one) and one.header.correlation_id in missing, ANSWER_MS
        )
        missing.discard(heard.header.correlation_id)
    ground.probe.timing("four queries answered", ground.probe.now - begun, 4 * AT_ONCE_MS)
    if moving:
        ground.follow(M.Arm(), done((yield from _end(ground, used, M.Arm(), begun)), M.ArmDone))


def _stop_in_a_cycle(ground: Ground) -> Steps[None]:
    yield from ground.begin_cycle()
    yield from ground.next_phase()
    yield from _stop_while_moving(ground, M.Advance(cycle_no=ground.cycle_no, steps=STEPS))


def _stop_while_moving(ground: Ground, motion: Message) -> Steps[None]:
    moving = ground.link.command(motion)
    ground.placed = ground.placed and not isinstance(motion, M.Reposition)
    first = yield from ground.probe.wait("RECEIVED", lambda one: one.header.correlation_id == moving, ANSWER_MS)
    if isinstance(first.message, M.Refused) and first.message.code is Code.E_UNSUPPORTED:
        raise UnmetError(f"a device that has {type(motion).__name__}")
    asked, used = ground.probe.now, ground.link.command(M.Stop())
    ends: dict[int, Message | None] = {}
    while len(ends) < 2:
        heard = yield from ground.probe.wait(
            "the ends of STOP and of what moved",
            lambda one: _is_end(one) and one.header.correlation_id in (moving, used),
            ANSWER_MS,
        )
        ends[heard.header.correlation_id] = heard.message
        if heard.header.correlation_id == used:
            ground.probe.timing("STOP answered", heard.at - asked, AT_ONCE_MS)
    stopped = ends[used]
    true("STOP's answer", isinstance(stopped, M.StopDone), "StopDone", stopped)
    true("the end of what moved", isinstance(ends[moving], M.Aborted), "ABORTED", ends[moving])
    yield from ground.look()
    equal("the state after STOP", S.SAFE, ground.state)


# --- not twice ----------------------------------------------------------------------------------------------------


def _again(ground: Ground, command: Message, *, between: tuple[Message, ...] = ()) -> Steps[None]:
    """Give a command, others, and the first one again: the same answer, marked, and nothing done."""
    first = yield from ground.ask(command)
    for other in between:
        yield from ground.ask(other)
    used = first.header.correlation_id
    again = yield from ground.link.ask(command, correlation=used, flags=REPLY_WANTED | RETRANSMIT)
    equal("the answer to the same command again", first.message, again.message)
    true("the flags of the answer", bool(again.header.flags & REPLAYED), "REPLAYED", again.header.flags)


def _open_again(ground: Ground) -> Steps[None]:
    yield from _again(ground, ground.plan())
    session_no = ground.session_no
    yield from ground.look()
    equal("the state afterwards", S.SESSION_OPEN, ground.state)
    done((yield from ground.ask(M.AnesthesiaStart(zone=0, age_s=0, method="conformance"))), M.AnesthesiaStartDone)
    equal("the session", session_no, ground.session_no)


def _punch_again(ground: Ground) -> Steps[None]:
    yield from _again(ground, ground.punch())
    yield from ground.look()
    equal("the state afterwards", S.PUNCHING, ground.state)
    yield from ground.next_phase()


def _received_again(ground: Ground) -> Steps[None]:
    begun, used = ground.probe.now, ground.link.command(M.Arm())
    yield from ground.probe.wait("RECEIVED", lambda one: one.header.correlation_id == used, ANSWER_MS)
    ground.link.command(M.Arm(), correlation=used, flags=REPLY_WANTED | RETRANSMIT)
    again = yield from ground.probe.wait("RECEIVED again", lambda one: one.header.correlation_id == used, ANSWER_MS)
    true("the answer to ARM again", isinstance(again.message, M.Received), "RECEIVED", again.message)
    true("the flags of the answer", bool(again.header.flags & REPLAYED), "REPLAYED", again.header.flags)
    ground.follow(M.Arm(), done((yield from _end(ground, used, M.Arm(), begun)), M.ArmDone))


def _expired(ground: Ground, behind: int) -> Steps[None]:
    link = ground.link
    link.correlation += behind + 1
    refused((yield from ground.ask(M.FaultReset())), Code.E_STATE, Code.E_INTERLOCK)
    late = yield from link.ask(M.FaultReset(), correlation=link.correlation - behind)
    refused(late, Code.E_EXPIRED)


def _forgotten(ground: Ground) -> Steps[None]:
    first = yield from ground.ask(M.FaultReset())
    for _ in range(REMEMBERED + 4):
        yield from ground.ask(M.FaultReset())
    late = yield from ground.link.ask(M.FaultReset(), correlation=first.header.correlation_id)
    replayed = bool(late.header.flags & REPLAYED)
    no = refused(late)
    true("the answer to a motion of long ago", replayed or no.code is Code.E_EXPIRED, "E_EXPIRED or REPLAYED", no.code)


def _used_id(ground: Ground, first: Message, second: Message) -> Steps[None]:
    answer = yield from ground.ask(first)
    other = yield from ground.link.ask(second, correlation=answer.header.correlation_id)
    refused(other, Code.E_EXPIRED)


def _stop_twice(ground: Ground, state: S) -> Steps[None]:
    for _ in range(2):
        stopped = done((yield from ground.ask(M.Stop())), M.StopDone)
        equal("the state in STOP's answer", state, stopped.state)
    yield from ground.look()
    equal("the state after two STOPs", state, ground.state)


def _cases() -> list[Case]:
    idle, numb, armed, placed = Stage.IDLE, Stage.NUMB, Stage.ARMED, Stage.PLACED
    moves = Need.MOTION
    many = tuple(M.Echo(data=bytes([number])) for number in range(REMEMBERED + 4))
    resets = (M.FaultReset(),) * (REMEMBERED - 1)
    made: list[Case] = []
    for name, (command, model) in _QUERIES.items():
        run: Run = partial(_query, command=command, model=model)
        made.append(case(f"cmd.query-{name}", f"{type(command).__name__} is answered at once", "CMD-2", run))
    made += [
        case("cmd.ends-once", "each command ends once", "CMD-1", _ends_once, stage=idle),
        case("cmd.four-queries", "four queries that come together", "CMD-10", partial(_four_queries, moving=False)),
        case("cmd.gaps", "correlation ids with gaps", "CMD-6", _gaps, stage=idle),
        case("cmd.wraps", "correlation ids past 65,535", "CMD-6", _wraps, stage=idle),
        case("cmd.again-query", "a query again", "CMD-17", partial(_again, command=M.DeviceInfo())),
        case(
            "cmd.again-refused", "a refused motion again", "CMD-17", partial(_again, command=M.FaultReset()), stage=idle
        ),
        case("cmd.again-open", "SESSION_OPEN again", "CMD-17", _open_again, stage=idle),
        case(
            "cmd.sixteen-motions",
            "the answer before fifteen others",
            "CMD-19",
            partial(_again, command=M.FaultReset(), between=resets),
            stage=idle,
        ),
        case(
            "cmd.sixteen-queries",
            "a query before fifteen others",
            "CMD-19",
            partial(_again, command=M.DeviceInfo(), between=many[: REMEMBERED - 1]),
        ),
        case(
            "cmd.queries-push-none",
            "queries push out no motion's answer",
            "CMD-19",
            partial(_again, command=M.FaultReset(), between=many),
            stage=idle,
        ),
        case("cmd.expired-1", "a motion one behind", "CMD-20", partial(_expired, behind=1), stage=idle),
        case("cmd.expired-1000", "a motion far behind", "CMD-20", partial(_expired, behind=1_000), stage=idle),
        case("cmd.forgotten", "a motion of long ago again", "CMD-20", _forgotten, stage=idle),
        case(
            "cmd.used-id-query",
            "a used id with another query",
            "CMD-21",
            partial(_used_id, first=M.DeviceInfo(), second=M.Echo(data=b"x")),
        ),
        case(
            "cmd.used-id-motion",
            "a used id with a motion",
            "CMD-21",
            partial(_used_id, first=M.DeviceInfo(), second=M.FaultReset()),
            stage=idle,
        ),
        case("cmd.stop-twice-idle", "STOP twice at rest", "CMD-22", partial(_stop_twice, state=S.IDLE), stage=idle),
        case(
            "cmd.received-first",
            "RECEIVED comes first, and one end behind it",
            "CMD-3 CMD-1",
            _received_first,
            moves,
            stage=numb,
        ),
        case("cmd.received-again", "a motion under way again", "CMD-18", _received_again, moves, stage=numb),
        case("cmd.second-motion", "a second motion while one moves", "CMD-8", _second_motion, moves, stage=numb),
        case(
            "cmd.four-queries-moving",
            "four queries while the device moves",
            "CMD-10",
            partial(_four_queries, moving=True),
            moves,
            stage=numb,
        ),
        case(
            "cmd.stop-arming",
            "STOP while arming",
            "CMD-11",
            partial(_stop_while_moving, motion=M.Arm()),
            moves,
            stage=numb,
        ),
        case(
            "cmd.stop-hand",
            "STOP while the hand moves",
            "CMD-11",
            partial(_stop_while_moving, motion=M.Reposition(zone=0, cell=0)),
            stage=armed,
        ),
        case("cmd.stop-cycle", "STOP while a phase of a cycle moves", "CMD-11", _stop_in_a_cycle, stage=placed),
        case(
            "cmd.stop-purge",
            "STOP while a purge lasts",
            "CMD-11",
            partial(_stop_while_moving, motion=M.Purge()),
            stage=armed,
        ),
        case("cmd.stop-twice-armed", "STOP twice, armed", "CMD-22", partial(_stop_twice, state=S.SAFE), stage=armed),
        case("cmd.progress", "PROGRESS once a second, and true heartbeats", "CMD-4 LSE-6", _progress, stage=armed),
        case("cmd.again-punch", "PUNCH again", "CMD-17", _punch_again, stage=placed),
    ]
    return made


CASES: Final = tuple(_cases())
