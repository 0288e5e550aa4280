"""Faults of a run as it went: each at the very place where it began, what was met by chance as a fault of its own.

Why: a fault whose trigger is a state, or which meets a share of the pieces by chance, begins elsewhere as soon as
another one is taken out of the list. One at a piece, a write, a commit or a time stays where it is.
"""

from collections.abc import Iterator, Sequence

from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.injector import MAX_MET, Firing, Place
from firmware_sim.faults.trigger import At


def concrete(firings: Sequence[Firing]) -> tuple[Fault, ...]:
    """Return the faults that have fired, in the order of their beginnings."""
    fired = [firing for firing in firings if firing.effects]
    fired.sort(key=lambda firing: (firing.began_at, firing.index))
    return tuple(fault for firing in fired for fault in _pieces(firing))


def _pieces(firing: Firing) -> Iterator[Fault]:
    fault, began = firing.fault, firing.began
    assert began is not None
    if "share" in fault.values and firing.effects <= MAX_MET:
        usual = ("pieces", "share", "for_ms", "direction")
        values = {name: value for name, value in fault.values.items() if name not in usual}
        yield from (declare(fault.kind.name, as_text(place), **values) for place in firing.met)
    else:
        yield declare(fault.kind.name, as_text(began), **fault.values)


def as_text(place: Place) -> str:
    """Return the trigger of a place, as in a scenario."""
    match place:
        case At(us):
            return f'at("{us} us")'
        case (event, "", number):
            return f"{event}({number})"
        case (event, of, number):
            return f'{event}("{of}", {number})'
