from collections.abc import Callable, Sequence

import pytest

from devicectl.campaign.judges.motion import judge
from devicectl.campaign.judges.readiness import DEFAULTS
from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.recording import Recorded
from firmware_sim.model.parameters import Parameters
from protocols.language import messages as M
from protocols.language.enums import Role
from protocols.language.message import Message
from tests.unit.devicectl.campaign.judges.spoiled import MS, event, said, welcome
from tests.unit.devicectl.campaign.trials import SHORT

PLAN = M.SessionOpen(target_cores=9, coverage_bp=600, depth_um=3000, zones_cm2=(1,))
OPENED = M.SessionOpenDone(
    session_no=1, first_cycle_no=1, needles=3, cells=1, cycles_per_cell=16, punctures_per_cell=48
)
START = M.AnesthesiaStart(zone=0, age_s=0, method="cream")
CONFIRM = M.AnesthesiaConfirm(zone=0, confirmed_by="me")
GO = M.Reposition(zone=0, cell=2)
THERE = M.RepositionDone(zone=0, cell=2, cell_punctures=0, cycles_left=16)
PUNCH = M.Punch(cycle_no=1, depth_um=3000, deadline_ms=2**31)


def test_the_judge_knows_the_parameters_as_they_are_where_nobody_has_set_them() -> None:
    assert {name: getattr(Parameters(), name) for name in DEFAULTS} == DEFAULTS


def found(packets: Sequence[Recorded]) -> list[str]:
    """What the judge of motion finds in these packets, which are no whole session."""
    return [sentence for _, sentence in judge(Reading(packets, SHORT))]


class Talk(list[Recorded]):
    """A talk on link 1, up to a stroke that is allowed."""

    def ask(self, at_ms: int, command: Message, *answers: Message, link: int = 1) -> None:
        """Have the device hear a command and give these answers."""
        number = len(self) + 1
        self.append(said(">device", command, at_us=at_ms * MS, link=link, correlation=number))
        self += [said("device>", one, at_us=at_ms * MS, link=link, correlation=number) for one in answers]

    def ready(self) -> None:
        """Open a session, numb a zone, and go to a cell of it."""
        self.append(welcome())
        self.ask(0, PLAN, OPENED)
        self.ask(0, START, M.AnesthesiaStartDone(wait_s=1))
        self.ask(1_000, CONFIRM, M.AnesthesiaConfirmDone(valid_s=3_599))
        self.ask(1_000, GO, M.Received(expected_ms=1), THERE)

    def punch(self, at_ms: int = 2_000, cell: int = 2, link: int = 1) -> list[str]:
        """Have the device hear PUNCH, and make the stroke; return what the judge says to it."""
        self.ask(at_ms, PUNCH, link=link)
        values = {"cycle_no": 1, "zone": 0, "cell": cell, "line_kpa": -50, "made": 0, "needles": 3, "planned": 48}
        rest = {"state": "ARMED", "cartridge_valid": True, "estop": False}
        self.append(event("stroke", at_ms * MS, **values, **rest))
        return found(self)


@pytest.fixture
def talk() -> Talk:
    """A talk that has made a stroke possible."""
    talk = Talk()
    talk.ready()
    return talk


def test_a_stroke_that_the_talk_allows_is_right(talk: Talk) -> None:
    assert talk.punch() == []


NOT_NUMB = "PUNCH without anesthesia of zone 0"


@pytest.mark.parametrize(
    ("spoil", "breach"),
    [
        (lambda talk: talk.ask(1_500, START, M.AnesthesiaStartDone(wait_s=1)), NOT_NUMB),
        (lambda talk: talk.ask(1_500, PLAN, OPENED), NOT_NUMB),
        (lambda talk: talk.append(event("boot", 1_500 * MS)), NOT_NUMB),
        (lambda talk: talk.ask(1_500, GO, M.Received(expected_ms=1)), "PUNCH at (0, 2), the hand is at None"),
        (lambda talk: talk.append(event("detached", 1_500 * MS)), "PUNCH on link 1, while link 0 holds control"),
        (lambda talk: talk.append(welcome(2, 1_500)), "PUNCH on link 1, while link 0 holds control"),
    ],
)
def test_what_ends_the_readiness_for_a_stroke_is_seen(talk: Talk, spoil: Callable[[Talk], None], breach: str) -> None:
    spoil(talk)
    assert any(sentence.startswith(breach) for sentence in talk.punch())


def test_a_confirmation_ends_when_its_time_is_over(talk: Talk) -> None:
    for at_s in range(10, 3_600, 10):
        talk.append(said(">device", M.HostHeartbeat(), at_us=at_s * 1_000 * MS))
    assert talk.punch(3_599_999) == []
    assert [sentence[: len(NOT_NUMB)] for sentence in talk.punch(3_600_000)] == [NOT_NUMB]


@pytest.mark.parametrize(("at_ms", "right"), [(999, False), (1_000, True), (3_599_999, True), (3_600_000, False)])
def test_a_confirmation_that_comes_too_early_or_too_late_is_seen(at_ms: int, right: bool) -> None:
    talk = Talk([welcome()])
    talk.ask(0, START, M.AnesthesiaStartDone(wait_s=1))
    talk.ask(at_ms, CONFIRM, M.AnesthesiaConfirmDone(valid_s=1))
    assert (found(talk) == []) is right


def test_a_confirmation_that_was_refused_is_none() -> None:
    talk = Talk([welcome()])
    talk.ask(0, PLAN, OPENED)
    talk.ask(0, START, M.AnesthesiaStartDone(wait_s=1))
    talk.ask(0, CONFIRM)
    talk.ask(0, GO, THERE)
    assert talk.punch() == ["PUNCH without anesthesia of zone 0, numbed 2.0 s ago"]


def test_a_stroke_at_another_cell_than_the_hands_is_seen(talk: Talk) -> None:
    assert talk.punch(cell=3) == ["PUNCH at (0, 3), the hand is at (0, 2)"]


def other_host(talk: Talk, at_ms: int) -> None:
    """Grant link 2 to another host."""
    hello = M.Hello(
        majors=1, minor=0, role=Role.CONTROLLER, features=0, schema_id=0, host_id=9, max_payload_size=224, nonce=1
    )
    talk += [said(">device", hello, at_us=at_ms * MS, link=0), welcome(2, at_ms)]


def test_a_stroke_for_a_host_that_does_not_hold_control_is_seen(talk: Talk) -> None:
    other_host(talk, 1_500)
    assert talk.punch(link=2) == ["PUNCH on link 2, while link 1 holds control"]


@pytest.mark.parametrize("at_ms", [2_600, 2_601])
def test_frames_of_another_host_do_not_renew_the_lease_of_the_one_in_control(talk: Talk, at_ms: int) -> None:
    talk.append(said(">device", M.HostHeartbeat(), at_us=2_000 * MS))
    talk.append(event("state", 2_000 * MS, state="SAFE", armed=True, depth_um=0))
    other_host(talk, 2_100)
    talk.append(said(">device", M.HostHeartbeat(), at_us=2_500 * MS, link=2))
    lost = at_ms > 2_600
    assert talk.punch(at_ms) == ["PUNCH on link 1, while link 0 holds control"] * lost
