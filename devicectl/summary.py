"""What a session came to: the one object that `devicectl run --json` prints."""

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Summary:
    """One session. `cores_evacuated` is None on a device that has no ground truth.

    `alarms` is how often each code was raised, by the journal. `state` is completed, aborted, faulted or open; `log`
    says where the session log is, None where none was kept.
    """

    session_id: int | None
    simulated: bool
    seed: int | None
    device: str
    course: str | None
    state: str
    target_cores: int
    cores_counted: int
    cores_evacuated: int | None
    punctures: int
    cycles: int
    needles: int
    coverage_percent: float
    treated_area_cm2: int
    session_seconds: float
    wall_seconds: float
    reconciled: bool
    alarms: dict[str, int]
    log: str | None

    def to_json(self) -> dict[str, Any]:
        """As JSON has it; the names are the product's, in its order."""
        return asdict(self)

    @property
    def succeeded(self) -> bool:
        """Completed, with counts that both ends agree on."""
        return self.state == "completed" and self.reconciled


def coverage_percent(cores_counted: int, area_cm2: int, core_diameter_um: int) -> float:
    """Share of the treated skin that the counted cores removed, in percent; 0 where nothing was treated."""
    if area_cm2 == 0:
        return 0.0
    core_mm2 = math.pi / 4 * (core_diameter_um / 1000) ** 2
    return round(cores_counted * core_mm2 / (area_cm2 * 100) * 100, 3)
