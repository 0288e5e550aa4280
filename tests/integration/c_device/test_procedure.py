"""The procedure of the device in C: what each command does, what refuses it, and that a cycle number ends once."""

from itertools import pairwise
from pathlib import Path

import pytest

from protocols.language import messages as M
from protocols.language.enums import AlarmState, CloseReason, Code, DeviceState, Ending, Phase
from protocols.language.message import Message
from protocols.language.records import Action, Cycle, Gap, Record, Refusal, decode_record, split_records
from protocols.link.port import Envelope
from tests.integration.c_device.built_device import Host
from tests.integration.c_device.built_device import bench as bench_of


def refused(message: Message) -> tuple[Code, int]:
    """Code and interlock of a refusal."""
    assert isinstance(message, M.Refused), message
    return message.code, message.interlock


def journal(host: Host, welcome: M.Welcome, first: int = 1) -> list[Record]:
    """All records from `first` on."""
    records: list[Record] = []
    while True:
        page = host.ask(M.JournalRead(epoch=welcome.journal_epoch, first=first, max_records=6))
        assert isinstance(page, M.JournalPage)
        found = [record for raw in split_records(page.records) if (record := decode_record(raw)) is not None]
        records += found
        if not found:
            return records
        first = found[-1].event_no + (found[-1].missing if isinstance(found[-1], Gap) else 1)


def test_a_cycle_takes_its_time_and_is_one_record(host: Host) -> None:
    welcome = host.arm()
    begun = host.bench.now_ms
    (received,) = host.send(host.punch())
    assert received == M.Received(expected_ms=80)
    (done_at, done), *_ = [
        (at_ms, item)
        for at_ms, item in host.bench.wait(100)
        if isinstance(item, Envelope) and item.header.correlation_id
    ]
    assert isinstance(done, Envelope) and isinstance(done.message, M.PunchDone)
    assert (done.message.depth_um, done.message.punctured) == (3000, 0b111)
    assert 80 <= done_at - begun <= 82 and done.message.vacuum_pa < -40_000
    for step in (M.Suction(cycle_no=1), M.Advance(cycle_no=1, steps=2), M.Count(cycle_no=1)):
        counted = host.ask(step)
    assert isinstance(counted, M.CountDone) and counted.cell_punctures == counted.total_punctures == 3
    (record,) = [record for record in journal(host, welcome) if isinstance(record, Cycle)]
    assert (record.cycle_no, record.ending, record.phase) == (1, Ending.COMPLETED, Phase.COUNT)
    assert record.outcomes == counted.outcomes and record.total_cores_counted == counted.total_cores_counted
    assert host.ask(M.Count(cycle_no=1)) == counted, "from memory"
    assert isinstance(host.ask(host.punch(1)), M.PunchDone)
    assert refused(host.ask(M.Suction(cycle_no=1)))[0] is Code.E_CYCLE_GAP
    assert len([record for record in journal(host, welcome) if isinstance(record, Cycle)]) == 1


def test_cycle_numbers_have_no_gap_and_none_is_used_twice(host: Host) -> None:
    host.arm()
    assert refused(host.ask(host.punch(2))) == (Code.E_CYCLE_GAP, 0)
    host.cycle(1)
    host.cycle(2)
    assert refused(host.ask(host.punch(1))) == (Code.E_EXPIRED, 0)
    host.ask(host.punch(3))
    again = host.ask(host.punch(3))
    assert isinstance(again, M.PunchDone) and again.cycle_no == 3
    assert refused(host.ask(M.Advance(cycle_no=3, steps=1))) == (Code.E_STATE, 0)
    assert refused(host.ask(M.Suction(cycle_no=2))) == (Code.E_CYCLE_GAP, 0)
    assert refused(host.ask(M.Pause())) == (Code.E_STATE, 0)


def test_a_punch_that_comes_too_late_is_void(host: Host) -> None:
    host.arm()
    late = M.Punch(cycle_no=1, depth_um=3000, deadline_ms=host.bench.now_ms - 1000)
    host.bench.wait(5)
    assert refused(host.ask(late)) == (Code.E_EXPIRED, 0)
    assert refused(host.ask(M.Punch(cycle_no=1, depth_um=2500, deadline_ms=2**31))) == (Code.E_RANGE, 0)
    host.cycle(1)  # the number is still free


def test_anesthesia_comes_first(host: Host) -> None:
    host.link()
    assert refused(host.ask(M.Arm())) == (Code.E_STATE, 0)
    host.open_session()
    assert refused(host.ask(M.Arm())) == (Code.E_INTERLOCK, 2)
    assert refused(host.ask(host.punch())) == (Code.E_INTERLOCK, 2)
    assert refused(host.ask(M.AnesthesiaStart(zone=1, age_s=0, method=""))) == (Code.E_INTERLOCK, 9)
    assert host.ask(M.AnesthesiaStart(zone=0, age_s=290, method="")) == M.AnesthesiaStartDone(wait_s=10)
    assert refused(host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="x"))) == (Code.E_INTERLOCK, 3)
    for _ in range(10):
        host.bench.wait(1000)
    done = host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="x"))
    assert done == M.AnesthesiaConfirmDone(valid_s=3300)
    listing = host.ask(M.AlarmList(index=0))
    assert isinstance(listing, M.AlarmListDone) and listing.count == 0, "MC-0201 is over"


def test_anesthesia_that_is_over(host: Host) -> None:
    host.link()
    host.open_session()
    host.ask(M.AnesthesiaStart(zone=0, age_s=3590, method=""))
    for step in (M.AnesthesiaConfirm(zone=0, confirmed_by="x"), M.Arm(), M.Reposition(zone=0, cell=0)):
        host.ask(step)
    for _ in range(60):
        host.bench.wait(100)
        host.send(M.HostHeartbeat())
    assert refused(host.ask(host.punch())) == (Code.E_INTERLOCK, 3)


def test_a_cell_takes_its_plan_and_no_more(host: Host) -> None:
    welcome = host.arm()
    assert refused(host.ask(M.Reposition(zone=0, cell=5))) == (Code.E_INTERLOCK, 9)
    assert refused(host.ask(M.Reposition(zone=1, cell=0))) == (Code.E_INTERLOCK, 9)
    left = [host.cycle(number).cycles_left for number in range(1, 17)]
    assert left == [*range(15, -1, -1)]
    assert refused(host.ask(host.punch(17))) == (Code.E_INTERLOCK, 8)
    moved = host.ask(M.Reposition(zone=0, cell=1))
    assert moved == M.RepositionDone(zone=0, cell=1, cell_punctures=0, cycles_left=16)
    host.cycle(17)
    assert [r.cycle_no for r in journal(host, welcome) if isinstance(r, Cycle)] == [*range(1, 18)]


def test_a_punch_without_a_place(host: Host) -> None:
    host.arm()
    assert isinstance(host.ask(M.Disarm()), M.DisarmDone)
    assert isinstance(host.ask(M.Arm()), M.ArmDone)
    host.cycle(1)  # DISARM leaves the hand where it was
    host.send(M.Reposition(zone=0, cell=1))
    host.send(M.Stop())
    host.bench.wait(100)
    for step in (
        M.FaultReset(),
        M.AnesthesiaStart(zone=0, age_s=600, method=""),
        M.AnesthesiaConfirm(zone=0, confirmed_by="x"),
        M.Arm(),
    ):
        assert not isinstance(host.ask(step), M.Refused)
    assert refused(host.ask(host.punch(2))) == (Code.E_INTERLOCK, 9), "the hand was on its way"


def test_a_stop_in_a_stroke_reverses_it(host: Host) -> None:
    welcome = host.arm()
    host.send(host.punch())
    punch_id = host.correlation_id
    host.bench.wait(15)
    before = len(host.bench.said)
    done = host.send(M.Stop())[-1]
    assert done == M.StopDone(state=DeviceState.SAFE)
    ends = [item for _, _, item in host.bench.said[before:] if isinstance(item, Envelope)]
    aborted = [item for item in ends if item.header.correlation_id == punch_id]
    assert [type(item.message) for item in aborted] == [M.Aborted]
    assert isinstance(aborted[0].message, M.Aborted) and aborted[0].message.phase is Phase.PUNCH
    heard = [item.message for item in ends if isinstance(item.message, M.Heartbeat)]
    assert heard and heard[-1].state is DeviceState.SAFE, "it says so at once"
    assert host.ask(M.Stop()) == M.StopDone(state=DeviceState.SAFE)
    assert [r.message_id for r in journal(host, welcome) if isinstance(r, Action)][-2:] == [M.Stop.ID] * 2


def test_a_pause_holds_between_cycles(host: Host) -> None:
    host.arm()
    assert host.ask(M.Pause()) == M.PauseDone()
    assert refused(host.ask(host.punch())) == (Code.E_STATE, 0)
    assert host.ask(M.Resume()) == M.ResumeDone()
    host.cycle(1)


def test_a_close_with_other_counts_is_refused_with_both_numbers(host: Host) -> None:
    host.arm()
    counted = host.cycle(1)
    assert isinstance(host.ask(M.Disarm()), M.DisarmDone)
    close = M.SessionClose(
        session_no=1,
        reason=CloseReason.COMPLETED,
        cycles=1,
        completed=1,
        aborted=0,
        ambiguous=0,
        punctures=3,
        cores_counted=counted.cores_counted + 1,
    )
    no = host.ask(close)
    assert isinstance(no, M.Refused) and (no.interlock, no.expected, no.actual) == (
        7,
        counted.cores_counted,
        counted.cores_counted + 1,
    )
    done = host.ask(M.SessionClose(**{**close.as_dict(), "cores_counted": counted.cores_counted}))
    assert isinstance(done, M.SessionCloseDone) and done.cores_counted == counted.cores_counted
    assert host.link(nonce=3).session_no == 0
    assert host.open_session().first_cycle_no == 2, "numbers only grow"


def test_what_is_not_acknowledged_is_kept_and_refuses_a_punch_when_room_ends(host: Host) -> None:
    welcome = host.arm()
    cycle_no = 0
    while (answer := host.ask(host.punch(cycle_no + 1))).__class__ is M.PunchDone or refused(answer)[1] == 8:
        if isinstance(answer, M.Refused):
            cell = cycle_no // 16
            if cell == 5:
                break
            host.ask(M.Reposition(zone=0, cell=cell))
            continue
        cycle_no += 1
        for step in (M.Suction(cycle_no=cycle_no), M.Advance(cycle_no=cycle_no, steps=1), M.Count(cycle_no=cycle_no)):
            assert not isinstance(host.ask(step), M.Refused)
    for _ in range(600):  # refusals are noted, and leave room for what matters
        host.send(M.Resume())
    records = journal(host, welcome)
    assert [record.event_no for record in records] == [*range(1, len(records) + 1)]
    assert 512 - len(records) == 128 and len([r for r in records if isinstance(r, Cycle)]) == cycle_no
    ack = host.ask(M.JournalAck(epoch=welcome.journal_epoch, upto=len(records) + 1))
    assert ack == M.JournalAckDone(tail=len(records) + 1)
    for _ in range(600):
        host.send(M.Resume())
    gap = journal(host, welcome)[0]
    assert isinstance(gap, Gap) and gap.missing > 0, "what was acknowledged may be overwritten"
    too_far = M.JournalAck(epoch=welcome.journal_epoch, upto=10_000)
    assert refused(host.ask(too_far))[0] is Code.E_RANGE
    assert refused(host.ask(M.JournalRead(epoch=1, first=1, max_records=1)))[0] is Code.E_ARGUMENT


def test_a_leak_keeps_it_from_arming(built: Path) -> None:
    """At 20 kPa/s the pump comes to -39 kPa, and -40 are needed."""
    with bench_of(built, "leak_kpa_s=20") as bench:
        host = Host(bench)
        host.link()
        host.open_session()
        host.ask(M.AnesthesiaStart(zone=0, age_s=600, method=""))
        host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="x"))
        failed = host.ask(M.Arm())
        assert isinstance(failed, M.Failed) and (failed.interlock, failed.alarm_code) == (4, 401)
        assert host.link(nonce=9).state is DeviceState.ANESTHESIA_CONFIRMED


def test_a_vacuum_that_falls_in_a_cycle_ends_it(built: Path) -> None:
    """Each core lets in 0.45 kPa: with eight needles and a slow pump the limit of -54 is passed by the first cycle."""
    slow = (
        "needles=8",
        "vacuum_tau_s=10",
        "vacuum_low_kpa=-54",
        "vacuum_stop_kpa=-52",
        "arm_timeout_s=120",
        "miss_p=0",
    )
    with bench_of(built, *slow) as bench:
        host = Host(bench)
        welcome = host.arm()
        host.ask(host.punch())
        failed = host.ask(M.Suction(cycle_no=1))
        assert isinstance(failed, M.Failed) and (failed.interlock, failed.alarm_code) == (4, 401), failed
        (record,) = [record for record in journal(host, welcome) if isinstance(record, Cycle)]
        assert (record.ending, record.phase, record.total_cores_counted) == (Ending.ABORTED, Phase.SUCTION, 0)
        assert refused(host.ask(host.punch(2))) == (Code.E_INTERLOCK, 4)
        for _ in range(400):
            bench.wait(100)
            host.send(M.HostHeartbeat())
        assert isinstance(host.ask(host.punch(2)), M.PunchDone), "it goes on after two good seconds"
        told = [item.message for _, _, item in bench.said if isinstance(item, Envelope)]
        states = [message.state for message in told if isinstance(message, M.Alarm) and message.code == 401]
        assert states == [AlarmState.ACTIVE, AlarmState.INACTIVE]


def test_parameters(host: Host) -> None:
    host.link()
    first = host.ask(M.ParamList(index=0))
    assert isinstance(first, M.ParamListDone)
    found = [host.ask(M.ParamList(index=index)) for index in range(first.count)]
    names = [one.name for one in found if isinstance(one, M.ParamListDone)]
    assert len(set(names)) == first.count and "lease_armed_ms" in names
    assert refused(host.ask(M.ParamList(index=first.count)))[0] is Code.E_RANGE
    assert refused(host.ask(M.ParamGet(name="nothing")))[0] is Code.E_ARGUMENT
    for value, code in ((100.0, Code.E_RANGE), (2001.0, Code.E_RANGE), (300.5, Code.E_RANGE)):
        assert refused(host.ask(M.ParamSet(name="lease_armed_ms", value=value)))[0] is code
    assert host.ask(M.ParamSet(name="lease_armed_ms", value=0.0)) == M.ParamSetDone(name="lease_armed_ms", value=0.0)
    assert host.link(nonce=4).lease_armed_ms == 0, "it is for the next link"


@pytest.mark.parametrize(
    "command",
    [
        M.TruthGet(),
        M.Purge(),
        M.FaultGet(fault_id=1),
        M.FaultClear(fault_id=0),
        M.PowerCut(for_ms=5),
    ],
)
def test_what_this_device_does_not_have(command: Message, host: Host) -> None:
    host.link()
    assert refused(host.ask(command)) == (Code.E_UNSUPPORTED, 0)
    info = host.ask(M.DeviceInfo())
    assert isinstance(info, M.DeviceInfoDone) and info.simulated and not info.has_truth


def test_progress_once_a_second(host: Host) -> None:
    host.arm()
    host.ask(M.ParamSet(name="heartbeat_armed_ms", value=1000.0))
    host.send(M.Reposition(zone=0, cell=1))
    told: list[int] = []
    for _ in range(60):
        told += [
            at_ms
            for at_ms, item in host.bench.wait(100)
            if isinstance(item, Envelope) and isinstance(item.message, M.Progress)
        ]
        host.send(M.HostHeartbeat())
    assert len(told) >= 2 and all(after - before == 1000 for before, after in pairwise(told))


def test_refusals_are_noted_for_who_may_command(host: Host) -> None:
    welcome = host.link()
    host.ask(M.Arm())
    notes = [record for record in journal(host, welcome) if isinstance(record, Refusal)]
    assert [(note.message_id, note.code) for note in notes] == [(M.Arm.ID, Code.E_STATE)]
