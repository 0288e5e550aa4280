"""The non-volatile memory as data: a snapshot of all of it, and steps carried out again.

Law: `restore(snapshot(nvm))` and the replay of every step since the epoch give the same memory; a property test
holds them together. What cannot be carried out again is an error, never a memory that is half right.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from firmware_sim.errors import NvmError
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session import SessionMemory
from protocols.language.enums import CloseReason, Ending, NeedleOutcome, Phase
from protocols.language.messages.procedure import SessionCloseDone

_PLAIN: Final = (
    "epoch",
    "seed",
    "boot_count",
    "link_count",
    "birth_no",
    "session_no",
    "last_cycle_no",
    "stroke_latch",
    "cartridge_serial",
    "cartridge_session",
    "cartridge_cycles",
    "canister_ul",
    "flagged",
)
"""Attributes that JSON holds as they are."""


def snapshot(nvm: Nvm) -> dict[str, Any]:
    """Everything in the memory, made of what JSON has."""
    image: dict[str, Any] = {name: getattr(nvm, name) for name in _PLAIN}
    image["register"] = None if nvm.register is None else list(nvm.register)
    image["site"] = list(nvm.aim)
    image["session"] = None if nvm.session is None else nvm.session.to_json()
    image["last_close"] = None if nvm.last_close is None else nvm.last_close.model_dump()
    image["last_cycle"] = nvm.last_cycle.hex()
    image["cartridges"] = [list(binding) for binding in nvm.cartridges.items()]
    image["latched"] = sorted(nvm.latched)
    image["journal"] = nvm.journal.snapshot()
    return image


def restore(image: dict[str, Any]) -> Nvm:
    """The memory that `image` was made of, without a store."""
    nvm = Nvm(epoch=image["epoch"])
    image = {"seed": None} | image  # which files of version 1 do not have
    for name in _PLAIN:
        setattr(nvm, name, image[name])
    if image["register"] is not None:
        cycle_no, phase = image["register"]
        nvm.register = (cycle_no, Phase(phase))
    zone, cell, depth_um = image["site"]
    nvm.aim = (zone, cell, depth_um)
    if image["session"] is not None:
        nvm.session = SessionMemory.from_json(image["session"])
    if image["last_close"] is not None:
        nvm.last_close = SessionCloseDone(**image["last_close"])
    nvm.last_cycle = bytes.fromhex(image["last_cycle"])
    nvm.cartridges = dict(image["cartridges"])
    nvm.latched = set(image["latched"])
    nvm.journal.restore(*image["journal"])
    return nvm


def _open_session(nvm: Nvm, fields: dict[str, Any], uptime_ms: int) -> None:
    nvm.open_session(SessionMemory.from_json(fields), uptime_ms)


def _close_session(nvm: Nvm, reason: int, uptime_ms: int) -> None:
    nvm.close_session(CloseReason(reason), uptime_ms)


def _set_phase(nvm: Nvm, phase: int) -> None:
    nvm.set_phase(Phase(phase))


def _end_cycle(
    nvm: Nvm,
    ending: int,
    phase: int,
    outcomes: list[int],
    zone: int,
    cell: int,
    depth_um: int,
    uptime_ms: int,
    canister_ul: float | None,
) -> None:
    nvm.end_cycle(
        Ending(ending),
        Phase(phase),
        [NeedleOutcome(outcome) for outcome in outcomes],
        zone=zone,
        cell=cell,
        depth_um=depth_um,
        uptime_ms=uptime_ms,
        canister_ul=canister_ul,
    )


def _append(nvm: Nvm, raw: str) -> None:
    nvm.journal.append(bytes.fromhex(raw))


_STEPS: Final[dict[str, Callable[..., Any]]] = {
    "keep_seed": Nvm.keep_seed,
    "boot": Nvm.boot,
    "next_link_id": Nvm.next_link_id,
    "next_birth_no": Nvm.next_birth_no,
    "open_session": _open_session,
    "close_session": _close_session,
    "begin_cycle": Nvm.begin_cycle,
    "set_phase": _set_phase,
    "set_latch": Nvm.set_latch,
    "end_cycle": _end_cycle,
    "bind_cartridge": Nvm.bind_cartridge,
    "set_canister": Nvm.set_canister,
    "set_flagged": Nvm.set_flagged,
    "latch_alarm": Nvm.latch_alarm,
    "clear_alarm": Nvm.clear_alarm,
    "append": _append,
    "acknowledge": Nvm.acknowledge,
}
"""Name of a step, as `Nvm` stores it -> what carries it out again. JSON has no enumerations: they are made here."""


def replay(steps: Iterable[tuple[str, Any]]) -> Nvm:
    """The memory that wrote these steps: the first is an epoch or a snapshot, the others follow in order.

    Raises:
        NvmError: there are none, one is not known, or one does not follow from those before it.
    """
    nvm: Nvm | None = None
    for index, (key, value) in enumerate(steps):
        try:
            if nvm is not None:
                _STEPS[key](nvm, *value)
            elif key == "snapshot":
                nvm = restore(value)
            elif key == "epoch":
                nvm = Nvm(epoch=value[0])
            else:
                raise NvmError("it is neither an epoch nor a snapshot")
        except (ArithmeticError, LookupError, TypeError, ValueError, AssertionError, NvmError) as error:
            raise NvmError(f"step {index} ({key}) cannot be repeated: {error}") from error
    if nvm is None:
        raise NvmError("there is no first step")
    return nvm
