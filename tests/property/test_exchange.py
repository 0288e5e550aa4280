"""A host's and a device's end over a wire that drops, repeats, reorders, corrupts and delays, while either restarts.

What must hold whatever happens: no state-changing command is carried out twice on a link; every command, HELLO
included, has one end that is told, be it a final answer or that there will be none; an end that hears itself takes
nothing from it; nothing raises; nothing grows without bound; time that is asked for comes.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protocols.language.enums import ByeReason, Code, DeviceState, Ending, Lane, Phase
from protocols.language.message import Message
from protocols.language.messages import (
    Aborted,
    Arm,
    ArmDone,
    Echo,
    EchoDone,
    Pause,
    PauseDone,
    Punch,
    PunchDone,
    Received,
    Refused,
    Resume,
    ResumeDone,
    Stop,
    StopDone,
)
from protocols.language.sides import Side
from protocols.language.units import Micros
from protocols.link.answers import REMEMBERED
from protocols.link.device_end import DeviceEnd
from protocols.link.happenings import (
    Abandoned,
    Answered,
    Commanded,
    Denied,
    DeviceHappening,
    Greeted,
    HostHappening,
    Linked,
    LinkLost,
    Told,
)
from protocols.link.host_end import HostEnd
from protocols.link.pace import Pace
from protocols.link.requests import MAX_TRIES, Request
from protocols.serial.wire import SerialWire
from tests.unit.protocols.link.exchange_pair import HEARTBEAT_US, LEASE_US, Device, End, Host, heartbeat, hello, welcome

MOST_COMMANDS_WAITING = 30
MOST_FRAMES_SENT_AT_ONCE = 60
ENDINGS: dict[type[Message], Message] = {
    Arm: ArmDone(vacuum_pa=-1),
    Resume: ResumeDone(),
    Pause: PauseDone(),
    Punch: PunchDone(cycle_no=1, depth_um=1, punctured=1, vacuum_pa=-1),
}
DEVICE_BITS = 0x100
NOW_AND_THEN = st.sampled_from([False] * 9 + [True])
"""What ends links is rare, or no link would live long enough for anything else."""


class ExchangeMachine(RuleBasedStateMachine):
    """The model: which commands have no ending yet, and what the device has carried out on its present link."""

    def __init__(self) -> None:
        super().__init__()
        self.now = Micros(0)
        self.nonce = 0
        self.links = 0
        self.cycle_no = 0
        self.device_running: int | None = None
        self.device_link = 0
        self.carried_out: dict[tuple[int, int], Message] = {}
        self.newest_order: dict[int, int] = {}
        self.sent_last: dict[Side, bytes] = {}
        self.open: dict[int, Request] = {}
        self.asking = 0
        """HELLOs without an end; never more than one."""
        self.to_device: list[bytes] = []
        self.to_host: list[bytes] = []
        self.host = self.make_host()
        self.device = self.make_device()

    def make_host(self) -> Host:
        return HostEnd(SerialWire())

    def make_device(self) -> Device:
        return DeviceEnd(SerialWire(), lambda _: heartbeat(self.device_running or 0))

    # --- the owners of both ends -----------------------------------------------------------------------------

    def host_hears(self, happened: list[HostHappening]) -> None:
        for happening in happened:
            if isinstance(happening, Answered):
                assert id(happening.request) in self.open, "an answer after the last one"
                if happening.final:
                    del self.open[id(happening.request)]
            elif isinstance(happening, LinkLost):
                assert not self.host.linked
            elif isinstance(happening, Abandoned) and happening.request.lane is Lane.LINK:
                self.asking -= 1
            elif isinstance(happening, Abandoned):
                assert id(happening.request) in self.open, "abandoned after its end"
                del self.open[id(happening.request)]
            elif isinstance(happening, Linked):
                assert self.host.linked and happening.welcome.nonce == self.nonce
                self.asking -= 1
            else:
                assert not isinstance(happening, Denied), "the device denies no link in this world"
        assert not self.open or self.host.linked, "a command without an end was forgotten"
        assert self.asking == (self.host.next_deadline() is not None and not self.host.linked)
        self.send()

    def device_hears(self, happened: list[DeviceHappening]) -> None:
        for happening in happened:
            if isinstance(happening, Commanded):
                self.carry_out(happening)
            elif isinstance(happening, Greeted):
                self.end_motion()
                self.links += 1
                self.device_link = self.links
                granted = welcome(link_id=self.links, nonce=happening.hello.nonce)
                self.device.welcome(granted, happening, self.now)
                self.device.pace = Pace(HEARTBEAT_US, LEASE_US)
            else:
                assert isinstance(happening, (LinkLost, Told)), "a device asks nothing, and is answered nothing"
                if isinstance(happening, LinkLost):
                    self.device_running = None
        self.send()

    def carry_out(self, commanded: Commanded) -> None:
        command, correlation_id = commanded.command, commanded.correlation_id
        if isinstance(command, Echo):
            self.device.reply(correlation_id, EchoDone(data=command.data), self.now)
            return
        link = self.device_link
        if not isinstance(command, Stop):
            assert (link, correlation_id) not in self.carried_out, "carried out twice on a link"
            assert correlation_id > self.newest_order.get(link, 0), "a late order was carried out"
            self.carried_out[link, correlation_id] = command
        self.newest_order[link] = max(correlation_id, self.newest_order.get(link, 0))
        if isinstance(command, Stop):
            self.end_motion()
            self.device.reply(correlation_id, StopDone(state=DeviceState.SAFE), self.now)
        elif self.device_running is not None:
            busy = Refused(code=Code.E_BUSY, interlock=0, expected=0, actual=0, sentence="one at a time")
            self.device.reply(correlation_id, busy, self.now)
        else:
            self.device_running = correlation_id
            self.device.reply(correlation_id, Received(expected_ms=100), self.now)

    def end_motion(self) -> None:
        if self.device_running is not None:
            aborted = Aborted(code=Code.E_LINK, ending=Ending.OPEN, phase=Phase.NONE, sentence="")
            self.device.reply(self.device_running, aborted, self.now)
            self.device_running = None

    def send(self) -> None:
        """Put what both ends have to say on the wire."""
        for side, end, wire in (
            (Side.HOST, self.host, self.to_device),
            (Side.DEVICE, self.device, self.to_host),
        ):
            sent = end.take()
            wire += sent
            if sent:
                self.sent_last[side] = sent[-1]

    def connect(self) -> None:
        self.nonce += 1
        self.asking += 1
        self.host_hears(self.host.hello(hello(nonce=self.nonce), self.now))

    # --- what may happen -------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.connect()
        self.deliver_all()

    @rule(commands=st.lists(st.sampled_from([Arm(), Resume(), Pause(), Stop(), Echo(data=b"x"), None]), min_size=1))
    @precondition(lambda self: self.host.linked)
    def submit(self, commands: list[Message | None]) -> None:
        for command in commands[: MOST_COMMANDS_WAITING - len(self.open)]:
            self.submit_one(command)

    def submit_one(self, command: Message | None) -> None:
        if command is None:
            self.cycle_no += 1
            command = Punch(cycle_no=self.cycle_no, depth_um=1, deadline_ms=1)
        request = self.host.submit(command, self.now)
        self.open[id(request)] = request
        self.send()

    @rule()
    @precondition(lambda self: not self.host.linked and self.host.next_deadline() is None)
    def reconnect(self) -> None:
        self.connect()

    @rule(pick=st.integers(0, 0xFFFF), repeated=st.booleans())
    @precondition(lambda self: self.to_device or self.to_host)
    def deliver_any(self, pick: int, repeated: bool) -> None:
        """One frame of either direction arrives, whichever; `repeated`: and stays on the wire to come again."""
        wire = self.wire(pick)
        data = wire[pick % len(wire)] if repeated else wire.pop(pick % len(wire))
        self.arrive(data, at_device=wire is self.to_device)

    @rule()
    @precondition(lambda self: self.to_device or self.to_host)
    def deliver_all(self) -> None:
        """All that is on the wire arrives in order, each direction in one piece."""
        for _ in range(3):
            for at_device in (True, False):
                wire = self.to_device if at_device else self.to_host
                data = b"".join(wire)
                wire.clear()
                self.arrive(data, at_device=at_device)

    @rule(pick=st.integers(0, 0xFFFF))
    @precondition(lambda self: self.to_device or self.to_host)
    def drop(self, pick: int) -> None:
        wire = self.wire(pick)
        wire.pop(pick % len(wire))

    @rule(pick=st.integers(0, 0xFFFF), place=st.integers(0, 300), value=st.integers(0, 255))
    @precondition(lambda self: self.to_device or self.to_host)
    def corrupt(self, pick: int, place: int, value: int) -> None:
        wire = self.wire(pick)
        data = bytearray(wire.pop(pick % len(wire)))
        data[place % len(data)] = value
        self.arrive(bytes(data), at_device=wire is self.to_device)

    @rule(side=st.sampled_from(Side))
    def echo(self, side: Side) -> None:
        """The last frame comes back to the end that sent it, and goes on to the other."""
        end = self.host if side is Side.HOST else self.device
        data = self.sent_last.get(side)
        if data is None:
            return
        before = end.statistics.echoes, end.next_deadline(), end.link_id
        happened = end.receive(data, self.now)
        assert not end.outbox, "an echo was answered"
        assert happened == [], "an echo was taken for the other end's"
        assert (end.statistics.echoes - 1, end.next_deadline(), end.link_id) == before

    @rule(noise=st.binary(max_size=40), at_device=st.booleans())
    def make_noise(self, noise: bytes, at_device: bool) -> None:
        self.arrive(noise, at_device=at_device)

    @rule(duration_us=st.integers(1, 250_000))
    def let_time_pass(self, duration_us: int) -> None:
        """Both ends are woken whenever they ask for it."""
        until = self.now + duration_us
        for _ in range(1_000):
            due = min(self.due(self.host), self.due(self.device))
            if due > until:
                break
            self.now = Micros(max(int(due), self.now))
            self.wake()
            assert self.due(self.host) > self.now and self.due(self.device) > self.now, "no progress"
        else:
            raise AssertionError("the ends never rest")
        self.now = Micros(until)

    @rule(now=NOW_AND_THEN, duration_us=st.integers(1, 20_000_000))
    def sleep(self, now: bool, duration_us: int) -> None:
        """Nobody is woken for a while."""
        if not now:
            return
        self.now = Micros(self.now + duration_us)
        self.wake()

    @rule()
    @precondition(lambda self: self.device_running is not None)
    def finish_motion(self) -> None:
        assert self.device_running is not None
        command = self.carried_out[self.device_link, self.device_running]
        self.device.reply(self.device_running, ENDINGS[type(command)], self.now)
        self.device_running = None
        self.send()

    @rule(now=NOW_AND_THEN)
    def restart_host(self, now: bool) -> None:
        """What the old process knew is gone, and so is whoever waited for an answer."""
        if not now:
            return
        self.open.clear()
        self.asking = 0
        self.sent_last.pop(Side.HOST, None)
        self.host = self.make_host()
        self.connect()

    @rule(now=NOW_AND_THEN)
    def greet_anew(self, now: bool) -> None:
        """As a host does that waits for control."""
        if now:
            self.connect()

    @rule(now=NOW_AND_THEN)
    def restart_device(self, now: bool) -> None:
        if now:
            self.device_running = None
            self.sent_last.pop(Side.DEVICE, None)
            self.device = self.make_device()

    @rule(now=NOW_AND_THEN, polite=st.booleans())
    def leave(self, now: bool, polite: bool) -> None:
        if not now:
            return
        self.host_hears(self.host.bye(ByeReason.CLOSING, self.now) if polite else self.host.drop())

    # --- the wire and the clock ------------------------------------------------------------------------------

    def wire(self, pick: int) -> list[bytes]:
        """One direction that has something on it."""
        first, second = (self.to_device, self.to_host) if pick & DEVICE_BITS else (self.to_host, self.to_device)
        return first or second

    def arrive(self, data: bytes, *, at_device: bool) -> None:
        if at_device:
            self.device_hears(self.device.receive(data, self.now))
        else:
            self.host_hears(self.host.receive(data, self.now))

    def wake(self) -> None:
        if self.due(self.host) <= self.now:
            self.host_hears(self.host.advance(self.now))
        if self.due(self.device) <= self.now:
            self.device_hears(self.device.advance(self.now))

    def due(self, end: End) -> float:
        deadline = end.next_deadline()
        return float("inf") if deadline is None else deadline

    # --- what always holds -----------------------------------------------------------------------------------

    @invariant()
    def nothing_is_left_unsent(self) -> None:
        assert not self.host.outbox and not self.device.outbox

    @invariant()
    def the_wires_stay_short(self) -> None:
        """Frames in one step are few; what the world has left lying is shortened here, as a full buffer would."""
        for wire in (self.to_device, self.to_host):
            assert len(wire) <= 2 * MOST_FRAMES_SENT_AT_ONCE
            del wire[:-MOST_FRAMES_SENT_AT_ONCE]

    @invariant()
    def every_waiting_command_has_a_time(self) -> None:
        if self.open:
            assert self.host.linked and self.host.next_deadline() is not None
        flying = [request for request in self.open.values() if request.tries or request.received]
        assert all(request.tries <= MAX_TRIES for request in flying)
        assert sum(request.lane is Lane.MOTION for request in flying) <= 1
        assert sum(request.lane is Lane.QUERY for request in flying) <= 4

    @invariant()
    def what_the_device_remembers_is_bounded(self) -> None:
        assert len(self.device._answers._held) <= 2 * REMEMBERED + 1

    def teardown(self) -> None:
        """On a good wire every command comes to its end, and so do those that are given then."""
        self.to_device.clear()
        self.to_host.clear()
        self.settle()
        if self.host.linked:
            self.submit([Arm(), *[Echo(data=b"x")] * 5])
            self.settle()

    def settle(self) -> None:
        for _ in range(3 * MOST_COMMANDS_WAITING + 100):
            if not self.open:
                return
            self.deliver_all()
            if self.device_running is not None:
                self.finish_motion()
            self.deliver_all()
            self.let_time_pass(200_000)
        raise AssertionError(f"no ending for {list(self.open.values())}")


TestExchange = ExchangeMachine.TestCase
TestExchange.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
