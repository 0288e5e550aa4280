"""A handpiece as the device under test of pytest-embedded. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.

firmware-sim exec --pty --link ./board -- pytest --port=./board
"""

import re
import secrets

import pytest

from protocols.language.enums import Code, Role
from protocols.language.messages import Arm, DeviceInfo, DeviceInfoDone, Hello, Refused, Welcome
from protocols.link.header import REPLY_WANTED
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, encode_message

FRAME = re.compile(rb"\x00([^\x00]+)\x00", re.DOTALL)
ANSWER_S = 5


class Host:
    """Asks the device under test, which pytest-embedded reads: what comes is expected, as any text of a board is."""

    def __init__(self, dut):
        self._dut = dut
        self._asked = 0
        self._link = 0
        nonce = secrets.randbits(32)  # with an old one it would be the old link, given once more
        greeting = {"majors": 2, "minor": 0, "role": Role.CONTROLLER, "features": 0, "schema_id": 0, "host_id": 7}
        self.device = self.ask(Hello(**greeting, max_payload_size=224, nonce=nonce))
        self._link = self.device.link_id

    def ask(self, command):
        self._asked += 1
        numbers = {"seq": self._asked, "link_id": self._link, "correlation_id": self._asked}
        self._dut.serial.proc.write(encode_message(command, **numbers, flags=REPLY_WANTED))
        while True:
            wire = self._dut.expect(FRAME, timeout=ANSWER_S).group(0)
            for item in FrameDecoder().feed(wire):
                if isinstance(item, Frame) and item.header.correlation_id == self._asked:
                    return decode_message(item)


@pytest.fixture
def host(dut):
    return Host(dut)


def test_it_says_who_it_is(host):
    assert isinstance(host.device, Welcome)
    info = host.ask(DeviceInfo())
    assert isinstance(info, DeviceInfoDone) and info.needles == 3


def test_it_moves_nothing_without_a_session(host):
    answer = host.ask(Arm())
    assert isinstance(answer, Refused) and answer.code is Code.E_STATE, answer
