"""Words of the COM-PORT option, held against pyserial's numbers, which are an independent reading of the RFC."""

import pytest
from serial import rfc2217

from protocols.telnet.com_port import (
    ANSWER,
    Control,
    LineSettings,
    LineState,
    ModemState,
    Parity,
    Purge,
    StopBits,
    Word,
    name_of,
    say,
    value_of,
)

CONTROLS = {
    Control.FLOW_STATE: rfc2217.SET_CONTROL_REQ_FLOW_SETTING,
    Control.FLOW_NONE: rfc2217.SET_CONTROL_USE_NO_FLOW_CONTROL,
    Control.FLOW_SOFTWARE: rfc2217.SET_CONTROL_USE_SW_FLOW_CONTROL,
    Control.FLOW_HARDWARE: rfc2217.SET_CONTROL_USE_HW_FLOW_CONTROL,
    Control.BREAK_STATE: rfc2217.SET_CONTROL_REQ_BREAK_STATE,
    Control.BREAK_ON: rfc2217.SET_CONTROL_BREAK_ON,
    Control.BREAK_OFF: rfc2217.SET_CONTROL_BREAK_OFF,
    Control.DTR_STATE: rfc2217.SET_CONTROL_REQ_DTR,
    Control.DTR_ON: rfc2217.SET_CONTROL_DTR_ON,
    Control.DTR_OFF: rfc2217.SET_CONTROL_DTR_OFF,
    Control.RTS_STATE: rfc2217.SET_CONTROL_REQ_RTS,
    Control.RTS_ON: rfc2217.SET_CONTROL_RTS_ON,
    Control.RTS_OFF: rfc2217.SET_CONTROL_RTS_OFF,
}
MODEM = {
    ModemState.CTS: rfc2217.MODEMSTATE_MASK_CTS,
    ModemState.DSR: rfc2217.MODEMSTATE_MASK_DSR,
    ModemState.RING: rfc2217.MODEMSTATE_MASK_RI,
    ModemState.CARRIER: rfc2217.MODEMSTATE_MASK_CD,
    ModemState.CTS_CHANGED: rfc2217.MODEMSTATE_MASK_CTS_CHANGE,
    ModemState.DSR_CHANGED: rfc2217.MODEMSTATE_MASK_DSR_CHANGE,
    ModemState.RING_ENDED: rfc2217.MODEMSTATE_MASK_RI_CHANGE,
    ModemState.CARRIER_CHANGED: rfc2217.MODEMSTATE_MASK_CD_CHANGE,
}


def test_words_have_their_numbers() -> None:
    assert list(Word) == list(range(13))  # pyserial lacks the first, SIGNATURE
    for word in set(Word) - {Word.SIGNATURE}:
        assert bytes([word]) == getattr(rfc2217, word.name)
        assert bytes([word + ANSWER]) == getattr(rfc2217, f"SERVER_{word.name}")


def test_values_have_their_numbers() -> None:
    assert {bytes([control]): name for control, name in CONTROLS.items()} == {name: name for name in CONTROLS.values()}
    assert all(int(line) == number for line, number in MODEM.items())
    assert int(LineState.FRAMING_ERROR) == rfc2217.LINESTATE_MASK_FRAMING_ERROR
    assert int(LineState.OVERRUN) == rfc2217.LINESTATE_MASK_OVERRUN_ERROR
    assert [rfc2217.RFC2217_PARITY_MAP[letter] for letter in "NOEMS"] == list(Parity)
    assert [rfc2217.RFC2217_STOPBIT_MAP[number] for number in (1, 2, 1.5)] == list(StopBits)
    assert [bytes([purge]) for purge in Purge] == [
        rfc2217.PURGE_RECEIVE_BUFFER,
        rfc2217.PURGE_TRANSMIT_BUFFER,
        rfc2217.PURGE_BOTH_BUFFERS,
    ]


@pytest.mark.parametrize("control", Control)
def test_what_asks_sets_nothing(control: Control) -> None:
    assert control.asks == (control in {0, 4, 7, 10, 13})


def test_a_value_takes_its_size() -> None:
    assert say(Word.SET_BAUDRATE, 115200) == b"\xff\xfa\x2c\x01\x00\x01\xc2\x00\xff\xf0"
    assert say(Word.SET_PARITY + ANSWER, 1) == b"\xff\xfa\x2c\x67\x01\xff\xf0"
    assert say(Word.SET_MODEMSTATE_MASK, 255) == b"\xff\xfa\x2c\x0b\xff\xff\xff\xf0"
    assert say(Word.SIGNATURE, b"me") == b"\xff\xfa\x2c\x00me\xff\xf0"
    assert value_of(Word.SET_BAUDRATE + ANSWER, b"\x65\x00\x01\xc2\x00") == 115200
    assert value_of(Word.SET_BAUDRATE, b"\x01\xc2\x00") is value_of(Word.SET_PARITY, b"\x03") is None
    assert value_of(77, b"\x4d\x01") == 1


def test_a_byte_takes_its_bits() -> None:
    assert LineSettings().bits_per_byte == 10
    assert LineSettings(data_bits=7, parity=Parity.EVEN, stop_bits=StopBits.TWO).bits_per_byte == 11
    assert LineSettings(parity=Parity.SPACE, stop_bits=StopBits.ONE_AND_A_HALF).bits_per_byte == 11.5


def test_names_are_those_of_the_rfc() -> None:
    assert name_of(Word.SET_BAUDRATE) == name_of(Word.SET_BAUDRATE + ANSWER) == "SET-BAUDRATE"
    assert str(LineSettings()) == "9600 8N1"
    assert str(LineSettings(115200, 7, Parity.EVEN, StopBits.ONE_AND_A_HALF)) == "115200 7E1.5"
