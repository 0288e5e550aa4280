"""The link by the specification: set-up, heartbeat, lease, NAK, BYE, and frames that are not of this link."""

import pytest

from protocols.language.enums import ByeReason, Code, DeviceState, Kind
from protocols.language.errors import LocalError
from protocols.language.message import Message
from protocols.language.messages import (
    Arm,
    ArmDone,
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
from protocols.serial.framing import encode_frame, pack_header, seal
from protocols.serial.payload import encode_payload
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
    order,
    seen,
    welcome,
)

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


def test_hello_and_its_retry_in_the_same_bytes_make_one_link() -> None:
    device = make_device()
    data = frame(hello(), 0, 1) + frame(hello(), 0, 1, flags=RETRANSMIT)
    assert device.receive(data, T0) == [Greeted(hello(), 1, 900)]
    assert device.statistics.replays == 1


def test_another_hello_is_greeted_anew() -> None:
    _, device = linked_pair()
    other = hello(nonce=78)
    assert device.receive(frame(other, 0, 1), T0) == [Greeted(other, 1, 900)]
    device.welcome(welcome(link_id=8, nonce=78), Greeted(other, 1, 900), T0)
    assert device.link_id == 8


def test_a_flood_of_hellos_is_denied_ten_times_a_second() -> None:
    device = make_device()
    for seq in range(30):
        (greeted,) = device.receive(frame(hello(), 0, 1, seq=seq), Micros(seq))
        assert isinstance(greeted, Greeted)
        device.deny(greeted, Code.E_STORAGE, "full", Micros(seq))
    naks = [message for _, message in seen(device.take())]
    assert [nak.seq for nak in naks if isinstance(nak, Nak)] == list(range(10))
    assert device.statistics.naks == 10
    (greeted,) = device.receive(frame(hello(), 0, 1, seq=30), Micros(SECOND))
    assert isinstance(greeted, Greeted)
    device.deny(greeted, Code.E_STORAGE, "full", Micros(SECOND))
    assert only_nak(device)[1].seq == 30


def test_hello_without_an_answer_is_lost_after_five_tries() -> None:
    host = make_host()
    host.hello(hello(), T0)
    times = []
    happened = []
    while (due := host.next_deadline()) is not None:
        times.append(int(due))
        happened += host.advance(due)
    assert len(host.take()) == 5
    assert times == [200_000, 500_000, 950_000, 1_625_000, 2_637_500]
    lost, abandoned = happened
    assert isinstance(lost, LinkLost) and lost.reason == "no answer to Hello after 5 tries"
    assert isinstance(abandoned, Abandoned) and abandoned.reason == lost.reason
    assert abandoned.request.message == hello() and "Hello" in repr(abandoned.request)


def test_wrong_nonce_and_late_welcome_are_strays() -> None:
    host = make_host()
    assert host.receive(frame(welcome(), LINK, 1), T0) == []
    host.hello(hello(), T0)
    assert host.receive(frame(welcome(nonce=78), LINK, 1), T0) == []
    assert "a WELCOME came with nonce 78, HELLO had 77" in host.explain("lost")
    assert host.receive(frame(welcome(), LINK, 2), T0) == []
    assert not host.linked and host.statistics.strays == 3
    assert host.receive(frame(welcome(), LINK, 1), T0) == [Linked(welcome())]
    assert host.receive(frame(welcome(), LINK, 1), T0) == []
    assert host.receive(frame(welcome(link_id=9), 9, 1), T0) == []
    assert host.link_id == LINK and host.statistics.strays == 5
    request = host.submit(Echo(data=b""), T0)
    assert host.receive(frame(welcome(link_id=9), 9, request.correlation_id), T0) == []
    assert host.link_id == LINK and host.statistics.strays == 6


@pytest.mark.parametrize(("granted", "header"), [(0, 0), (0, 7), (7, 8), (7, 0)])
def test_welcome_whose_link_ids_disagree_links_nothing(granted: int, header: int) -> None:
    host = make_host()
    host.hello(hello(), T0)
    host.take()
    assert host.receive(frame(welcome(link_id=granted), header, 1), T0) == []
    assert not host.linked
    sent, nak = only_nak(host)
    assert (nak.code, nak.expected, nak.actual) == (Code.E_ARGUMENT, granted, header)
    assert (sent.link_id, sent.correlation_id) == (header, 1)


def test_a_link_id_of_0_cannot_be_granted() -> None:
    device = make_device()
    with pytest.raises(LocalError):
        device.welcome(welcome(link_id=0), Greeted(hello(), 1, 900), T0)


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


def test_a_newer_hosts_schema_is_compared_by_the_host() -> None:
    newer = hello(minor=1, schema_id=99)
    assert make_device().receive(frame(newer, 0, 1), T0) == [Greeted(newer, 1, 900)]
    host = make_host()
    host.hello(newer, T0)
    host.take()
    (denied,) = host.receive(frame(welcome(schema_id=98), LINK, 1), T0)
    assert isinstance(denied, Denied) and denied.code is Code.E_SCHEMA
    assert f"{schema_id(0):08x}" in denied.sentence and "00000062" in denied.sentence
    assert not host.linked
    ((header, message),) = seen(host.take())
    assert header.link_id == LINK and isinstance(message, Bye)


def test_malformed_hello_is_told_why() -> None:
    device = make_device()
    raw = encode_frame(Kind.LINK, Hello.ID, b"\0" * 5, seq=4, correlation_id=6)
    assert device.receive(raw, T0) == []
    header, nak = only_nak(device)
    assert (nak.code, nak.seq, header.correlation_id) == (Code.E_ARGUMENT, 4, 6) and "Hello" in nak.sentence


def test_hello_over_a_standing_link_tells_the_end_of_what_had_none() -> None:
    host, _ = linked_pair()
    request = host.submit(Arm(), T0)
    (abandoned,) = host.hello(hello(nonce=78), T0)
    assert isinstance(abandoned, Abandoned) and abandoned.request is request and "new link" in abandoned.reason
    assert not host.linked and host.pace == IDLE_PACE


def test_old_links_command_behind_a_hello_is_not_taken() -> None:
    _, device = linked_pair()
    data = frame(hello(nonce=78), 0, 1) + frame(Arm(), LINK, 44)
    assert device.receive(data, T0) == [Greeted(hello(nonce=78), 1, 900)]
    header, nak = only_nak(device)
    assert nak.code is Code.E_LINK and (header.link_id, header.correlation_id) == (LINK, 44)
    assert order(device, Arm(), 45) == [Commanded(45, Arm())]  # was not welcomed: the link still stands


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


def test_a_command_of_no_link_is_not_carried_out_where_a_hello_was_denied() -> None:
    device = make_device()
    (greeted,) = device.receive(frame(hello(), 0, 1), T0)
    assert isinstance(greeted, Greeted)
    device.deny(greeted, Code.E_BUSY, "no", T0)
    device.take()
    assert device.receive(frame(Arm(), 0, 2), T0) == []
    assert only_nak(device)[1].code is Code.E_LINK


def test_unknown_command_of_no_link_gets_a_nak_and_renews_nothing() -> None:
    _, device = linked_pair()
    device.take()
    data = encode_frame(Kind.COMMAND, 0x7FFF, b"", link_id=0, correlation_id=9)
    assert device.receive(data, Micros(500_000)) == []
    header, nak = only_nak(device)
    assert (nak.code, header.link_id, header.correlation_id) == (Code.E_UNKNOWN_MESSAGE, 0, 9)
    assert isinstance(device.advance(Micros(600_000))[0], LinkLost)


def test_a_linked_host_that_asks_something_tells_of_another_link() -> None:
    host, _ = linked_pair()
    host.submit(Arm(), T0)
    host.take()
    assert host.receive(frame(STATE, 99), T0) == []
    assert only_nak(host)[1].code is Code.E_LINK


def test_a_host_without_a_link_that_asks_nothing_tells_of_another_link() -> None:
    host = make_host()
    assert host.receive(frame(STATE, 99), T0) == []
    _, nak = only_nak(host)
    assert (nak.code, nak.expected, nak.actual) == (Code.E_LINK, 0, 99)


def test_a_nak_without_a_link_denies_nothing_to_a_linked_host() -> None:
    host, _ = linked_pair()
    request = host.submit(Arm(), T0)
    nak = Nak(code=Code.E_BUSY, seq=request.seq, expected=0, actual=0, sentence="no")
    assert host.receive(frame(nak, 0, request.correlation_id), T0) == []
    assert host.linked and host.statistics.strays == 1


def test_hello_on_the_standing_links_id_is_greeted() -> None:
    _, device = linked_pair()
    assert device.receive(frame(hello(nonce=78), LINK, 1), T0) == [Greeted(hello(nonce=78), 1, 900)]


def test_host_id_0_is_e_argument() -> None:
    device = make_device()
    assert device.receive(frame(hello(host_id=0), 0, 1), T0) == []
    _, nak = only_nak(device)
    assert (nak.code, nak.expected, nak.actual) == (Code.E_ARGUMENT, 1, 0)


def test_only_a_nak_has_no_answer_and_not_what_shares_its_number() -> None:
    _, device = linked_pair()
    device.take()
    assert device.receive(encode_frame(Kind.COMMAND, Nak.ID, b"", link_id=99, correlation_id=3), T0) == []
    assert only_nak(device)[1].code is Code.E_LINK


def test_frames_while_hello_is_on_its_way_are_strays() -> None:
    host = make_host()
    host.hello(hello(), T0)
    host.take()
    assert host.receive(frame(STATE, LINK), T0) == []
    assert not host.outbox and host.statistics.strays == 1


def test_a_message_that_nobody_knows_explains_by_its_number_why_no_welcome_came() -> None:
    host = make_host()
    host.hello(hello(), T0)
    host.receive(encode_frame(Kind.EVENT, 0x7FFF, b"", link_id=99, correlation_id=0), T0)
    assert "message 0x7fff of link 99 came, and no WELCOME" in host.explain("lost")


def test_nak_of_an_old_link_does_not_deny_a_new_hello() -> None:
    host = make_host()
    host.hello(hello(), T0)
    nak = Nak(code=Code.E_LINK, seq=5, expected=0, actual=LINK, sentence="no")
    assert host.receive(frame(nak, LINK, 1), T0) == []
    assert host.receive(frame(nak, 0, 2), T0) == []
    assert host.statistics.strays == 2
    assert host.receive(frame(welcome(), LINK, 1), T0) == [Linked(welcome())]


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


def test_bye_before_welcome_ends_the_asking() -> None:
    host = make_host()
    host.hello(hello(), T0)
    host.take()
    (abandoned,) = host.bye(ByeReason.CLOSING, T0)
    assert isinstance(abandoned, Abandoned) and abandoned.request.message == hello()
    assert host.next_deadline() is None and not host.outbox


def test_drop_leaves_without_a_word() -> None:
    host, device = linked_pair()
    requests = [host.submit(Punch(cycle_no=n, depth_um=1, deadline_ms=1), T0) for n in (1, 2)]
    host.take()
    assert host.drop("unplugged") == [Abandoned(request, "unplugged") for request in requests]
    assert not host.outbox and not host.linked
    with pytest.raises(LocalError):
        host.submit(Arm(), T0)
    assert device.linked


def test_nothing_of_an_old_link_lives_on_the_next() -> None:
    _, device = linked_pair()
    assert order(device, Arm(), 40) == [Commanded(40, Arm())]
    device.receive(frame(hello(nonce=78), 0, 1), T0)
    device.welcome(welcome(link_id=8, nonce=78), Greeted(hello(nonce=78), 1, 900), T0)
    device.take()
    device.reply(40, ArmDone(vacuum_pa=-1), T0)
    assert not device.outbox
    assert order(device, Arm(), 2, link_id=8) == [Commanded(2, Arm())]


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


# --- what the loss of a link is explained by -----------------------------------------------------------------


TEXT = b"Port already in use\r\n"


def test_a_host_says_what_came_in_place_of_an_answer() -> None:
    host, _ = linked_pair()
    host.receive(TEXT, T0)
    (lost,) = host.advance(Micros(600_000))
    assert isinstance(lost, LinkLost) and "Port already in use" in lost.reason and "--trace FILE" in lost.reason


@pytest.mark.parametrize("data", [TEXT, frame(Arm(), 99, 9)], ids=["a text", "a frame of another link"])
def test_a_device_says_only_that_its_link_is_lost(data: bytes) -> None:
    _, device = linked_pair()
    device.receive(data, T0)
    assert device.advance(Micros(600_000)) == [LinkLost("nothing heard for 600 ms")]


@pytest.mark.parametrize("data", [TEXT, frame(STATE, 99)], ids=["a text", "a frame of another link"])
def test_what_came_before_an_answer_explains_nothing_after_it(data: bytes) -> None:
    host, _ = linked_pair()
    request = host.submit(Echo(data=b""), T0)
    host.receive(data + b"\0", T0)
    host.receive(frame(EchoDone(data=b""), LINK, request.correlation_id), T0)
    assert host.advance(Micros(600_000)) == [LinkLost("nothing heard for 600 ms")]


def test_a_frame_that_is_not_as_it_should_be_explains_more_than_what_is_none() -> None:
    host, _ = linked_pair()
    host.receive(frame(STATE, 99) + TEXT, T0)
    (lost,) = host.advance(Micros(600_000))
    assert isinstance(lost, LinkLost) and "link 99" in lost.reason and "Port already" not in lost.reason


def test_what_the_transport_saw_explains_more_than_any_frame_until_an_answer_comes() -> None:
    host, _ = linked_pair()
    request = host.submit(Echo(data=b""), T0)
    host.receive(frame(STATE, 99), T0)
    host.notice = "another program reads the port"
    assert host.explain("lost") == "lost: another program reads the port; --trace FILE shows all that comes"
    host.receive(frame(EchoDone(data=b""), LINK, request.correlation_id), T0)
    request = host.submit(Echo(data=b""), T0)
    host.notice = "another program reads the port"
    host.receive(frame(EchoDone(data=b""), LINK, request.correlation_id), T0)
    assert host.explain("lost") == "lost"


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
