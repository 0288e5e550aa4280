"""Every enumeration that travels, by a list written by hand: a number is never used again for something else."""

from enum import IntEnum
from typing import Final

import pytest

from protocols.language import enums
from protocols.language.enums import Code, Kind, Lane, NeedleOutcome, WireEnum

VALUES: Final[dict[str, list[str]]] = {
    "Kind": ["COMMAND", "REPLY", "PROGRESS", "EVENT", "TELEMETRY", "ALARM", "BULK", "LINK"],
    "Code": [
        "OK", "E_UNKNOWN_MESSAGE", "E_SCHEMA", "E_VERSION", "E_LINK", "E_STATE", "E_INTERLOCK", "E_BUSY", "E_ARGUMENT",
        "E_RANGE", "E_EXPIRED", "E_CYCLE_GAP", "E_STORAGE", "E_AUTH", "E_UNSUPPORTED", "E_INTERNAL",
    ],
    "Role": ["VIEWER", "CONTROLLER"],
    "DeviceState": [
        "OFF", "SELF_TEST", "IDLE", "SESSION_OPEN", "ANESTHESIA_WAIT", "ANESTHESIA_CONFIRMED", "ARMED", "PUNCHING",
        "SUCTIONING", "ADVANCING", "COUNTING", "REPOSITIONING", "PURGING", "PAUSED", "CLOSING", "SAFE", "FAULT",
        "LOCKED", "ARMING", "DISARMING",
    ],
    "Phase": ["NONE", "PUNCH", "SUCTION", "ADVANCE", "COUNT"],
    "Ending": ["OPEN", "COMPLETED", "ABORTED", "AMBIGUOUS"],
    "NeedleOutcome": ["NOT_PUNCTURED", "COUNTED", "EMPTY", "UNCOUNTED", "AMBIGUOUS"],
    "CloseReason": ["", "COMPLETED", "ABORTED", "ABANDONED"],
    "AlarmPriority": ["NONE", "INFO", "LOW", "MEDIUM", "HIGH"],
    "AlarmState": ["INACTIVE", "ACTIVE", "ACKNOWLEDGED", "LATCHED"],
    "ByeReason": ["CLOSING", "REPLACED", "LEASE_EXPIRED", "REBOOT"],
    "ParamScope": ["START_ONLY", "HOST_SETTABLE"],
    "RecordKind": [
        "GAP", "CYCLE", "SESSION_OPENED", "SESSION_CLOSED", "ALARM", "REFUSAL", "PARAMETER", "BOOT", "ANESTHESIA",
        "ACTION",
    ],
    "Stream": ["", "STATE"],
}  # fmt: skip
"""Names in the order of their numbers, from 0 on; "" is a number that nothing has."""

KINDS: Final = {
    name: kind
    for name, kind in vars(enums).items()
    if isinstance(kind, type) and issubclass(kind, IntEnum) and kind not in (IntEnum, WireEnum)
}


def test_every_enumeration_is_listed() -> None:
    assert set(KINDS) == set(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_each_number_means_what_it_always_meant(name: str) -> None:
    expected = {value: number for number, value in enumerate(VALUES[name]) if value}
    found = {one.name: one.value for one in KINDS[name] if one.name != "UNKNOWN"}
    assert found == expected


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if issubclass(kind, WireEnum)])
def test_a_number_of_a_later_version_reads_as_unknown(name: str) -> None:
    kind = KINDS[name]
    unknown = kind["UNKNOWN"]
    assert unknown.value == 255
    known = {one.value for one in kind}
    assert all(kind(number) is unknown for number in range(256) if number not in known)
    for number in (-1, 256):
        with pytest.raises(ValueError, match=str(number)):
            kind(number)


def test_what_needs_a_new_major_version_has_no_unknown() -> None:
    assert "UNKNOWN" not in Kind.__members__ and "UNKNOWN" not in NeedleOutcome.__members__
    for kind, number in ((Kind, 8), (NeedleOutcome, 5)):
        with pytest.raises(ValueError, match=str(number)):
            kind(number)


def test_lanes_are_never_numbers() -> None:
    assert {lane.value for lane in Lane} == {"motion", "query", "stop", "link"}
    assert not issubclass(Lane, int) and Code(8).name == "E_ARGUMENT"
