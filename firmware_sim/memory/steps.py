"""Steps of the non-volatile memory: those of its counters, consumables, alarms and journal.

    nvm.keep(Put("flagged", 0b100))        stored as ["put", ["flagged", 4]], then applied

Law: a step is a frozen value, made of what JSON has. It changes the contents as a whole or not at all, by nothing but
what it holds and what they hold: the same steps give the same memory, in this process or in a later one.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from firmware_sim.errors import NvmError
from firmware_sim.memory.contents import NUMBERS, Contents

CARTRIDGES_REMEMBERED: Final = 64
"""Serials bound to a session, the newest. A cartridge older than that is past its expiry (assumption)."""


class Step(Protocol):
    """One atomic change of the memory: a named tuple of what JSON has."""

    def __iter__(self) -> Iterator[object]:
        """Iterate over the fields in their order: what is stored."""

    def check(self, contents: Contents) -> None:
        """Raise if the step cannot be applied to these contents."""

    def apply(self, contents: Contents) -> None:
        """Change the contents. Raises as `check` does, before anything has changed."""


class Put(NamedTuple):
    """Give a number of the memory (see `Numbers`) a new value, where nothing else changes with it."""

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


class CountLink(NamedTuple):
    """Count a link. Its id is the counter's low 16 bits, never 0, since 0 on the wire means "no link yet"."""

    def check(self, contents: Contents) -> None:
        """Can always be applied."""

    def apply(self, contents: Contents) -> None:
        """Count on, over a number whose low bits are 0."""
        # The full count is kept: its low bits alone would not tell how many links there were.
        contents.link_count += 1
        if contents.link_count & 0xFFFF == 0:
            contents.link_count += 1


class CountBirth(NamedTuple):
    """Count a connection to a broker."""

    def check(self, contents: Contents) -> None:
        """Can always be applied."""

    def apply(self, contents: Contents) -> None:
        """Count on."""
        contents.birth_no += 1


class BindCartridge(NamedTuple):
    """Bind a cartridge to a session. One that is fitted already keeps its cycles."""

    serial: int
    session_no: int
    cycles: int = 0

    def check(self, contents: Contents) -> None:
        """Can always be applied."""

    def apply(self, contents: Contents) -> None:
        """Remember the first session of the serial, and forget the oldest serial where there are too many."""
        # Those of the one that is fitted are counted here, cycle by cycle.
        if self.serial != contents.cartridge_serial:
            contents.cartridge_cycles = self.cycles
        contents.cartridge_serial, contents.cartridge_session = self.serial, self.session_no
        contents.cartridges.setdefault(self.serial, self.session_no)  # a later session makes it no fresher
        if len(contents.cartridges) > CARTRIDGES_REMEMBERED:
            del contents.cartridges[next(iter(contents.cartridges))]  # in the order in which they came


class LatchAlarm(NamedTuple):
    """Keep an alarm latched over a reboot, and journal that it was raised: `record` is encoded as in `Append`.

    Together, since a loss of power between two steps would leave an alarm that no record tells of. Files of earlier
    versions have it without a record, which is a step behind it there.
    """

    code: int
    record: str = ""

    def check(self, contents: Contents) -> None:
        """Raise ValueError if the record is no hex digits."""
        bytes.fromhex(self.record)

    def apply(self, contents: Contents) -> None:
        """Add the code, and append the record."""
        contents.latched.add(self.code)
        if self.record:
            contents.journal.append(bytes.fromhex(self.record))


class ClearAlarm(NamedTuple):
    """Forget a latched alarm: it was reset. The record says so, as that of `LatchAlarm` does."""

    code: int
    record: str = ""

    def check(self, contents: Contents) -> None:
        """Raise ValueError if the record is no hex digits."""
        bytes.fromhex(self.record)

    def apply(self, contents: Contents) -> None:
        """Take the code away, and append the record."""
        contents.latched.discard(self.code)
        if self.record:
            contents.journal.append(bytes.fromhex(self.record))


class Append(NamedTuple):
    """Write a record that comes of no other step to the journal."""

    record: str
    """The encoded record as hex digits, since JSON has no bytes."""

    def check(self, contents: Contents) -> None:
        """Raise ValueError if these are no hex digits."""
        bytes.fromhex(self.record)

    def apply(self, contents: Contents) -> None:
        """Append the record."""
        contents.journal.append(bytes.fromhex(self.record))


class Acknowledge(NamedTuple):
    """Note that the host has the records before `upto`."""

    upto: int

    def check(self, contents: Contents) -> None:
        """Can always be applied."""

    def apply(self, contents: Contents) -> None:
        """Move the tail."""
        contents.journal.acknowledge(self.upto)
