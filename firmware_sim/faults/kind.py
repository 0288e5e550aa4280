"""Kinds of fault: a row of the catalogue, and the quantities that a fault of that kind has.

Law: values without behaviour. Nothing here knows what a fault does.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

FOREVER_MS: Final = 0
"""`for_ms` of a fault that lasts to the end of the run."""
MAX_FOR_MS: Final = 86_400_000
"""A day: no run of a scenario is longer."""


class Target(Enum):
    """Part of a run that a fault acts on."""

    WIRE = "wire"
    DEVICE = "device"
    MEMORY = "memory"
    HOST = "host"
    BROKER = "broker"


class Quantity(NamedTuple):
    """One parameter of a kind: a number from `least` to `most` in `unit`, or one of the `words`.

    One that is `whole` counts something, and is an int.
    """

    name: str
    unit: str
    least: float
    most: float
    usual: float | str
    help: str
    words: tuple[str, ...] = ()
    whole: bool = False

    @property
    def range(self) -> str:
        """The values that it may have, for people."""
        return " | ".join(self.words) if self.words else f"{self.least:.10g} to {self.most:.10g}"


class Kind(NamedTuple):
    """One row of the catalogue.

    `inputs` are the inputs of the plant that it changes, each with its value or the name of the quantity that is. One
    that is `at_once` has its effect when it begins; any other one when it first changes something. `bytes_only` is for
    what a broker does not do to a publication.
    """

    name: str
    target: Target
    sentence: str
    quantities: tuple[Quantity, ...] = ()
    inputs: Mapping[str, bool | float | str] = {}
    at_once: bool = True
    bytes_only: bool = False

    @property
    def lasts(self) -> bool:
        """True if a fault of this kind may end by itself, after its `for_ms`."""
        return any(quantity.name == "for_ms" for quantity in self.quantities)

    def quantity(self, name: str) -> Quantity | None:
        """Return the quantity of that name; None where it has none."""
        return next((one for one in self.quantities if one.name == name), None)
