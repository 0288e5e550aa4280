"""Memories with what an earlier life of a device has left in them."""

from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session import SessionMemory
from firmware_sim.memory.session_steps import BeginCycle, OpenSession
from firmware_sim.memory.steps import LatchAlarm

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


def memory(*, session: bool = False, cycle: bool = False, latched: int = 0) -> Nvm:
    """A memory with an open session, its cycle 1, and an alarm that is latched, as asked for."""
    nvm = Nvm(epoch=1)
    if session:
        nvm.keep(OpenSession(PLAN.to_json(), 0))
    if cycle:
        nvm.keep(BeginCycle(1, 0, 0, 3_000))
    if latched:
        nvm.keep(LatchAlarm(latched))
    return nvm
