"""Hosts with one defect each, made for one rule of a host: `judge` is its number.

`SEEN_BY` has the case that is to see it, where its rule has so many that trying all of them takes long.
"""

from collections.abc import Mapping
from typing import Final

from tests.soak.matrix.frames import FRAMES
from tests.soak.mutants.mutant import Mutant

_BODIES: Final = "protocols/mqtt/bodies.py"
_CLOSING: Final = "devicectl/session/closing.py"
_EXCHANGE: Final = "protocols/link/exchange.py"
_HEADER: Final = "protocols/link/header.py"
_HOST_END: Final = "protocols/link/host_end.py"
_JOURNAL: Final = "devicectl/session/journal.py"
_LINK_STATE: Final = "protocols/link/link_state.py"
_MQTT: Final = "protocols/mqtt/wire.py"
_REQUESTS: Final = "protocols/link/requests.py"
_STEPS: Final = "devicectl/session/steps.py"
_TRANSPORT: Final = "devicectl/transports/mqtt.py"
_NUMBERS: Final = '[_number(body.get(key, 0)) for key in ("seq", "link_id", "correlation_id")]'

_OF_BOTH_ENDS: Final = (
    "a frame has no zero in front",
    "the second frame of a piece is not taken",
    "each piece of bytes is looked at by itself",
    "a frame for another node is passed over",
    "what follows bytes that are no frame is lost",
    "every flag that is not known must be understood",
    "the NAK to another major does not tell the majors",
    "a payload that is cut is filled with zeros",
    "a number may be infinite or none at all",
    "a text ends at its first NUL, whatever follows",
    "a text that is no UTF-8 is mended",
    "a payload with more than is known is refused",
)
"""Defects of what both ends run, each as it is for a device."""

HOSTS: Final[tuple[Mutant, ...]] = (
    *(one for one in FRAMES if one.name in _OF_BOTH_ENDS),
    Mutant(
        "seq leaves one out",
        _LINK_STATE,
        "        seq = self.seq + 1 & 0xFFFF\n",
        "        seq = self.seq + 2 & 0xFFFF\n",
        "HLP-FRM-4",
    ),
    Mutant(
        "what nobody asked for carries no link id",
        _LINK_STATE,
        "        data = self._encode(message, seq, self.link_id, correlation_id, flags)\n        self.seq",
        "        data = self._encode(message, seq, self.link_id if correlation_id else 0, correlation_id, flags)\n"
        "        self.seq",
        "HLP-FRM-5",
    ),
    Mutant(
        "BYE carries a correlation id",
        _EXCHANGE,
        "        self._send(bye, now)\n",
        "        self._send(bye, now, 0x55)\n",
        "HLP-FRM-6",
    ),
    Mutant(
        "bytes that are no frame get a NAK",
        _EXCHANGE,
        "                statistics.bad_frames += 1\n",
        "                statistics.bad_frames += 1\n"
        '                self._complain(Problem(Code.E_ARGUMENT, "no frame"), now, 0, state.link_id, 0)\n',
        "HLP-FRM-8",
    ),
    Mutant(
        "bytes that are no frame renew the lease",
        _EXCHANGE,
        "                statistics.bad_frames += 1\n",
        "                statistics.bad_frames += 1\n                state.last_heard = now\n",
        "HLP-FRM-10",
    ),
    Mutant(
        "what cannot be read is passed over in silence",
        _EXCHANGE,
        "        self._nak(header, problem, now)\n",
        "        self.statistics.strays += 1\n",
        "HLP-FRM-11",
    ),
    Mutant(
        "a NAK names another frame",
        _EXCHANGE,
        "Nak(code=problem.code, seq=seq, ",
        "Nak(code=problem.code, seq=seq ^ 1, ",
        "HLP-FRM-12",
    ),
    Mutant(
        "one of the flags that must be understood is passed over",
        _HEADER,
        "MUST_UNDERSTAND: Final = 0x30",
        "MUST_UNDERSTAND: Final = 0x20",
        "HLP-FRM-14",
    ),
    Mutant(
        "a NAK about nothing is answered with a NAK",
        _HOST_END,
        "        else:\n            self._state.statistics.strays += 1\n\n    # --- inside: frames that",
        "        else:\n"
        '            problem = Problem(Code.E_ARGUMENT, "about nothing")\n'
        "            self._complain(problem, now, header.seq, header.link_id, 0)\n\n"
        "    # --- inside: frames that",
        "HLP-FRM-18",
    ),
    Mutant(
        "a number of records is asked for that the tables do not have",
        _JOURNAL,
        "ask(M.JournalRead(epoch=self.epoch, first=self.cursor, max_records=RECORDS_PER_PAGE))",
        "ask(M.JournalRead.unchecked(epoch=self.epoch, first=self.cursor, max_records=0))",
        "HLP-PAY-1",
    ),
    Mutant(
        "a message that is not known is passed over in silence",
        _EXCHANGE,
        "        self._nak(header, problem, now)\n",
        "        if problem.code is not Code.E_UNKNOWN_MESSAGE:\n            self._nak(header, problem, now)\n",
        "HLP-PAY-11",
    ),
    Mutant(
        "a WELCOME without a schema id is turned away",
        _HOST_END,
        "welcome.schema_id not in (0, ours := schema_id(minor)):",
        "welcome.schema_id != (ours := schema_id(minor)):",
        "HLP-PAY-13",
    ),
    Mutant(
        "the schema of the device is not compared",
        _HOST_END,
        "        if request.message.schema_id and welcome.schema_id not in (0, ours := schema_id(minor)):\n",
        "        if not (ours := schema_id(minor)):\n",
        "HLP-PAY-15",
    ),
    Mutant(
        "a device of a newer minor is turned away",
        _HOST_END,
        "        self.pace = Pace.of_ms(",
        "        if welcome.minor > request.message.minor:\n"
        "            self._leave(ByeReason.CLOSING, now)\n"
        '            self._happened.append(Denied(Code.E_VERSION, "newer than this host"))\n'
        "            return\n"
        "        self.pace = Pace.of_ms(",
        "HLP-PAY-16",
    ),
    Mutant(
        "a heartbeat comes before HELLO",
        _HOST_END,
        '        self._odd = ""\n        self._launch(Request(hello), now)\n',
        '        self._odd = ""\n        self._beat(now)\n        self._launch(Request(hello), now)\n',
        "HLP-LNK-1",
    ),
    Mutant(
        "a frame of another link is passed over in silence",
        _HOST_END,
        "            self._not_this_link(header, now)\n",
        '            self._stray("of another link")\n',
        "HLP-LNK-17",
    ),
    Mutant(
        "a frame of another link renews the lease",
        _HOST_END,
        "        asking = not self._state.link_id and",
        "        self._state.last_heard = now\n        asking = not self._state.link_id and",
        "HLP-LNK-18",
    ),
    Mutant(
        "WELCOME is sent back",
        _HOST_END,
        "        self._happened.append(Linked(welcome))\n",
        "        self._send(welcome, now)\n        self._happened.append(Linked(welcome))\n",
        "HLP-LNK-19",
    ),
    Mutant(
        "what comes back of its own is answered",
        _EXCHANGE,
        "                statistics.echoes += 1\n",
        '                self._nak(header, Problem(Code.E_UNSUPPORTED, "only a host sends this"), now)\n',
        "HLP-LNK-20",
    ),
    Mutant(
        "what comes back of its own renews the lease",
        _EXCHANGE,
        "                statistics.echoes += 1\n",
        "                statistics.echoes += 1\n                state.last_heard = now\n",
        "HLP-LNK-21",
    ),
    Mutant(
        "the heartbeat is ten times as slow",
        _HOST_END,
        "Pace.of_ms(welcome.heartbeat_idle_ms, welcome.lease_idle_ms)",
        "Pace.of_ms(welcome.heartbeat_idle_ms * 10, welcome.lease_idle_ms)",
        "HLP-LSE-1",
    ),
    Mutant(
        "the lease is twenty times as long",
        _HOST_END,
        "Pace.of_ms(welcome.heartbeat_idle_ms, welcome.lease_idle_ms)",
        "Pace.of_ms(welcome.heartbeat_idle_ms, welcome.lease_idle_ms * 20)",
        "HLP-LSE-2",
    ),
    Mutant(
        "only answers renew the lease",
        _EXCHANGE,
        "                state.last_heard = now\n                self._take(",
        "                if header.correlation_id:\n"
        "                    state.last_heard = now\n"
        "                self._take(",
        "HLP-LSE-3",
    ),
    Mutant(
        "a lease of 0 is one of a second",
        _HOST_END,
        "Pace.of_ms(welcome.heartbeat_idle_ms, welcome.lease_idle_ms)",
        "Pace.of_ms(welcome.heartbeat_idle_ms, welcome.lease_idle_ms or 1_000)",
        "HLP-LSE-5",
    ),
    Mutant(
        "a correlation id leaves one out",
        _HOST_END,
        "        following = self._correlation_id % 0xFFFF + 1\n",
        "        following = self._correlation_id % 0xFFFF + 2\n",
        "HLP-CMD-5",
    ),
    Mutant(
        "ADVANCE is sent along with SUCTION",
        _HOST_END,
        "        request = Request(command)\n",
        "        request = Request(command)\n"
        '        if command.__class__.__name__ == "Suction":\n'
        "            from protocols.language.messages import Advance\n"
        "            self._launch(request, now)\n"
        "            self._launch(Request(Advance(cycle_no=command.cycle_no, steps=1)), now)\n"
        "            return request\n",
        "HLP-CMD-7",
    ),
    Mutant(
        "a query is asked six times at once",
        _HOST_END,
        "        request = Request(command)\n",
        "        request = Request(command)\n"
        "        for _ in range(5 if request.lane is _QUERY else 0):\n"
        "            self._launch(Request(command), now)\n",
        "HLP-CMD-9",
    ),
    Mutant(
        "a command that is sent again does not say so",
        _HOST_END,
        "            flags = REPLY_WANTED | RETRANSMIT\n",
        "            flags = REPLY_WANTED\n",
        "HLP-CMD-12",
    ),
    Mutant(
        "a command that is sent again has a new seq",
        _HOST_END,
        "self._state.post(request.message, now, request.seq, ",
        "self._state.post(request.message, now, self._state.seq + 1 & 0xFFFF, ",
        "HLP-CMD-12",
    ),
    Mutant(
        "a command without an answer is not sent again",
        _HOST_END,
        "            self._state.post(request.message, now, request.seq, self._state.link_id, "
        "request.correlation_id, flags)\n",
        "",
        "HLP-CMD-12",
    ),
    Mutant(
        "HELLO is tried nine times",
        _REQUESTS,
        "MAX_TRIES: Final = 5",
        "MAX_TRIES: Final = 9",
        "HLP-CMD-13",
    ),
    Mutant(
        "a command that was received is asked for again at once",
        _REQUESTS,
        "        request.wake(now + 2 * expected_us + 3 * heartbeat_us + request.answer_us)\n",
        "        request.wake(now + self.round_trip.rto)\n",
        "HLP-CMD-14",
    ),
    Mutant(
        "RECEIVED passes for an answer to a query",
        _HOST_END,
        "            if request.lane is _QUERY:\n",
        "            if request.lane is None:\n",
        "HLP-CMD-16",
    ),
    Mutant(
        "PUNCH leaves a number out",
        _STEPS,
        "        cycle_no = self._context.last_cycle_no + 1\n",
        "        cycle_no = self._context.last_cycle_no + 2\n",
        "HLP-CYC-22",
    ),
    Mutant(
        "one record more is acknowledged than was read",
        _JOURNAL,
        "upto=self.cursor",
        "upto=self.cursor + 1",
        "HLP-EVT-8",
    ),
    Mutant(
        "a session is closed with one core too many",
        _CLOSING,
        "        counts, closed = reader.fold.counts, reader.closed\n        if closed is None:\n",
        "        counts, closed = reader.fold.counts, reader.closed\n"
        "        counts = replace(counts, cores_counted=counts.cores_counted + 1)\n"
        "        if closed is None:\n",
        "HLP-EVT-16",
    ),
    Mutant(
        "a number that is missing is wrong",
        _BODIES,
        _NUMBERS,
        '[_number(body.get(key, 0 if key != "seq" else -1)) for key in ("seq", "link_id", "correlation_id")]',
        "HLP-MQT-2",
    ),
    Mutant(
        "a key that is not known is wrong",
        _BODIES,
        "    body = _present(body)\n",
        '    body = _present(body)\n    if "later" in body:\n        raise ValueError("what is later?")\n',
        "HLP-MQT-3",
    ),
    Mutant(
        "a u64 is a number",
        _BODIES,
        "shown = str if field.wire.code == WIDE else plain",
        "shown = plain",
        "HLP-MQT-4",
    ),
    Mutant(
        "nobody waits for a birth",
        _TRANSPORT,
        "        self._expect(BIRTH_TIMEOUT_S, self._not_born)\n",
        "        self.ready.set_result(None)\n        client.end_entry()\n",
        "HLP-MQT-6",
    ),
    Mutant(
        "the first heartbeat is like any other",
        _MQTT,
        "return 0 if link_id == beaten_link_id else 1",
        "return 0",
        "HLP-MQT-8",
    ),
    Mutant(
        "a command expires too late",
        _MQTT,
        "MAX_COMMAND_EXPIRY_S: Final = 2\n",
        "MAX_COMMAND_EXPIRY_S: Final = 3\n",
        "HLP-MQT-10",
    ),
    Mutant(
        "no command has Correlation Data",
        _MQTT,
        '            correlation_data=b"%d" % correlation_id,\n',
        "",
        "HLP-MQT-10",
    ),
)

SEEN_BY: Final[Mapping[str, str]] = {
    "HLP-CMD-5": "plain.correlation",
    "HLP-CMD-7": "plain.motions",
    "HLP-CMD-12": "again.lost-arm",
    "HLP-CMD-13": "hello.tries",
    "HLP-CYC-22": "plain.armed",
    "HLP-EVT-8": "plain.journal",
    "HLP-EVT-16": "plain.counts",
}
"""Rule of a host -> the case of it that is tried."""
