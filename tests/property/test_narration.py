"""What `--explain` says is true when it is said: held against the device's own journal, whatever goes wrong.

The table of claims is the test's. A sentence that is not in it fails: whoever writes one says what must hold for it.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devicectl.cli.display import INDENT, WIDTH
from devicectl.cli.narration import Narrator
from devicectl.errors import DevicectlError
from devicectl.session.entries import Note
from devicectl.session.machine import State
from devicectl.session.procedures import Procedure, Task
from firmware_sim.board.states import HELD
from protocols.language import messages as M
from protocols.language.enums import Ending, NeedleOutcome
from protocols.language.message import Message
from protocols.language.records import (
    Action,
    Anesthesia,
    Cycle,
    Record,
    Refusal,
    SessionClosed,
    SessionOpened,
    decode_record,
    unpack_outcomes,
)
from protocols.language.units import Micros
from tests.property.session.test_session import FAULTS, Fault, leave, session
from tests.world import Lab, a_plan


class Told(Lab):
    """A session with a narrator, each of whose sentences is judged when it is said."""

    def __init__(self, seed: int, **options: Any) -> None:
        self.said: list[str] = []
        self.journal: list[Record] = []
        self._read = 0
        self._since = 0
        self._punctures = 0
        super().__init__(seed, **options)
        self.narrator = Narrator(self.plan)

    def step(self) -> None:
        super().step()
        self.look()

    def look(self) -> None:
        """Take in what the device has written since."""
        nvm = self.device.nvm
        _, records = nvm.read(self._read, nvm.head - self._read)
        found = [decode_record(raw) for raw in records]
        self.journal += [record for record in found if record is not None and record.event_no >= self._read]
        self._read = nvm.head

    def changed(self, before: State, after: State, now: Micros) -> None:
        super().changed(before, after, now)
        self.judge(self.narrator.changed(before, after))
        if after is State.PUNCHING:
            self._since, self._punctures = len(self.journal), self.device.plant.truth.punctures

    def noted(self, note: Note) -> None:
        super().noted(note)
        self.judge(self.narrator.noted(note))

    def all_cycles(self) -> Procedure[None]:
        while (result := (yield from self.engine.next_cycle())) is not None:
            self.judge(self.narrator.cycle(result))

    def judge(self, text: str) -> None:
        self.look()
        self.said += [text] if text else []
        quoted = re.match(QUOTES, text) is not None
        for sentence in [text] if quoted else filter(None, re.split(r"(?<=\.) (?=[A-Z])", text)):
            held = [claim(self, found) for pattern, claim in CLAIMS if (found := re.fullmatch(pattern, sentence))]
            assert held, f"no claim is known for: {sentence}"
            assert held == [True], f"{self.now}: not so: {sentence}"

    # --- what the journal has --------------------------------------------------------------------------------

    def has(self, kind: type[Record], **fields: Any) -> bool:
        return any(
            isinstance(record, kind) and all(getattr(record, name) == value for name, value in fields.items())
            for record in self.journal
        )

    def did(self, command: type[Message]) -> bool:
        return self.has(Action, message_id=command.ID)

    def cycle_came_to(self, cycle_no: str, outcomes: str) -> bool:
        """The journal has the cycle as completed, each needle in the skin, with just these outcomes."""
        (record,) = [one for one in self.journal if isinstance(one, Cycle) and one.cycle_no == int(cycle_no)]
        found = unpack_outcomes(record.outcomes, record.needles)
        names = ", ".join(outcome.name.lower() for outcome in found)
        return (
            record.ending is Ending.COMPLETED and NeedleOutcome.NOT_PUNCTURED not in found and names == outcomes.strip()
        )

    def ended_early(self) -> bool:
        ended = [one for one in self.journal[self._since :] if isinstance(one, Cycle)]
        return len(ended) == 1 and ended[0].ending is not Ending.COMPLETED

    def refused(self, command: type[Message]) -> bool:
        return any(isinstance(one, Refusal) and one.message_id == command.ID for one in self.journal[self._since :])


Claim = Callable[[Told, "re.Match[str]"], bool]


def nothing(lab: Told, found: "re.Match[str]") -> bool:
    """It says what is asked for, or what somebody says, and of nothing that it was done."""
    return True


def zones_confirmed(lab: Told, found: "re.Match[str]") -> bool:
    return all(lab.has(Anesthesia, zone=zone, confirmed=1) for zone in range(len(lab.plan.zones))) and (
        found[1] == lab.engine._anesthesia._confirmed_by
    )


COMMANDS: Final[dict[str, type[Message]]] = {"SUCTION": M.Suction, "ADVANCE": M.Advance, "COUNT": M.Count}
NEEDLES: Final = r"((?:counted|empty|uncounted|ambiguous|not_punctured)(?:, \w+)*); \d+ of \d+ cores\."
QUOTES: Final = r"Refused: |Warning: |Noted: |\*\*\* ALARM |The link is lost: "
"""How a paragraph begins that repeats what somebody else has said, in as many sentences as that took."""
CLAIMS: Final[tuple[tuple[str, Claim], ...]] = (
    (r"The controller says HELLO .*", nothing),
    (r"There is no link\.|The handpiece has answered: there is a link\.", nothing),
    (r"A session is open: .*", lambda lab, _: lab.has(SessionOpened)),
    (r"The controller says when each zone was numbed, .*", nothing),
    (r"Noted: anesthesia start .*", lambda lab, _: lab.has(Anesthesia, confirmed=0)),
    (r"The handpiece took every zone as numb: \d+ zones?, by (.*)\.", zones_confirmed),
    (r"Armed: the pump holds the vacuum\.", lambda lab, _: lab.did(M.Arm) and lab.device.board.armed),
    (r"Disarmed: .*", lambda lab, _: lab.did(M.Disarm) and not lab.device.board.armed),
    (r"The hand is to go to the next cell; .*", nothing),
    (r"The handpiece takes a needle for clogged: .*", nothing),
    (r"Noted: purge try .*", lambda lab, _: lab.did(M.Purge)),
    (rf"Cycle (\d+): {NEEDLES}", lambda lab, found: lab.cycle_came_to(found[1], found[2])),
    (r"Cycle (\d+), in cell \d+ of zone \w+\.", lambda lab, found: lab.has(Cycle, cycle_no=int(found[1]))),
    (
        r"Punch: the needles went in, dwelt and came back\.|Suction: the vacuum drew\."
        r"|Advance: the stage moved by one pitch\.",
        lambda lab, _: lab.journal[lab._since :] != [] and not lab.ended_early(),
    ),
    (rf"Count: {NEEDLES}", nothing),
    (
        r"PUNCH was refused: no needle moved\.",
        lambda lab, _: lab.refused(M.Punch) and lab._punctures == lab.device.plant.truth.punctures,
    ),
    (r"(\w+) was refused: the cycle goes no further\.", lambda lab, found: lab.refused(COMMANDS[found[1]])),
    (r"\w+ was not done to its end: .* its number is used up\.", lambda lab, _: lab.ended_early()),
    (
        r"The link is lost: .*\. A handpiece that was armed makes itself safe when its lease ends\."
        r"( A cycle was under way: \w+ was sent, and was not answered as done\.)?"
        r" Its journal is read before anything moves again\.",
        nothing,
    ),
    (r"The handpiece has answered STOP: it holds still\.", lambda lab, _: lab.state in HELD and lab.did(M.Stop)),
    (r"The session is held up\.", nothing),
    (r"A cycle was under way: \w+ was sent, and was not answered as done\.", nothing),
    (r"Its journal is read before anything moves again\.", nothing),
    (r"The handpiece holds a session open: .*", nothing),
    (r"The journal is read, and the session goes on\.", nothing),
    (r"Closing: .*", nothing),
    (r"The session is (completed|aborted) and closed\.", lambda lab, _: lab.has(SessionClosed)),
    (r"The session cannot continue; .*", nothing),
    (r"Noted: fault reset from .*", lambda lab, _: lab.did(M.FaultReset)),
    (r"Noted: (stop|resume)", lambda lab, found: lab.did({"stop": M.Stop, "resume": M.Resume}[found[1]])),
    (r"Noted: (alarm ack|recover|suction check) .*", nothing),
    (r"(Refused|Warning): .*|\*\*\* ALARM .*", nothing),
)
"""Each sentence that there is -> what must hold when it is said."""


@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), target=st.integers(20, 60), faults=FAULTS)
@example(seed=7, target=80, faults=[])
@example(seed=3, target=20, faults=[Fault("stall", 3_000, 0)])
@example(seed=3, target=20, faults=[Fault("leak", 3_000, 4_000)])
@example(seed=3, target=20, faults=[Fault("stop", 4_000, 0), Fault("cut", 2_500, 50)])
def test_no_sentence_says_more_than_the_journal_has(seed: int, target: int, faults: list[Fault]) -> None:
    lab = Told(seed, plan=a_plan(target))
    try:
        session(lab, faults)
    except DevicectlError:
        leave(lab)
    assert len(lab.said) > 5


def at_work(**defect: Any) -> tuple[Told, Task[None]]:
    lab = Told(3).begin(2)
    lab.inject(**defect)
    return lab, lab.start(lab.all_cycles())


def test_a_refused_punch_is_not_told_as_one_that_went_in() -> None:
    lab, _ = at_work(leak_kpa_s=200.0)
    lab.until(lambda: "PUNCH was refused: no needle moved." in lab.said)
    assert not [text for text in lab.said if "used up" in text]


def test_a_stroke_that_stalled_has_used_up_its_number() -> None:
    lab, task = at_work(stalls_left=3, stall_at=0.5)
    lab.until(lambda: task.done or "used up" in lab.said[-1])
    assert lab.said[-1].startswith("PUNCH was not done to its end:")


def test_of_a_link_that_is_lost_in_a_cycle_nothing_is_claimed() -> None:
    lab, _ = at_work()
    lab.until(lambda: lab.engine.machine.now is State.PUNCHING)
    lab.world.cut("the cable was pulled")
    assert lab.said[-2] == (
        "The link is lost: the cable was pulled. A handpiece that was armed makes itself safe when its lease ends. "
        "A cycle was under way: PUNCH was sent, and was not answered as done. "
        "Its journal is read before anything moves again."
    )


def test_a_session_that_is_taken_up_again_is_told_of_as_held() -> None:
    told = Narrator(a_plan()).changed(State.IDLE, State.RECOVERING)
    assert told == "The handpiece holds a session open: its journal is read before anything moves."


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("stop", "The handpiece has answered STOP: it holds still. "),
        ("link_lost", "The link is lost: why. A handpiece that was armed makes itself safe when its lease ends. "),
        ("pause", "The session is held up. "),
        (None, "The session is held up. "),
    ],
)
def test_a_hold_is_told_as_what_was_heard_of_it(name: str | None, begins: str) -> None:
    narrator = Narrator(a_plan())
    if name is not None:
        narrator.noted(Note("action", Micros(0), name, "why", None))
    assert (
        narrator.changed(State.ARMED, State.RECOVERING) == f"{begins}Its journal is read before anything moves again."
    )


def test_who_confirmed_is_named() -> None:
    lab = Told(3).begin()
    assert "The handpiece took every zone as numb: 2 zones, by trainer." in lab.said


def test_a_cycle_is_a_paragraph_and_a_second_of_them_can_be_read() -> None:
    """In real time: at most five lines of 80 columns in any second but the first in a cell, which has four more."""
    lab = Told(7, plan=a_plan(150))
    lab.begin(0)
    at: list[float] = []
    while (result := lab.cycle()) is not None:
        text = lab.narrator.cycle(result)
        assert len(text) < 270
        if text.startswith(f"Cycle {result.cycle_no}: "):
            assert len(text) <= WIDTH - len(INDENT)
            at.append(lab.now / 1e6)
    assert len(at) > 40
    assert max(sum(one <= other < one + 1 for other in at) for one in at) <= 5
