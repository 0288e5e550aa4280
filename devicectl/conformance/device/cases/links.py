"""Cases of links: HELLO and what answers it, what the host takes, frames of other links, echoes."""

from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import Run, answer_to, case, craft, echoes, silence
from devicectl.conformance.device.checks import done, equal, nak, refused, tells, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.link import ANSWER_MS, hello
from devicectl.conformance.device.probe import Heard, Steps
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, Code, Kind, Role
from protocols.language.enums import DeviceState as S
from protocols.language.message import Message
from protocols.language.records import RECORD_SIZE

_BYTES: Final = Need.BYTES
MAX_VIEWERS: Final = 15
BURST: Final = 25
"""HELLOs in one piece: two and a half times a second's share."""
PAGE_HEAD: Final = 16


def _welcomed(ground: Ground, message: Message, channel: int = 0, correlation: int = 7) -> Steps[Heard]:
    if channel == 0:
        ground.drop_link()
    heard = yield from ground.greet(channel, message, correlation=correlation)
    true("the answer to HELLO", isinstance(heard.message, M.Welcome), "Welcome", heard.message)
    ground.take_link(channel, heard)
    return heard


def _denied(ground: Ground, message: Message, *codes: Code) -> Steps[M.Nak]:
    ground.drop_link()
    return nak((yield from ground.greet(0, message, correlation=7)), *codes)


def _hello(ground: Ground) -> Steps[None]:
    nonce = ground.nonce()
    heard = yield from _welcomed(ground, hello(ground.host_id, nonce))
    assert isinstance(heard.message, M.Welcome)
    equal("the nonce in WELCOME", nonce, heard.message.nonce)
    true("the link id in WELCOME", heard.message.link_id != 0, "not 0", heard.message.link_id)
    equal("the link id in WELCOME's header", heard.message.link_id, heard.header.link_id)
    yield from echoes(ground)


def _new_ids(ground: Ground) -> Steps[None]:
    ids = []
    for _ in range(4):
        yield from _welcomed(ground, hello(ground.host_id, ground.nonce()))
        ids.append(ground.link.link_id)
    equal("different link ids of four links", 4, len(set(ids)))


def _role(ground: Ground, role: Role) -> Steps[None]:
    heard = yield from _welcomed(ground, hello(ground.host_id, ground.nonce(), role=role))
    assert isinstance(heard.message, M.Welcome)
    equal("the role in WELCOME", role, heard.message.role)
    ground.drop_link()


def _unknown_role(ground: Ground) -> Steps[None]:
    said = hello(ground.host_id, ground.nonce(), role=Role.UNKNOWN)
    heard = yield from _welcomed(ground, said)
    assert isinstance(heard.message, M.Welcome)
    equal("the role of a host whose role is not known", Role.VIEWER, heard.message.role)
    ground.drop_link()


def _majors(ground: Ground, majors: int) -> Steps[None]:
    said = yield from _denied(ground, hello(ground.host_id, ground.nonce(), majors=majors), Code.E_VERSION)
    equal("the majors in the NAK: the device's, the host's", (2, majors), (said.expected, said.actual))


def _more_majors(ground: Ground) -> Steps[None]:
    yield from _welcomed(ground, hello(ground.host_id, ground.nonce(), majors=0xFFFF))


def _nobody(ground: Ground) -> Steps[None]:
    yield from _denied(ground, hello(0, ground.nonce()), Code.E_ARGUMENT)


def _takes_too_little(ground: Ground, size: int) -> Steps[None]:
    message = hello(ground.host_id, ground.nonce(), max_payload_size=224)
    values = {**message.as_dict(), "max_payload_size": size}
    no = yield from _denied(ground, M.Hello.unchecked(**values), Code.E_ARGUMENT)
    tells(no, "the range of max_payload_size", 131, 224)


def _hello_twice(ground: Ground) -> Steps[None]:
    message = hello(ground.host_id, ground.nonce())
    first = yield from _welcomed(ground, message, correlation=7)
    ground.probe.channels[0].link = None
    again = yield from ground.greet(0, message, correlation=7)
    assert isinstance(first.message, M.Welcome)
    equal("WELCOME to the same HELLO", first.message, again.message)
    ground.take_link(0, again)
    yield from echoes(ground)


def _replaced(ground: Ground) -> Steps[None]:
    old = ground.link
    yield from _welcomed(ground, hello(ground.host_id, ground.nonce()))
    old.beats = False
    made = craft(old, M.Echo(data=b"old"))
    nak((yield from answer_to(ground, made, "NAK to a frame of the old link")), Code.E_LINK)
    yield from echoes(ground)


def _replaced_elsewhere(ground: Ground) -> Steps[None]:
    yield from ground.open_link(1)  # the same host, on another port
    old = ground.link
    old.beats = False
    yield from ground.nak_room()
    old.command(M.Echo(data=b"old"))
    yield from ground.probe.wait(
        "NAK or BYE on the old link",
        lambda one: one.channel == 0 and isinstance(one.message, M.Nak | M.Bye),
        ANSWER_MS,
    )
    ground.drop_link()


def _burst(ground: Ground) -> Steps[None]:
    wire = ground.probe.channels[0].wire
    ground.drop_link()
    pieces = [wire.encode(hello(ground.host_id, ground.nonce()), n, 0, n + 1, 2) for n in range(BURST)]
    ground.probe.send(0, b"".join(piece for piece in pieces if isinstance(piece, bytes)))
    came = yield from ground.probe.pause(900)
    granted = sum(isinstance(one.message, M.Welcome) for one in came)
    true("links granted within 900 ms", granted <= 10, "at most 10", granted)
    yield from ground.probe.pause(200)  # a second of the device's, whose share was used up at its beginning
    yield from _welcomed(ground, hello(ground.host_id, ground.nonce()), correlation=900)


def _sixteenth(ground: Ground) -> Steps[None]:
    yield from _welcomed(ground, hello(ground.host_id, ground.nonce(), role=Role.VIEWER))
    for channel in range(1, MAX_VIEWERS):
        yield from ground.open_link(channel, host_id=ground.host_id + channel, role=Role.VIEWER)
    yield from ground.open_channel(MAX_VIEWERS)
    late = hello(ground.host_id + 100, ground.nonce(), role=Role.VIEWER)
    nak((yield from ground.greet(MAX_VIEWERS, late)), Code.E_BUSY)
    welcomed = yield from ground.greet(MAX_VIEWERS, hello(ground.host_id + 101, ground.nonce()), correlation=2)
    true("the answer to a controller's HELLO", isinstance(welcomed.message, M.Welcome), "Welcome", welcomed.message)
    ground.drop_link()


def _small_host(ground: Ground, size: int) -> Steps[None]:
    yield from _welcomed(ground, hello(ground.host_id, ground.nonce(), max_payload_size=size))
    sizes: list[int] = []

    def keep(heard: Heard) -> None:
        if heard.item.header is not None:
            sizes.append(heard.header.payload_size)

    ground.probe.watch = keep
    epoch = ground.link.welcome.journal_epoch
    for command in (
        M.DeviceInfo(),
        M.ParamList(index=0),
        M.AlarmList(index=0),
        M.JournalRead(epoch=epoch, first=1, max_records=255),
        M.Echo(data=bytes(size)),
    ):
        yield from ground.ask(command)
    true("the longest payload of the device", max(sizes) <= size, f"at most {size} B", max(sizes))
    refused((yield from ground.ask(M.Echo(data=bytes(size + 1)))), Code.E_RANGE)
    yield from _welcomed(ground, hello(ground.host_id, ground.nonce()), correlation=8)


def _page_holds(ground: Ground, size: int) -> Steps[None]:
    yield from _welcomed(ground, hello(ground.host_id, ground.nonce(), max_payload_size=size))
    welcome = ground.link.welcome
    there = welcome.journal_head - max(1, welcome.journal_head - 8)
    for asked in (255, 2):
        first = max(1, welcome.journal_head - 8)
        answer = yield from ground.ask(M.JournalRead(epoch=welcome.journal_epoch, first=first, max_records=asked))
        page = done(answer, M.JournalPage)
        fits = min(asked, (size - PAGE_HEAD) // RECORD_SIZE, there)
        equal(f"records of a page of {size} B, {asked} asked for", fits, len(page.records) // RECORD_SIZE)
    yield from _welcomed(ground, hello(ground.host_id, ground.nonce()), correlation=8)


def _other_link(ground: Ground, command: Message) -> Steps[None]:
    other = ground.link.link_id ^ 0x2AAA or 1
    made = craft(ground.link, command, link_id=other)
    said = nak((yield from answer_to(ground, made, "NAK to a frame of another link")), Code.E_LINK)
    equal(
        "the link ids in the NAK: the device's, the frame's", (ground.link.link_id, other), (said.expected, said.actual)
    )
    yield from ground.look()
    equal("the device's state afterwards", S.SESSION_OPEN, ground.state)


def _no_link_yet(ground: Ground) -> Steps[None]:
    yield from ground.close_channel(0)
    yield from ground.open_channel(0)
    wire = ground.probe.channels[0].wire
    yield from ground.nak_room()
    ground.probe.send(0, wire.encode(M.DeviceInfo(), 1, 77, 3, 2))
    heard = yield from ground.probe.wait(
        "NAK to a command before HELLO", lambda one: one.header.correlation_id == 3, ANSWER_MS
    )
    nak(heard, Code.E_LINK)


_OWN: Final[dict[str, Message]] = {
    "heartbeat": M.Heartbeat(
        state=S.IDLE,
        highest_alarm=AlarmPriority.NONE,
        trigger_held=False,
        running_correlation_id=0,
        cycle_no=0,
        cycles=0,
        punctures=0,
        cores_counted=0,
        journal_head=1,
        params_hash=0,
        uptime_ms=0,
    ),
    "received": M.Received(expected_ms=1),
    "echo-done": M.EchoDone(data=b"own"),
    "stop-done": M.StopDone(state=S.SAFE),
}


def _own(ground: Ground, message: Message) -> Steps[None]:
    ground.link.send(message, correlation=ground.link.next_correlation())
    yield from silence(ground, f"answers to {type(message).__name__}, which only a device sends")
    yield from echoes(ground)


def _sends_only_its_own(ground: Ground) -> Steps[None]:
    kinds: list[str] = []

    def keep(heard: Heard) -> None:
        if heard.item.header is None:
            return
        foreign = heard.header.kind == Kind.COMMAND or isinstance(heard.message, M.Hello | M.HostHeartbeat)
        if foreign:
            kinds.append(type(heard.message).__name__)

    ground.probe.watch = keep
    for command in (M.DeviceInfo(), M.Echo(data=b"own"), M.AlarmList(index=0)):
        yield from ground.ask(command)
    yield from ground.look()
    equal("messages that only a host sends", [], kinds)


def _cases() -> list[Case]:
    made = [
        case("lnk.hello", "HELLO is answered by WELCOME", "LNK-2 LNK-3 LNK-4", _hello),
        case("lnk.new-ids", "each link has a new id", "LNK-3", _new_ids),
        case("lnk.viewer", "a viewer is one", "LNK-5", partial(_role, role=Role.VIEWER)),
        case("lnk.controller", "a controller is one", "LNK-5", partial(_role, role=Role.CONTROLLER)),
        case("lnk.unknown-role", "a role that is not known is a viewer's", "LNK-5", _unknown_role, _BYTES),
        case("lnk.majors-2", "a host that speaks major 2 alone", "LNK-6", partial(_majors, majors=4)),
        case("lnk.majors-0", "a host that speaks no major", "LNK-6", partial(_majors, majors=0)),
        case("lnk.more-majors", "a host that speaks other majors as well", "LNK-2", _more_majors),
        case("lnk.nobody", "a host with number 0", "LNK-7", _nobody),
        case("lnk.takes-130", "a host that takes 130 bytes", "LNK-13", partial(_takes_too_little, size=130), _BYTES),
        case("lnk.takes-0", "a host that takes nothing", "LNK-13", partial(_takes_too_little, size=0), _BYTES),
        case("lnk.hello-twice", "the same HELLO twice", "LNK-9", _hello_twice),
        case("lnk.replaced", "a new HELLO ends the old link", "LNK-10 LNK-17", _replaced, _BYTES),
        case("lnk.replaced-elsewhere", "a HELLO on another port ends it", "LNK-10", _replaced_elsewhere, Need.SECOND),
        case("lnk.sixteenth-viewer", "the last place is a controller's", "LNK-8", _sixteenth, Need.MANY),
        case("lnk.no-link-yet", "a command before HELLO", "LNK-17", _no_link_yet, _BYTES),
        case("lnk.own-messages", "a device sends nothing that is a host's", "LNK-19", _sends_only_its_own),
    ]
    for size in (131, 180):
        run: Run = partial(_small_host, size=size)
        made.append(case(f"lnk.takes-{size}", f"a host that takes {size} bytes", "LNK-12 LNK-15", run))
    for size in (131, 224):
        run = partial(_page_holds, size=size)
        made.append(case(f"lnk.page-{size}", f"a page of the journal in {size} bytes", "LNK-14", run))
    for name, message in _OWN.items():
        run = partial(_own, message=message)
        made.append(case(f"lnk.echoed-{name}", f"{type(message).__name__} that comes back", "LNK-20", run, _BYTES))
    for name, command in {"echo": M.Echo(data=b"x"), "stop": M.Stop(), "pause": M.Pause()}.items():
        run = partial(_other_link, command=command)
        title = f"{type(command).__name__} of another link"
        made.append(case(f"lnk.other-{name}", title, "LNK-17", run, _BYTES, stage=Stage.OPEN))
    made.append(case("lnk.burst", "more than ten HELLOs in a second", "LNK-11", _burst, _BYTES))
    return made


CASES: Final = tuple(_cases())
