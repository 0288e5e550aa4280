"""The link by the specification: set-up, heartbeat, lease, NAK, BYE, and frames that are not of this link."""

import pytest

from protocols.language.enums import ByeReason, Code, DeviceState, Kind
from protocols.language.errors import LocalError
from protocols.language.message import Message
from protocols.language.messages import (
    Arm,
    Bye,
    Echo,
    EchoDone,
    Heartbeat,
    Hello,
    HostHeartbeat,
    Nak,
    Punch,
    StopDone,
    TelemetryState,
)
from protocols.language.schema import schema_id
from protocols.language.units import SECOND, Micros
from protocols.link.device_end import DeviceEnd
from protocols.link.happenings import Abandoned, Answered, Commanded, Denied, Greeted, Linked, LinkLost, Told
from protocols.link.header import MUST_UNDERSTAND, REPLAYED, REPLY_WANTED, RETRANSMIT
from protocols.link.host_end import HostEnd
from protocols.link.pace import IDLE_PACE, MIN_HEARTBEAT_US, Pace
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire, Publication
from protocols.serial.framing import pack_header
from tests.unit.protocols.link.exchange_pair import (
    HEARTBEAT_US,
    LEASE_US,
    LINK,
    bring,
    frame,
    heartbeat,
    hello,
    linked_pair,
    make_device,
    make_host,
    messages,
    only_nak,
    seen,
    welcome,
)
from tests.unit.protocols.serial.frames import encode_frame, encode_payload, seal

T0 = Micros(0)
STATE = TelemetryState(
    uptime_ms=1, state=DeviceState.IDLE, depth_um=0, vacuum_pa=0, temperature_mk=0, canister_ul=0, cartridge_cycles=0,
    cell=0, flagged=0,
)  # fmt: skip


def frame_of_major(major: int, message: Hello | Nak | Arm, correlation_id: int = 9) -> bytes:
    payload = encode_payload(message)
    head = pack_header(major << 4 | message.KIND, 0, message.ID, 3, LINK, correlation_id, 0, len(payload))
    return seal(head + payload)


# --- HELLO and WELCOME ---------------------------------------------------------------------------------------


def test_hello_is_sent_on_link_0_and_answered_by_welcome() -> None:
    host, device = make_host(), make_device()
    assert host.next_deadline() is None and device.next_deadline() is None
    assert host.hello(hello(), T0) == []
    sent = host.take()
    ((header, message),) = seen(sent)
    assert (header.link_id, header.correlation_id, header.flags, header.kind) == (0, 1, REPLY_WANTED, Kind.LINK)
    assert message == hello() and not host.linked
    assert device.receive(sent[0], T0) == [Greeted(hello(), 1, 1)]
    assert not device.linked
    device.welcome(welcome(), Greeted(hello(), 1, 1), T0)
    assert device.linked and device.link_id == LINK
    sent = device.take()
    ((header, message),) = seen(sent)
    assert (header.link_id, header.correlation_id) == (LINK, 1)
    assert host.receive(sent[0], T0) == [Linked(welcome())]
    assert host.linked and host.link_id == LINK
    assert host.pace == Pace(HEARTBEAT_US, LEASE_US)
    assert host.statistics.strays == device.statistics.strays == 0


def test_hello_is_retried_and_answered_by_the_same_welcome() -> None:
    host, device = make_host(), make_device()
    host.hello(hello(), T0)
    (greeted,) = bring(host, device, 0)
    assert isinstance(greeted, Greeted)
    device.welcome(welcome(), greeted, T0)
    ((first, _),) = seen(device.take())  # lost
    assert host.next_deadline() == 200_000
    assert host.advance(Micros(199_999)) == [] and not host.outbox
    assert host.advance(Micros(200_000)) == []
    ((header, _),) = seen(host.outbox)
    assert header.flags == REPLY_WANTED | RETRANSMIT and (header.seq, header.correlation_id) == (1, 1)
    assert bring(host, device, 200_000) == []
    ((again, message),) = seen(device.outbox)
    assert message == welcome() and again.flags == REPLAYED
    assert (again.link_id, again.correlation_id) == (first.link_id, first.correlation_id)
    assert bring(device, host, 200_000) == [Linked(welcome())]
    assert device.statistics.replays == 1


def test_no_common_major_is_e_version_with_both() -> None:
    host, device = make_host(), make_device()
    host.hello(hello(majors=4), T0)
    assert bring(host, device, 0) == []
    header, nak = only_nak(device)
    assert (nak.code, nak.expected, nak.actual, nak.seq) == (Code.E_VERSION, 2, 4, 1)
    assert (header.link_id, header.correlation_id) == (0, 1)
    assert host.receive(frame(nak, 0, 1), T0) == [Denied(Code.E_VERSION, nak.sentence)]
    assert host.next_deadline() is None
    assert host.receive(frame(nak, 0, 1), T0) == []


def test_wrong_schema_is_e_schema_with_both() -> None:
    host, device = make_host(), make_device()
    host.hello(hello(schema_id=123), T0)
    assert bring(host, device, 0) == []
    _, nak = only_nak(device)
    assert (nak.code, nak.expected, nak.actual) == (Code.E_SCHEMA, schema_id(0), 123)
    assert f"{schema_id(0):08x}" in nak.sentence and "0000007b" in nak.sentence
    assert host.receive(frame(nak, 0, 1), T0) == [Denied(Code.E_SCHEMA, nak.sentence)]


def test_schema_0_is_not_checked_by_either() -> None:
    device = make_device()
    unchecked = hello(schema_id=0)
    assert device.receive(frame(unchecked, 0, 1), T0) == [Greeted(unchecked, 1, 900)]
    host = make_host()
    host.hello(unchecked, T0)
    foreign = welcome(schema_id=99)
    assert host.receive(frame(foreign, LINK, 1), T0) == [Linked(foreign)]


# --- heartbeat and lease -------------------------------------------------------------------------------------


def test_silent_end_beats_and_a_talking_one_does_not() -> None:
    host, device = linked_pair()
    for end, kind in ((host, HostHeartbeat), (device, Heartbeat)):
        end.take()
        assert end.next_deadline() == 200_000
        assert end.advance(Micros(199_999)) == [] and not end.outbox
        assert end.advance(Micros(200_000)) == []
        (beat,) = messages(end)
        assert type(beat) is kind
        end.tell(STATE, Micros(300_000))
        assert end.next_deadline() == 500_000
        end.take()


@pytest.mark.parametrize("which", [0, 1])
def test_lease_expires_on_silence(which: int) -> None:
    end = linked_pair()[which]
    assert end.advance(Micros(599_999)) == []
    assert end.next_deadline() == 600_000
    (lost,) = end.advance(Micros(600_000))
    assert lost == LinkLost("nothing heard for 600 ms")
    assert not end.linked and end.next_deadline() is None and end.pace == IDLE_PACE


@pytest.mark.parametrize("which", [0, 1])
def test_lease_of_0_is_off_and_heartbeats_go_on(which: int) -> None:
    end = linked_pair()[which]
    end.take()
    end.pace = Pace(HEARTBEAT_US, Micros(0))
    assert end.next_deadline() == 200_000
    assert end.advance(Micros(3600 * SECOND)) == [] and end.linked
    assert len(end.take()) == 1


@pytest.mark.parametrize(
    ("which", "data"),
    [
        (0, frame(heartbeat())),
        (1, frame(HostHeartbeat())),
        (0, frame(STATE)),
        (0, frame(StopDone(state=DeviceState.SAFE), correlation_id=99)),
        (1, encode_frame(Kind.COMMAND, 0x7FFF, b"", link_id=LINK, correlation_id=5)),
        (0, encode_frame(Kind.EVENT, 0x7FFF, b"", link_id=LINK)),
        (0, encode_frame(Kind.LINK, 0x7FFF, b"", link_id=LINK)),
        (1, encode_frame(Kind.LINK, 0x7FFF, b"", link_id=LINK)),
        (1, encode_frame(Kind.BULK, 0x7FFF, b"", link_id=LINK)),
    ],
)
def test_every_valid_frame_of_the_link_renews_the_lease(which: int, data: bytes) -> None:
    end = linked_pair()[which]
    end.receive(data, Micros(500_000))
    end.advance(Micros(600_000))
    assert end.linked
    assert end.advance(Micros(1_100_000))[0].__class__ is LinkLost


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    "data",
    [
        b"\0noise\0",
        frame(heartbeat(), 0),
        frame(HostHeartbeat(), LINK + 1),
        frame(Arm(), LINK + 1, 3),
        frame(StopDone(state=DeviceState.SAFE), LINK + 1, 3),
        frame(heartbeat(), LINK, flags=0x10),
        frame_of_major(2, Arm()),
        frame(hello(majors=4), 0, 1),
        b"",
    ],
)
def test_no_other_frame_renews_the_lease(which: int, data: bytes) -> None:
    end = linked_pair()[which]
    end.receive(data, Micros(500_000))
    assert end.advance(Micros(600_000))[0].__class__ is LinkLost


@pytest.mark.parametrize(("which", "kind"), [(0, Kind.COMMAND), (1, Kind.EVENT)])
def test_an_echo_of_what_this_end_cannot_read_renews_nothing(which: int, kind: Kind) -> None:
    end = linked_pair()[which]
    end.receive(encode_frame(kind, 0x7FFF, b"", link_id=LINK), Micros(500_000))
    assert end.advance(Micros(600_000))[0].__class__ is LinkLost


@pytest.mark.parametrize(("which", "message"), [(0, HostHeartbeat()), (1, STATE)])
def test_an_echo_is_counted_and_renews_nothing_and_the_loss_says_so(which: int, message: Message) -> None:
    end = linked_pair()[which]
    end.take()
    end.tell(message, T0)
    (sent,) = end.take()
    assert end.receive(sent, Micros(500_000)) == [] and not end.outbox
    assert end.statistics.echoes == 1
    (lost,) = end.advance(Micros(600_000))
    reason = "nothing heard for 600 ms; the line echoes: 1 frames of this end's own came back"
    assert lost == LinkLost(reason)


def test_answers_to_foreign_frames_do_not_break_the_silence_of_the_link() -> None:
    _, device = linked_pair()
    device.take()
    for at in range(10_000, 200_000, 10_000):
        device.receive(frame(Arm(), 99, 3), Micros(at))
    device.take()
    assert device.next_deadline() == 200_000
    device.advance(Micros(200_000))
    assert [type(message) for message in messages(device)] == [Heartbeat]


def test_welcome_that_asks_for_a_heartbeat_of_0_does_not_make_an_endless_one() -> None:
    host, _ = linked_pair(heartbeat_idle_ms=0, lease_idle_ms=0)
    assert host.pace == Pace(Micros(MIN_HEARTBEAT_US), Micros(0))
    due = host.next_deadline()
    assert due is not None
    host.advance(due)
    assert host.next_deadline() == due + MIN_HEARTBEAT_US


# --- NAK -----------------------------------------------------------------------------------------------------


def test_frame_of_another_major_gets_e_version_with_both() -> None:
    _, device = linked_pair()
    device.take()
    assert device.receive(frame_of_major(2, Arm()), T0) == []
    header, nak = only_nak(device)
    assert (nak.code, nak.expected, nak.actual, nak.seq) == (Code.E_VERSION, 1, 2, 3)
    assert (header.link_id, header.correlation_id) == (LINK, 9)


@pytest.mark.parametrize("flag", [0x10, 0x20, 0x30])
def test_must_understand_flag_drops_the_frame_with_a_nak(flag: int) -> None:
    assert MUST_UNDERSTAND & flag
    _, device = linked_pair()
    device.take()
    assert device.receive(frame(Arm(), LINK, 9, flags=flag), T0) == []
    header, nak = only_nak(device)
    assert (nak.code, header.correlation_id) == (Code.E_UNSUPPORTED, 9)


@pytest.mark.parametrize("flag", [0x01, 0x40, 0x80])
def test_other_flags_are_ignored(flag: int) -> None:
    _, device = linked_pair()
    assert device.receive(frame(Arm(), LINK, 9, flags=flag), T0) == [Commanded(9, Arm())]


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize(
    "message", [Arm(), HostHeartbeat(), Echo(data=b""), Bye(reason=ByeReason.CLOSING)], ids=lambda m: type(m).__name__
)
def test_frame_of_another_link_gets_e_link_with_both(linked: bool, message: Arm | Bye) -> None:
    _, device = linked_pair()
    if not linked:
        device.drop()
    device.take()
    assert device.receive(frame(message, 99, 9), T0) == []
    header, nak = only_nak(device)
    assert (nak.code, nak.expected, nak.actual) == (Code.E_LINK, LINK if linked else 0, 99)
    assert (header.link_id, header.correlation_id, nak.seq) == (99, 9, 900)


def test_unknown_message_of_another_link_gets_e_link_and_renews_nothing() -> None:
    _, device = linked_pair()
    device.take()
    data = encode_frame(Kind.COMMAND, 0x7FFF, b"", link_id=99, correlation_id=9)
    assert device.receive(data, Micros(500_000)) == []
    header, nak = only_nak(device)
    assert (nak.code, header.link_id) == (Code.E_LINK, 99)
    assert isinstance(device.advance(Micros(600_000))[0], LinkLost)


def test_only_a_nak_has_no_answer_and_not_what_shares_its_number() -> None:
    _, device = linked_pair()
    device.take()
    assert device.receive(encode_frame(Kind.COMMAND, Nak.ID, b"", link_id=99, correlation_id=3), T0) == []
    assert only_nak(device)[1].code is Code.E_LINK


def test_naks_are_at_most_ten_in_any_second() -> None:
    device = make_device()
    times = [950_000 + 1_000 * n for n in range(200)]
    for at in times:
        device.receive(frame(Arm(), 99, 3), Micros(at))
    assert len(device.take()) == device.statistics.naks == 10
    device.receive(frame(Arm(), 99, 3), Micros(1_949_999))
    assert not device.outbox
    device.receive(frame(Arm(), 99, 3), Micros(1_950_000))
    assert len(device.outbox) == 1


def test_nak_is_never_answered() -> None:
    _, device = linked_pair()
    device.take()
    nak = Nak(code=Code.E_ARGUMENT, seq=5, expected=0, actual=0, sentence="")
    raw = encode_frame(Kind.LINK, Nak.ID, b"", link_id=LINK)
    for data in (frame_of_major(2, nak), frame(nak, 99, 3), frame(nak, LINK, 3), frame(nak, flags=0x10), raw):
        assert device.receive(data, T0) == []
    assert not device.outbox and device.statistics.strays == 5


@pytest.mark.parametrize(
    ("kind", "answer_name"), [(Kind.COMMAND, "Refused"), (Kind.EVENT, "Nak"), (Kind.LINK, "Nak"), (9, "Nak")]
)
def test_unknown_message_is_named(kind: int, answer_name: str) -> None:
    _, device = linked_pair()
    device.take()
    assert device.receive(encode_frame(kind, 0x7FFF, b"", link_id=LINK, correlation_id=9), T0) == []
    ((header, answer),) = seen(device.take())
    assert type(answer).__name__ == answer_name and header.correlation_id == 9
    assert answer.code is Code.E_UNKNOWN_MESSAGE and "0x7fff" in answer.sentence  # type: ignore[attr-defined]


def test_corrupt_bytes_are_counted_and_not_answered() -> None:
    _, device = linked_pair()
    device.take()
    bad = bytearray(frame(Arm(), LINK, 9))
    bad[5] ^= 1
    assert device.receive(bytes(bad), T0) == []
    assert device.statistics.bad_frames == 1 and not device.outbox


# --- the end of a link ---------------------------------------------------------------------------------------


def test_bye_ends_the_link_on_both_sides() -> None:
    host, device = linked_pair()
    request = host.submit(Arm(), T0)
    host.take()
    assert [happening.request for happening in host.bye(ByeReason.CLOSING, T0)] == [request]  # type: ignore[union-attr]
    assert not host.linked
    assert bring(host, device, 0) == [LinkLost("the other end said BYE (CLOSING)")]
    assert not device.linked
    assert host.bye(ByeReason.CLOSING, T0) == [] and not host.outbox


def test_drop_leaves_without_a_word() -> None:
    host, device = linked_pair()
    requests = [host.submit(Punch(cycle_no=n, depth_um=1, deadline_ms=1), T0) for n in (1, 2)]
    host.take()
    assert host.drop("unplugged") == [Abandoned(request, "unplugged") for request in requests]
    assert not host.outbox and not host.linked
    with pytest.raises(LocalError):
        host.submit(Arm(), T0)
    assert device.linked


@pytest.mark.parametrize("which", [0, 1])
def test_e_link_from_the_peer_ends_the_link(which: int) -> None:
    end = linked_pair()[which]
    nak = Nak(code=Code.E_LINK, seq=5, expected=0, actual=LINK, sentence="unknown here")
    assert end.receive(frame(nak), T0) == [LinkLost("unknown here")]


def test_messages_that_answer_nothing_are_told() -> None:
    host, _ = linked_pair()
    assert host.receive(frame(STATE) + frame(heartbeat()), T0) == [Told(STATE), Told(heartbeat())]
    # A measurement answers nothing, whatever its correlation id says.
    request = host.submit(Arm(), T0)
    assert host.receive(frame(STATE, LINK, request.correlation_id), T0) == [Told(STATE)]


def test_an_exchange_has_what_it_took_only_once() -> None:
    host, _ = linked_pair()
    host.tell(STATE, T0)
    assert len(host.take()) == 1 and host.take() == []
    assert host.statistics.frames_sent == 2 and host.statistics.frames_received == 1


# --- over a broker -------------------------------------------------------------------------------------------


TOPICS = DeviceTopics("site", "device")


def linked_over_mqtt() -> tuple[HostEnd[Publication], DeviceEnd[Publication]]:
    host, device = HostEnd(HostWire(TOPICS, "me")), DeviceEnd(DeviceWire(TOPICS, "me"), lambda _: heartbeat())
    host.hello(hello(), T0)
    (greeted,) = [happened for sent in host.take() for happened in device.receive(sent, T0)]
    assert isinstance(greeted, Greeted)
    device.welcome(welcome(), greeted, T0)
    assert [happened for sent in device.take() for happened in host.receive(sent, T0)] == [Linked(welcome())]
    return host, device


def test_each_end_beats_once_as_soon_as_it_is_linked() -> None:
    host, device = linked_over_mqtt()
    (beat,) = host.take()
    assert beat.topic == TOPICS.of("heartbeat", "me")
    assert device.receive(beat, T0) == [Told(HostHeartbeat())]
    (beat_back,) = device.take()
    assert beat_back.topic == TOPICS.of("heartbeat")
    device.receive(beat, T0)
    assert device.take() == []


def test_a_host_whose_wire_keeps_no_noise_has_nothing_to_say_of_it() -> None:
    host, device = linked_over_mqtt()
    host.take()
    request = host.submit(Echo(data=b""), T0)
    (commanded,) = [happened for sent in host.take() for happened in device.receive(sent, T0)]
    assert isinstance(commanded, Commanded)
    device.reply(commanded.correlation_id, EchoDone(data=b""), T0)
    (answered,) = [happened for sent in device.take() for happened in host.receive(sent, T0)]
    assert answered == Answered(request, EchoDone(data=b""), final=True)
    assert host.explain("lost") == "lost"
