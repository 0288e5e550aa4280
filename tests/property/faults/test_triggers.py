"""Triggers: any that can be written is read as it was meant, and no text does more than be refused."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.faults.trigger import (
    FRAMES,
    MAX_AT_H,
    MAX_LENGTH,
    NAMES,
    SENDERS,
    At,
    Both,
    Compare,
    Either,
    Moment,
    Not,
    Trigger,
    TriggerError,
    condition,
    leaves,
    parse_trigger,
)
from protocols.language.units import SECOND, Micros
from tests.unit.firmware_sim.faults.runs import Shown

WORDS = [name for name, about in NAMES.items() if about.words]
NUMBERS = [name for name, about in NAMES.items() if not about.words]
COUNTS = st.integers(1, 1_000_000_000)
WHOLE = st.integers(-10_000, 10_000)
ANY = WHOLE | st.decimals(-1_000, 1_000, places=3).map(float)
SIGNS = ["==", "!=", "<", "<=", ">", ">="]
LEAVES = st.one_of(
    st.sampled_from(WORDS).flatmap(
        lambda name: st.builds(
            Compare, st.just(name), st.sampled_from(["==", "!="]), st.sampled_from(NAMES[name].words)
        )
    ),
    st.sampled_from(NUMBERS).flatmap(
        lambda name: st.builds(Compare, st.just(name), st.sampled_from(SIGNS), ANY if NAMES[name].continuous else WHOLE)
    ),
    st.integers(0, MAX_AT_H * 3600 * SECOND).map(lambda us: At(Micros(us))),
    st.builds(Moment, st.just("frame"), st.sampled_from(sorted(FRAMES)), COUNTS),
    st.builds(Moment, st.just("piece"), st.sampled_from(SENDERS), COUNTS),
    st.builds(Moment, st.sampled_from(["write", "commit"]), st.just(""), COUNTS),
)


def parts(of: type[Both] | type[Either]) -> "st.SearchStrategy[Trigger]":
    """Several leaves or negations; a part that is of the same sort would be read as more of them."""
    return st.lists(LEAVES | LEAVES.map(Not), min_size=2, max_size=3).map(lambda found: of(tuple(found)))


TRIGGERS = st.one_of(
    LEAVES,
    LEAVES.map(Not),
    parts(Both),
    parts(Either),
    parts(Either).map(Not),
    st.tuples(parts(Either), LEAVES, parts(Either)).map(Both),
    st.tuples(parts(Both), LEAVES).map(Either),
)
TEXTS = st.one_of(
    st.text(max_size=MAX_LENGTH + 10),
    st.lists(
        st.sampled_from(
            [*NAMES, *"()<>,", "==", "!=", "and", "or", "not", "at", "frame", "write", '"1 s"', "3", "-4.5"]
        ),
        max_size=60,
    ).map(" ".join),
)


def written(trigger: Trigger, *, inside: bool = False) -> str:
    """A trigger as a person would write it."""
    match trigger:
        case Compare(name, sign, value):
            return f"{name} {sign} {value!r}"
        case At(us):
            return f'at("{us} us")'
        case Moment(event, of, number):
            return f'{event}("{of}", {number})' if of else f"{event}({number})"
        case Not(part):
            return f"not {written(part, inside=True)}"
        case Both(some):
            return _joined(" and ", some, inside)
        case Either(some):
            return _joined(" or ", some, inside)


def _joined(word: str, parts: tuple[Trigger, ...], inside: bool) -> str:
    text = word.join(written(part, inside=True) for part in parts)
    return f"({text})" if inside else text


@given(TRIGGERS)
def test_what_is_written_is_read_as_it_was_meant(trigger: Trigger) -> None:
    assert parse_trigger(written(trigger)) == trigger


@given(TEXTS)
def test_a_text_is_a_trigger_or_says_where_it_is_none(text: str) -> None:
    try:
        trigger = parse_trigger(text)
    except TriggerError as error:
        assert 1 <= error.column <= max(MAX_LENGTH, len(text) + 1) and "\n" not in error.reason
    else:
        assert leaves(trigger)
        assert condition(trigger)(Micros(0), Shown(), {}) in (True, False)


@given(TRIGGERS)
def test_a_negation_holds_where_its_part_does_not(trigger: Trigger) -> None:
    assert condition(Not(trigger))(Micros(5), Shown(), {}) is not condition(trigger)(Micros(5), Shown(), {})
