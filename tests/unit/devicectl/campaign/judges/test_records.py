from devicectl.campaign.judges import records
from protocols.language import records as R
from protocols.language.enums import AlarmPriority, AlarmState, Ending, NeedleOutcome, Phase, RecordKind
from protocols.language.records import encode_record

CYCLE = R.Cycle(
    event_no=9,
    uptime_ms=8,
    ending=Ending.ABORTED,
    phase=Phase.SUCTION,
    needles=3,
    cycle_no=7,
    outcomes=R.pack_outcomes([NeedleOutcome.COUNTED, NeedleOutcome.NOT_PUNCTURED, NeedleOutcome.UNCOUNTED]),
    cell=6,
    depth_um=3000,
    total_punctures=20,
    total_cores_counted=19,
)


def test_numbers_are_those_of_the_protocol() -> None:
    kinds = (RecordKind.GAP, RecordKind.CYCLE, RecordKind.ALARM, RecordKind.BOOT)
    assert kinds == (records.GAP, records.CYCLE, records.ALARM, records.BOOT)
    assert (records.NOT_PUNCTURED, records.COUNTED) == (NeedleOutcome.NOT_PUNCTURED, NeedleOutcome.COUNTED)
    assert {number: Ending(number).name.lower() for number in records.ENDINGS} == records.ENDINGS


def test_a_cycle_is_read_with_its_outcomes() -> None:
    (cycle,) = records.cycles([encode_record(CYCLE)], 1)
    assert (cycle.event_no, cycle.cycle_no, cycle.ending, cycle.cell) == (9, 7, "aborted", 6)
    assert (cycle.punctures, cycle.cores, cycle.total_punctures) == (2, 1, 20)
    assert records.cycles([encode_record(CYCLE)], 8) == []


def test_an_alarm_and_a_boot_are_read() -> None:
    changed = R.AlarmChanged(
        event_no=2, uptime_ms=3, code=1501, interlock=15, priority=AlarmPriority.HIGH, state=AlarmState.LATCHED
    )
    assert records.alarm(encode_record(changed)) == (2, 3, 1501, 15, 4, 3)
    boot = R.Boot(event_no=4, uptime_ms=0, boot_count=2, open_cycle_no=11, phase=Phase.PUNCH)
    assert records.open_cycle_of(encode_record(boot)) == 11
    assert records.event_no(encode_record(boot)) == 4
