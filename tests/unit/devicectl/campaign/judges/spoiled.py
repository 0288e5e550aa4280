"""A right session, and ways to spoil what is left of it: recording and ledgers."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from devicectl.campaign.judges import OF_LEDGERS, OF_RECORDING, Ledgers
from devicectl.campaign.judges.reading import Found, Reading
from devicectl.campaign.recording import Event, Recorded
from devicectl.campaign.trial import Trial
from protocols.language.enums import DeviceState, Role
from protocols.language.message import Message
from protocols.language.messages import Arm, Received, Welcome
from protocols.serial.payload import encode_message
from tests.unit.devicectl.campaign.trials import SHORT, a_scenario

Packets = list[Recorded]
MS = 1_000


@cache
def clean() -> tuple[Packets, Ledgers]:
    """Recording and ledgers of a session without faults."""
    trial = Trial(a_scenario())
    asyncio.run(trial.run())
    assert trial.verdict.word == "right" and trial.ledgers is not None, trial.verdict
    return list(trial.recording), trial.ledgers


def sentences(name: str, packets: Packets | None = None, **ledgers: Any) -> list[str]:
    """What the judge of that name finds in these packets, and in the clean ledgers with some changed."""
    recording, right = clean()
    reading = Reading(recording if packets is None else packets, SHORT)
    found: Found = []
    if name in OF_RECORDING:
        found += OF_RECORDING[name](reading)
    if name in OF_LEDGERS:
        found += OF_LEDGERS[name](reading, replace(right, **ledgers))
    return [sentence for _, sentence in found]


def alone(*packets: Recorded, judge: str, **ledgers: Any) -> list[str]:
    """The same in these packets, with rows of no session."""
    return sentences(judge, list(packets), **{"rows": (), "journal": {}, "alarms": {}, **ledgers})


def changed(name: str, change: Callable[[Event], Event | None], *, number: int = 0) -> Packets:
    """The clean recording with one event of that name changed, or gone."""
    packets, _ = clean()
    places = [place for place, one in enumerate(packets) if isinstance(one.data, dict) and one.data["event"] == name]
    place = places[number]
    event = change(packets[place].data)  # type: ignore[arg-type]
    kept = [] if event is None else [packets[place]._replace(data=event)]
    return [*packets[:place], *kept, *packets[place + 1 :]]


def said(
    where: str, message: Message, *, at_us: int = 0, link: int = 1, correlation: int = 0, flags: int = 0
) -> Recorded:
    """One message at a place of the wire."""
    frame = encode_message(message, seq=correlation or 1, link_id=link, correlation_id=correlation, flags=flags)
    return Recorded(at_us, where, frame)  # type: ignore[arg-type]


def event(name: str, at_us: int = 0, **values: Any) -> Recorded:
    """One event."""
    return Recorded(at_us, "event", {"event": name, **values})  # type: ignore[arg-type]


def welcome(link: int = 1, at_ms: int = 0, session_no: int = 0) -> Recorded:
    """The grant of a link, on which that session is open."""
    welcome = Welcome(
        link_id=link,
        minor=0,
        role=Role.CONTROLLER,
        features=0,
        schema_id=0,
        nonce=0,
        boot_count=1,
        heartbeat_armed_ms=200,
        lease_armed_ms=600,
        heartbeat_idle_ms=5000,
        lease_idle_ms=15000,
        journal_epoch=1,
        journal_tail=1,
        journal_head=1,
        session_no=session_no,
        cycle_no=0,
        cycles=0,
        punctures=0,
        cores_counted=0,
        state=DeviceState.IDLE,
        simulated=True,
        uptime_ms=0,
        controller_host_id=0,
        model_version="1",
    )
    return said("device>", welcome, at_us=at_ms * MS, link=link)


def arming(at_ms: int = 1_000) -> list[Recorded]:
    """The device hears ARM on link 1, takes it, and so gives control to that link."""
    asked = said(">device", Arm(), at_us=at_ms * MS, correlation=1)
    return [asked, said("device>", Received(expected_ms=1), at_us=at_ms * MS, correlation=1)]


def armed(since_ms: int, until_ms: int) -> list[Recorded]:
    """The device is armed."""
    states = [(since_ms, "ARMED", True), (until_ms, "SAFE", False)]
    return [event("state", at_ms * MS, state=name, armed=is_armed, depth_um=0) for at_ms, name, is_armed in states]
