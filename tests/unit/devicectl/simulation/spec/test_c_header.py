"""The C header as a compiler sees it, against the layouts that the product packs by."""

import re
import subprocess
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

import pytest

from devicectl.simulation.spec import c_header
from firmware_sim.model.interlocks import ALARMS, INTERLOCKS
from protocols.language import enums
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY
from protocols.language.records import RECORD_SIZE, RECORDS, Record
from protocols.language.schema import schema_id
from protocols.language.structs import Struct
from protocols.language.version import MINOR
from tests.patience import patience

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
HEADER = c_header.text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the header in it."""
    place = tmp_path_factory.mktemp("header")
    (place / "hlp1.h").write_text(HEADER, encoding="utf-8")
    return place


def numbers(cc: str, folder: Path, expressions: list[str]) -> list[int]:
    """What C makes of expressions, in one program."""
    prints = "\n".join(f'    printf("%lld\\n", (long long)({expression}));' for expression in expressions)
    source = folder / "numbers.c"
    source.write_text(
        f'#include <stddef.h>\n#include <stdio.h>\n#include "hlp1.h"\nint main(void) {{\n{prints}\n    return 0;\n}}\n'
    )
    subprocess.run([cc, "-std=c99", *STRICT, "-o", folder / "numbers", source], check=True, timeout=patience())
    said = subprocess.run([folder / "numbers"], check=True, capture_output=True, text=True, timeout=patience()).stdout
    return [int(line) for line in said.split()]


def cells(model: type[Struct]) -> list[tuple[str, int, int]]:
    """(field, offset, size) of the fixed fields, off the compiled layout; a record's kind stands in its byte 8."""
    found, offset = [], 0
    for name, wire in layout(model).fields:
        if issubclass(model, Record) and offset == 8:
            found.append(("kind", 8, 1))
            offset += 1
        found.append((name, offset, wire.size))
        offset += wire.size
    return found


def structs() -> dict[str, type[Struct]]:
    """C struct -> its class, of every payload and record that has a fixed field."""
    classes: list[type[Struct]] = [*REGISTRY.values(), *RECORDS.values()]
    own = (one for one in classes if one.__module__.startswith("protocols.") and layout(one).fields)
    return {f"hlp1_{'record_' if issubclass(one, Record) else ''}{snake(one.__name__)}": one for one in own}


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def test_every_member_is_where_the_product_packs_it(program: Callable[[str], str], folder: Path) -> None:
    expressions, expected = [], []
    for struct, model in structs().items():
        whole = RECORD_SIZE if issubclass(model, Record) else layout(model).size
        expressions.append(f"sizeof(struct {struct})")
        expected.append((struct, whole))
        for field, offset, size in cells(model):
            member = c_header.member_name(field)
            expressions += [f"offsetof(struct {struct}, {member})", f"sizeof(((struct {struct} *)0)->{member})"]
            expected += [(f"{struct}.{field} offset", offset), (f"{struct}.{field} size", size)]
    found = numbers(program("cc"), folder, expressions)
    assert [(name, value) for (name, _), value in zip(expected, found, strict=True)] == expected


def test_every_number_is_the_products(program: Callable[[str], str], folder: Path) -> None:
    expected: dict[str, int] = {"HLP1_SCHEMA_ID": schema_id(MINOR), "HLP1_MAX_PAYLOAD_SIZE": 224}
    expected |= {"HLP1_MAX_FRAME_SIZE": 243, "sizeof(struct hlp1_header)": 12, "HLP1_ALARM_CODE_LINK_LOST": 1501}
    expected |= {"HLP1_MSG_PUNCH": 0x0307, "HLP1_MSG_TELEMETRY_STATE": 0x0402, "HLP1_INTERLOCK_SUCTION": 4}
    expected |= {"HLP1_DEVICE_STATE_ANESTHESIA_WAIT": 4, "HLP1_CODE_E_STATE": 5, "HLP1_RECORD_KIND_CYCLE": 1}
    for struct, model in structs().items():
        if not issubclass(model, Record):
            expected[f"HLP1_SIZE_{struct.removeprefix('hlp1_').upper()}"] = layout(model).size
    found = numbers(program("cc"), folder, list(expected))
    assert dict(zip(expected, found, strict=True)) == expected


def test_nothing_is_left_out() -> None:
    ids = [model.ID for model in REGISTRY.values() if model.__module__.startswith("protocols.")]
    assert sorted(
        int(line.split()[2].rstrip("u"), 16) for line in HEADER.splitlines() if "define HLP1_MSG_" in line
    ) == (sorted(ids))
    own = (kind for kind in vars(enums).values() if isinstance(kind, type) and issubclass(kind, IntEnum))
    members = sum(len(kind) for kind in own)
    made, _, _ = HEADER.partition("/* --- frames --- */")
    assert made.count(" = ") == members + len(ALARMS) + len(INTERLOCKS) + 1  # and interlock 0
    assert HEADER.count("struct hlp1_record_") == len(RECORDS)


def test_a_wrong_size_does_not_compile(program: Callable[[str], str], tmp_path: Path) -> None:
    broken = HEADER.replace("    uint16_t depth_um;", "    uint32_t depth_um;")
    assert broken != HEADER
    (tmp_path / "broken.c").write_text(broken, encoding="utf-8")
    line = [program("cc"), "-std=c99", "-fsyntax-only", str(tmp_path / "broken.c")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=patience(), check=False)
    assert done.returncode != 0 and "hlp1_check_punch" in done.stderr


@pytest.mark.parametrize("frames", ["", "#define HLP1_FRAMES\n", "#define HLP1_CHECKS\n"], ids=["", "frames", "checks"])
@pytest.mark.parametrize("compiler", ["cc -std=c99", "c++ -x c++ -std=c++11"])
def test_header_compiles_by_itself(compiler: str, frames: str, program: Callable[[str], str], tmp_path: Path) -> None:
    name, *options = compiler.split()
    (tmp_path / "hlp1.h").write_text(HEADER, encoding="utf-8")
    (tmp_path / "only.c").write_text(f'{frames}#include "hlp1.h"\n', encoding="utf-8")
    line = [program(name), *options, *STRICT, "-fsyntax-only", str(tmp_path / "only.c")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=patience(), check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_includes_and_lines() -> None:
    lines = HEADER.splitlines()
    assert [line for line in lines if line.startswith("#include")] == ["#include <stdint.h>"]
    assert max(map(len, lines)) <= c_header.WIDTH
