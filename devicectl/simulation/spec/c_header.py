"""The C header of HLP/1: what a host or device in C or C++ has to know of the protocol, off the models of all else.

Law: every number in it comes from the code; nothing is typed twice. C99 with no include but <stdint.h>; an array that
fills a payload's rest is named in a comment, since C++ has no such member. The framing, which no model describes, is
C by hand, and is held to the golden frames.
"""

import re
import struct
import textwrap
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Final

from devicectl.session.count import MAX_NEEDLES
from devicectl.simulation.spec.c_checks import checks
from firmware_sim.commands.queries import RECORDS_PER_PAGE
from firmware_sim.model.interlocks import ALARMS, INTERLOCKS
from protocols.language import alarm_codes, interlocks
from protocols.language.enums import Kind, NeedleOutcome, WireEnum
from protocols.language.fields import MAX_PAYLOAD_SIZE, Field, WireType
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY, Message
from protocols.language.records import RECORD_SIZE, RECORDS, Record
from protocols.language.schema import schema_id
from protocols.language.structs import Struct
from protocols.language.units import MILLISECOND
from protocols.language.version import MAJOR, MINOR
from protocols.link import header
from protocols.link.answers import REMEMBERED
from protocols.link.budget import MAX_LINKS_PER_SECOND, MAX_NAKS_PER_SECOND
from protocols.link.requests import FIRST_RTO_US, MAX_TRIES, MIN_RTO_US
from protocols.serial import framing
from protocols.text.notice import NOTICE

WIDTH: Final = 120
TYPES: Final = {"B": "uint8_t", "?": "uint8_t", "H": "uint16_t", "I": "uint32_t", "Q": "uint64_t", "i": "int32_t",
                "d": "double"}  # fmt: skip
"""`struct` code -> C type; texts are `char[n]`."""
_WORDS: Final = """
    alignas alignof and asm auto bool break case catch char class compl concept const continue decltype default delete
    do double else enum explicit export extern false float for friend goto if inline int long mutable namespace new
    noexcept not nullptr operator or private protected public register requires restrict return short signed sizeof
    static struct switch template this throw true try typedef typeid typename typeof union unsigned using virtual void
    volatile while xor
"""
RESERVED: Final = frozenset(_WORDS.split())
"""Words of C and C++: a field that is called so has an underscore after its name."""
KIND_OFFSET: Final = 8
"""Offset of a record's kind."""

_HEAD: Final = f"""\
/* HLP/1, the Handpiece Link Protocol, for hosts and devices in C99 or C++. {NOTICE}.
 *
 * Made from protocols/ and firmware_sim/; to change it, change the code and run `make docs`. What it all means is in
 * docs/protocol.md; frames to test with are in frames.json.
 *
 *   HLP1_MSG_X    a message's id; a command and the reply that ends it share one and differ in kind
 *   HLP1_SIZE_X   bytes of its fixed fields
 *   struct hlp1_x its payload, packed; where an array fills the payload's rest, its beginning is at HLP1_SIZE_X
 *
 * A comment behind a field is its offset, its wire type, its unit and its range. Numbers are little-endian: copy bytes
 * with memcpy on such a machine, convert on another. A text (char[n]) is UTF-8 filled up with NUL; one that fills
 * its field has none, so print it with "%.*s". A value that an enumeration does not list is to be read as UNKNOWN.
 *
 * With HLP1_FRAMES defined before the include, three functions put frames on a wire and find them there; with
 * HLP1_CHECKS two more say what a message is, and which field keeps bytes from being its payload. */
#ifndef HLP1_H
#define HLP1_H

#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ && !defined(HLP1_HOST_CONVERTS)
#error "HLP/1 is little-endian and this machine is not: convert each field, and say so with HLP1_HOST_CONVERTS"
#endif
"""
_FRAMES: Final = """
/* --- frames --- */

#ifdef HLP1_FRAMES

struct hlp1_frame { struct hlp1_header header; uint8_t payload[HLP1_MAX_PAYLOAD_SIZE]; };

/* One direction of a wire, zeroed before its first byte: what came since the last zero. */
struct hlp1_decoder { uint8_t kept[HLP1_MAX_ENCODED_SIZE]; unsigned used, discarding; };

/* What a byte completes: nothing yet, a frame, or bytes that are none, for the first reason in this order. */
enum hlp1_found {
    HLP1_FOUND_NOTHING = 0,
    HLP1_FOUND_FRAME = 1,
    HLP1_FOUND_OVERSIZE = 2,
    HLP1_FOUND_COBS = 3,
    HLP1_FOUND_SHORT = 4,
    HLP1_FOUND_CRC = 5,
    HLP1_FOUND_LENGTH = 6
};

static inline uint32_t hlp1_crc32c(const uint8_t *data, unsigned size) {
    uint32_t crc = 0xFFFFFFFFu;
    for (unsigned i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1u ? 0x82F63B78u : 0u);
    }
    return ~crc;
}

/* Header, the payload that header.payload_size tells, and checksum, stuffed between two zeros. `wire` has room for
 * HLP1_MAX_FRAME_SIZE bytes; returns how many were written. */
static inline unsigned hlp1_encode(const struct hlp1_frame *frame, uint8_t *wire) {
    const uint8_t *body = (const uint8_t *)frame;
    unsigned size = HLP1_HEADER_SIZE + frame->header.payload_size, code = 1, out = 2;
    uint32_t crc = hlp1_crc32c(body, size);
    wire[0] = 0;
    for (unsigned i = 0; i < size + HLP1_CRC_SIZE; i++) {
        uint8_t byte = i < size ? body[i] : (uint8_t)(crc >> 8 * (i - size));
        if (byte) { wire[out++] = byte; continue; }
        wire[code] = (uint8_t)(out - code);
        code = out++;
    }
    wire[code] = (uint8_t)(out - code);
    wire[out++] = 0;
    return out;
}

/* What stood between two zeros. */
static inline enum hlp1_found hlp1_decode(const uint8_t *stuffed, unsigned size, struct hlp1_frame *frame) {
    uint8_t body[HLP1_MAX_ENCODED_SIZE];
    unsigned out = 0;
    uint32_t crc = 0;
    for (unsigned in = 0; in < size;) {
        unsigned run = stuffed[in++] - 1u; /* never 0 - 1: there is no zero between zeros */
        if (run > size - in) return HLP1_FOUND_COBS;
        while (run--) body[out++] = stuffed[in++];
        if (in < size) body[out++] = 0;
    }
    if (out < HLP1_HEADER_SIZE + HLP1_CRC_SIZE) return HLP1_FOUND_SHORT;
    out -= HLP1_CRC_SIZE;
    for (unsigned i = 0; i < HLP1_CRC_SIZE; i++) crc |= (uint32_t)body[out + i] << 8 * i;
    if (crc != hlp1_crc32c(body, out)) return HLP1_FOUND_CRC;
    if (body[HLP1_HEADER_SIZE - 1] != out - HLP1_HEADER_SIZE) return HLP1_FOUND_LENGTH;
    for (unsigned i = 0; i < out; i++) ((uint8_t *)frame)[i] = body[i];
    return HLP1_FOUND_FRAME;
}

/* Takes the next byte off the wire; `frame` is written only where a frame is found. */
static inline enum hlp1_found hlp1_feed(struct hlp1_decoder *decoder, uint8_t byte, struct hlp1_frame *frame) {
    unsigned size = decoder->used;
    if (byte && decoder->discarding) return HLP1_FOUND_NOTHING;
    if (byte && size < HLP1_MAX_ENCODED_SIZE) {
        decoder->kept[decoder->used++] = byte;
        return HLP1_FOUND_NOTHING;
    }
    decoder->used = 0;
    decoder->discarding = byte != 0; /* too long: said once, and skipped up to the next zero */
    if (byte) return HLP1_FOUND_OVERSIZE;
    return size ? hlp1_decode(decoder->kept, size, frame) : HLP1_FOUND_NOTHING;
}

#endif
"""


def text() -> str:
    """The whole header."""
    models = sorted(
        (m for m in REGISTRY.values() if m.__module__.startswith("protocols.")), key=lambda m: (m.ID, m.KIND)
    )
    parts = [
        _HEAD,
        "/* --- version, frames, limits --- */\n",
        *_numbers(_limits()),
        "\n/* --- message ids --- */\n",
        *(_define(f"HLP1_MSG_{_upper(model)}", f"0x{model.ID:04X}u", model.KIND.name) for model in models),
        "\n/* --- enumerations --- */",
        *(_enumeration(_snake(kind.__name__), _members(kind), kind.__doc__ or "") for kind in _enums()),
        _enumeration("interlock", *_interlocks()),
        _enumeration("alarm_code", *_alarms()),
        "/* --- payloads --- */\n\n#pragma pack(push, 1)\n",
        _frame_header(),
        *(_payload(model) for model in models),
        "/* --- journal records --- */\n",
        *(_record(model) for model in RECORDS.values()),
        "#pragma pack(pop)\n",
        "/* --- what a compiler must make of it --- */\n",
        *_checks(models),
        _FRAMES,
        checks(models),
        "#endif\n",
    ]
    return "\n".join(parts).replace("\n\n\n", "\n\n").rstrip("\n") + "\n"


# --- numbers -------------------------------------------------------------------------------------------------------


def _limits() -> dict[str, tuple[str, str]]:
    return {
        "HLP1_NOTICE": (f'"{NOTICE}"', ""),
        "HLP1_MAJOR": (f"{MAJOR}u", "the high four bits of a frame's first byte"),
        "HLP1_MINOR": (f"{MINOR}u", "the minor version that this header describes"),
        "HLP1_SCHEMA_ID": (f"0x{schema_id(MINOR):08X}u", "goes into HELLO; WELCOME must bring the same"),
        "HLP1_SCHEMA_IDS": (
            "{" + ", ".join(f"0x{schema_id(minor):08X}u" for minor in range(MINOR + 1)) + "}",
            "by minor: HELLO's is the host's minor's",
        ),
        "HLP1_HEADER_SIZE": (f"{header.HEADER_SIZE}u", ""),
        "HLP1_CRC_SIZE": (f"{framing.CRC_SIZE}u", "CRC-32C, low byte first"),
        "HLP1_MAX_PAYLOAD_SIZE": (f"{MAX_PAYLOAD_SIZE}u", ""),
        "HLP1_MAX_ENCODED_SIZE": (f"{framing.MAX_ENCODED_SIZE}u", "stuffed, between the two zeros"),
        "HLP1_MAX_FRAME_SIZE": (f"{framing.MAX_ENCODED_SIZE + 2}u", "with both zeros"),
        "HLP1_FLAG_SIGNED": (f"0x{header.SIGNED:02X}u", "reserved"),
        "HLP1_FLAG_REPLY_WANTED": (f"0x{header.REPLY_WANTED:02X}u", ""),
        "HLP1_FLAG_RETRANSMIT": (f"0x{header.RETRANSMIT:02X}u", "this frame was sent before"),
        "HLP1_FLAG_REPLAYED": (f"0x{header.REPLAYED:02X}u", "answered from memory: nothing was done for it now"),
        "HLP1_FLAG_MUST_UNDERSTAND": (f"0x{header.MUST_UNDERSTAND:02X}u", "who does not know such a bit does not act"),
        "HLP1_FIRST_RTO_MS": (f"{FIRST_RTO_US // MILLISECOND}u", "for the first answer; each retry half as long again"),
        "HLP1_LEAST_RTO_MS": (f"{MIN_RTO_US // MILLISECOND}u", "where round trips are measured"),
        "HLP1_MAX_TRIES": (f"{MAX_TRIES}u", "without an answer to them the link is lost"),
        "HLP1_MAX_NAKS_PER_SECOND": (f"{MAX_NAKS_PER_SECOND}u", ""),
        "HLP1_MAX_LINKS_PER_SECOND": (f"{MAX_LINKS_PER_SECOND}u", "on one port; a HELLO beyond it is passed over"),
        "HLP1_ANSWERS_REMEMBERED": (f"{REMEMBERED}u", "of motions, and as many others, by the device on one link"),
        "HLP1_RECORD_SIZE": (f"{RECORD_SIZE}u", "a journal record, zero-padded"),
        "HLP1_RECORDS_PER_PAGE": (f"{RECORDS_PER_PAGE}u", "fit one payload"),
        "HLP1_MAX_NEEDLES": (f"{MAX_NEEDLES}u", "four bits each in a cycle's outcomes"),
    }  # fmt: skip


def _numbers(values: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    for name, (value, meaning) in values.items():
        yield _define(name, value, meaning)


def _define(name: str, value: str, meaning: str) -> str:
    line = f"#define {name:<36} {value}"
    return f"{line} /* {meaning} */" if meaning else line


# --- enumerations --------------------------------------------------------------------------------------------------

_Rows = list[tuple[str, int, str]]


def _enums() -> list[type[IntEnum]]:
    return [Kind, NeedleOutcome, *WireEnum.__subclasses__()]


def _members(kind: type[IntEnum]) -> _Rows:
    return [(member.name, member.value, "") for member in kind]


def _names_in(module: object, known: Mapping[int, object]) -> dict[int, str]:
    """Number -> the name of the constant of a module that is that number."""
    pairs = vars(module).items()
    return {value: name for name, value in pairs if name.isupper() and isinstance(value, int) and value in known}


def _interlocks() -> tuple[_Rows, str]:
    names = _names_in(interlocks, INTERLOCKS)
    rows = [(names[row.number], row.number, row.hazard) for row in INTERLOCKS.values()]
    return [("NONE", 0, "no interlock spoke"), *rows], "What refused or stopped a motion: its number, and the hazard."


def _alarms() -> tuple[_Rows, str]:
    names = _names_in(alarm_codes, ALARMS)
    rows = []
    for rule in ALARMS.values():
        latched = ", latched" if rule.latched else ""
        rows.append((names[rule.code], rule.code, f"{rule.priority.name}{latched}: {rule.sentence}"))
    return rows, "Alarm codes; 1501 is shown as MC-1501. The first two digits are the interlock's number."


def _enumeration(name: str, rows: _Rows, doc: str) -> str:
    lines = []
    for index, (member, value, meaning) in enumerate(rows):
        comma = "," if index < len(rows) - 1 else ""
        line = f"    HLP1_{name.upper()}_{member} = {value}{comma}"
        beside = f"{line} /* {meaning} */" if meaning else line
        lines += [beside] if len(beside) <= WIDTH else [f"    /* {meaning} */", line]
    return f"{_comment(doc)}enum hlp1_{name} {{\n" + "\n".join(lines) + "\n};\n"


# --- structs -------------------------------------------------------------------------------------------------------


def _payload(model: type[Message]) -> str:
    found = layout(model)
    title = f"{model.KIND.name} 0x{model.ID:04X}: {_first_paragraph(model)}"
    if found.tail is not None:
        title += f" At {found.size} follows {found.tail.name} {found.tail_name}, to the payload's end."
    size = _define(f"HLP1_SIZE_{_upper(model)}", f"{found.size}u", "" if found.fields else "no fixed fields")
    return f"{_comment(title)}{size}\n{_struct(model)}"


def _record(model: type[Record]) -> str:
    return f"{_comment(f'Kind {model.KIND:d}: {_first_paragraph(model)}')}{_struct(model)}"


def _struct(model: type[Struct]) -> str:
    rows = list(_members_of(model))
    if not rows:
        return ""
    lines = [_member(name, offset, wire, said) for name, offset, wire, said in rows]
    if issubclass(model, Record) and (rest := RECORD_SIZE - rows[-1][1] - rows[-1][2].size):
        lines.append(f"    uint8_t zeros[{rest}];")
    return f"struct hlp1_{_struct_name(model)} {{\n" + "\n".join(lines) + "\n};\n"


def _members_of(model: type[Struct]) -> Iterator[tuple[str, int, WireType, str]]:
    """(C name, offset, wire type, what else a comment says) of each fixed field; a record's kind is one of them."""
    offset = 0
    for name, field in model.FIELDS.items():
        if issubclass(model, Record) and offset == KIND_OFFSET:
            yield "kind", offset, WireType("enum8", "B", 1), "enum hlp1_record_kind"
            offset += 1
        wire = field.wire
        if not wire.tail:
            yield member_name(name), offset, wire, _said(field)
        offset += wire.size


def _member(name: str, offset: int, wire: WireType, said: str) -> str:
    declared = f"char {name}[{wire.size}];" if wire.code.endswith("s") else f"{TYPES[wire.code]} {name};"
    return f"    {declared:<34} /* {offset:>3} {wire.name}{', ' if said else ''}{said} */"


def _said(field: Field) -> str:
    """An enumeration's name, or unit and range."""
    if issubclass(field.kind, WireEnum):
        return f"enum hlp1_{_snake(field.kind.__name__)}"
    said = [field.unit] if field.unit else []
    if field.narrowed:
        said.append(f"{field.range.low} to {field.range.high}")
    return ", ".join(said)


def _frame_header() -> str:
    codes = framing.HEADER_FORMAT.lstrip("<")
    lines, offset = [], 0
    for name, code in zip(header.Header._fields, codes, strict=True):
        wire = WireType(f"u{8 * struct.calcsize(code)}", code, struct.calcsize(code))
        lines.append(_member(name, offset, wire, "HLP1_MAJOR << 4 | enum hlp1_kind" if offset == 0 else ""))
        offset += wire.size
    return "/* The twelve bytes before each payload. */\nstruct hlp1_header {\n" + "\n".join(lines) + "\n};\n"


def _checks(models: list[type[Message]]) -> Iterator[str]:
    """One typedef a struct, of an array that cannot be where the size is another: C99 has no static assertion."""
    yield "#define HLP1_CHECK(name, size) typedef char hlp1_check_##name[sizeof(struct hlp1_##name) == (size) ? 1 : -1]"
    yield "HLP1_CHECK(header, HLP1_HEADER_SIZE);"
    for model in models:
        if layout(model).fields:
            yield f"HLP1_CHECK({_struct_name(model)}, {layout(model).size});"
    for record in RECORDS.values():
        yield f"HLP1_CHECK({_struct_name(record)}, HLP1_RECORD_SIZE);"


# --- words ---------------------------------------------------------------------------------------------------------


def member_name(field: str) -> str:
    """Name of a field in C."""
    return f"{field}_" if field in RESERVED else field


def _struct_name(model: type[Struct]) -> str:
    return ("record_" if issubclass(model, Record) else "") + _snake(model.__name__)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _upper(model: type[Struct]) -> str:
    return _snake(model.__name__).upper()


def _first_paragraph(model: type[Struct]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _comment(words: str) -> str:
    lines = textwrap.wrap(" ".join(words.split()), WIDTH - 6, break_on_hyphens=False)
    return "\n/* " + "\n * ".join(lines) + " */\n"
