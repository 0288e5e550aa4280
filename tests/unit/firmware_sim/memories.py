"""Memories with what an earlier life of a device has left in them, and a store that keeps their steps."""

import json
from typing import Any

from firmware_sim.errors import NvmFileError
from firmware_sim.memory.contents import Contents
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session import SessionMemory
from firmware_sim.memory.session_steps import BeginCycle, EndCycle, OpenSession, SetPhase
from firmware_sim.memory.steps import LatchAlarm, Put, Step
from protocols.language.enums import Ending, NeedleOutcome, Phase
from protocols.language.records import Record, decode_record

PLAN = SessionMemory(
    session_no=1,
    first_cycle_no=1,
    target_cores=30,
    coverage_bp=600,
    depth_um=3_000,
    zones_cm2=(4,),
    cells=4,
    cycles_per_cell=16,
    punctures_per_cell=48,
)


class Store:
    """A store in memory, through JSON as a file would be. `full` has no room, `broken` keeps nothing."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Any]] = []
        self.synced: list[int] = []
        """Number of steps kept at each sync."""
        self.reserved: list[int] = []
        """Bytes asked for, one at a time."""
        self.full = self.broken = False

    @property
    def keys(self) -> list[str]:
        """Keys of the steps kept."""
        return [key for key, _ in self.kept]

    def append(self, key: str, value: object) -> None:
        if self.broken:
            raise NvmFileError("the memory", "it is broken")
        self.kept.append((key, json.loads(json.dumps(value))))

    def sync(self) -> None:
        if self.broken:
            raise NvmFileError("the memory", "it is broken")
        self.synced.append(len(self.kept))

    def reserve(self, size: int) -> None:
        self.reserved.append(size)
        if self.full:
            raise NvmFileError("the memory", "no space left")


def memory(*, session: bool = False, cycle: bool = False, latched: int = 0, store: Store | None = None) -> Nvm:
    """A memory with an open session, its cycle 1, and an alarm that is latched, as asked for."""
    nvm = Nvm(store, epoch=1)
    if session:
        nvm.keep(OpenSession(PLAN.to_json(), 0))
    if cycle:
        nvm.keep(BeginCycle(1, 0, 0, 3_000))
    if latched:
        nvm.keep(LatchAlarm(latched))
    return nvm


def apply(contents: Contents, *steps: Step) -> None:
    """Apply steps, each of which must be one that can be applied."""
    for step in steps:
        step.check(contents)
        step.apply(contents)


def a_cycle(cycle_no: int, *outcomes: NeedleOutcome, cell: int = 0) -> list[Step]:
    """Return the steps of a whole cycle in zone 0."""
    ended = outcomes or (NeedleOutcome.COUNTED,) * 3
    return [
        BeginCycle(cycle_no, 0, cell, 3_000),
        Put("stroke_latch", True),
        *(SetPhase(phase) for phase in (Phase.SUCTION, Phase.ADVANCE, Phase.COUNT)),
        EndCycle(Ending.COMPLETED, Phase.COUNT, ended, zone=0, cell=cell, depth_um=3_012, uptime_ms=400),
    ]


def records(contents: Contents, first: int = 1) -> list[Record | None]:
    """The records from number `first` on, as many as one may ask for."""
    return [decode_record(raw) for raw in contents.read(first, 255)[1]]
