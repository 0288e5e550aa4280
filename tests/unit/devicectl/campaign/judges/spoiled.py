"""A right session, and ways to spoil what is left of it: recording and ledgers."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from devicectl.campaign.judges import JUDGES, Ledgers
from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.recording import Event, Recorded
from devicectl.campaign.trial import Trial
from protocols.language.message import Message
from protocols.serial.payload import encode_message
from tests.unit.devicectl.campaign.trials import a_scenario

Packets = list[Recorded]


@cache
def clean() -> tuple[Packets, Ledgers]:
    """Recording and ledgers of a session without faults."""
    trial = Trial(a_scenario())
    asyncio.run(trial.run())
    assert trial.verdict.word == "right" and trial.ledgers is not None, trial.verdict
    return list(trial.recording), trial.ledgers


def sentences(name: str, packets: Packets | None = None, **ledgers: Any) -> list[str]:
    """What the judge of that name finds in these packets, and in the clean ledgers with some changed."""
    recording, found = clean()
    reading = Reading(recording if packets is None else packets)
    return [sentence for _, sentence in JUDGES[name](reading, replace(found, **ledgers))]


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
