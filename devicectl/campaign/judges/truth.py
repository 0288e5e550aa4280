"""Judge of the truth: the plant has moved as often as the rows say, and the sensor has seen what they count."""

from typing import Final, NamedTuple

from devicectl.campaign.judges.exactly_once import count
from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import WRITE_FAULTS, Found, Noted, Reading


class _Count(NamedTuple):
    """A count by its name in the truth and in the rows.

    It is written in these states of the device: a fault that meets that very write leaves memory and plant apart, by
    one cycle or by its needles. The truth may then be `less` than the rows say, or `more`.
    """

    name: str
    in_rows: str
    states: tuple[str, ...]
    less: bool
    more: bool
    of_needles: bool


_COUNTS: Final = (
    _Count("cycles_commanded", "cycles", ("ARMED",), less=True, more=True, of_needles=False),
    _Count("cycles_completed", "completed", ("COUNTING",), less=True, more=False, of_needles=False),
    _Count("cores_counted", "cores_counted", ("COUNTING",), less=False, more=True, of_needles=True),
    # Density is never understated: what may have been a puncture is one in the rows.
    _Count("punctures", "punctures", ("ARMED", "PUNCHING"), less=True, more=False, of_needles=True),
)


def judge_ledgers(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold the rows against what the plant has really done."""
    found, truth = count(ledgers), ledgers.truth
    met = [_state_at(reading, noted) for kind in WRITE_FAULTS for noted in reading.fired(kind)]
    breaches = []
    for name, in_rows, states, less, more, of_needles in _COUNTS:
        doubt = sum(state in states for state in met) * (ledgers.needles if of_needles else 1)
        if name == "punctures":
            doubt += ledgers.needles * found["ambiguous"]
        least, most = found[in_rows] - doubt * less, found[in_rows] + doubt * more
        if not least <= truth[name] <= most:
            breaches.append(f"{name} is {truth[name]} in truth, the rows allow {least} to {most}: {found}")
    if truth["cores_evacuated"] > truth["punctures"]:
        breaches.append(f"more cores than punctures: {dict(truth)}")
    if truth["punctures"] > ledgers.needles * truth["cycles_commanded"]:
        breaches.append(f"more punctures than needles in all cycles: {dict(truth)}")
    return [(reading.end_us, sentence) for sentence in breaches]


def _state_at(reading: Reading, noted: Noted) -> str:
    """Return the device's state at an event; "" where it is ready for a cycle and has not been told to begin one."""
    states = [one.event["state"] for one in reading.of("state") if one.place < noted.place]
    heard = [said.frame.name for said in reading.device_heard if said.place < noted.place]
    return "" if not states or (states[-1] == "ARMED" and heard[-1] != "Punch") else states[-1]
