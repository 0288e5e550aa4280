"""Simulated devices: `sim://` in this process and in virtual time, the others as a process of their own.

Law: pure. What is started for such a URL is in `devicectl.simulation`.
"""

from typing import Final

from devicectl.errors import UrlError
from devicectl.transports.urls import DeviceUrl, Scheme, integer, number, parse_baud, split

SIMULATED_OPTIONS: Final = ("seed", "nvm")
"""Options of a simulated URL beside the parameters of its device."""
SIM_OPTIONS: Final = (*SIMULATED_OPTIONS, "baud", "speed")
"""The same of `sim://`."""
MAX_SEED: Final = 2**63 - 1
"""The most that a signed 64-bit column of the session log holds."""
DRAWN_SEED_BITS: Final = 32
"""Size of a seed that nobody asked for: short enough to be typed again."""


def parse(text: str, row: Scheme) -> DeviceUrl:
    """Check the URL of a simulated device: seed, memory, parameters and, in this process, speed and baud rate.

    Raises:
        UrlError: it is none.
    """
    scheme, example = row.scheme, row.example
    netloc, path, options = split(text, row)
    if netloc or path.strip("/"):
        raise UrlError(text, "address", f"{scheme}:// brings its own device; options follow a ?", example)
    seed = options.pop("seed", None)
    nvm = options.pop("nvm", None)
    if nvm is not None and (not nvm or not nvm.isprintable()):
        raise UrlError(text, "nvm", "its value is no file", f"{scheme}://?nvm=handpiece.nvm")
    baud, speed = 0, None
    if not row.served:
        if "baud" in options:
            baud = parse_baud(text, options.pop("baud"), "sim://?baud=115200")
        if "speed" in options:
            speed = parse_speed(text, options.pop("speed"))
    return DeviceUrl(
        text,
        scheme,
        simulated=True,
        served=row.served,
        baud=baud,
        seed=None if seed is None else integer(text, "seed", seed, 0, MAX_SEED, example),
        nvm=nvm,
        speed=speed,
        parameters={name: number(text, name, value, f"{scheme}://?{name}=1") for name, value in options.items()},
    )


def parse_speed(text: str, value: str) -> float | None:
    """Check a factor of time; None for max, which is as fast as virtual time runs.

    Raises:
        UrlError: it is neither.
    """
    if value == "max":
        return None
    speed = number(text, "speed", value, "sim://?speed=1")
    if not 0.01 <= speed <= 10_000:
        raise UrlError(text, "speed", f"{speed:g} is not max or a factor from 0.01 to 10000", "sim://?speed=1")
    return speed
