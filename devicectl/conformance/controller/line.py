"""One connection of the command: what the device says passes on to it frame by frame, and tampers change that.

    device --- from_device ---> [tampers] ---> the command
    device <--- [tampers] --- from_host --- the command

How it works: bytes of the device are cut behind each zero, so that a frame that is put in comes between two others. A
tamper has its turn at each frame that fits its `when`: it may keep that frame back, and what its `do` returns goes to
the command. A spell that lasts is asked again by `tick`.

Law: bytes and the time go in, bytes for both ends come out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from devicectl.conformance.controller.tape import Said, Tape
from devicectl.conformance.device.wires import BytesWire, frame, header_of, payload_of
from protocols.language.message import Message
from protocols.language.messages import Welcome
from protocols.language.units import MILLISECOND, Micros

MAX_HELD: Final = 512
"""Bytes without a zero that are held back for the rest of a frame, which has 243 at most."""
FIRST_SEQ: Final = 0xA000
"""The `seq` of the first frame that is put in: far from those of the device, so that a NAK tells which it is about."""


@dataclass(frozen=True, slots=True)
class Tamper:
    """Something that is done to what the command hears. `skip` frames that fit pass before it has its turn.

    `times` it has a turn, 0 for any number. With `keeps` the frame itself goes no further. With `every_ms` it goes on
    by itself for `for_ms`; and `mutes` keeps all else of the device back meanwhile.
    """

    name: str
    when: Callable[[Said], bool]
    do: Callable[["Line", Said], Sequence[bytes]] = lambda line, said: ()
    skip: int = 0
    times: int = 1
    keeps: bool = False
    every_ms: int = 0
    for_ms: int = 0
    mutes: bool = False


@dataclass(slots=True)
class Turns:
    """Turns that a tamper has had in a run, and those that it could have had."""

    met: int = 0
    taken: int = 0


@dataclass(slots=True)
class _Spell:
    tamper: Tamper
    said: Said
    due: Micros
    ends: Micros


@dataclass(slots=True)
class Out:
    """Bytes that go on: to the command, and to the device."""

    to_host: bytearray = field(default_factory=bytearray)
    to_device: bytearray = field(default_factory=bytearray)


class Line:
    """One connection, by its number. `turns` are shared by all connections of a run."""

    def __init__(self, tape: Tape, number: int, tampers: Sequence[Tamper], turns: dict[str, Turns]) -> None:
        self.link_id = 0
        self.number = number
        self._tape = tape
        self._tampers = tampers
        self._turns = turns
        self._device, self._host = BytesWire(), BytesWire()
        self._held, self._host_held = bytearray(), bytearray()
        self._spells: list[_Spell] = []
        self._seq = FIRST_SEQ + 0x100 * (number % 16)
        self._now = Micros(0)

    # --- for tampers -----------------------------------------------------------------------------------------

    def make(self, message: Message, *, correlation_id: int = 0, flags: int = 0, link_id: int | None = None) -> bytes:
        """Make a frame of the device's, right in all that is not given."""
        payload = payload_of(message)
        link = self.link_id if link_id is None else link_id
        return frame(header_of(message, self.next_seq(), link, correlation_id, flags, len(payload)), payload)

    def next_seq(self) -> int:
        """Return a `seq` that no frame of the device has."""
        self._seq += 1
        return self._seq

    # --- for the bench ---------------------------------------------------------------------------------------

    def from_device(self, data: bytes, now: Micros) -> Out:
        """Take bytes of the device; returns what goes on."""
        self._now, out = now, Out()
        self._held += data
        while self._held:
            at = self._held.find(0)
            if at < 0 and len(self._held) < MAX_HELD:
                break
            piece = bytes(self._held[: at + 1] if at >= 0 else self._held)
            del self._held[: len(piece)]
            self._device_piece(piece, out)
        return out

    def from_host(self, data: bytes, now: Micros) -> Out:
        """Take bytes of the command; returns what goes on."""
        self._now, out = now, Out()
        self._tape.carried(now, self.number, data, by_host=True)
        self._host_held += data
        while self._host_held:
            at = self._host_held.find(0)
            if at < 0 and len(self._host_held) < MAX_HELD:
                break
            piece = bytes(self._host_held[: at + 1] if at >= 0 else self._host_held)
            del self._host_held[: len(piece)]
            kept = False
            for item in self._host.feed(piece):
                if item.header is None:
                    self._tape.spoilt(now, item.problem)
                else:
                    said = Said(now, self.number, True, item)
                    self._tape.add(said)
                    kept = self._turn(said, out) or kept
            if not kept:
                out.to_device += piece
        return out

    def tick(self, now: Micros) -> Out:
        """Go on with the spells that last."""
        self._now, out = now, Out()
        for spell in list(self._spells):
            if now >= spell.ends:
                self._spells.remove(spell)
            elif spell.tamper.every_ms and now >= spell.due:
                spell.due = Micros(now + spell.tamper.every_ms * MILLISECOND)
                self._put(spell.tamper, spell.said, out)
        return out

    @property
    def muted(self) -> bool:
        """True while a spell keeps the device's frames back."""
        return any(spell.tamper.mutes for spell in self._spells)

    # --- inside ----------------------------------------------------------------------------------------------

    def _device_piece(self, piece: bytes, out: Out) -> None:
        if self.muted:
            self._device.feed(piece)
            return
        items = self._device.feed(piece)
        later, kept = Out(), False
        for item in items:
            if item.header is None:
                continue
            if type(item.message) is Welcome:
                self.link_id = item.message.link_id
            said = Said(self._now, self.number, False, item)
            place = len(self._tape.said)
            self._tape.add(said)
            if self._turn(said, later):
                kept = True
                del self._tape.said[place : place + 1]  # it was never heard
        # What answers a frame in its place comes after it on the tape, and on the line.
        if not kept:
            self._to_host(piece, out)
        self._to_host(bytes(later.to_host), out)

    def _turn(self, said: Said, out: Out) -> bool:
        """Give each tamper its turn; returns True if one keeps the frame back."""
        kept = False
        for tamper in self._tampers:
            turns = self._turns.setdefault(tamper.name, Turns())
            if (tamper.times and turns.taken >= tamper.times) or not tamper.when(said):
                continue
            turns.met += 1
            if turns.met <= tamper.skip:
                continue
            turns.taken += 1
            kept = kept or tamper.keeps
            self._tape.put_in.setdefault(tamper.name, self._now)
            if tamper.for_ms:
                ends = Micros(self._now + tamper.for_ms * MILLISECOND)
                self._spells.append(_Spell(tamper, said, self._now, ends))
            else:
                self._put(tamper, said, out)
        return kept

    def _put(self, tamper: Tamper, said: Said, out: Out) -> None:
        for data in tamper.do(self, said):
            wire = BytesWire()
            for item in wire.feed(data):
                if item.header is not None:
                    self._tape.add(Said(self._now, self.number, False, item, tamper.name))
            if said.by_host or tamper.for_ms:
                self._to_host(data, out)
            else:
                out.to_host += data

    def _to_host(self, data: bytes, out: Out) -> None:
        if data:
            self._tape.carried(self._now, self.number, data, by_host=False)
            out.to_host += data
