"""The twin of a recording: the verdict, and the document that is kept of it.

    same        the simulated device said the same, and took about as long
    diverges    it said something else; the first place is named
    times       it said the same, and took longer or shorter than the profile allows

Law: the date and the hashes of files are handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from firmware_sim.twin.alignment import Aligned, Divergence, align
from firmware_sim.twin.beginning import begin, recorded_baud
from firmware_sim.twin.conversation import Conversation, Said
from firmware_sim.twin.feed import Feed
from firmware_sim.twin.profile import Profile
from firmware_sim.twin.reactions import Reaction, reactions, too_far
from protocols.capture.packet import JsonObject
from protocols.language import messages as M
from protocols.language.units import SECOND, Micros
from protocols.text.notice import NOTICE
from protocols.trace import Tracer

VERSION: Final = 1
"""Version of the document."""
SAME: Final = "same"
DIVERGES: Final = "diverges"
TIMES: Final = "times"


@dataclass(frozen=True, slots=True)
class Twin:
    """Outcome of a comparison. `slow` has a sentence for each command whose times are too far apart."""

    verdict: str
    aligned: Aligned
    reactions: Sequence[Reaction]
    slow: Sequence[str]
    masked: Mapping[str, int]
    seed: int
    held_us: int


def compare(conversation: Conversation, profile: Profile) -> Twin:
    """Feed the recording to a simulated device, and compare.

    Raises:
        TwinError: no twin can be made of it.
        CaptureError: its boot or a call in it cannot be repeated.
    """
    beginning = begin(conversation, profile.device.seed, profile.device.parameters)
    feed = Feed(conversation, beginning)
    feed.run()
    masks = profile.masks()
    aligned = align(conversation, feed, masks)
    baud = recorded_baud(conversation) if profile.times.baud is None else profile.times.baud
    found = reactions(conversation, feed, baud)
    slow = too_far(found, profile.times.limit(), profile.times.limits())
    verdict = DIVERGES if aligned.divergence is not None else TIMES if slow else SAME
    masked = dict(sorted(masks.used.items()))
    return Twin(verdict, aligned, found, slow, masked, beginning.device.seed, feed.held_us)


# --- for people --------------------------------------------------------------------------------------------------


def describe(said: Said | None) -> str:
    """Return a frame decoded, as in a trace; "nothing" where there is none."""
    if said is None:
        return "nothing"
    return "\n".join(Tracer().describe(said.sender, said.frame, Micros(said.at_us)))


def lines(twin: Twin) -> list[str]:
    """Return the outcome for a terminal."""
    done = twin.aligned
    counted = f"{done.commands} commands, {done.answers} answers, {done.unasked} events and alarms"
    text = [f"compared: {counted}, {done.heartbeats} heartbeats"]
    if done.divergence is not None:
        text += _divergence(done.divergence)
    text += ["", *_table(twin.reactions), *twin.slow, f"verdict: {twin.verdict}"]
    return text


def _divergence(found: Divergence) -> list[str]:
    text = [f"first divergence, at {found.at_us / SECOND:.6f} s of {found.port}:", f"  {found.reason}"]
    if found.asked is not None:
        text.append(f"asked:    {describe(found.asked).strip()}")
    return [
        *text,
        f"expected: {describe(found.recorded).strip()}",
        f"found:    {describe(found.found).strip()}",
    ]


def _table(found: Sequence[Reaction]) -> list[str]:
    head = (
        f"{'command':18} {'answer':6} {'count':>6}  {'recorded median':>15} {'p95':>10}  {'twin median':>11} "
        f"{'p95':>10}"
    )
    rows = [
        f"{one.command:18} {one.part:6} {one.number:6}  {one.recorded.median_ms:12.3f} ms {one.recorded.p95_ms:7.3f} ms"
        f"  {one.found.median_ms:8.3f} ms {one.found.p95_ms:7.3f} ms"
        for one in found
    ]
    return [head, *rows, ""] if rows else []


# --- for programs ------------------------------------------------------------------------------------------------


def document(twin: Twin, conversation: Conversation, **known: object) -> JsonObject:
    """Return the document; `known` is what only the caller knows: date, versions, names and hashes of files."""
    done = twin.aligned
    return {
        "twin": VERSION,
        "notice": NOTICE,
        "verdict": twin.verdict,
        **known,
        "device": _device(conversation),
        "recorded_by": conversation.comment.get("program"),
        "frames": conversation.frames,
        "seconds": conversation.end_us / SECOND,
        "seed": twin.seed,
        "held_s": twin.held_us / SECOND,
        "compared": {
            "commands": done.commands,
            "answers": done.answers,
            "unasked": done.unasked,
            "heartbeats": done.heartbeats,
        },
        "masked": dict(twin.masked),
        "divergence": None if done.divergence is None else _as_json(done.divergence),
        "slow": list(twin.slow),
        "reactions": [
            {
                "command": one.command,
                "answer": one.part,
                "count": one.number,
                "recorded": one.recorded._asdict(),
                "twin": one.found._asdict(),
            }
            for one in twin.reactions
        ],
    }


def _as_json(found: Divergence) -> JsonObject:
    return {
        "at_us": found.at_us,
        "port": found.port,
        "reason": found.reason,
        "asked": _word(found.asked),
        "expected": _word(found.recorded),
        "found": _word(found.found),
    }


def _word(said: Said | None) -> dict[str, str] | None:
    return None if said is None else {"text": describe(said).strip(), "hex": said.frame.hex()}


def _device(conversation: Conversation) -> JsonObject | None:
    """Return who the recorded device said that it is; None where nobody asked it."""
    for said in conversation.of_device():
        told = said.message
        if isinstance(told, M.DeviceInfoDone):
            return {
                "model": told.model,
                "serial": told.serial,
                "firmware_version": told.firmware_version,
                "simulated": told.simulated,
            }
    return None
