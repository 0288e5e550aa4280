"""A parameter: one number of the model with its unit, its range and the reason for it."""

from dataclasses import dataclass
from typing import Literal

from protocols.language.enums import ParamScope

Basis = Literal["fact", "derived", "assumption"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number: inclusive range `minimum` to `maximum`; an `int` default makes it a whole number.

    `index` is its number on the wire and in journal records: a new parameter takes the next free one, and none is used
    twice. `basis` is 'fact' (a source says so), 'derived' (arithmetic from facts) or 'assumption' (ours, because no
    source says). `zero_is_off`: 0 is allowed although it is below `minimum`, and switches the thing off.
    """

    index: int
    name: str
    unit: str
    default: int | float  # compiled, a `float` would make every int one
    minimum: float
    maximum: float
    basis: Basis
    why: str
    scope: ParamScope = ParamScope.START_ONLY
    zero_is_off: bool = False

    @property
    def whole(self) -> bool:
        """True for a parameter whose value is an `int`."""
        return isinstance(self.default, int)
