"""Cases of control: who may command, ask, set and stop, and what parameters and faults say."""

from collections.abc import Callable
from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import Run, case
from devicectl.conformance.device.checks import done, equal, refused, true
from devicectl.conformance.device.ground import ZONES, Ground, Stage
from devicectl.conformance.device.link import Link
from devicectl.conformance.device.probe import Steps, UnmetError
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, ParamScope, Role, Stream
from protocols.language.enums import DeviceState as S
from protocols.language.message import Message

MAX_PARAMETERS: Final = 1_000
_ELSEWHERE: Final = "broker_killed"
"""A fault that is no device's own: whoever stops brokers is somebody else."""


def _rival(ground: Ground, role: Role = Role.CONTROLLER) -> Steps[Link]:
    return (yield from ground.open_link(1, host_id=ground.host_id + 1, role=role))


def _start() -> M.AnesthesiaStart:
    return M.AnesthesiaStart(zone=0, age_s=0, method="conformance")


def _open_gives(ground: Ground) -> Steps[None]:
    yield from ground.abandon()
    yield from ground.reach(Stage.OPEN)  # by this link
    rival = yield from _rival(ground)
    no = refused((yield from rival.ask(_start())), Code.E_BUSY)
    equal("the holder in the refusal", ground.host_id, no.actual)
    done((yield from ground.ask(_start())), M.AnesthesiaStartDone)


def _refused_open_gives_none(ground: Ground) -> Steps[None]:
    wrong = M.SessionOpen(target_cores=1_000_000, coverage_bp=400, depth_um=3_000, zones_cm2=(1,))
    refused((yield from ground.ask(wrong)))
    rival = yield from _rival(ground)
    done((yield from rival.ask(ground.plan())), M.SessionOpenDone)
    refused((yield from ground.ask(_start())), Code.E_BUSY)
    ground.drop_link()


def _ends_with(ground: Ground, how: str) -> Steps[None]:
    rival = yield from _rival(ground)
    refused((yield from rival.ask(_start())), Code.E_BUSY)
    if how == "bye":
        ground.leave(ground.link)
    else:
        ground.drop_link()
    yield from ground.reach(Stage.LINKED)
    done((yield from rival.ask(_start())), M.AnesthesiaStartDone)
    no = refused((yield from ground.ask(_start())), Code.E_BUSY)
    equal("the holder in the refusal", ground.host_id + 1, no.actual)
    ground.drop_link()


def _ends_with_close(ground: Ground) -> Steps[None]:
    rival = yield from _rival(ground)
    yield from ground.abandon()
    done((yield from rival.ask(ground.plan())), M.SessionOpenDone)
    ground.drop_link()


def _refused_takes_none(ground: Ground) -> Steps[None]:
    rival = yield from _rival(ground)
    ground.leave(ground.link)
    yield from ground.reach(Stage.LINKED)
    refused((yield from rival.ask(M.Pause())), Code.E_STATE, Code.E_INTERLOCK)
    nowhere = M.AnesthesiaStart(zone=len(ZONES), age_s=0, method="conformance")  # lawful here, but for its zone
    refused((yield from rival.ask(nowhere)))
    # Neither what only asks nor what sets a parameter takes control.
    done((yield from rival.ask(M.DeviceInfo())), M.DeviceInfoDone)
    value = float(rival.welcome.heartbeat_idle_ms)
    done((yield from rival.ask(M.ParamSet(name="heartbeat_idle_ms", value=value))), M.ParamSetDone)
    done((yield from rival.ask(M.Stop())), M.StopDone)
    yield from ground.look()
    command = M.FaultReset() if ground.state is S.SAFE else _start()
    answer = yield from ground.ask(command)
    true("the first command that is carried out", not isinstance(answer.message, M.Refused), "DONE", answer.message)
    refused((yield from rival.ask(_start())), Code.E_BUSY)


def _settings(ground: Ground) -> Steps[None]:
    rival = yield from _rival(ground)
    welcome = ground.link.welcome
    lasting = M.ParamSet(name="heartbeat_idle_ms", value=float(welcome.heartbeat_idle_ms))
    for command in (
        M.JournalAck(epoch=welcome.journal_epoch, upto=welcome.journal_tail),
        lasting,
        M.AlarmAck(code=1502),
    ):
        refused((yield from rival.ask(command)), Code.E_BUSY, Code.E_AUTH)
    done((yield from ground.ask(lasting)), M.ParamSetDone)


def _settings_without_session(ground: Ground) -> Steps[None]:
    rival = yield from _rival(ground)
    value = float(ground.link.welcome.heartbeat_idle_ms)
    done((yield from rival.ask(M.ParamSet(name="heartbeat_idle_ms", value=value))), M.ParamSetDone)
    done((yield from ground.ask(M.ParamSet(name="heartbeat_idle_ms", value=value))), M.ParamSetDone)


def _as_viewer(ground: Ground) -> Steps[Link]:
    """Have the link of channel 0 be a viewer's."""
    yield from ground.reach(Stage.LINKED)
    return (yield from ground.open_link(0, role=Role.VIEWER))


_FORBIDDEN: Final[dict[str, Callable[[Ground], Message]]] = {
    "session-open": Ground.plan,
    "session-close": lambda ground: ground.closing(CloseReason.ABANDONED),
    "anesthesia": lambda ground: _start(),
    "fault-reset": lambda ground: M.FaultReset(),
    "param-set": lambda ground: M.ParamSet(name="heartbeat_idle_ms", value=5_000.0),
    "alarm-ack": lambda ground: M.AlarmAck(code=1502),
    "journal-ack": lambda ground: M.JournalAck(
        epoch=ground.link.welcome.journal_epoch, upto=ground.link.welcome.journal_tail
    ),
    "arm": lambda ground: M.Arm(),
    "punch": Ground.punch,
}


def _forbidden(ground: Ground, make: Callable[[Ground], Message]) -> Steps[None]:
    viewer = yield from _as_viewer(ground)
    refused((yield from viewer.ask(make(ground))), Code.E_AUTH)
    ground.drop_link()


def _viewer_asks(ground: Ground) -> Steps[None]:
    viewer = yield from _as_viewer(ground)
    epoch = viewer.welcome.journal_epoch
    asked: dict[type[Message], Message] = {
        M.DeviceInfoDone: M.DeviceInfo(),
        M.ParamListDone: M.ParamList(index=0),
        M.AlarmListDone: M.AlarmList(index=0),
        M.JournalPage: M.JournalRead(epoch=epoch, first=1, max_records=1),
        M.StreamSetDone: M.StreamSet(stream=Stream.STATE, interval_ms=0),
        M.EchoDone: M.Echo(data=b"v"),
    }
    for model, command in asked.items():
        done((yield from viewer.ask(command)), model)
    ground.drop_link()


def _viewer_stops_at_rest(ground: Ground) -> Steps[None]:
    viewer = yield from _as_viewer(ground)
    done((yield from viewer.ask(M.Stop())), M.StopDone)
    ground.drop_link()


def _viewer_stops_armed(ground: Ground) -> Steps[None]:
    viewer = yield from _rival(ground, Role.VIEWER)
    stopped = done((yield from viewer.ask(M.Stop())), M.StopDone)
    equal("the state in STOP's answer", S.SAFE, stopped.state)
    yield from ground.look()
    equal("the state afterwards", S.SAFE, ground.state)


# --- parameters ---------------------------------------------------------------------------------------------------


def _parameters(ground: Ground) -> Steps[list[M.ParamListDone]]:
    found: list[M.ParamListDone] = []
    count = 1
    while len(found) < min(count, MAX_PARAMETERS):
        answer = done((yield from ground.ask(M.ParamList(index=len(found)))), M.ParamListDone)
        equal("the index of the answer", len(found), answer.index)
        if found:
            equal("the count of the list", count, answer.count)
        count = answer.count
        found.append(answer)
    return found


def _list(ground: Ground) -> Steps[None]:
    found = yield from _parameters(ground)
    names = [one.name for one in found]
    equal("names that are there twice", [], sorted({name for name in names if names.count(name) > 1}))
    for one in found[:: max(1, len(found) // 8)]:
        got = done((yield from ground.ask(M.ParamGet(name=one.name))), M.ParamGetDone)
        equal(f"the value of {one.name}, listed and asked for", one.value, got.value)
    refused((yield from ground.ask(M.ParamList(index=len(found)))), Code.E_RANGE)


def _start_only(ground: Ground) -> Steps[None]:
    found = yield from _parameters(ground)
    fixed = [one for one in found if one.scope is ParamScope.START_ONLY]
    if not fixed:
        raise UnmetError("a device with a parameter that no host may set")
    for one in fixed[:3]:
        refused((yield from ground.ask(M.ParamSet(name=one.name, value=one.value))), Code.E_AUTH)


def _out_of_range(ground: Ground) -> Steps[None]:
    found = yield from _parameters(ground)
    settable = [one for one in found if one.scope is ParamScope.HOST_SETTABLE]
    if not settable:
        raise UnmetError("a device with a parameter that a host may set")
    for one in settable[:3]:
        for value in (one.maximum + 1, one.minimum - 1):
            refused((yield from ground.ask(M.ParamSet(name=one.name, value=value))), Code.E_RANGE)
        after = done((yield from ground.ask(M.ParamGet(name=one.name))), M.ParamGetDone)
        equal(f"the value of {one.name} afterwards", one.value, after.value)


# --- faults over the link -------------------------------------------------------------------------------------------


def _inject(fault: str, when: str = "", given: int = 0) -> M.FaultInject:
    values = {f"value_{number}": 0.0 for number in range(5)}
    return M.FaultInject(fault=fault, when=when, given=given, **values)


def _nobody_can(ground: Ground) -> Steps[None]:
    refused((yield from ground.ask(_inject(_ELSEWHERE))), Code.E_UNSUPPORTED)


def _any_link_injects(ground: Ground) -> Steps[None]:
    viewer = yield from _as_viewer(ground)
    for command in (M.FaultClear(fault_id=0), M.FaultGet(fault_id=40_000), _inject("no_such_kind")):
        answer = yield from viewer.ask(command)
        code = answer.message.code if isinstance(answer.message, M.Refused) else None
        true(f"the answer to a viewer's {type(command).__name__}", code is not Code.E_AUTH, "anything but E_AUTH", code)
    ground.drop_link()


def _refused_changes_nothing(ground: Ground) -> Steps[None]:
    before = (yield from ground.ask(M.FaultClear(fault_id=0))).message
    for wrong in (
        _inject("no_such_kind"),
        _inject("drop", when="cycle =="),
        _inject("drop", given=0x80),
        # One of the device itself, at a cycle that does not come: taken by mistake, it spoils no other case.
        _inject("pump_stalled", when="cycle == 1000000000", given=0x80),
    ):
        refused((yield from ground.ask(wrong)), Code.E_ARGUMENT, Code.E_UNSUPPORTED)
    after = (yield from ground.ask(M.FaultClear(fault_id=0))).message
    cleared = after.cleared if isinstance(after, M.FaultClearDone) else 0
    equal("faults that are there after refusals", 0, cleared)
    equal("the kind of the answer before and after", type(before), type(after))


def _refused_fault_takes_none(ground: Ground) -> Steps[None]:
    viewer = yield from _rival(ground, Role.VIEWER)
    ground.leave(ground.link)
    refused((yield from viewer.ask(_inject("no_such_kind"))), Code.E_ARGUMENT, Code.E_UNSUPPORTED)
    yield from ground.reach(Stage.LINKED)
    equal("the holder in WELCOME", 0, ground.link.welcome.controller_host_id)
    done((yield from ground.ask(_start())), M.AnesthesiaStartDone)


def _cases() -> list[Case]:
    second, opened, idle = Need.SECOND, Stage.OPEN, Stage.IDLE
    made = [
        case("ctl.list", "the list has each parameter once", "CMD-33", _list),
        case("ctl.start-only", "a parameter that no host may set", "CMD-31", _start_only),
        case("ctl.out-of-range", "a value out of its range", "CMD-32", _out_of_range),
        case("ctl.viewer-asks", "a viewer may ask", "CMD-29", _viewer_asks),
        case("ctl.viewer-stops", "a viewer may STOP at rest", "CMD-30", _viewer_stops_at_rest, stage=idle),
        case("flt.elsewhere", "a fault that nobody there can do", "CMD-34", _nobody_can),
        case("flt.any-link", "a viewer may speak of faults", "CMD-35", _any_link_injects),
        case("flt.refused", "a refused fault changes nothing", "CMD-36", _refused_changes_nothing),
        case(
            "ctl.refused-open",
            "a refused SESSION_OPEN gives no control",
            "CMD-23",
            _refused_open_gives_none,
            second,
            stage=idle,
        ),
        case(
            "ctl.settings-idle",
            "any controller sets where nobody holds control",
            "CMD-27",
            _settings_without_session,
            second,
            stage=idle,
        ),
    ]
    for name, make in _FORBIDDEN.items():
        run: Run = partial(_forbidden, make=make)
        needs = (Need.MOTION,) if name in ("arm", "punch") else ()
        made.append(case(f"ctl.viewer-{name}", f"a viewer may not give {name}", "CMD-28", run, *needs))
    made += [
        case("ctl.open", "SESSION_OPEN gives control", "CMD-23 CMD-26", _open_gives, second, stage=opened),
        case(
            "ctl.bye",
            "BYE ends control, and the next takes it",
            "CMD-24 CMD-25",
            partial(_ends_with, how="bye"),
            second,
            stage=opened,
        ),
        case(
            "ctl.hello",
            "HELLO ends control, and the next takes it",
            "CMD-24 CMD-25",
            partial(_ends_with, how="hello"),
            second,
            stage=opened,
        ),
        case("ctl.close", "SESSION_CLOSE ends control", "CMD-24", _ends_with_close, second, stage=opened),
        case("ctl.refused", "a refused command takes no control", "CMD-25", _refused_takes_none, second, stage=opened),
        case(
            "flt.refused-control",
            "a refused fault takes no control",
            "CMD-36 CMD-35",
            _refused_fault_takes_none,
            second,
            stage=opened,
        ),
        case("ctl.settings", "settings are the holder's", "CMD-27 CMD-26", _settings, second, stage=opened),
        case(
            "ctl.viewer-stops-armed",
            "a viewer beside the holder may STOP",
            "CMD-30 CYC-17",
            _viewer_stops_armed,
            second,
            stage=Stage.ARMED,
        ),
    ]
    return made


CASES: Final = tuple(_cases())
