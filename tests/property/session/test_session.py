"""Short sessions with random faults at random times: each ends reconciled, or in a plain error with a device at rest.

The invariants of the model are held after every event by `tests.world`.
"""

from dataclasses import dataclass

from hypothesis import example, given, settings
from hypothesis import strategies as st

from devicectl.errors import DevicectlError, LinkError
from devicectl.session.entries import Finish
from devicectl.session.procedures import Procedure
from firmware_sim.board.states import ARMED
from protocols.language import messages as M
from protocols.language.enums import CloseReason
from protocols.language.units import MILLISECOND, SECOND
from tests.world import Bystander, Lab, Late, a_plan, assert_counted

KINDS = (
    "mute host",
    "mute device",
    "mute both",
    "cut",
    "reboot",
    "reboot latch unset",
    "reboot latch unreadable",
    "leak",
    "pump",
    "clog",
    "stall",
    "sensor",
    "stop",
    "estop",
    "needles",
)


@dataclass(frozen=True)
class Fault:
    """What goes wrong, how long after the one before, and for how long."""

    kind: str
    after_ms: int
    for_ms: int


FAULTS = st.lists(
    st.builds(
        Fault,
        kind=st.sampled_from(KINDS),
        after_ms=st.one_of(st.integers(0, 400), st.integers(0, 12_000)),
        for_ms=st.sampled_from([0, 1, 50, 150, 650, 1_500, 4_000, 15_000]),
    ),
    max_size=8,
)


def wreak(lab: Lab, fault: Fault) -> None:
    """Put a fault in, let it last, take it away."""
    kind, world = fault.kind, lab.world
    if kind.startswith("mute"):
        world.host_muted = kind != "mute device"
        world.device_muted = kind != "mute host"
        lab.wait(fault.for_ms * MILLISECOND)
        world.host_muted = world.device_muted = False
    elif kind == "cut":
        world.cut()
        lab.wait(fault.for_ms * MILLISECOND)
        world.mend()
    elif kind.startswith("reboot"):
        lab.inject(stall="unset" in kind, latch_unreadable="unreadable" in kind)
        lab.wait(fault.for_ms * MILLISECOND)
        lab.reboot_device()
        lab.inject(stall=False, latch_unreadable=False)
    elif kind == "stop":
        viewer = Bystander(lab)
        viewer.ask(M.Stop())
        lab.device.detach(viewer.port, lab.now)
    else:
        on, off = _DEFECTS[kind]
        lab.inject(**on)
        lab.wait(fault.for_ms * MILLISECOND)
        lab.inject(**off)


_DEFECTS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "leak": ({"leak_kpa_s": 40.0}, {"leak_kpa_s": 0.0}),
    "pump": ({"pump_stalled": True}, {"pump_stalled": False}),
    "clog": ({"clog_now": {0, 2}}, {}),
    "stall": ({"stalls_left": 2, "stall_at": 0.5}, {}),
    "sensor": ({"sensor_drop_p": 0.3}, {"sensor_drop_p": 0.0}),
    "estop": ({"estop_open": True}, {"estop_open": False}),
    "needles": ({"retract_sensor_stuck": True}, {"retract_sensor_stuck": False}),
}


def numbing(lab: Lab) -> Procedure[None]:
    return lab.engine.confirm_anesthesia("lidocaine injection", "trainer")


def session(lab: Lab, faults: list[Fault]) -> Finish:
    """A whole session with faults in it. The operator tries again what a fault that has gone had stopped."""
    lab.open()
    pending = list(faults)
    task = lab.start(numbing(lab))
    numbed = False
    while True:
        if pending:
            lab.wait(pending[0].after_ms * MILLISECOND)
            wreak(lab, pending.pop(0))
        else:
            lab.until(lambda task=task: task.done)  # type: ignore[misc]
        if not task.done:
            continue
        if task.error is not None and not pending:
            task.outcome()
        if task.error is None and numbed:
            break
        numbed = numbed or task.error is None
        task = lab.start(lab.all_cycles() if numbed else numbing(lab))
    if pending:
        wreak(lab, pending[0])
    return lab.close()


def leave(lab: Lab) -> None:
    """What the shell does when a session cannot go on: stop it and close it as aborted, if there is a link."""
    try:
        lab.run(lab.engine.stop())
        assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")
    except LinkError:
        lab.wait(SECOND)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**16), target=st.integers(60, 100), late=st.booleans(), faults=FAULTS)
@example(seed=7, target=80, late=False, faults=[])
@example(seed=0, target=60, late=False, faults=[Fault("pump", 3_000, 4_000), Fault("reboot", 0, 1)])  # lost in a wait
@example(seed=7, target=80, late=True, faults=[Fault("reboot latch unreadable", 3_000, 10), Fault("cut", 100, 0)])
@example(seed=3, target=60, late=False, faults=[Fault("stop", 20, 0)] * 3 + [Fault("reboot", 2_500, 0)] * 3)
def test_session_ends_reconciled_or_in_a_plain_error_with_a_device_at_rest(
    seed: int, target: int, late: bool, faults: list[Fault]
) -> None:
    lab = Lab(seed, plan=a_plan(target), line=Late(seed) if late else None)
    try:
        finish = session(lab, faults)
    except DevicectlError as error:
        assert 10 < len(str(error)) < 400
        leave(lab)
        assert lab.state not in ARMED
        assert lab.device.plant.needle.home(lab.now + SECOND)  # type: ignore[arg-type]
    else:
        assert_counted(lab, finish)
        assert finish.device_totals.cores_counted >= target
