"""The keys of the steps, against a list written by hand: files have them, so that none may ever change."""

from firmware_sim.memory import session_steps, steps
from firmware_sim.memory.keys import KEYS

FROZEN = {
    "Put": "put",
    "CountLink": "next_link_id",
    "CountBirth": "next_birth_no",
    "BindCartridge": "bind_cartridge",
    "LatchAlarm": "latch_alarm",
    "ClearAlarm": "clear_alarm",
    "Append": "append",
    "Acknowledge": "acknowledge",
    "PowerOn": "boot",
    "OpenSession": "open_session",
    "CloseSession": "close_session",
    "BeginCycle": "begin_cycle",
    "SetPhase": "set_phase",
    "EndCycle": "end_cycle",
}


def test_no_key_has_changed() -> None:
    assert {step.__name__: key for step, key in KEYS.items()} == FROZEN
    assert len(set(FROZEN.values())) == len(FROZEN)


def test_every_step_has_a_key() -> None:
    made = {
        value
        for module in (steps, session_steps)
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "_fields")
    }
    assert made == set(KEYS)
