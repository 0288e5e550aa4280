"""What `devicectl run` shows, without a session: lines, and how an interrupted device is told of."""

import asyncio
import io
from types import SimpleNamespace
from typing import Any

import pytest

from devicectl.cli.countdown import Countdown
from devicectl.cli.display import WIDTH, Display, _wrapped
from devicectl.session.engine import CycleResult
from devicectl.session.entries import Note, NoteKind
from devicectl.session.machine import State
from devicectl.session.plan import Plan
from devicectl.transports.urls import parse_url
from protocols.language.units import SECOND, Micros


class Terminal(io.StringIO):
    """A stream that says that it is one."""

    def isatty(self) -> bool:
        return True


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


def test_on_a_terminal_each_line_ends_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    Display(Plan(), explain=False, stream=stream).say("word " * 20)
    assert [len(line) for line in stream.getvalue().splitlines()] == [39, 39, 19]


def test_a_change_is_told_only_with_explain() -> None:
    for explain, lines in ((True, 1), (False, 0)):
        display, stream = a_display(explain=explain)
        display.changed(State.ANESTHESIA_CONFIRMED, State.ARMED, Micros(1_500_000))
        assert stream.getvalue() == "     1.500 s  Armed: the pump holds the vacuum.\n" * lines


def test_an_interrupted_device_is_told_as_stopped_only_where_it_has_answered() -> None:
    display, stream = a_display(explain=False)
    display.stopped(asyncio.CancelledError())
    for name in ("stop", "recover"):
        display.noted(Note("action", Micros(0), name, "", None))
    display.stopped(asyncio.CancelledError())
    assert stream.getvalue().splitlines() == [
        "interrupted: the device has not answered; it makes itself safe when its lease ends",
        "interrupted: the device was stopped",
    ]


# --- with a session ------------------------------------------------------------------------------------------------


def a_session(plan: Plan, *, resumed: bool = False, counted: int = 0, waits_until: int | None = None) -> Any:
    summary = SimpleNamespace(cores_counted=counted, treated_area_cm2=1 if counted else 0, state="open")
    known = {"session_no": 3, "core_diameter_um": 500, "opened": True}
    return SimpleNamespace(plan=plan, summary=summary, resumed=resumed, waits_until=waits_until, **known)


def cycle(number: int, total: int) -> CycleResult:
    return CycleResult(number, 3, (1, 1, 1), total, 3 * number, 0, 0)


def opened(*, resumed: bool = False, counted: int = 0, **options: Any) -> tuple[Display, io.StringIO]:
    display, stream = a_display(**{"explain": False, **options})
    plan = Plan(target_cores=100)
    display.watch(a_session(plan, resumed=resumed, counted=counted))
    display.opened(display._session, SimpleNamespace(serial="SIM-7", needles=3))  # type: ignore[arg-type]
    return display, stream


@pytest.mark.parametrize(("resumed", "counted", "lines"), [(False, 0, 10), (True, 42, 6)])
def test_a_tenth_of_the_target_is_a_line_from_where_the_session_began(resumed: bool, counted: int, lines: int) -> None:
    display, stream = opened(resumed=resumed, counted=counted)
    display.changed(State.ANESTHESIA_CONFIRMED, State.ARMED, Micros(0))
    for total in range(counted + 1, 101):
        display.changed(State.COUNTING, State.ARMED, Micros(total * SECOND))
        display.cycle(cycle(total, total))
    said = stream.getvalue().splitlines()
    assert ("resumed at 42 cores" in said) is resumed
    progress = [line for line in said if "cores/s" in line]
    assert len(progress) == lines and progress[-1].startswith("   100 of 100 cores, ")
    assert progress[-1].endswith("0 min 00 s left")


def test_a_rate_is_of_the_time_since_the_first_arming_and_none_is_none() -> None:
    display, stream = opened()
    display.changed(State.SESSION_OPEN, State.ANESTHESIA_WAIT, Micros(SECOND))
    display.changed(State.ANESTHESIA_WAIT, State.ANESTHESIA_CONFIRMED, Micros(0))
    display.cycle(cycle(1, 10))
    for second in (10, 20):  # armed again after a loss: what was done before counts
        display.changed(State.ANESTHESIA_CONFIRMED, State.ARMED, Micros(second * SECOND))
    display.cycle(cycle(2, 20))
    first, second_line = stream.getvalue().splitlines()[1:]
    assert "0.0 cores/s" in first and "2.0 cores/s" in second_line


def test_without_explain_only_a_warning_is_a_line() -> None:
    display, stream = opened()
    before = stream.getvalue()
    kinds: tuple[NoteKind, ...] = ("action", "alarm", "refusal", "warning")
    for kind in kinds:
        display.noted(Note(kind, Micros(0), "name", kind, None))
    assert stream.getvalue().removeprefix(before) == "warning: name: warning\n"


# --- waits ---------------------------------------------------------------------------------------------------------


def waiting(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, *, url: str = "sim://?speed=1") -> Display:
    """A display at the beginning of a wait of five minutes."""
    monkeypatch.setattr("devicectl.clock.monotonic", lambda: Micros(0))
    display = Display(Plan(), explain=True, stream=stream)
    display.begin(parse_url(url), "")
    display.watch(a_session(Plan(), waits_until=300 * SECOND))
    display.noted(Note("action", Micros(0), "anesthesia_start", "5 zones", None))
    return display


def later(display: Display, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the display's timer does then."""
    monkeypatch.setattr("devicectl.clock.monotonic", lambda: Micros(seconds * SECOND))

    async def tick() -> None:
        display._tick()
        assert display._timer is not None
        display._timer.cancel()

    asyncio.run(tick())


def test_a_wait_is_told_at_its_marks_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    display = waiting(stream, monkeypatch)
    for second in range(0, 130, 5):
        later(display, second, monkeypatch)
    display.changed(State.SESSION_OPEN, State.ANESTHESIA_WAIT, Micros(130 * SECOND))
    later(display, 180, monkeypatch)
    display.changed(State.ANESTHESIA_WAIT, State.RECOVERING, Micros(181 * SECOND))
    later(display, 240, monkeypatch)
    told = [line.split()[0] for line in stream.getvalue().splitlines() if line.endswith("can be confirmed")]
    assert told == ["4:00", "3:00", "2:00"], "and no more of one that is over"


def test_as_fast_as_it_goes_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    later(waiting(stream, monkeypatch, url="sim://"), 240, monkeypatch)
    assert "can be confirmed" not in stream.getvalue()
    later(waiting(stream, monkeypatch, url="tcp://127.0.0.1:1"), 240, monkeypatch)
    assert "1:00 until the anesthesia can be confirmed" in stream.getvalue(), "any other device takes its time"


def test_a_line_takes_the_place_of_the_countdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    display = waiting(stream, monkeypatch)
    later(display, 241, monkeypatch)
    display.say("a line")
    display.say("another")
    counted = "0:59 until the anesthesia can be confirmed "
    assert stream.getvalue().endswith(f"\r{counted}\r{' ' * len(counted)}\ra line\nanother\n")


def test_a_stream_that_is_gone_is_not_the_timers_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    display = waiting(stream, monkeypatch)

    def gone(text: str) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(stream, "write", gone)
    later(display, 241, monkeypatch)
    with pytest.raises(BrokenPipeError):
        display.say("a line")


# --- the bar -------------------------------------------------------------------------------------------------------


class Bar:
    """What a display asks of a progress bar."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.console = SimpleNamespace(print=lambda text, **_: self.asked.append({"line": text}))

    def update(self, task: object, **values: Any) -> None:
        self.asked.append(values)


def test_the_bar_has_the_phase_the_wait_and_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devicectl.clock.monotonic", lambda: Micros(0))
    display, stream = opened(counted=40, resumed=True)
    before = stream.getvalue()
    display._progress = bar = Bar()
    display.opened(display._session, SimpleNamespace(serial="SIM-7", needles=3))  # type: ignore[arg-type]
    assert bar.asked[-1] == {"total": 100, "completed": 40}
    display.changed(State.SESSION_OPEN, State.ANESTHESIA_WAIT, Micros(0))
    display._wait = Countdown(300 * SECOND, began=Micros(0), speed=1.0)
    later(display, 60, monkeypatch)
    assert bar.asked[-2:] == [{"phase": "numbing"}, {"phase": "numbing, 4:00 left"}]
    display.changed(State.ANESTHESIA_WAIT, State.ANESTHESIA_CONFIRMED, Micros(0))
    display.changed(State.ANESTHESIA_CONFIRMED, State.ARMED, Micros(0))
    display.changed(State.ARMED, State.PUNCHING, Micros(0))
    assert [asked["phase"] for asked in bar.asked[-2:]] == ["arming", "coring"], "one that stays is not drawn again"
    display.cycle(cycle(1, 43))
    display.cycle(cycle(2, 46))
    assert [asked["completed"] for asked in bar.asked if "rates" in asked] == [43], "eight times a second"
    display.say("a line")
    assert bar.asked[-1] == {"line": "a line"} and stream.getvalue() == before


def test_with_explain_a_cycle_is_a_paragraph() -> None:
    display, stream = opened(explain=True)
    display.cycle(cycle(1, 3))
    display.cycle(cycle(2, 6))
    assert "Cycle 1, in cell 1" in stream.getvalue() and "Cycle 2: counted, counted, counted; 6 of" in stream.getvalue()
    assert "cores/s" not in stream.getvalue()


# --- the end -------------------------------------------------------------------------------------------------------


def a_summary(**known: Any) -> Any:
    counts = {"cores_counted": 60, "target_cores": 60, "cores_evacuated": None, "cycles": 20, "punctures": 60}
    rest = {"coverage_percent": 3.9, "treated_area_cm2": 2, "session_seconds": 61.0, "wall_seconds": 1.0}
    standard: dict[str, Any] = {
        **counts,
        **rest,
        "state": "completed",
        "reconciled": True,
        "alarms": {},
        "log": "x",
        "session_id": 1,
    }
    return SimpleNamespace(**{**standard, **known})


def test_one_cycle_is_no_plural_and_seconds_have_two_digits() -> None:
    display, stream = a_display()
    display.end(a_summary(cycles=1, punctures=1, session_seconds=63.0))
    display.end(a_summary(cycles=2, punctures=6, session_seconds=70.0))
    said = stream.getvalue()
    assert "1 cycle, 1 puncture, coverage" in said and "1 min 03 s of session" in said
    assert "2 cycles, 6 punctures, coverage" in said and "1 min 10 s of session" in said


def test_the_end_says_comment_of() -> None:
    display, stream = a_display(explain=False)
    display.end(a_summary())
    display.end(a_summary(reconciled=False, cores_evacuated=61, alarms={"MC-0601": 2, "MC-0701": 1}))
    plain, _, none, _, known, _, alarms, _ = stream.getvalue().splitlines()
    assert plain == "session completed, reconciled: 60 of 60 cores counted"
    assert known == "session completed, NOT reconciled: 60 of 60 cores counted, 61 evacuated in truth"
    assert (none, alarms) == ("alarms: none", "alarms: MC-0601 x2, MC-0701 x1")


@pytest.mark.parametrize(
    ("state", "said"), [("aborted", "the device has closed its session"), ("open", "the device has not answered; ")]
)
def test_a_session_that_was_closed_is_told_of_as_that(state: str, said: str) -> None:
    display, stream = opened()
    session: Any = display._session
    session.summary.state = state
    display.stopped(asyncio.CancelledError())
    assert stream.getvalue().splitlines()[-1].startswith(f"interrupted: {said}")


def test_the_timer_ends_with_the_display() -> None:
    async def begin_and_end() -> None:
        display, _ = a_display()
        with display:
            timer = display._timer
        assert timer is not None and timer.cancelled()
        Display.__exit__(a_display()[0], None, None, None)  # one that never began

    asyncio.run(begin_and_end())
