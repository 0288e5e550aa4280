"""The part of the C header that judges a payload: each message's size and each field's range, off the same models.

Law: it refuses exactly what the layouts refuse, and an order whose enumerator is not known; a test sends both the same
payloads. Tables are inside the functions that read them, so that a source which calls neither has neither.
"""

from collections.abc import Iterator
from typing import Final

from protocols.language.enums import Kind, WireEnum
from protocols.language.fields import Field
from protocols.language.layouts import layout
from protocols.language.message import Message
from protocols.language.sides import Side, only_sender

_HEAD: Final = """
/* --- what is no payload --- */

#ifdef HLP1_CHECKS

/* A message: bytes that its payload has at the least, and of one element of the array that fills the rest (0: none);
 * whether a device alone sends it, so that one which hears it hears itself; its last fixed field, and its array. */
struct hlp1_message { uint16_t id; uint8_t kind, least, element, of_device; const char *last_field, *array; };

/* The message of a kind and an id; 0 where this version knows none. */
static inline const struct hlp1_message *hlp1_message_of(unsigned kind, unsigned id) {
    static const struct hlp1_message messages[] = {
"""
_MIDDLE: Final = """\
    };
    for (unsigned n = 0; n < sizeof messages / sizeof messages[0]; n++)
        if (messages[n].id == id && messages[n].kind == kind) return messages + n;
    return 0;
}

/* UTF-8 in its shortest form, without surrogates, and nothing but NUL behind the first NUL. */
static inline int hlp1_is_text(const uint8_t *text, unsigned size) {
    static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
    unsigned at = 0;
    while (at < size && text[at]) {
        unsigned first = text[at++], more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : 3;
        uint32_t point = more ? first & (0x3Fu >> more) : first;
        if ((more == 3 && first >> 3 != 30) || more > size - at) return 0;
        for (unsigned n = 0; n < more; n++, at++) {
            if (text[at] >> 6 != 2) return 0;
            point = point << 6 | (text[at] & 0x3Fu);
        }
        if (point < least[more] || point > 0x10FFFF || point >> 11 == 0x1B) return 0;
    }
    while (at < size && !text[at]) at++;
    return at == size;
}

/* The field that keeps `size` bytes from being the payload of a message; 0 where nothing does. */
static inline const char *hlp1_wrong_field(const struct hlp1_message *of, const uint8_t *payload, unsigned size) {
    /* A number from `low` to `high`; a text, where `high` is 0; of eight bytes one that is neither NaN nor infinite. */
    static const struct {
        uint16_t id; uint8_t kind, offset, size; uint32_t low, high; const char *field;
    } limits[] = {
"""
_TAIL: Final = """\
    };
    if (size < of->least) return of->last_field;
    if (of->element && (size - of->least) % of->element) return of->array;
    for (unsigned n = 0; n < sizeof limits / sizeof limits[0]; n++) {
        unsigned bytes = limits[n].size, last = limits[n].offset + bytes;
        uint32_t number = 0;
        if (limits[n].id != of->id || limits[n].kind != of->kind || last > size) continue; /* a later minor's: absent */
        for (unsigned i = 0; i < bytes && i < 4; i++) number |= (uint32_t)payload[limits[n].offset + i] << 8 * i;
        if (bytes <= 4 ? number < limits[n].low || number > limits[n].high
            : limits[n].high ? (payload[last - 1] & 0x7F) == 0x7F && payload[last - 2] >= 0xF0
            : !hlp1_is_text(payload + limits[n].offset, bytes)) return limits[n].field;
    }
    return 0;
}

#endif
"""


def checks(models: list[type[Message]]) -> str:
    """Return the functions and their tables, between the lines of a preprocessor's condition."""
    return _HEAD + "".join(map(_message, models)) + _MIDDLE + "".join(_limits(models)) + _TAIL


def _message(model: type[Message]) -> str:
    found = layout(model)
    of_device = int(only_sender(model.KIND, model.ID) is Side.DEVICE)
    last = found.fields[-1][0] if found.fields else ""
    element = 0 if found.tail is None else found.tail.size
    names = f'"{last}", "{found.tail_name}"'
    return f"        {{0x{model.ID:04X}u, {model.KIND:d}, {found.least}, {element}, {of_device}, {names}}},\n"


def _limits(models: list[type[Message]]) -> Iterator[str]:
    for model in models:
        offset = 0
        for name, field in model.FIELDS.items():
            limits = _limits_of(field, order=model.KIND is Kind.COMMAND)
            if limits is not None and not field.wire.tail:
                low, high = limits
                where = f"0x{model.ID:04X}u, {model.KIND:d}, {offset}, {field.wire.size}"
                yield f'        {{{where}, {low}u, {high}u, "{name}"}},\n'
            offset += field.wire.size


def _limits_of(field: Field, *, order: bool) -> tuple[int, int] | None:
    """Return the least and the greatest value of a field, with (0, 0) for a text and (0, 1) for a real number."""
    if field.wire.code.endswith("s"):
        return 0, 0
    if field.wire.code == "d":
        return 0, 1
    if issubclass(field.kind, WireEnum):
        if not order:
            return None  # an answer may carry what is not known
        known = sorted(int(member) for member in field.kind if member.name != "UNKNOWN")
        assert known == list(range(known[0], known[-1] + 1)), f"{field.kind.__name__} has gaps"
        return known[0], known[-1]
    return (int(field.range.low), int(field.range.high)) if field.narrowed else None
