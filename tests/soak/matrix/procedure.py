"""Mutants of the device for the rules of leases, commands, cycles and the journal, each made for one."""

from typing import Final

from tests.soak.mutants.mutant import Mutant

_CHECKS: Final = "firmware_sim/safety/punch_checks.py"
_CYCLE: Final = "firmware_sim/commands/cycle.py"
_DEVICE: Final = "firmware_sim/device.py"
_MOTIONS: Final = "firmware_sim/commands/motions.py"
_NVM: Final = "firmware_sim/memory/nvm.py"
_PARAMETERS: Final = "firmware_sim/model/parameters.py"
_QUERIES: Final = "firmware_sim/commands/queries.py"
_RULES: Final = "firmware_sim/commands/rules.py"
_SESSIONS: Final = "firmware_sim/commands/sessions.py"
_SETTINGS: Final = "firmware_sim/commands/settings.py"

PROCEDURE: Final[tuple[Mutant, ...]] = (
    Mutant(
        "any link that ends makes an armed device safe",
        _DEVICE,
        "        if self.control.release(port):\n            link_lost(self.board, now)\n",
        "        self.control.release(port)\n        link_lost(self.board, now)\n",
        "HLP-LSE-13",
    ),
    Mutant(
        "a controller without control makes the device safe as it goes",
        _DEVICE,
        "        port.role = Role.VIEWER\n        port.hurried = False\n        port.stream_us = 0\n"
        "        if self.control.release(port):\n",
        "        controls = port.role is Role.CONTROLLER\n"
        "        port.role = Role.VIEWER\n        port.hurried = False\n        port.stream_us = 0\n"
        "        if self.control.release(port) or controls:\n",
        "HLP-LSE-13",
    ),
    Mutant(
        "ALARM_LIST is refused where there is no alarm",
        _QUERIES,
        "    if command.index >= len(listing):\n",
        "    if not listing:\n"
        '        return refusal(Code.E_RANGE, f"there is no alarm {command.index}", actual=command.index)\n'
        "    if command.index >= len(listing):\n",
        "HLP-CMD-2",
    ),
    Mutant(
        "DEVICE_INFO is not in the table of queries",
        _QUERIES,
        "        _row(M.DeviceInfo, _device_info),\n",
        "",
        "HLP-CMD-2",
    ),
    Mutant(
        "a motion begins without RECEIVED",
        "firmware_sim/board/board.py",
        "        asker.reply(M.Received.unchecked(expected_ms=expected_us // MILLISECOND), now)\n",
        "",
        "HLP-CMD-3",
    ),
    Mutant(
        "a second motion is passed over in silence",
        "firmware_sim/firmware.py",
        "        return None if repeat(self.board, asker, command, now) else unlawful(self.board, command, rule)",
        "        if self.board.motion is not None or repeat(self.board, asker, command, now):\n"
        "            return None\n"
        "        return unlawful(self.board, command, rule)",
        "HLP-CMD-8",
    ),
    Mutant(
        "PROGRESS comes every two seconds",
        "firmware_sim/board/motion.py",
        "PROGRESS_EVERY_US: Final = SECOND",
        "PROGRESS_EVERY_US: Final = 2 * SECOND",
        "HLP-CMD-4",
    ),
    Mutant(
        "PROGRESS comes once and no more",
        "firmware_sim/firmware.py",
        "motion.next_progress = Micros(motion.next_progress + PROGRESS_EVERY_US)",
        "motion.next_progress = motion.due",
        "HLP-CMD-4",
    ),
    Mutant(
        "STOP lets the phase of a cycle come to its end",
        _MOTIONS,
        "    if board.state not in HELD and board.state is not DeviceState.IDLE:",
        "    if board.state not in HELD and board.state is not DeviceState.IDLE and "
        "(board.nvm.register is None or board.motion is None):",
        "HLP-CMD-11",
    ),
    Mutant(
        "STOP lets a motion come to its end",
        _MOTIONS,
        "    if board.state not in HELD and board.state is not DeviceState.IDLE:",
        "    if board.state not in HELD and board.motion is None:",
        "HLP-CMD-11",
    ),
    Mutant(
        "STOP lets a purge come to its end",
        _MOTIONS,
        "    if board.state not in HELD and board.state is not DeviceState.IDLE:",
        "    if board.state not in (*HELD, DeviceState.IDLE, DeviceState.PURGING):",
        "HLP-CMD-11",
    ),
    Mutant(
        "STOP lets a stroke come to its end",
        _MOTIONS,
        "    if board.state not in HELD and board.state is not DeviceState.IDLE:",
        "    in_stroke = board.motion is not None and board.state is DeviceState.PUNCHING\n"
        "    if board.state not in HELD and board.state is not DeviceState.IDLE and not in_stroke:",
        "HLP-CMD-11",
    ),
    Mutant(
        "a command that needs no session settles no control",
        _DEVICE,
        "        if not stop and not isinstance(answer, Refused):",
        "        if rule.needs_session and not isinstance(answer, Refused):",
        "HLP-CMD-23",
    ),
    Mutant(
        "a command that the state turns away takes control",
        _DEVICE,
        "        if not self.firmware.allows(rule):\n",
        "        if not self.firmware.allows(rule):\n            self._settle_control(port, now)\n",
        "HLP-CMD-25",
    ),
    Mutant(
        "STOP takes control",
        _DEVICE,
        "        if not stop and not isinstance(answer, Refused):",
        "        if not isinstance(answer, Refused):",
        "HLP-CMD-25",
    ),
    Mutant(
        "whoever asks takes control",
        _DEVICE,
        "            answer = query(self.control, port, command, now)\n",
        "            answer = query(self.control, port, command, now)\n"
        "            if self.control.may_have(port):\n                self._settle_control(port, now)\n",
        "HLP-CMD-25",
    ),
    Mutant(
        "a setting takes control",
        _DEVICE,
        "            return setting(self.board, command, now)\n",
        "            self._settle_control(port, now)\n            return setting(self.board, command, now)\n",
        "HLP-CMD-25",
    ),
    Mutant(
        "a refused command takes control",
        _DEVICE,
        "        if not stop and not isinstance(answer, Refused):",
        "        if not stop:",
        "HLP-CMD-25",
    ),
    Mutant(
        "queries are for a controller",
        _DEVICE,
        "        if query is not None:",
        "        if query is not None and port.role is Role.CONTROLLER:",
        "HLP-CMD-29",
    ),
    Mutant(
        "PARAM_SET does not look at who may set a parameter",
        _SETTINGS,
        "        if PARAMETERS[index].scope is not ParamScope.HOST_SETTABLE:",
        "        if PARAMETERS[index].scope is ParamScope.UNKNOWN:",
        "HLP-CMD-31",
    ),
    Mutant(
        "a value beyond its range becomes the last one of it",
        _SETTINGS,
        "        parameters.set(command.name, command.value)",
        "        parameters.set(command.name, min(command.value, PARAMETERS[index].maximum))",
        "HLP-CMD-32",
    ),
    Mutant(
        "a value out of its range is refused and stands",
        _PARAMETERS,
        "        checked = _checked(parameter, value)\n        before = self._get(name)\n",
        "        before = self._get(name)\n"
        "        self._put(name, type(before)(value))\n"
        "        checked = _checked(parameter, value)\n",
        "HLP-CMD-32",
    ),
    Mutant(
        "a parameter that no host may set is refused as out of its range",
        _SETTINGS,
        "            return refusal(Code.E_AUTH, f",
        "            return refusal(Code.E_RANGE, f",
        "HLP-CMD-31",
    ),
    Mutant(
        "the index of a parameter is counted from 1",
        _PARAMETERS,
        "            index=index,",
        "            index=index + 1,",
        "HLP-CMD-33",
    ),
    Mutant(
        "the list of parameters counts all but the last",
        _PARAMETERS,
        "            count=len(PARAMETERS),",
        "            count=len(PARAMETERS) - 1,",
        "HLP-CMD-33",
    ),
    Mutant(
        "a fault that nobody there can do is called a wrong argument",
        "firmware_sim/faults/commands.py",
        "        return refusal(Code.E_UNSUPPORTED, error.reason)",
        "        return refusal(Code.E_ARGUMENT, error.reason)",
        "HLP-CMD-34",
    ),
    Mutant(
        "faults are for a controller",
        _DEVICE,
        "        elif command.__class__ in ABOUT_FAULTS:",
        "        elif command.__class__ in ABOUT_FAULTS and port.role is Role.CONTROLLER:",
        "HLP-CMD-35",
    ),
    Mutant(
        "a command about faults takes control, refused or not",
        _DEVICE,
        "            answer = self._answer_about_faults(command, now)\n",
        "            answer = self._answer_about_faults(command, now)\n            self._settle_control(port, now)\n",
        "HLP-CMD-36",
    ),
    Mutant(
        "PUNCH of an older cycle is taken for a gap",
        _CYCLE,
        "    if command.cycle_no > last:\n",
        "    if command.cycle_no != last:\n",
        "HLP-CYC-4",
    ),
    Mutant(
        "the refusal of a gap names the last number as the next",
        _CYCLE,
        "        return refusal(Code.E_CYCLE_GAP, text, expected=last + 1, actual=command.cycle_no)",
        "        return refusal(Code.E_CYCLE_GAP, text, expected=last, actual=command.cycle_no)",
        "HLP-CYC-5",
    ),
    Mutant(
        "a deadline that was long ago is taken for one ahead",
        _CHECKS,
        "    if 0 < late_ms < 0x8000_0000:",
        "    if 0 < late_ms < 0x4000_0000:",
        "HLP-CYC-9",
    ),
    Mutant(
        "PUNCH goes as deep as it says and not as the session",
        _CHECKS,
        "    if command.depth_um != session.depth_um:",
        "    if command.depth_um > 2 * session.depth_um:",
        "HLP-CYC-10",
    ),
    Mutant(
        "the canister is not looked at before a stroke",
        _CHECKS,
        "    _check_limits,\n",
        "",
        "HLP-CYC-24",
    ),
    Mutant(
        "the hand moves with needles out",
        _MOTIONS,
        "    if not board.plant.needle.retracted(now):\n",
        "    if False:\n",
        "HLP-CYC-23",
    ),
    Mutant(
        "fluid makes the device safe and does not lock it",
        "firmware_sim/safety/reactions.py",
        "        make_safe(board, Event.LOCKED, Code.E_INTERLOCK, ALARMS[A.FLUID_INSIDE]",
        "        make_safe(board, Event.MADE_SAFE, Code.E_INTERLOCK, ALARMS[A.FLUID_INSIDE]",
        "HLP-CYC-28",
    ),
    Mutant(
        "PUNCH does not ask the memory for room",
        _CHECKS,
        "    if (no := no_room(board) or no_store(board, WORK_ROOM)) is not None:",
        "    if (no := no_room(board)) is not None:",
        "HLP-EVT-23",
    ),
    Mutant(
        "REPOSITION does not ask the memory for room",
        _RULES,
        "motions.reposition, (S.ARMED,), needs_room=True, store_room=WORK_ROOM),",
        "motions.reposition, (S.ARMED,), needs_room=True),",
        "HLP-EVT-23",
    ),
    Mutant(
        "one confirmed zone is enough to arm",
        _SESSIONS,
        "    if all(entry.confirmed for entry in board.zones.values()):",
        "    if any(entry.confirmed for entry in board.zones.values()):",
        "HLP-CYC-12",
    ),
    Mutant(
        "the wait of a zone is compared the wrong way round",
        _SESSIONS,
        "    if age_s < wait_s:",
        "    if age_s > wait_s:",
        "HLP-CYC-13",
    ),
    Mutant(
        "the wait of a zone is held to be minutes",
        _SESSIONS,
        "    if age_s < wait_s:",
        "    if age_s < wait_s // 60:",
        "HLP-CYC-13",
    ),
    Mutant(
        "a zone that is numbed again keeps its first time",
        _SESSIONS,
        "    board.zones[command.zone] = Zone(Micros(now - command.age_s * SECOND), False)\n",
        "    board.zones.setdefault(command.zone, Zone(Micros(now - command.age_s * SECOND), False))\n",
        "HLP-CYC-13",
    ),
    Mutant(
        "the cell behind the last of a zone is in the plan",
        _MOTIONS,
        "cell >= session.zones_cm2[zone]:",
        "cell > session.zones_cm2[zone]:",
        "HLP-CYC-14",
    ),
    Mutant(
        "the zone behind the last is in the plan",
        _SESSIONS,
        "    if zone < zones:\n",
        "    if zone <= zones:\n",
        "HLP-CYC-14",
    ),
    Mutant(
        "a plan is not held against the cores that its cells take",
        _SESSIONS,
        "    if fits < command.target_cores:",
        "    if not fits:",
        "HLP-CYC-15",
    ),
    Mutant(
        "a zone of 0 cm2 can be planned",
        _SESSIONS,
        "min(command.zones_cm2) < 1 or",
        "min(command.zones_cm2) < 0 or",
        "HLP-CYC-15",
    ),
    Mutant(
        "a plan without cells, or with too many, is a wrong argument",
        _SESSIONS,
        "        return refusal(Code.E_RANGE, text, expected=MAX_CELLS, actual=cells)",
        "        return refusal(Code.E_ARGUMENT, text, expected=MAX_CELLS, actual=cells)",
        "HLP-CYC-15",
    ),
    Mutant(
        "a second SESSION_OPEN is told that the device is busy",
        _RULES,
        "        return refusal(Code.E_STATE, text, actual=session.session_no)",
        "        return refusal(Code.E_BUSY, text, actual=session.session_no)",
        "HLP-CYC-16",
    ),
    Mutant(
        "SUCTION without a session is told that its cycle is not open",
        _RULES,
        "    Rule(M.Suction, cycle.hold_suction, RUNNING),",
        "    Rule(M.Suction, cycle.hold_suction, RUNNING, needs_session=False),",
        "HLP-CYC-16",
    ),
    Mutant(
        "a session can be closed while the device is armed",
        _RULES,
        "(*UNARMED, *HELD, S.IDLE), needs_session=False",
        "(*UNARMED, *HELD, S.IDLE, S.ARMED), needs_session=False",
        "HLP-CYC-16",
    ),
    Mutant(
        "a session can be closed in a pause",
        _RULES,
        "(*UNARMED, *HELD, S.IDLE), needs_session=False",
        "(*UNARMED, *HELD, S.IDLE, S.PAUSED), needs_session=False",
        "HLP-CYC-16",
    ),
    Mutant(
        "the journal is read under any epoch",
        _QUERIES,
        "    if command.epoch != nvm.epoch:\n",
        "    if not command.epoch:\n",
        "HLP-EVT-3",
    ),
    Mutant(
        "the journal is read under any later epoch",
        _QUERIES,
        "    if command.epoch != nvm.epoch:\n",
        "    if command.epoch < nvm.epoch:\n",
        "HLP-EVT-3",
    ),
    Mutant(
        "records have the time at which they are read",
        _QUERIES,
        'records=b"".join(records))',
        'records=b"".join(raw[:4] + control.board.uptime_ms(now).to_bytes(4, "little") + raw[8:] for raw in records))',
        "HLP-EVT-5",
    ),
    Mutant(
        "JOURNAL_ACK is answered with the number that it has",
        _NVM,
        "            self.keep(Acknowledge(upto))\n        return self.tail",
        "            self.keep(Acknowledge(upto))\n        return upto",
        "HLP-EVT-6",
    ),
    Mutant(
        "an acknowledgement of another epoch is taken",
        _QUERIES,
        "    if command.epoch != nvm.epoch or command.upto > nvm.head:",
        "    if command.upto > nvm.head:",
        "HLP-EVT-7",
    ),
    Mutant(
        "an acknowledgement leaves the last record that it is for",
        "firmware_sim/memory/journal.py",
        "        self.tail = max(self.tail, min(upto, self.head))",
        "        self.tail = max(self.tail, min(upto, self.head) - 1)",
        "HLP-EVT-6",
    ),
    Mutant(
        "one record beyond the head can be acknowledged",
        _QUERIES,
        "command.upto > nvm.head:",
        "command.upto > nvm.head + 1:",
        "HLP-EVT-7",
    ),
    Mutant(
        "ABANDONED is compared as COMPLETED is",
        _SESSIONS,
        "    if command.reason is CloseReason.ABANDONED:",
        "    if command.reason is CloseReason.UNKNOWN:",
        "HLP-EVT-13",
    ),
    Mutant(
        "ABANDONED is compared where there are cycles",
        _SESSIONS,
        "    if command.reason is CloseReason.ABANDONED:",
        "    if command.reason is CloseReason.ABANDONED and not session.cycles:",
        "HLP-EVT-13",
    ),
    Mutant(
        "WELCOME tells a lease of 15 s whatever was set",
        "firmware_sim/commands/statements.py",
        "lease_idle_ms=parameters.lease_idle_ms,",
        "lease_idle_ms=15_000,",
        "HLP-LSE-4",
    ),
)
