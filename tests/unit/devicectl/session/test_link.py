"""The host's end of the link: how it is made, when it is given up, and what those who wait for an answer are told."""

import pytest

from devicectl.errors import LinkDeniedError, LinkError, LinkForbiddenError, LinkLostError, UnendedError
from devicectl.session.link import HostLink
from devicectl.session.procedures import Procedure, Task, Until, ask
from protocols.language import messages as M
from protocols.language.enums import ByeReason, Code, DeviceState, Role
from protocols.language.message import Message
from protocols.language.schema import schema_id
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.language.version import MINOR
from protocols.link.happenings import Commanded, Greeted
from protocols.link.pace import IDLE_PACE, Pace
from protocols.serial.wire import SerialWire
from tests.unit.protocols.link.exchange_pair import frame, heartbeat, make_device, refused, welcome

START = Micros(3 * SECOND)
ARMED_PACE, IDLE = Pace.of_ms(200, 700), Pace.of_ms(5_000, 15_000)
BOTH = {"heartbeat_armed_ms": 200, "lease_armed_ms": 700, "heartbeat_idle_ms": 5_000, "lease_idle_ms": 15_000}


class Bench:
    """A host's link and a device's end; the test carries between them, and answers HELLO."""

    def __init__(self, *, connected: bool = True) -> None:
        self.told: list[Message] = []
        self.lost: list[str] = []
        self.nonces = iter(range(77, 1_000))
        self.link = HostLink(
            host_id=5,
            role=Role.CONTROLLER,
            draw_nonce=lambda: next(self.nonces),
            on_told=self.told.append,
            on_lost=self.lost.append,
            wire=SerialWire(),
        )
        self.device = make_device()
        self.now = START
        if connected:
            self.link.connected(START)

    def make(self) -> Task[M.Welcome]:
        """Begin to make the link."""
        return self.link.start(self.link.make(), self.now)

    def hear(self) -> list[Greeted | Commanded]:
        """Carry what the host has sent to the device."""
        heard = [happening for data in self.link.exchange.take() for happening in self.device.receive(data, self.now)]
        return [happening for happening in heard if isinstance(happening, Greeted | Commanded)]

    def greeted(self) -> Greeted:
        [greeted] = self.hear()
        assert isinstance(greeted, Greeted)
        return greeted

    def say(self) -> None:
        """Carry what the device has sent to the host, as one piece."""
        self.link.receive(b"".join(self.device.take()), self.now)

    def grant(self, **changes: int) -> None:
        """Answer the HELLO that is under way with a WELCOME."""
        greeted = self.greeted()
        self.device.welcome(welcome(nonce=greeted.hello.nonce, **changes), greeted, self.now)
        self.say()

    def linked(self, **changes: int) -> "Bench":
        task = self.make()
        self.grant(**changes)
        assert task.done
        return self

    def ask(self, command: M.Echo | M.Arm | M.Pause) -> Task[Message]:
        return self.link.start(ask(command), self.now)

    def pass_to(self, time: int) -> None:
        self.now = Micros(time)
        self.link.advance(self.now)


# --- HELLO


def test_hello_says_what_this_host_speaks_and_who_it_is() -> None:
    bench = Bench()
    bench.make()
    hello = bench.greeted().hello
    assert hello == M.Hello(
        majors=2, minor=MINOR, role=Role.CONTROLLER, features=0, schema_id=schema_id(MINOR), host_id=5,
        max_payload_size=224, nonce=77,
    )  # fmt: skip


def test_each_hello_has_a_nonce_of_its_own() -> None:
    bench = Bench().linked()
    bench.make()
    assert bench.greeted().hello.nonce == 78


def test_the_link_is_made_by_welcome_and_returned() -> None:
    bench = Bench()
    task = bench.make()
    assert not task.done
    bench.grant(boot_count=3)
    assert task.outcome() is bench.link.welcome and task.outcome().boot_count == 3
    assert bench.link.exchange.linked and bench.told == [] and bench.lost == []


def test_a_device_that_refuses_is_an_error_with_its_code_and_sentence() -> None:
    bench = Bench()
    task = bench.make()
    bench.device.deny(bench.greeted(), Code.E_BUSY, "hosts enough", bench.now)
    bench.say()
    with pytest.raises(LinkDeniedError, match="hosts enough") as caught:
        task.outcome()
    assert caught.value.code is Code.E_BUSY


def test_a_device_that_never_answers_is_an_error_after_five_tries() -> None:
    bench = Bench()
    task = bench.make()
    while not task.done:
        due = bench.link.next_deadline()
        assert due is not None
        bench.pass_to(due)
    with pytest.raises(LinkError, match=r"^the device does not answer: no answer to Hello after 5 tries"):
        task.outcome()
    assert len(bench.hear()) == 5


def test_a_notice_of_the_transport_becomes_part_of_the_reason() -> None:
    bench = Bench()
    task = bench.make()
    bench.link.noticed("the port echoes")
    bench.link.disconnected("closed", Micros(START + 2 * SECOND))
    with pytest.raises(LinkError, match="the port echoes"):
        task.outcome()


def test_a_second_link_replaces_the_first_and_what_was_asked_there_is_lost() -> None:
    bench = Bench().linked()
    asked = bench.ask(M.Arm())
    bench.make()
    with pytest.raises(LinkLostError, match="the host asks for a new link"):
        asked.outcome()


# --- the transport


def test_a_transport_that_is_not_there_is_waited_for_ten_seconds() -> None:
    bench = Bench(connected=False)
    task = bench.make()
    assert bench.link.next_deadline() == START + 10 * SECOND
    bench.pass_to(START + 10 * SECOND - 1)
    assert not task.done
    bench.pass_to(START + 10 * SECOND)
    with pytest.raises(LinkError, match="^no connection within 10 s$"):
        task.outcome()


def test_a_transport_that_comes_is_greeted_at_once() -> None:
    bench = Bench(connected=False)
    task = bench.make()
    bench.now = Micros(START + 9 * SECOND)
    bench.link.connected(bench.now)
    bench.grant()
    assert task.done


def test_why_the_transport_went_is_told_where_it_does_not_come_back() -> None:
    bench = Bench().linked()
    bench.link.disconnected("the cable was pulled", bench.now)
    task = bench.make()
    bench.pass_to(START + 10 * SECOND)
    with pytest.raises(LinkError, match="^no connection within 10 s: the cable was pulled$"):
        task.outcome()


@pytest.mark.parametrize("after_ms", [0, 999])
def test_a_transport_that_goes_within_a_second_is_waited_for_again(after_ms: int) -> None:
    """A port that closes as it is opened: the one before may still hold it."""
    bench = Bench()
    task = bench.make()
    bench.now = Micros(START + after_ms * MILLISECOND)
    bench.link.disconnected("closed by the other end", bench.now)
    assert not task.done
    bench.link.exchange.take()
    bench.link.connected(bench.now)
    bench.grant()
    assert task.done


def test_a_transport_that_goes_after_a_second_without_an_answer_is_an_error() -> None:
    bench = Bench()
    task = bench.make()
    bench.link.disconnected("closed by the other end", Micros(START + SECOND))
    with pytest.raises(LinkError, match="^the device does not answer: closed by the other end$"):
        task.outcome()


def test_transports_that_come_and_go_are_given_up_after_ten_seconds() -> None:
    bench = Bench()
    task = bench.make()
    for half in range(1, 22):
        bench.link.disconnected("closed by the other end", bench.now)
        bench.pass_to(START + half * SECOND // 2)
        if not task.done:
            bench.link.connected(bench.now)
    with pytest.raises(LinkError, match="^no connection within 10 s: closed by the other end$"):
        task.outcome()


def test_a_device_that_boots_since_its_port_was_opened_is_greeted_again() -> None:
    bench = Bench(connected=False)
    bench.link.connected(START, boot_us=Micros(3 * SECOND))
    task = bench.make()
    nonces = set()
    while bench.now < START + 3 * SECOND:
        nonces |= {greeted.hello.nonce for greeted in bench.hear() if isinstance(greeted, Greeted)}
        assert not task.done
        due = bench.link.next_deadline()
        assert due is not None
        bench.pass_to(due)
    assert len(nonces) >= 2, "five tries are shorter than its boot"


def test_a_boot_is_waited_for_no_longer_than_a_transport() -> None:
    bench = Bench(connected=False)
    bench.link.connected(START, boot_us=Micros(60 * SECOND))
    task = bench.make()
    while not task.done:
        due = bench.link.next_deadline()
        assert due is not None
        bench.pass_to(due)
    with pytest.raises(LinkError, match="^no connection within 10 s: no answer to Hello after 5 tries"):
        task.outcome()
    assert START + 10 * SECOND <= bench.now < START + 13 * SECOND


def test_a_transport_that_comes_at_the_last_moment_is_greeted() -> None:
    bench = Bench(connected=False)
    task = bench.make()
    bench.now = Micros(START + 10 * SECOND)
    bench.link.connected(bench.now)
    bench.grant()
    assert task.done


def test_a_transport_that_would_always_go_is_not_waited_for() -> None:
    bench = Bench()
    task = bench.make()
    bench.link.noticed("the broker is slow")  # explains a silence, and no refusal
    bench.link.disconnected("the broker keeps this host out", bench.now, final=True)
    with pytest.raises(LinkForbiddenError, match="^the broker keeps this host out$"):
        task.outcome()


def test_one_that_was_forbidden_while_it_was_waited_for_ends_the_wait() -> None:
    bench = Bench(connected=False)
    task = bench.make()
    bench.link.disconnected("kept out", bench.now, final=True)
    with pytest.raises(LinkForbiddenError):
        task.outcome()


def test_a_link_may_be_asked_for_again_after_it_was_forbidden() -> None:
    bench = Bench()
    task = bench.make()
    bench.link.disconnected("kept out", bench.now, final=True)
    assert task.done
    bench.link.connected(bench.now)
    bench.linked()


# --- who hears of a loss


@pytest.mark.parametrize(("final", "error"), [(False, LinkLostError), (True, LinkForbiddenError)])
def test_a_loss_is_raised_in_those_who_wait_for_an_answer(final: bool, error: type[LinkError]) -> None:
    bench = Bench().linked()
    asked = bench.ask(M.Arm())
    bench.link.disconnected("the cable was pulled", bench.now, final=final)
    with pytest.raises(error, match="the cable was pulled") as caught:
        asked.outcome()
    assert type(caught.value) is error and bench.lost == ["the cable was pulled"]
    assert bench.link.exchange.take() == []


def test_a_transport_that_goes_without_a_link_tells_nobody() -> None:
    bench = Bench()
    bench.link.disconnected("closed", bench.now)
    assert bench.lost == []


def test_a_loss_of_hello_is_told_to_the_one_who_greets_and_to_nobody_else() -> None:
    bench = Bench()
    task = bench.make()
    bench.link.disconnected("closed", Micros(START + SECOND))
    assert task.done and bench.lost == []


def test_a_bye_of_the_device_is_a_loss() -> None:
    bench = Bench().linked()
    asked = bench.ask(M.Arm())
    bench.device.bye(ByeReason.CLOSING, bench.now)
    bench.say()
    with pytest.raises(LinkLostError, match="BYE"):
        asked.outcome()
    assert len(bench.lost) == 1


def test_a_command_that_is_never_ended_is_an_error_of_its_own() -> None:
    bench = Bench().linked(lease_idle_ms=0)
    asked = bench.ask(M.Echo(data=b"x"))
    [commanded] = bench.hear()
    assert isinstance(commanded, Commanded)
    bench.device.reply(commanded.correlation_id, M.Received(expected_ms=1), bench.now)
    bench.say()
    while not asked.done:
        due = bench.link.next_deadline()
        assert due is not None
        bench.pass_to(due)
    with pytest.raises(UnendedError, match="no answer to Echo after 5 tries") as caught:
        asked.outcome()
    assert caught.value.command == M.Echo(data=b"x")


def test_an_answer_and_the_end_of_the_link_in_one_piece_are_told_in_that_order() -> None:
    """The procedure that continues by the answer finds the link gone already, and is told so."""
    bench = Bench().linked()

    def two() -> Procedure[None]:
        yield from ask(M.Pause())
        yield from ask(M.Resume())

    task = bench.link.start(two(), bench.now)
    [commanded] = bench.hear()
    assert isinstance(commanded, Commanded)
    bench.device.reply(commanded.correlation_id, M.PauseDone(), bench.now)
    bench.device.bye(ByeReason.CLOSING, bench.now)
    bench.say()
    with pytest.raises(LinkLostError, match="there is no link to send Resume on"):
        task.outcome()
    assert len(bench.lost) == 1, "it was told before the procedure met it"


def test_two_answers_in_one_piece_resume_both_who_wait() -> None:
    bench = Bench().linked()
    tasks = [bench.ask(M.Echo(data=bytes([number]))) for number in range(2)]
    for commanded in bench.hear():
        assert isinstance(commanded, Commanded) and isinstance(commanded.command, M.Echo)
        done = M.EchoDone(data=commanded.command.data)
        bench.device.reply(commanded.correlation_id, done, bench.now)
    bench.say()
    assert [task.outcome() for task in tasks] == [M.EchoDone(data=b"\0"), M.EchoDone(data=b"\1")]


def test_leaving_says_bye_and_tells_who_waits_that_no_answer_comes() -> None:
    bench = Bench().linked()
    asked = bench.ask(M.Arm())
    bench.hear()
    bench.link.leave(ByeReason.CLOSING, bench.now)
    with pytest.raises(LinkLostError, match="this end has left the link"):
        asked.outcome()
    assert bench.lost == [] and len(bench.link.exchange.outbox) == 1


def test_a_command_without_a_link_is_a_loss() -> None:
    with pytest.raises(LinkLostError, match="there is no link to send Arm on"):
        Bench().ask(M.Arm()).outcome()


def test_messages_that_answer_nothing_are_told() -> None:
    bench = Bench().linked()
    bench.device.tell(heartbeat(), bench.now)
    bench.say()
    assert bench.told == [heartbeat()]


# --- pace


def test_a_new_link_has_the_pace_of_a_device_that_is_not_armed() -> None:
    assert Bench().linked(**BOTH).link.exchange.pace == IDLE


def test_the_pace_follows_whether_the_device_is_armed() -> None:
    link = Bench().linked(**BOTH).link
    link.hurry(True)
    assert link.exchange.pace == ARMED_PACE
    link.hurry(False)
    assert link.exchange.pace == IDLE


def test_while_arm_is_under_way_it_beats_quickly_and_bears_a_long_silence() -> None:
    link = Bench().linked(**BOTH).link
    link.hurry(None)
    assert link.exchange.pace == Pace(ARMED_PACE.heartbeat_us, IDLE.lease_us)


@pytest.mark.parametrize(
    ("answer", "pace"),
    [(M.Received(expected_ms=900), ARMED_PACE), (M.ArmDone(vacuum_pa=0), ARMED_PACE), (refused(), ARMED_PACE)],
    ids=["received", "done", "refused"],
)
def test_the_answer_to_arm_makes_the_pace_that_of_an_armed_device(answer: Message, pace: Pace) -> None:
    bench = Bench().linked(**BOTH)
    bench.link.hurry(None)
    bench.ask(M.Arm())
    [commanded] = bench.hear()
    assert isinstance(commanded, Commanded)
    bench.device.reply(commanded.correlation_id, answer, bench.now)
    bench.say()
    assert bench.link.exchange.pace == pace


def test_the_answer_to_another_command_leaves_the_pace_as_it_is() -> None:
    bench = Bench().linked(**BOTH)
    bench.link.hurry(None)
    bench.ask(M.Pause())
    [commanded] = bench.hear()
    assert isinstance(commanded, Commanded)
    bench.device.reply(commanded.correlation_id, M.PauseDone(), bench.now)
    bench.say()
    assert bench.link.exchange.pace == Pace(ARMED_PACE.heartbeat_us, IDLE.lease_us)


def test_an_answer_to_arm_after_the_device_said_that_it_holds_still_leaves_the_long_lease() -> None:
    bench = Bench().linked(**BOTH)
    bench.link.hurry(None)
    bench.ask(M.Arm())
    bench.link.hurry(False)
    [commanded] = bench.hear()
    assert isinstance(commanded, Commanded)
    bench.device.reply(commanded.correlation_id, refused(), bench.now)
    bench.say()
    assert bench.link.exchange.pace == IDLE


def test_without_a_link_the_pace_stays_that_before_welcome() -> None:
    bench = Bench()
    bench.link.hurry(True)
    assert bench.link.exchange.pace == IDLE_PACE
    bench.linked(**BOTH)
    bench.link.disconnected("closed", bench.now)
    bench.link.hurry(True)
    assert bench.link.exchange.pace == IDLE_PACE


def test_a_link_that_replaces_an_armed_one_begins_with_the_long_lease_again() -> None:
    bench = Bench().linked(**BOTH)
    bench.link.hurry(True)
    bench.linked(**BOTH)
    bench.link.hurry(True)
    assert bench.link.exchange.pace == ARMED_PACE


# --- time


def waiting(time: Micros) -> Procedure[None]:
    yield Until(time)


def test_the_uptime_counts_on_from_welcome_and_at_most_from_hello() -> None:
    bench = Bench()
    bench.make()
    bench.now = Micros(START + 400 * MILLISECOND)
    bench.grant(uptime_ms=1_000)
    bench.pass_to(START + 2_400 * MILLISECOND)
    assert bench.link.device_uptime_ms() == 3_000
    assert bench.link.latest_uptime_ms() == 3_400


def test_the_uptime_wraps_as_the_devices_does() -> None:
    bench = Bench().linked(uptime_ms=0xFFFF_FFFF)
    bench.pass_to(START + 2 * MILLISECOND)
    assert bench.link.device_uptime_ms() == 1


def test_before_the_first_link_the_uptime_is_that_of_this_host() -> None:
    bench = Bench()
    bench.pass_to(START)
    assert bench.link.device_uptime_ms() == START // MILLISECOND


def test_the_earlier_of_two_deadlines_is_the_next_one() -> None:
    bench = Bench(connected=False)
    assert bench.link.next_deadline() is None
    bench.link.connected(START)
    bench.linked(**BOTH)
    heartbeat_at = Micros(START + 5 * SECOND)
    assert bench.link.next_deadline() == heartbeat_at
    for due in (heartbeat_at - 1, heartbeat_at + 1):
        task = bench.link.start(waiting(Micros(due)), START)
        assert bench.link.next_deadline() == min(due, heartbeat_at)
        bench.link.procedures.cancel(task)
    bench.link.start(waiting(heartbeat_at), START)
    bench.link.exchange.drop()
    assert bench.link.next_deadline() == heartbeat_at, "that of the procedure is left"


def test_patience_follows_headway_and_has_an_end() -> None:
    """1.5 s after the device ended its last command, and 10 s in all."""
    link = Bench().link
    since = Micros(50 * SECOND)
    for headway_at, ends in ((0, 51.5), (49, 51.5), (51, 52.5), (57, 58.5), (59, 60), (3_000, 60)):
        link.headway_at = Micros(headway_at * SECOND)
        assert link.patience_ends(since) == ends * SECOND


def test_headway_is_a_link_and_each_final_answer_but_no_progress() -> None:
    bench = Bench().linked()
    assert bench.link.headway_at == START
    bench.ask(M.Arm())
    [commanded] = bench.hear()
    assert isinstance(commanded, Commanded)
    for answer, headway_us in (
        (M.Received(expected_ms=900), 0),
        (M.Progress(state=DeviceState.ARMING, elapsed_ms=1, expected_ms=900), 0),
        (M.ArmDone(vacuum_pa=0), 30),
    ):
        bench.now = Micros(bench.now + 10)
        bench.device.reply(commanded.correlation_id, answer, bench.now)
        bench.say()
        assert bench.link.headway_at == START + headway_us


def test_a_frame_that_nobody_can_read_changes_nothing() -> None:
    bench = Bench().linked()
    bench.link.receive(b"\0garbage\0" + frame(heartbeat()), bench.now)
    assert bench.told == [heartbeat()] and bench.link.exchange.linked
