"""What goes over the wire of somebody else's host: its acts, and the screen that it could have."""

from devicectl.campaign.bench import BenchClock
from devicectl.session.machine import State
from devicectl.session.plan import Plan, Zone
from devicectl.session.procedures import ask
from devicectl.station.console.commits import Commits
from devicectl.station.console.ledger import Ledger
from devicectl.station.console.overheard import Overheard
from devicectl.station.console.screen import Screen
from devicectl.station.room import Room
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, DeviceState, Stream
from protocols.language.units import Micros
from protocols.link.header import Header
from protocols.link.port import Envelope
from tests.unit.devicectl.station.elsewhere import NUMB, Elsewhere, a_foreign_lesson, in_a_session
from tests.unit.devicectl.station.rooms import do, seen, wait, words
from tests.world import IDENTITY


def a_heartbeat() -> M.Heartbeat:
    """A heartbeat of an idle device."""
    numbers = dict.fromkeys(("cycle_no", "cycles", "punctures", "cores_counted", "journal_head", "uptime_ms"), 0)
    return M.Heartbeat(
        state=DeviceState.IDLE,
        highest_alarm=AlarmPriority.NONE,
        trigger_held=False,
        running_correlation_id=0,
        params_hash=0,
        **numbers,
    )


def test_each_command_is_an_act_as_of_a_hand_and_each_cycle_is_shown() -> None:
    host = in_a_session(cycles=2)
    room, screen = host.room, host.room.controller.screen
    assert seen(room, "act") == [
        *("anesthesia_start", "anesthesia_start", "anesthesia_confirm", "anesthesia_confirm"),
        *("arm", "reposition", "trigger_press"),
    ]
    assert (screen.cores, screen.cycles, screen.state) == (6, 2, State.ARMED)
    assert room.controller.place == (0, 0) and screen.cells[0, 0].done == 2
    assert all(zone.confirmed for zone in room.controller.zones.values())
    assert seen(room, "cores") == ["3", "6"]


def test_the_trigger_counts_as_let_go_when_no_other_cycle_follows() -> None:
    host = in_a_session(cycles=1)
    assert host.room.controller.held
    host.wait(lambda: not host.room.controller.held, at_most_s=2.1)
    assert seen(host.room, "act")[-1] == "trigger_release"


def test_a_stop_lets_the_trigger_go_first() -> None:
    host = in_a_session(cycles=1)
    host.run(host.engine.stop())
    assert seen(host.room, "act")[-2:] == ["trigger_release", "stop"]
    assert host.room.controller.screen.state is State.RECOVERING


def test_a_refusal_is_shown_with_its_reason_and_the_state_stays() -> None:
    host = Elsewhere(Room(a_foreign_lesson(), 7))
    host.connect()
    host.run(host.engine.connect())
    task = host.engine.link.start(ask(M.Arm()), host.room.now)
    host.wait(lambda: task.done)
    assert task.error is not None and seen(host.room, "refusal")
    assert str(task.error) in words(host.room) and host.room.controller.screen.state is State.IDLE


def test_an_alarm_comes_to_the_screen_and_goes() -> None:
    host = in_a_session(cycles=1)
    do(host.room, "inject", fault={"fault": "emergency_stop"})
    host.wait(lambda: bool(seen(host.room, "alarm")))
    assert host.room.controller.screen.state is State.RECOVERING


def test_measurements_are_shown_where_the_host_has_asked_for_them() -> None:
    host = in_a_session()
    assert host.room.controller.screen.telemetry is None
    host.run(ask(M.StreamSet(stream=Stream.STATE, interval_ms=200)))
    host.wait(lambda: host.room.controller.screen.telemetry is not None)


def test_the_plan_is_that_with_which_the_host_has_opened_its_session() -> None:
    host = Elsewhere(Room(a_foreign_lesson(), 7))
    zones = (Zone(name="forehead", area_cm2=5),)
    host.open(Plan(target_cores=60, zones=zones, depth_mm=2.0, operator=NUMB.operator))
    plan = host.room.controller.plan
    assert (plan.target_cores, plan.depth_um, plan.zones) == (60, 2_000, (Zone(name="zone 0", area_cm2=5),))


def test_silence_for_longer_than_the_lease_is_a_lost_link() -> None:
    host = in_a_session(cycles=1)
    do(host.room, "inject", fault={"fault": "mute", "direction": "device", "for_ms": 2_000})
    wait(host.room, 0.5)
    assert host.room.controller.screen.linked
    wait(host.room, 0.5)
    assert "the link is lost: nothing was heard for 0.6 s" in words(host.room)


def test_what_is_heard_again_brings_back_a_link_that_was_lost_for_silence_alone() -> None:
    evidence: list[str] = []
    screen = Screen(lambda: Micros(0), lambda kind, name="", number=0: evidence.append(kind))
    ledger = Ledger(Commits(lambda: Micros(0), BenchClock()), IDENTITY)
    overheard = Overheard(screen, screen._see, ledger, NUMB, lambda: Micros(0), lambda at, act: None)
    screen.link()
    for silent, linked in ((True, True), (False, False)):
        overheard.lose("in a test", silent=silent)
        overheard.device_said(Envelope(Header(0x12, 0, 3, 1, 1, 0, 0, 0), a_heartbeat(), None))
        assert screen.linked is linked


def test_a_link_that_its_host_leaves_is_lost_at_once() -> None:
    host = in_a_session()
    now = host.room.now
    host.leave()
    assert [one.at_us for one in host.room.evidence if one.kind == "link_lost"] == [now]
    assert host.room.controller.screen.state is State.RECOVERING
