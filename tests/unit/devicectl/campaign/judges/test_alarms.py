import pytest

from devicectl.campaign.judges.alarms import LATCHING
from firmware_sim.model.interlocks import ALARMS
from protocols.language import records as R
from protocols.language.enums import AlarmPriority, AlarmState, Code, Phase
from protocols.language.messages import Alarm, Refused
from protocols.language.records import encode_record
from tests.unit.devicectl.campaign.judges.spoiled import alone, armed, arming, clean, event, said, sentences, welcome


def row(code: int, state: AlarmState, number: int = 1) -> bytes:
    """The journal's record of an alarm."""
    record = R.AlarmChanged(
        event_no=number, uptime_ms=0, code=code, interlock=0, priority=AlarmPriority.HIGH, state=state
    )
    return encode_record(record)


def found(*rows: bytes, alarms: dict[int, str] | None = None) -> list[str]:
    """What the judge finds in these rows."""
    numbered = [number.to_bytes(4, "little") + raw[4:] for number, raw in enumerate(rows, 1)]
    return alone(judge="alarms", rows=numbered, alarms=alarms or {})


ACTIVE, ACKNOWLEDGED, LATCHED = AlarmState.ACTIVE, AlarmState.ACKNOWLEDGED, AlarmState.LATCHED
INACTIVE = AlarmState.INACTIVE


def test_the_judge_knows_each_alarm_that_latches() -> None:
    assert set(LATCHING) == {code for code, rule in ALARMS.items() if rule.latched}


def test_an_alarm_that_is_raised_and_ends_is_right() -> None:
    assert found(row(401, ACTIVE), row(401, INACTIVE)) == []
    assert found(row(1501, ACTIVE), row(1501, LATCHED), row(1501, INACTIVE)) == []
    assert found(row(401, ACTIVE), alarms={401: "ACTIVE"}) == []


def test_an_alarm_that_is_gone_without_a_record_is_seen() -> None:
    assert found(row(401, ACTIVE)) == ["MC-0401 was raised, is gone, and the journal does not say so"]


def test_an_alarm_that_the_device_shows_and_the_journal_ended_is_seen() -> None:
    assert found(row(401, ACTIVE), row(401, INACTIVE), alarms={401: "ACTIVE"}) == [
        "MC-0401 is ACTIVE at the end, the journal says that it has ended"
    ]


def test_changes_that_are_none_are_seen() -> None:
    again = found(row(401, ACTIVE), row(401, ACTIVE), row(401, INACTIVE), row(401, INACTIVE))
    assert [sentence.split(" in event")[0] for sentence in again] == ["MC-0401 is raised again", "MC-0401 is 0 again"]


def test_a_latched_alarm_that_ends_by_itself_and_one_that_is_latched_wrongly_are_seen() -> None:
    assert found(row(1501, ACTIVE), row(1501, INACTIVE)) == [
        "MC-1501 is over in event 2, and no FAULT_RESET was asked for"
    ]
    assert found(row(401, LATCHED), row(401, INACTIVE)) == ["MC-0401 is latched in event 1, and must not be"]


def test_a_cycle_that_power_left_without_its_alarm_is_seen() -> None:
    boot = encode_record(R.Boot(event_no=1, uptime_ms=0, boot_count=2, open_cycle_no=5, phase=Phase.PUNCH))
    rest = row(1401, ACTIVE, 2), row(1401, LATCHED, 3)
    assert found(boot, *rest, alarms={1401: "LATCHED"}) == []
    other = encode_record(R.Anesthesia(event_no=2, uptime_ms=0, zone=0, confirmed=0, age_s=0))
    assert found(boot, other) == ["power was lost in cycle 5, and MC-1401 was not raised"]


def test_an_emergency_stop_without_its_alarm_is_seen() -> None:
    packets = event("state", state="ARMED", armed=True), event("fired", 5, fault=0, kind="emergency_stop")
    assert alone(*packets, judge="alarms") == ["the emergency stop was opened, and MC-2001 was not raised"]
    assert alone(*packets, event("detached", 5), judge="alarms") == [], "nobody was linked to hear it"
    told = Alarm(code=2001, interlock=20, priority=AlarmPriority.INFO, state=ACTIVE, uptime_ms=0, sentence="")
    rows = (row(2001, ACTIVE),)
    assert alone(*packets, said("device>", told, at_us=6), judge="alarms", rows=rows, alarms={2001: "ACTIVE"}) == []
    assert alone(*packets, said("device>", told, at_us=6), judge="alarms") == [
        "MC-2001 was told to be ACTIVE, and is not in the journal"
    ]


def test_a_refusal_without_the_alarm_of_its_interlock_is_seen() -> None:
    refused = said("device>", Refused(code=Code.E_INTERLOCK, interlock=4, expected=0, actual=0, sentence=""))
    assert alone(refused, judge="alarms") == ["interlock 4 has refused, and MC-0401 was never raised"]
    assert alone(refused, judge="alarms", rows=[row(401, ACTIVE)], alarms={401: "ACTIVE"}) == []


def test_an_armed_device_that_loses_its_link_without_an_alarm_is_seen() -> None:
    packets = [welcome(), *arming(), *armed(1_000, 1_600), event("end", 9_000_000)]
    assert alone(*packets, judge="alarms") == ["an armed device lost its link 1 times, and MC-1501 was raised 0 times"]


@pytest.mark.parametrize(
    ("name", "fields"), [("state", {"state": "OFF", "armed": False}), ("other_host", {"answer": "StopDone"})]
)
@pytest.mark.parametrize(("at_ms", "breaches"), [(1_600, 0), (1_599, 1)])
def test_a_lease_may_end_without_an_alarm_in_the_instant_of_another_end(
    name: str, fields: dict[str, object], at_ms: int, breaches: int
) -> None:
    end = event(name, at_ms * 1_000, **{"asked": "Stop", **fields} if name == "other_host" else fields)
    packets = [welcome(), *arming(), *armed(1_000, 1_600), end, event("end", 9_000_000)]
    assert len(alone(*packets, judge="alarms")) == breaches
    assert alone(*packets, judge="alarms", rows=[row(1501, ACTIVE)], alarms={1501: "ACTIVE"}) == []


@pytest.mark.parametrize(("met_ms", "breaches"), [(1_599, 1), (1_600, 0)])
def test_the_alarm_of_a_lost_link_may_be_missing_where_a_fault_met_its_very_write(met_ms: int, breaches: int) -> None:
    fired = event("fired", met_ms * 1_000, fault=0, kind="lost_write")
    packets = [welcome(), *arming(), *armed(1_000, 1_600), fired, event("end", 9_000_000)]
    assert len(alone(*packets, judge="alarms")) == breaches


def test_an_alarm_that_was_told_is_in_the_journal_whatever_faults_have_met() -> None:
    told = Alarm(code=401, interlock=4, priority=AlarmPriority.MEDIUM, state=ACTIVE, uptime_ms=0, sentence="")
    packets = event("fired", fault=0, kind="torn_write"), said("device>", told)
    assert alone(*packets, judge="alarms") == ["MC-0401 was told to be ACTIVE, and is not in the journal"]


def test_a_start_that_passes_a_latched_alarm_is_seen() -> None:
    told = Alarm(code=1501, interlock=15, priority=AlarmPriority.HIGH, state=LATCHED, uptime_ms=0, sentence="")
    off, safe, idle = (event("state", state=name, armed=False) for name in ("OFF", "SAFE", "IDLE"))
    rows, alarms = (row(1501, LATCHED),), {1501: "LATCHED"}
    shown = said("device>", told)
    assert alone(shown, off, safe, judge="alarms", rows=rows, alarms=alarms) == []
    found_idle = alone(shown, off, idle, judge="alarms", rows=rows, alarms=alarms)
    assert found_idle == ["started into IDLE though MC-1501 is latched"]


def test_what_the_device_wrote_after_the_last_row_counts() -> None:
    _, ledgers = clean()
    number = max(ledgers.journal) + 1
    journal = {**ledgers.journal, number: row(401, ACTIVE, number)}
    assert sentences("alarms", journal=journal) == ["MC-0401 was raised, is gone, and the journal does not say so"]


def test_a_device_without_power_shows_no_alarms() -> None:
    told = Alarm(code=401, interlock=4, priority=AlarmPriority.MEDIUM, state=ACTIVE, uptime_ms=0, sentence="")
    off, idle = (event("state", state=name, armed=False) for name in ("OFF", "IDLE"))
    assert alone(said("device>", told), off, judge="alarms", rows=[row(401, ACTIVE)]) == []
    assert alone(said("device>", told), off, idle, judge="alarms", rows=[row(401, ACTIVE)]) == [
        "MC-0401 was raised, is gone, and the journal does not say so"
    ]


def test_an_alarm_that_nothing_has_caused_is_seen() -> None:
    told = Alarm(code=101, interlock=1, priority=AlarmPriority.HIGH, state=ACTIVE, uptime_ms=0, sentence="")
    rows, alarms = (row(101, ACTIVE),), {101: "ACTIVE"}
    for kind in ("retract_jammed", "motor_slow"):
        packets = event("fired", fault=0, kind=kind), said("device>", told)
        assert alone(*packets, judge="alarms", rows=rows, alarms=alarms) == []
    packets = event("fired", fault=0, kind="pressure_frozen"), said("device>", told)
    assert alone(*packets, judge="alarms", rows=rows, alarms=alarms) == [
        "MC-0101 was raised, and nothing has caused it"
    ]
