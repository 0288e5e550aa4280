"""The simulated device is the machine that docs/protocol.md describes."""

import pytest

from devicectl.cli.conform.learn import CALM
from devicectl.conformance.learn.expected import START, accepts
from devicectl.conformance.learn.learner import learn
from devicectl.conformance.learn.session import opened
from devicectl.conformance.learn.words import answers, count_states, crossing, suite
from devicectl.transports.urls import parse_url

EACH = 7
"""By day one word of so many: it has no divisor in common with the number of letters, so each is met."""


def test_states_and_letters_by_day() -> None:
    with opened(parse_url(f"{CALM}&seed=7"), allow_motion=False) as query:
        for word in list(crossing())[::EACH]:
            found = query(word)
            assert all(map(accepts, answers(START, word), found)), (word, found)


@pytest.mark.nightly
def test_it_is_learned_whole() -> None:
    pytest.importorskip("aalpy")
    with opened(parse_url(f"{CALM}&seed=7"), allow_motion=False) as query:
        learned = learn(query, suite())
    assert (learned.split, learned.states) == (None, count_states())
