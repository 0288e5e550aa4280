"""The line passes on what both ends say, and does to it what its tampers say, at their moment and no other."""

from devicectl.conformance.controller.line import Tamper
from devicectl.conformance.controller.spoilt import put
from devicectl.conformance.controller.tape import Said
from protocols.language import messages as M
from protocols.serial.payload import encode_message
from tests.unit.devicectl.conformance.controller.talk import LINK, Talk, empty

BEAT = M.HostHeartbeat()


def is_done(said: Said) -> bool:
    return not said.by_host and isinstance(said.message, M.StopDone)


def a_done() -> M.StopDone:
    return empty(M.StopDone)


def test_without_tampers_every_byte_goes_on() -> None:
    talk = Talk()
    talk.says(BEAT)
    talk.hears(a_done(), 3)
    assert talk.to_device == encode_message(BEAT, 1, LINK)
    assert talk.to_host == encode_message(a_done(), 1, LINK, 3)
    assert [(one.by_host, one.name) for one in talk.tape.said] == [(True, "HostHeartbeat"), (False, "StopDone")]


def test_bytes_that_are_no_frame_go_on_and_are_noted() -> None:
    talk = Talk()
    talk.raw_of_host(b"\0\x03\x01\0")
    assert talk.to_device == b"\0\x03\x01\0"
    assert [problem for _, problem in talk.tape.bad] == ["bytes that are no frame: cobs"]


def test_a_frame_is_put_in_behind_its_moment_once() -> None:
    talk = Talk([put("beat", lambda line, said: [line.make(BEAT)], M.StopDone, 2)])
    for number in (1, 2, 3):
        talk.hears(a_done(), number)
    assert [(one.name, one.put_in) for one in talk.tape.said] == [
        ("StopDone", ""),
        ("StopDone", ""),
        ("HostHeartbeat", "beat"),
        ("StopDone", ""),
    ]
    assert talk.to_host.count(b"\0\0") >= 2


def test_a_frame_that_is_kept_does_not_arrive() -> None:
    talk = Talk([Tamper("lost", is_done, times=1, keeps=True)])
    talk.hears(a_done(), 1)
    assert not talk.to_host.strip(b"\0") and "lost" in talk.tape.put_in
    talk.hears(a_done(), 2)
    assert talk.to_host.endswith(encode_message(a_done(), 1, LINK, 2))


def test_a_command_that_is_kept_does_not_reach_the_device() -> None:
    talk = Talk([Tamper("lost", lambda said: said.by_host, times=1, keeps=True)])
    talk.says(M.Stop(), 1)
    assert not talk.to_device.strip(b"\0")


def test_a_spell_mutes_the_device_and_goes_on_by_itself_until_it_is_over() -> None:
    spell = Tamper("noise", is_done, lambda line, said: [line.make(BEAT)], every_ms=100, for_ms=300, mutes=True)
    talk = Talk([spell])
    talk.hears(a_done(), 1)
    heard = len(talk.to_host)
    talk.hears(a_done(), 2)
    assert len(talk.to_host) == heard, "the device is muted"
    talk.waits(400)
    assert 2 <= sum(one.put_in == "noise" for one in talk.tape.said) <= 3
    talk.hears(a_done(), 3)
    assert talk.to_host.endswith(encode_message(a_done(), 1, LINK, 3))
