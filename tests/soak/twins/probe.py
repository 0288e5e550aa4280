"""A probe: one long visit of a host that does to a device all that a host may do, right and wrong, and is recorded.

Law: it does not go by answers, but for the link: a device with a defect is asked much the same.
"""

from protocols.language import messages as M
from protocols.language.enums import ByeReason, CloseReason, Role, Stream
from protocols.language.units import MILLISECOND
from protocols.serial.payload import encode_message
from tests.unit.firmware_sim.twin.recorded_line import (
    QUICK,
    RecordedLine,
    close_session,
    open_session,
    punch,
    read_journal,
    run_cycle,
)

PARAMETERS = {**QUICK, "miss_p": 0.2, "clog_empties": 3}
CYCLES = 17
"""Cycles of a full cell at a coverage of 6 %, and one more."""


def probe(seed: int = 7) -> RecordedLine:
    """Visit a device."""
    line = RecordedLine(seed=seed, parameters=PARAMETERS)
    line.greet()
    _ask_who_it_is(line)
    _come_too_early(line)
    open_session(line)
    _spoil_a_cycle(line)
    for cycle_no in range(2, CYCLES + 1):
        run_cycle(line, cycle_no)
    _move(line)
    _stop(line)
    _fall_silent(line)
    _greet_again(line)
    _end(line)
    return line


def _ask_who_it_is(line: RecordedLine) -> None:
    line.ask(M.DeviceInfo())
    for index in (0, 5, 200):
        line.ask(M.ParamList(index=index))
    line.ask(M.ParamGet(name="needles"))
    line.ask(M.ParamGet(name="neddles"))
    line.ask(M.ParamSet(name="heartbeat_armed_ms", value=180))
    line.ask(M.ParamSet(name="heartbeat_armed_ms", value=9_000))
    line.ask(M.ParamSet(name="needles", value=2))
    line.ask(M.AlarmList(index=0))
    line.ask(M.Echo(data=b"abc"))
    line.ask(M.StreamSet(stream=Stream.STATE, interval_ms=5))
    line.ask(M.StreamSet(stream=Stream.STATE, interval_ms=0))


def _come_too_early(line: RecordedLine) -> None:
    """Ask for what has no place yet, and say what is none of the link's."""
    line.ask(M.Arm())
    line.ask(punch(line, 1))
    line.ask(M.SessionClose(session_no=9, reason=CloseReason.COMPLETED, **dict.fromkeys(_COUNTS, 0)))
    line.send(encode_message(M.Echo(data=b"x"), 900, 0x7777, 900))
    line.send(encode_message(M.Echo(data=b"x"), 901, line.link_id, 0))
    line.send(b"\0" + encode_message(M.Echo(data=b"x"), 902, line.link_id, 902)[1:-3] + b"\7\7\0")


_COUNTS = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")


def _spoil_a_cycle(line: RecordedLine) -> None:
    """Run cycle 1 with everything out of order that can be."""
    line.ask(M.SessionOpen(target_cores=30, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)))
    line.ask(M.AnesthesiaConfirm(zone=3, confirmed_by="a person"))
    line.ask(punch(line, 2))
    line.ask(M.Punch(cycle_no=1, depth_um=3_000, deadline_ms=line.now // MILLISECOND - 5))
    line.ask(M.Punch(cycle_no=1, depth_um=3_500, deadline_ms=line.now // MILLISECOND + 9_000))
    line.ask(M.Suction(cycle_no=1))
    line.ask(M.Pause())
    line.ask(punch(line, 1))
    line.ask(M.Resume())
    first = punch(line, 1)
    number = line.ask(first)
    line.ask_again(first, number)
    line.ask(punch(line, 1))
    line.ask(M.Count(cycle_no=1))
    line.ask(M.Suction(cycle_no=1), wait=False)
    line.ask(M.Advance(cycle_no=1, steps=1))
    line.wait(120)
    line.ask(M.Pause())
    line.ask(M.Advance(cycle_no=1, steps=2))
    line.ask(M.Count(cycle_no=1))
    line.ask(M.Count(cycle_no=1))
    line.ask(punch(line, 1))
    line.ask(M.Suction(cycle_no=1))


def _move(line: RecordedLine) -> None:
    """Go to other cells, and to one that is none; look at the alarms and blow needles free."""
    for zone, cell in ((0, 9), (1, 0), (0, 1), (0, 0)):
        line.ask(M.Reposition(zone=zone, cell=cell))
    line.ask(punch(line, line.device.nvm.last_cycle_no + 1))
    for index in range(3):
        line.ask(M.AlarmList(index=index))
    line.ask(M.AlarmAck(code=801))
    line.ask(M.Purge())
    line.ask(M.Reposition(zone=0, cell=2))
    run_cycle(line, line.device.nvm.last_cycle_no + 1)
    read_journal(line)


def _stop(line: RecordedLine) -> None:
    """Stop in a suction, and come back; stop at rest."""
    number = line.device.nvm.last_cycle_no + 1
    line.ask(punch(line, number))
    line.ask(M.Suction(cycle_no=number), wait=False)
    line.wait(40)
    line.ask(M.Stop())
    line.wait(20)
    line.ask(M.Count(cycle_no=number))
    _come_back(line)
    number = line.device.nvm.last_cycle_no + 1
    line.ask(punch(line, number), wait=False)
    line.wait(20)
    line.ask(M.Stop())
    line.ask(M.FaultReset())
    line.ask(M.Stop())
    line.wait(200)
    _come_back(line)


def _come_back(line: RecordedLine) -> None:
    line.ask(M.Arm())
    line.ask(M.FaultReset())
    line.ask(M.AnesthesiaStart(zone=0, age_s=600, method="cream"))
    line.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="a person"))
    line.ask(M.Arm())
    line.ask(M.Reposition(zone=0, cell=3))
    run_cycle(line, line.device.nvm.last_cycle_no + 1)


def _fall_silent(line: RecordedLine) -> None:
    """Say nothing for longer than the lease of an armed device, or nothing but noise; say something too late."""
    line.wait(900)
    line.greet()
    _come_back(line)
    line.ask(punch(line, line.device.nvm.last_cycle_no + 1))
    for _ in range(9):
        line.wait(100)
        line.send(b"\0\5noise\0")
    line.greet()
    _come_back(line)
    late = line.ask(M.Pause())
    for _ in range(20):
        line.ask(M.Resume())
    line.ask_again(M.Pause(), late)
    line.ask(M.Resume())


def _greet_again(line: RecordedLine) -> None:
    """Say HELLO, STOP and BYE while armed: each of them ends the arming."""
    line.greet()
    line.ask(M.Suction(cycle_no=1))
    line.ask(M.AlarmList(index=0))
    _come_back(line)
    line.ask(M.Stop())
    line.wait(200)
    _come_back(line)
    line.send(encode_message(M.Bye(reason=ByeReason.CLOSING), 0, line.link_id))
    line.wait(300)
    line.greet()
    _come_back(line)
    line.send(encode_message(M.HostHeartbeat(), 0, line.link_id))
    line.wait(400)


def _end(line: RecordedLine) -> None:
    """Close with wrong numbers, then with right ones; wait at rest, and look in as somebody who may only look."""
    line.ask(M.Disarm())
    line.ask(M.SessionClose(session_no=1, reason=CloseReason.COMPLETED, **dict.fromkeys(_COUNTS, 1)))
    line.ask(M.JournalAck(epoch=1, upto=9_999))
    read_journal(line)
    close_session(line)
    read_journal(line)
    line.wait(6_000)
    line.greet(role=Role.VIEWER, host_id=6)
    line.ask(M.JournalAck(epoch=line.device.nvm.epoch, upto=line.device.nvm.head))
    line.ask(M.ParamSet(name="heartbeat_armed_ms", value=180))
    line.ask(M.SessionOpen(target_cores=30, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)))
    line.ask(M.Stop())
