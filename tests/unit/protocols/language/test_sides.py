"""Which end sends what, by the specification, and what an end makes of its own frames when the line echoes."""

import pytest

from protocols.language.enums import ByeReason, Code, DeviceState, Kind
from protocols.language.message import REGISTRY, Message
from protocols.language.messages import (
    Bye,
    Echo,
    EchoDone,
    Heartbeat,
    Hello,
    HostHeartbeat,
    Nak,
    Received,
    StopDone,
    Welcome,
)
from protocols.language.sides import Side, only_sender
from protocols.language.units import Micros
from protocols.link.happenings import Answered, Commanded, Greeted, LinkLost
from protocols.link.pace import Pace
from protocols.mqtt.wire import COMMANDS
from protocols.serial.framing import Frame, FrameDecoder
from tests import vectors
from tests.unit.protocols.link.exchange_pair import (
    LEASE_US,
    LINK,
    End,
    bring,
    frame,
    hello,
    linked_pair,
    make_host,
    messages,
    refused,
    welcome,
)
from tests.unit.protocols.serial.frames import encode_frame

T0 = Micros(0)
MODELS = sorted(
    (model for model in REGISTRY.values() if model.__module__.startswith("protocols.")),
    key=lambda model: (model.KIND, model.ID),
)
VECTORS = vectors.load("frames.json")["frames"]
HOSTS = {Hello, HostHeartbeat}
DEVICES = {Welcome, Heartbeat}
EITHER = {Bye, Nak}
"""Kind LINK, message by message; of any other kind, only commands are a host's."""


def end_of(side: Side) -> End:
    """That end of a standing link, with nothing left to send."""
    host, device = linked_pair()
    end = host if side is Side.HOST else device
    end.take()
    return end


def frame_of(model: type[Message]) -> bytes:
    """Its golden vector, as if of this link; no end has sent it."""
    raw = next(one["hex"] for one in VECTORS if one["outcome"] == "message" and one["message"] == model.__name__)
    (item,) = FrameDecoder().feed(bytes.fromhex(raw))
    assert isinstance(item, Frame)
    return encode_frame(model.KIND, model.ID, item.payload, seq=900, link_id=LINK, correlation_id=77)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_message_has_its_senders(model: type[Message]) -> None:
    sender = only_sender(model.KIND, model.ID)
    if model in EITHER:
        assert sender is None
    elif model.KIND is Kind.LINK:
        assert model in HOSTS | DEVICES
        assert sender is (Side.HOST if model in HOSTS else Side.DEVICE)
    else:
        assert sender is (Side.HOST if model.KIND is Kind.COMMAND else Side.DEVICE)


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert [only_sender(kind, 0x7FFF) for kind in (Kind.LINK, Kind.BULK, 8, 15)] == [None] * 4
    assert only_sender(Kind.REPLY, 0x7FFF) is Side.DEVICE


def test_a_host_behind_a_broker_has_a_topic_for_all_that_it_says() -> None:
    says = {model for model in MODELS if only_sender(model.KIND, model.ID) is not Side.DEVICE}
    assert set(COMMANDS.values()) == says - {HostHeartbeat}


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_only_what_the_other_end_may_send_renews_the_lease(side: Side, model: type[Message]) -> None:
    end = end_of(side)
    own = only_sender(model.KIND, model.ID) is side
    happened = end.receive(frame_of(model), Micros(500_000))
    if own:
        assert (happened, end.outbox, end.statistics.echoes) == ([], [], 1)
    else:
        assert end.statistics.echoes == 0
    end.advance(Micros(LEASE_US - 1))
    assert end.linked or model is Bye
    end.advance(LEASE_US)
    assert end.linked is not (own or model is Bye)


@pytest.mark.parametrize("side", Side)
def test_own_kind_that_cannot_be_read_renews_nothing_and_is_no_echo(side: Side) -> None:
    kind = Kind.COMMAND if side is Side.HOST else Kind.REPLY
    end = end_of(side)
    assert end.receive(encode_frame(kind, 0x7FFF, b"", link_id=LINK, correlation_id=3), Micros(500_000)) == []
    (nak,) = messages(end)
    assert isinstance(nak, Nak) and nak.code is Code.E_UNKNOWN_MESSAGE
    assert end.statistics.echoes == 0
    assert isinstance(end.advance(LEASE_US)[0], LinkLost)


# --- a line that echoes ----------------------------------------------------------------------------------------------


def hear_itself(end: End, now: int) -> None:
    """All that the end has to send comes back to it, and nothing comes of that."""
    sent = end.take()
    before = end.statistics.echoes
    assert end.receive(b"".join(sent), Micros(now)) == []
    assert end.statistics.echoes == before + len(sent) and not end.outbox


@pytest.mark.parametrize("side", Side)
def test_an_end_that_hears_only_itself_loses_its_link_within_the_lease(side: Side) -> None:
    end = end_of(side)
    end.pace = Pace(Micros(200_000), LEASE_US)
    now, happened = T0, list[object]()
    while end.linked:
        due = end.next_deadline()
        assert due is not None
        now = due
        happened = list(end.advance(now))
        hear_itself(end, now)
    assert now == LEASE_US
    assert happened == [LinkLost("nothing heard for 600 ms; the line echoes: 2 frames of this end's own came back")]


def test_a_link_is_made_and_used_over_a_line_that_echoes() -> None:
    """Both ends hear themselves before the other answers."""
    host, device = linked_pair()
    for end in (host, device):
        end.take()
    request = host.submit(Echo(data=b"x"), T0)
    sent = host.take()
    assert host.receive(b"".join(sent), T0) == [] and not host.outbox
    (commanded,) = device.receive(b"".join(sent), T0)
    assert isinstance(commanded, Commanded)
    device.reply(commanded.correlation_id, EchoDone(data=b"x"), T0)
    answer = device.take()
    assert device.receive(b"".join(answer), T0) == [] and not device.outbox
    assert host.receive(b"".join(answer), T0) == [Answered(request, EchoDone(data=b"x"), True)]


def test_a_host_that_hears_its_hello_goes_on_asking_and_says_why_nobody_answers() -> None:
    host = make_host()
    host.hello(hello(), T0)
    happened = []
    while (due := host.next_deadline()) is not None:
        hear_itself(host, due)
        happened += host.advance(due)
    (lost, _) = happened
    assert isinstance(lost, LinkLost)
    assert lost.reason == "no answer to Hello after 5 tries; the line echoes: 5 frames of this end's own came back"


def test_a_nak_that_comes_back_ends_no_command_of_the_one_who_sent_it() -> None:
    host, _ = linked_pair()
    host.take()
    request = host.submit(Echo(data=b"x"), T0)
    host.take()
    unknown = encode_frame(
        Kind.REPLY, 0x7FFF, b"", seq=request.seq, link_id=LINK, correlation_id=request.correlation_id
    )
    assert host.receive(unknown, T0) == []
    hear_itself(host, 0)
    answer = frame(EchoDone(data=b"x"), LINK, request.correlation_id)
    assert host.receive(answer, T0) == [Answered(request, EchoDone(data=b"x"), True)]


def test_the_other_ends_nak_of_the_same_command_is_taken() -> None:
    host, _ = linked_pair()
    host.take()
    request = host.submit(Echo(data=b"x"), T0)
    nak = Nak(code=Code.E_ARGUMENT, seq=request.seq, expected=0, actual=0, sentence="no")
    assert host.receive(frame(nak, LINK, request.correlation_id), T0) == [Answered(request, nak, True)]


@pytest.mark.parametrize("side", Side)
def test_a_bye_that_comes_back_is_not_answered(side: Side) -> None:
    end = end_of(side)
    end.bye(ByeReason.CLOSING, T0)
    hear_itself(end, 0)


def test_the_other_ends_bye_of_the_same_number_ends_the_next_link() -> None:
    host, device = linked_pair()
    host.bye(ByeReason.CLOSING, T0)
    host.take()
    host.hello(hello(), T0)
    (greeted,) = bring(host, device, 0)
    assert isinstance(greeted, Greeted)
    device.welcome(welcome(link_id=LINK + 1), greeted, T0)
    bring(device, host, 0)
    bye = frame(Bye(reason=ByeReason.CLOSING), LINK + 1, seq=2)
    assert host.receive(bye, T0) == [LinkLost("the other end said BYE (CLOSING)")]


def test_a_device_takes_no_answer_of_its_own_for_one_to_it() -> None:
    device = end_of(Side.DEVICE)
    for message in (Received(expected_ms=1), refused(), StopDone(state=DeviceState.SAFE)):
        assert device.receive(frame(message, LINK, 5), T0) == []
    assert (device.statistics.echoes, device.statistics.strays, device.outbox) == (3, 0, [])
