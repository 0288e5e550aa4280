"""Summary of a session: the one object that `devicectl run --json` prints."""

from dataclasses import asdict, dataclass, fields
from typing import NamedTuple, Self

from devicectl.session.context import SessionContext
from devicectl.session.count import COVERAGE_DIGITS, Counts, coverage_percent
from devicectl.session.plan import Plan
from protocols.language.alarm_codes import alarm_label


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

    @classmethod
    def of(
        cls,
        context: SessionContext,
        *,
        plan: Plan,
        course: str | None,
        session_id: int | None,
        log: str | None,
        wall_seconds: float,
    ) -> Self:
        """Summarize a session from its opening on; `wall_seconds` is for one that is not finished."""
        device, reader, finish = context.info, context.reader, context.finish
        assert device is not None, "a session is of a device that has said who it is"
        counts = reader.fold.counts if reader is not None else Counts()
        area = len(reader.fold.cells) if reader is not None else 0
        alarms = sorted(reader.alarms.items()) if reader is not None else []
        return cls(
            session_id=session_id,
            simulated=context.simulated,
            seed=device.seed if context.simulated else None,
            device=device.serial,
            course=course,
            state=finish.state if finish is not None else "open",
            target_cores=plan.target_cores,
            cores_counted=counts.cores_counted,
            cores_evacuated=context.truth.cores_evacuated if context.truth is not None else None,
            punctures=counts.punctures,
            cycles=counts.cycles,
            needles=device.needles,
            coverage_percent=coverage_percent(counts.cores_counted, area, context.core_diameter_um),
            treated_area_cm2=area,
            session_seconds=reader.clock.seconds if reader is not None else 0.0,
            wall_seconds=finish.wall_seconds if finish is not None else wall_seconds,
            reconciled=finish is not None and finish.reconciled,
            alarms={alarm_label(code): times for code, times in alarms},
            log=log,
        )

    def to_json(self) -> dict[str, object]:
        """Return the fields for JSON, named and ordered as everywhere in the product."""
        return {**asdict(self), "coverage_percent": round(self.coverage_percent, COVERAGE_DIGITS)}

    @classmethod
    def unknown(cls, **known: object) -> dict[str, object]:
        """The same JSON of a session that this host knows little of: null but for what is `known`."""
        return {**dict.fromkeys(field.name for field in fields(cls)), **known}

    @property
    def succeeded(self) -> bool:
        """Completed, with counts that both ends agree on."""
        return self.state == "completed" and self.reconciled


class Abandoned(NamedTuple):
    """A session that was closed instead of continued; `summary` is None if the log did not know it."""

    session_no: int
    summary: Summary | None
