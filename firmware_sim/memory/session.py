"""The open session, as the non-volatile memory holds it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple


class Totals(NamedTuple):
    """Totals of a session; all 0 where there is none."""

    session_no: int = 0
    cycles: int = 0
    punctures: int = 0
    cores_counted: int = 0


@dataclass(slots=True)
class SessionMemory:
    """The open session: the plan the host is held to, the totals so far, and the punctures of each (zone, cell).

    A needle of an ambiguous cycle counts as punctured in both: skin is never understated, and both ends count alike.
    """

    session_no: int
    first_cycle_no: int
    target_cores: int
    coverage_bp: int
    depth_um: int
    zones_cm2: tuple[int, ...]
    cells: int
    cycles_per_cell: int
    punctures_per_cell: int
    cycles: int = 0
    completed: int = 0
    aborted: int = 0
    ambiguous: int = 0
    punctures: int = 0
    cores_counted: int = 0
    cell_punctures: dict[tuple[int, int], int] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return all fields, made of what JSON has: the pairs (zone, cell) become rows [zone, cell, punctures]."""
        fields = asdict(self)
        fields["cell_punctures"] = [[zone, cell, count] for (zone, cell), count in self.cell_punctures.items()]
        return fields

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "SessionMemory":
        """Return the session that these fields of `to_json` describe, also after they were JSON."""
        # JSON has made lists of both.
        cells = {(zone, cell): count for zone, cell, count in fields["cell_punctures"]}
        return cls(**{**fields, "zones_cm2": tuple(fields["zones_cm2"]), "cell_punctures": cells})

    @property
    def needles(self) -> int:
        """Needles in the array for which the plan was made."""
        # Not asked of the plant: a boot ends a cycle by what the memory says alone.
        return self.punctures_per_cell // self.cycles_per_cell
