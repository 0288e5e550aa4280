"""Steps of the non-volatile memory: those of its counters, consumables, alarms and journal.

    nvm.keep(Put("flagged", 0b100))        stored as ["put", ["flagged", 4]], then applied

Law: a step is a frozen value, made of what JSON has. It changes the contents as a whole or not at all, by nothing but
what it holds and what they hold: the same steps give the same memory, in this process or in a later one.
"""

from dataclasses import dataclass, fields
from typing import ClassVar, Final

from firmware_sim.errors import NvmError
from firmware_sim.memory.contents import NUMBERS, Contents

CARTRIDGES_REMEMBERED: Final = 64
"""Serials bound to a session, the newest. A cartridge older than that is past its expiry (assumption)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One atomic change of the memory."""

    KEY: ClassVar[str]
    """Name of the step where it is stored. Files have it, so it never changes."""

    def check(self, contents: Contents) -> None:
        """Raise if the step cannot be applied to these contents."""

    def apply(self, contents: Contents) -> None:
        """Change the contents. Raises as `check` does, before anything has changed."""
        raise NotImplementedError

    def to_json(self) -> list[object]:
        """Return the fields in their order."""
        return [getattr(self, field.name) for field in fields(self)]


@dataclass(frozen=True, slots=True)
class Put(Step):
    """Give a number of the memory (see `Numbers`) a new value, where nothing else changes with it."""

    KEY: ClassVar = "put"
    name: str
    value: int | float | None

    def check(self, contents: Contents) -> None:
        """Raise NvmError if there is no such number."""
        if self.name not in NUMBERS:
            raise NvmError(f"the memory has no number {self.name!r}")

    def apply(self, contents: Contents) -> None:
        """Change the number."""
        self.check(contents)
        setattr(contents, self.name, self.value)


@dataclass(frozen=True, slots=True)
class CountLink(Step):
    """Count a link. Its id is the counter's low 16 bits, never 0, since 0 on the wire means "no link yet"."""

    KEY: ClassVar = "next_link_id"

    def apply(self, contents: Contents) -> None:
        """Count on, over a number whose low bits are 0."""
        contents.link_count += 1
        if contents.link_count & 0xFFFF == 0:
            contents.link_count += 1


@dataclass(frozen=True, slots=True)
class CountBirth(Step):
    """Count a connection to a broker."""

    KEY: ClassVar = "next_birth_no"

    def apply(self, contents: Contents) -> None:
        """Count on."""
        contents.birth_no += 1


@dataclass(frozen=True, slots=True)
class BindCartridge(Step):
    """Bind a cartridge to a session. One that is fitted already keeps its cycles."""

    KEY: ClassVar = "bind_cartridge"
    serial: int
    session_no: int
    cycles: int = 0

    def apply(self, contents: Contents) -> None:
        """Remember the first session of the serial, and forget the oldest serial where there are too many."""
        if self.serial != contents.cartridge_serial:
            contents.cartridge_cycles = self.cycles
        contents.cartridge_serial, contents.cartridge_session = self.serial, self.session_no
        contents.cartridges.setdefault(self.serial, self.session_no)
        if len(contents.cartridges) > CARTRIDGES_REMEMBERED:
            del contents.cartridges[next(iter(contents.cartridges))]


@dataclass(frozen=True, slots=True)
class LatchAlarm(Step):
    """Keep an alarm latched over a reboot."""

    KEY: ClassVar = "latch_alarm"
    code: int

    def apply(self, contents: Contents) -> None:
        """Add the code."""
        contents.latched.add(self.code)


@dataclass(frozen=True, slots=True)
class ClearAlarm(Step):
    """Forget a latched alarm: it was reset."""

    KEY: ClassVar = "clear_alarm"
    code: int

    def apply(self, contents: Contents) -> None:
        """Take the code away."""
        contents.latched.discard(self.code)


@dataclass(frozen=True, slots=True)
class Append(Step):
    """Write a record that comes of no other step to the journal."""

    KEY: ClassVar = "append"
    record: str
    """The encoded record as hex digits."""

    def check(self, contents: Contents) -> None:
        """Raise ValueError if these are no hex digits."""
        bytes.fromhex(self.record)

    def apply(self, contents: Contents) -> None:
        """Append the record."""
        contents.journal.append(bytes.fromhex(self.record))


@dataclass(frozen=True, slots=True)
class Acknowledge(Step):
    """Let the host answer for the records before `upto`."""

    KEY: ClassVar = "acknowledge"
    upto: int

    def apply(self, contents: Contents) -> None:
        """Move the tail."""
        contents.journal.acknowledge(self.upto)
