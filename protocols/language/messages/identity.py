"""Page 01: who the device is."""

from typing import Annotated

from protocols.language.enums import Kind, Lane
from protocols.language.fields import S16, S32, U8, U16, U32, U64, Flag, Unit
from protocols.language.message import Command, Message


class DeviceInfo(Command["DeviceInfoDone"], id=0x0101, lane=Lane.QUERY):
    """Ask for the device's identity.

    No payload.
    """


class DeviceInfoDone(Message, id=0x0101, kind=Kind.REPLY):
    """The device's identity. `seed` is 0 on a real device; `has_truth` says whether TRUTH_GET is answered.

    0 s32 model | 32 s16 serial | 48 s16 firmware_version | 64 s16 model_version | 80 bool simulated |
    81 bool has_truth | 82 u64 seed | 90 u8 needles | 91 u16 core_diameter_um | 93 u32 cartridge_serial |
    97 u32 cartridge_life_cycles
    """

    model: S32
    serial: S16
    firmware_version: S16
    model_version: S16
    simulated: Flag
    has_truth: Flag
    seed: U64
    needles: U8
    core_diameter_um: Annotated[U16, Unit("um")]
    cartridge_serial: U32
    cartridge_life_cycles: U32
