"""The host's end of a link: what it takes for a WELCOME, what it tells its owner, and what it says of a silence."""

import pytest

from protocols.language.enums import ByeReason, Code, Kind
from protocols.language.messages import (
    Arm,
    Bye,
    Echo,
    EchoDone,
    Nak,
)
from protocols.language.schema import schema_id
from protocols.language.units import Micros
from protocols.language.version import MINOR
from protocols.link.happenings import Abandoned, Denied, Greeted, Linked, LinkLost
from protocols.link.pace import IDLE_PACE
from tests.unit.protocols.link.exchange_pair import (
    LINK,
    STATE,
    T0,
    TEXT,
    frame,
    hello,
    linked_pair,
    make_device,
    make_host,
    only_nak,
    seen,
    welcome,
)
from tests.unit.protocols.serial.frames import encode_frame


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


def test_a_newer_hosts_schema_is_compared_by_the_host() -> None:
    newer = hello(minor=MINOR + 1, schema_id=99)
    assert make_device().receive(frame(newer, 0, 1), T0) == [Greeted(newer, 1, 900)]
    host = make_host()
    host.hello(newer, T0)
    host.take()
    (denied,) = host.receive(frame(welcome(schema_id=98), LINK, 1), T0)
    assert isinstance(denied, Denied) and denied.code is Code.E_SCHEMA
    assert f"{schema_id(0):08x}" in denied.sentence and "00000062" in denied.sentence  # WELCOME was of minor 0
    assert not host.linked
    ((header, message),) = seen(host.take())
    assert header.link_id == LINK and isinstance(message, Bye)


def test_hello_over_a_standing_link_tells_the_end_of_what_had_none() -> None:
    host, _ = linked_pair()
    request = host.submit(Arm(), T0)
    (abandoned,) = host.hello(hello(nonce=78), T0)
    assert isinstance(abandoned, Abandoned) and abandoned.request is request and "new link" in abandoned.reason
    assert not host.linked and host.pace == IDLE_PACE


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


def test_bye_before_welcome_ends_the_asking() -> None:
    host = make_host()
    host.hello(hello(), T0)
    host.take()
    (abandoned,) = host.bye(ByeReason.CLOSING, T0)
    assert isinstance(abandoned, Abandoned) and abandoned.request.message == hello()
    assert host.next_deadline() is None and not host.outbox


def test_a_host_says_what_came_in_place_of_an_answer() -> None:
    host, _ = linked_pair()
    host.receive(TEXT, T0)
    (lost,) = host.advance(Micros(600_000))
    assert isinstance(lost, LinkLost) and "Port already in use" in lost.reason and "--trace FILE" in lost.reason


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
