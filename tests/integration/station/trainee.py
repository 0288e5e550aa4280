"""A trainee who plays a ready lesson: looks at his page alone, and works with his hands in virtual time.

Law: nothing here looks at the device, the script or the faults. What a trainee could not know, a player does not use.
"""

from collections.abc import Callable
from typing import Any, Final

from devicectl.station.acts import act_of
from devicectl.station.evidence import parse_pattern
from devicectl.station.ready import find_lesson
from devicectl.station.room import Room
from devicectl.station.views.trainee import trainee_view
from protocols.language.units import MILLISECOND, SECOND, Micros

GLANCE_US: Final = 50 * MILLISECOND
"""Time between two looks at the controller."""
PATIENCE_S: Final = 120
"""Virtual time for which a trainee waits for anything."""
REACTION_S: Final = 1.0
"""Time between what is seen and what is done."""


def page_of(room: Room) -> dict[str, Any]:
    """What the trainee's page of a room shows."""
    return trainee_view(room)


class Trainee:
    """One trainee in a lesson of his own."""

    def __init__(self, lesson: str, seed: int | None = None) -> None:
        found = find_lesson(lesson)
        self.room = Room(found, found.scenario.seed if seed is None else seed)
        self.target = found.scenario.plan.target_cores

    # --- what he sees --------------------------------------------------------------------------------------------

    @property
    def view(self) -> dict[str, Any]:
        """What the page shows."""
        return page_of(self.room)

    @property
    def cores(self) -> int:
        """Cores that are shown as counted."""
        counted: int = self.view["counts"]["cores"]
        return counted

    @property
    def cycles_left(self) -> int:
        """Cycles that the cell still takes; 0 where the hand is at none."""
        left: int = self.view.get("place", {}).get("cycles_left", 0)
        return left

    def seen(self, pattern: str, since: int = 0) -> bool:
        """True if some evidence from number `since` on is what the pattern names."""
        wanted = parse_pattern(pattern)
        return any(wanted.matches(one) for one in self.room.evidence[since:])

    def count(self, pattern: str) -> int:
        """Number of times that it was seen."""
        wanted = parse_pattern(pattern)
        return sum(wanted.matches(one) for one in self.room.evidence)

    # --- what he does --------------------------------------------------------------------------------------------

    def wait(self, seconds: float = REACTION_S) -> None:
        """Let time pass."""
        self.room.advance(Micros(self.room.now + round(seconds * SECOND)))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Look at the controller until something is there."""
        end = self.room.now + PATIENCE_S * SECOND
        while not condition():
            assert self.room.now < end, f"it never came: {self.view['messages'][-3:]}"
            self.room.advance(Micros(self.room.now + GLANCE_US))

    def wait_for_new(self, pattern: str) -> None:
        """Look at the controller until that is seen, from now on."""
        since = len(self.room.evidence)
        self.wait_for(lambda: self.seen(pattern, since))

    def do(self, name: str, **arguments: object) -> None:
        """Do something at the controller, a moment after what came before."""
        self.wait()
        self.room.do(act_of({"name": name, "arguments": arguments, "at_us": self.room.now}, "trainee"))

    def arm(self) -> None:
        """Arm, and wait until the handpiece is."""
        self.do("arm")
        self.wait_for(lambda: self.view["state"]["name"] == "armed")

    def go_on(self, **place: int) -> None:
        """Bring the hand to a cell: the next one, unless a place is given."""
        self.do("reposition", **place)
        self.wait_for_new("cell")

    def numb(self, zone: int, age_s: int, wait_s: float = 0) -> None:
        """Have a zone numbed, or tell of one that was, and confirm it after a while."""
        self.do("anesthesia_start", zone=zone, age_s=age_s)
        self.wait(wait_s)
        self.do("anesthesia_confirm", zone=zone)

    def press(self, until: Callable[[], bool]) -> None:
        """Hold the trigger until something is seen, or the handpiece refuses a cycle."""
        since = len(self.room.evidence)
        self.do("trigger_press")
        self.wait_for(lambda: until() or self.seen("refusal or link_lost", since))
        self.do("trigger_release")

    def treat(self, until: Callable[[], bool] = bool) -> None:
        """Work cell by cell to the target, or until something is seen."""
        while self.cores < self.target and not until():
            if not self.cycles_left:
                self.go_on()
            since = len(self.room.evidence)
            self.press(lambda: not self.cycles_left or self.cores >= self.target or until())
            if self.seen("refusal", since):
                return

    def close(self) -> None:
        """Close the session."""
        self.do("close")
        self.wait_for(lambda: self.room.ended)
