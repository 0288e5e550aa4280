from protocols.language.messages import JournalAck, JournalPage, SessionOpen
from protocols.link.header import REPLAYED
from tests.unit.devicectl.campaign.judges.spoiled import alone, clean, event, said, sentences, welcome

JUDGE = "acknowledgement"


def ack(where: str, upto: int) -> object:
    """An acknowledgement."""
    return said(where, JournalAck(epoch=1, upto=upto), correlation=upto)


def page(head: int, tail: int = 1, flags: int = 0) -> object:
    """A page without records."""
    return said("device>", JournalPage(epoch=1, first=1, tail=tail, head=head, records=b""), flags=flags)


def test_an_acknowledgement_before_its_commit_is_seen_also_at_the_same_time() -> None:
    packets = event("commit", upto=5, epoch=1), ack("host>", 6), event("commit", upto=6, epoch=1)
    assert alone(*packets, judge=JUDGE) == ["acknowledged up to 6, while the log ends at 5"]  # type: ignore[arg-type]


def test_an_acknowledgement_before_any_commit_or_by_that_of_another_epoch_is_seen() -> None:
    breach = ["acknowledged up to 6, while the log ends at 0"]
    assert alone(ack("host>", 6), event("commit", upto=6, epoch=1), judge=JUDGE) == breach  # type: ignore[arg-type]
    assert alone(event("commit", upto=6, epoch=2), ack("host>", 6), judge=JUDGE) == breach  # type: ignore[arg-type]


def test_what_closed_sessions_have_left_is_acknowledged_before_the_next_is_opened_and_not_after() -> None:
    opening = said("host>", SessionOpen(target_cores=9, coverage_bp=600, depth_um=3000, zones_cm2=(1,)), correlation=9)
    assert alone(welcome(), ack("host>", 6), opening, judge=JUDGE) == []  # type: ignore[arg-type]
    assert alone(welcome(), opening, ack("host>", 6), judge=JUDGE)  # type: ignore[arg-type]
    come_back = welcome(session_no=1)
    assert alone(come_back, ack("host>", 6), judge=JUDGE)  # type: ignore[arg-type]


def test_commits_that_come_later_than_in_the_session_are_seen() -> None:
    packets, _ = clean()
    commits = [one for one in packets if isinstance(one.data, dict) and one.data["event"] == "commit"]
    late = [one for one in packets if one not in commits[1:]] + commits[1:]
    assert sentences(JUDGE, late)


def test_a_tail_that_nobody_acknowledged_is_seen() -> None:
    found = alone(ack(">device", 4), page(9, 4), page(9, 5), judge=JUDGE)  # type: ignore[arg-type]
    assert found == ["the tail is 5, while 4 is all that was acknowledged"]


def test_a_head_that_goes_back_is_seen_unless_the_answer_is_given_again() -> None:
    assert alone(page(9), page(8, flags=REPLAYED), judge=JUDGE) == []  # type: ignore[arg-type]
    found = alone(page(9), page(8), judge=JUDGE)  # type: ignore[arg-type]
    assert found == ["the head went back from 9 to 8 in JournalPage"]


def test_a_cycle_that_ends_before_a_phase_that_was_told_is_seen() -> None:
    packets, ledgers = clean()
    cut = [raw[:9] + bytes((2, 2)) + raw[11:] if raw[8] == 1 else raw for raw in ledgers.rows]
    found = sentences(JUDGE, packets, rows=cut)
    assert found[0] == "cycle 1 was told to have done phase 3, its row ends in 2"
