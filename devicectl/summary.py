"""What a session came to: the one object that `devicectl run --json` prints."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from devicectl.session.count import COVERAGE_DIGITS


@dataclass(frozen=True, slots=True)
class Summary:
    """One session. `cores_evacuated` is None on a device that has no ground truth.

    `alarms` is how often each code was raised, by the journal. `state` is completed, aborted or open; `log` says
    where the session log is, None where none was kept.
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
        return {**asdict(self), "coverage_percent": round(self.coverage_percent, COVERAGE_DIGITS)}

    @classmethod
    def unknown(cls, **known: Any) -> dict[str, Any]:
        """The same JSON of a session that this host knows little of: null but for what is `known`."""
        return {**dict.fromkeys(field.name for field in fields(cls)), **known}

    @property
    def succeeded(self) -> bool:
        """Completed, with counts that both ends agree on."""
        return self.state == "completed" and self.reconciled
