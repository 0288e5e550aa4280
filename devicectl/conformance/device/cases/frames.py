"""Cases of frames: bytes on the line, what a receiver takes, passes over and answers."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import (
    QUIET_MS,
    Run,
    answer_to,
    as_answer,
    case,
    craft,
    echoes,
    silence,
)
from devicectl.conformance.device.checks import done, equal, nak, none_of, refused, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.link import ANSWER_MS
from devicectl.conformance.device.probe import BrokenRule, Heard, Steps, is_reply
from devicectl.conformance.device.wires import BytesWire
from protocols.language.enums import Code, Kind, Stream
from protocols.language.enums import DeviceState as S
from protocols.language.message import Message
from protocols.language.messages import DeviceInfo, Echo, EchoDone, Heartbeat, Nak, Stop, StreamSet, TelemetryState

_BYTES: Final = Need.BYTES
_ZEROS: Final = bytes([0, 0, 1, 0, 255]) * 8
CUT_PAUSE_MS: Final = 60
"""Between two halves of a frame: no receiver may lose patience with a line so soon."""
FLOOD: Final = 40
"""Frames that each deserve a NAK, in one piece: four times a second's share."""


def _bytes_of_device(ground: Ground) -> bytes:
    pieces = [sent.piece for sent in ground.probe.pieces if not sent.by_host and sent.channel == 0]
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def _zeros_on_both_sides(ground: Ground) -> Steps[None]:
    wire = ground.probe.channels[0].wire
    assert isinstance(wire, BytesWire)
    wire.bad.clear()
    for data in (b"", _ZEROS, bytes(range(224))):
        yield from echoes(ground, data)
    raw = _bytes_of_device(ground)
    equal("the first byte of the device's frames", 0, raw[0])
    equal("the last byte of the device's frames", 0, raw[-1])
    true("bytes between the device's zeros that are no frame", not wire.bad, "none", wire.bad[:1])


def _carries(correlation: int, heard: Heard) -> bool:
    return heard.header.correlation_id == correlation


def _both_answered(ground: Ground, data: bytes, first: int, second: int) -> Steps[None]:
    ground.probe.send(0, data)
    for correlation in (first, second):
        heard = yield from ground.probe.wait(
            f"an answer to correlation {correlation}",
            partial(_carries, correlation),
            ANSWER_MS,
        )
        done(as_answer(heard), EchoDone)


def _shared_zero(ground: Ground) -> Steps[None]:
    one, two = craft(ground.link, Echo(data=b"one")), craft(ground.link, Echo(data=b"two"))
    yield from _both_answered(ground, one.data + two.data[1:], one.correlation, two.correlation)


def _two_zeros(ground: Ground) -> Steps[None]:
    one, two = craft(ground.link, Echo(data=b"one")), craft(ground.link, Echo(data=b"two"))
    yield from _both_answered(
        ground, b"\0\0\0" + one.data + b"\0\0" + two.data + b"\0", one.correlation, two.correlation
    )


def _byte_by_byte(ground: Ground) -> Steps[None]:
    made = craft(ground.link, Echo(data=_ZEROS))
    for value in made.data[:-1]:
        ground.probe.send(0, bytes([value]))
    heard = yield from answer_to(ground, made._replace(data=made.data[-1:]), "an answer to a frame in single bytes")
    done(as_answer(heard), EchoDone)


def _in_two_halves(ground: Ground) -> Steps[None]:
    made = craft(ground.link, Echo(data=_ZEROS))
    half = len(made.data) // 2
    ground.probe.send(0, made.data[:half])
    yield from silence(ground, "answers to half a frame", CUT_PAUSE_MS)
    heard = yield from answer_to(ground, made._replace(data=made.data[half:]), "an answer to a frame in two halves")
    done(as_answer(heard), EchoDone)


def _longest_frame(ground: Ground) -> Steps[None]:
    yield from echoes(ground, bytes(range(1, 225)))


def _seq_rises(ground: Ground) -> Steps[None]:
    seqs: list[int] = []
    ground.probe.watch = partial(_note_seq, seqs=seqs)
    for number in range(6):
        yield from echoes(ground, bytes([number]))
    unknown = craft(ground.link, Echo(data=b""), message_id=0x7777)
    yield from answer_to(ground, unknown, "a refusal")
    yield from _nak_to(ground, craft(ground.link, Echo(data=b""), kind=Kind.BULK, message_id=0x0777).data, "a message")
    yield from echoes(ground)
    steps = [second - first & 0xFFFF for first, second in itertools.pairwise(seqs)]
    equal("steps from one seq of the device to its next", [1] * len(steps), steps)


def _note_seq(heard: Heard, seqs: list[int]) -> None:
    if heard.item.header is not None and heard.channel == 0:
        seqs.append(heard.header.seq)


def _link_id(ground: Ground) -> Steps[None]:
    ids: list[int] = []
    ground.probe.watch = lambda heard: ids.append(heard.header.link_id) if heard.item.header is not None else None
    yield from echoes(ground)
    yield from ground.ask(DeviceInfo())
    yield from ground.look()
    equal("link ids in the device's frames", {ground.link.link_id}, set(ids))


def _link_id_of_nak(ground: Ground) -> Steps[None]:
    other = ground.link.link_id ^ 0x2AAA or 1
    heard = yield from _nak_to(
        ground, craft(ground.link, Echo(data=b""), link_id=other).data, "a frame of another link"
    )
    equal("the link id of a NAK: that of the frame it is about", other, heard.header.link_id)
    made = craft(ground.link, Echo(data=b""), kind=Kind.BULK, message_id=0x0777)
    heard = yield from _nak_to(ground, made.data, "an unknown message")
    equal("the link id of a NAK: that of the frame it is about", ground.link.link_id, heard.header.link_id)


def _correlation(ground: Ground) -> Steps[None]:
    unasked: list[Heard] = []

    def keep(heard: Heard) -> None:
        if (
            heard.item.header is not None and heard.header.kind in (Kind.TELEMETRY, Kind.EVENT, Kind.ALARM)
        ) or isinstance(heard.message, Heartbeat):
            unasked.append(heard)

    ground.probe.watch = keep
    for correlation in (ground.link.correlation + 5, ground.link.correlation + 6):
        answer = yield from ground.ask(Echo(data=b"x"), correlation=correlation)
        equal("the correlation id of the answer", correlation, answer.header.correlation_id)
        ground.link.correlation = correlation
    yield from ground.look()
    equal("correlation ids of what nobody asked for", {0}, {one.header.correlation_id for one in unasked})


def _any_node(ground: Ground, node: int) -> Steps[None]:
    heard = yield from answer_to(ground, craft(ground.link, Echo(data=b"n"), node=node), f"an answer to node {node}")
    done(as_answer(heard), EchoDone)


# --- bytes that are no frame -----------------------------------------------------------------------------------


def _wrong_crc(ground: Ground) -> bytes:
    data = bytearray(craft(ground.link, Echo(data=b"12345678")).data)
    data[-3] ^= 1 if data[-3] != 1 else 2
    return bytes(data)


def _one_bit(ground: Ground) -> bytes:
    data = bytearray(craft(ground.link, Stop()).data)
    data[3] ^= 0x40
    return bytes(data)


def _past_the_end(ground: Ground) -> bytes:
    return b"\0" + bytes([200, 17, 3, 9, 9]) + b"\0"


def _too_short(ground: Ground) -> bytes:
    return b"\0" + bytes([6, 1, 2, 3, 4, 5]) + b"\0"


def _wrong_length(ground: Ground) -> bytes:
    return craft(ground.link, Echo(data=b"12345"), payload_size=4).data


def _oversize(ground: Ground) -> bytes:
    return b"\0" + bytes([7]) * 300 + b"\0"


def _half_frame(ground: Ground) -> bytes:
    return craft(ground.link, Echo(data=b"abcdefgh")).data[:14]


def _oversize_in_pieces(ground: Ground) -> Steps[None]:
    made = craft(ground.link, Echo(data=b"behind it"))
    for piece in (b"\0" + bytes([7]) * 150, bytes([7]) * 150):
        ground.probe.send(0, piece)
        yield from silence(ground, "answers to bytes that are no frame", CUT_PAUSE_MS)
    heard = yield from answer_to(
        ground, made._replace(data=bytes([7]) * 50 + made.data), "an answer to the frame behind it"
    )
    done(as_answer(heard), EchoDone)


def _text(ground: Ground) -> bytes:
    return b"\r\nOK\r\nATZ\r\n$GPGGA,123519,4807.038,N*47\r\n"


def _damaged(ground: Ground, make: Callable[[Ground], bytes]) -> Steps[None]:
    ground.probe.send(0, make(ground))
    yield from silence(ground, "answers to bytes that are no frame")
    yield from echoes(ground)


def _damaged_then_whole(ground: Ground, make: Callable[[Ground], bytes]) -> Steps[None]:
    made = craft(ground.link, Echo(data=b"behind it"))
    heard = yield from answer_to(
        ground, made._replace(data=make(ground) + made.data), "an answer to the frame behind it"
    )
    done(as_answer(heard), EchoDone)


_DAMAGES: Final[dict[str, tuple[str, Callable[[Ground], bytes]]]] = {
    "crc": ("a wrong checksum", _wrong_crc),
    "bit": ("STOP with one bit turned", _one_bit),
    "cobs": ("a code byte that points past the end", _past_the_end),
    "short": ("less than a header", _too_short),
    "length": ("a payload size that is not the payload's", _wrong_length),
    "oversize": ("more than 241 bytes between zeros", _oversize),
    "half": ("half a frame", _half_frame),
    "text": ("other people's text", _text),
}


# --- good frames that cannot be taken ---------------------------------------------------------------------------


def _no_correlation(ground: Ground, command: Message) -> Steps[None]:
    heard = yield from _nak_to(
        ground, craft(ground.link, command, correlation=0).data, "a command without correlation id"
    )
    nak(heard, Code.E_ARGUMENT)
    yield from _nothing_done(ground)


def _must_understand(ground: Ground, command: Message, flag: int) -> Steps[None]:
    made = craft(ground.link, command, flags=flag | 2)
    heard = yield from answer_to(ground, made, "an answer to a flag that must be understood")
    nak(heard, Code.E_UNSUPPORTED)
    yield from _nothing_done(ground)


def _nothing_done(ground: Ground) -> Steps[None]:
    """See that a frame that got NAK was not carried out as well: no answer, no stream, no other state."""
    came = yield from ground.probe.pause(QUIET_MS)
    behind = [one for one in came if is_reply(one) or isinstance(one.message, TelemetryState)]
    none_of("what followed the NAK", [one for one in behind if not isinstance(one.message, Heartbeat)])
    yield from ground.look()
    if ground.state is not S.IDLE:
        raise BrokenRule("the device's state afterwards", "IDLE: nothing was carried out", ground.state.name)


def _ignorable(ground: Ground, flag: int) -> Steps[None]:
    made = craft(ground.link, Echo(data=b"f"), flags=flag | 2)
    done(as_answer((yield from answer_to(ground, made, "an answer to a frame with an ignorable flag"))), EchoDone)


def _other_major(ground: Ground, major: int) -> Steps[None]:
    heard = yield from _nak_to(ground, craft(ground.link, Echo(data=b""), major=major).data, "a frame of another major")
    said = nak(heard, Code.E_VERSION)
    equal("the majors in the NAK: the device's, the frame's", (1, major), (said.expected, said.actual))
    yield from echoes(ground)


def _nak_to(ground: Ground, data: bytes, what: str) -> Steps[Heard]:
    yield from ground.nak_room()
    ground.probe.send(0, data)
    return (yield from ground.probe.wait(f"NAK to {what}", lambda one: isinstance(one.message, Nak), ANSWER_MS))


def _nak_names_frame(ground: Ground) -> Steps[None]:
    made = craft(ground.link, Echo(data=b""), kind=Kind.BULK, message_id=0x0777)
    heard = yield from _nak_to(ground, made.data, "an unknown message")
    said = nak(heard, Code.E_UNKNOWN_MESSAGE)
    equal("the seq in the NAK", made.seq, said.seq)
    equal("the correlation id of the NAK", made.correlation, heard.header.correlation_id)
    true("the sentence of the NAK", bool(said.sentence), "a sentence for people", said.sentence)


def _refusal_has_sentence(ground: Ground) -> Steps[None]:
    made = craft(ground.link, Echo(data=b""), message_id=0x0777)
    said = refused(as_answer((yield from answer_to(ground, made, "REFUSED to an unknown command"))))
    true("the sentence of the refusal", bool(said.sentence), "a sentence for people", said.sentence)


def _ten_naks(ground: Ground) -> Steps[None]:
    yield from ground.nak_room()
    bad = b"".join(craft(ground.link, Echo(data=b""), link_id=ground.link.link_id ^ 0x5555).data for _ in range(FLOOD))
    ground.probe.send(0, bad)
    came = yield from ground.probe.pause(900)
    count = sum(isinstance(one.message, Nak) for one in came)
    true("NAKs within 900 ms", 1 <= count <= 10, "1 to 10", count)
    yield from echoes(ground)


def _nak_is_not_answered(ground: Ground) -> Steps[None]:
    said = Nak(code=Code.E_ARGUMENT, seq=1, expected=0, actual=0, sentence="a host's NAK")
    ground.link.send(said)
    yield from silence(ground, "answers to a NAK")
    ground.link.send(said, link_id=ground.link.link_id ^ 0x1234)
    yield from silence(ground, "answers to a NAK of another link")
    came = yield from ground.probe.pause(0)
    none_of("answers to a NAK", came)


def _cases() -> list[Case]:
    made = [
        case("frm.zeros", "frames have zeros on both sides and none inside", "FRM-1", _zeros_on_both_sides, _BYTES),
        case("frm.shared-zero", "two frames with one zero between them", "FRM-2", _shared_zero, _BYTES),
        case("frm.more-zeros", "frames with several zeros between them", "FRM-2", _two_zeros, _BYTES),
        case("frm.byte-by-byte", "a frame in single bytes", "FRM-3", _byte_by_byte, _BYTES),
        case("frm.two-halves", "a frame in two halves with a pause between", "FRM-3", _in_two_halves, _BYTES),
        case("frm.longest", "the longest frame there is", "FRM-1 LNK-16", _longest_frame),
        case("frm.seq", "seq rises by one", "FRM-4", _seq_rises, _BYTES),
        case("frm.link-id", "every frame carries the link id", "FRM-5", _link_id),
        case("frm.link-id-of-nak", "a NAK carries the link id of its frame", "FRM-5", _link_id_of_nak, _BYTES),
        case("frm.correlation", "answers carry the request's correlation id", "FRM-6", _correlation),
        *(
            case(f"frm.node-{node}", f"a frame for node {node}", "FRM-7", partial(_any_node, node=node), _BYTES)
            for node in (1, 255)
        ),
    ]
    for name, (what, make) in _DAMAGES.items():
        made.append(case(f"frm.bad-{name}", f"{what} is not answered", "FRM-8", partial(_damaged, make=make), _BYTES))
        run: Run = partial(_damaged_then_whole, make=make)
        made.append(case(f"frm.behind-{name}", f"a frame right behind {what}", "FRM-9", run, _BYTES))
    title = "a frame right behind more than 241 bytes that come in pieces"
    made.append(case("frm.behind-oversize-cut", title, "FRM-9", _oversize_in_pieces, _BYTES))
    idle = Stage.IDLE
    stream = StreamSet(stream=Stream.STATE, interval_ms=20)
    for name, command in {"echo": Echo(data=b"q"), "stream": stream}.items():
        run = partial(_no_correlation, command=command)
        made.append(
            case(f"frm.no-correlation-{name}", "a command without correlation id", "FRM-13", run, _BYTES, stage=idle)
        )
    for flag in (0x10, 0x20, 0x30):
        run = partial(_must_understand, command=Echo(data=b"m"), flag=flag)
        title = f"must-understand flag 0x{flag:02x}"
        made.append(case(f"frm.must-understand-{flag:02x}", title, "FRM-14", run, _BYTES, stage=idle))
    for flag in (0x40, 0x80, 0xC0):
        run = partial(_ignorable, flag=flag)
        made.append(case(f"frm.ignorable-{flag:02x}", f"ignorable flag 0x{flag:02x}", "FRM-15", run, _BYTES))
    for major in (2, 15):
        run = partial(_other_major, major=major)
        made.append(case(f"frm.major-{major}", f"a frame of major {major}", "FRM-16", run, _BYTES))
    made += [
        case("frm.nak-seq", "NAK names the frame it is about", "FRM-11 FRM-12", _nak_names_frame, _BYTES),
        case("frm.refused", "an unknown command is refused with a sentence", "FRM-11", _refusal_has_sentence, _BYTES),
        case("frm.nak-to-nak", "a NAK is not answered", "FRM-18", _nak_is_not_answered),
        case("frm.ten-naks", "no more than ten NAKs a second", "FRM-17", _ten_naks, _BYTES),
    ]
    return made


CASES: Final = tuple(_cases())
