"""A host behind a broker on whose topics others publish: garbage, answers to nobody, what was said before. In virtual
time, over whole sessions: whatever comes, the counts are those of a quiet one.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

import pytest

from devicectl.session.procedures import Task
from protocols.language.enums import Code, DeviceState, Kind
from protocols.language.message import Message
from protocols.language.messages import (
    Arm,
    EchoDone,
    Heartbeat,
    Nak,
    Punch,
    PunchDone,
    Received,
    StopDone,
)
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.link.header import REPLAYED, Header
from protocols.mqtt.bodies import decode_body, encode_body
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import HostWire, Publication
from tests.unit.protocols.link.exchange_pair import heartbeat, hello, refused, welcome
from tests.world import Lab, assert_counted

TOPICS: Final = DeviceTopics("bench", "sim-7")
REPLY: Final = TOPICS.of("reply", "sim")
HEARTBEAT: Final = TOPICS.of("heartbeat")
TELEMETRY: Final = TOPICS.of("telemetry", "state")
GARBAGE: Final = (
    b"",
    b"\xff" * 40,
    b"null",
    b"[" * 9_000,
    b"{" * 500,
    b" " * 70_000,
    b'{"message":"Fly"}',
    b'{"message":"PunchDone","payload":{"cycle_no":NaN}}',
    b'{"message":"Welcome","payload":{}}',
    b'{"link_id":1e400}',
)

PUNCHED: Final = PunchDone(cycle_no=1, depth_um=1, punctured=0xFF, vacuum_pa=0)

Noise = Callable[[Publication], Iterable[Publication]]
"""From what the device publishes: all that arrives at the host."""


class NoisyLab(Lab):
    """A session over MQTT; each publication of the device comes as `noise` makes it."""

    def __init__(self, noise: Noise = lambda publication: [publication]) -> None:
        self.noise = noise
        self.sent: list[tuple[Header, Message]] = []
        self.task: Task[None] | None = None
        super().__init__(topics=TOPICS, line=self)

    def arrivals(self, sender: str, data: Any, now: Micros) -> list[tuple[Micros, Any]]:
        """Each publication, at once."""
        if sender == "host":
            self.sent.append(said(data))
            return [(now, data)]
        return [(now, publication) for publication in self.noise(data)]

    def arrive(self, *publications: Publication) -> list[tuple[Header, Message]]:
        """Somebody publishes; what the host says to that."""
        self.sent.clear()
        for publication in publications:
            self.engine.link.receive(publication, self.now)
        self.world.refresh()
        return list(self.sent)

    @property
    def link_id(self) -> int:
        return self.engine.link.exchange.link_id


def said(publication: Publication) -> tuple[Header, Message]:
    header, message, problem = decode_body(publication.body, None, "")
    assert message is not None, problem
    return header, message


def to_host(message: Message, link_id: int, correlation_id: int = 0, topic: str = REPLY, flags: int = 0) -> Publication:
    return Publication(topic, encode_body(message, 7, link_id, correlation_id, flags))


def host_state(lab: NoisyLab) -> tuple[Any, ...]:
    """All of the host that what others publish must not change."""
    engine = lab.engine
    reader = engine.reader
    assert reader is not None
    return (
        engine.machine.now, lab.link_id, engine.link.welcome, reader.cursor, repr(reader.fold.counts), len(lab.notes),
        len(lab.entries), engine.link.exchange._requests.due, [one.correlation_id for one in requests(lab)],
    )  # fmt: skip


def requests(lab: NoisyLab) -> list[Any]:
    """The host's commands that have no final answer yet."""
    exchange = lab.engine.link.exchange
    return [found for n in range(1, 0x200) if (found := exchange._requests.find(n)) is not None]


def in_motion() -> NoisyLab:
    """In a stroke, so that a command is under way."""
    lab = NoisyLab()
    lab.begin(2)
    lab.task = lab.start(lab.all_cycles())
    lab.until_state(DeviceState.PUNCHING, after=15 * MILLISECOND)
    assert [type(one.message) for one in requests(lab)] == [Punch]
    return lab


def finished(lab: NoisyLab) -> Any:
    """The end of its session, exact to the last core."""
    if lab.task is None:
        lab.begin(0)
        lab.task = lab.start(lab.all_cycles())
    task = lab.task
    lab.until(lambda: task.done)
    task.outcome()
    finish = lab.close()
    assert_counted(lab, finish)
    return finish


# --- whole sessions ----------------------------------------------------------------------------------------------


def quiet(publication: Publication) -> Iterable[Publication]:
    yield publication


def doubled(publication: Publication) -> Iterable[Publication]:
    yield from (publication, publication)


def with_garbage(publication: Publication) -> Iterable[Publication]:
    for topic in (REPLY, HEARTBEAT, TELEMETRY):
        yield Publication(topic, GARBAGE[len(publication.body) % len(GARBAGE)])
    yield publication


def retained_before(publication: Publication) -> Iterable[Publication]:
    """As a broker hands out what somebody once had it keep."""
    yield publication._replace(retain=True, body=publication.body.replace(b'"punctured":', b'"punctured":1'))
    yield publication


def of_another_link(publication: Publication) -> Iterable[Publication]:
    body = json.loads(publication.body)
    yield publication._replace(body=json.dumps(body | {"link_id": 77}).encode())
    yield publication


def to_nobody(publication: Publication) -> Iterable[Publication]:
    header, _ = said(publication)
    yield publication
    if header.link_id:
        for correlation_id in (0, 0x1FF, 0xFFFF):
            yield to_host(StopDone(state=DeviceState.SAFE), header.link_id, correlation_id)
            yield to_host(
                PunchDone(cycle_no=1, depth_um=1, punctured=0xFF, vacuum_pa=0), header.link_id, correlation_id
            )


def welcomed_again(publication: Publication) -> Iterable[Publication]:
    """By a device that answers a HELLO of long ago, or by somebody who plays one."""
    yield publication
    if publication.topic == REPLY:
        yield to_host(welcome(link_id=77, nonce=1), 77, 1)
        yield to_host(welcome(link_id=77, nonce=1), 77, 0, flags=REPLAYED)


def late() -> Noise:
    """Each comes once more, after 30 others have."""
    kept: deque[Publication] = deque()

    def noise(publication: Publication) -> Iterable[Publication]:
        kept.append(publication)
        yield publication
        if len(kept) > 30:
            yield kept.popleft()

    return noise


NOISES: Final[dict[str, Callable[[], Noise]]] = {
    "doubled": lambda: doubled,
    "late": late,
    "garbage": lambda: with_garbage,
    "retained": lambda: retained_before,
    "another link's": lambda: of_another_link,
    "to nobody": lambda: to_nobody,
    "another WELCOME": lambda: welcomed_again,
}


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Any, list[Any]]:
    """How a session ends on whose topics nobody else publishes."""
    lab = NoisyLab()
    finish = finished(lab)
    assert [note.name for note in lab.notes if note.name == "link_lost"] == []
    return finish.device_totals, lab.cycles


def test_mqtt_or_bytes_makes_no_difference(undisturbed: tuple[Any, list[Any]]) -> None:
    serial = Lab()
    serial.begin(0)
    finish = serial.finish()
    assert_counted(serial, finish)
    assert (finish.device_totals, serial.cycles) == undisturbed


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_the_counts_are_those_of_a_quiet_session(
    noise: Callable[[], Noise], undisturbed: tuple[Any, list[Any]]
) -> None:
    lab = NoisyLab(noise())
    finish = finished(lab)
    assert (finish.device_totals, lab.cycles) == undisturbed
    assert [note.name for note in lab.notes if note.name == "link_lost"] == []
    assert not lab.engine.link.exchange.statistics.leases_expired


# --- one at a time, while a command is under way -----------------------------------------------------------------

UNTOUCHED: Final[dict[str, Callable[[NoisyLab, int], Publication]]] = {
    "an answer to nobody": lambda lab, _: to_host(StopDone(state=DeviceState.SAFE), lab.link_id, 0x1FF),
    "an answer to 0": lambda lab, _: to_host(StopDone(state=DeviceState.SAFE), lab.link_id, 0),
    "the answer to another command": lambda lab, mine: to_host(StopDone(state=DeviceState.SAFE), lab.link_id, mine),
    "an old answer": lambda lab, mine: to_host(EchoDone(data=b""), lab.link_id, mine - 1),
    "an old refusal": lambda lab, mine: to_host(refused(), lab.link_id, mine - 1),
    "a command": lambda lab, mine: to_host(Arm(), lab.link_id, mine),
    "HELLO": lambda lab, _: to_host(hello(), 0, 1),
    "a retained answer": lambda lab, mine: to_host(refused(), lab.link_id, mine)._replace(retain=True),
    "another link's heartbeat": lambda lab, _: to_host(heartbeat(), 77, topic=HEARTBEAT),
    "a heartbeat of no link": lambda lab, _: to_host(heartbeat(), 0, topic=HEARTBEAT),
    "garbage for a heartbeat": lambda lab, _: Publication(HEARTBEAT, b"\xff"),
    "garbage for telemetry": lambda lab, _: Publication(TELEMETRY, b"[" * 9_000),
    "another WELCOME": lambda lab, mine: to_host(welcome(link_id=77, nonce=1), 77, mine),
    "a NAK of no link": lambda lab, mine: to_host(nak(), 0, mine),
    "a NAK of another link": lambda lab, mine: to_host(nak(Code.E_LINK), 77, mine),
}
"""(lab, correlation id under way) -> what is passed over without a word."""


def nak(code: Code = Code.E_ARGUMENT) -> Nak:
    return Nak(code=code, seq=1, expected=0, actual=0, sentence="no")


def body_for(lab: NoisyLab, mine: int, **fields: Any) -> Publication:
    return Publication(REPLY, json.dumps({"link_id": lab.link_id, "correlation_id": mine, **fields}).encode())


NAKED: Final[dict[str, tuple[Callable[[NoisyLab, int], Publication], Code]]] = {
    "garbage": (lambda lab, _: Publication(REPLY, b"\xff\xfe"), Code.E_ARGUMENT),
    "nothing": (lambda lab, _: Publication(REPLY, b""), Code.E_ARGUMENT),
    "64 KiB": (lambda lab, _: Publication(REPLY, b" " * (1 << 16)), Code.E_ARGUMENT),
    "10,000 deep": (lambda lab, _: Publication(REPLY, b"[" * 10_000), Code.E_ARGUMENT),
    "1e400": (lambda lab, mine: Publication(REPLY, b'{"link_id":1e400}'), Code.E_ARGUMENT),
    "a message that is not known": (lambda lab, mine: body_for(lab, mine, message="Fly"), Code.E_UNKNOWN_MESSAGE),
    "no message": (lambda lab, mine: body_for(lab, mine), Code.E_UNKNOWN_MESSAGE),
    "half an answer": (
        lambda lab, mine: body_for(lab, mine, message="PunchDone", payload={"cycle_no": 3}),
        Code.E_ARGUMENT,
    ),
    "an answer with NaN": (
        lambda lab, mine: Publication(
            REPLY, b'{"message":"PunchDone","link_id":1,"payload":{"cycle_no":NaN,"depth_um":1}}'
        ),
        Code.E_ARGUMENT,
    ),
    "half a command": (lambda lab, mine: body_for(lab, mine, message="Punch", payload={}), Code.E_ARGUMENT),
    "a flag that must be understood": (
        lambda lab, mine: body_for(lab, mine, message="Refused", flags=["URGENT"], payload={}),
        Code.E_UNSUPPORTED,
    ),
    "an answer of another link": (lambda lab, mine: to_host(refused(), 77, mine), Code.E_LINK),
}
"""What the host says NAK to, as to a device that is out of its mind, and with which code."""


@pytest.mark.parametrize("make", UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_is_passed_over(make: Callable[[NoisyLab, int], Publication]) -> None:
    lab = in_motion()
    before, (request,) = host_state(lab), requests(lab)
    assert lab.arrive(make(lab, request.correlation_id)) == []
    assert host_state(lab) == before
    finished(lab)


@pytest.mark.parametrize(("make", "code"), NAKED.values(), ids=NAKED)
def test_what_is_told_to_be_wrong(make: Callable[[NoisyLab, int], Publication], code: Code) -> None:
    lab = in_motion()
    before, (request,) = host_state(lab), requests(lab)
    ((_, answer),) = lab.arrive(make(lab, request.correlation_id))
    assert isinstance(answer, Nak) and answer.code is code and answer.sentence.isprintable()
    assert host_state(lab) == before
    finished(lab)


def test_a_refusal_that_was_answered_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answer twice, and then its opposite: what came first stands."""
    lab = in_motion()
    (request,) = requests(lab)
    lab.until(lambda: request not in requests(lab))
    before = host_state(lab)
    for message in (refused(), PunchDone(cycle_no=99, depth_um=1, punctured=0, vacuum_pa=0), Received(expected_ms=9)):
        assert lab.arrive(to_host(message, lab.link_id, request.correlation_id)) == []
    assert host_state(lab) == before
    finished(lab)


def test_a_flood_is_answered_ten_times_a_second() -> None:
    lab = in_motion()
    naks = lab.arrive(*(Publication(REPLY, body) for body in GARBAGE * 30))
    assert len(naks) == 10 and all(isinstance(message, Nak) for _, message in naks)
    lab.wait(SECOND)
    assert lab.link_id, "the lease holds"
    finished(lab)


def test_garbage_keeps_no_lease() -> None:
    """A device that says nothing else is gone."""
    lab = in_motion()
    lab.world.device_muted = True
    for _ in range(20):
        lab.arrive(Publication(REPLY, b"{"), Publication(HEARTBEAT, b"{"))
        lab.wait(50 * MILLISECOND)
    assert not lab.link_id and lab.engine.link.exchange.statistics.leases_expired == 1
    assert lab.state is DeviceState.SAFE


def test_a_welcome_of_an_earlier_hello_leaves_the_heartbeats() -> None:
    """It comes late, when the link of the next HELLO stands already: whose heartbeats are ours, the last one says."""
    wire = HostWire(TOPICS, "sim")
    wire.encode(hello(nonce=1), 1, 0, 1, 0)
    wire.encode(hello(nonce=2), 2, 0, 2, 0)
    wire.feed(to_host(welcome(link_id=8, nonce=2), 8, 2))
    wire.feed(to_host(welcome(link_id=7, nonce=1), 7, 1))
    (beat,) = wire.feed(to_host(heartbeat(), 8, topic=HEARTBEAT))
    assert beat.message == heartbeat()  # type: ignore[union-attr]
    assert wire.feed(to_host(heartbeat(), 7, topic=HEARTBEAT)) == []


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (heartbeat(), Heartbeat.KIND),
        (Received(expected_ms=9), Received.KIND),
        (Arm(), Kind.COMMAND),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_host_hears_keeps_its_kind(said: Message, kind: Kind) -> None:
    """Also a command, which only this end sends: the exchange makes an echo of it, and no answer."""
    (heard,) = HostWire(TOPICS, "sim").feed(to_host(said, 0, 7))
    assert heard.message == said and heard.header.kind == kind  # type: ignore[union-attr]


@pytest.mark.parametrize("body", [b'{"message":"Fly"}', b'{"message":"Punch","payload":{}}'])
def test_what_a_host_cannot_read_is_no_command(body: bytes) -> None:
    (heard,) = HostWire(TOPICS, "sim").feed(Publication(REPLY, body))
    assert heard.message is None and heard.header.kind == Kind.REPLY  # type: ignore[union-attr]
