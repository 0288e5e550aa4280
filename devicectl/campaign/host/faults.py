"""Acts of a host's faults: its process dies around a commit, its log fails or is slow.

Law: the log itself is the real one. Its faults are here, beside it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from devicectl.campaign.host.other_host import VIEWER
from devicectl.campaign.recording import Recording
from devicectl.campaign.world import FaultyWorld
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.session.engine import Entry
from devicectl.session.entries import Batch, SessionStart
from firmware_sim.faults.injector import End, Firing
from protocols.language.units import MILLISECOND, Micros

_AROUND_A_COMMIT: Final = ("crash_before_commit", "crash_after_commit", "log_full", "log_slow")


class HostFaults:
    """Acts of the catalogue's host rows, and the way of each batch of entries to the log.

    `write` stores entries; `interrupt` is Ctrl-C; `visit(who)` lets another host come and go.
    """

    def __init__(
        self,
        world: FaultyWorld,
        recording: Recording,
        *,
        write: Callable[[Sequence[Entry]], None],
        interrupt: Callable[[], None],
        visit: Callable[[str], None],
    ) -> None:
        self._world = world
        self._recording = recording
        self._write = write
        self._armed: list[Firing] = []
        """Faults that wait for a commit, in the order of their beginnings: each has its own, also of one kind."""
        self._left: dict[int, int] = {}
        """Commits that still fail, by the fault."""
        world.log_delay_us = self._delay_us
        world.committed = self._commit
        self._stored: list[Entry] = []
        """Entries of which the host has not heard that they are durable."""
        acts = world.injector.acts
        acts.update(dict.fromkeys(_AROUND_A_COMMIT, self._arm))
        acts["host_crash"] = world.put_off(lambda firing, now: self._crash())
        acts["interrupt"] = world.put_off(lambda firing, now: interrupt())
        acts["stopped_by_viewer"] = world.put_off(lambda firing, now: visit(VIEWER))
        acts["other_host"] = world.put_off(lambda firing, now: visit(firing.fault.word("who")))

    def write(self, entries: Sequence[Entry]) -> None:
        """Store what the host logs, as far as its faults let it; raises what they make of it.

        Raises:
            LogError: the disk is full.
        """
        world = self._world
        world.injector.committed(world.now)
        self._fail_if_full()
        self._crash_if("crash_before_commit")
        self._write(entries)
        self._stored += entries
        self._crash_if("crash_after_commit")

    def _commit(self) -> None:
        """Record what the host has just heard to be durable."""
        entries, self._stored = self._stored, []
        for entry in entries:
            if isinstance(entry, SessionStart):
                self._recording.event("commit", self._world.now, upto=entry.first_event_no, epoch=entry.epoch)
            elif isinstance(entry, Batch):
                self._recording.event("commit", self._world.now, upto=entry.next_event_no, epoch=entry.epoch)

    def _delay_us(self) -> int:
        """Time until the host may take what it has written to be stored."""
        slow = [firing for firing in self._armed if firing.fault.kind.name == "log_slow"]
        for firing in slow:
            firing.struck(self._world.now)
        return round(sum(firing.fault.number("by_ms") for firing in slow) * MILLISECOND)

    def _arm(self, firing: Firing, now: Micros) -> End:
        self._armed.append(firing)
        if firing.fault.kind.name == "log_full":
            self._left[firing.index] = int(firing.fault.number("commits"))
        return lambda now: self._armed.remove(firing)

    def _first(self, kind: str) -> Firing | None:
        return next((firing for firing in self._armed if firing.fault.kind.name == kind), None)

    def _fail_if_full(self) -> None:
        firing, now = self._first("log_full"), self._world.now
        if firing is None:
            return
        firing.struck(now)
        self._left[firing.index] -= 1
        if not self._left[firing.index]:
            self._world.injector.finish(firing, now)
        raise LogError(LogErrorKind.FULL, "the log", "the disk is full")

    def _crash_if(self, kind: str) -> None:
        firing, now = self._first(kind), self._world.now
        if firing is not None:
            firing.struck(now)
            self._world.injector.finish(firing, now)
            self._world.kill_host()

    def _crash(self) -> None:
        if self._world.host_alive:
            self._world.kill_host()
