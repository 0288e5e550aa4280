"""The pure end of the probe: waits that end, heartbeats in between, times that are too late."""

import pytest

from devicectl.conformance.device.probe import MAX_PIECE_BYTES, BrokenRule, GoneError, Until, names
from protocols.language.messages import Echo, EchoDone, HostHeartbeat
from protocols.language.units import Micros
from protocols.serial.payload import encode_message
from tests.unit.devicectl.conformance.device.benches import Scripted, a_ground, a_link


def test_a_wait_ends_with_its_limit_and_says_so() -> None:
    ground = a_ground()
    scripted = Scripted(ground, lambda message, correlation: [])
    with pytest.raises(BrokenRule) as caught:
        scripted.drive(ground.probe.wait("a thing", lambda heard: True, 70))
    assert caught.value.difference == ("a thing", "within 70 ms", "nothing of the kind")
    assert ground.probe.now == 70_000


def test_a_flood_does_not_hold_a_wait_up() -> None:
    """What does not fit is passed over, and the limit stands however much of it comes."""
    ground = a_ground()
    steps = ground.probe.wait("a thing", lambda heard: False, 50)
    effect = next(steps)
    assert isinstance(effect, Until) and effect.due == 50_000
    for now in range(0, 50_000, 10_000):
        ground.probe.now = Micros(now)
        ground.probe.heard(0, encode_message(EchoDone(data=b"x"), 1, 2, 3) * 20 + b"\0garbage\0" * 50)
        steps.send(None)
    ground.probe.now = Micros(50_000)
    ground.probe.heard(0, encode_message(EchoDone(data=b"x"), 1, 2, 3))
    with pytest.raises(BrokenRule):
        steps.send(None)
    assert len(ground.probe.frames) <= 400


def test_a_closed_channel_ends_a_wait() -> None:
    ground = a_ground()
    steps = ground.probe.wait("a thing", lambda heard: True, 1_000)
    next(steps)
    ground.probe.closed(0, "the cable was pulled")
    with pytest.raises(GoneError, match="the cable was pulled"):
        steps.send(None)
    with pytest.raises(GoneError):
        ground.probe.send(0, b"x")


def test_links_beat_while_the_probe_waits_unless_a_case_keeps_them_still() -> None:
    ground = a_ground()
    link = a_link(ground)
    silent = Scripted(ground, lambda message, correlation: [])
    silent.drive(ground.probe.pause(1_000))
    assert silent.heard.count(HostHeartbeat()) == 5  # the first went out before, at once
    link.beats = False
    silent.heard.clear()
    silent.drive(ground.probe.pause(1_000))
    assert not silent.heard


def test_a_time_beyond_limit_and_slack_is_broken() -> None:
    probe = a_ground(slack_ms=5).probe
    probe.timing("answer", 104_000, 100)
    with pytest.raises(BrokenRule, match=r"^late: expected at most 100 ms, found 105\.5 ms$"):
        probe.timing("late", 105_500, 100)
    assert [(one.what, one.margin_ms) for one in probe.timings] == [("answer", 1.0), ("late", -0.5)]


def test_the_watch_hears_all_and_the_recording_has_both_directions() -> None:
    ground = a_ground()
    heard: list[object] = []
    ground.probe.watch = lambda one: heard.append(one.message)
    ground.probe.send(0, encode_message(Echo(data=b"q"), 1, 2, 3))
    ground.probe.heard(0, encode_message(EchoDone(data=b"q"), 1, 2, 3))
    assert heard == [EchoDone(data=b"q")]
    assert [piece.by_host for piece in ground.probe.pieces] == [True, False]
    assert "Echo" in ground.probe.frames[0].text and names(ground.probe.unread) == "EchoDone"
    ground.probe.begin()
    assert not (ground.probe.frames or ground.probe.pieces or ground.probe.unread)
    assert ground.probe.watch is None


def test_a_flood_fills_no_memory() -> None:
    ground = a_ground()
    for _ in range(20):
        ground.probe.heard(0, b"\x55" * (MAX_PIECE_BYTES // 4))
    assert sum(len(one.piece) for one in ground.probe.pieces if isinstance(one.piece, bytes)) == MAX_PIECE_BYTES
    ground.probe.begin()
    ground.probe.heard(0, b"\x55")
    assert len(ground.probe.pieces) == 1, "the next case is recorded from its beginning"
