"""Mutants of the device for the rules of frames, links, requests and control that no other defect shows by itself."""

from typing import Final

from tests.soak.mutants.mutant import Mutant

_ANSWERS: Final = "protocols/link/answers.py"
_CONTROL: Final = "firmware_sim/control.py"
_DEVICE: Final = "firmware_sim/device.py"
_END: Final = "protocols/link/device_end.py"
_EXCHANGE: Final = "protocols/link/exchange.py"
_FAULTS: Final = "firmware_sim/faults/commands.py"
_LAYOUTS: Final = "protocols/language/layouts.py"
_QUERIES: Final = "firmware_sim/commands/queries.py"
_STATEMENTS: Final = "firmware_sim/commands/statements.py"

LINKS: Final[tuple[Mutant, ...]] = (
    Mutant(
        "bytes that are no frame get a NAK",
        _EXCHANGE,
        "                statistics.bad_frames += 1\n",
        "                statistics.bad_frames += 1\n"
        '                self._complain(Problem(Code.E_ARGUMENT, "no frame"), now, 0, 0, 0)\n',
        "HLP-FRM-8",
    ),
    Mutant(
        "every frame that cannot be taken gets its NAK",
        _EXCHANGE,
        "        if not self._naks.spend(now):\n",
        "        if False:\n",
        "HLP-FRM-17",
    ),
    Mutant(
        "a payload without a byte is one of zeros",
        _LAYOUTS,
        "        if len(payload) < self.least:\n",
        "        if 0 < len(payload) < self.least:\n",
        "HLP-PAY-3",
    ),
    Mutant(
        "whoever says HELLO is a controller",
        _DEVICE,
        "        port.role = Role.CONTROLLER if hello.role is Role.CONTROLLER else Role.VIEWER\n",
        "        port.role = Role.CONTROLLER\n",
        "HLP-LNK-5",
    ),
    Mutant(
        "a link on another port goes on when its host greets again",
        _DEVICE,
        "            if other.exchange.linked and other.host_id == host_id:",
        "            if False:",
        "HLP-LNK-10",
    ),
    Mutant(
        "each of many HELLOs is granted a link",
        _DEVICE,
        "        if not port.links.spend(now):  # in silence",
        "        if False:  # in silence",
        "HLP-LNK-11",
    ),
    Mutant(
        "a page has one record less than fits",
        _QUERIES,
        "layout(M.JournalPage).size) // RECORD_SIZE",
        "layout(M.JournalPage).size) // RECORD_SIZE - 1",
        "HLP-LNK-14",
    ),
    Mutant(
        "a frame of another link is answered and renews the lease",
        _END,
        "            self._not_this_link(header, now)",
        "            self._state.last_heard = now\n            self._not_this_link(header, now)",
        "HLP-LNK-18",
    ),
    Mutant(
        "what comes back of its own renews the lease",
        _EXCHANGE,
        "                statistics.echoes += 1\n",
        "                statistics.echoes += 1\n                state.last_heard = now\n",
        "HLP-LNK-21",
    ),
    Mutant(
        "a lease of 0 is one of half a second",
        _EXCHANGE,
        "            if pace.lease_us and now >= state.last_heard + pace.lease_us:",
        "            if now >= state.last_heard + (pace.lease_us or 500_000):",
        "HLP-LSE-5",
    ),
    Mutant(
        "the heartbeat names no command",
        _STATEMENTS,
        "running_correlation_id=0 if motion is None else motion.asker.correlation_id,",
        "running_correlation_id=0,",
        "HLP-LSE-6",
    ),
    Mutant(
        "the heartbeat's journal head is the last record",
        _STATEMENTS,
        "        journal_head=nvm.head,\n        params_hash",
        "        journal_head=nvm.head - 1,\n        params_hash",
        "HLP-LSE-6",
    ),
    Mutant(
        "each command has two ends",
        _END,
        "        self._send(message, now, correlation_id, REPLAYED if replayed else 0)\n",
        "        self._send(message, now, correlation_id, REPLAYED if replayed else 0)\n"
        "        if message.__class__ not in (Received, Progress):\n"
        "            self._send(message, now, correlation_id, 0)\n",
        "HLP-CMD-1",
    ),
    Mutant(
        "a query is answered with RECEIVED first",
        _DEVICE,
        "            answer = query(self.control, port, command, now)\n",
        "            answer = query(self.control, port, command, now)\n"
        "            from protocols.language.messages import Received\n"
        "            asker.reply(Received(expected_ms=0), now)\n",
        "HLP-CMD-2",
    ),
    Mutant(
        "a motion is answered when it is over and not before",
        _END,
        "        self._send(message, now, correlation_id, REPLAYED if replayed else 0)\n",
        "        if message.__class__ is not Received:\n"
        "            self._send(message, now, correlation_id, REPLAYED if replayed else 0)\n",
        "HLP-CMD-3",
    ),
    Mutant(
        "a second motion is passed over while the first moves",
        _DEVICE,
        "        rule = RULES.get(command.__class__)\n",
        "        if not stop and self.board.motion is not None:\n"
        "            return None\n"
        "        rule = RULES.get(command.__class__)\n",
        "HLP-CMD-8",
    ),
    Mutant(
        "what is asked while the device moves is passed over",
        _DEVICE,
        "        if query is not None:\n            answer =",
        "        if query is not None and self.board.motion is not None:\n"
        "            return\n"
        "        if query is not None:\n            answer =",
        "HLP-CMD-10",
    ),
    Mutant(
        "fifteen answers are remembered",
        _ANSWERS,
        "REMEMBERED: Final = 16",
        "REMEMBERED: Final = 15",
        "HLP-CMD-19",
    ),
    Mutant(
        "a query under a used id is carried out",
        _END,
        "        elif known is not None or answers.expired(correlation_id, message.LANE):",
        "        elif answers.expired(correlation_id, message.LANE):",
        "HLP-CMD-21",
    ),
    Mutant(
        "who has closed the session keeps control",
        _DEVICE,
        "            self._keep_pace(now)\n            self.control.holder = None",
        "            self._keep_pace(now)",
        "HLP-CMD-24",
    ),
    Mutant(
        "a rival is told that it is busy, and not who holds control",
        _CONTROL,
        "            return refusal(Code.E_BUSY, text, actual=self.host_id)",
        "            return refusal(Code.E_BUSY, text)",
        "HLP-CMD-26",
    ),
    Mutant(
        "nobody sets anything where nobody holds control",
        _DEVICE,
        "            return setting(self.board, command, now)\n",
        "            if self.control.holder is None:\n"
        '                return refusal(Code.E_AUTH, "nobody holds control")\n'
        "            return setting(self.board, command, now)\n",
        "HLP-CMD-27",
    ),
    Mutant(
        "a viewer may command",
        _CONTROL,
        "        if port.role is not _CONTROLLER:\n",
        "        if False:\n",
        "HLP-CMD-28",
    ),
    Mutant(
        "quantities that a fault does not have are passed over",
        _FAULTS,
        "    if command.given >> len(kind.quantities):\n",
        "    if False:\n",
        "HLP-CMD-36",
    ),
)
