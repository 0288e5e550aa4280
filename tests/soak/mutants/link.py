"""Mutants of the link: frames, answers from memory, retries, leases."""

from typing import Final

from tests.soak.mutants.mutant import Mutant, one

_ANSWERS: Final = "protocols/link/answers.py"
_DEVICE_END: Final = "protocols/link/device_end.py"
_EXCHANGE: Final = "protocols/link/exchange.py"
_HOST_END: Final = "protocols/link/host_end.py"
_PACE: Final = "protocols/link/pace.py"
_REQUESTS: Final = "protocols/link/requests.py"
_SUCTION: Final = 'cycle == 4 and phase == "suction"'

LINK: Final = (
    Mutant(
        "a command that comes again is carried out again",
        _DEVICE_END,
        "        if known is not None and known.command == message:",
        "        if known is not None and known.answer is None:",
        "answers",
        (one("drop", 'frame("COUNT_DONE", 3)', direction="device"),),
    ),
    Mutant(
        "an answer that is given again does not say so",
        _DEVICE_END,
        "self._send(known.answer, now, correlation_id, REPLAYED)",
        "self._send(known.answer, now, correlation_id)",
        "answers",
        (one("drop", 'frame("COUNT_DONE", 3)', direction="device"),),
    ),
    Mutant(
        "no answer is remembered",
        _ANSWERS,
        "REMEMBERED: Final = 16",
        "REMEMBERED: Final = 0",
        "answers",
        (one("drop", 'frame("COUNT_DONE", 3)', direction="device"),),
    ),
    Mutant(
        "the window of answers is off by one and forgets the newest",
        _ANSWERS,
        "del self._held[kept.pop(0)]",
        "del self._held[kept.pop()]",
        "answers",
        (one("drop", 'frame("COUNT_DONE", 9)', direction="device"),),
    ),
    Mutant(
        "a late command is carried out",
        _ANSWERS,
        "        return lane is _MOTION and self._newest is not None and not newer(correlation_id, self._newest)",
        "        return False",
        "answers",
        (one("reorder", 'frame("REPOSITION", 1)', by_ms=4_000, direction="host"),),
    ),
    Mutant(
        "numbers are compared without their wrap",
        _ANSWERS,
        "    return 0 < (candidate - reference & 0xFFFF) < 0x8000",
        "    return candidate > reference",
        "calm",
    ),
    Mutant(
        "an answer of the last motion is kept as RECEIVED",
        _ANSWERS,
        "        held.answer, held.final = answer, True",
        "        held.final = True",
        "answers",
        (one("drop", 'frame("COUNT_DONE", 3)', direction="device"),),
    ),
    Mutant(
        "spoiled frames renew the lease",
        _EXCHANGE,
        "                statistics.bad_frames += 1\n",
        "                statistics.bad_frames += 1\n                state.last_heard = now\n",
        "timing",
        (one("flip", _SUCTION, direction="host", pieces=0, for_ms=3_000),),
    ),
    Mutant(
        "frames of another link are taken",
        _EXCHANGE,
        "            elif link_id != state.listens_to or message is None",
        "            elif message is None",
        "calm",
    ),
    Mutant(
        "the lease is twenty times as long",
        _PACE,
        "cls(from_ms(heartbeat_ms), from_ms(lease_ms))",
        "cls(from_ms(heartbeat_ms), from_ms(20 * lease_ms))",
        "timing",
        (one("mute", _SUCTION, for_ms=3_000),),
    ),
    Mutant(
        "the lease does not run while nothing was heard yet",
        _EXCHANGE,
        "                state.last_heard = now\n                self._take(header, message, now)",
        "                self._take(header, message, now)",
        "calm",
    ),
    Mutant(
        "the heartbeat is ten times as slow",
        _PACE,
        "cls(from_ms(heartbeat_ms), from_ms(lease_ms))",
        "cls(from_ms(10 * heartbeat_ms), from_ms(lease_ms))",
        "calm",
    ),
    Mutant(
        "BYE is passed over",
        _EXCHANGE,
        "        if isinstance(message, Bye):\n",
        "        if isinstance(message, Bye) and message.reason is ByeReason.REBOOT:\n",
        "answers",
        (one("log_full", "commit(2)"),),
    ),
    Mutant(
        "the checksum is not looked at",
        "protocols/serial/framing.py",
        "    if crc32c(body) != RESIDUE:",
        "    if not body:",
        "motion",
        (one("flip", _SUCTION, direction="host", pieces=40, for_ms=5_000),),
    ),
    Mutant(
        "a retry has a new number",
        _HOST_END,
        "self._state.post(request.message, now, request.seq, self._state.link_id",
        "self._state.post(request.message, now, self._state.seq + 1 & 0xFFFF, self._state.link_id",
        "answers",
        (one("drop", 'frame("COUNT_DONE", 3)', direction="device"),),
    ),
    Mutant(
        "a retry does not say that it is one",
        _HOST_END,
        "            flags = REPLY_WANTED | RETRANSMIT",
        "            flags = REPLY_WANTED",
        "answers",
        (one("drop", 'frame("COUNT_DONE", 3)', direction="device"),),
    ),
    Mutant(
        "a correlation id wraps to 0",
        _HOST_END,
        "        following = self._correlation_id % 0xFFFF + 1\n",
        "        following = self._correlation_id + 1 & 0xFFFF\n",
        "calm",
    ),
    Mutant(
        "a command is never sent again",
        _REQUESTS,
        "        request.due = due = Micros(now + rto)",
        "        request.due = due = Micros(now + rto + 3_600_000_000)",
        "stuck",
        (one("drop", 'frame("COUNT", 3)', direction="host"),),
    ),
    Mutant(
        "a lost DONE is never asked for",
        _HOST_END,
        "            self._retry(self._requests.not_running(message.running_correlation_id), now)\n",
        "            pass\n",
        "host",
        (one("drop", 'frame("COUNT_DONE", 3)', direction="device"),),
    ),
    Mutant(
        "a command is sent again at once",
        _REQUESTS,
        "        request.due = due = Micros(now + rto)",
        "        request.due = due = Micros(now)",
        "host",
        (one("drop", 'frame("COUNT", 3)', direction="host"),),
    ),
    Mutant(
        "what was asked on a lost link is asked on the next one",
        _HOST_END,
        "for request in self._requests.abandon()]\n        self._requests = Requests(self.wire.line)\n",
        "for request in self._requests.abandon()]\n",
        "answers",
        (one("disconnect", _SUCTION),),
    ),
)
