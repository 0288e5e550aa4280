"""The dissector's links between a request and its answers, and its words about what was not done."""

from typing import Final

import pytest

from protocols.capture.packet import FROM_DEVICE, TO_DEVICE
from tests.e2e.captures.frames import frame, nak, punch, punch_done, refused
from tests.e2e.captures.shark import Item, Shark, recording

RETRANSMIT: Final = 0x04
REPLAYED: Final = 0x08
RECEIVED: Final = ("REPLY", 0x0010, bytes.fromhex("f4010000"))
PROGRESS: Final = ("PROGRESS", 0x0011, bytes(9))


def talk(shark: Shark, *frames: tuple[int, bytes]) -> list[Item]:
    """The packets of frames on one port, each with its direction; they are numbered from 1."""
    return shark.packets(recording(*(("pty", way, data) for way, data in frames)))


def test_a_command_and_all_its_answers_know_each_other(shark: Shark) -> None:
    asked, received, progress, done = talk(
        shark,
        (TO_DEVICE, punch(correlation_id=7)),
        (FROM_DEVICE, frame(*RECEIVED, correlation_id=7)),
        (FROM_DEVICE, frame(*PROGRESS, correlation_id=7)),
        (FROM_DEVICE, punch_done(correlation_id=7)),
    )
    assert (asked.only("hlp1.received_in"), asked.only("hlp1.response_in")) == ("2", "4")
    assert [packet.only("hlp1.request_in") for packet in (received, progress, done)] == ["1", "1", "1"]
    times = [float(packet.only("hlp1.response_time")) for packet in (received, progress, done)]
    assert times == pytest.approx([0.001, 0.002, 0.003], abs=1e-9)


def test_another_link_another_port_and_another_number_are_other_requests(shark: Shark) -> None:
    """The filter makes tshark tell the ports in its first look as well."""
    packets = shark.packets(
        recording(
            ("a", TO_DEVICE, punch(correlation_id=7, link_id=1)),
            ("a", TO_DEVICE, punch(correlation_id=7, link_id=2)),
            ("b", TO_DEVICE, punch(correlation_id=7, link_id=2)),
            ("b", FROM_DEVICE, punch_done(correlation_id=7, link_id=2)),
            ("a", FROM_DEVICE, punch_done(correlation_id=7, link_id=2)),
            ("a", FROM_DEVICE, punch_done(correlation_id=7, link_id=1)),
            ("a", FROM_DEVICE, punch_done(correlation_id=8, link_id=1)),
        ),
        *("-R", "frame.interface_id >= 0"),
    )
    assert [packet.shows("hlp1.response_in") for packet in packets[:3]] == [["6"], ["5"], ["4"]]
    assert [packet.shows("hlp1.request_in") for packet in packets[3:]] == [["3"], ["2"], ["1"], []]
    assert packets[-1].told("no_request") == ["what it answers is not in this capture"]


def test_a_number_that_comes_again_after_all_others_is_a_new_request(shark: Shark) -> None:
    exchange = ((TO_DEVICE, punch(correlation_id=7)), (FROM_DEVICE, punch_done(correlation_id=7)))
    packets = talk(shark, *exchange, *exchange)
    assert [packet.shows("hlp1.response_in") for packet in packets] == [["2"], [], ["4"], []]
    assert [packet.shows("hlp1.request_in") for packet in packets] == [[], ["1"], [], ["3"]]


def test_a_command_sent_again_names_the_first_one_and_its_answer_is_measured_from_there(shark: Shark) -> None:
    first, again, done, replayed = talk(
        shark,
        (TO_DEVICE, punch(correlation_id=7)),
        (TO_DEVICE, punch(correlation_id=7, flags=RETRANSMIT)),
        (FROM_DEVICE, punch_done(correlation_id=7)),
        (FROM_DEVICE, punch_done(correlation_id=7, flags=REPLAYED)),
    )
    assert first.only("hlp1.response_in") == again.only("hlp1.response_in") == "3"
    assert again.only("hlp1.first_sent_in") == "1" and again.experts() == ["retransmission"]
    assert float(done.only("hlp1.response_time")) == pytest.approx(0.002, abs=1e-9)
    assert replayed.only("hlp1.request_in") == "1" and replayed.experts() == ["replayed"]


def test_welcome_answers_hello_across_link_ids_and_so_does_a_nak(shark: Shark) -> None:
    hello = frame("LINK", 0x0001, bytes(20) + b"\xe0" + bytes(4), correlation_id=1, link_id=0)
    welcome = frame("LINK", 0x0002, bytes(90), correlation_id=1, link_id=9)
    packets = talk(
        shark,
        (TO_DEVICE, hello),
        (FROM_DEVICE, nak("speak another version", correlation_id=1, link_id=0)),
        (TO_DEVICE, hello),
        (FROM_DEVICE, welcome),
    )
    assert [packet.shows("hlp1.response_in") for packet in packets] == [["2"], [], ["4"], []]
    assert [packet.shows("hlp1.request_in") for packet in packets] == [[], ["1"], [], ["3"]]


def test_refusals_and_naks_say_their_sentence_and_what_is_unanswered_is_named(shark: Shark) -> None:
    lonely, refusal, complaint = talk(
        shark,
        (TO_DEVICE, punch(correlation_id=1)),
        (FROM_DEVICE, refused("PUNCH: not in IDLE", correlation_id=2)),
        (FROM_DEVICE, nak("no such link", correlation_id=0)),
    )
    assert lonely.experts() == ["no_response"]
    assert refusal.told("refused") == ["PUNCH: not in IDLE"]
    assert complaint.told("nak") == ["no such link"] and complaint.experts() == ["nak"]
    assert "E_STATE" in refusal.all("hlp1.refused.code")[0].text
