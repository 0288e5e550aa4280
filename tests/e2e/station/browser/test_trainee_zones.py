"""The zones on the trainee's page: what the handpiece has forgotten is told again with its age."""

from typing import Final

from tests.e2e.station.documents import Json, clock, trainee
from tests.e2e.station.stage import Stage

NUMBED: Final = {"zone": 0, "name": "chin", "area_cm2": 12, "confirmed": False, "cells_done": 1, "numbed_ms": -300_000}


def _view(**zone: object) -> Json:
    controls = trainee()["controls"] | {
        name: {"enabled": True}
        for name in ("anesthesia_start", "anesthesia_confirm", "arm", "disarm", "reposition", "pause", "resume", "stop")
    }
    more = {name: {"enabled": True} for name in ("acknowledge", "silence", "reset")}
    return trainee() | {
        "clock": clock(t_ms=60_500),
        "controls": controls | more,
        "zones": [NUMBED | zone],
        "prebrief": "Go on.",
        "minutes": 5,
        "sound": {},
        "cycle": {"cycle_no": 0, "phase": "none", "began_ms": 0, "takes_ms": 0},
    }


def _told(stage: Stage, name: str, view: Json) -> Json:
    """What is sent when a zone's button is pressed."""
    page = stage.shown("/trainee/1", view)
    page.get_by_role("button", name=name).click()
    stage.until(page, lambda: len(stage.sockets[-1].received) == 2, "the act")
    assert stage.troubles == []
    arguments: Json = stage.sockets[-1].received[1]["arguments"]
    return arguments


def test_a_zone_that_the_handpiece_has_forgotten_is_told_with_its_age(stage: Stage) -> None:
    assert _told(stage, "Tell again: chin", _view()) == {"zone": 0, "age_s": 360}


def test_a_zone_is_told_with_the_age_that_the_trainee_says(stage: Stage) -> None:
    """So that a trainee can tell the handpiece of more than was so."""
    page = stage.shown("/trainee/1", _view(wait_until_ms=0))
    field = page.get_by_label("Numbed, minutes ago: chin")
    field.fill("7")
    page.get_by_role("button", name="Numb: chin").click()
    stage.until(page, lambda: len(stage.sockets[-1].received) == 2, "the act")
    assert stage.sockets[-1].received[1]["arguments"] == {"zone": 0, "age_s": 420}
    assert field.input_value() == "0"


def test_a_zone_that_it_knows_is_numbed_again(stage: Stage) -> None:
    assert _told(stage, "Numb: chin", _view(wait_until_ms=0)) == {"zone": 0}
