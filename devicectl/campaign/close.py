"""Close of a session: its three ledgers for the judges, and its outcome for the expectations of its scenario.

Law: it reads, and changes nothing.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, replace

from devicectl.campaign.expectations import Outcome
from devicectl.campaign.judges import Ledgers
from devicectl.log.report import SessionReport
from devicectl.summary import Summary
from firmware_sim.device import Device
from firmware_sim.memory.journal import JOURNAL_SLOTS
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import AlarmState, RecordKind
from protocols.language.records import KIND_OFFSET, AlarmChanged, decode_record
from protocols.language.units import SECOND, Micros


def ledgers_at_close(device: Device, report: SessionReport) -> Ledgers:
    """Return the ledgers of the session that the report is about."""
    assert report.device_totals is not None
    alarms = device.board.alarms
    return Ledgers(
        truth=asdict(device.plant.truth),
        totals=asdict(report.device_totals),
        rows=report.records,
        epoch=report.start.epoch,
        first_cycle_no=report.start.first_cycle_no,
        needles=report.start.needles,
        reconciled=bool(report.summary.reconciled),
        differences=tuple(str(difference) for difference in report.differences),
        alarms={code: alarms.state(code).name for code in alarms.active},
        journal=_journal(device),
    )


def _journal(device: Device) -> dict[int, bytes]:
    """Return what the device's memory still holds of its journal, by event number."""
    nvm = device.nvm
    oldest = max(1, nvm.head - JOURNAL_SLOTS)
    return dict(enumerate(nvm.read(oldest, JOURNAL_SLOTS)[1], oldest))


def outcome_at_close(report: SessionReport, seen: Collection[tuple[str, str]], now: Micros) -> Outcome:
    """Return the outcome of a run in which this was seen, and which has ended now."""
    assert report.device_totals is not None
    return Outcome(
        state=report.summary.state,
        reconciled=bool(report.summary.reconciled),
        alarms=frozenset(one.code for one in alarm_changes(report)),
        refusals=frozenset(name for event, name in seen if event == "refusal"),
        interlocks=frozenset(int(number) for event, number in seen if event == "interlock"),
        cores_counted=report.device_totals.cores_counted,
        seconds=now / SECOND,
    )


def alarm_changes(report: SessionReport) -> list[AlarmChanged]:
    """Return the changes of alarms that the log has, in their order."""
    records = (decode_record(raw) for raw in report.records if raw[KIND_OFFSET] == RecordKind.ALARM)
    return [record for record in records if isinstance(record, AlarmChanged)]


def summary_by_log(summary: Summary, report: SessionReport) -> Summary:
    """Return a host's summary with what the log has: that host may have ended before the session did."""
    stored = report.summary
    raised = Counter(one.code for one in alarm_changes(report) if one.state is AlarmState.ACTIVE)
    return replace(
        summary,
        state=stored.state,
        cores_counted=stored.counts.cores_counted,
        cores_evacuated=stored.cores_evacuated,
        punctures=stored.counts.punctures,
        cycles=stored.counts.cycles,
        coverage_percent=stored.coverage_percent,
        treated_area_cm2=stored.cells_begun,
        session_seconds=stored.session_seconds or summary.session_seconds,
        reconciled=bool(stored.reconciled),
        alarms={alarm_label(code): count for code, count in sorted(raised.items())},
    )
