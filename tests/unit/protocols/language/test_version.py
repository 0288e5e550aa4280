"""The version of the protocol, as docs/protocol.md has it."""

import re
from pathlib import Path

from protocols.language.version import MAJOR, MINOR, PROTOCOL

PAGE = Path(__file__).parents[4] / "docs" / "protocol.md"


def test_the_version_is_that_of_the_specification() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith(f"# {PROTOCOL}, ") and PROTOCOL == "HLP/1"
    major = re.search(r"high four bits: major version, (\d+)", text)
    assert major is not None and int(major[1]) == MAJOR == 1


def test_the_minor_fits_its_byte_in_hello() -> None:
    assert MINOR == 1 and 0 <= MINOR <= 255
