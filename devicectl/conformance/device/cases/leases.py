"""Cases of heartbeat and lease, and of what an armed device does when its host is gone."""

from collections.abc import Callable
from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import Run, case, craft, echoes
from devicectl.conformance.device.cases.journals import cycle_records, records_from
from devicectl.conformance.device.checks import done, equal, nak, refused, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.link import ANSWER_MS
from devicectl.conformance.device.probe import Heard, Steps
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmPriority, AlarmState, Code, Ending, Phase, Role
from protocols.language.enums import DeviceState as S
from protocols.language.interlocks import LINK
from protocols.language.message import Message

SHORT: Final = {"heartbeat_idle_ms": 200.0, "lease_idle_ms": 1_000.0}
"""The shortest times of a device at rest: nobody waits for its usual lease, a quarter of a minute."""
EARLY: Final = 0.6
"""Share of a lease after which the link must still stand."""
BEATS: Final = 3
_SAFE: Final = (S.SAFE,)


def _is_beat(heard: Heard) -> bool:
    return isinstance(heard.message, M.Heartbeat)


def _set(ground: Ground, values: dict[str, float]) -> Steps[None]:
    """Set parameters for the next link; what a device does not let itself be set stays."""
    for name, value in values.items():
        before = (yield from ground.ask(M.ParamGet(name=name))).message
        answer = (yield from ground.ask(M.ParamSet(name=name, value=value))).message
        if isinstance(before, M.ParamGetDone) and isinstance(answer, M.ParamSetDone):
            ground.restore.append(M.ParamSet(name=name, value=before.value))


def _hurry(ground: Ground, **values: float) -> Steps[None]:
    """Link anew with short times."""
    yield from _set(ground, SHORT | values)
    ground.leave(ground.link)
    yield from ground.reach(Stage.LINKED)


def _beats(ground: Ground, *, armed: bool) -> Steps[None]:
    if not armed:
        yield from _hurry(ground)
    welcome = ground.link.welcome
    limit_ms = welcome.heartbeat_armed_ms if armed else welcome.heartbeat_idle_ms
    yield from echoes(ground)
    last = ground.probe.now
    for number in range(BEATS):
        heard = yield from ground.probe.wait(
            "a heartbeat of the device", _is_beat, 2 * limit_ms + ground.probe.slack_ms
        )
        ground.probe.timing(f"heartbeat {number + 1} after silence", heard.at - last, limit_ms)
        last = heard.at


def _heartbeat_is_true(ground: Ground) -> Steps[None]:
    yield from _hurry(ground)
    yield from ground.reach(Stage.OPEN)
    welcome = ground.link.welcome
    heard = yield from ground.probe.wait("a heartbeat", _is_beat, 2 * welcome.heartbeat_idle_ms + 500)
    beat = heard.message
    assert isinstance(beat, M.Heartbeat)
    page = yield from ground.ask(M.JournalRead(epoch=welcome.journal_epoch, first=1, max_records=1))
    equal("the heartbeat's state", S.SESSION_OPEN, beat.state)
    equal("the heartbeat's running command", 0, beat.running_correlation_id)
    equal("the heartbeat's journal head", done(page, M.JournalPage).head, beat.journal_head)
    equal("the heartbeat's totals", (0, 0, 0), (beat.cycles, beat.punctures, beat.cores_counted))


def _heartbeat_while_moving(ground: Ground) -> Steps[None]:
    beats: list[M.Heartbeat] = []

    def keep(heard: Heard) -> None:
        if isinstance(heard.message, M.Heartbeat):
            beats.append(heard.message)

    asked = ground.probe.now
    used = ground.link.command(M.Arm())
    ground.probe.watch = keep
    answer = yield from ground.link.end_of(M.Arm(), used, asked)
    ground.follow(M.Arm(), done(answer, M.ArmDone))
    moving = {(beat.state, beat.running_correlation_id) for beat in beats if beat.state is not S.ARMED}
    true("states and commands of the heartbeats while arming", moving <= {(S.ARMING, used)}, f"ARMING, {used}", moving)


# --- the lease of a device at rest ------------------------------------------------------------------------------


def _expires(ground: Ground) -> Steps[None]:
    yield from _hurry(ground)
    link = ground.link
    lease_ms = link.welcome.lease_idle_ms
    link.beats = False
    yield from ground.probe.pause(EARLY * lease_ms)
    yield from echoes(ground)
    yield from ground.probe.pause(lease_ms + ground.probe.slack_ms + 20)
    yield from _is_lost(ground)


def _is_lost(ground: Ground) -> Steps[None]:
    """See that the device does not know the link any more."""
    link = ground.link
    used = link.command(M.Echo(data=b"late"))
    heard = yield from ground.probe.wait(
        "NAK to a command of a lost link", lambda one: one.header.correlation_id == used, ANSWER_MS
    )
    nak(heard, Code.E_LINK)
    ground.drop_link()


def _renews_nothing(ground: Ground, make: Callable[[Ground], bytes]) -> Steps[None]:
    yield from _hurry(ground)
    link = ground.link
    lease_ms = link.welcome.lease_idle_ms
    link.beats = False
    ends = ground.probe.now + round((lease_ms + ground.probe.slack_ms + 20) * 1_000)
    yield from ground.nak_room()
    while ground.probe.now < ends:
        ground.probe.send(0, make(ground))
        left_ms = (ends - ground.probe.now) / 1_000
        yield from ground.probe.pause(min(lease_ms / 4, left_ms))
    yield from _is_lost(ground)


def _damaged(ground: Ground) -> bytes:
    return craft(ground.link, M.Echo(data=b"12345"), payload_size=4).data


def _of_another_link(ground: Ground) -> bytes:
    return craft(ground.link, M.HostHeartbeat(), link_id=ground.link.link_id ^ 0x0F0F, correlation=0, flags=0).data


def _own(ground: Ground) -> bytes:
    values: dict[str, int] = {name: 0 for name in M.Heartbeat.FIELDS}
    beat = M.Heartbeat.unchecked(**values | {"state": S.IDLE, "highest_alarm": AlarmPriority.NONE})
    return craft(ground.link, beat, correlation=0, flags=0).data


def _renews(ground: Ground, message: Message, message_id: int | None) -> Steps[None]:
    yield from _hurry(ground)
    link = ground.link
    link.beats = False
    lease_ms = link.welcome.lease_idle_ms
    for _ in range(2):
        yield from ground.probe.pause(EARLY * lease_ms)
        if message_id is None:
            link.send(message, correlation=link.next_correlation() if not isinstance(message, M.HostHeartbeat) else 0)
        else:
            ground.probe.send(0, craft(link, message, message_id=message_id).data)
    yield from echoes(ground)


def _zero(ground: Ground) -> Steps[None]:
    yield from _hurry(ground, lease_idle_ms=0.0)
    link = ground.link
    equal("the lease that WELCOME names", 0, link.welcome.lease_idle_ms)
    link.beats = False
    came = yield from ground.probe.pause(SHORT["lease_idle_ms"] + ground.probe.slack_ms + 20)
    true("heartbeats go on", any(_is_beat(one) for one in came), "some", "none")
    yield from echoes(ground)


def _times_hold(ground: Ground) -> Steps[None]:
    old = ground.link
    yield from _set(ground, SHORT)
    old.beats = False
    yield from ground.probe.pause(SHORT["lease_idle_ms"] + ground.probe.slack_ms + 20)
    yield from echoes(ground)
    ground.leave(old)
    yield from ground.reach(Stage.LINKED)
    welcome = ground.link.welcome
    equal("the times of the next WELCOME", (200, 1_000), (welcome.heartbeat_idle_ms, welcome.lease_idle_ms))


# --- an armed device without its host -----------------------------------------------------------------------------


def _uptime(ground: Ground) -> int:
    """Return the device's uptime now, by what it said of it last."""
    return ground.deadline(0)


def _back_in_safe(ground: Ground) -> Steps[None]:
    """Link again after the host was gone, and see the device in SAFE."""
    ground.drop_link()
    yield from ground.reach(Stage.LINKED)
    equal("the state in WELCOME", S.SAFE, ground.state)


def _link_alarms(ground: Ground, head: int) -> Steps[list[R.AlarmChanged]]:
    found = yield from records_from(ground, head)
    return [one for one in found if isinstance(one, R.AlarmChanged) and one.interlock == LINK]


def _goes_safe(ground: Ground, how: str) -> Steps[None]:
    """Leave an armed device in one of the ways there are, and see by its journal when it noticed."""
    link, welcome = ground.link, ground.link.welcome
    page = yield from ground.ask(M.JournalRead(epoch=welcome.journal_epoch, first=1, max_records=1))
    head = done(page, M.JournalPage).head
    left_at = _uptime(ground)
    limit_ms = 0.0
    if how == "bye":
        ground.leave(link)
        yield from ground.probe.pause(LATE_MS)
    elif how != "hello":
        limit_ms = float(welcome.lease_armed_ms)
        link.beats = False
        if how == "close":
            yield from ground.close_channel(0)
        yield from ground.probe.pause(limit_ms + ground.probe.slack_ms + LATE_MS, channel=-1)
    yield from _back_in_safe(ground)
    alarms = yield from _link_alarms(ground, head)
    true("alarms of the lost link in the journal", bool(alarms), "at least one", alarms)
    noticed_ms = alarms[0].uptime_ms - left_at & 0xFFFF_FFFF
    if noticed_ms >= 0x8000_0000:
        noticed_ms = 0
    ground.probe.timing(f"lost link noticed after {how}", noticed_ms * 1_000, limit_ms + AT_ONCE_MS)
    states = {one.state for one in alarms}
    true("the alarm's states", bool(states & {AlarmState.LATCHED, AlarmState.ACTIVE}), "LATCHED", states)


AT_ONCE_MS: Final = 50.0
"""Time for what is to be at once, by the device's own clock and the probe's, which are compared."""


LATE_MS: Final = 300.0
"""Time by which a host comes back after its device must have noticed: one that notices by that alone is too late."""


def _goes_safe_elsewhere(ground: Ground) -> Steps[None]:
    """Greet as the same host on another way: the armed device is made safe, and the new link commands."""
    link = yield from ground.open_link(1, host_id=ground.host_id)
    equal("the state in the second WELCOME", S.SAFE, link.welcome.state)
    done((yield from link.ask(M.FaultReset())), M.FaultResetDone)
    ground.drop_link()


def _vents(ground: Ground) -> Steps[None]:
    """Leave an armed device: its vacuum goes."""
    made_pa = (yield from ground.look()).vacuum_pa
    true("the pressure of an armed device", made_pa < 0, "below 0 Pa", made_pa)
    ground.leave(ground.link)
    yield from ground.probe.pause(VENTED_MS)
    yield from _back_in_safe(ground)
    left_pa = (yield from ground.look()).vacuum_pa
    true(f"the pressure {VENTED_MS:g} ms later", left_pa > made_pa / 2, f"above {made_pa / 2:g} Pa", left_pa)


VENTED_MS: Final = 1_000.0
"""Time for half of the vacuum to go."""


def _open_cycle_ends(ground: Ground, how: str, phases: int, phase: Phase) -> Steps[None]:
    yield from ground.begin_cycle()
    for _ in range(phases):
        yield from ground.next_phase()
    cycle_no = ground.cycle_no
    if how == "bye":
        ground.leave(ground.link)
    else:
        ground.link.beats = False
        yield from ground.probe.pause(ground.link.welcome.lease_armed_ms + ground.probe.slack_ms + 50)
    yield from _back_in_safe(ground)
    found = yield from cycle_records(ground, cycle_no)
    ends = [(one.ending, one.phase) for one in found]
    equal(f"endings of cycle {cycle_no} in the journal", [(Ending.ABORTED, phase)], ends)


def _not_by_itself(ground: Ground) -> Steps[None]:
    ground.leave(ground.link)
    yield from _back_in_safe(ground)
    alarm = done((yield from ground.ask(M.AlarmList(index=0))), M.AlarmListDone)
    equal("the first alarm's interlock and state", (LINK, AlarmState.LATCHED), (alarm.interlock, alarm.state))
    yield from ground.probe.pause(700)
    for command in (M.Arm(), M.Disarm(), M.Resume(), M.Reposition(zone=0, cell=0), ground.punch()):
        refused((yield from ground.ask(command)), Code.E_STATE, Code.E_INTERLOCK)
    yield from ground.look()
    equal("the state after all that", S.SAFE, ground.state)
    done((yield from ground.ask(M.FaultReset())), M.FaultResetDone)
    true("the state after FAULT_RESET", ground.state in (S.IDLE, S.SESSION_OPEN), "SESSION_OPEN", ground.state.name)


def _other_goes(ground: Ground, role: Role, how: str) -> Steps[None]:
    other = yield from ground.open_link(1, host_id=ground.host_id + 1, role=role)
    if how == "bye":
        ground.leave(other)
    else:
        yield from ground.close_channel(1)
    yield from ground.probe.pause(ground.link.welcome.lease_armed_ms + 200)
    yield from ground.look()
    equal(f"the state after a {role.name.lower()} has gone", S.ARMED, ground.state)


def _cases() -> list[Case]:
    idle, armed, placed = Stage.IDLE, Stage.ARMED, Stage.PLACED
    made = [
        case("lse.beats", "heartbeats of a device at rest", "LSE-1", partial(_beats, armed=False), stage=idle),
        case("lse.beats-armed", "heartbeats of an armed device", "LSE-1", partial(_beats, armed=True), stage=armed),
        case("lse.true", "the heartbeat is true", "LSE-6", _heartbeat_is_true, stage=idle),
        case(
            "lse.true-moving",
            "the heartbeat names what moves",
            "LSE-6",
            _heartbeat_while_moving,
            Need.MOTION,
            stage=Stage.NUMB,
        ),
        case("lse.expires", "a silent host loses its link, and not before its time", "LSE-2", _expires, stage=idle),
        case("lse.zero", "a lease of 0 never ends", "LSE-5", _zero, stage=idle),
        case("lse.times-hold", "a set time counts for the next link", "LSE-4", _times_hold, stage=idle),
    ]
    nothing = {
        "damaged": ("bytes that are no frame renew no lease", "FRM-10", _damaged),
        "other": ("a frame of another link renews no lease", "LNK-18", _of_another_link),
        "own": ("a heartbeat that comes back renews no lease", "LNK-21", _own),
    }
    for name, (title, rule, make) in nothing.items():
        made.append(
            case(f"lse.renews-not-{name}", title, rule, partial(_renews_nothing, make=make), Need.BYTES, stage=idle)
        )
    renewing: dict[str, tuple[Message, int | None]] = {
        "heartbeat": (M.HostHeartbeat(), None),
        "query": (M.AlarmList(index=0), None),
        "unknown": (M.Echo(data=b""), 0x0777),
    }
    for name, (message, message_id) in renewing.items():
        run: Run = partial(_renews, message=message, message_id=message_id)
        needs = () if message_id is None else (Need.BYTES,)
        made.append(case(f"lse.renews-{name}", f"{name} renews the lease", "LSE-3", run, *needs, stage=idle))
    for how, rules in {
        "silence": "LSE-7 LSE-11",
        "close": "LSE-7 LSE-11",
        "bye": "LSE-8 LSE-11",
        "hello": "LSE-9 LSE-11",
    }.items():
        made.append(
            case(f"lse.armed-{how}", f"an armed device after {how}", rules, partial(_goes_safe, how=how), stage=armed)
        )
    cut = (
        ("silence", 0, Phase.PUNCH),
        ("bye", 1, Phase.SUCTION),
    )
    for how, phases, phase in cut:
        run = partial(_open_cycle_ends, how=how, phases=phases, phase=phase)
        name = f"lse.cycle-{how}-{phase.name.lower()}"
        made.append(case(name, f"a cycle left after {phase.name} by {how}", "LSE-10 EVT-1", run, stage=placed))
    made += [
        case(
            "lse.armed-hello-elsewhere",
            "an armed device after hello on another way",
            "LSE-9 LNK-10 CMD-24",
            _goes_safe_elsewhere,
            Need.SECOND,
            stage=armed,
        ),
        case("lse.vents", "the vacuum goes with the host", "LSE-7", _vents, stage=armed),
        case(
            "lse.not-by-itself",
            "FAULT_RESET alone leads out of SAFE, and the alarm is latched",
            "LSE-12 LSE-11",
            _not_by_itself,
            stage=armed,
        ),
        *(
            case(
                f"lse.{name}-{how}",
                f"{title} that goes changes nothing",
                "LSE-13",
                partial(_other_goes, role=role, how=how),
                Need.SECOND,
                stage=armed,
            )
            for name, title, role in (
                ("viewer", "a viewer", Role.VIEWER),
                ("rival", "a controller without control", Role.CONTROLLER),
            )
            for how in ("bye", "close")
        ),
    ]
    return made


CASES: Final = tuple(_cases())
