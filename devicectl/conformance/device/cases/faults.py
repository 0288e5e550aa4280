"""Faults of cases: something of a simulated device is broken by FAULT_INJECT, looked at, and mended.

How it works: a case brings in one fault, sees what the rules say of it, and ends it; one that fails leaves that to the
runner. A kind that nobody there can do skips the case. Kinds, quantities and triggers are those of docs/faults.md.
"""

from typing import Final

from devicectl.conformance.device.cases.journals import (
    alarms_are_as_noted,
    cycle_records,
    listed_alarms,
    records_from,
)
from devicectl.conformance.device.checks import done, equal, true
from devicectl.conformance.device.ground import VACUUM_LOOK_MS, VACUUM_MS, Ground
from devicectl.conformance.device.probe import Heard, Steps, UnmetError
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import Code, Ending, Phase
from protocols.language.interlocks import SUCTION

TOLD_MS: Final = 1_000
"""Time for an alarm to be told."""
SOON_MS: Final = 20
"""Time in which a fault that was given begins or ends."""


def broken(ground: Ground, kind: str, *values: float, when: str = "") -> Steps[M.FaultClear]:
    """Bring in a fault with its first quantities; returns the command that ends it.

    Raises:
        UnmetError: nobody there can do that.
        BrokenRule: it is refused for another reason.
    """
    numbers = {f"value_{number}": 0.0 for number in range(5)}
    numbers |= {f"value_{number}": float(value) for number, value in enumerate(values)}
    answer = yield from ground.ask(M.FaultInject(fault=kind, when=when, given=(1 << len(values)) - 1, **numbers))
    if isinstance(answer.message, M.Refused) and answer.message.code is Code.E_UNSUPPORTED:
        raise UnmetError(f"a device that takes the fault {kind}: {answer.message.sentence}")
    clear = M.FaultClear(fault_id=done(answer, M.FaultInjectDone).fault_id)
    ground.restore.append(clear)
    while not when:  # one that begins at once begins behind its answer
        yield from ground.probe.pause(SOON_MS)
        if done((yield from ground.ask(M.FaultGet(fault_id=clear.fault_id))), M.FaultGetDone).began:
            break
    return clear


def mended(ground: Ground, clear: M.FaultClear) -> Steps[None]:
    """End a fault."""
    done((yield from ground.ask(clear)), M.FaultClearDone)
    yield from ground.probe.pause(SOON_MS)
    ground.restore.remove(clear)


def parameter(ground: Ground, name: str) -> Steps[float]:
    """Ask for a parameter.

    Raises:
        UnmetError: the device has none of that name.
    """
    answer = yield from ground.ask(M.ParamGet(name=name))
    if not isinstance(answer.message, M.ParamGetDone):
        raise UnmetError(f"a device with the parameter {name}")
    return answer.message.value


def vacuum_stands(ground: Ground) -> Steps[None]:
    """Wait until no alarm of the suction is left of an earlier cycle, which would keep PUNCH from being taken."""
    ends = ground.probe.now + VACUUM_MS * 1_000
    while ground.probe.now < ends:
        if all(one.interlock != SUCTION for one in (yield from listed_alarms(ground))):
            return
        yield from ground.probe.pause(VACUUM_LOOK_MS)


def hear_alarms(ground: Ground) -> list[tuple[int, int]]:
    """Return a list that is filled with the interlock and the time of each alarm that is told from now on."""
    told: list[tuple[int, int]] = []

    def keep(heard: Heard) -> None:
        if isinstance(heard.message, M.Alarm):
            told.append((heard.message.interlock, heard.at))

    ground.probe.watch = keep
    return told


def is_told(ground: Ground, told: list[tuple[int, int]], interlock: int) -> Steps[int]:
    """See that an interlock's alarm was told, or is within a second; returns when."""
    yield from ground.probe.watch_for(lambda one: any(number == interlock for number, _ in told), TOLD_MS)
    times = [at for number, at in told if number == interlock]
    true("interlocks whose alarms were told", bool(times), str(interlock), [number for number, _ in told])
    return times[0]


def is_noted(ground: Ground, head: int, interlock: int) -> Steps[None]:
    """See that the journal has an interlock's alarm, and the list of alarms what the journal has."""
    records = yield from records_from(ground, head)
    noted = [one.interlock for one in records if isinstance(one, R.AlarmChanged)]
    true("alarms in the journal since the fault, by interlock", interlock in noted, str(interlock), noted)
    yield from alarms_are_as_noted(ground, records)


def ended_in(ground: Ground, cycle_no: int, phase: Phase) -> Steps[None]:
    """See that a cycle has its one record: ABORTED, in a phase."""
    found = [(one.ending, one.phase) for one in (yield from cycle_records(ground, cycle_no))]
    equal(f"endings of cycle {cycle_no}", [(Ending.ABORTED, phase)], found)
