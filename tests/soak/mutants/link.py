"""Mutants of the link: frames, answers from memory, retries, leases."""

from typing import Final

from tests.soak.mutants.mutant import Mutant, one

_ANSWERS: Final = "protocols/link/answers.py"
_DEVICE_END: Final = "protocols/link/device_end.py"
_EXCHANGE: Final = "protocols/link/exchange.py"
_HOST_END: Final = "protocols/link/host_end.py"
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
        (
            one("duplicate", 'frame("REPOSITION", 1)', direction="host")
            + one("reorder", 'frame("REPOSITION", 1)', by_ms=2_500, direction="host"),
        ),
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
        "answers",
        (one("reboot", _SUCTION), one("reboot", 'state == "armed"')),
    ),
    Mutant(
        "the lease is twenty times as long",
        _EXCHANGE,
        "            if pace.lease_us and now >= state.last_heard + pace.lease_us:",
        "            if pace.lease_us and now >= state.last_heard + 20 * pace.lease_us:",
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
        _EXCHANGE,
        "            elif now >= state.last_sent + pace.heartbeat_us:",
        "            elif now >= state.last_sent + 10 * pace.heartbeat_us:",
        "calm",
    ),
    Mutant(
        "BYE is passed over",
        _EXCHANGE,
        "        if isinstance(message, Bye):\n",
        "        if isinstance(message, Bye) and message.reason is ByeReason.REBOOT:\n",
        "timing",
        (one("log_full", "commit(2)"), one("log_full", "commit(3)"), one("interrupt", _SUCTION)),
    ),
    Mutant(
        "the checksum is not looked at",
        "protocols/serial/framing.py",
        "    if crc32c(body) != RESIDUE:",
        "    if not body:",
        "exactly once",
        (
            one("flip", 'frame("JOURNAL_PAGE", 2)', direction="device", pieces=1),
            one("flip", _SUCTION, direction="host", pieces=40, for_ms=5_000),
            one("flip", 'at("5 s")', direction="device", pieces=40, for_ms=5_000),
        ),
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
        _HOST_END,
        "        if due is not None and now >= due:\n            self._retry",
        "        if due is not None and now >= due + 3_600_000_000:\n            self._retry",
        "stuck",
        (one("drop", 'frame("COUNT", 3)', direction="host"),),
    ),
    Mutant(
        "a lost DONE is never asked for",
        _HOST_END,
        "            self._retry(self._requests.not_running(message.running_correlation_id), now)\n",
        "            pass\n",
        "",
    ),
    Mutant(
        "a command is sent again at once",
        "protocols/link/requests.py",
        "        request.due = due = Micros(now + rto)",
        "        request.due = due = Micros(now)",
        "calm",
    ),
    Mutant(
        "motions are not asked one at a time",
        "protocols/link/requests.py",
        "WINDOWS: Final = {Lane.LINK: 1, Lane.MOTION: 1, Lane.QUERY: 4}",
        "WINDOWS: Final = {Lane.LINK: 1, Lane.MOTION: 4, Lane.QUERY: 1}",
        "",
    ),
)
