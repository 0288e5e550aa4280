"""The gateway's port: what it does, what it refuses, and that it says which."""

import pytest

from protocols.telnet.com_port import Control, LineSettings, Parity, StopBits, Word
from protocols.telnet.happenings import Break, Noted
from protocols.telnet.uart import MAX_BAUD, Uart

C = Control


@pytest.mark.parametrize(
    ("word", "value", "settings", "text"),
    [
        (Word.SET_BAUDRATE, 115200, LineSettings(baud=115200), "baud 115200"),
        (Word.SET_DATASIZE, 7, LineSettings(data_bits=7), "data bits 7"),
        (Word.SET_PARITY, Parity.EVEN, LineSettings(parity=Parity.EVEN), "parity EVEN"),
        (Word.SET_STOPSIZE, StopBits.TWO, LineSettings(stop_bits=StopBits.TWO), "stop bits 2"),
        (Word.SET_STOPSIZE, 3, LineSettings(stop_bits=StopBits.ONE_AND_A_HALF), "stop bits 1.5"),
    ],
)
def test_what_it_can_do_it_does_and_says_once(word: Word, value: int, settings: LineSettings, text: str) -> None:
    uart = Uart(LineSettings())
    assert uart.set(word, value) == (value, [Noted(text)])
    assert uart.settings == settings
    assert uart.set(word, value) == (value, []) == uart.set(word, 0)


@pytest.mark.parametrize(
    ("word", "value", "has", "text"),
    [
        (Word.SET_BAUDRATE, 1, 9600, "refused baud 1: from 50 to 4000000 are possible; it stays at 9600"),
        (Word.SET_BAUDRATE, MAX_BAUD + 1, 9600, "refused baud 4000001: from 50"),
        (Word.SET_DATASIZE, 6, 8, "refused data bits 6: 7 and 8 are possible; it stays at 8"),
        (Word.SET_DATASIZE, 9, 8, "refused data bits 9: 7 and 8"),
        (Word.SET_PARITY, 6, 1, "refused parity 6: from 1 to 5 are possible; it stays at NONE"),
        (Word.SET_STOPSIZE, 4, 1, "refused stop bits 4: from 1 to 3 are possible; it stays at 1"),
    ],
)
def test_what_it_cannot_do_it_refuses_and_says_which(word: Word, value: int, has: int, text: str) -> None:
    uart = Uart(LineSettings())
    answer, ((noted),) = uart.set(word, value)
    assert answer == has and uart.settings == LineSettings()
    assert isinstance(noted, Noted) and noted.text.startswith(text)


@pytest.mark.parametrize(
    ("controls", "answers", "texts"),
    [
        ([C.DTR_STATE, C.DTR_OFF, C.DTR_OFF, C.DTR_STATE], [C.DTR_ON, C.DTR_OFF, C.DTR_OFF, C.DTR_OFF], ["DTR off"]),
        ([C.RTS_OFF, C.RTS_ON, C.RTS_STATE], [C.RTS_OFF, C.RTS_ON, C.RTS_ON], ["RTS off", "RTS on"]),
        ([C.FLOW_STATE, C.FLOW_HARDWARE, C.FLOW_HARDWARE], [1, 3, 3], ["flow control RTS/CTS"]),
        ([C.FLOW_IN_HARDWARE, C.FLOW_IN_STATE, C.FLOW_STATE], [16, 16, 3], ["flow control RTS/CTS"]),
        (
            [C.FLOW_HARDWARE, C.FLOW_IN_NONE, C.FLOW_IN_STATE],
            [3, 14, 14],
            ["flow control RTS/CTS", "flow control none"],
        ),
        (
            [C.FLOW_SOFTWARE, C.FLOW_IN_SOFTWARE],
            [C.FLOW_NONE, C.FLOW_IN_NONE],
            ["refused flow control XON/XOFF: frames hold every byte; it stays at none"] * 2,
        ),
        (
            [C.FLOW_HARDWARE, C.FLOW_CARRIER, C.FLOW_DSR],
            [3, 3, 3],
            [
                "flow control RTS/CTS",
                "refused flow control FLOW_CARRIER: the port has RTS/CTS alone; it stays at RTS/CTS",
                "refused flow control FLOW_DSR: the port has RTS/CTS alone; it stays at RTS/CTS",
            ],
        ),
        ([C.FLOW_IN_DTR], [14], ["refused flow control FLOW_IN_DTR: the port has RTS/CTS alone; it stays at none"]),
    ],
)
def test_lines_and_flow_control(controls: list[Control], answers: list[int], texts: list[str]) -> None:
    uart = Uart(LineSettings())
    done = [uart.control(control) for control in controls]
    assert [answer for answer, _ in done] == answers
    assert [happening for _, happened in done for happening in happened] == [Noted(text) for text in texts]


def test_a_break_begins_and_ends_once() -> None:
    uart = Uart(LineSettings())
    assert uart.control(C.BREAK_STATE) == (C.BREAK_OFF, [])
    assert uart.control(C.BREAK_ON) == (C.BREAK_ON, [Noted("break on"), Break(on=True)])
    assert uart.control(C.BREAK_ON) == (C.BREAK_ON, []) == uart.control(C.BREAK_STATE)
    assert uart.control(C.BREAK_OFF) == (C.BREAK_OFF, [Noted("break off"), Break(on=False)])
