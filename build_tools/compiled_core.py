"""The modules that mypyc compiles where DEVICECTL_COMPILE is set, and how.

Law: the list is packages less exceptions, each with its reason, so that a new pure module is compiled without being
named here. What is compiled behaves as its source does; `make compiled` holds it to that, and decision 28 says more.
"""

import os
import sys
from pathlib import Path
from typing import Any

TREE = Path(__file__).parent.parent
PACKAGES = (
    "protocols/text",
    "protocols/language",
    "protocols/link",
    "protocols/serial",
    "firmware_sim",
    "devicectl/campaign/judges",
)
MODULES = (
    "devicectl/campaign/watch.py",
    "devicectl/campaign/world.py",
    "devicectl/session/count.py",
    "devicectl/session/device_time.py",
    "devicectl/session/link.py",
    "devicectl/session/procedures.py",
    "devicectl/session/steps.py",
    "devicectl/simulation/heap.py",
    "devicectl/simulation/world.py",
    "firmware_sim/faults/injector.py",
    "firmware_sim/faults/wire.py",
    "firmware_sim/serve/real_time.py",
    "protocols/mqtt/bodies.py",
    "protocols/trace.py",
)
"""Those outside of the packages, or in a folder that is left out, that run for every frame or every cycle; the rest is
generators that wait for longer, shells and the plan."""
INTERPRETED = {
    "protocols/language/structs.py": "tuples, which a native class cannot be",
    "protocols/serial/payload.py": "packs a tuple's values, for which mypyc first makes a list: an eighth slower",
    "protocols/language/message.py": "structs",
    "protocols/language/messages": "structs",
    "protocols/language/records.py": "structs",
    "protocols/text/findings.py": "reads a user's file, once in a run",
    "protocols/text/values.py": "reads a user's file, once in a run",
    "firmware_sim/__main__.py": "a program",
    "firmware_sim/cli.py": "a program",
    "firmware_sim/clock.py": "the clock of the shells",
    "firmware_sim/faults": "numbers that are whole or not, where native code makes all floats; inherited from",
    "firmware_sim/memory_file.py": "files",
    "firmware_sim/twin": "runs once in a build: its time is that of the device, which is compiled",
    "firmware_sim/twin_program.py": "a program",
    "firmware_sim/serve": "shells: asyncio, sockets, terminals",
}
"""Module or folder that is left out of the packages -> the reason."""


def wanted() -> bool:
    """True where a compiled core was asked for."""
    return os.environ.get("DEVICECTL_COMPILE", "0") not in ("", "0")


def core(tree: Path = TREE) -> list[str]:
    """The modules to compile, as paths from the tree."""
    inside = (path.relative_to(tree).as_posix() for package in PACKAGES for path in (tree / package).rglob("*.py"))
    kept = (path for path in inside if not path.endswith("/__init__.py") and not _is_left_out(path))
    return sorted((*kept, *MODULES))


def _is_left_out(path: str) -> bool:
    return any(path == left or path.startswith(f"{left}/") for left in INTERPRETED)


def extensions() -> list[Any]:
    """The extension modules to build; none unless they are wanted, and a wheel is what is being built."""
    if not wanted() or "bdist_wheel" not in sys.argv:
        return []
    from mypyc.build import mypycify

    # What the core imports is read for its types, and its mistakes are for `make typecheck` to find.
    options = ["--config-file", "pyproject.toml", "--follow-imports", "silent", "--no-warn-unused-configs"]
    return mypycify([*options, *core()], opt_level="3", debug_level="0")
