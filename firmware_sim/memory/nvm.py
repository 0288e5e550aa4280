"""The non-volatile memory of a device: its contents, and the steps that change them, each stored before it is applied.

How it works: a PUNCH uses up cycle number 5 and lets the needles out.

    nvm.keep(BeginCycle(5, zone, cell, depth_um))   checked, appended to the store as ["begin_cycle", [5, ...]], applied
    nvm.keep(Put("stroke_latch", True))             the same; the store may still lose both
    nvm.sync()                                      from here on it cannot: now the needles may move
    ...                                             power is lost
    nvm = replay(steps of the store)                the same steps, applied again: cycle 5 is open, its latch is set
    nvm.keep(PowerOn(0))                            ends cycle 5 as punctured and not counted

Steps by which nothing moves are synced later, many at once: before anybody hears of them.

Law: only `keep` changes the contents. A step that cannot be stored is not applied, and one that cannot be applied is
not stored. Anyone who shows the memory to others, or moves by it, syncs first.
"""

from collections.abc import Callable
from typing import Final, Protocol

from firmware_sim.errors import NvmError, SeedError
from firmware_sim.memory.contents import Contents
from firmware_sim.memory.keys import KEYS
from firmware_sim.memory.steps import Acknowledge, Append, CountLink, Put, Step
from protocols.language.records import Record, encode_record

WORK_ROOM: Final = 16 * 1024
"""Bytes of a store that must be free when something new is begun. A cycle with all its alarms keeps about one KiB."""
LAST_ROOM: Final = 4 * 1024
"""The same where something is ended: with a store that is full a session can still be read, closed and left."""
assert LAST_ROOM < WORK_ROOM


class NvmStore(Protocol):
    """Keeper of steps. `append` keeps one whole or not at all; `sync` returns when all are on the medium."""

    def append(self, key: str, value: object) -> None:
        """Keep one step; `value` is made of what JSON has."""

    def sync(self) -> None:
        """Wait until everything appended would survive a loss of power."""

    def reserve(self, size: int) -> None:
        """Have room for steps of `size` bytes in all; raises the store's own error where there is none."""


def choose_seed(wanted: int | None, nvm: "Nvm | None", draw: Callable[[], int]) -> int:
    """Return the seed of a device on this memory: the one that is wanted, else the memory's, else one that is drawn.

    Raises:
        SeedError: the one that is wanted is not the memory's.
    """
    kept = None if nvm is None else nvm.seed
    if kept is None:
        return draw() if wanted is None else wanted
    if wanted not in (None, kept):
        raise SeedError(kept, wanted)
    return kept


class Nvm(Contents):
    """Contents that survive a reboot, and with a store the process. The attributes are for reading."""

    __slots__ = ("_pending", "steps_kept", "store", "unsynced")

    def __init__(self, store: NvmStore | None = None, *, epoch: int) -> None:
        super().__init__(epoch=epoch)
        self.steps_kept = 0
        """Steps kept by this process; tells if one was kept meanwhile."""
        self._pending = False
        self.unsynced = False
        """A loss of power may still take away steps that others are about to hear of."""
        if store is not None:
            # No step, since there is nothing yet that it could change: what is loaded begins with it.
            store.append("epoch", [epoch])
            store.sync()
        self.store = store

    def attach(self, store: NvmStore) -> None:
        """Keep each step from now on in `store`, which holds what led here."""
        self.store = store

    # -- steps ---------------------------------------------------------------------------------------------------

    def keep(self, step: Step, *, shown: bool = True) -> None:
        """Store a step and apply it. One that is not `shown` may wait for the next sync, however late that is.

        Raises:
            NvmError: it cannot be applied; nothing has changed.
            NvmFileError: it cannot be stored; nothing has changed.
        """
        if self.store is not None:
            # Before it is stored: a step that cannot be applied would make the store unreadable.
            step.check(self)
            self.store.append(KEYS[type(step)], list(step))
            self.steps_kept += 1
            self._pending = True
            self.unsynced = self.unsynced or shown
        step.apply(self)  # raises by itself where there is no store, and nothing was checked

    def keep_seed(self, seed: int) -> None:
        """Let a device with this seed run on this memory, and no other: its serial number follows from the seed.

        Raises:
            SeedError: the memory is of a device with another seed.
        """
        if self.seed is None:
            self.keep(Put("seed", seed))
        elif seed != self.seed:
            raise SeedError(self.seed, seed)

    def next_link_id(self) -> int:
        """Count a link and return its id."""
        self.keep(CountLink())
        return self.link_count & 0xFFFF

    def append(self, record: Record) -> None:
        """Write a record that comes of no other step, with the number `head`.

        Raises:
            NvmError: it has another number.
        """
        # Its number is in its bytes, and the ring only counts: the two must never part.
        if record.event_no != self.head:
            raise NvmError(f"record {record.event_no} does not follow {self.head - 1}")
        self.keep(Append(encode_record(record).hex()))

    def acknowledge(self, upto: int) -> int:
        """Note that the host has the records before `upto`, and return the tail. Repeated, it is no step."""
        # A host repeats it whenever an answer was lost: that must not fill the store.
        if upto > self.tail:
            self.keep(Acknowledge(upto))
        return self.tail

    # -- store -----------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Return when no loss of power can take away a step.

        Raises:
            NvmFileError: they are not all on the medium, and must not be shown.
        """
        if self._pending:
            assert self.store is not None
            self.store.sync()  # where it raises, both stay as they are: nothing of it may be shown
            self._pending = self.unsynced = False

    def reserve(self, size: int) -> None:
        """Have room in the store for what is about to be kept.

        Raises:
            NvmFileError: there is none; nothing has changed.
        """
        if self.store is not None:
            self.store.reserve(size)
