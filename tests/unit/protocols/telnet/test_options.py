"""Options of Telnet: agreed on, refused, and never a circle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.telnet.codec import Negotiation, TelnetDecoder, Verb, negotiate
from protocols.telnet.options import Option, Options, State

WILL, WONT, DO, DONT = Verb.WILL, Verb.WONT, Verb.DO, Verb.DONT
BINARY = Option.BINARY


def options() -> Options:
    return Options(ours=(BINARY,), theirs=(BINARY, Option.COM_PORT))


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        ([(DO, BINARY)], [(WILL, BINARY)]),
        ([(DO, BINARY), (DO, BINARY)], [(WILL, BINARY)]),
        ([(WILL, Option.COM_PORT)], [(DO, Option.COM_PORT)]),
        ([(DO, Option.COM_PORT)], [(WONT, Option.COM_PORT)]),
        ([(WILL, Option.ECHO)], [(DONT, Option.ECHO)]),
        ([(WONT, Option.ECHO), (DONT, 99)], []),
        ([(DO, BINARY), (DONT, BINARY)], [(WILL, BINARY), (WONT, BINARY)]),
        ([(WILL, BINARY), (WONT, BINARY), (WONT, BINARY)], [(DO, BINARY), (DONT, BINARY)]),
        ([(WONT, BINARY), (WILL, BINARY)], [(DO, BINARY)]),
    ],
)
def test_a_peers_word_has_its_answer(words: list[tuple[Verb, int]], answers: list[tuple[Verb, int]]) -> None:
    ours = options()
    said = [ours.take(Negotiation(verb, option)) for verb, option in words]
    assert b"".join(said) == b"".join(negotiate(verb, option) for verb, option in answers)


def test_what_was_asked_for_is_settled_without_a_further_word() -> None:
    ours = options()
    assert ours.ask(ours=[BINARY], theirs=[BINARY]) == negotiate(WILL, BINARY) + negotiate(DO, BINARY)
    assert (ours.ours(BINARY), ours.theirs(BINARY)) == (State.ASKED, State.ASKED)
    assert ours.take(Negotiation(DO, BINARY)) == ours.take(Negotiation(WONT, BINARY)) == b""
    assert (ours.ours(BINARY), ours.theirs(BINARY)) == (State.ON, State.REFUSED)
    assert ours.theirs(Option.COM_PORT) is State.OFF


def test_options_that_a_peer_makes_up_are_not_kept() -> None:
    ours = options()
    for option in range(50, 250):
        for verb in Verb:
            ours.take(Negotiation(verb, option))
    assert ours._states == {}


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(Option)), max_size=6), st.data())
def test_two_ends_come_to_an_end_and_agree(asked: list[tuple[bool, Option]], data: st.DataObject) -> None:
    some = st.sets(st.sampled_from(Option))
    ends = [Options(data.draw(some), data.draw(some)) for _ in range(2)]
    sent = [b"", b""]
    for of_first, option in asked:
        sent[of_first] += ends[of_first].ask(ours=[option])
    words = 0
    while any(sent):
        for at in (0, 1):
            said, sent[at] = sent[at], b""
            for item in TelnetDecoder().feed(said):
                assert isinstance(item, Negotiation)
                sent[1 - at] += ends[1 - at].take(item)
                words += 1
        assert words <= 4 * len(asked) + 4
    for option in Option:
        assert (ends[0].ours(option) is State.ON) == (ends[1].theirs(option) is State.ON)
