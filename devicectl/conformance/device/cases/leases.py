"""Cases of heartbeat and lease, and of what an armed device does when its host is gone."""

from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import case, echoes
from devicectl.conformance.device.cases.journals import cycle_records, records_from
from devicectl.conformance.device.cases.silences import hurry, is_beat
from devicectl.conformance.device.checks import done, equal, refused, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.linked import SETTLE_MS
from devicectl.conformance.device.probe import Steps
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmState, Code, Ending, Phase, Role
from protocols.language.enums import DeviceState as S
from protocols.language.interlocks import LINK
from protocols.language.units import MILLISECOND

BEATS: Final = 3


def _beats(ground: Ground, *, armed: bool) -> Steps[None]:
    if not armed:
        yield from hurry(ground)
    welcome = ground.link.welcome
    limit_ms = welcome.heartbeat_armed_ms if armed else welcome.heartbeat_idle_ms
    yield from echoes(ground)
    last = ground.probe.now
    for number in range(BEATS):
        heard = yield from ground.probe.wait("a heartbeat of the device", is_beat, 2 * limit_ms + ground.probe.slack_ms)
        ground.probe.timing(f"heartbeat {number + 1} after silence", heard.at - last, limit_ms)
        last = heard.at


def _heartbeat_is_true(ground: Ground) -> Steps[None]:
    yield from hurry(ground)
    yield from ground.reach(Stage.OPEN)
    welcome = ground.link.welcome
    heard = yield from ground.probe.wait("a heartbeat", is_beat, 2 * welcome.heartbeat_idle_ms + 500)
    beat = heard.message
    assert isinstance(beat, M.Heartbeat)
    page = yield from ground.ask(M.JournalRead(epoch=welcome.journal_epoch, first=1, max_records=1))
    equal("the heartbeat's state", S.SESSION_OPEN, beat.state)
    equal("the heartbeat's running command", 0, beat.running_correlation_id)
    equal("the heartbeat's journal head", done(page, M.JournalPage).head, beat.journal_head)
    equal("the heartbeat's totals", (0, 0, 0), (beat.cycles, beat.punctures, beat.cores_counted))


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
    left_at = ground.probe.now
    yield from _back_in_safe(ground)
    while True:
        left_pa = (yield from ground.look()).vacuum_pa
        if left_pa > made_pa / 2:
            return
        after_ms = (ground.probe.now - left_at) / MILLISECOND
        true(f"the pressure {after_ms:.0f} ms later", after_ms < VENTED_MS, f"above {made_pa / 2:g} Pa", left_pa)
        yield from ground.probe.pause(SETTLE_MS)


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
        yield from ground.probe.pause(SETTLE_MS)
    else:  # which a device may notice by the lease alone
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
    ]
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
