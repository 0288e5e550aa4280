"""A lesson under anybody's hands: no act at any time is more than refused, and the same acts do the same again."""

from typing import Any, Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from devicectl.campaign.scenario import MQTT, SERIAL
from devicectl.station.acts import ACTS, ActError, act_of
from devicectl.station.room import Room
from firmware_sim.faults.catalogue import CATALOGUE
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.unit.devicectl.station.rooms import a_lesson

GAPS_US: Final = (0, 1_000, 40 * MILLISECOND, 300 * MILLISECOND, SECOND, 6 * SECOND, 30 * SECOND)


class Asked(NamedTuple):
    """An act that is asked for, so long after the one before."""

    gap_us: int
    name: str
    arguments: dict[str, Any]


def _fault(name: str, for_ms: int) -> dict[str, Any]:
    lasting = {"for_ms": for_ms} if CATALOGUE[name].quantity("for_ms") is not None else {}
    return {"fault": {"fault": name, **lasting}}


_ZONES: Final = st.integers(0, 2)
_ARGUMENTS: Final[dict[str, st.SearchStrategy[dict[str, Any]]]] = {
    "anesthesia_start": st.fixed_dictionaries({"zone": _ZONES, "age_s": st.sampled_from((0, 100))}),
    "anesthesia_confirm": st.fixed_dictionaries({"zone": _ZONES}),
    "reposition": st.just({}) | st.fixed_dictionaries({"zone": _ZONES, "cell": st.integers(0, 3)}),
    "acknowledge": st.fixed_dictionaries({"code": st.sampled_from((0, 401, 1203))}),
    "automatic": st.fixed_dictionaries({"on": st.booleans()}),
    "inject": st.builds(_fault, st.sampled_from(list(CATALOGUE)), st.sampled_from((50, 5_000))),
    "withdraw": st.fixed_dictionaries({"fault": st.integers(0, 2)}),
    "fire": st.just({"item": "leak"}),
    "skip": st.just({"item": "leak"}),
    "note": st.just({"text": "he hesitates"}),
    "bookmark": st.just({"text": "here"}),
    "override": st.just({"check": "stops", "passed": True, "reason": "he said it"}),
    "host_sent": st.fixed_dictionaries({"data": st.sampled_from(("AA==", "AQID", "no base64"))}),
}


def _asked(name: str) -> st.SearchStrategy[Asked]:
    return st.builds(Asked, st.sampled_from(GAPS_US), st.just(name), _ARGUMENTS.get(name, st.just({})))


OFTEN: Final = ("trigger_press", "reposition", "reset", "inject", "arm", "anesthesia_start", "anesthesia_confirm")
"""Acts without which nothing happens to a session."""
SEQUENCES: Final = st.lists(st.sampled_from((*ACTS, *OFTEN, *OFTEN)).flatmap(_asked), max_size=20)
BEGINNINGS: Final = st.sampled_from(
    [
        ("session_open", 0),
        ("anesthesia_wait", 0),
        ("anesthesia_confirmed", 0),
        ("armed", 0),
        ("armed", 10),
        ("paused", 5),
    ]
)


def played(beginning: tuple[str, int], wire: str, seed: int, asked: list[Asked]) -> Room:
    """A room after those acts, each done by the view that may do most; those that cannot be done are left out."""
    room = Room(a_lesson(*beginning, scenario={"wire": wire}), seed)
    for one in asked:
        view = "trainee" if one.name == "trigger_press" else ACTS[one.name].views[-1]
        act = act_of({"name": one.name, "arguments": one.arguments, "at_us": room.now + one.gap_us}, view)
        try:
            room.do(act)
        except ActError as error:
            assert "\n" not in str(error)
    room.advance(Micros(room.now + 20 * SECOND))
    return room


@settings(max_examples=12)
@given(BEGINNINGS, st.sampled_from((SERIAL, MQTT)), st.integers(1, 1_000), SEQUENCES, st.floats(0, 1))
def test_any_acts_are_done_or_refused_and_do_the_same_again_with_or_without_going_back(
    beginning: tuple[str, int], wire: str, seed: int, asked: list[Asked], share: float
) -> None:
    room = played(beginning, wire, seed, asked)
    earlier = Micros(room.began + round((room.now - room.began) * share))
    again = Room.execute(room.lesson, seed, room.acts, earlier)
    for act in room.acts[len(again.acts) :]:
        again.do(act)
    again.advance(room.now)
    assert again.bench.recording == room.bench.recording
    assert (again.evidence, again.acts) == (room.evidence, room.acts)
    finish = room.commits.finish
    assert finish is None or finish.reconciled
