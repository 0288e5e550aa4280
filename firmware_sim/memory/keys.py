"""Keys of the steps: what a stored step begins with. Files have them, so they never change."""

from typing import Final

from firmware_sim.memory import session_steps as S
from firmware_sim.memory import steps as P

KEYS: Final[dict[type, str]] = {
    P.Put: "put",
    P.CountLink: "next_link_id",
    P.CountBirth: "next_birth_no",
    P.BindCartridge: "bind_cartridge",
    P.LatchAlarm: "latch_alarm",
    P.ClearAlarm: "clear_alarm",
    P.Append: "append",
    P.Acknowledge: "acknowledge",
    S.PowerOn: "boot",
    S.OpenSession: "open_session",
    S.CloseSession: "close_session",
    S.BeginCycle: "begin_cycle",
    S.SetPhase: "set_phase",
    S.EndCycle: "end_cycle",
}
