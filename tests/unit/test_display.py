"""What `devicectl run` shows, without a session: lines, and how an interrupted device is told of."""

import asyncio
import io

from devicectl.cli.display import WIDTH, Display, _wrapped
from devicectl.session.entries import Note
from devicectl.session.plan import Plan
from protocols.units import Micros


def a_display(*, explain: bool = True) -> tuple[Display, io.StringIO]:
    stream = io.StringIO()
    return Display(Plan(), explain=explain, stream=stream), stream


def test_lines_end_between_words_and_not_between_a_number_and_its_unit() -> None:
    text = "24 cycles, 72 punctures, coverage 3.90 % of 2 cm2, 0 min 21 s of session in 12.1 s"
    assert [_wrapped(text, width, "  ")[0] for width in (81, 37, 44)] == [
        "24 cycles, 72 punctures, coverage 3.90 % of 2 cm2, 0 min 21 s of session in",
        "24 cycles, 72 punctures, coverage",
        "24 cycles, 72 punctures, coverage 3.90 % of",
    ]
    assert _wrapped("log: /a-very/long-path, session 1", 8, "  ") == [
        "log:",
        "  /a-very/long-path,",
        "  session",
        "  1",
    ]


def test_without_a_terminal_a_fact_is_one_line_and_a_sentence_is_not() -> None:
    display, stream = a_display()
    display.say("x" * 50 + " " + "y" * 50)
    display.noted(Note("warning", Micros(0), "course", "word " * 30, None))
    fact, *narrated = stream.getvalue().splitlines()
    assert len(fact) == 101
    assert len(narrated) > 1 and max(map(len, narrated)) <= WIDTH


def test_an_interrupted_device_is_told_as_stopped_only_where_it_has_answered() -> None:
    display, stream = a_display(explain=False)
    display.stopped(asyncio.CancelledError())
    display.noted(Note("action", Micros(0), "stop", "", None))
    display.stopped(asyncio.CancelledError())
    assert stream.getvalue().splitlines() == [
        "interrupted: the device has not answered; it makes itself safe when its lease ends",
        "interrupted: the device was stopped",
    ]
