"""The device's end of a link: which HELLO it reports, what it refuses by itself, and what a new link leaves behind."""

import pytest

from protocols.language.enums import Code, Kind
from protocols.language.errors import LocalError
from protocols.language.messages import (
    Arm,
    ArmDone,
    Echo,
    Hello,
    HostHeartbeat,
    Nak,
    Refused,
    SessionOpen,
)
from protocols.language.units import SECOND, Micros
from protocols.link.happenings import Commanded, Greeted, LinkLost, Told
from protocols.link.header import REPLAYED, RETRANSMIT
from tests.unit.protocols.link.exchange_pair import (
    LINK,
    T0,
    TEXT,
    frame,
    hello,
    linked_pair,
    make_device,
    make_host,
    only_nak,
    order,
    seen,
    welcome,
)
from tests.unit.protocols.serial.frames import encode_frame


def test_hello_and_its_retry_in_the_same_bytes_make_one_link() -> None:
    device = make_device()
    data = frame(hello(), 0, 1) + frame(hello(), 0, 1, flags=RETRANSMIT)
    assert device.receive(data, T0) == [Greeted(hello(), 1, 900)]
    assert device.statistics.replays == 1


def test_another_hello_is_greeted_again() -> None:
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


def test_a_link_id_of_0_cannot_be_granted() -> None:
    device = make_device()
    with pytest.raises(LocalError):
        device.welcome(welcome(link_id=0), Greeted(hello(), 1, 900), T0)


def test_malformed_hello_is_told_why() -> None:
    device = make_device()
    raw = encode_frame(Kind.LINK, Hello.ID, b"\0" * 5, seq=4, correlation_id=6)
    assert device.receive(raw, T0) == []
    header, nak = only_nak(device)
    assert (nak.code, nak.seq, header.correlation_id) == (Code.E_ARGUMENT, 4, 6) and "Hello" in nak.sentence


def test_old_links_command_behind_a_hello_is_not_taken() -> None:
    _, device = linked_pair()
    data = frame(hello(nonce=78), 0, 1) + frame(Arm(), LINK, 44)
    assert device.receive(data, T0) == [Greeted(hello(nonce=78), 1, 900)]
    header, nak = only_nak(device)
    assert nak.code is Code.E_LINK and (header.link_id, header.correlation_id) == (LINK, 44)
    assert order(device, Arm(), 45) == [Commanded(45, Arm())]  # was not welcomed: the link still stands


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


def test_hello_on_the_standing_links_id_is_greeted() -> None:
    _, device = linked_pair()
    assert device.receive(frame(hello(nonce=78), LINK, 1), T0) == [Greeted(hello(nonce=78), 1, 900)]


def test_host_id_0_is_e_argument() -> None:
    device = make_device()
    assert device.receive(frame(hello(host_id=0), 0, 1), T0) == []
    _, nak = only_nak(device)
    assert (nak.code, nak.expected, nak.actual) == (Code.E_ARGUMENT, 1, 0)


def test_nothing_of_an_old_link_lives_on_the_next() -> None:
    _, device = linked_pair()
    assert order(device, Arm(), 40) == [Commanded(40, Arm())]
    device.receive(frame(hello(nonce=78), 0, 1), T0)
    device.welcome(welcome(link_id=8, nonce=78), Greeted(hello(nonce=78), 1, 900), T0)
    device.take()
    device.reply(40, ArmDone(vacuum_pa=-1), T0)
    assert not device.outbox
    assert order(device, Arm(), 2, link_id=8) == [Commanded(2, Arm())]


@pytest.mark.parametrize("data", [TEXT, frame(Arm(), 99, 9)], ids=["a text", "a frame of another link"])
def test_a_device_says_only_that_its_link_is_lost(data: bytes) -> None:
    _, device = linked_pair()
    device.receive(data, T0)
    assert device.advance(Micros(600_000)) == [LinkLost("nothing heard for 600 ms")]


def test_a_link_that_replaces_another_does_so_without_a_frame_on_that_one() -> None:
    _, device = linked_pair()
    device.take()
    device.welcome(welcome(link_id=8), Greeted(hello(), 1, 900), T0)
    assert [header.link_id for header, _ in seen(device.take())] == [8]


def test_a_denied_hello_leaves_the_link_that_there_was() -> None:
    _, device = linked_pair()
    (greeted,) = device.receive(frame(hello(nonce=78), 0, 5), T0)
    assert isinstance(greeted, Greeted)
    device.take()
    device.deny(greeted, Code.E_BUSY, "hosts enough", T0)
    header, nak = only_nak(device)
    assert (header.link_id, header.correlation_id) == (0, 5)
    assert (nak.code, nak.seq, nak.sentence) == (Code.E_BUSY, 900, "hosts enough")
    assert device.link_id == LINK


def test_a_hosts_heartbeat_is_told_and_on_a_serial_wire_not_answered() -> None:
    _, device = linked_pair()
    device.take()
    assert device.receive(frame(HostHeartbeat()), T0) == [Told(HostHeartbeat())]
    assert device.take() == []


def test_a_nak_about_a_frame_of_its_own_is_a_stray() -> None:
    _, device = linked_pair()
    device.take()
    nak = Nak(code=Code.E_ARGUMENT, seq=5, expected=0, actual=0, sentence="not yours")
    assert device.receive(frame(nak), T0) == [] and device.take() == []
    assert device.linked and device.statistics.strays == 1


def test_a_command_that_cannot_be_read_is_refused_on_its_link_and_answered_by_a_nak_off_it() -> None:
    for link_id, answer in ((LINK, Refused), (0, Nak)):
        _, device = linked_pair()
        device.take()
        device.receive(encode_frame(Kind.COMMAND, Echo.ID + 0x7000, b"", link_id=link_id, correlation_id=9), T0)
        [(header, message)] = seen(device.take())
        assert type(message) is answer and header.correlation_id == 9


def test_a_hello_of_a_newer_minor_is_greeted_whatever_its_schema_is() -> None:
    device = make_device()
    newer = hello(minor=200, schema_id=99)
    assert device.receive(frame(newer, 0, 1), T0) == [Greeted(newer, 1, 900)]


def test_a_hello_of_the_same_bytes_on_the_standing_link_is_welcomed_again_from_memory() -> None:
    host, device = make_host(), make_device()
    host.hello(hello(), T0)
    [sent] = host.take()
    (greeted,) = device.receive(sent, T0)
    assert isinstance(greeted, Greeted)
    device.welcome(welcome(), greeted, T0)
    device.take()
    assert device.receive(sent, T0) == [] and device.statistics.replays == 1
    [(header, message)] = seen(device.take())
    assert message == welcome() and header.flags == REPLAYED


def test_two_hosts_that_greet_in_the_same_bytes_are_both_reported() -> None:
    device = make_device()
    first, second = hello(), hello(nonce=78)
    data = frame(first, 0, 1, seq=1) + frame(second, 0, 1, seq=2)
    assert device.receive(data, T0) == [Greeted(first, 1, 1), Greeted(second, 1, 2)]


def test_a_command_with_a_list_in_it_is_taken() -> None:
    _, device = linked_pair()
    command = SessionOpen(target_cores=6, coverage_bp=600, depth_um=3_000, zones_cm2=(2, 1))
    assert order(device, command, 9) == [Commanded(9, command)]
