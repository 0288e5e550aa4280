"""Feeding: link ids are the twin's own, the recording waits for an answer, and chance brings what was recorded."""

import itertools
from typing import Any

import pytest

from firmware_sim.twin.beginning import begin
from firmware_sim.twin.conversation import read_conversation
from firmware_sim.twin.feed import Feed, Links
from protocols.capture.packet import FROM_DEVICE, TO_DEVICE, CaptureError
from protocols.language import messages as M
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, SECOND
from tests.unit.firmware_sim.twin.recorded_line import (
    PORT,
    QUICK,
    RecordedLine,
    captured,
    open_session,
    punch,
    run_cycle,
    whole_session,
)


def fed(line: RecordedLine, seed: int | None = None, **parameters: float) -> Feed:
    conversation = line.conversation()
    feed = Feed(conversation, begin(conversation, seed, {**QUICK, **parameters}))
    feed.run()
    return feed


def words(feed: Feed, *kinds: type[Message]) -> list[Message]:
    messages = [one.said.message for one in feed.heard[PORT]]
    return [one for one in messages if isinstance(one, kinds)]


def test_the_twin_hears_the_host_by_its_own_link_ids() -> None:
    line = RecordedLine()
    line.greet()
    line.device.nvm.link_count = 500  # the recorded device numbers its next link otherwise
    line.greet()
    assert line.link_id == 501
    line.ask(M.Echo(data=b"x"))
    feed = fed(line)
    assert [one.link_id for one in words(feed, M.Welcome) if isinstance(one, M.Welcome)] == [1, 2]
    assert words(feed, M.EchoDone, M.Nak) == [M.EchoDone(data=b"x")]


def test_the_twin_is_as_fast_as_the_recorded_device_and_nothing_is_held() -> None:
    feed = fed(whole_session(2), seed=7)
    assert (feed.held_us, feed.stuck) == (0, None)
    assert not [one for one in feed.heard[PORT] if one.in_hold]


def test_the_recording_is_held_until_the_twin_has_answered_and_the_lease_lives_on() -> None:
    line = whole_session(2)
    feed = fed(line, seed=7, suction_ms=1_100)  # longer than an armed device's lease
    assert 1_850 * MILLISECOND < feed.held_us < 2_100 * MILLISECOND
    assert not words(feed, M.Alarm, M.Refused, M.Aborted)
    assert len(words(feed, M.CountDone)) == 2


def test_the_shift_follows_the_holds_by_the_twins_own_uptime() -> None:
    feed = fed(whole_session(2), seed=7, suction_ms=1_100)
    done = [one for one in feed.heard[PORT] if isinstance(one.said.message, M.SuctionDone)]
    assert [one.in_hold for one in done] == [True, True]
    assert feed.shift_ms(0) == 0
    assert feed.shift_ms(10**6) == feed.held_us // MILLISECOND
    shifts = [feed.shift_ms(uptime_ms) for uptime_ms in range(0, 20_000, 10)]
    assert shifts == sorted(shifts) and shifts[len(shifts) - 1] > 900 and 950 in range(min(shifts), max(shifts))


def test_a_command_that_the_twin_never_ends_ends_the_feeding() -> None:
    line = whole_session(1)
    place = next(at for at, one in enumerate(line.packets) if b"\x0a\x03" in one.data and one.direction == TO_DEVICE)
    packets = line.packets[:place] + line.packets[place + 1 :]  # COUNT never comes to the twin, and has its answer
    assert len(packets) == len(line.packets) - 1
    conversation = read_conversation(captured(packets))
    feed = Feed(conversation, begin(conversation, 7, QUICK))
    feed.run()
    assert feed.end_us == conversation.end_us  # what nobody asked is not waited for


def test_the_feeding_ends_where_the_twin_owes_an_answer() -> None:
    line = RecordedLine()
    line.greet()
    line.ask(M.Echo(data=b"x"))
    line.wait(100)
    line.ask(M.Echo(data=b"y"))
    conversation = line.conversation()
    beginning = begin(conversation, 7, QUICK)
    feed = Feed(conversation, beginning)
    first = next(step for step in conversation.steps if getattr(step, "items", None))
    conversation.steps.remove(first)  # its HELLO is lost: the twin has no link, and answers no ECHO
    feed.run()
    assert feed.stuck is not None and feed.stuck.asked == (PORT, 0, 1)
    assert feed.end_us < conversation.end_us
    assert feed.stuck.waited_us == 60 * SECOND


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_chance_brings_what_was_recorded(seed: int) -> None:
    line = RecordedLine(parameters={**QUICK, "miss_p": 0.5})
    line.greet()
    open_session(line)
    for cycle_no in range(1, 6):
        run_cycle(line, cycle_no)
    recorded = [one for one in line.said if isinstance(one, M.CountDone)]
    assert len({one.outcomes for one in recorded}) > 1
    assert words(fed(line, seed, miss_p=0.5), M.CountDone) == recorded


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_a_purge_frees_the_needles_that_were_recorded(seed: int) -> None:
    clogging = {"miss_p": 1.0, "purge_p": 0.5, "clog_empties": 2.0, "blocked_empties": 100.0}
    line = RecordedLine(parameters={**QUICK, **clogging})
    line.greet()
    open_session(line)
    for cycle_no in range(1, 3):
        run_cycle(line, cycle_no)
    line.ask(M.Purge())
    (recorded,) = (one for one in line.said if isinstance(one, M.PurgeDone))
    assert recorded.flagged | recorded.cleared == 7
    assert words(fed(line, seed, **clogging), M.PurgeDone) == [recorded]


@pytest.mark.parametrize("seed", [7, 8])
def test_the_hand_takes_as_long_as_it_took(seed: int) -> None:
    line = RecordedLine()
    line.greet()
    open_session(line)
    line.ask(M.Reposition(zone=0, cell=1))
    feed = fed(line, seed, reposition_mean_s=40)
    assert feed.held_us == 0
    ends = [one.at_us for one in line.conversation().said[PORT] if isinstance(one.message, M.RepositionDone)]
    found = [one.said.at_us for one in feed.heard[PORT] if isinstance(one.said.message, M.RepositionDone)]
    assert found == ends and len(ends) == 2


def test_a_punch_is_as_late_for_the_twin_as_it_was() -> None:
    line = RecordedLine()
    line.greet()
    open_session(line)
    line.ask(M.Purge())
    line.ask(punch(line, 1))
    feed = fed(line, seed=7, purge_s=45)  # longer than the half minute that PUNCH has
    assert feed.held_us > 30 * SECOND
    assert len(words(feed, M.PunchDone)) == 1


def test_a_spoiled_frame_comes_to_the_twin_as_it_came() -> None:
    line = RecordedLine()
    line.greet()
    line.send(b"\0\5spoiled\0")
    line.ask(M.Echo(data=b"x"))
    feed = fed(line)
    assert words(feed, M.EchoDone) and feed.ports[PORT].exchange.statistics.bad_frames == 1


def test_a_call_that_was_spoiled_is_an_error_of_the_recording() -> None:
    line = RecordedLine(booted=True)
    line.greet()
    line.packets[1] = line.packets[1]._replace(data=line.packets[1].data.replace(b'"port"', b'"prot"'))
    with pytest.raises(CaptureError, match="cannot be repeated"):
        fed(line)


def test_links_are_numbered_by_their_welcomes() -> None:
    line = RecordedLine()
    line.greet()
    line.greet()
    said: Any = line.conversation().said[PORT]
    links = Links()
    assert [(one.name, links.number(one, PORT)) for one in said] == [
        ("Hello", 0),
        ("Welcome", 0),
        ("Hello", 1),
        ("Welcome", 1),
    ]
    assert {packet.direction for packet in line.packets} == {TO_DEVICE, FROM_DEVICE}


def test_pictures_are_kept_where_the_device_has_changed() -> None:
    feed = fed(whole_session(1), seed=7)
    states = [picture.heartbeat.state.name for picture in feed.pictures]
    assert {"IDLE", "ARMED", "PUNCHING", "COUNTING"} <= set(states)
    shown = [tuple(picture.heartbeat)[:-1] for picture in feed.pictures]
    assert all(one != other for one, other in itertools.pairwise(shown))
    times = [picture.at_us for picture in feed.pictures]
    assert times == sorted(times)
