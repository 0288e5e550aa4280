"""Replay: a recording is executed again, and every packet held against what comes of it.

    devicectl campaign    a trial: its scenario is run again, faults and all
    devicectl             a plain session in `sim://`: it is held again by the same API, with its URL and plan
    firmware-sim          a served device: the recorded calls are made again to a new one

Law: same version, same packets. The first that differs is the answer; what comes after it follows from it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from devicectl.campaign.recording import PROGRAM
from devicectl.campaign.recording_file import packets
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.trial import Trial
from devicectl.errors import DevicectlError
from devicectl.handpiece import connect
from devicectl.session.link import Tap
from devicectl.session.plan import Plan, make_plan
from devicectl.transports.urls import DeviceUrl, parse_url
from firmware_sim.replay import Difference as DeviceDifference
from firmware_sim.replay import replay_device
from handpiece_shell.recording_file import versions
from protocols.capture.contents import decode_publication_of, encode_data
from protocols.capture.packet import DIRECTIONS, EVENTS, TO_DEVICE, Capture, CaptureError, JsonObject, Packet
from protocols.language.units import SECOND, Micros
from protocols.mqtt.wire import Publication
from protocols.trace import Tracer

OF_A_TEST: Final = "pytest"
"""Maker of a recording at the host's end, by the pytest plugin."""
_MATTER: Final = ("devicectl", "protocol")
"""Versions on which the packets of a run depend: neither Python's nor how the core was built is one."""


class ReplayError(DevicectlError):
    """A recording that cannot be replayed; its text is one line."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """The first packet that differs: which it is, and both in words; "" where there is none."""

    where: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay: how many packets the recording has up to the first that differs, and how the run went."""

    packets: int
    verdict: str
    difference: Difference | None


def replay(capture: Capture) -> Replayed:
    """Execute a recording again.

    Raises:
        ReplayError: it is of another version, of something that cannot be executed here, or never came to its end.
        CaptureError: it does not go on as a recording.
    """
    comment = capture.comment
    mine, theirs = versions(), comment.get("versions")
    if not isinstance(theirs, dict) or any(theirs.get(name) != mine[name] for name in _MATTER):
        made_by = [f"{name} {theirs.get(name)}" for name in _MATTER] if isinstance(theirs, dict) else ["nobody"]
        here = ", ".join(f"{name} {mine[name]}" for name in _MATTER)
        raise ReplayError(f"it was made by {', '.join(made_by)}; this is {here}")
    if comment.get("program") == OF_A_TEST:
        raise ReplayError(
            f"a test has made it, and what its host says only the test knows: `{comment.get('repeat')}` repeats it; "
            "Wireshark and tshark show it"
        )
    execute = _PROGRAMS.get(str(comment.get("program")))
    if execute is None:
        raise ReplayError(f"it was made by {comment.get('program')!r}; known are {', '.join(_PROGRAMS)}")
    if not isinstance(comment.get("verdict"), dict) and execute is not _replay_device:
        raise ReplayError("it has no verdict: what made it was ended before its run was over")
    if comment.get("incomplete") and execute is not _replay_device:
        raise ReplayError(f"it is not whole: {comment['incomplete']}")
    return execute(capture)


# --- a trial -----------------------------------------------------------------------------------------------------


def _replay_trial(capture: Capture) -> Replayed:
    try:
        scenario = Scenario.of_data(capture.comment["scenario"])
    except KeyError:
        raise ReplayError("it has no scenario, and so nothing says what to execute") from None
    except ValueError as error:
        raise ReplayError(f"its scenario cannot be taken: {error}") from error
    trial = Trial(scenario)
    verdict = asyncio.run(trial.run())
    replayed = _compare(capture, packets(trial.recording), verdict.word)
    said = capture.comment["verdict"].get("word")
    if replayed.difference is None and said != verdict.word:
        raise ReplayError(f"its packets are those of a run that is {verdict.word}, and it says {said!r}: it was edited")
    return replayed


# --- a plain session in virtual time -----------------------------------------------------------------------------


def _replay_session(capture: Capture) -> Replayed:
    url, plan = _session_of(capture.comment)
    heard: list[Packet] = []

    def tap(sender: str, data: bytes | Publication, now: Micros) -> None:
        heard.append(Packet(now, 0, DIRECTIONS[sender], encode_data(data)))

    state = asyncio.run(_hold(url, plan, tap))
    return _compare(capture, heard, state)


def _session_of(comment: JsonObject) -> tuple[DeviceUrl, Plan]:
    try:
        url, plan = parse_url(str(comment["device"])), make_plan(comment["plan"])
        url = replace(url, seed=int(comment["seed"]), speed=None, spy=None)
    except (DevicectlError, KeyError, TypeError, ValueError) as error:
        raise ReplayError(f"its device or plan cannot be taken: {error}") from error
    if not url.in_process:
        raise ReplayError(f"its device was at {url.text}: only sessions of sim:// are executed again")
    if url.nvm is not None or comment.get("continues"):
        raise ReplayError("it began with a memory or a session from before, which is not in it")
    return url, plan


async def _hold(url: DeviceUrl, plan: Plan, tap: Tap) -> str:
    """Hold the session as `devicectl run` does; its state at the end."""
    operator = plan.operator
    session = None
    try:
        async with connect(url, tap=tap) as handpiece, handpiece.open_session(plan) as session:
            await session.confirm_anesthesia(
                operator.anesthesia_method, operator.confirmed_by, age_s=session.injected_ago_s
            )
            async for _ in session.run():
                pass
    except DevicectlError as error:
        return f"ended by {type(error).__name__}" if session is None else session.summary.state
    return session.summary.state


# --- a served device ---------------------------------------------------------------------------------------------


def _replay_device(capture: Capture) -> Replayed:
    count = 0

    def counted() -> Iterator[Packet]:
        nonlocal count
        for packet in capture.packets:
            count += 1
            yield packet

    found = replay_device(Capture(capture.comment, capture.interfaces, counted()))
    if found is None:
        return Replayed(count, "as recorded", None)
    where = f"a packet at {found.at_us / SECOND:.6f} s of {found.port}"
    return Replayed(
        count, "", Difference(where, _describe_sent(found, found.recorded), _describe_sent(found, found.repeated))
    )


def _describe_sent(found: DeviceDifference, data: bytes | Publication | None) -> str:
    if found.port == EVENTS and isinstance(data, bytes):
        return data.decode(errors="replace")
    return _describe_data(found.sender, data, found.at_us)


# --- comparing ---------------------------------------------------------------------------------------------------


def _compare(capture: Capture, produced: Iterable[Packet], verdict: str) -> Replayed:
    """Hold the recorded packets against those of the new run, one by one."""
    number = 0
    for one, other in zip_longest(capture.packets, produced):
        number += 1
        if one != other:
            expected, found = _describe(one, capture.interfaces), _describe(other, capture.interfaces)
            return Replayed(number - 1, verdict, Difference(f"packet {number}", expected, found))
    return Replayed(number, verdict, None)


def _describe(packet: Packet | None, interfaces: Sequence[str]) -> str:
    """Return a packet in words: a frame decoded as in a trace, an event as JSON."""
    if packet is None:
        return ""
    name = interfaces[packet.interface] if packet.interface < len(interfaces) else f"interface {packet.interface}"
    if name == EVENTS:
        return f"{packet.at_us / SECOND:12.6f} s {name}  {packet.data.decode(errors='replace')}"
    data: bytes | Publication = packet.data
    if packet.data.startswith(b"{"):
        with contextlib.suppress(CaptureError):
            data = decode_publication_of(packet)
    return _describe_data("host" if packet.direction == TO_DEVICE else "device", data, packet.at_us, name)


def _describe_data(sender: str, data: bytes | Publication | None, at_us: int, name: str = "") -> str:
    if data is None:
        return ""
    prefix = f"{name}: " if name else ""
    return "\n".join(prefix + line for line in Tracer().describe(sender, data, Micros(at_us)))


_PROGRAMS: Final[Mapping[str, Callable[[Capture], Replayed]]] = {
    PROGRAM: _replay_trial,
    "devicectl": _replay_session,
    "firmware-sim": _replay_device,
}
"""Maker of a recording -> what executes it again."""
