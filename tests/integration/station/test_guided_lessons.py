"""Each ready lesson, played by a trainee who does what the page asks for and nothing else: that fails nothing."""

from typing import Final

import pytest

from devicectl.station.acts import PRESENTER, Act
from devicectl.station.checks import Outcome
from devicectl.station.rail import ItemState
from devicectl.station.ready import READY
from devicectl.station.views.trainee import lesson_ms
from protocols.language.units import SECOND, Micros
from tests.integration.station.trainee import Trainee

SEEDS: Final = (None, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(20)))
"""Seed of the file, and at night those of others."""


def obey(one: Trainee) -> None:
    """Do the next thing, a moment after the page asks for it; where it asks for nothing, look on."""
    step = one.view["next"]
    control = step.get("control")
    if control is None:
        one.wait()
    elif control == "anesthesia_start":
        one.do(control, zone=step["zone"], age_s=age_of(one, step["zone"]))
    else:
        one.do(control, **({"zone": step["zone"]} if "zone" in step else {}))


def age_of(one: Trainee, zone: int) -> int:
    """Age of the anesthesia of a zone, as the page fills it in: none, unless it shows when the zone was numbed."""
    now_ms = lesson_ms(one.room, one.room.now)
    numbed_ms: int = one.view["zones"][zone].get("numbed_ms", now_ms)
    return (now_ms - numbed_ms) // 1_000


@pytest.mark.parametrize("name", ["suction-leak", "used-cartridge", "clogged-needle", "counts-disagree"])
def test_the_automatic_operator_does_what_an_alarm_asks_for_and_completes_the_lesson(name: str) -> None:
    room = Trainee(name).room
    room.do(Act(room.now, PRESENTER, "automatic", {"on": True}))
    while not room.ended and room.now < room.began + room.lesson.lasts_us:
        room.advance(Micros(room.now + 5 * SECOND))
    assert room.controller.screen.ending == "completed"
    assert all(one.state is ItemState.FIRED for one in room.rail.items)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", READY)
def test_who_obeys_the_page_alone_fails_no_critical_check(name: str, seed: int | None) -> None:
    one = Trainee(name, seed)
    end = one.room.began + one.room.lesson.lasts_us
    while not one.room.ended and one.room.now < end:
        obey(one)
    assert one.room.ended, f"the page asks for {one.view['next']} and no more"
    bad = [judged.check.words for judged in one.room.checks.judged if judged.outcome is Outcome.FAILED]
    critical = [judged.check.words for judged in one.room.checks.judged if judged.check.critical]
    assert not set(bad) & set(critical)
