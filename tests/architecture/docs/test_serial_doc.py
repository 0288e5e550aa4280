"""docs/serial.md: its options are those of a URL, and what it says of errors is what the code says."""

import re
from typing import Final

import pytest

from devicectl.session.link import CONNECT_TIMEOUT_US
from devicectl.transports.line_options import BOOT_US, MAX_WAIT_S
from devicectl.transports.rfc2217 import ANSWER_TIMEOUT_S, MAX_ANSWER_TIMEOUT_S
from devicectl.transports.urls import MIN_BAUD, parse_url
from firmware_sim.serve.transports.pty_line import TIDY_EVERY_S
from firmware_sim.serve.transports.rfc2217 import KEEPALIVE
from protocols.language.units import SECOND
from protocols.serial.diagnosis import CHANGES, Heard, cause
from protocols.serial.wire import SerialWire
from protocols.telnet.port import MAX_HELD_BYTES
from protocols.telnet.uart import MAX_BAUD as MAX_UART_BAUD
from protocols.telnet.uart import MIN_BAUD as MIN_UART_BAUD
from protocols.telnet.uart import MIN_DATA_BITS
from tests.architecture.tree import ROOT

TEXT: Final = (ROOT / "docs" / "serial.md").read_text(encoding="utf-8")
ROWS: Final = [
    tuple(cell.strip() for cell in line.strip("|").split("|")) for line in TEXT.splitlines() if line[:1] == "|"
]


def heard(*pieces: bytes) -> Heard:
    wire = SerialWire()
    for piece in pieces:
        wire.feed(piece)
    return wire.heard


def test_its_options_are_those_of_a_url() -> None:
    options = [name for cell, *_ in ROWS for name in re.findall(r"`([a-z]+=[0-9.]+)`", cell)]
    assert {one.partition("=")[0] for one in options} == {"baud", "wait", "dtr", "rts", "rtscts", "timeout"}
    for option in options:
        parse_url(f"rfc2217://127.0.0.1:4002?{option}&ign_set_control")
        if not option.startswith("timeout"):
            parse_url(f"serial:///dev/ttyUSB0?{option}")


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"from {MIN_BAUD:,} on" in TEXT and f"up to {MAX_WAIT_S};" in TEXT
    assert BOOT_US == 6 * SECOND < CONNECT_TIMEOUT_US and "for six seconds" in TEXT
    assert f"`timeout={ANSWER_TIMEOUT_S:g}`" in TEXT and f"opening, up to {MAX_ANSWER_TIMEOUT_S:g} |" in TEXT
    assert f"Baud from {MIN_UART_BAUD} to {MAX_UART_BAUD:,}, {MIN_DATA_BITS} or 8 data bits" in TEXT
    assert f"up to {MAX_HELD_BYTES // 1024} KiB later" in TEXT
    silent, every, count = KEEPALIVE.values()
    assert f"let go after {silent + every * count} seconds" in TEXT
    assert TIDY_EVERY_S == 0.5 and "within half a second" in TEXT


@pytest.mark.parametrize(
    ("said", "pieces"),
    [
        ("12 bytes came, all below 0x80", [b"\x01" * 12]),
        ("the first bytes are Telnet negotiation", [b"\xff\xfd\x18"]),
        ("a text came: Port already in use", [b"Port already in use\r\n"]),
        ("bytes came, and no frame among them", [b"\x85"]),
    ],
)
def test_its_words_are_those_of_an_error(said: str, pieces: list[bytes]) -> None:
    found = cause(heard(*pieces))
    if said.startswith("bytes"):
        assert found is not None and "byte came, and no frame among them" in found.sentence
    else:
        assert found is not None and found.sentence.startswith(said)
    assert said in {row[0] for row in ROWS}


def test_each_change_that_is_proven_is_on_the_page() -> None:
    for change in CHANGES:
        first = change.sentence.partition(" (")[0].partition(":")[0].partition(",")[0].removesuffix(" was swallowed")
        assert first in TEXT, change.code
