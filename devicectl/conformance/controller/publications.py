"""One client of a broker that commands: what it and the device say passes as publications, and tampers change that.

    device --- from_device_topic ---> [the scene's edit] ---> [tampers] ---> the command
    device <--- [tampers] --- from_host_topic --- the command

How it works: tampers make frames, as on a wire of bytes. A frame that a body can say goes out as that body, on the
topic and with the properties of a right device; one that no body can say is not put in, and its case is skipped.

Law: publications and the time go in, publications for both ends come out. All topics are those of the command's side.
"""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from devicectl.conformance.controller.line import Line, Out, Tamper, Turns
from devicectl.conformance.controller.tape import Said, Tape
from devicectl.conformance.device.wires import BytesWire, Item, payload_of
from protocols.language.enums import AlarmPriority, AlarmState
from protocols.language.messages import Alarm, Welcome
from protocols.language.units import Micros
from protocols.language.version import MAJOR
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, Publication, decode_publication

LATER_MESSAGE: Final = "FromALaterVersion"
LATER_FLAG: Final = "LATER"
_MUST_UNDERSTAND: Final = 0x30
_ONLY_BYTES: Final = 0xC0
"""Flags that may be passed over: a body has none."""


class Passed(NamedTuple):
    """Publications that go on."""

    to_host: list[Publication]
    to_device: list[Publication]


class TopicsLine(Line):
    """One client, by its number, with all that it says and hears."""

    def __init__(
        self,
        tape: Tape,
        number: int,
        tampers: Sequence[Tamper],
        turns: dict[str, Turns],
        wire: DeviceWire,
    ) -> None:
        super().__init__(tape, number, tampers, turns)
        self._wire = wire

    def from_device_topic(self, publication: Publication, now: Micros) -> Passed:
        """Take what the device says to this client; returns what goes on."""
        self._now = now
        passed = Passed([], [])
        if self.muted:
            return passed
        item = item_of(publication)
        if type(item.message) is Welcome:
            self.link_id = item.message.link_id
        said = Said(now, self.number, False, item, publication=publication)
        place, later = len(self._tape.said), Out()
        self._tape.add(said)
        if self._turn(said, later):
            del self._tape.said[place : place + 1]  # it was never heard
        else:
            self._hear(publication, passed)
        self._hear_frames(later, passed)
        return passed

    def from_host_topic(self, publication: Publication, now: Micros) -> Passed:
        """Take what this client says; returns what goes on."""
        self._now = now
        passed = Passed([], [])
        self._tape.carried(now, self.number, publication, by_host=True)
        self._wire.feed(publication)  # which keeps the Correlation Data for answers that are put in
        said = Said(now, self.number, True, item_of(publication), publication=publication)
        self._tape.add(said)
        later = Out()
        if not self._turn(said, later):
            passed.to_device.append(publication)
        self._hear_frames(later, passed)
        return passed

    def later(self, now: Micros) -> Passed:
        """Go on with the spells that last."""
        passed = Passed([], [])
        self._hear_frames(self.tick(now), passed)
        return passed

    # --- inside ----------------------------------------------------------------------------------------------

    def _put(self, tamper: Tamper, said: Said, out: Out) -> None:
        for data in tamper.do(self, said):
            publication = self._published(data)
            if publication is not None:
                self._tape.add(Said(self._now, self.number, False, item_of(publication), tamper.name, publication))
                out.to_host += data

    def _hear_frames(self, out: Out, passed: Passed) -> None:
        for piece in bytes(out.to_host).split(b"\0"):
            publication = self._published(b"\0" + piece + b"\0") if piece else None
            if publication is not None:
                self._hear(publication, passed)

    def _hear(self, publication: Publication, passed: Passed) -> None:
        self._tape.carried(self._now, self.number, publication, by_host=False)
        passed.to_host.append(publication)

    def _published(self, data: bytes) -> Publication | None:
        """Return the publication that says what a frame says; None where none can."""
        items = BytesWire().feed(data)
        header = items[0].header if len(items) == 1 else None
        if header is None or header.major_and_kind >> 4 != MAJOR or header.flags & _ONLY_BYTES or header.node:
            return None
        message = items[0].message
        changes: dict[str, object] = {}
        if message is None:
            if items[0].problem != "an unknown message":
                return None
            message, changes = _STAND_IN, {"message": LATER_MESSAGE}
        flags = header.flags & ~_MUST_UNDERSTAND
        made = self._wire.encode(message, header.seq, header.link_id, header.correlation_id, flags)
        if header.flags & _MUST_UNDERSTAND:
            changes["flags"] = [LATER_FLAG]
        return edited(made, **changes) if changes else made


_STAND_IN: Final = Alarm(
    code=0, interlock=0, priority=AlarmPriority.INFO, state=AlarmState.ACTIVE, uptime_ms=0, sentence="later"
)
"""Gives topic and payload to a message that there is not."""


def item_of(publication: Publication) -> Item:
    """Decode a publication that goes by."""
    envelope = decode_publication(publication)
    problem = "" if envelope.problem is None else envelope.problem.sentence
    payload = b"" if envelope.message is None else payload_of(envelope.message)
    return Item(envelope.header, envelope.message, problem, payload)


def edited(publication: Publication, **changes: object) -> Publication:
    """Return a publication whose body has other values of some keys."""
    return publication._replace(body=json.dumps({**json.loads(publication.body), **changes}).encode())


def moved(publication: Publication, here: DeviceTopics, there: DeviceTopics) -> Publication:
    """Return a publication of one device's topics as one of another's, Response Topic included."""
    levels, answers = here.parse(publication.topic), publication.response_topic
    assert levels is not None, "only topics of the device are listened to"
    answered = None if answers is None else here.parse(answers)
    response = there.of(*answered) if answered is not None else answers
    return publication._replace(topic=there.of(*levels), response_topic=response)
