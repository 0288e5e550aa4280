"""The non-volatile memory as data: a snapshot of all of it, and steps applied again.

Law: `restore(snapshot(nvm))` and the replay of every step since the epoch give the same memory; a property test
holds them together. What cannot be applied again is an error, never a memory that is half right.
"""

import struct
from collections.abc import Callable, Iterable
from typing import Any, Final

from firmware_sim.errors import NvmError
from firmware_sim.memory.contents import NUMBERS
from firmware_sim.memory.keys import KEYS
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session import SessionMemory
from firmware_sim.memory.session_steps import SetPhase
from firmware_sim.memory.steps import Put, Step
from protocols.language.enums import Phase
from protocols.language.messages.procedure import SessionCloseDone

_STEPS: Final[dict[str, Callable[..., Step]]] = {
    **{key: step for step, key in KEYS.items()},
    KEYS[SetPhase]: lambda phase: SetPhase(Phase(phase)),  # JSON has no enumerations
}
"""Key of a step -> what makes it of its stored fields."""

_PUT_BEFORE: Final = {
    "keep_seed": "seed",
    "set_latch": "stroke_latch",
    "set_canister": "canister_ul",
    "set_flagged": "flagged",
}
"""Steps of files of version 3 and before -> the number that each put."""

_IMAGE: Final = {
    *NUMBERS,
    *("register", "site", "session", "last_close", "last_cycle", "cartridges", "latched", "journal"),
}
"""Names in an image."""


def snapshot(nvm: Nvm) -> dict[str, object]:
    """Return everything in the memory, made of what JSON has."""
    image: dict[str, object] = {name: getattr(nvm, name) for name in NUMBERS}
    image["register"] = None if nvm.register is None else list(nvm.register)
    image["site"] = list(nvm.aim)  # so it was called when the first files were written
    image["session"] = None if nvm.session is None else nvm.session.to_json()
    image["last_close"] = None if nvm.last_close is None else nvm.last_close.as_dict()
    image["last_cycle"] = nvm.last_cycle.hex()
    image["cartridges"] = [list(binding) for binding in nvm.cartridges.items()]
    image["latched"] = sorted(nvm.latched)  # the same memory gives the same image
    image["journal"] = nvm.journal.snapshot()
    return image


def restore(image: dict[str, Any]) -> Nvm:
    """Return the memory that `image` was made of, without a store. A number that it lacks is as in a new memory."""
    if unknown := image.keys() - _IMAGE:
        raise NvmError(f"it has {', '.join(sorted(unknown))}, which this version does not know: a newer one wrote it")
    nvm = Nvm(epoch=image["epoch"])
    for name in NUMBERS:
        if name in image:
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


def _step(key: str, value: list[Any]) -> Step:
    if key in _PUT_BEFORE:
        return Put(_PUT_BEFORE[key], *value)
    if key not in _STEPS:
        raise NvmError("this version does not know it: a newer one wrote it")
    return _STEPS[key](*value)


def replay(steps: Iterable[tuple[str, Any]]) -> Nvm:
    """Return the memory that wrote these steps: the first is an epoch or a snapshot, the others follow in order.

    Raises:
        NvmError: there are none, one is not known, or one does not follow from those before it.
    """
    nvm: Nvm | None = None
    for index, (key, value) in enumerate(steps):
        try:
            if nvm is not None:
                _step(key, value).apply(nvm)
            elif key == "snapshot":
                nvm = restore(value)
            elif key == "epoch":
                nvm = Nvm(epoch=value[0])
            else:
                raise NvmError("it is neither an epoch nor a snapshot")
        # A step with a right checksum may still hold anything: another version, or another program, wrote it.
        except (ArithmeticError, LookupError, TypeError, ValueError, AssertionError, struct.error, NvmError) as error:
            raise NvmError(f"step {index} ({key}) cannot be repeated: {error}") from error
    if nvm is None:
        raise NvmError("there is no first step")
    return nvm
