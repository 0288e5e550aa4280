"""Writes the golden vectors: `frames.json` and `records.json`, by an encoder that shares no code with the product.

Law: it imports the standard library alone. Byte stuffing, checksum and field tables are written here once more, from
the specification (`docs/protocol.md`), so that a mistake in the product is not repeated in what judges it. The
tables stand in `catalogue.txt`.

    python -m tests.vectors.make_vectors        rewrites both files in protocols/published/vectors

`frames.json` is for any language: `hex` is what stands on the wire; `outcome` says what a receiver must find.

    message          good; `message` and `fields`; `canonical` true when encoding them gives `hex` again
    bad frame        no frame; `reason` is oversize, cobs, short, crc or length
    bad payload      a good frame whose payload does not fit `message`; `field` is at fault (null: its length)
    unknown message  a good frame of a message that no catalogue has; to be answered with E_UNKNOWN_MESSAGE, in
                     REFUSED where it is a command, else in NAK
    good frame       a good frame that must not be carried out; `receiver` says what is due

`streams` are bytes with several frames; `outcomes` names the vector, or the reason, of each in order. Enumerations
are their numbers, byte arrays hex; a u64 is its decimal digits as a text, since many a reader of JSON has no integer
above 2^53.
"""

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE.parents[1] / "protocols" / "published" / "vectors"
"""Where the files are, in the product: a user gets them with `devicectl spec`."""
KINDS: Final = ("COMMAND", "REPLY", "PROGRESS", "EVENT", "TELEMETRY", "ALARM", "BULK", "LINK")
FORMATS: Final = {"u8": "<B", "enum8": "<B", "kind8": "<B", "bool": "<B", "u16": "<H", "u32": "<I", "u64": "<Q"}
FORMATS_SIGNED: Final = {"i32": "<i", "f64": "<d"}

Vector = dict[str, Any]


def crc32c(data: bytes, polynomial: int = 0x82F63B78, start: int = 0xFFFF_FFFF, final: int = 0xFFFF_FFFF) -> int:
    """CRC-32C (Castagnoli), reflected, one bit at a time."""
    crc = start
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
    return crc ^ final


assert crc32c(b"123456789") == 0xE3069283, "the check value that RFC 3720 and the CRC catalogues give"


def stuff(data: bytes) -> bytes:
    """Consistent Overhead Byte Stuffing of at most 253 bytes: each zero becomes the distance to the next one."""
    assert len(data) <= 253, "longer runs need a second code byte"
    out = bytearray()
    for run in data.split(b"\0"):
        out.append(len(run) + 1)
        out += run
    return bytes(out)


assert stuff(b"") == b"\x01"
assert stuff(b"\x11\x22\x00\x33") == b"\x03\x11\x22\x02\x33"
assert stuff(b"\x00\x00") == b"\x01\x01\x01"


def head(kind: str, message_id: int, size: int, /, **changed: int) -> dict[str, int]:
    """A header's values by name, with `changed` put in place."""
    return {
        "major": 1,
        "kind": KINDS.index(kind),
        "flags": 0,
        "message_id": message_id,
        "seq": 0x0102,
        "link_id": 0x0304,
        "correlation_id": 0x0506,
        "node": 0,
        "payload_size": size,
    } | changed


def body_of(header: dict[str, int], payload: bytes) -> bytes:
    """Header and payload, in bytes written out one by one."""
    words = b"".join(header[name].to_bytes(2, "little") for name in ("message_id", "seq", "link_id", "correlation_id"))
    first = bytes((header["major"] << 4 | header["kind"], header["flags"]))
    return first + words + bytes((header["node"], header["payload_size"])) + payload


def sealed(body: bytes, crc: int | None = None) -> bytes:
    """The wire's bytes; `crc` replaces the right one."""
    return b"\0" + stuff(body + (crc32c(body) if crc is None else crc).to_bytes(4, "little")) + b"\0"


# --- the catalogue ---------------------------------------------------------------------------------------------


def catalogue() -> Iterator[tuple[str, int, str, list[tuple[str, str, str | None]]]]:
    """(kind, id, name, [(wire type, field, value as written or None)]) of each line."""
    for line in (HERE / "catalogue.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            title, _, fields = line.partition(":")
            kind, message_id, name = title.split()
            cells = [re.fullmatch(r"(\S+) (\w+)(?:=(.*))?", cell) for cell in fields.strip().split(", ") if cell]
            yield kind, int(message_id, 16), name, [(cell[1], cell[2], cell[3]) for cell in cells if cell]


def field_bytes(wire: str, written: str | None, offset: int, kind: int) -> tuple[bytes, Any]:
    """One field's bytes, and its value as JSON has it."""
    if wire == "kind8":
        return bytes((kind,)), kind
    if wire in ("u8[]", "u16[]"):
        return tail_bytes(wire, written or "")
    if wire.startswith("s"):
        text = json.loads(written or '""')
        return text.encode().ljust(int(wire[1:]), b"\0"), text
    code = (FORMATS | FORMATS_SIGNED)[wire]
    if written is None:
        raw = bytes(range(offset + 1, offset + 1 + struct.calcsize(code)))
        value = struct.unpack(code, raw)[0]
    else:
        value = json.loads(written)
        raw = struct.pack(code, value)
    return raw, str(value) if wire == "u64" else value


def tail_bytes(wire: str, written: str) -> tuple[bytes, Any]:
    """A tail array's bytes and value."""
    if wire == "u8[]":
        return bytes.fromhex(written), written
    values = [int(word) for word in written.split()]
    return b"".join(value.to_bytes(2, "little") for value in values), values


def built(kind: int, fields: list[tuple[str, str, str | None]], /, **changed: str) -> tuple[bytes, dict[str, Any]]:
    """A payload and its values, with `changed` written in place of the catalogue's values."""
    payload, values = b"", {}
    for wire, name, written in fields:
        raw, value = field_bytes(wire, changed.get(name, written), len(payload), kind)
        payload += raw
        if wire != "kind8":
            values[name] = value
    return payload, values


CATALOGUE: Final = {name: (kind, number, fields) for kind, number, name, fields in catalogue()}
OFFSETS: Final = {
    name: {fields[index][1]: len(built(0, fields[:index])[0]) for index in range(len(fields))}
    for name, (_, _, fields) in CATALOGUE.items()
}


def good(name: str, model: str, /, flags: int = 0, node: int = 0, **changed: str) -> Vector:
    """A message of the catalogue, with some values written anew."""
    kind, message_id, fields = CATALOGUE[model]
    payload, values = built(0, fields, **changed)
    header = head(kind, message_id, len(payload), flags=flags, node=node)
    wire = sealed(body_of(header, payload)).hex()
    shape = {"header": header, "message": model, "fields": values, "canonical": node == 0}
    return {"name": name, "hex": wire, "outcome": "message"} | shape


def with_payload(name: str, model: str, payload: bytes, **meaning: Any) -> Vector:
    """A good frame of a message with any payload."""
    kind, message_id, _ = CATALOGUE[model]
    header = head(kind, message_id, len(payload))
    return {"name": name, "hex": sealed(body_of(header, payload)).hex(), "header": header, "message": model} | meaning


def patched(name: str, model: str, field: str, raw: bytes, reason: str) -> Vector:
    """A payload whose field's bytes are replaced by unlawful ones."""
    payload, _ = built(0, CATALOGUE[model][2])
    at = OFFSETS[model][field]
    payload = payload[:at] + raw + payload[at + len(raw) :]
    return with_payload(name, model, payload, outcome="bad payload", reason=reason, field=field)


# --- the vectors -----------------------------------------------------------------------------------------------


def messages() -> Iterator[Vector]:
    """Every message once, then its extremes."""
    for name, (kind, _, _) in CATALOGUE.items():
        if kind != "RECORD":
            yield good(f"{name}", name)
    yield good("a retried command keeps its numbers and says so", "Punch", flags=0x06)
    yield good("an answer from memory says so", "CountDone", flags=0x08)
    yield good("ignorable flags are ignored", "Suction", flags=0xC0)
    yield good("the node byte is not judged", "Suction", node=9)
    yield good("numbers at their least", "Punch", cycle_no="0", depth_um="0", deadline_ms="0")
    yield good("numbers at their most", "Punch", cycle_no="4294967295", depth_um="65535", deadline_ms="4294967295")
    yield good("the largest u64", "DeviceInfoDone", seed="18446744073709551615")
    yield good("text that fills its field has no NUL", "ParamGet", name=json.dumps("n" * 32))
    yield good("text of two-byte characters", "ParamGet", name=json.dumps("ä" * 16))
    yield good("an empty tail", "SessionOpen", zones_cm2="")
    yield good("the longest payload", "Echo", data="a5" * 224)
    yield good("the longest payload, all zeros", "Echo", data="00" * 224)
    yield good("an empty payload where the tail is all", "Echo", data="")
    yield good("six records make a page", "JournalPage", records=bytes(range(192)).hex())
    yield good("range at its least", "Advance", steps="1")
    yield good("range at both its ends", "SessionOpen", coverage_bp="400", depth_um="4000", target_cores="1000000")


def tolerated() -> Iterator[Vector]:
    """Good payloads that this version would not send, but must read."""
    payload, values = built(0, CATALOGUE["Suction"][2])
    shape = {"outcome": "message", "canonical": False}
    yield with_payload("a later minor's field is cut", "Suction", payload + b"\x07", fields=values, **shape)
    payload, values = built(0, CATALOGUE["StopDone"][2])
    known = {"fields": {"state": 255}} | shape
    yield with_payload("an unknown enumerator reads as 255", "StopDone", b"\xc8", **known)
    payload, values = built(0, CATALOGUE["Heartbeat"][2])
    payload = payload[:2] + b"\x80" + payload[3:]
    yield with_payload("any bool but 0 is true", "Heartbeat", payload, fields=values, **shape)


def bad_payloads() -> Iterator[Vector]:
    """Good frames whose content does not fit their message."""
    for model in ("Suction", "Punch", "Hello", "Welcome", "Nak", "ParamSet", "JournalPage", "SessionOpen"):
        payload, _ = built(0, CATALOGUE[model][2])
        tail = len(payload) - OFFSETS[model][list(OFFSETS[model])[-1]] if model in ("JournalPage", "SessionOpen") else 0
        cut = payload[: len(payload) - tail - 1]
        shape = {"outcome": "bad payload", "reason": "too short", "field": None}
        yield with_payload(f"{model} short of one byte", model, cut, **shape)
    yield with_payload("an empty payload", "Punch", b"", outcome="bad payload", reason="too short", field=None)
    yield patched("a lone continuation byte", "ParamGet", "name", b"\x80", "bad UTF-8")
    yield patched("an overlong slash", "ParamGet", "name", b"\xc0\xaf", "bad UTF-8")
    yield patched("a surrogate", "ParamGet", "name", b"\xed\xa0\x80", "bad UTF-8")
    yield patched("a character cut by the field's end", "ParamGet", "name", b"n" * 31 + b"\xc3", "bad UTF-8")
    yield patched("text goes on after its NUL", "ParamGet", "name", b"a\0b" + bytes(29), "text after NUL")
    yield patched("text after a NUL in front", "AnesthesiaConfirm", "confirmed_by", b"\0x", "text after NUL")
    yield patched("max_payload_size 130", "Hello", "max_payload_size", b"\x82", "out of range")
    yield patched("max_payload_size 225", "Hello", "max_payload_size", b"\xe1", "out of range")
    yield patched("no steps", "Advance", "steps", b"\x00", "out of range")
    yield patched("nine steps", "Advance", "steps", b"\x09", "out of range")
    yield patched("coverage of 3.99 %", "SessionOpen", "coverage_bp", (399).to_bytes(2, "little"), "out of range")
    yield patched("coverage of 8.01 %", "SessionOpen", "coverage_bp", (801).to_bytes(2, "little"), "out of range")
    yield patched("no target", "SessionOpen", "target_cores", bytes(4), "out of range")
    yield patched("depth in the wrong byte order", "SessionOpen", "depth_um", (3000).to_bytes(2, "big"), "out of range")
    yield patched("older than a day", "AnesthesiaStart", "age_s", (86_401).to_bytes(4, "little"), "out of range")
    yield patched("a page of no records", "JournalRead", "max_records", b"\0", "out of range")
    yield patched("slower than a minute", "StreamSet", "interval_ms", (60_001).to_bytes(2, "little"), "out of range")
    yield patched("quiet NaN", "ParamSet", "value", bytes.fromhex("000000000000f87f"), "not finite")
    yield patched("infinity", "ParamSet", "value", bytes.fromhex("000000000000f07f"), "not finite")
    yield patched("minus infinity", "ParamSet", "value", bytes.fromhex("000000000000f0ff"), "not finite")
    payload, _ = built(0, CATALOGUE["SessionOpen"][2])
    odd = {"outcome": "bad payload", "reason": "odd tail", "field": "zones_cm2"}
    yield with_payload("half an element", "SessionOpen", payload + b"\x01", **odd)


def judged_above() -> Iterator[Vector]:
    """Good frames that a receiver must answer, and must not carry out."""
    for name, kind, message_id in (
        ("a command of no catalogue", "COMMAND", 0x7FF0),
        ("a reply's id used as a command", "COMMAND", 0x0010),
        ("a kind that has no messages yet", "BULK", 0x0001),
        ("message 0", "LINK", 0x0000),
    ):
        header = head(kind, message_id, 3)
        wire = sealed(body_of(header, b"\1\2\3")).hex()
        yield {"name": name, "hex": wire, "outcome": "unknown message", "header": header, "payload": "010203"}
    payload, _ = built(0, CATALOGUE["Suction"][2])
    refuse = {"major": "NAK E_VERSION", "kind": "NAK E_UNKNOWN_MESSAGE", "flags": "drop, NAK E_UNSUPPORTED"}
    for name, changed in (
        ("major 0", {"major": 0}),
        ("major 2", {"major": 2}),
        ("major 15", {"major": 15}),
        ("kind 8 is not assigned", {"kind": 8}),
        ("must-understand bit 4", {"flags": 0x10}),
        ("must-understand bit 5", {"flags": 0x20}),
        ("both must-understand bits", {"flags": 0x32}),
    ):
        header = head("COMMAND", 0x0308, len(payload), **changed)
        wire = sealed(body_of(header, payload)).hex()
        due = refuse[next(iter(changed))]
        yield {"name": name, "hex": wire, "outcome": "good frame", "header": header, "receiver": due}


def bad_frames() -> Iterator[Vector]:
    """Bytes between zeros that are no frame."""
    payload, _ = built(0, CATALOGUE["Punch"][2])
    header = head("COMMAND", 0x0307, len(payload))
    body = body_of(header, payload)
    right = crc32c(body)

    def bad(name: str, stuffed: bytes, reason: str, **more: Any) -> Vector:
        return {"name": name, "hex": (b"\0" + stuffed + b"\0").hex(), "outcome": "bad frame", "reason": reason} | more

    def bad_crc(name: str, body: bytes, crc: int) -> Vector:
        stuffed = stuff(body + crc.to_bytes(4, "little"))
        return bad(name, stuffed, "crc", crc_expected=crc32c(body), crc_received=crc)

    for at, what in ((0, "kind"), (1, "flags"), (2, "id"), (4, "seq"), (11, "length"), (12, "payload"), (21, "last")):
        hit = body[:at] + bytes((body[at] ^ 0x01,)) + body[at + 1 :]
        yield bad_crc(f"one bit of the {what} byte", hit, right)
    yield bad_crc("one bit of the CRC", body, right ^ 0x8000_0000)
    yield bad_crc("CRC of zero", body, 0)
    yield bad_crc("CRC in the wrong byte order", body, int.from_bytes(right.to_bytes(4, "little"), "big"))
    yield bad_crc("CRC-32 of zip instead of CRC-32C", body, crc32c(body, polynomial=0xEDB88320))
    yield bad_crc("CRC not begun with ones", body, crc32c(body, start=0))
    yield bad_crc("CRC not complemented", body, crc32c(body, final=0))
    yield bad_crc("CRC over the payload alone", body, crc32c(payload))
    yield bad_crc("CRC with the bits of two bytes exchanged", body[:12] + body[13:14] + body[12:13] + body[14:], right)
    for size in (0, 9, 11, 255):
        wrong = body_of(head("COMMAND", 0x0307, size), payload)
        yield bad(f"payload of 10 says {size}", sealed(wrong)[1:-1], "length")
    yield bad("nothing but a code byte", b"\x01", "short")
    yield bad("a CRC and nothing else", stuff(crc32c(b"").to_bytes(4, "little")), "short")
    yield bad("a header without a CRC", stuff(body[:12]), "short")
    yield bad("a header one byte short, with its CRC", sealed(body[:11])[1:-1], "short")
    yield bad("a code byte that points past the end", b"\x05\x11\x22", "cobs")
    yield bad("a frame without its last byte", sealed(body)[1:-2], "cobs")
    yield bad("a lone 0xff", b"\xff", "cobs")
    yield bad("one byte too long", b"\x02\x11" * 121, "oversize")
    yield bad(
        "a whole frame of 225 bytes of payload", sealed(body_of(head("COMMAND", 7, 225), b"z" * 225))[1:-1], "oversize"
    )
    yield bad("a kilobyte without a zero", b"\x55" * 1024, "oversize")


def streams(frames: list[Vector]) -> list[Vector]:
    """Several frames in a row, by their names."""
    wire = {vector["name"]: bytes.fromhex(vector["hex"]) for vector in frames}
    punch, stop, bad = wire["Punch"], wire["Stop"], wire["one bit of the CRC"]
    plans = [
        ("neighbours", punch + stop, ["Punch", "Stop"]),
        ("neighbours that share one zero", punch + stop[1:], ["Punch", "Stop"]),
        ("many zeros between", punch + bytes(50) + stop, ["Punch", "Stop"]),
        ("a bad frame between good ones", punch + bad + stop, ["Punch", "crc", "Stop"]),
        ("noise runs into the opening zero", b"\x55\xaa" + punch, ["cobs", "Punch"]),
        ("a closing zero is lost, the next frame is not", punch[:-1] + stop, ["Punch", "Stop"]),
        ("a frame cut short", punch[:9] + stop, ["cobs", "Stop"]),
        ("an endless frame ends at the next zero", b"\x55" * 700 + stop, ["oversize", "Stop"]),
        ("an unfinished frame is no outcome", stop + punch[:-1], ["Stop"]),
    ]
    return [{"name": name, "hex": data.hex(), "outcomes": outcomes} for name, data, outcomes in plans]


def record_vectors() -> Iterator[Vector]:
    """Every kind of journal record, and what must be refused."""
    for name, (kind, number, fields) in CATALOGUE.items():
        if kind == "RECORD":
            raw, values = built(number, fields)
            shape = {"outcome": "record", "record": name, "fields": values, "canonical": True}
            yield {"name": name, "hex": raw.ljust(32, b"\0").hex()} | shape
    raw, values = built(0, CATALOGUE["Gap"][2])
    shape = {"outcome": "record", "record": "Gap", "fields": values, "canonical": False}
    yield {"name": "padding is not judged", "hex": raw.ljust(32, b"\xff").hex()} | shape
    raw, values = built(1, CATALOGUE["Cycle"][2], ending="77")
    shape = {"outcome": "record", "record": "Cycle", "fields": values | {"ending": 255}, "canonical": False}
    yield {"name": "an unknown ending reads as 255", "hex": raw.hex()} | shape
    for number in (10, 200, 255):
        raw = built(number, CATALOGUE["Gap"][2])[0].ljust(32, b"\0")
        yield {"name": f"kind {number} is not known", "hex": raw.hex(), "outcome": "unknown kind"}
    for size in (0, 31, 33):
        raw = built(0, CATALOGUE["Gap"][2])[0].ljust(33, b"\0")[:size]
        yield {"name": f"{size} bytes", "hex": raw.hex(), "outcome": "bad record", "field": None}
    raw = built(6, CATALOGUE["ParameterSet"][2][:-1])[0] + bytes.fromhex("000000000000f87f")
    hit = {"outcome": "bad record", "field": "value"}
    yield {"name": "a parameter that is no number", "hex": raw.ljust(32, b"\0").hex()} | hit


def rendered() -> dict[str, str]:
    """Both files' text, by name."""
    frames = [*messages(), *tolerated(), *bad_payloads(), *judged_above(), *bad_frames()]
    names = [vector["name"] for vector in frames]
    assert len(set(names)) == len(names), "a vector's name is its handle"
    about = (__doc__ or "").splitlines()[0]
    whole = {
        "frames.json": {"protocol": "HLP/1", "minor": 0, "about": about, "frames": frames, "streams": streams(frames)},
        "records.json": {"protocol": "HLP/1", "minor": 0, "about": about, "records": list(record_vectors())},
    }
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in whole.items()}


if __name__ == "__main__":
    for file_name, text in rendered().items():
        (FOLDER / file_name).write_text(text, encoding="utf-8")
