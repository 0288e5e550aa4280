import struct
from collections.abc import Callable

import pytest

from protocols.language.enums import CloseReason, Code, Phase
from protocols.language.messages import CountDone, JournalPage, Refused, SessionClose
from protocols.language.records import Boot, encode_record
from protocols.link.header import REPLAYED
from tests.unit.devicectl.campaign.judges.spoiled import alone, clean, said, sentences

Rows = list[bytes]
_COUNTS = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")


def with_core(rows: Rows) -> Rows:
    """The last cycle with other outcomes."""
    return [raw[:16] + bytes((raw[16] ^ 3,)) + raw[17:] if raw[8] == 1 else raw for raw in rows]


@pytest.mark.parametrize(
    ("spoil", "breach"),
    [
        (lambda rows: rows[:-6] + rows[-5:], "had to follow"),
        (lambda rows: [*rows[:-3], rows[-4], *rows[-3:]], "had to follow"),
        (lambda rows: [raw for raw in rows if raw[8] != 1], "the rows come to"),
        (with_core, "never on the wire"),
        (with_core, "in the journal"),
        (with_core, "has the totals"),
    ],
)
def test_a_spoiled_log_is_seen(spoil: Callable[[Rows], Rows], breach: str) -> None:
    found = sentences("exactly once", rows=spoil(list(clean()[1].rows)))
    assert any(breach in sentence for sentence in found), found


def test_a_cycle_number_that_is_left_out_is_seen() -> None:
    rows = [raw[:12] + struct.pack("<I", 50) + raw[16:] if raw[8] == 1 else raw for raw in clean()[1].rows]
    assert any("cycle numbers are [50" in sentence for sentence in sentences("exactly once", rows=rows))


def test_a_session_that_is_not_reconciled_is_seen() -> None:
    assert sentences("exactly once", reconciled=False, differences=("cores",)) == [
        "closed and not reconciled: ('cores',)"
    ]


def test_an_event_with_two_contents_is_seen_also_in_an_answer_given_again() -> None:
    def page(record: bytes, flags: int = 0) -> JournalPage:
        return JournalPage(epoch=1, first=1, tail=1, head=9, records=record)

    record = (1).to_bytes(4, "little") + bytes(4) + bytes((9,)) + bytes(23)
    packets = [said("device>", page(record)), said("device>", page(record[:-1] + b"x"), flags=REPLAYED)]
    found = alone(*packets, judge="exactly once")
    assert found[0].startswith("event 1 has two contents")


@pytest.mark.parametrize(
    ("kind", "number", "breach"),
    [(0, 1, "event 1: a GAP, though nothing may be overwritten unread"), (9, 9, "event 9 on a page whose head is 9")],
)
def test_a_page_with_what_may_not_be_there_is_seen(kind: int, number: int, breach: str) -> None:
    record = number.to_bytes(4, "little") + bytes(4) + bytes((kind,)) + bytes(23)
    page = JournalPage(epoch=1, first=1, tail=1, head=9, records=record)
    assert alone(said("device>", page), judge="exactly once")[0] == breach


def test_a_count_that_its_row_does_not_have_is_seen() -> None:
    done = CountDone(
        cycle_no=2,
        outcomes=0x111,
        cores_counted=3,
        flagged=0,
        cell_punctures=6,
        cycles_left=1,
        total_punctures=7,
        total_cores_counted=6,
    )
    packets, _ = clean()
    found = sentences("exactly once", [*packets, said("device>", done, correlation=9)])
    assert len(found) == 1 and found[0].startswith("COUNT of cycle 2 was answered with")


@pytest.mark.parametrize(("kind", "name"), [(2, "opening"), (3, "close")])
def test_a_log_without_an_end_of_the_session_is_seen(kind: int, name: str) -> None:
    rows = [raw for raw in clean()[1].rows if raw[8] != kind]
    assert f"the session has no record of its {name} in the log" in sentences("exactly once", rows=rows)


def test_a_start_that_is_not_counted_is_seen() -> None:
    def boot(number: int, boot_count: int) -> bytes:
        return encode_record(
            Boot(event_no=number, uptime_ms=0, boot_count=boot_count, open_cycle_no=0, phase=Phase.NONE)
        )

    assert sentences("exactly once", journal={98: boot(98, 1), 99: boot(99, 2)}) == []
    assert sentences("exactly once", journal={98: boot(98, 1), 99: boot(99, 1)}) == ["start 1 follows start 1"]


def test_a_close_that_is_refused_for_its_counts_is_seen() -> None:
    def refused(interlock: int) -> list[str]:
        close = SessionClose(session_no=1, reason=CloseReason.COMPLETED, **dict.fromkeys(_COUNTS, 0))
        no = Refused(code=Code.E_INTERLOCK, interlock=interlock, expected=0, actual=0, sentence="")
        packets, _ = clean()
        spoiled = [*packets, said(">device", close, correlation=9), said("device>", no, correlation=9)]
        return sentences("exactly once", spoiled)

    assert refused(1) == []
    assert refused(7) == ["SESSION_CLOSE was refused: the host has other counts than the device"]
