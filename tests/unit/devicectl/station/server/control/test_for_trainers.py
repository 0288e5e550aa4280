"""Plain words of faults: of kinds that there are and that a lesson can have."""

from devicectl.campaign.possible import why_not_on
from devicectl.campaign.scenario import SERIAL
from devicectl.station.possible import OF_THE_PERSON
from devicectl.station.server.control.for_trainers import FOR_TRAINERS
from firmware_sim.faults.catalogue import CATALOGUE


def test_each_is_a_kind_that_a_trainer_can_bring_into_a_ready_lesson() -> None:
    for name, words in FOR_TRAINERS.items():
        assert not why_not_on(SERIAL, CATALOGUE[name])
        assert words[0].islower() and not words.endswith(".")
    assert not set(OF_THE_PERSON) & set(FOR_TRAINERS)
