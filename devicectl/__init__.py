"""The host controller of the handpiece simulator. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.

The public names are these; they are imported when they are first used, so that `import devicectl` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from devicectl.errors import (
        CommandAbortedError,
        CommandError,
        CommandFailedError,
        CommandRefusedError,
        DevicectlError,
        HardwareError,
        LinkDeniedError,
        LinkError,
        LinkForbiddenError,
        LinkLostError,
        SessionError,
        SessionFoundError,
        UnendedError,
        UnfinishedError,
        UrlError,
    )
    from devicectl.handpiece import Handpiece, Session, connect
    from devicectl.plan_file import load_plan
    from devicectl.session.engine import CycleResult
    from devicectl.session.plan import Plan, PlanError, Zone
    from devicectl.summary import Summary

_HOMES: Final = {
    "devicectl.handpiece": ("Handpiece", "Session", "connect"),
    "devicectl.errors": (
        "CommandAbortedError",
        "CommandError",
        "CommandFailedError",
        "CommandRefusedError",
        "DevicectlError",
        "HardwareError",
        "LinkDeniedError",
        "LinkError",
        "LinkForbiddenError",
        "LinkLostError",
        "SessionError",
        "SessionFoundError",
        "UnendedError",
        "UnfinishedError",
        "UrlError",
    ),
    "devicectl.session.engine": ("CycleResult",),
    "devicectl.session.plan": ("Plan", "PlanError", "Zone"),
    "devicectl.plan_file": ("load_plan",),
    "devicectl.summary": ("Summary",),
}
_HOME: Final = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CommandAbortedError",
    "CommandError",
    "CommandFailedError",
    "CommandRefusedError",
    "CycleResult",
    "DevicectlError",
    "Handpiece",
    "HardwareError",
    "LinkDeniedError",
    "LinkError",
    "LinkForbiddenError",
    "LinkLostError",
    "Plan",
    "PlanError",
    "Session",
    "SessionError",
    "SessionFoundError",
    "Summary",
    "UnendedError",
    "UnfinishedError",
    "UrlError",
    "Zone",
    "connect",
    "load_plan",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'devicectl' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
