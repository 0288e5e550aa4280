"""Mutants of the device for the rules of the cycle, the hand's place and the journal that no other shows by itself."""

from typing import Final

from tests.soak.mutants.mutant import Mutant

_CHECKS: Final = "firmware_sim/safety/punch_checks.py"
_CYCLE: Final = "firmware_sim/commands/cycle.py"
_DEVICE: Final = "firmware_sim/device.py"
_JOURNAL: Final = "firmware_sim/memory/journal.py"
_MOTIONS: Final = "firmware_sim/commands/motions.py"
_SESSIONS: Final = "firmware_sim/commands/sessions.py"

CYCLES: Final[tuple[Mutant, ...]] = (
    Mutant(
        "a PUNCH that leaves one number out is carried out under the next",
        _CYCLE,
        "    if command.cycle_no != last + 1:\n",
        "    if command.cycle_no == last + 2:\n"
        "        command = M.Punch(cycle_no=last + 1, depth_um=command.depth_um, deadline_ms=command.deadline_ms)\n"
        "    if command.cycle_no != last + 1:\n",
        "HLP-CYC-1",
    ),
    Mutant(
        "PUNCH of the cycle that ended last is one of long ago",
        _CYCLE,
        "    if command.cycle_no == last and repeat(board, asker, command, now):",
        "    if False:",
        "HLP-CYC-2",
    ),
    Mutant(
        "PUNCH of the open cycle is one of long ago",
        _CYCLE,
        "    if command.cycle_no == last and board.nvm.register is not None:",
        "    if False:",
        "HLP-CYC-3",
    ),
    Mutant(
        "a phase does not look at its cycle's number",
        _CYCLE,
        "register is not None and register[0] == cycle_no and board.cycle.phase_done",
        "register is not None and board.cycle.phase_done",
        "HLP-CYC-6",
    ),
    Mutant(
        "a phase out of its order is refused as one of another cycle",
        _CYCLE,
        "        return refusal(Code.E_STATE, text, actual=board.state)\n    if repeat(",
        "        return refusal(Code.E_CYCLE_GAP, text, actual=board.state)\n    if repeat(",
        "HLP-CYC-7",
    ),
    Mutant(
        "ADVANCE takes as long whatever its steps",
        _CYCLE,
        "    duration_ms = board.parameters.advance_ms * command.steps\n",
        "    duration_ms = board.parameters.advance_ms\n",
        "HLP-CYC-8",
    ),
    Mutant(
        "a deadline is not looked at",
        _CHECKS,
        "    if 0 < late_ms < 0x8000_0000:",
        "    if False:",
        "HLP-CYC-9",
    ),
    Mutant(
        "a deadline far ahead is one of long ago",
        _CHECKS,
        "    if 0 < late_ms < 0x8000_0000:",
        "    if 0 < late_ms < 0xC000_0000:",
        "HLP-CYC-9",
    ),
    Mutant(
        "a zone that is numbed is confirmed by that",
        _SESSIONS,
        "    board.enter(Event.ANESTHESIA_STARTED)\n",
        "    board.enter(Event.ANESTHESIA_STARTED)\n    board.enter(Event.ZONES_CONFIRMED)\n",
        "HLP-CYC-12",
    ),
    Mutant(
        "a zone behind the last is the last",
        _MOTIONS,
        "    zone, cell = command.zone, command.cell\n",
        "    zone, cell = min(command.zone, len(session.zones_cm2) - 1), command.cell\n",
        "HLP-CYC-14",
    ),
    Mutant(
        "the hand's zone is not held against the plan",
        _MOTIONS,
        "        return interlocked(I.ZONE, text, expected=cells, actual=cell)",
        "        return M.RepositionDone(zone=zone, cell=cell, cell_punctures=0, cycles_left=0)",
        "HLP-CYC-14",
    ),
    Mutant(
        "what has no place is done with, and nothing done",
        _DEVICE,
        "            return self.firmware.turn_away(rule, asker, command, now)\n",
        "            answer = self.firmware.turn_away(rule, asker, command, now)\n"
        "            from protocols.language.messages import ResumeDone\n"
        "            return ResumeDone() if isinstance(answer, Refused) else answer\n",
        "HLP-CYC-16",
    ),
    Mutant(
        "PUNCH goes on in a pause",
        _CYCLE,
        "    if board.state is not _ARMED:\n        return _not_armed",
        "    if board.state is DeviceState.PAUSED:\n"
        "        board.enter(Event.RESUMED)\n"
        "    if board.state is not _ARMED:\n        return _not_armed",
        "HLP-CYC-18",
    ),
    Mutant(
        "DISARM takes the hand's place away",
        _MOTIONS,
        "    board.plant.vent(now)\n    vented =",
        "    board.plant.vent(now)\n    board.cell = NO_CELL\n    vented =",
        "HLP-CYC-19",
    ),
    Mutant(
        "STOP takes the hand's place away",
        _MOTIONS,
        "    return M.StopDone(state=board.state)",
        "    board.cell = NO_CELL\n    return M.StopDone(state=board.state)",
        "HLP-CYC-19",
    ),
    Mutant(
        "SESSION_OPEN leaves the hand where it is",
        _SESSIONS,
        "    board.cell = NO_CELL\n",
        "",
        "HLP-CYC-20",
    ),
    Mutant(
        "a PUNCH without a place is refused for its state",
        _CHECKS,
        '        return interlocked(I.ZONE, "the hand is at no cell yet: REPOSITION first")',
        '        return refusal(Code.E_STATE, "the hand is at no cell yet: REPOSITION first")',
        "HLP-CYC-21",
    ),
    Mutant(
        "a stroke that stalls is not tried again",
        _CYCLE,
        "partial(_stroke if cycle.tries < parameters.stall_tries else _stalled, board)",
        "partial(_stalled, board)",
        "HLP-CYC-25",
    ),
    Mutant(
        "the records of a page are numbered from 1 on",
        "firmware_sim/commands/queries.py",
        'records=b"".join(records))',
        'records=b"".join((at + 1).to_bytes(4, "little") + raw[4:] for at, raw in enumerate(records)))',
        "HLP-EVT-2",
    ),
    Mutant(
        "a page has one record more than was asked for",
        _JOURNAL,
        "start + max_records - len(records))",
        "start + max_records + 1 - len(records))",
        "HLP-LNK-14",
    ),
    Mutant(
        "records that are gone are passed over in silence",
        _JOURNAL,
        "            records.append(encode_record(Gap(event_no=first, uptime_ms=0, missing=start - first)))\n",
        "",
        "HLP-EVT-9",
    ),
    Mutant(
        "a GAP does not count as one of the records that were asked for",
        _JOURNAL,
        "start + max_records - len(records))",
        "start + max_records)",
        "HLP-EVT-9",
    ),
    Mutant(
        "COMPLETED needs as many cores as the target",
        _SESSIONS,
        "    for name in _COMPARED:\n",
        "    if session.cores_counted < session.target_cores:\n"
        '        return refusal(Code.E_STATE, "too few cores")\n'
        "    for name in _COMPARED:\n",
        "HLP-EVT-14",
    ),
)
