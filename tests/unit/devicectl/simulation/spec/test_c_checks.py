"""The C header's judgement of payloads against that of the layouts, on the same payloads."""

import random
import subprocess
from collections.abc import Callable
from typing import Final

import pytest

from devicectl.simulation.spec import c_header
from protocols.language.enums import Kind, WireEnum
from protocols.language.errors import MessageError
from protocols.language.layouts import LAYOUTS
from protocols.language.message import REGISTRY, Message
from protocols.language.sides import Side, only_sender
from tests.patience import patience

PROGRAM: Final = r"""
#include <stdio.h>
#define HLP1_CHECKS
#include "hlp1.h"
static unsigned nibble(int c) { return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10); }
int main(void) {
    static char line[1024];
    while (fgets(line, sizeof line, stdin)) {
        unsigned kind, id, size = 0; int at = 0; uint8_t payload[224];
        if (sscanf(line, "%u %u %n", &kind, &id, &at) != 2) return 1;
        for (; line[at] > ' '; at += 2) payload[size++] = (uint8_t)(nibble(line[at]) << 4 | nibble(line[at + 1]));
        const struct hlp1_message *of = hlp1_message_of(kind, id);
        const char *field = of ? hlp1_wrong_field(of, payload, size) : "";
        printf("%d %d %s\n", of != 0, of ? of->of_device : 0, !of ? "" : field ? field : "sound");
    }
    return 0;
}
"""
SPECIAL: Final = (b"", b"\0", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\0b", "é€𐍈".encode())


@pytest.fixture(scope="module", params=[["cc", "-std=c99"], ["c++", "-x", "c++"]])
def judge(
    request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[list[tuple[int, int, bytes]]], list[list[str]]]:
    """What C says of (kind, id, payload): known, of a device, and the field or "sound"."""
    folder = tmp_path_factory.mktemp("checks")
    (folder / "hlp1.h").write_text(c_header.text(), encoding="utf-8")
    (folder / "judge.c").write_text(PROGRAM, encoding="utf-8")
    compiler, *options = request.param
    warnings = [
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Werror",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ]
    line = [program(compiler), *options, *warnings, "-o", folder / "judge", folder / "judge.c"]
    subprocess.run(line, check=True, timeout=patience())

    def ask(payloads: list[tuple[int, int, bytes]]) -> list[list[str]]:
        text = "".join(f"{kind} {message_id} {payload.hex()}\n" for kind, message_id, payload in payloads)
        done = subprocess.run(
            [folder / "judge"], input=text, capture_output=True, text=True, timeout=patience(), check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return [line.split(" ", 2) for line in done.stdout.splitlines()]

    return ask


def wrong(model: type[Message], payload: bytes) -> bool:
    """Our own judgement: it is no payload, or an order whose enumerator is not known."""
    try:
        message = LAYOUTS[model].decode(payload)
    except MessageError:
        return True
    values = message.as_dict().values()
    return model.KIND is Kind.COMMAND and any(isinstance(one, WireEnum) and one.name == "UNKNOWN" for one in values)


def payloads(model: type[Message], rng: random.Random) -> list[bytes]:
    """Payloads of a message, most of them nearly right: zeros, small numbers, texts, and lengths around its own."""
    size = LAYOUTS[model].size
    found = [bytes(size), b"\xff" * size, bytes(max(0, size - 1)), bytes(size + 1), bytes(size + 2), b""]
    for _ in range(60):
        made = bytearray(rng.choice((0, 0, 0, 1, 2, 8, 9, 65, 131, 200, 244)) for _ in range(size))
        special = rng.choice(SPECIAL)
        at = rng.randrange(size + 1)
        made[at : at + len(special)] = special
        found.append(bytes(made[:size]))
    return found


def test_both_judge_alike(judge: Callable[[list[tuple[int, int, bytes]]], list[list[str]]]) -> None:
    rng = random.Random("checks")
    cases = [(model, payload) for model in REGISTRY.values() for payload in payloads(model, rng)]
    said = judge([(model.KIND, model.ID, payload) for model, payload in cases])
    assert any(wrong(*case) for case in cases) and not all(wrong(*case) for case in cases)
    for (model, payload), (known, of_device, field) in zip(cases, said, strict=True):
        assert known == "1" and of_device == str(int(only_sender(model.KIND, model.ID) is Side.DEVICE))
        assert (field != "sound") == wrong(model, payload), (model.__name__, payload.hex(), field)


def test_ranges_are_inclusive_and_the_field_is_named(
    judge: Callable[[list[tuple[int, int, bytes]]], list[list[str]]],
) -> None:
    """A device that refuses a payload has to say by which field."""
    rows = [
        ("coverage_bp", 4, 399),
        ("sound", 4, 400),
        ("sound", 4, 800),
        ("coverage_bp", 4, 801),
        ("depth_um", 6, 4001),
    ]
    right = (60).to_bytes(4, "little") + (600).to_bytes(2, "little") + (3000).to_bytes(2, "little") + b"\5\0"
    cases = []
    for _, at, value in rows:
        cases.append((0, 0x0301, right[:at] + value.to_bytes(2, "little") + right[at + 2 :]))
    said = judge([*cases, (0, 0x0301, right + b"\1"), (0, 0x0301, right[:7]), (6, 1, b"")])
    assert [field for _, _, field in said[: len(rows)]] == [field for field, _, _ in rows]
    assert said[len(rows)][2] == "zones_cm2" and said[len(rows) + 1][2] == "depth_um"
    assert said[-1][0] == "0"
