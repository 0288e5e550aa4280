from devicectl.campaign.recording import Recorded
from protocols.language import messages as M
from protocols.language.enums import ByeReason, Code
from protocols.language.message import Message
from protocols.link.header import REPLAYED, RETRANSMIT
from tests.unit.devicectl.campaign.judges.spoiled import alone, event, said, welcome

ARM = said(">device", M.Arm(), correlation=7)


def answer(message: Message, flags: int = 0, correlation: int = 7) -> Recorded:
    """An answer of the device."""
    return said("device>", message, correlation=correlation, flags=flags)


def found(*packets: Recorded) -> list[str]:
    """What the judge finds."""
    return alone(welcome(), *packets, judge="answers")


DONE, OTHER = M.ArmDone(vacuum_pa=-40_000), M.ArmDone(vacuum_pa=-41_000)
RECEIVED = M.Received(expected_ms=9)


def test_a_command_that_is_answered_once_and_then_from_memory_is_right() -> None:
    again = answer(RECEIVED, REPLAYED), answer(DONE), answer(DONE, REPLAYED)
    assert found(ARM, answer(RECEIVED), *again) == []


def test_a_command_that_is_carried_out_twice_is_seen() -> None:
    assert found(ARM, answer(RECEIVED), answer(RECEIVED)) == [
        "correlation 7 was carried out twice: Received, then Received"
    ]
    assert found(ARM, answer(DONE), answer(DONE)) == ["correlation 7 was carried out twice: ArmDone, then ArmDone"]


def test_a_command_that_a_broker_had_kept_is_no_second_execution() -> None:
    kept = M.Refused(code=Code.E_ARGUMENT, interlock=15, expected=0, actual=0, sentence="retained")
    assert found(ARM, answer(DONE), answer(kept)) == []


def test_an_answer_given_again_that_is_another_one_is_seen() -> None:
    assert found(ARM, answer(DONE), answer(OTHER, REPLAYED)) == [
        "ArmDone of correlation 7 is not the answer that was given first"
    ]


def test_an_outcome_given_to_another_command_of_the_cycle_is_held_against_the_first() -> None:
    def count(cores: int) -> M.CountDone:
        return M.CountDone(
            cycle_no=3,
            outcomes=0x111,
            cores_counted=cores,
            flagged=0,
            cell_punctures=9,
            cycles_left=1,
            total_punctures=9,
            total_cores_counted=9,
        )

    asked = [said(">device", M.Count(cycle_no=3), correlation=number) for number in (7, 8)]
    assert found(*asked, answer(count(3)), answer(count(3), REPLAYED, 8)) == []
    assert found(*asked, answer(count(3)), answer(count(2), REPLAYED, 8)) == [
        "COUNT of cycle 3 has another outcome than at first"
    ]


def test_a_retry_that_is_not_the_command_before_is_seen() -> None:
    first = said("host>", M.Suction(cycle_no=1), correlation=7)
    again = said("host>", M.Suction(cycle_no=1), correlation=7, flags=RETRANSMIT)
    other = said("host>", M.Suction(cycle_no=2), correlation=7, flags=RETRANSMIT)
    assert found(first, again) == []
    assert found(first, other) == ["Suction (1, 7) is sent again, and was not sent before like that"]


def test_a_correlation_id_that_is_not_newer_is_seen() -> None:
    one, wrapped = said("host>", M.Arm(), correlation=0xFFFF), said("host>", M.Disarm(), correlation=1)
    assert found(one, wrapped) == []
    assert found(one, said("host>", M.Disarm(), correlation=0xFFFE)) == ["Disarm has correlation id 65534 after 65535"]


def test_a_command_that_was_answered_and_is_refused_as_expired_is_seen() -> None:
    expired = M.Refused(code=Code.E_EXPIRED, interlock=0, expected=0, actual=0, sentence="late")
    assert found(ARM, answer(DONE), answer(expired)) == ["correlation 7 was answered, and is refused as expired"]


def test_an_answer_on_a_link_that_is_none_is_seen() -> None:
    assert found(ARM, answer(DONE), event("boot"), answer(DONE, REPLAYED)) == ["ArmDone on link 1, which is none"]


def test_another_host_that_is_given_what_it_may_not_have_or_refused_a_stop_is_seen() -> None:
    right = event("other_host", asked="Disarm", answer="Refused"), event("other_host", asked="Stop", answer="StopDone")
    assert found(*right) == []
    wrong = (
        event("other_host", asked="Disarm", answer="DisarmDone"),
        event("other_host", asked="Stop", answer="Refused"),
    )
    assert found(*wrong) == [
        "another host's Disarm was answered with DisarmDone",
        "another host's Stop was answered with Refused",
    ]


def test_a_link_with_a_number_that_another_one_had_is_seen() -> None:
    assert found(welcome(1), event("boot"), welcome(2)) == []
    assert found(event("boot"), welcome(1)) == ["link 1 is granted, and was another one's before"]


def test_a_motion_that_comes_after_a_newer_one_is_refused_as_expired() -> None:
    newer, late = said(">device", M.Disarm(), correlation=9), said(">device", M.Arm(), correlation=7)
    expired = M.Refused(code=Code.E_EXPIRED, interlock=0, expected=0, actual=0, sentence="late")
    state = M.Refused(code=Code.E_STATE, interlock=0, expected=0, actual=0, sentence="armed")
    assert found(newer, late, answer(expired)) == []
    for message, name in ((DONE, "ArmDone"), (state, "Refused")):
        assert found(newer, late, answer(message)) == [f"{name} to correlation 7, which came after a newer motion"]
    assert found(late, newer, answer(DONE)) == []


def test_a_link_that_is_there_after_bye_is_seen() -> None:
    bye, detached = said(">device", M.Bye(reason=ByeReason.CLOSING)), event("detached")
    assert found(detached) == found(bye) == found(bye, welcome(2), detached) == []
    assert found(bye, detached) == ["link 1 was still there after BYE"]
