"""Cases of a device at rest whose host falls silent: what renews the lease of a link, what does not, and its end.

How it works: each silent host is watched for as long as the shortest lease there is. Where the way carries as many
links, all are watched side by side, the first case of them waits for all, and each judges the one of its name.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import as_answer, case, craft
from devicectl.conformance.device.checks import done, equal, nak, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.link import ANSWER_MS, Link
from devicectl.conformance.device.probe import BrokenRule, GoneError, Heard, Sent, Steps
from devicectl.conformance.outcome import Frame
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, Code
from protocols.language.enums import DeviceState as S
from protocols.language.units import MILLISECOND

SHORT: Final = MappingProxyType({"heartbeat_idle_ms": 200.0, "lease_idle_ms": 1_000.0})
"""The shortest times of a device at rest: nobody waits for its usual lease, a quarter of a minute."""
EARLY: Final = 0.6
"""Share of a lease after which the link must still stand."""
LATER_MS: Final = 20
"""Time behind the end of a lease, and the slack, by which it must be over."""
WORD: Final = b"after the silence"


class Seen(NamedTuple):
    """A silent host's link as it was seen: its WELCOME, that of the next link, and what went over the wire."""

    welcome: M.Welcome
    after: M.Welcome
    answer: Heard | None
    beats: int
    gone: str
    frames: tuple[Frame, ...]
    pieces: tuple[Sent, ...]


class Silence(NamedTuple):
    """One silent host. Times are shares of the short lease, from its last word on."""

    title: str
    rule: str
    lives: bool
    """True where the link must stand at the end."""
    until: float
    """Time at which the host speaks again; where `over`, later by what makes a lease of this length over."""
    over: bool = False
    at: tuple[float, ...] = ()
    """Times at which it says something meanwhile."""
    says: Callable[[Link], object] = Link.beat_at_once
    times: Mapping[str, float] = SHORT
    """Parameters that are set before it links."""
    linked_before: bool = False
    """True for one whose link is older than what is set."""
    needs: tuple[Need, ...] = ()
    judge: Callable[[Seen], None] | None = None
    """Check of what else must have been seen, where the link stands."""


def is_beat(heard: Heard) -> bool:
    """Return True for a device's heartbeat."""
    return isinstance(heard.message, M.Heartbeat)


def set_times(ground: Ground, values: Mapping[str, float]) -> Steps[None]:
    """Set parameters for the next link; what a device does not let itself be set stays. The runner gives them back."""
    given_back = {one.name for one in ground.restore if isinstance(one, M.ParamSet)}
    for name, value in values.items():
        before = (yield from ground.ask(M.ParamGet(name=name))).message
        answer = (yield from ground.ask(M.ParamSet(name=name, value=value))).message
        if isinstance(before, M.ParamGetDone) and isinstance(answer, M.ParamSetDone) and name not in given_back:
            ground.restore.append(M.ParamSet(name=name, value=before.value))


def hurry(ground: Ground, values: Mapping[str, float] = SHORT) -> Steps[None]:
    """Link anew with short times."""
    yield from set_times(ground, values)
    ground.leave(ground.link)
    yield from ground.reach(Stage.LINKED)


# --- what a silent host says after all ------------------------------------------------------------------------------


def _asks(link: Link) -> None:
    link.command(M.AlarmList(index=0))


def _echoes(link: Link) -> None:
    link.command(M.Echo(data=b"early"))


def _unknown(link: Link) -> None:
    link.probe.send(link.channel, craft(link, M.Echo(data=b""), message_id=0x0777).data)


def _damaged(link: Link) -> None:
    link.probe.send(link.channel, craft(link, M.Echo(data=b"12345"), payload_size=4).data)


def _of_another_link(link: Link) -> None:
    made = craft(link, M.HostHeartbeat(), link_id=link.link_id ^ 0x0F0F, correlation=0, flags=0)
    link.probe.send(link.channel, made.data)


def _own(link: Link) -> None:
    values: dict[str, int] = {name: 0 for name in M.Heartbeat.FIELDS}
    beat = M.Heartbeat.unchecked(**values | {"state": S.IDLE, "highest_alarm": AlarmPriority.NONE})
    link.probe.send(link.channel, craft(link, beat, correlation=0, flags=0).data)


def _without_end(seen: Seen) -> None:
    equal("the lease that WELCOME names", 0, seen.welcome.lease_idle_ms)
    true("heartbeats go on", seen.beats > 0, "some", "none")


def _times_of_the_next(seen: Seen) -> None:
    equal("the times of the next WELCOME", (200, 1_000), (seen.after.heartbeat_idle_ms, seen.after.lease_idle_ms))


_BYTES: Final = (Need.BYTES,)
_not_renewed = partial(Silence, lives=False, until=1.0, over=True, at=(EARLY,), needs=_BYTES)
_renewed = partial(Silence, lives=True, until=2 * EARLY, at=(EARLY,))
SILENCES: Final[Mapping[str, Silence]] = {
    "times-hold": Silence(
        "a set time counts for the next link",
        "LSE-4",
        True,
        1.0,
        over=True,
        linked_before=True,
        judge=_times_of_the_next,
    ),
    "zero": Silence(
        "a lease of 0 never ends",
        "LSE-5",
        True,
        1.0,
        over=True,
        times={**SHORT, "lease_idle_ms": 0.0},
        judge=_without_end,
    ),
    "expires": Silence(
        "a silent host loses its link, and not before its time",
        "LSE-2",
        False,
        EARLY + 1.0,
        over=True,
        at=(EARLY,),
        says=_echoes,
    ),
    "renews-not-damaged": _not_renewed("bytes that are no frame renew no lease", "FRM-10", says=_damaged),
    "renews-not-other": _not_renewed("a frame of another link renews no lease", "LNK-18", says=_of_another_link),
    "renews-not-own": _not_renewed("a heartbeat that comes back renews no lease", "LNK-21", says=_own),
    "renews-heartbeat": _renewed("heartbeat renews the lease", "LSE-3"),
    "renews-query": _renewed("query renews the lease", "LSE-3", says=_asks),
    "renews-unknown": _renewed("unknown renews the lease", "LSE-3", says=_unknown, needs=_BYTES),
}
"""Silent hosts by name, in the order in which they link: who is linked before, then who has times of its own."""


# --- watching ---------------------------------------------------------------------------------------------------------


class _Watched:
    """A silent host's link while it is watched."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.beats = 0
        self.asked = 0
        self.answer: Heard | None = None
        self.gone = ""

    def take(self, heard: Heard) -> None:
        """Take in what came on the channel of the link."""
        self.beats += is_beat(heard)
        if self.asked and heard.item.header is not None and heard.header.correlation_id == self.asked:
            self.answer = heard

    def ask(self, link: Link) -> None:
        """Speak again."""
        self.asked = link.command(M.Echo(data=WORD))

    def do(self, what: Callable[[Link], object]) -> None:
        """Have the host say something, on a way that may be closed."""
        try:
            what(self.link)
        except GoneError as error:
            self.gone = str(error)

    @property
    def waits(self) -> bool:
        """True while its answer may still come."""
        return self.answer is None and not self.gone


def _linked(ground: Ground, one: Silence, channel: int) -> Steps[_Watched]:
    """Link a host, with its times set before or after; on channel 0 it is the controller itself."""
    if not one.linked_before:
        yield from set_times(ground, one.times)
    if channel:
        link = yield from ground.open_link(channel, host_id=ground.host_id + channel)
    elif not one.linked_before:
        ground.leave(ground.link)
        yield from ground.reach(Stage.LINKED)
    if one.linked_before:
        yield from set_times(ground, one.times)
    watched = _Watched(link if channel else ground.link)
    watched.link.beats = False
    return watched


def _watch(ground: Ground, names: list[str], first: int) -> Steps[None]:
    """Watch silent hosts on channels from `first` on, and note what was seen of each."""
    probe = ground.probe
    lease_us = round(SHORT["lease_idle_ms"] * MILLISECOND)
    late_us = round((probe.slack_ms + LATER_MS) * MILLISECOND)
    hosts: dict[int, _Watched] = {}
    plan: list[tuple[int, int, Callable[[Link], object]]] = []
    yield from ground.nak_room()
    for channel, name in enumerate(names, first):
        one = SILENCES[name]
        hosts[channel] = host = yield from _linked(ground, one, channel)
        plan += [(probe.now + round(share * lease_us), channel, one.says) for share in one.at]
        plan.append((probe.now + round(one.until * lease_us) + late_us * one.over, channel, host.ask))

    def keep(heard: Heard) -> None:
        if heard.channel in hosts:
            hosts[heard.channel].take(heard)

    probe.watch = keep
    for due, channel, says in sorted(plan, key=lambda one: one[:2]):
        yield from probe.pause((due - probe.now) / MILLISECOND, channel=-1)
        hosts[channel].do(says)
    if any(host.waits for host in hosts.values()):
        yield from probe.watch_for(lambda heard: not any(host.waits for host in hosts.values()), ANSWER_MS, channel=-1)
    probe.watch = None
    if ground.has_link:
        ground.leave(ground.link)
    yield from ground.reach(Stage.LINKED)
    for (channel, host), name in zip(hosts.items(), names, strict=True):
        ways = {0, channel}
        ground.seen[name] = Seen(
            host.link.welcome,
            ground.link.welcome,
            host.answer,
            host.beats,
            host.gone,
            tuple(frame for frame in probe.frames if frame.link in ways),
            tuple(piece for piece in probe.pieces if piece.channel in ways),
        )


def _seen(ground: Ground, name: str) -> Steps[tuple[Seen, Heard]]:
    """Return what was seen of a silent host, and what it heard when it spoke again."""
    if name not in ground.seen and Need.MANY in ground.met:
        yield from _watch(ground, [one for one in SILENCES if ground.met.issuperset(SILENCES[one].needs)], 1)
    elif name not in ground.seen:
        yield from _watch(ground, [name], 0)
    seen = ground.seen.pop(name)
    assert isinstance(seen, Seen)
    ground.probe.frames[:], ground.probe.pieces[:] = seen.frames, seen.pieces
    if seen.gone:
        raise GoneError(seen.gone)
    if seen.answer is None:
        raise BrokenRule("an answer after the silence", f"within {ANSWER_MS:g} ms", "nothing of the kind")
    return seen, seen.answer


def _silent(ground: Ground, name: str) -> Steps[None]:
    seen, answer = yield from _seen(ground, name)
    if not SILENCES[name].lives:
        nak(answer, Code.E_LINK)
        return
    equal("the bytes of ECHO's answer", WORD, done(as_answer(answer), M.EchoDone).data)
    if (judge := SILENCES[name].judge) is not None:
        judge(seen)


CASES: Final[tuple[Case, ...]] = tuple(
    case(f"lse.{name}", one.title, one.rule, partial(_silent, name=name), *one.needs, stage=Stage.IDLE)
    for name, one in SILENCES.items()
)
