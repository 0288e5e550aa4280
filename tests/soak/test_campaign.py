"""Random faults: no session is wrong, none is stuck; and the judge sees what it is there to see."""

import asyncio
from collections import Counter

import pytest

from protocols.language.enums import Ending, NeedleOutcome, RecordKind
from protocols.language.messages import JournalPage
from protocols.link.header import REPLAYED
from protocols.serial.payload import encode_message
from tests.soak import ledger
from tests.soak.campaign import _ACTS, Trial, Verdict, run_trial
from tests.soak.ledger import Ledger

FIRST_SEEDS = range(1, 151)
NIGHTLY_SEEDS = range(1_001, 6_001)
CHUNK = 250


def assert_good(verdicts: list[Verdict]) -> None:
    bad = {verdict.seed: verdict.stuck or verdict.wrong for verdict in verdicts if not verdict.good}
    assert not bad, "python -m tests.soak.campaign 1 SEED repeats one"


def test_no_session_of_the_first_seeds_is_wrong_or_stuck() -> None:
    verdicts = [run_trial(seed) for seed in FIRST_SEEDS]
    assert_good(verdicts)
    fired: Counter[str] = sum((Counter(verdict.fired) for verdict in verdicts), Counter())
    assert not {*_ACTS, "abandoned"} - set(fired), "a kind that never fired proves nothing"
    endings = Counter(verdict.ending for verdict in verdicts)
    assert endings["completed"] > len(verdicts) / 4, endings


@pytest.mark.nightly
@pytest.mark.parametrize("first", NIGHTLY_SEEDS[::CHUNK])
def test_no_session_of_many_is_wrong_or_stuck(first: int) -> None:
    assert_good([run_trial(seed) for seed in range(first, first + CHUNK)])


def test_a_seed_repeats() -> None:
    assert run_trial(3) == run_trial(3)


def test_numbers_of_the_ledger_are_those_of_the_protocol() -> None:
    assert ledger.REPLAYED == REPLAYED
    assert (ledger.GAP, ledger.CYCLE) == (RecordKind.GAP, RecordKind.CYCLE)
    assert (ledger.COMPLETED, ledger.ABORTED, ledger.AMBIGUOUS) == (Ending.COMPLETED, Ending.ABORTED, Ending.AMBIGUOUS)
    assert (ledger.NOT_PUNCTURED, ledger.COUNTED) == (NeedleOutcome.NOT_PUNCTURED, NeedleOutcome.COUNTED)


def quiet_session() -> Trial:
    """A session without faults; its ledger and log are there to be spoiled."""
    trial = Trial(5)
    trial.plan_nothing()
    verdict = asyncio.run(trial.run())
    assert verdict.good and verdict.ending == "completed" and not verdict.fired, verdict
    return trial


@pytest.mark.parametrize(
    ("name", "spoil", "breach"),
    [
        ("row lost", lambda rows: rows[:-3] + rows[-2:], "cycle numbers are"),
        ("row doubled", lambda rows: [*rows, rows[-3]], "cycle numbers are"),
        ("core added", lambda rows: [row[:16] + bytes([row[16] ^ 3]) + row[17:] for row in rows], "never on the wire"),
    ],
)
def test_the_judge_sees_a_spoiled_log(name: str, spoil: object, breach: str) -> None:
    trial = quiet_session()
    assert trial.report is not None
    cycles = [row for row in trial.report.records if row[8] == ledger.CYCLE]
    trial.judge(spoil(cycles))  # type: ignore[operator]
    assert any(breach in sentence for sentence in trial.ledger.breaches), (name, trial.ledger.breaches)


def test_the_judge_sees_an_early_acknowledgement_and_a_head_that_goes_back() -> None:
    book = Ledger()
    book.committed = 5
    book.acknowledged(1, 6)
    book.page(bytes.fromhex("01000000 01000000 01000000 09000000"))
    book.page(bytes.fromhex("01000000 01000000 01000000 08000000"))
    assert book.breaches == ["acknowledged up to 6, while the log ends at 5", "the head went back from 9 to 8"]


def test_an_answer_said_again_has_the_marks_of_its_time_and_its_records_are_judged() -> None:
    """A host that no longer waits for a page may still ask for it again, after a newer one."""

    def said(book: Ledger, head: int, record: bytes = b"", flags: int = 0) -> None:
        page = JournalPage(epoch=1, first=1, tail=1, head=head, records=record)
        book.sent("device", encode_message(page, seq=1, link_id=1, correlation_id=1, flags=flags))

    cycle = (1).to_bytes(4, "little") + bytes(4) + bytes([ledger.CYCLE]) + bytes(23)
    book = Ledger()
    said(book, 9, cycle)
    said(book, 8, cycle, REPLAYED)
    assert book.breaches == []
    said(book, 8, cycle[:-1] + b"x", REPLAYED)
    said(book, 8)
    assert [sentence.split(":")[0] for sentence in book.breaches] == [
        "event 1 has two contents",
        "the head went back from 9 to 8",
    ]
