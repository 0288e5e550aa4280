"""`hlp1.ksy`, compiled, against the golden vectors, whose own values are the judge.

The compiler is npm's, in `build/kaitai`: `make kaitai` puts it there, and .ci/run does.
"""

import importlib
import importlib.util
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from devicectl.simulation.spec import FILES
from tests import vectors
from tests.patience import patience
from tests.programs import ROOT

COMPILER: Final = Path(os.environ.get("KAITAI", ROOT / "build" / "kaitai"))
SCRIPT: Final = Path(__file__).parent / "compile.cjs"
LANGUAGES: Final = ("cpp_stl", "csharp", "go", "java", "javascript", "lua", "perl", "php", "python", "ruby", "rust")
VECTORS: Final = vectors.load("frames.json")["frames"]
RECORDS: Final = vectors.load("records.json")["records"]
LONGER: Final = {"default": "default_value"}
"""Field whose name is a word of some language -> its id."""
WIDE: Final = ("features", "seed")
UNCHECKED: Final = ("text after NUL",)
"""Why a payload is bad, where Kaitai's language cannot say it."""
Vector = dict[str, Any]
Compile = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def compiled(program: Callable[[str], str], package: Callable[[str], None], tmp_path_factory: Any) -> Compile:
    """The files that the compiler makes for a language."""
    package("kaitaistruct")
    node = program("node")
    if not (COMPILER / "node_modules" / "kaitai-struct-compiler").is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("Kaitai's compiler is not there, and CI must have it: see .ci/run")
        pytest.skip("Kaitai's compiler is not there: make kaitai")
    description = tmp_path_factory.mktemp("kaitai") / "hlp1.json"
    description.write_text(json.dumps(yaml.safe_load(FILES["hlp1.ksy"][1]())), encoding="utf-8")

    def compile_for(language: str) -> dict[str, str]:
        line = [node, str(SCRIPT), str(COMPILER), str(description), language]
        done = subprocess.run(line, capture_output=True, text=True, timeout=patience(), check=False)
        assert done.returncode == 0, done.stderr
        files: dict[str, str] = json.loads(done.stdout)
        return files

    return compile_for


@pytest.fixture(scope="module")
def parser(compiled: Compile, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The module that the compiler makes for Python."""
    path = tmp_path_factory.mktemp("parser") / "hlp1.py"
    path.write_text(compiled("python")["hlp1.py"], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("hlp1", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unstuffed(data: bytes) -> bytes:
    """COBS undone, as any user of the description has to: each code byte names the distance to the next zero."""
    stuffed, content, at = data.strip(b"\0"), bytearray(), 0
    while at < len(stuffed):
        content += stuffed[at + 1 : at + stuffed[at]] + b"\0"
        at += stuffed[at]
    return bytes(content[:-1])


def parse(parser: Any, vector: Vector) -> Any:
    return parser.Hlp1.from_bytes(unstuffed(bytes.fromhex(vector["hex"])))


def value_of(struct: Any, name: str) -> Any:
    """A field as the vectors have it: bytes and journal records in hex, a u64 as its digits."""
    value = getattr(struct, LONGER.get(name, name))
    if isinstance(value, bytes):
        return value.hex()
    if name in WIDE:
        return str(value)
    if name in ("record", "records"):
        return "".join(one._io._io.getvalue().hex() for one in (value if name == "records" else [value]))
    return value


def assert_fields(struct: Any, fields: dict[str, Any]) -> None:
    """Hold each value and its type; an enumerator that is not known is a plain number, which reads as UNKNOWN."""
    for name, expected in fields.items():
        found = value_of(struct, name)
        if expected == 255 and found != 255:
            assert type(found) is int and 0 <= found < 255, name
        else:
            assert found == expected, name
            assert isinstance(found, bool) is isinstance(expected, bool), name


def named(items: list[Vector], *outcomes: str) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in items if vector["outcome"] in outcomes]


@pytest.mark.parametrize("vector", named(VECTORS, "message"))
def test_message(vector: Vector, parser: Any) -> None:
    frame = parse(parser, vector)
    header = vector["header"]
    for name in ("major", "kind", "message_id", "seq", "link_id", "correlation_id", "node", "payload_size"):
        assert getattr(frame.header, name) == header[name], name
    assert type(frame.payload).__name__ == vector["message"]
    assert_fields(frame.payload, vector["fields"])
    assert frame.crc == int.from_bytes(unstuffed(bytes.fromhex(vector["hex"]))[-4:], "little")


def test_flags(parser: Any) -> None:
    flags = {
        "is_signed": 1, "is_reply_wanted": 2, "is_retransmit": 4, "is_replayed": 8, "must_understand": 0x30,
        "ignorable": 0xC0,
    }  # fmt: skip
    seen = 0
    for vector in VECTORS:
        if "header" in vector and vector["header"]["major"] == 1:
            header = parser.Hlp1.Header(parser.KaitaiStream(parser.BytesIO(unstuffed(bytes.fromhex(vector["hex"])))))
            for name, mask in flags.items():
                lowest = mask & -mask
                assert getattr(header, name) == (vector["header"]["flags"] & mask) // lowest, name
            seen |= vector["header"]["flags"]
    assert seen & 0x3E == 0x3E, "the vectors have each of these flags"


@pytest.mark.parametrize("vector", named(VECTORS, "bad payload"))
def test_bad_payload_is_no_message(vector: Vector, parser: Any) -> None:
    if vector["reason"] in UNCHECKED:
        assert type(parse(parser, vector).payload).__name__ == vector["message"]
        return
    errors = importlib.import_module("kaitaistruct")
    with pytest.raises((errors.ValidationFailedError, EOFError, UnicodeDecodeError)):
        parse(parser, vector)


@pytest.mark.parametrize("vector", named(VECTORS, "unknown message"))
def test_unknown_message_is_bytes(vector: Vector, parser: Any) -> None:
    assert parse(parser, vector).payload.hex() == vector["payload"]


@pytest.mark.parametrize("vector", named(VECTORS, "good frame"))
def test_another_major_is_refused_and_a_kind_that_is_not_assigned_is_bytes(vector: Vector, parser: Any) -> None:
    if vector["receiver"] == "NAK E_VERSION":
        with pytest.raises(importlib.import_module("kaitaistruct").ValidationNotEqualError):
            parse(parser, vector)
        return
    frame = parse(parser, vector)
    assert frame.header.kind == vector["header"]["kind"]
    assert isinstance(frame.payload, bytes) is (vector["header"]["kind"] == 8)


@pytest.mark.parametrize("vector", named(RECORDS, "record", "unknown kind"))
def test_record(vector: Vector, parser: Any) -> None:
    record = parser.Hlp1.JournalRecord(parser.KaitaiStream(parser.BytesIO(bytes.fromhex(vector["hex"]))))
    if vector["outcome"] == "unknown kind":
        assert record.body.hex() == vector["hex"][18:]
        return
    assert type(record.body).__name__ == f"Record{vector['record']}"
    common = ("event_no", "uptime_ms")
    assert_fields(record, {name: vector["fields"][name] for name in common})
    assert_fields(record.body, {name: value for name, value in vector["fields"].items() if name not in common})


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_compiles_for_other_languages(language: str, compiled: Compile) -> None:
    assert any("TelemetryState" in text or "telemetry_state" in text for text in compiled(language).values())
