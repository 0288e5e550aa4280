"""A person who does anything at any time, at a device that is stopped, cut off, restarted and that leaks meanwhile.

Whatever the person does, nothing but the errors of a session is raised; host and device are in the same state once both
are at rest; and from there the session can be closed, and reconciles. The model's invariants hold after every event.
"""

from dataclasses import dataclass, field
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from devicectl.errors import CommandError, LinkError, SessionError
from devicectl.session.machine import ENDED, State
from devicectl.session.operators.obstacles import ACTS
from devicectl.session.procedures import Procedure, Task
from firmware_sim.board.states import HELD
from protocols.language.enums import CloseReason, DeviceState
from protocols.language.units import MILLISECOND, SECOND
from tests.property.session.test_session import Fault, wreak
from tests.world import Lab, Late, a_plan, assert_counted

SAME: Final = {
    State.SESSION_OPEN: (DeviceState.SESSION_OPEN,),
    State.ANESTHESIA_WAIT: (DeviceState.ANESTHESIA_WAIT,),
    State.ANESTHESIA_CONFIRMED: (DeviceState.ANESTHESIA_CONFIRMED,),
    State.ARMED: (DeviceState.ARMED,),
    State.PAUSED: (DeviceState.PAUSED,),
    State.RECOVERING: HELD,
    State.COMPLETED: (DeviceState.IDLE, *HELD),
    State.ABORTED: (DeviceState.IDLE, *HELD),
}
"""State of the host -> that of the device, where both are at rest and the link stands."""


@dataclass(frozen=True)
class Doing:
    """An act, its numbers, and how long until the next one; 0: at once, while this one is under way."""

    act: str
    zone: int = 0
    cell: int = 0
    wait_ms: int = 5_000


@dataclass
class Person:
    """Somebody at the controller of a lab, and all that was begun."""

    lab: Lab
    tasks: list[Task[object]] = field(default_factory=list)

    def do(self, doing: Doing) -> None:
        self.tasks.append(self.lab.start(self._procedure(doing)))
        self.lab.wait(doing.wait_ms * MILLISECOND)

    def _procedure(self, doing: Doing) -> Procedure[object]:
        manual, zone, cell = self.lab.engine.manual, doing.zone, doing.cell
        match doing.act:
            case "anesthesia_start":
                return manual.anesthesia_start(zone, cell)
            case "anesthesia_confirm":
                return manual.anesthesia_confirm(zone)
            case "reposition":
                return manual.reposition(zone, cell) if cell < 40 else manual.reposition_next()
            case "acknowledge":
                return manual.acknowledge(1000 + cell if zone > 1 else 0)
            case "close":
                return manual.close(CloseReason.ABORTED)
            case act:
                procedure: Procedure[object] = getattr(manual, act)()
                return procedure

    def rest(self) -> None:
        """Let everything end, and look at it."""
        self.lab.until(lambda: all(task.done for task in self.tasks))
        for task in self.tasks:
            if task.error is not None:
                assert isinstance(task.error, (CommandError, SessionError, LinkError)), task.error
        self.lab.wait(6 * SECOND)
        if self.lab.engine.link.exchange.linked:
            now = self.lab.engine.machine.now
            assert self.lab.state in SAME[now], f"{now.value}, and the device is in {self.lab.state.name}"

    def end(self) -> None:
        """Close the session by hand, whatever has happened."""
        engine = self.lab.engine
        if engine.machine.now not in ENDED and not engine.link.exchange.linked:
            self.lab.run(engine.manual.relink())
        if engine.machine.now not in ENDED:
            self.lab.run(engine.manual.close(CloseReason.ABORTED))
        assert engine.finish is not None
        assert_counted(self.lab, engine.finish, state="aborted")


WORK: Final = [
    *(Doing("anesthesia_start", zone) for zone in (0, 1)),
    *(Doing("anesthesia_confirm", zone) for zone in (0, 1)),
    *(Doing(act) for act in ("arm", "reposition", "cycle", "cycle")),
]
"""What brings a session to its cycles; anything may come between."""

DOINGS = st.builds(
    Doing,
    act=st.sampled_from([*sorted(ACTS), "cycle", "cycle", "stop", "relink", "reset"]),
    zone=st.integers(0, 2),
    cell=st.sampled_from([0, 0, 1, 39, 40, 99]),
    wait_ms=st.sampled_from([0, 0, 1, 20, 50, 100, 300, 2_000, 8_000]),
)
FAULTS = st.builds(
    Fault,
    kind=st.sampled_from(
        ["cut", "mute device", "reboot", "stop", "estop", "leak", "mute both", "stall", "clog", "needles"]
    ),
    after_ms=st.sampled_from([0, 20, 100, 3_000]),
    for_ms=st.sampled_from([0, 50, 1_500, 4_000]),
)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    begun=st.sampled_from([0, 3, 5, len(WORK)]),
    late=st.booleans(),
    steps=st.lists(st.one_of(DOINGS, DOINGS, st.sampled_from(WORK), FAULTS), max_size=25),
)
@example(seed=7, begun=8, late=False, steps=[Doing("cycle", wait_ms=20), Doing("stop"), Doing("reset"), *WORK])
def test_whatever_a_person_does_the_host_is_where_the_device_is_and_the_session_can_be_closed(
    seed: int, begun: int, late: bool, steps: list[Doing | Fault]
) -> None:
    lab = Lab(seed, plan=a_plan(), line=Late(seed) if late else None)
    lab.engine.on_told = lab.engine.manual.heard
    lab.open()
    person = Person(lab)
    for step in (*WORK[:begun], *steps):
        if isinstance(step, Doing):
            person.do(step)
        else:
            lab.wait(step.after_ms * MILLISECOND)
            wreak(lab, step)
    person.rest()
    person.end()
