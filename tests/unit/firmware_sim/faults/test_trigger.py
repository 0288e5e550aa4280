"""Triggers: what each form means, when it holds, and where a text stops being one."""

from typing import Final

import pytest

from firmware_sim.errors import SimulatorError
from firmware_sim.faults.trigger import (
    FRAMES,
    MAX_DEPTH,
    MAX_LENGTH,
    NAMES,
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
from protocols.language.enums import Kind
from protocols.language.messages import Count, CountDone
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.unit.firmware_sim.faults.runs import Shown

CYCLE_3: Final = Compare("cycle", "==", 3)
SUCTION: Final = Compare("phase", "==", "suction")
LOW: Final = Compare("vacuum_kpa", ">", -45)
RIGHT: Final[dict[str, Trigger]] = {
    "cycle == 3": CYCLE_3,
    "cycle==3": CYCLE_3,
    "  cycle\t==\n3  ": CYCLE_3,
    "phase != 'none'": Compare("phase", "!=", "none"),
    'state == "safe"': Compare("state", "==", "safe"),
    "vacuum_kpa > -45": LOW,
    "vacuum_kpa >= -45.5": Compare("vacuum_kpa", ">=", -45.5),
    "depth_um < 20": Compare("depth_um", "<", 20),
    "uptime_s <= 1.0": Compare("uptime_s", "<=", 1.0),
    'cycle == 3 and phase == "suction"': Both((CYCLE_3, SUCTION)),
    'cycle == 3 and phase == "suction" and vacuum_kpa > -45': Both((CYCLE_3, SUCTION, LOW)),
    'cycle == 3 or phase == "suction" and vacuum_kpa > -45': Either((CYCLE_3, Both((SUCTION, LOW)))),
    '(cycle == 3 or phase == "suction") and vacuum_kpa > -45': Both((Either((CYCLE_3, SUCTION)), LOW)),
    "not cycle == 3": Not(CYCLE_3),
    "not not cycle == 3": Not(Not(CYCLE_3)),
    'not cycle == 3 and phase == "suction"': Both((Not(CYCLE_3), SUCTION)),
    'not (cycle == 3 and phase == "suction")': Not(Both((CYCLE_3, SUCTION))),
    "((cycle == 3))": CYCLE_3,
    'at("12 s")': At(Micros(12 * SECOND)),
    "at('0.5s')": At(Micros(SECOND // 2)),
    'at(" 250 ms ")': At(Micros(250 * MILLISECOND)),
    'at("7 us")': At(Micros(7)),
    'at("2 min")': At(Micros(120 * SECOND)),
    'at("24 h")': At(Micros(86_400 * SECOND)),
    'frame("COUNT", 3)': Moment("frame", "COUNT", 3),
    'frame("COUNT_DONE",1)': Moment("frame", "COUNT_DONE", 1),
    'piece("host", 17)': Moment("piece", "host", 17),
    "write(5)": Moment("write", "", 5),
    "commit(2)": Moment("commit", "", 2),
}
PLACES: Final = ", ".join((*NAMES, "at", "frame", "piece", "write", "commit"))
WRONG: Final = {
    "": (1, f"must be one of {PLACES}, and the text ends"),
    "cykle == 3": (1, f"must be one of {PLACES}, not cykle"),
    '"cycle" == 3': (1, f'must be one of {PLACES}, not "cycle"'),
    "cycle": (6, "must be one of == != < <= > >=, and the text ends"),
    "cycle = 3": (7, "must be one of == != < <= > >=, not ="),
    "cycle == 3 && zone == 0": (12, "must be and, or, or the end, not &"),
    "zone == ٣": (9, "must be a whole number, not ٣"),
    "write(²)": (7, "must be a whole number from 1, not ²"),
    'at("12 s)': (4, 'must be a time such as "12 s" or "250 ms", not "'),
    "cycle == 2.5": (10, "must be a whole number, not 2.5"),
    f"cycle == {'9' * 400}": (10, "must be a number from -1000000000 to 1000000000, not 999"),
    f"vacuum_kpa < -{'9' * 400}.5": (14, "must be a number from -1000000000 to 1000000000, not -999"),
    "cycle == ": (10, "must be a whole number, and the text ends"),
    'cycle == "3"': (10, 'must be a whole number, not "3"'),
    'depth_um == "3"': (13, 'must be a number, not "3"'),
    "phase > 'suction'": (7, "must be == or !=, not >"),
    "phase == 3": (10, 'must be one of "none", "punch", "suction", "advance", "count", not 3'),
    "phase == 'suktion'": (10, 'must be one of "none", "punch", "suction", "advance", "count", not \'suktion\''),
    "cycle == 3 phase": (12, "must be and, or, or the end, not phase"),
    "cycle == 3 and": (15, f"must be one of {PLACES}, and the text ends"),
    "(cycle == 3": (12, 'must be ")", and the text ends'),
    "cycle == 3)": (11, "must be and, or, or the end, not )"),
    "at": (3, 'must be "(", and the text ends'),
    'at "12 s"': (4, 'must be "(", not "12 s"'),
    "at(12)": (4, 'must be a time such as "12 s" or "250 ms", not 12'),
    'at("12")': (4, 'must be a time such as "12 s" or "250 ms", not "12"'),
    'at("25 h")': (4, 'must be a time of at most "24 h", not "25 h"'),
    f'at("{"9" * 400} h")': (4, 'must be a time of at most "24 h"'),
    'at("-1 s")': (4, 'must be a time such as "12 s" or "250 ms", not "-1 s"'),
    'frame("COUNT")': (14, 'must be ",", not )'),
    'frame("COUNTS", 1)': (7, 'must be "COUNT", not "COUNTS"'),
    'frame("count", 1)': (7, 'must be "COUNT", not "count"'),
    'frame("tsunami", 1)': (7, 'must be the name of a message, such as "COUNT", not "tsunami"'),
    'frame("COUNT", 0)': (16, "must be a whole number from 1, not 0"),
    'frame("COUNT", 1.5)': (16, "must be a whole number from 1, not 1.5"),
    'piece("broker", 1)': (7, 'must be one of "host", "device", not "broker"'),
    "write(-1)": (7, "must be a whole number from 1, not -1"),
    f"commit({10**9 + 1})": (8, "must be a whole number from 1"),
    "cycle == 3; import os": (11, "must be and, or, or the end, not ;"),
    "__import__('os')": (1, f"must be one of {PLACES}, not __import__"),
    'phase == "a\nb"': (10, "not '\"a\\nb\"'"),
    f'phase == "{"a" * 50}"': (10, f'not "{"a" * 36}...'),
    "(" * (MAX_DEPTH + 1): (MAX_DEPTH + 1, f"must be no more than {MAX_DEPTH} levels, not ("),
    " " * MAX_LENGTH + "x": (MAX_LENGTH, f"has more than {MAX_LENGTH} characters"),
}


@pytest.mark.parametrize("text", RIGHT)
def test_each_form_is_read(text: str) -> None:
    assert parse_trigger(text) == RIGHT[text]


@pytest.mark.parametrize("text", WRONG)
def test_an_error_says_where_and_what_would_be_right(text: str) -> None:
    column, reason = WRONG[text]
    with pytest.raises(TriggerError) as caught:
        parse_trigger(text)
    error = caught.value
    assert (error.text, error.column) == (text, column) and reason in error.reason
    assert str(error) == f"when, column {column}: {error.reason}" and isinstance(error, SimulatorError)


def test_what_is_no_text_is_no_trigger() -> None:
    with pytest.raises(TriggerError, match='must be a text such as at\\("12 s"\\)') as caught:
        parse_trigger(3)  # type: ignore[arg-type]
    assert (caught.value.text, caught.value.column) == ("3", 1)


def test_the_deepest_and_the_longest_are_read() -> None:
    assert parse_trigger("(" * (MAX_DEPTH - 1) + "cycle == 3" + ")" * (MAX_DEPTH - 1)) == CYCLE_3
    assert parse_trigger("cycle == 3".rjust(MAX_LENGTH)) == CYCLE_3


def test_a_frame_is_named_as_the_protocol_names_it() -> None:
    assert FRAMES["COUNT"] == (Kind.COMMAND, Count.ID)
    assert FRAMES["COUNT_DONE"] == (Kind.REPLY, CountDone.ID)


COMPARED: Final[dict[tuple[str, float], tuple[bool, ...]]] = {
    ("==", 3): (False, True, False),
    ("!=", 3): (True, False, True),
    ("<", 3): (True, False, False),
    ("<=", 3): (True, True, False),
    (">", 3): (False, False, True),
    (">=", 3): (False, True, True),
}


@pytest.mark.parametrize(("sign", "value"), COMPARED)
def test_a_comparison_holds_by_its_sign(sign: str, value: float) -> None:
    view = Shown()
    found = []
    for shown in (2, 3, 4):
        view.values["cycle"] = shown
        found.append(condition(Compare("cycle", sign, value))(Micros(0), view, {}))
    assert tuple(found) == COMPARED[sign, value]


def test_a_comparison_with_what_is_not_there_yet_does_not_hold() -> None:
    assert not condition(Compare("cycle", "!=", 3))(Micros(0), Shown(), {})


def test_a_moment_holds_from_then_on() -> None:
    third = Moment("frame", "COUNT", 3)
    found = [condition(third)(Micros(0), Shown(), {("frame", "COUNT"): count}) for count in (2, 3, 4)]
    assert found == [False, True, True] and not condition(third)(Micros(0), Shown(), {})
    assert [condition(At(Micros(5)))(Micros(now), Shown(), {}) for now in (4, 5, 6)] == [False, True, True]


def test_triggers_are_put_together_as_words_say() -> None:
    yes, no = At(Micros(0)), At(Micros(9))
    assert [condition(Both(parts))(Micros(5), Shown(), {}) for parts in ((yes, yes), (yes, no))] == [True, False]
    assert [condition(Either(parts))(Micros(5), Shown(), {}) for parts in ((no, yes), (no, no))] == [True, False]
    assert [condition(Not(part))(Micros(5), Shown(), {}) for part in (yes, no)] == [False, True]


def test_leaves_are_what_a_trigger_is_made_of() -> None:
    text = 'not (cycle == 3 or at("1 s")) and frame("COUNT", 3)'
    assert leaves(parse_trigger(text)) == [CYCLE_3, At(SECOND), Moment("frame", "COUNT", 3)]
