"""Mutants of the device for the rules of frames, payloads and links, each made for one."""

from typing import Final

from tests.soak.mutants.mutant import Mutant

_CONTROL: Final = "firmware_sim/control.py"
_DEVICE: Final = "firmware_sim/device.py"
_DEVICE_END: Final = "protocols/link/device_end.py"
_EXCHANGE: Final = "protocols/link/exchange.py"
_FIELDS: Final = "protocols/language/fields.py"
_FRAMING: Final = "protocols/serial/framing.py"
_HEADER: Final = "protocols/link/header.py"
_LAYOUTS: Final = "protocols/language/layouts.py"
_PARAMETERS: Final = "firmware_sim/model/parameters.py"
_PAYLOAD: Final = "protocols/serial/payload.py"
_QUERIES: Final = "firmware_sim/commands/queries.py"
_STATEMENTS: Final = "firmware_sim/commands/statements.py"
_WIRE: Final = "protocols/serial/wire.py"

FRAMES: Final[tuple[Mutant, ...]] = (
    Mutant(
        "a frame has no zero in front",
        _PAYLOAD,
        r'return b"\0%b\0" % stuff(',
        r'return b"%b\0" % stuff(',
        "HLP-FRM-1",
    ),
    Mutant(
        "the second frame of a piece is not taken",
        _WIRE,
        "        for item in items:\n",
        "        for item in items[:1]:\n",
        "HLP-FRM-2",
    ),
    Mutant(
        "each piece of bytes is looked at by itself",
        _WIRE,
        "        items = decoder.feed(data)\n",
        "        items = FrameDecoder().feed(data)\n",
        "HLP-FRM-3",
    ),
    Mutant(
        "a NAK uses up no number",
        _EXCHANGE,
        "        state.seq = own_seq = state.seq + 1 & 0xFFFF\n",
        "        own_seq = state.seq + 1 & 0xFFFF\n",
        "HLP-FRM-4",
    ),
    Mutant(
        "what nobody asked for carries no link id",
        _EXCHANGE,
        "        self._send(message, now)\n",
        "        self._state.seq = seq = self._state.seq + 1 & 0xFFFF\n"
        "        self._state.post(message, now, seq, 0, 0, 0)\n",
        "HLP-FRM-5",
    ),
    Mutant(
        "a NAK carries the link id of the device",
        _EXCHANGE,
        "        state.post(nak, now, own_seq, link_id, correlation_id, 0)\n",
        "        state.post(nak, now, own_seq, state.link_id, correlation_id, 0)\n",
        "HLP-FRM-5",
    ),
    Mutant(
        "what nobody asked for carries a correlation id",
        _EXCHANGE,
        "        self._send(message, now)\n",
        "        self._send(message, now, self._state.seq)\n",
        "HLP-FRM-6",
    ),
    Mutant(
        "a frame for another node is passed over",
        _EXCHANGE,
        "            if isinstance(item, BadFrame):\n",
        "            if isinstance(item, BadFrame) or item.header.node:\n",
        "HLP-FRM-7",
    ),
    Mutant(
        "what follows bytes that are no frame is lost",
        _WIRE,
        "                found.append(item)\n                continue\n",
        "                found.append(item)\n                break\n",
        "HLP-FRM-9",
    ),
    Mutant(
        "a refusal of what cannot be read has no sentence",
        _DEVICE_END,
        "actual=0, sentence=sentence(problem.sentence))",
        'actual=0, sentence="")',
        "HLP-FRM-11",
    ),
    Mutant(
        "a NAK names its own number",
        _EXCHANGE,
        "nak = Nak(code=problem.code, seq=seq,",
        "nak = Nak(code=problem.code, seq=self._state.seq,",
        "HLP-FRM-12",
    ),
    Mutant(
        "a command without a correlation id is carried out",
        _DEVICE_END,
        "        elif not correlation_id:\n"
        '            self._nak(header, Problem(Code.E_ARGUMENT, "a command needs a correlation id"), now)\n',
        "",
        "HLP-FRM-13",
    ),
    Mutant(
        "a command without a correlation id gets NAK and is carried out",
        _DEVICE_END,
        'a command needs a correlation id"), now)\n',
        'a command needs a correlation id"), now)\n'
        "            self._happened.append(fill(Commanded, (correlation_id, message)))\n",
        "HLP-FRM-13",
    ),
    Mutant(
        "a frame with a flag that is not understood gets NAK and is taken",
        _EXCHANGE,
        '"a must-understand flag is not known here"), now)\n',
        '"a must-understand flag is not known here"), now)\n'
        "            if message is not None and header.link_id == self._state.listens_to:\n"
        "                self._take(header, message, now)\n",
        "HLP-FRM-14",
    ),
    Mutant(
        "one of the flags that must be understood is passed over",
        _HEADER,
        "MUST_UNDERSTAND: Final = 0x30",
        "MUST_UNDERSTAND: Final = 0x10",
        "HLP-FRM-14",
    ),
    Mutant(
        "every flag that is not known must be understood",
        _HEADER,
        "MUST_UNDERSTAND: Final = 0x30",
        "MUST_UNDERSTAND: Final = 0xF0",
        "HLP-FRM-15",
    ),
    Mutant(
        "a frame of another major is taken for one of this",
        _EXCHANGE,
        " or first >> 4 != MAJOR:",
        ":",
        "HLP-FRM-16",
    ),
    Mutant(
        "the NAK to another major does not tell the majors",
        _EXCHANGE,
        "self._nak(header, Problem(Code.E_VERSION, text), now, MAJOR, header.major)",
        "self._nak(header, Problem(Code.E_VERSION, text), now)",
        "HLP-FRM-16",
    ),
    Mutant(
        "a NAK does not name the request",
        _EXCHANGE,
        "self._complain(problem, now, header.seq, header.link_id, header.correlation_id, expected, actual)",
        "self._complain(problem, now, header.seq, header.link_id, 0, expected, actual)",
        "HLP-FRM-11",
    ),
    Mutant(
        "the piece in which what is too long ends is lost",
        _FRAMING,
        "            if len(pieces) == 1:\n"
        "                return []\n"
        '            pieces[0] = b""\n'
        "            self.discarding = False\n",
        "            self.discarding = len(pieces) == 1\n            return []\n",
        "HLP-FRM-9",
    ),
    Mutant(
        "what is kept of a frame is forgotten at the next piece",
        _FRAMING,
        "            pieces[0] = self.kept + pieces[0]\n",
        "            pieces[0] = self.kept\n",
        "HLP-FRM-3",
    ),
    Mutant(
        "a NAK of another link is answered",
        _EXCHANGE,
        "        if header.kind == Kind.LINK and header.message_id == Nak.ID:\n",
        "        if header.kind == Kind.LINK and header.message_id == Nak.ID and header.link_id == self.link_id:\n",
        "HLP-FRM-18",
    ),
    Mutant(
        "a parameter's upper limit is told as infinite",
        _PARAMETERS,
        "        parameter = PARAMETERS[index]\n        return ParamListDone(\n",
        "        from dataclasses import replace\n"
        "        parameter = replace(PARAMETERS[index], maximum=float('inf'))\n"
        "        return ParamListDone.unchecked(\n",
        "HLP-PAY-1",
    ),
    Mutant(
        "true is sent as minus one",
        _LAYOUTS,
        "            return lambda message: pack(*_texts_encoded(message))\n",
        '            pack = struct.Struct(self._struct.format.replace("?", "b")).pack\n'
        "            return lambda message: pack(*[-one if one is True else one for one in _texts_encoded(message)])\n",
        "HLP-PAY-2",
    ),
    Mutant(
        "a payload that is cut is filled with zeros",
        _LAYOUTS,
        "        if len(payload) < self.least:\n",
        "        if not payload and self.least:\n",
        "HLP-PAY-3",
    ),
    Mutant(
        "half an element of an array is cut off",
        _LAYOUTS,
        "        if rest:\n"
        "            raise MessageError(self.name, self.tail_name, "
        'f"{len(tail)} B are not whole elements of {wire.size} B")\n'
        '        return struct.unpack(f"<{count}{wire.code}", tail)\n',
        '        return struct.unpack(f"<{count}{wire.code}", tail[: len(tail) - rest])\n',
        "HLP-PAY-4",
    ),
    Mutant(
        "a range that is narrower than its bytes is not looked at",
        _LAYOUTS,
        "if field.narrowed or field.kind is float else converters",
        "if field.kind is float else converters",
        "HLP-PAY-5",
    ),
    Mutant(
        "the refusal of a value does not name its field",
        _LAYOUTS,
        "                    raise MessageError(self.name, name, str(error)) from error\n",
        "                    raise MessageError(self.name, None, str(error)) from error\n",
        "HLP-PAY-5",
    ),
    Mutant(
        "a number may be infinite or none at all",
        _LAYOUTS,
        "if field.narrowed or field.kind is float else converters",
        "if field.narrowed else converters",
        "HLP-PAY-6",
    ),
    Mutant(
        "a text ends at its first NUL, whatever follows",
        _LAYOUTS,
        '    text = raw.rstrip(b"\\0")\n',
        '    text = raw.partition(b"\\0")[0]\n',
        "HLP-PAY-7",
    ),
    Mutant(
        "a text that is no UTF-8 is mended",
        _LAYOUTS,
        "    return text.decode()\n",
        '    return text.decode(errors="replace")\n',
        "HLP-PAY-7",
    ),
    Mutant(
        "an order with an unknown enumerator is guessed at",
        _DEVICE_END,
        '        if getattr(command, name).name == "UNKNOWN":\n',
        "        if getattr(command, name) is None:\n",
        "HLP-PAY-8",
    ),
    Mutant(
        "a payload with more than is known is refused",
        _LAYOUTS,
        "        if len(payload) < self.least:\n",
        "        if len(payload) < self.least or (self.tail is None and len(payload) > self.size):\n",
        "HLP-PAY-9",
    ),
    Mutant(
        "a command that is not known gets NAK",
        _DEVICE_END,
        "        if header.link_id and header.kind == Kind.COMMAND:\n",
        "        if header.kind == Kind.COMMAND and problem.code is not Code.E_UNKNOWN_MESSAGE:\n",
        "HLP-PAY-10",
    ),
    Mutant(
        "a message that is not known is passed over in silence",
        _DEVICE_END,
        "            self._refuse(header, problem, now)\n        else:\n",
        "            self._refuse(header, problem, now)\n        elif problem.code is not Code.E_UNKNOWN_MESSAGE:\n",
        "HLP-PAY-11",
    ),
    Mutant(
        "the schema of a host of the same minor is not compared",
        _DEVICE_END,
        "        elif hello.minor <= MINOR and hello.schema_id",
        "        elif hello.minor < MINOR and hello.schema_id",
        "HLP-PAY-12",
    ),
    Mutant(
        "a HELLO without a schema id is refused",
        _DEVICE_END,
        "hello.schema_id not in (0, ours := schema_id(hello.minor)):",
        "hello.schema_id != (ours := schema_id(hello.minor)):",
        "HLP-PAY-13",
    ),
    Mutant(
        "WELCOME has the schema of the device's own minor",
        _STATEMENTS,
        "schema_id=schema_id(min(hello.minor, MINOR)),",
        "schema_id=schema_id(MINOR),",
        "HLP-PAY-14",
    ),
    Mutant(
        "the schema of a newer host is compared with that of the device",
        _DEVICE_END,
        "        elif hello.minor <= MINOR and hello.schema_id",
        "        elif hello.schema_id",
        "HLP-PAY-16",
    ),
    Mutant(
        "a host that speaks another major as well is turned away",
        _DEVICE_END,
        "        elif not hello.majors >> MAJOR & 1:\n",
        "        elif hello.majors != 1 << MAJOR:\n",
        "HLP-LNK-2",
    ),
    Mutant(
        "a link's number is that of its port",
        _DEVICE,
        "            link_id = self.nvm.next_link_id()\n",
        "            link_id = self.ports.index(port) + 1\n",
        "HLP-LNK-3",
    ),
    Mutant(
        "WELCOME repeats the same link id for the same host",
        _DEVICE,
        "            link_id = self.nvm.next_link_id()\n",
        "            link_id = hello.host_id & 0xFFFF or 1\n",
        "HLP-LNK-3",
    ),
    Mutant(
        "WELCOME repeats half of the nonce",
        _STATEMENTS,
        "        nonce=hello.nonce,\n",
        "        nonce=hello.nonce & 0xFFFF,\n",
        "HLP-LNK-4",
    ),
    Mutant(
        "WELCOME names the role that the link had before",
        _DEVICE,
        "        port.role = Role.CONTROLLER if hello.role is Role.CONTROLLER else Role.VIEWER\n"
        "        port.host_id = hello.host_id\n"
        "        port.max_payload_size = hello.max_payload_size\n"
        "        port.stream_us = 0\n"
        "        port.exchange.welcome(welcome(self.control, port, link_id, hello, now), greeted, now)\n",
        "        port.host_id = hello.host_id\n"
        "        port.max_payload_size = hello.max_payload_size\n"
        "        port.stream_us = 0\n"
        "        port.exchange.welcome(welcome(self.control, port, link_id, hello, now), greeted, now)\n"
        "        port.role = Role.CONTROLLER if hello.role is Role.CONTROLLER else Role.VIEWER\n",
        "HLP-LNK-5",
    ),
    Mutant(
        "a host whose role is not known is a controller",
        _DEVICE,
        "Role.CONTROLLER if hello.role is Role.CONTROLLER else Role.VIEWER",
        "Role.VIEWER if hello.role is Role.VIEWER else Role.CONTROLLER",
        "HLP-LNK-5",
    ),
    Mutant(
        "the refusal of a host's majors has the number and not its bit",
        _DEVICE_END,
        "now, 1 << MAJOR, hello.majors)",
        "now, MAJOR, hello.majors)",
        "HLP-LNK-6",
    ),
    Mutant(
        "the host with number 0 is linked",
        _DEVICE_END,
        "        elif not hello.host_id:\n"
        '            text = "host_id 0 stands for no host: choose another number, and keep it"\n'
        "            self._nak(header, Problem(Code.E_ARGUMENT, text), now, 1, 0)\n",
        "",
        "HLP-LNK-7",
    ),
    Mutant(
        "one viewer more is linked than there are places",
        _CONTROL,
        "        return viewers < MAX_VIEWERS\n",
        "        return viewers <= MAX_VIEWERS\n",
        "HLP-LNK-8",
    ),
    Mutant(
        "the last place is not kept for a controller",
        _CONTROL,
        "        if role is Role.CONTROLLER:\n            return True\n",
        "",
        "HLP-LNK-8",
    ),
    Mutant(
        "a HELLO that comes twice is given two links",
        _DEVICE_END,
        "        self._greeting = (greeted.correlation_id, greeted.hello, welcome)\n",
        "",
        "HLP-LNK-9",
    ),
    Mutant(
        "a page of the journal is as long as any can be",
        _QUERIES,
        "min(command.max_records, records_per_page(port.max_payload_size))",
        "min(command.max_records, RECORDS_PER_PAGE)",
        "HLP-LNK-12",
    ),
    Mutant(
        "a host may take 128 bytes",
        _FIELDS,
        "MIN_MAX_PAYLOAD_SIZE: Final = 131",
        "MIN_MAX_PAYLOAD_SIZE: Final = 128",
        "HLP-LNK-13",
    ),
    Mutant(
        "an ECHO may be one byte longer than the host takes",
        _QUERIES,
        "    if len(data) > port.max_payload_size:\n",
        "    if len(data) > port.max_payload_size + 1:\n",
        "HLP-LNK-15",
    ),
    Mutant(
        "the longest frame passes for one that is too long",
        _FRAMING,
        "MAX_ENCODED_SIZE: Final = HEADER_SIZE + MAX_PAYLOAD_SIZE + CRC_SIZE + 1",
        "MAX_ENCODED_SIZE: Final = HEADER_SIZE + MAX_PAYLOAD_SIZE + CRC_SIZE",
        "HLP-LNK-16",
    ),
    Mutant(
        "a host's heartbeat is sent back",
        _DEVICE_END,
        "            self._happened.append(fill(Told, (message,)))\n",
        "            self._send(message, now)\n",
        "HLP-LNK-19",
    ),
    Mutant(
        "what comes back of its own is answered",
        _EXCHANGE,
        "                statistics.echoes += 1\n",
        '                self._nak(header, Problem(Code.E_UNSUPPORTED, "only a device sends this"), now)\n',
        "HLP-LNK-20",
    ),
)
